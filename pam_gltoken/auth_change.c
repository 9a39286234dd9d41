/* SPDX-License-Identifier: MIT */
/*
 * change: the bearer of a fresh ticket makes, rotates or revokes tokens, never beyond what the session itself
 * may do. decide.c says whether; issue.c, rotate.c and edit.c do it, as they do for the admin CLI.
 */
#include "auth_change.h"

#include "ask.h"
#include "edit.h"
#include "issue.h"
#include "reuse.h"
#include "tokens.h"
#include "when.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_S 600 /* a ticket that leaked is soon worth no new token */
#define RACE_S 60   /* within which two rotations of one token are at once */

bool change_permitted(struct change *c)
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

bool change_read_path(struct change *c)
{
	const char *text = glt_message_get(&c->a->request, "path");
	struct glt_err err;

	if (!text)
		return true;
	if (glt_path_normalise(text, c->path, &err) != GLT_OK) {
		auth_deny(c->a, GLT_WHY_BAD_REQUEST, err.text);
		return false;
	}
	c->q.path = c->path;
	return true;
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
	struct glt_answer yes = {.allow = true, .reason = GLT_WHY_OK, .role = (int)t->role, .detail = "done"};

	glt_message_add(&c->a->reply, "token", text);
	glt_message_add(&c->a->reply, "cut", c->cut ? "yes" : NULL);
	auth_answer(c->a, &about, &yes);
}

/* A token's life ends with that of the token that made it. */
static int64_t bounded_expiry(struct change *c, int64_t wanted)
{
	const Glt__Token *t = c->bearer.token;

	if (!t || !t->expires_at)
		return wanted;
	if (wanted != GLT_WHEN_NEVER && wanted != GLT_EXPIRES_DEFAULT && wanted <= t->expires_at)
		return wanted;
	c->cut = glt_message_get(&c->a->request, "expires") != NULL;
	return t->expires_at;
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

/* Whose the new token is to be: the person's, or a bot's of a project or group. False: the reply says why. */
static bool read_mint(struct change *c, struct glt_issue *r)
{
	static const Glt__Type types[] = {GLT__TYPE__PERSONAL, GLT__TYPE__PROJECT, GLT__TYPE__GROUP};
	const char *type = glt_message_get(&c->a->request, "type"), *role = glt_message_get(&c->a->request, "role");
	const char *scopes = glt_message_get(&c->a->request, "scopes");
	struct glt_err err = {.text = "a token is personal, or of type project or group with path and role"};
	enum glt_status st = GLT_INVALID;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type ? type : "personal", glt_type_name(types[i])) == 0) {
			r->type = types[i];
			st = GLT_OK;
		}
	if (!change_read_path(c))
		return false;
	if (r->type == GLT__TYPE__PERSONAL ? role || c->q.path : !role || !c->q.path)
		st = GLT_INVALID;
	if (st == GLT_OK && role)
		st = glt_role_parse(role, &r->role, &err);
	if (st == GLT_OK)
		st = glt_scopes_parse(scopes ? scopes : "", r->type, &r->scopes, &err);
	if (st != GLT_OK) {
		refused(c, st, &err);
		return false;
	}
	r->target = c->q.path ? c->q.path : glt_question_person(&c->q);
	c->q.op = GLT_OP_MINT;
	c->q.mint = r->type;
	c->q.role = r->role;
	c->q.scopes = r->scopes;
	return true;
}

static void mint(struct change *c)
{
	const Glt__Token *maker = c->bearer.token;
	struct glt_issue r = {
		.name = glt_message_get(&c->a->request, "name"),
		.description = glt_message_get(&c->a->request, "description"),
		.actor = c->actor,
		.now = c->q.now,
	};
	char text[GLT_TOKEN_MAX + 1];
	struct glt_err err;
	Glt__Token *t = NULL;
	enum glt_status st;

	if (!read_mint(c, &r) || !change_permitted(c) || !read_expiry(c, &r.expires_at))
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
Glt__Token *change_target(struct change *c)
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
	if (!text || !text[0] || strlen(text) > 20 || strspn(text, "0123456789") != strlen(text)) {
		auth_deny(c->a, GLT_WHY_BAD_REQUEST, "a token is named by its id, or by self in a token's session");
		return NULL;
	}
	st = glt_txn_begin(c->a->store, false, &txn, &err);
	if (st == GLT_OK) {
		st = glt_token_resolve(txn, text, &t, &err);
		glt_txn_end(txn);
	}
	if (st == GLT_NOT_FOUND) { /* to the letter the answer for somebody else's */
		(void)glt_fail(&err, GLT_REFUSED, "%s: token %s is not one of yours",
			       glt_reason_text(GLT_WHY_NOT_YOURS), text);
		auth_deny(c->a, GLT_WHY_NOT_YOURS, err.text);
	} else if (st != GLT_OK)
		auth_failed(c->a, st, &err);
	return t;
}

static bool read_overlap(struct change *c, int64_t *out)
{
	const char *text = glt_message_get(&c->a->request, "overlap");
	struct glt_err err;

	if (!text || glt_span_parse("overlap", text, out, &err) == GLT_OK)
		return true;
	auth_deny(c->a, GLT_WHY_BAD_REQUEST, err.text);
	return false;
}

/* A session that asks to rotate the token that it came by, long after somebody else did. Of two at once one is merely
 * late. */
static bool rotates_the_rotated(const struct change *c, const Glt__Token *target)
{
	int64_t end;

	if (!target || !c->bearer.token || target->id != c->bearer.token->id ||
	    !glt_reuse_possible(target, c->q.now))
		return false;
	end = target->overlap_end ? target->overlap_end : target->revoked_at;
	return c->q.now - end >= RACE_S && glt_reuse_news(c->a->store, target, true, c->q.now);
}

static void rotate(struct change *c)
{
	struct glt_rotate r = {.overlap = GLT_OVERLAP_DEFAULT, .actor = c->actor, .now = c->q.now};
	char text[GLT_TOKEN_MAX + 1];
	struct glt_err err;
	Glt__Token *target = change_target(c), *fresh = NULL;
	enum glt_status st;

	c->q.op = GLT_OP_ROTATE;
	c->q.target = target;
	if (rotates_the_rotated(c, target)) {
		auth_reused(c->a, &c->q, true);
	} else if (target && change_permitted(c) && read_expiry(c, &r.expires_at) && read_overlap(c, &r.overlap)) {
		/* Who rotates itself may have lost the answer, and has nothing but the old one to ask with. */
		r.again = c->bearer.token && target->id == c->bearer.token->id;
		/* Without a wish it lives as long as the one before: a token that rotates itself never dies of it. */
		r.keep_lifetime = r.expires_at == GLT_EXPIRES_DEFAULT;
		if (!r.again && r.keep_lifetime)
			r.not_after = bounded_expiry(c, GLT_WHEN_NEVER);
		else if (!r.again)
			r.expires_at = bounded_expiry(c, r.expires_at);
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
	Glt__Token *target = change_target(c), *fresh = NULL;
	enum glt_status st;

	c->q.op = GLT_OP_REVOKE;
	c->q.target = target;
	if (target && change_permitted(c)) {
		st = glt_token_edit(c->a->store, &c->a->conf, target->id, &edit, 1, c->actor, c->q.now, &fresh,
				    &err);
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

static const struct action {
	const char *name;
	void (*run)(struct change *);
	bool writes;
} actions[] = {
	{"mint", mint, true},         {"rotate", rotate, true},     {"revoke", revoke, true},
	{"list", change_list, false}, {"show", change_show, false},
};

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; name && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(name, actions[i].name) == 0)
			return &actions[i];
	return NULL;
}

static bool reopen(struct auth *a)
{
	struct glt_err err;
	enum glt_status st = auth_open_for_change(a, &err);

	if (st != GLT_OK)
		auth_failed(a, st, &err);
	return st == GLT_OK;
}

void auth_change(struct auth *a)
{
	const struct action *action = find_action(glt_message_get(&a->request, "action"));
	struct change c = {.a = a, .q = {.now = glt_now()}};
	int64_t max_age = a->conf.session_lifetime < FRESH_S ? a->conf.session_lifetime : FRESH_S;

	if (!action) {
		auth_deny(a, GLT_WHY_BAD_REQUEST, "unknown action: mint, rotate, revoke, list or show");
		return;
	}
	if ((action->writes && !reopen(a)) || !auth_bearer_open(a, max_age, &c.bearer))
		return;
	auth_bearer_ask(&c.bearer, &c.q);
	name_actor(&c);
	action->run(&c);
	/* for the caller's log: what else is in the reply is about the token that was changed */
	glt_message_add(&a->reply, "actor", c.actor);
	glt_message_add(&a->reply, "service", c.q.service);
	glt_message_add(&a->reply, "address", c.q.address);
	auth_bearer_close(&c.bearer);
}
