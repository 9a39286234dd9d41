/* SPDX-License-Identifier: MIT */
/* Publish the accounts that libnss_gltoken gives to this system. */
#include "cmds.h"

#include "nss_limits.h"
#include "nss_snap.h"
#include "nsswitch.h"
#include "privdrop.h"
#include "publish.h"
#include "view.h"

#include <stdio.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken publish [--json]\n"
	"\n"
	"Write the snapshot of accounts (bots and users without an account of this system) that\n"
	"libnss_gltoken(8) reads, and what root allows it to give. Every change that matters does\n"
	"this by itself; after [nss] in gltoken.conf, the account git or the system's accounts were\n"
	"changed, this command does.\n"
	"\n" GLT_HELP_JSON GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

/* Here what goes wrong is the result, elsewhere a warning beside it. */
static int refresh(const struct glt_cli *cli)
{
	struct glt_err err;
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return GLT_EXIT_OK;
	if (glt_privdrop_lookup(&uid, &gid, &err) != GLT_OK ||
	    glt_limits_refresh(&cli->conf, uid, gid, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	return GLT_EXIT_OK;
}

static void print(const struct glt_cli *cli, const struct glt_published *done)
{
	json_t *o;

	if (cli->format != GLT_FORMAT_JSON) {
		printf("Published %zu accounts and %zu groups.\n", done->users, done->groups);
		return;
	}
	o = json_object();
	(void)json_object_set_new(o, "accounts", json_integer((json_int_t)done->users));
	(void)json_object_set_new(o, "groups", json_integer((json_int_t)done->groups));
	(void)json_object_set_new(o, "file", json_string(GLT_NSS_SNAPSHOT));
	(void)glt_json_print(o);
}

int glt_cmd_publish(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_published done;
	struct glt_err err;
	char missing[64];
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK)
		rc = refresh(cli);
	if (rc == GLT_EXIT_OK)
		rc = glt_cli_open(cli, false);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (glt_publish(cli->store, &cli->conf, &done, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	print(cli, &done);
	if (!glt_nsswitch_asks_us(GLT_NSSWITCH, missing, sizeof(missing)))
		glt_cli_warn(cli,
			     "not all programs find them: " GLT_NSSWITCH
			     " does not name gltoken for %s, or not where it is asked, see libnss_gltoken(8)",
			     missing);
	return GLT_EXIT_OK;
}
