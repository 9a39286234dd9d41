/* SPDX-License-Identifier: MIT */
/*
 * change: the bearer of a fresh ticket makes, rotates or revokes tokens, never beyond what the session itself
 * may do. decide.c says whether; issue.c, rotate.c and edit.c do it, as they do for the admin CLI.
 */
#include "auth.h"

#include "ask.h"
#include "edit.h"
#include "issue.h"
#include "tokens.h"
#include "when.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_S 600 /* a ticket that leaked is soon worth no new token */

struct change {
	struct auth *a;
	struct auth_bearer bearer;
	struct glt_question q;
	char actor[GLT_NAME_MAX + 1]; /* who, for records and audit */
};

static bool permitted(struct change *c)
{
	struct glt_answer answer;
	struct glt_err err = {.text = ""};
	enum glt_status st = glt_ask(c->a->store, &c->a->conf, &c->q, &answer, &err);

	if (st != GLT_OK)
		auth_failed(c->a, st, &err);
	else if (!answer.allow)
		auth_answer(c->a, &c->q, &answer);
	return st == GLT_OK && answer.allow;
}

/* The reply to a change that core refused: bad input and policy are denials with core's own sentence. */
static void refused(struct change *c, enum glt_status st, const struct glt_err *err)
{
	if (st == GLT_BUSY || st == GLT_UNAVAILABLE || st == GLT_DAMAGED)
		auth_failed(c->a, st, err);
	else
		auth_deny(c->a, st == GLT_INVALID ? GLT_WHY_BAD_REQUEST : GLT_WHY_POLICY, err->text);
}

static void add_new_token(struct change *c, const Glt__Token *t, char text[GLT_TOKEN_MAX + 1])
{
	struct glt_question about = {.token = t, .op = c->q.op};
	struct glt_answer yes = {.allow = true, .reason = GLT_WHY_OK, .detail = "done"};

	glt_message_add(&c->a->reply, "token", text);
	auth_answer(c->a, &about, &yes);
}

/* A token's life ends with that of the token that made it. */
static int64_t bounded_expiry(const struct change *c, int64_t wanted)
{
	const Glt__Token *t = c->bearer.token;

	if (!t || !t->expires_at)
		return wanted;
	if (wanted == GLT_WHEN_NEVER || wanted == GLT_EXPIRES_DEFAULT || wanted > t->expires_at)
		return t->expires_at;
	return wanted;
}

static bool read_expiry(struct change *c, int64_t *out)
{
	const char *text = glt_message_get(&c->a->request, "expires");
	struct glt_err err;

	*out = GLT_EXPIRES_DEFAULT;
	if (!text || glt_when_parse("expiry", text, c->q.now, out, &err) == GLT_OK)
		return true;
	auth_deny(c->a, GLT_WHY_BAD_REQUEST, err.text);
	return false;
}

static void mint(struct change *c)
{
	const Glt__Token *maker = c->bearer.token;
	const char *scopes = glt_message_get(&c->a->request, "scopes");
	struct glt_issue r = {
		.type = GLT__TYPE__PERSONAL,
		.name = glt_message_get(&c->a->request, "name"),
		.description = glt_message_get(&c->a->request, "description"),
		.target = glt_question_person(&c->q),
		.actor = c->actor,
		.now = c->q.now,
	};
	char text[GLT_TOKEN_MAX + 1];
	struct glt_err err;
	Glt__Token *t = NULL;
	enum glt_status st = glt_scopes_parse(scopes ? scopes : "", r.type, &r.scopes, &err);

	if (st != GLT_OK) {
		refused(c, st, &err);
		return;
	}
	c->q.op = GLT_OP_MINT;
	c->q.scopes = r.scopes;
	if (!permitted(c) || !read_expiry(c, &r.expires_at))
		return;
	r.expires_at = bounded_expiry(c, r.expires_at);
	if (maker) { /* what limits the maker limits what it makes */
		r.allow_from = maker->allow_from;
		r.n_allow_from = maker->n_allow_from;
		r.only_repo = maker->only_repo;
		r.n_only_repo = maker->n_only_repo;
		r.services = maker->services;
		r.n_services = maker->n_services;
	}
	st = glt_issue(c->a->store, &c->a->conf, &r, &t, text, &err);
	if (st == GLT_OK)
		add_new_token(c, t, text);
	else
		refused(c, st, &err);
	sodium_memzero(text, sizeof(text));
	glt_token_free(t);
}

/* "self" or an id. */
static Glt__Token *find_target(struct change *c)
{
	const char *text = glt_message_get(&c->a->request, "target");
	struct glt_err err = {.text = ""};
	Glt__Token *t = NULL;
	struct glt_txn *txn;
	enum glt_status st;
	char self[24];

	if (text && strcmp(text, "self") == 0 && c->bearer.token) {
		(void)snprintf(self, sizeof(self), "%" PRIu64, c->bearer.token->id);
		text = self;
	}
	if (!text || strspn(text, "0123456789") != strlen(text)) {
		auth_deny(c->a, GLT_WHY_BAD_REQUEST,
			  "the token to change must be an id, or self in a token's session");
		return NULL;
	}
	st = glt_txn_begin(c->a->store, false, &txn, &err);
	if (st == GLT_OK) {
		st = glt_token_resolve(txn, text, &t, &err);
		glt_txn_end(txn);
	}
	if (st == GLT_NOT_FOUND) /* the same answer as for somebody else's */
		auth_deny(c->a, GLT_WHY_NOT_YOURS, NULL);
	else if (st != GLT_OK)
		auth_failed(c->a, st, &err);
	return t;
}

static void rotate(struct change *c)
{
	struct glt_rotate r = {.actor = c->actor, .now = c->q.now};
	char text[GLT_TOKEN_MAX + 1];
	struct glt_err err;
	Glt__Token *target = find_target(c), *fresh = NULL;
	enum glt_status st;

	c->q.op = GLT_OP_ROTATE;
	c->q.target = target;
	if (target && permitted(c) && read_expiry(c, &r.expires_at)) {
		if (!c->bearer.token || target->id != c->bearer.token->id)
			r.expires_at = bounded_expiry(c, r.expires_at);
		/* Without a wish it lives as long as the one before: a token that rotates itself never dies of it. */
		r.keep_lifetime = r.expires_at == GLT_EXPIRES_DEFAULT;
		r.id = target->id;
		st = glt_rotate(c->a->store, &c->a->conf, &r, &fresh, text, &err);
		if (st == GLT_OK)
			add_new_token(c, fresh, text);
		else
			refused(c, st, &err);
		sodium_memzero(text, sizeof(text));
	}
	glt_token_free(target);
	glt_token_free(fresh);
}

static void revoke(struct change *c)
{
	const struct glt_edit edit = {.what = GLT_EDIT_REVOKE, .text = glt_message_get(&c->a->request, "why")};
	struct glt_err err;
	Glt__Token *target = find_target(c), *fresh = NULL;
	enum glt_status st;

	c->q.op = GLT_OP_REVOKE;
	c->q.target = target;
	if (target && permitted(c)) {
		st = glt_token_edit(c->a->store, target->id, &edit, 1, c->actor, c->q.now, &fresh, &err);
		if (st == GLT_OK) {
			struct glt_question about = {.token = fresh};
			struct glt_answer yes = {.allow = true, .reason = GLT_WHY_OK, .detail = "revoked"};

			auth_answer(c->a, &about, &yes);
		} else {
			refused(c, st, &err);
		}
	}
	glt_token_free(target);
	glt_token_free(fresh);
}

static void name_actor(struct change *c)
{
	const char *person = glt_question_person(&c->q);

	if (c->bearer.token)
		(void)snprintf(c->actor, sizeof(c->actor), "%s by token %" PRIu64, c->bearer.token->owner,
			       c->bearer.token->id);
	else
		(void)snprintf(c->actor, sizeof(c->actor), "%s by %s", person ? person : "nobody",
			       c->bearer.key ? "public key" : "login");
}

void auth_change(struct auth *a)
{
	static const struct {
		const char *action;
		void (*run)(struct change *);
	} actions[] = {{"mint", mint}, {"rotate", rotate}, {"revoke", revoke}};
	const char *action = glt_message_get(&a->request, "action");
	struct change c = {.a = a, .q = {.now = glt_now()}};
	int64_t max_age = a->conf.session_lifetime < FRESH_S ? a->conf.session_lifetime : FRESH_S;
	struct glt_err err;
	enum glt_status st;

	/* LMDB takes one environment a process, so the reader's is given up for a writer's. */
	glt_store_close(a->store);
	st = glt_store_open(a->conf.store_dir, true, &a->store, &err);
	if (st != GLT_OK) {
		auth_failed(a, st, &err);
		return;
	}
	if (!auth_bearer_open(a, max_age, &c.bearer))
		return;
	auth_bearer_ask(&c.bearer, &c.q);
	name_actor(&c);
	for (size_t i = 0; action && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(action, actions[i].action) == 0) {
			actions[i].run(&c);
			auth_bearer_close(&c.bearer);
			return;
		}
	auth_deny(a, GLT_WHY_BAD_REQUEST, "unknown action: mint, rotate or revoke");
	auth_bearer_close(&c.bearer);
}
