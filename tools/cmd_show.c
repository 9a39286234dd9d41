/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "named.h"
#include "select.h"
#include "tokens.h"
#include "view.h"

static const char help[] = "Usage: gltoken show ID [--json]\n"
			   "\n"
			   "Show all about one token. ID is its number or OWNER/NAME.\n"
			   "\n" GLT_HELP_JSON GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

int glt_cmd_show(struct glt_cli *cli, int argc, char **argv)
{
	uint64_t user_id;
	Glt__Token *t;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 1, 1, "one ID");
	rc = glt_cli_open(cli, false);
	if (rc == GLT_EXIT_OK)
		rc = glt_named_load(cli, argv[optind], &t);
	if (rc != GLT_EXIT_OK)
		return rc;
	user_id = glt_user_id(cli->store, t);
	glt_cli_close(cli);
	if (!(cli->format == GLT_FORMAT_JSON ? glt_json_print(glt_token_json(cli, t, user_id))
					     : glt_token_print(cli, t)))
		rc = GLT_EXIT_UNAVAILABLE;
	glt_token_free(t);
	return rc;
}
