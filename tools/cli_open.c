/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "account.h"
#include "audit_log.h"
#include "conf_files.h"
#include "nss_limits.h"
#include "privdrop.h"
#include "publish.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The uid that logged in, which su and sudo leave alone; false where no login was recorded. */
static bool login_uid(uid_t *uid)
{
	char text[16] = "", *end;
	uintmax_t v;
	ssize_t n;
	int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	errno = 0;
	v = strtoumax(text, &end, 10);
	if (end == text || errno || v >= UINT32_MAX)
		return false;
	*uid = (uid_t)v;
	return true;
}

static void name_of(uid_t uid, char out[GLT_ACCOUNT_MAX + 1])
{
	struct glt_account a;

	if (glt_account_by_uid(uid, &a, NULL) == GLT_OK)
		(void)snprintf(out, GLT_ACCOUNT_MAX + 1, "%s", a.name);
	else
		(void)snprintf(out, GLT_ACCOUNT_MAX + 1, "uid %lu", (unsigned long)uid);
}

void glt_cli_actor(char *out, size_t size)
{
	char self[GLT_ACCOUNT_MAX + 1], behind[GLT_ACCOUNT_MAX + 1] = "";
	const char *sudo = secure_getenv("SUDO_USER");
	uid_t uid;

	name_of(geteuid(), self);
	if (login_uid(&uid))
		name_of(uid, behind);
	else if (geteuid() == 0 && sudo && glt_account_name_check(sudo, NULL) == GLT_OK)
		(void)snprintf(behind, sizeof(behind), "%s", sudo);
	if (behind[0] && strcmp(behind, self) != 0)
		(void)snprintf(out, size, "%s(%s)", self, behind);
	else
		(void)snprintf(out, size, "%s", self);
}

/* What root has read without a fault is what counts where that is no longer so. */
static void keep_conf(const struct glt_cli *cli)
{
	static struct glt_conf conf;
	struct glt_err err;
	char *text;

	if (geteuid() != 0 || glt_conf_files(GLT_CONF_FILE, NULL, &conf, &text, NULL) != GLT_OK)
		return;
	if (glt_conf_keep(GLT_CONF_VALID, text, &err) != GLT_OK)
		glt_cli_warn(cli, "warning: %s", err.text);
	free(text);
}

int glt_cli_config(struct glt_cli *cli)
{
	char kept[GLT_LOCAL_TEXT];
	struct glt_err err;

	if (cli->conf_loaded)
		return GLT_EXIT_OK;
	if (glt_conf_read(GLT_CONF_FILE, GLT_CONF_VALID, &cli->conf, &err) != GLT_OK) {
		glt_cli_warn(cli, "%s", err.text);
		return GLT_EXIT_UNAVAILABLE;
	}
	if (cli->conf.is_copy) {
		glt_when_local(cli->conf.kept.tv_sec, false, kept);
		glt_cli_warn(cli, "warning: %s", cli->conf.fault);
		glt_cli_warn(
			cli,
			"warning: the configuration of %s is in force until that is put right: gltoken config edit",
			kept);
	} else {
		keep_conf(cli);
	}
	cli->conf_loaded = true;
	return GLT_EXIT_OK;
}

bool glt_cli_is_root(const struct glt_cli *cli, const char *what)
{
	if (geteuid() == 0)
		return true;
	glt_cli_warn(cli, "only root may %s: try 'sudo %s ...'", what, cli->command);
	return false;
}

int glt_cli_drop(struct glt_cli *cli)
{
	struct glt_err err;
	uid_t uid;
	gid_t gid;

	glt_cli_actor(cli->actor, sizeof(cli->actor));
	if (glt_privdrop_lookup(&uid, &gid, &err) != GLT_OK) {
		glt_cli_warn(cli, "%s", err.text);
		return GLT_EXIT_UNAVAILABLE;
	}
	if (geteuid() != uid && !glt_cli_is_root(cli, "use the store"))
		return GLT_EXIT_UNAVAILABLE;
	if (glt_privdrop(uid, gid, &err) != GLT_OK) {
		glt_cli_warn(cli, "%s", err.text);
		return GLT_EXIT_UNAVAILABLE;
	}
	return GLT_EXIT_OK;
}

static void changed(void *arg, const struct glt_head *head, unsigned parts)
{
	struct glt_cli *cli = arg;

	cli->public_parts |= parts;
	glt_log_head(cli->conf.log_json, head->seq, head->hash);
}

/* Where root changes something, what root says about accounts is brought up to date as well. */
static void refresh_limits(const struct glt_cli *cli)
{
	struct glt_err err;
	uid_t uid;
	gid_t gid;

	if (geteuid() == 0 && glt_privdrop_lookup(&uid, &gid, NULL) == GLT_OK &&
	    glt_limits_refresh(&cli->conf, uid, gid, &err) != GLT_OK && err.status != GLT_NOT_FOUND)
		glt_cli_warn(cli, "accounts are published as they were: %s", err.text);
}

int glt_cli_open(struct glt_cli *cli, bool write)
{
	struct glt_err err;
	enum glt_status st;
	int rc = glt_cli_config(cli);

	if (rc == GLT_EXIT_OK && write)
		refresh_limits(cli);
	if (rc == GLT_EXIT_OK)
		rc = glt_cli_drop(cli);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (!glt_conf_counted(&cli->conf)) {
		glt_cli_warn(cli,
			     "the last configuration was another one: nothing is done until the fault is put right");
		return GLT_EXIT_UNAVAILABLE;
	}
	st = glt_store_open(cli->conf.store_dir, write, &cli->store, &err);
	if (st == GLT_OK) {
		glt_store_watch(cli->store, changed, cli);
		return GLT_EXIT_OK;
	}
	if (st == GLT_NOT_FOUND)
		glt_cli_warn(cli, "%s: run 'gltoken init' first", err.text);
	else
		glt_cli_warn(cli, "%s", err.text);
	return GLT_EXIT_UNAVAILABLE;
}

int glt_cli_open_plain(struct glt_cli *cli, int argc, char **argv, const struct option *options, const char *help)
{
	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	return glt_cli_open(cli, false);
}

void glt_cli_close(struct glt_cli *cli)
{
	struct glt_err err;

	if (cli->store && cli->public_parts) {
		(void)fflush(stdout); /* a token that was issued is shown, whatever happens now */
		if (glt_publish_if_due(cli->store, &cli->conf, cli->public_parts, &err) != GLT_OK)
			glt_cli_warn(cli, "done, but accounts are not published: %s", err.text);
		cli->public_parts = 0;
	}
	glt_store_close(cli->store);
	cli->store = NULL;
}
