/* SPDX-License-Identifier: MIT */
#include "userput.h"

#include "account.h"
#include "event.h"
#include "people.h"
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

enum glt_status glt_user_ask_system(const char *name, bool *system, struct glt_err *err)
{
	struct glt_account a;
	enum glt_status st = glt_account_of_system(name, &a, err);

	*system = st == GLT_OK;
	if (st == GLT_OK && a.uid == 0)
		return glt_fail(err, GLT_REFUSED, "user '%s' has uid 0: root takes no Git tokens", name);
	return st == GLT_NOT_FOUND ? GLT_OK : st;
}

bool glt_name_is_drawn(const char *name)
{
	const bool bot =
		strstr(name, "_bot_") && (strncmp(name, "project_", 8) == 0 || strncmp(name, "group_", 6) == 0);

	return bot || strncmp(name, "gitlab+deploy-token-", 20) == 0;
}

/* A bot's tokens are found by its name, so no person may have such a one. */
enum glt_status glt_user_check_name(const char *name, struct glt_err *err)
{
	if (glt_name_is_drawn(name) || strcmp(name, GLT_STORE_USER) == 0)
		return glt_fail(err, GLT_REFUSED, "the name '%s' is reserved for bots, robots and gltoken itself",
				name);
	return GLT_OK;
}

/* The record to change, with strings of its own. */
static Glt__User *new_user(const struct glt_cli *cli, struct glt_txn *txn, const char *name, bool system)
{
	Glt__User *u = glt_cli_alloc(NULL, 1, sizeof(*u));

	glt__user__init(u);
	u->id = glt_next(txn, GLT_NEXT_ACCOUNT);
	u->name = glt_cli_strdup(name);
	u->state = GLT__STATE__LIVE;
	u->virtual_user = !system;
	u->created_at = cli->now;
	u->created_by = glt_cli_strdup(cli->actor);
	return u;
}

static void set_text(char **field, const char *value)
{
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = glt_cli_strdup(value);
}

const char *glt_user_state(const Glt__User *u)
{
	return u->state == GLT__STATE__LIVE ? "active" : "blocked";
}

enum glt_status glt_user_put_new(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				 const char *name, const char *display, bool system, struct glt_err *err)
{
	Glt__User *u = NULL;
	enum glt_status st;

	if (glt_conf_is_shared(&cli->conf, name))
		return glt_fail(err, GLT_REFUSED,
				"'%s' is the account of the repositories ([git] shared_accounts), nobody's own",
				name);
	st = glt_user_load(txn, name, &u, err);
	if (st == GLT_OK)
		st = glt_fail(err, GLT_EXISTS, "user '%s' exists already (%s)", name, glt_user_state(u));
	else if (st == GLT_NOT_FOUND)
		st = glt_owner_used(txn, name) && !system
			     ? glt_fail(err, GLT_EXISTS,
					"the name '%s' is one of a bot or of a user who was removed", name)
			     : GLT_OK;
	if (st == GLT_OK) {
		u = new_user(cli, txn, name, system);
		set_text(&u->display, display ? display : "");
		glt_user_store(c, u);
		glt_event_object(c, cli->actor, "user.add", name, NULL,
				 system ? "system account" : "no system account", NULL);
	}
	glt_user_free(u);
	return st;
}

/* An account that was never registered can be blocked too: then it is registered. */
enum glt_status glt_user_set_blocked(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				     struct glt_blocking *b, struct glt_err *err)
{
	const Glt__State want = b->block ? GLT__STATE__REVOKED : GLT__STATE__LIVE;
	Glt__User *u = NULL;
	enum glt_status st = glt_user_load(txn, b->name, &u, err);

	if (st == GLT_NOT_FOUND && b->system && !b->block) {
		b->unchanged = true;
		return GLT_OK;
	}
	if (st == GLT_NOT_FOUND && b->system) {
		u = new_user(cli, txn, b->name, true);
		st = GLT_OK;
	}
	if (st != GLT_OK)
		return st;
	/* A person's word is above sync's: it does not unblock whom it has not blocked. */
	b->unchanged = u->state == want && (b->by_sync || !u->blocked_by_sync);
	if (b->by_sync && !b->block && !u->blocked_by_sync)
		b->unchanged = true;
	if (!b->unchanged) {
		glt_event_object(c, cli->actor, b->block ? "user.block" : "user.unblock", b->name,
				 glt_user_state(u), b->block ? "blocked" : "active", b->reason);
		u->state = want;
		u->blocked_at = b->block ? cli->now : 0;
		u->blocked_by_sync = b->block && b->by_sync;
		set_text(&u->blocked_by, b->block ? cli->actor : "");
		set_text(&u->blocked_why, b->block && b->reason ? b->reason : "");
		glt_user_store(c, u);
	}
	glt_user_free(u);
	return GLT_OK;
}
