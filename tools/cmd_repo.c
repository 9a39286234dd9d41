/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "people.h"
#include "reposcan.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char intro[] = "The repositories below repo_root.\n";

static const char list_help[] =
	"Usage: gltoken repo list [--json|--csv|--raw]\n"
	"\n"
	"List the repositories that are found below repo_root, and what keeps one from being\n"
	"served. A repository without an id was not made by 'gltoken repo create'.\n"
	"\n" GLT_HELP_LIST GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

static const struct glt_column columns[] = {
	{"PATH", 0},
	{"ID", GLT_COLUMN_RIGHT},
	{"BRANCH", 0},
	{"STATE", GLT_COLUMN_SHRINK},
};

static int look_up(const struct glt_cli *cli, struct glt_reposcan *s)
{
	struct glt_err err;
	struct glt_txn *txn;

	if (glt_txn_begin(cli->store, false, &txn, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	for (size_t i = 0; i < s->n; i++) {
		Glt__Namespace *n;

		if (glt_namespace_load(txn, s->v[i].path, &n, NULL) != GLT_OK)
			continue;
		s->v[i].id = n->id;
		(void)snprintf(s->v[i].branch, sizeof(s->v[i].branch), "%s", n->default_branch);
		glt_namespace_free(n);
	}
	glt_txn_end(txn);
	return GLT_EXIT_OK;
}

static bool print(const struct glt_cli *cli, const struct glt_reposcan *s)
{
	struct glt_out *out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; i < s->n; i++) {
		const struct glt_repofound *f = &s->v[i];
		const char *state = f->status == GLT_REPO_OK ? "ok" : glt_repo_text(f->status);
		char id[24] = "";

		if (glt_out_is_json(out)) {
			json_t *o = json_object();

			(void)json_object_set_new(o, "id", glt_json_number(f->id));
			(void)json_object_set_new(o, "path", glt_json_text(f->path));
			(void)json_object_set_new(o, "default_branch", glt_json_text(f->branch));
			(void)json_object_set_new(o, "ok", json_boolean(f->status == GLT_REPO_OK));
			(void)json_object_set_new(o, "state", glt_json_text(state));
			glt_out_json(out, o);
			continue;
		}
		if (f->id)
			(void)snprintf(id, sizeof(id), "%" PRIu64, f->id);
		glt_out_row(out, (const char *const[]){f->path, id, f->branch, state});
	}
	return glt_out_print(out);
}

static int list(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_reposcan s;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, list_help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_config(cli);
	if (rc != GLT_EXIT_OK)
		return rc;
	rc = glt_reposcan(cli, &s);
	if (rc != GLT_EXIT_OK)
		return rc;
	rc = glt_cli_open(cli, false);
	if (rc == GLT_EXIT_OK)
		rc = look_up(cli, &s);
	glt_cli_close(cli);
	if (rc == GLT_EXIT_OK && !print(cli, &s))
		rc = GLT_EXIT_UNAVAILABLE;
	free(s.v);
	return rc;
}

static const struct glt_command commands[] = {
	{"create", NULL, glt_cmd_repo_create, "make a repository"},
	{"adopt", NULL, glt_cmd_repo_adopt, "take over repositories that were put there"},
	{"check", NULL, glt_cmd_repo_check, "look for what is wrong with repositories"},
	{"list", "ls", list, "list repositories"},
	{"move", "mv", glt_cmd_repo_move, "give a repository another path, with all that belongs to it"},
	{"remove", "rm", glt_cmd_repo_remove, "remove a repository, with its tokens and memberships"},
	{NULL, NULL, NULL, NULL},
};

int glt_cmd_repo(struct glt_cli *cli, int argc, char **argv)
{
	return glt_cli_dispatch(cli, commands, intro, argc, argv);
}
