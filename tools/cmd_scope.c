/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "named.h"
#include "scope.h"
#include "tokens.h"

static const char help[] = "Usage: gltoken scope ID (--set | --add | --remove) SCOPE[,SCOPE...]\n"
			   "\n"
			   "Change the scopes of a token; counts at its next request. At least one must stay.\n"
			   "\n"
			   "      --set SCOPE,...      have these and no others\n"
			   "      --add SCOPE,...      have these too\n"
			   "      --remove SCOPE,...   have these no more\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_SET = GLT_OPT_OWN, OPT_ADD, OPT_REMOVE };

static const struct option options[] = {
	{"set", required_argument, NULL, OPT_SET},
	{"add", required_argument, NULL, OPT_ADD},
	{"remove", required_argument, NULL, OPT_REMOVE},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

static int change(const struct glt_cli *cli, const char *id, enum glt_edit_what what, const struct glt_list *names)
{
	struct glt_edit edit = {.what = what};
	struct glt_err err;
	Glt__Token *t;
	int rc = glt_named_load(cli, id, &t);

	if (rc != GLT_EXIT_OK)
		return rc;
	for (size_t i = 0; i < names->n && rc == GLT_EXIT_OK; i++) {
		uint64_t one = 0;

		if (glt_scopes_parse(names->v[i], t->type, &one, &err) != GLT_OK)
			rc = glt_cli_fail(cli, &err);
		edit.number |= one;
	}
	if (rc == GLT_EXIT_OK)
		rc = glt_named_edit(cli, t->id, &edit, 1);
	glt_token_free(t);
	return rc;
}

int glt_cmd_scope(struct glt_cli *cli, int argc, char **argv)
{
	static const enum glt_edit_what whats[] = {GLT_EDIT_SCOPES, GLT_EDIT_SCOPES_ADD, GLT_EDIT_SCOPES_REMOVE};
	struct glt_list names = {0};
	int c, rc, which = 0;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		if (which && which != c)
			glt_cli_usage(cli, "only one of --set, --add and --remove may be given");
		which = c;
		glt_list_split(cli, &names, "scopes", optarg);
	}
	glt_cli_operands(cli, argc, argv, 1, 1, "one ID");
	if (!which)
		glt_cli_usage(cli, "one of --set, --add and --remove is required");
	for (size_t i = 0; i < names.n; i++) { /* the type's own scopes are checked when it is known */
		enum glt_scope any;
		struct glt_err err;

		glt_cli_scopes(cli, glt_scope_parse_one(names.v[i], &any, &err), names.v[i], &err);
	}
	rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = change(cli, argv[optind], whats[which - OPT_SET], &names);
	glt_list_free(&names);
	return rc;
}
