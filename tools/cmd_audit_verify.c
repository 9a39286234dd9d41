/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "chain.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"Usage: gltoken audit verify [--head SEQ:HASH]... [--json]\n"
	"\n"
	"Read the whole audit log and say which events were changed, removed, reordered or cut\n"
	"off. An event's hash covers that of the one before. Who can write the store could make all\n"
	"hashes anew, so compare with what syslog has: each change writes a line\n"
	"'event=audit seq=SEQ head=HASH' there. Status 1 if something is wrong.\n"
	"\n"
	"      --head SEQ:HASH      event SEQ must be there and have that hash; may repeat\n" GLT_HELP_JSON
		GLT_HELP_HELP;

enum { OPT_HEAD = GLT_OPT_OWN };

static const struct option options[] = {
	{"head", required_argument, NULL, OPT_HEAD},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

static void print_json(const struct glt_chain *found, const char *hash)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "ok", json_boolean(found->n == 0));
	(void)json_object_set_new(o, "events", json_integer((json_int_t)found->events));
	(void)json_object_set_new(o, "seq", json_integer((json_int_t)found->head.seq));
	(void)json_object_set_new(o, "head", json_string(hash));
	(void)json_object_set_new(o, "restores", json_integer((json_int_t)found->restores));
	(void)json_object_set_new(o, "problems", glt_json_list(found->problem, found->n));
	(void)glt_json_print(o);
}

static void print_text(const struct glt_cli *cli, const struct glt_chain *found, const char *hash)
{
	for (size_t i = 0; i < found->n; i++)
		glt_cli_warn(cli, "%s", found->problem[i]);
	if (found->restores)
		glt_cli_say("%" PRIu64 " times a backup was restored, and what was changed since it is not known.",
			    found->restores);
	if (found->n == 0)
		printf("%" PRIu64 " events, all in order; the last is %" PRIu64 ":%s\n", found->events,
		       found->head.seq, hash);
}

int glt_cmd_audit_verify(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_head *known = NULL;
	size_t n = 0;
	struct glt_chain found;
	char hash[GLT_HASH_HEX];
	struct glt_err err;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1) {
		known = glt_cli_alloc(known, n + 1, sizeof(*known));
		glt_cli_require(cli, glt_head_parse(optarg, &known[n++], &err), &err);
	}
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_open(cli, false);
	if (rc == GLT_EXIT_OK && glt_chain_verify(cli->store, known, n, &found, &err) != GLT_OK)
		rc = glt_cli_fail(cli, &err);
	free(known);
	if (rc != GLT_EXIT_OK)
		return rc;
	glt_cli_close(cli);
	glt_hash_format(found.head.hash, hash);
	if (cli->format == GLT_FORMAT_JSON)
		print_json(&found, hash);
	else
		print_text(cli, &found, hash);
	rc = found.n ? GLT_EXIT_DENIED : GLT_EXIT_OK;
	glt_chain_free(&found);
	return rc;
}
