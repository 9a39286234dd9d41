/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "people.h"
#include "records.h"
#include "table.h"
#include "userput.h"

#include <inttypes.h>
#include <stdio.h>

static const char intro[] =
	"Users own personal tokens and public keys and are members of projects. A user may be\n"
	"an account of this system or, without one, a user of gltoken alone.\n";

/* ---- what the commands that change one user share ---- */

static const char *one_name(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_err err;

	glt_cli_operands(cli, argc, argv, 1, 1, "one NAME");
	glt_cli_require(cli, glt_account_name_check(argv[optind], &err), &err);
	return argv[optind];
}

/* ---- add ---- */

static const char add_help[] =
	"Usage: gltoken user add NAME [--display TEXT] [--json]\n"
	"\n"
	"Register a user. Where the system has an account NAME, it is that one; otherwise a\n"
	"user without an account is made.\n"
	"\n"
	"      --display TEXT       the person's name\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_DISPLAY = GLT_OPT_OWN, OPT_REASON };

static const struct option add_options[] = {
	{"display", required_argument, NULL, OPT_DISPLAY},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

static int add(struct glt_cli *cli, int argc, char **argv)
{
	const char *display = NULL, *name;
	struct glt_change *c;
	struct glt_err err;
	struct glt_txn *txn;
	bool system;
	int rc;

	while (glt_cli_option(cli, argc, argv, add_options, add_help) != -1)
		glt_cli_once(cli, &display, "--display");
	name = one_name(cli, argc, argv);
	if (display)
		glt_cli_require(cli, glt_name_check("--display", display, true, &err), &err);
	if (glt_user_check_name(name, &err) != GLT_OK || glt_user_ask_system(name, &system, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &txn, &c);
	if (rc != GLT_EXIT_OK)
		return rc;
	rc = glt_write_end(cli, txn, c, glt_user_put_new(cli, txn, c, name, display, system, &err), &err);
	if (rc != GLT_EXIT_OK)
		return rc;
	glt_cli_say("Added user %s (%s).", name, system ? "an account of this system" : "without an account here");
	return glt_json_result(cli,
			       json_pack("{s:s,s:o,s:s,s:b}", "username", name, "name", glt_json_text(display),
					 "state", "active", "system_account", system),
			       true);
}

/* ---- block, unblock ---- */

static const char block_help[] =
	"Usage: gltoken user block NAME [--reason TEXT] [--json]\n"
	"\n"
	"Deny every token and key session of a user from their next request on, until\n"
	"'gltoken user unblock NAME'. Nothing is revoked.\n"
	"\n"
	"      --reason TEXT        why; kept in the record and the audit log\n" GLT_HELP_JSON GLT_HELP_HELP;
static const char unblock_help[] = "Usage: gltoken user unblock NAME [--json]\n"
				   "\n"
				   "Give a blocked user their tokens and keys back.\n"
				   "\n" GLT_HELP_JSON GLT_HELP_HELP;

static const struct option block_options[] = {
	{"reason", required_argument, NULL, OPT_REASON},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};
static const struct option json_only[] = {
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

static int set_state(struct glt_cli *cli, struct glt_blocking *b)
{
	struct glt_change *c;
	struct glt_err err, asked_err;
	struct glt_txn *txn;
	enum glt_status st, asked = glt_user_ask_system(b->name, &b->system, &asked_err);
	int rc;

	if (asked != GLT_OK)
		b->system = false; /* a record of ours is enough */
	rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &txn, &c);
	if (rc != GLT_EXIT_OK)
		return rc;
	st = glt_user_set_blocked(cli, txn, c, b, &err);
	if (st == GLT_NOT_FOUND && asked != GLT_OK) {
		st = asked;
		err = asked_err;
	}
	rc = glt_write_end(cli, txn, c, st, &err);
	if (rc != GLT_EXIT_OK)
		return rc;
	glt_cli_say("%s: user %s is %s.", b->unchanged ? "Unchanged" : "Done", b->name,
		    b->block ? "blocked" : "not blocked");
	return glt_json_result(cli,
			       json_pack("{s:s,s:s}", "username", b->name, "state",
					 b->block ? "blocked" : "active"),
			       !b->unchanged);
}

static int block(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_blocking b = {.block = true};
	struct glt_err err;

	while (glt_cli_option(cli, argc, argv, block_options, block_help) != -1)
		glt_cli_once(cli, &b.reason, "--reason");
	b.name = one_name(cli, argc, argv);
	if (b.reason)
		glt_cli_require(cli, glt_name_check("--reason", b.reason, true, &err), &err);
	return set_state(cli, &b);
}

static int unblock(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_blocking b = {.block = false};

	while (glt_cli_option(cli, argc, argv, json_only, unblock_help) != -1)
		;
	b.name = one_name(cli, argc, argv);
	return set_state(cli, &b);
}

/* ---- list ---- */

static const char list_help[] = "Usage: gltoken user list [--json|--csv|--raw]\n"
				"\n"
				"List the users that gltoken knows.\n"
				"\n" GLT_HELP_LIST GLT_HELP_HELP;

static const struct option list_options[] = {
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

static const struct glt_column columns[] = {
	{"NAME", 0},  {"ID", GLT_COLUMN_RIGHT},       {"ACCOUNT", 0},
	{"STATE", 0}, {"DISPLAY", GLT_COLUMN_SHRINK}, {"REASON", GLT_COLUMN_SHRINK},
	{"ADDED", 0},
};

static void add_item(struct glt_out *out, const Glt__User *u)
{
	char id[24], added[GLT_LOCAL_TEXT];
	const char *account = u->virtual_user ? "none" : "system";

	if (glt_out_is_json(out)) {
		json_t *o = json_object();

		(void)json_object_set_new(o, "id", json_integer((json_int_t)u->id));
		(void)json_object_set_new(o, "username", glt_json_text(u->name));
		(void)json_object_set_new(o, "name", glt_json_text(u->display));
		(void)json_object_set_new(o, "state", glt_json_text(glt_user_state(u)));
		(void)json_object_set_new(o, "system_account", json_boolean(!u->virtual_user));
		(void)json_object_set_new(o, "created_at", glt_json_time(u->created_at));
		(void)json_object_set_new(o, "created_by", glt_json_text(u->created_by));
		(void)json_object_set_new(o, "blocked_at", glt_json_time(u->blocked_at));
		(void)json_object_set_new(o, "blocked_by", glt_json_text(u->blocked_by));
		(void)json_object_set_new(o, "blocked_why", glt_json_text(u->blocked_why));
		glt_out_json(out, o);
		return;
	}
	(void)snprintf(id, sizeof(id), "%" PRIu64, u->id);
	glt_when_cell(out, u->created_at, "", added);
	const char *const cells[] = {u->name, id, account, glt_user_state(u), u->display, u->blocked_why, added};
	glt_out_row(out, cells);
}

static int list(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_records users;
	struct glt_out *out;
	int rc;

	while (glt_cli_option(cli, argc, argv, list_options, list_help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_open(cli, false);
	if (rc == GLT_EXIT_OK)
		rc = glt_records_load(cli, GLT_USERS, &glt__user__descriptor, &users);
	if (rc != GLT_EXIT_OK)
		return rc;
	out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < users.n; i++)
		add_item(out, (const Glt__User *)users.v[i]);
	return glt_records_done(cli, &users, glt_out_print(out) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE);
}

static const struct glt_command commands[] = {
	{"add", NULL, add, "register a user"},
	{"list", "ls", list, "list users"},
	{"block", NULL, block, "deny all of a user's tokens and keys"},
	{"unblock", NULL, unblock, "allow them again"},
	{"sync", NULL, glt_cmd_user_sync, "block whom PAM's account phase does not let in"},
	{"remove", "rm", glt_cmd_user_remove, "forget a user, with keys and memberships"},
	{NULL, NULL, NULL, NULL},
};

int glt_cmd_user(struct glt_cli *cli, int argc, char **argv)
{
	return glt_cli_dispatch(cli, commands, intro, argc, argv);
}
