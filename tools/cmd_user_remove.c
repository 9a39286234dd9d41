/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "event.h"
#include "people.h"
#include "records.h"
#include "select.h"
#include "table.h"
#include "tokens.h"
#include "userput.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] = "Usage: gltoken user remove NAME [--json]\n"
			   "\n"
			   "Forget a user, with all public keys and memberships. It is refused while the user\n"
			   "has tokens that are not revoked: run 'gltoken revoke --user NAME' first.\n"
			   "\n" GLT_HELP_JSON GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct sweep {
	const char *name;
	struct glt_txn *txn;
	struct glt_change *c;
	size_t live, keys, members;
	uint64_t *ids; /* of an index */
	size_t n, room;
	bool damaged;
};

static bool collect(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct sweep *s = arg;

	if (key.len != strlen(s->name))
		return false;
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 16;
		s->ids = glt_cli_alloc(s->ids, s->room, sizeof(*s->ids));
	}
	s->ids[s->n++] = glt_get_u64(value.data);
	return true;
}

static enum glt_status ids_of(struct sweep *s, enum glt_table table, struct glt_err *err)
{
	const struct glt_slice key = glt_slice_str(s->name);

	s->n = 0;
	return glt_walk(s->txn, table, key, key, collect, s, err);
}

static enum glt_status count_live(struct sweep *s, struct glt_err *err)
{
	enum glt_status st = ids_of(s, GLT_BY_OWNER, err);

	for (size_t i = 0; st == GLT_OK && i < s->n; i++) {
		Glt__Token *t;

		st = glt_token_load(s->txn, s->ids[i], &t, err);
		s->live += st == GLT_OK && t->state == GLT__STATE__LIVE;
		glt_token_free(t);
	}
	if (st == GLT_OK && s->live)
		return glt_fail(err, GLT_REFUSED,
				"user '%s' has %zu tokens that are not revoked: run gltoken revoke --user %s",
				s->name, s->live, s->name);
	return st;
}

static enum glt_status drop_keys(struct sweep *s, struct glt_err *err)
{
	enum glt_status st = ids_of(s, GLT_KEYS_OF, err);

	for (size_t i = 0; st == GLT_OK && i < s->n; i++) {
		Glt__Key *k;

		st = glt_key_load(s->txn, s->ids[i], &k, err);
		if (st != GLT_OK)
			break;
		glt_key_drop(s->c, k);
		glt_key_free(k);
		s->keys++;
	}
	return st;
}

static bool drop_membership(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct sweep *s = arg;
	Glt__Member *m = glt__member__unpack(NULL, value.len, value.data);

	(void)key;
	if (!m) {
		s->damaged = true;
		return false;
	}
	if (strcmp(m->principal, s->name) == 0) {
		glt_member_drop(s->c, m->path, m->principal);
		s->members++;
	}
	glt_member_free(m);
	return true;
}

static enum glt_status sweep(const struct glt_cli *cli, struct sweep *s, struct glt_err *err)
{
	const struct glt_slice all = {NULL, 0};
	char what[64];
	Glt__User *u;
	enum glt_status st = glt_user_load(s->txn, s->name, &u, err);

	glt_user_free(u);
	if (st == GLT_NOT_FOUND)
		return glt_fail(err, st, "no user '%s': nothing was removed", s->name);
	if (st == GLT_OK)
		st = count_live(s, err);
	if (st == GLT_OK)
		st = drop_keys(s, err);
	if (st == GLT_OK)
		st = glt_walk(s->txn, GLT_MEMBERS, all, all, drop_membership, s, err);
	if (st == GLT_OK && s->damaged)
		st = glt_fail(err, GLT_DAMAGED, "a membership is damaged: run gltoken check");
	if (st != GLT_OK)
		return st;
	glt_user_drop(s->c, s->name);
	(void)snprintf(what, sizeof(what), "%zu keys, %zu memberships", s->keys, s->members);
	glt_event_object(s->c, cli->actor, "user.remove", s->name, what, NULL, NULL);
	return GLT_OK;
}

enum glt_status glt_user_forget(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				const char *name, struct glt_err *err)
{
	struct sweep s = {.name = name, .txn = txn, .c = c};
	enum glt_status st = sweep(cli, &s, err);

	free(s.ids);
	return st;
}

int glt_cmd_user_remove(struct glt_cli *cli, int argc, char **argv)
{
	struct sweep s = {0};
	struct glt_err err;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 1, 1, "one NAME");
	glt_cli_require(cli, glt_account_name_check(argv[optind], &err), &err);
	s.name = argv[optind];
	rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &s.txn, &s.c);
	if (rc != GLT_EXIT_OK)
		return rc;
	rc = glt_write_end(cli, s.txn, s.c, sweep(cli, &s, &err), &err);
	free(s.ids);
	if (rc != GLT_EXIT_OK)
		return rc;
	glt_cli_say("Removed user %s, with %zu keys and %zu memberships.", s.name, s.keys, s.members);
	return glt_json_result(cli,
			       json_pack("{s:s,s:I,s:I}", "username", s.name, "keys", (json_int_t)s.keys,
					 "memberships", (json_int_t)s.members),
			       true);
}
