/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "people.h"
#include "principal.h"
#include "records.h"
#include "role.h"
#include "table.h"
#include "target.h"

#include <string.h>

static const char intro[] =
	"Memberships: PATH PRINCIPAL ROLE. A principal is a user or @unixgroup; a membership on a\n"
	"group covers everything below it; the highest role counts.\n";

/* ---- set ---- */

static const char set_help[] =
	"Usage: gltoken member set PATH PRINCIPAL ROLE [--json]\n"
	"\n"
	"Give a user or @unixgroup a role on a project, or on a group and everything below it.\n"
	"\n"
	"ROLE is guest, planner, reporter and security_manager (pull), developer (pushes), maintainer\n"
	"(pushes to protected refs) or owner, or GitLab's number.\n"
	"\n" GLT_HELP_JSON GLT_HELP_HELP;

static const struct option json_only[] = {
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct setting {
	char path[GLT_PATH_MAX + 1];
	const char *principal;
	int role;
	bool ours, unchanged;
};

static enum glt_status put(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c, struct setting *s,
			   struct glt_err *err)
{
	enum glt_status st = GLT_OK;
	bool changed = false;

	if (s->ours)
		st = glt_principal_is_user(txn, s->principal, err);
	if (st == GLT_OK)
		st = glt_member_put(cli, txn, c, s->path, s->principal, s->role, &changed, err);
	s->unchanged = st == GLT_OK && !changed;
	return st;
}

static int set(struct glt_cli *cli, int argc, char **argv)
{
	struct setting s = {.role = GLT_NO_ROLE};
	struct glt_change *c;
	struct glt_err err;
	struct glt_txn *txn;
	int rc;

	while (glt_cli_option(cli, argc, argv, json_only, set_help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 3, 3, "PATH PRINCIPAL ROLE");
	glt_target_path(cli, argv[optind], s.path);
	s.principal = argv[optind + 1];
	glt_cli_require(cli, glt_principal_check(s.principal, &err), &err);
	glt_cli_require(cli, glt_role_parse(argv[optind + 2], &s.role, &err), &err);
	if (glt_principal_find(s.principal, &s.ours, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK)
		glt_target_note(cli, s.path, GLT_TARGET_EITHER);
	if (rc == GLT_EXIT_OK)
		rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &txn, &c);
	if (rc != GLT_EXIT_OK)
		return rc;
	rc = glt_write_end(cli, txn, c, put(cli, txn, c, &s, &err), &err);
	if (rc != GLT_EXIT_OK)
		return rc;
	glt_cli_say("%s: %s is %s of %s.", s.unchanged ? "Unchanged" : "Done", s.principal, glt_role_name(s.role),
		    s.path);
	return glt_json_result(cli,
			       json_pack("{s:s,s:s,s:i,s:s}", "path", s.path, "principal", s.principal,
					 "access_level", s.role, "role", glt_role_name(s.role)),
			       !s.unchanged);
}

/* ---- remove ---- */

static const char remove_help[] = "Usage: gltoken member remove PATH PRINCIPAL [--json]\n"
				  "\n"
				  "Take a membership away. What PRINCIPAL has from a group above stays.\n"
				  "\n" GLT_HELP_JSON GLT_HELP_HELP;

static int remove_member(struct glt_cli *cli, int argc, char **argv)
{
	char path[GLT_PATH_MAX + 1];
	const char *principal;
	struct glt_change *c;
	struct glt_err err;
	struct glt_txn *txn;
	enum glt_status st;
	int rc;

	while (glt_cli_option(cli, argc, argv, json_only, remove_help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 2, 2, "PATH PRINCIPAL");
	glt_target_path(cli, argv[optind], path);
	principal = argv[optind + 1];
	glt_cli_require(cli, glt_account_name_check(principal + (*principal == '@'), &err), &err);
	rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &txn, &c);
	if (rc != GLT_EXIT_OK)
		return rc;
	st = glt_member_take(cli, txn, c, path, principal, &err);
	rc = glt_write_end(cli, txn, c, st, &err);
	if (rc != GLT_EXIT_OK)
		return rc;
	glt_cli_say("Done: %s is no member of %s itself any more.", principal, path);
	return glt_json_result(cli, json_pack("{s:s,s:s}", "path", path, "principal", principal), true);
}

/* ---- list ---- */

static const char list_help[] =
	"Usage: gltoken member list [PATH] [--json|--csv|--raw]\n"
	"\n"
	"List memberships: all, or those that reach PATH, with the group that each comes from.\n"
	"\n" GLT_HELP_LIST GLT_HELP_HELP;

static const struct option list_options[] = {
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

static const struct glt_column columns[] = {
	{"PATH", 0}, {"PRINCIPAL", 0}, {"ROLE", 0}, {"FROM", 0}, {"BY", 0}, {"SINCE", 0},
};

/* path: what was asked for, or NULL. */
static void add_item(struct glt_out *out, const Glt__Member *m, const char *path)
{
	const bool inherited = path && strcmp(path, m->path) != 0;
	const char *role = glt_role_name((int)m->role);
	char since[GLT_LOCAL_TEXT];

	if (glt_out_is_json(out)) {
		json_t *o = json_object();

		(void)json_object_set_new(o, "path", glt_json_text(path ? path : m->path));
		(void)json_object_set_new(o, "principal", glt_json_text(m->principal));
		(void)json_object_set_new(o, "access_level", glt_json_number(m->role));
		(void)json_object_set_new(o, "role", glt_json_text(role));
		(void)json_object_set_new(o, "from", glt_json_text(m->path));
		(void)json_object_set_new(o, "inherited", json_boolean(inherited));
		(void)json_object_set_new(o, "created_at", glt_json_time(m->created_at));
		(void)json_object_set_new(o, "created_by", glt_json_text(m->created_by));
		glt_out_json(out, o);
		return;
	}
	glt_when_cell(out, m->created_at, "", since);
	const char *const cells[] = {path ? path : m->path, m->principal, role, m->path, m->created_by, since};
	glt_out_row(out, cells);
}

static int list(struct glt_cli *cli, int argc, char **argv)
{
	char path[GLT_PATH_MAX + 1];
	struct glt_records members;
	struct glt_out *out;
	bool one;
	int rc;

	while (glt_cli_option(cli, argc, argv, list_options, list_help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 1, "at most one PATH");
	one = optind < argc;
	if (one)
		glt_target_path(cli, argv[optind], path);
	rc = glt_cli_open(cli, false);
	if (rc == GLT_EXIT_OK)
		rc = glt_records_load(cli, GLT_MEMBERS, &glt__member__descriptor, &members);
	if (rc != GLT_EXIT_OK)
		return rc;
	out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < members.n; i++) {
		const Glt__Member *m = (const Glt__Member *)members.v[i];

		if (!one || glt_path_covers(m->path, path))
			add_item(out, m, one ? path : NULL);
	}
	return glt_records_done(cli, &members, glt_out_print(out) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE);
}

static const struct glt_command commands[] = {
	{"set", NULL, set, "give a principal a role on a project or group"},
	{"remove", "rm", remove_member, "take a membership away"},
	{"list", "ls", list, "list memberships"},
	{"import-unix", NULL, glt_cmd_member_import, "make memberships of owners, groups and modes of files"},
	{NULL, NULL, NULL, NULL},
};

int glt_cmd_member(struct glt_cli *cli, int argc, char **argv)
{
	return glt_cli_dispatch(cli, commands, intro, argc, argv);
}
