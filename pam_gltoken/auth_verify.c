/* SPDX-License-Identifier: MIT */
/* verify: is this a good token, and may it do what is asked? */
#include "auth.h"

#include "ask.h"
#include "event.h"
#include "reuse.h"
#include "rundir.h"
#include "secret.h"
#include "tokens.h"
#include "usage.h"
#include "when.h"

#include <string.h>

/* What the request asks, from what of it may be believed. False: the request breaks a rule. */
static bool read_question(const struct auth *a, struct glt_question *q, char path[GLT_PATH_MAX + 1])
{
	const char *scope = glt_message_get(&a->request, "scope");
	const char *repository = glt_message_get(&a->request, "repository");
	bool nosession = glt_message_get(&a->request, "nosession") != NULL, given;

	q->op = nosession ? GLT_OP_CHECK : GLT_OP_LOGIN;
	if (!auth_operation(a, &q->op, &given) || (given && q->op == GLT_OP_LOGIN))
		return false;
	if (given != (repository != NULL))
		return false;
	if (repository) {
		if (glt_path_normalise(repository, path, NULL) != GLT_OK)
			return false;
		q->path = path;
	}
	if (scope && glt_scope_parse_one(scope, &q->scope, NULL) != GLT_OK)
		return false;
	q->need_scope = scope != NULL;
	q->account = glt_message_get(&a->request, "account");
	q->ref = glt_message_get(&a->request, "ref");
	q->service = auth_service(a);
	q->address = auth_address(a);
	q->begins = true;
	q->now = glt_now();
	return true;
}

static enum glt_status load(struct auth *a, const struct glt_token_text *text, Glt__Token **out,
			    struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(a->store, false, &txn, err);

	*out = NULL;
	if (st == GLT_OK) {
		st = glt_token_by_selector(txn, text->selector, out, err);
		glt_txn_end(txn);
	}
	return st;
}

/* Over HTTP a deploy token's user name counts always, others' where the config says so. */
static bool username_wrong(const struct auth *a, const struct glt_question *q)
{
	const char *username = glt_message_get(&a->request, "username");
	bool deploy = q->token->type == GLT__TYPE__DEPLOY;

	if (q->op == GLT_OP_LOGIN || q->op == GLT_OP_CHECK || (!deploy && !a->conf.http_username_owner))
		return false;
	return !username || strcmp(username, q->token->owner) != 0;
}

/* One use of a limited token, durably, before it is allowed: of two at once for the last use, one wins. */
static enum glt_status take_use(struct auth *a, const Glt__Token *t, bool *taken, struct glt_err *err)
{
	struct glt_change *c = glt_change_new();
	Glt__Token *old = NULL, *fresh = NULL;
	struct glt_txn *txn;
	enum glt_status st;

	*taken = false;
	st = auth_open_for_change(a, err);
	if (st == GLT_OK)
		st = c ? glt_txn_begin(a->store, true, &txn, err) : glt_fail(err, GLT_UNAVAILABLE, "no memory");
	if (st != GLT_OK) {
		glt_change_free(c);
		return st;
	}
	st = glt_token_load(txn, t->id, &old, err);
	if (st == GLT_OK && old->state == GLT__STATE__LIVE && old->uses_left > 0) {
		fresh = glt_token_copy(old);
		if (fresh) {
			fresh->uses_left--;
			glt_token_store(txn, c, old, fresh);
			glt_event_token(c, t->owner, "token.use", old, fresh, NULL);
			st = glt_store_apply(txn, c, err);
			*taken = st == GLT_OK;
			txn = NULL;
		} else {
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory");
		}
	}
	glt_txn_end(txn);
	glt_token_free(old);
	glt_token_free(fresh);
	glt_change_free(c);
	return st;
}

/* Who gets a session: sshd's login, or a request of the CGI, whose hooks need one. */
static bool wants_ticket(const struct auth *a, const struct glt_question *q, const char **account)
{
	*account = a->root ? q->account : a->caller_name;
	if (a->root)
		return q->op == GLT_OP_LOGIN;
	return a->http && q->op != GLT_OP_CHECK;
}

/* The secret is right and the answer is allow: what is left can still only deny. */
static void admit(struct auth *a, const struct glt_question *q, const struct glt_answer *answer)
{
	const char *account;
	struct glt_err err;
	bool taken = true;

	if (q->token->max_uses > 0) {
		enum glt_status st = take_use(a, q->token, &taken, &err);

		if (st != GLT_OK) {
			auth_failed(a, st, &err);
			return;
		}
		if (!taken) {
			auth_refuse(a, q, GLT_WHY_USED_UP, "the last use was taken by another login");
			return;
		}
	}
	if (wants_ticket(a, q, &account) && !auth_add_ticket(a, GLT_TICKET_TOKEN, q->token->id, account)) {
		auth_deny(a, GLT_WHY_UNAVAILABLE, "no session ticket can be made");
		return;
	}
	glt_usage_note(a->conf.store_dir, q->token->id, q->address, q->now);
	auth_answer(a, q, answer);
}

static enum glt_status hash_in_a_slot(struct auth *a, const Glt__Token *t, const struct glt_token_text *text,
				      bool *match, struct glt_err *err)
{
	enum glt_slot_class class = a->root ? GLT_SLOT_ROOT : a->http ? GLT_SLOT_HTTP : GLT_SLOT_OTHER;
	struct glt_slot slot;
	enum glt_status st = glt_slot_take(&a->conf, class, a->caller, &slot, err);

	if (st != GLT_OK)
		return st;
	st = glt_secret_hash_matches(t, text, match, err);
	glt_slot_give(&slot);
	return st;
}

/* Cheapest first: sixteen bits, then what was verified a moment ago, then Argon2. */
static enum glt_status check_secret(struct auth *a, const Glt__Token *t, const struct glt_token_text *text,
				    bool *match, struct glt_err *err)
{
	struct glt_cache_key key = {
		.store_key = glt_store_key(a->store),
		.token = t,
		.secret = text->secret,
		.secret_len = GLT_SECRET_LEN,
	};
	enum glt_status st;

	*match = false;
	if (!glt_secret_plausible(a->store, t, text))
		return GLT_OK;
	st = auth_epoch(a, key.epoch, err);
	if (st != GLT_OK)
		return st;
	*match = a->cached = glt_cache_hit(&a->conf, &key);
	if (*match)
		return GLT_OK;
	a->hashed = true;
	st = hash_in_a_slot(a, t, text, match, err);
	if (st == GLT_OK && *match)
		glt_cache_put(&a->conf, &key);
	return st;
}

/* But those that were rotated: whose secret is still in use? Only what the sixteen bits let through is hashed, and not
 * again where it would change nothing. What cannot be told (busy, damaged) is no reuse. */
static bool is_reuse(struct auth *a, const struct glt_question *q, const struct glt_token_text *text)
{
	const Glt__Token *t = q->token;
	bool match = false;

	if (!glt_reuse_possible(t, q->now) || t->no_quick || !glt_secret_plausible(a->store, t, text))
		return false;
	if (!glt_reuse_news(a->store, t, a->conf.reuse_revokes, q->now))
		return false;
	return hash_in_a_slot(a, t, text, &match, NULL) == GLT_OK && match;
}

static void verify_record(struct auth *a, struct glt_question *q, const struct glt_token_text *text)
{
	struct glt_answer answer;
	struct glt_err err = {.text = ""};
	enum glt_status st;
	bool match;

	st = glt_ask(a->store, &a->conf, q, &answer, &err);
	if (st != GLT_OK) {
		auth_failed(a, st, &err);
		return;
	}
	if (!answer.allow && glt_reason_is_state(answer.reason)) { /* the dead are not hashed */
		if (answer.reason == GLT_WHY_REVOKED && is_reuse(a, q, text))
			auth_reused(a, q, false);
		else
			auth_answer(a, q, &answer);
		return;
	}
	st = check_secret(a, q->token, text, &match, &err);
	if (st != GLT_OK)
		auth_failed(a, st, &err);
	else if (!match)
		auth_refuse(a, q, GLT_WHY_WRONG_SECRET, "denied");
	else if (username_wrong(a, q))
		auth_refuse(a, q, GLT_WHY_WRONG_ACCOUNT, "the user name is not the token's");
	else if (!answer.allow)
		auth_answer(a, q, &answer);
	else
		admit(a, q, &answer);
	if (a->hashed && a->allow)
		auth_rehash(a, q->token, text);
}

void auth_verify(struct auth *a)
{
	const char *secret = glt_message_get(&a->request, "secret");
	struct glt_question q = {.op = GLT_OP_LOGIN};
	struct glt_token_text text;
	char path[GLT_PATH_MAX + 1];
	Glt__Token *t = NULL;
	struct glt_err err;
	enum glt_status st;

	if (!secret || !read_question(a, &q, path)) {
		auth_deny(a, GLT_WHY_BAD_REQUEST, NULL);
		return;
	}
	if (!glt_token_parse(secret, strlen(secret), a->conf.prefixes, &text)) {
		auth_deny(a, GLT_WHY_NOT_A_TOKEN, NULL);
		return;
	}
	st = load(a, &text, &t, &err);
	if (st == GLT_NOT_FOUND) {
		auth_deny(a, GLT_WHY_UNKNOWN_TOKEN, NULL);
	} else if (st != GLT_OK) {
		auth_failed(a, st, &err);
	} else {
		q.token = t;
		verify_record(a, &q, &text);
	}
	glt_token_free(t);
	glt_token_wipe(&text);
}
