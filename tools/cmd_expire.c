/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "named.h"
#include "tokens.h"
#include "when.h"

static const char help[] =
	"Usage: gltoken expire ID --at WHEN\n"
	"\n"
	"Change when a token expires.\n"
	"\n"
	"      --at WHEN            2027-01-31 (00:00 UTC on that date), 2027-01-31T12:00:00Z,\n"
	"                           +30d, 12h, never, or now\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_AT = GLT_OPT_OWN };

static const struct option options[] = {
	{"at", required_argument, NULL, OPT_AT},
	{"expires-at", required_argument, NULL, OPT_AT},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

int glt_cmd_expire(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_edit edit = {.what = GLT_EDIT_EXPIRY};
	const char *at = NULL;
	struct glt_err err;
	Glt__Token *t;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		glt_cli_once(cli, &at, "--at");
	glt_cli_operands(cli, argc, argv, 1, 1, "one ID");
	if (!at)
		glt_cli_usage(cli, "--at is required");
	glt_cli_require(cli, glt_when_parse("--at", at, cli->now, &edit.when, &err), &err);
	rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = glt_named_load(cli, argv[optind], &t);
	if (rc != GLT_EXIT_OK)
		return rc;
	rc = glt_named_edit(cli, t->id, &edit, 1);
	glt_token_free(t);
	return rc;
}
