/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "named.h"
#include "text.h"
#include "tokens.h"

static const char help[] = "Usage: gltoken edit ID OPTION...\n"
			   "\n"
			   "Change a token; all options together or none. An empty list takes a restriction off.\n"
			   "\n"
			   "      --name NAME\n"
			   "      --description TEXT\n"
			   "      --allow-from CIDR,.. only from these addresses\n"
			   "      --only-repo GLOB,... only for these repositories; * stops at /, ** does not\n"
			   "      --service NAME,...   only through these services: sshd, http, ...\n"
			   "      --max-uses N         good for N logins from now on; 0 for no limit\n"
			   "      --pause              refuse it until it is resumed\n"
			   "      --resume\n" GLT_HELP_JSON GLT_HELP_HELP;

enum {
	OPT_NAME = GLT_OPT_OWN,
	OPT_DESCRIPTION,
	OPT_ALLOW_FROM,
	OPT_ONLY_REPO,
	OPT_SERVICE,
	OPT_MAX_USES,
	OPT_PAUSE,
	OPT_RESUME,
	OPT_END
};

static const struct option options[] = {
	{"name", required_argument, NULL, OPT_NAME},
	{"description", required_argument, NULL, OPT_DESCRIPTION},
	{"allow-from", required_argument, NULL, OPT_ALLOW_FROM},
	{"only-repo", required_argument, NULL, OPT_ONLY_REPO},
	{"service", required_argument, NULL, OPT_SERVICE},
	{"max-uses", required_argument, NULL, OPT_MAX_USES},
	{"pause", no_argument, NULL, OPT_PAUSE},
	{"resume", no_argument, NULL, OPT_RESUME},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

static const enum glt_edit_what whats[] = {GLT_EDIT_NAME,      GLT_EDIT_DESCRIPTION, GLT_EDIT_ALLOW_FROM,
					   GLT_EDIT_ONLY_REPO, GLT_EDIT_SERVICES,    GLT_EDIT_MAX_USES,
					   GLT_EDIT_PAUSE,     GLT_EDIT_RESUME};
#define KINDS (OPT_END - OPT_NAME)

static void take(const struct glt_cli *cli, struct glt_edit edits[KINDS], struct glt_list lists[KINDS], int c)
{
	const int k = c - OPT_NAME;
	struct glt_err err;

	edits[k].what = whats[k];
	switch (c) {
	case OPT_NAME:
	case OPT_DESCRIPTION:
		glt_cli_once(cli, &edits[k].text, c == OPT_NAME ? "--name" : "--description");
		glt_cli_require(cli,
				glt_name_check(c == OPT_NAME ? "--name" : "--description", optarg,
					       c == OPT_DESCRIPTION, &err),
				&err);
		break;
	case OPT_MAX_USES:
		edits[k].number = glt_cli_number(cli, "--max-uses", optarg, 0, UINT32_MAX);
		break;
	case OPT_PAUSE:
	case OPT_RESUME:
		break;
	default:
		if (*optarg)
			glt_list_split(cli, &lists[k], "list", optarg);
	}
}

int glt_cmd_edit(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_edit edits[KINDS] = {{0}}, given[KINDS];
	struct glt_list lists[KINDS] = {{0}};
	bool seen[KINDS] = {false};
	Glt__Token *t = NULL;
	size_t n = 0;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		seen[c - OPT_NAME] = true;
		take(cli, edits, lists, c);
	}
	glt_cli_operands(cli, argc, argv, 1, 1, "one ID");
	if (seen[OPT_PAUSE - OPT_NAME] && seen[OPT_RESUME - OPT_NAME])
		glt_cli_usage(cli, "only one of --pause and --resume may be given");
	for (size_t k = 0; k < KINDS; k++) {
		if (!seen[k])
			continue;
		edits[k].list = lists[k].v;
		edits[k].n_list = lists[k].n;
		given[n++] = edits[k];
	}
	if (n == 0)
		glt_cli_usage(cli, "nothing to change was given");
	rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = glt_named_load(cli, argv[optind], &t);
	if (rc == GLT_EXIT_OK)
		rc = glt_named_edit(cli, t->id, given, n);
	glt_token_free(t);
	for (size_t k = 0; k < KINDS; k++)
		glt_list_free(&lists[k]);
	return rc;
}
