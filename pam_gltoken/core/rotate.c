/* SPDX-License-Identifier: MIT */
#include "issue.h"

#include "event.h"
#include "policy.h"
#include "secret.h"
#include "tokens.h"
#include "usage.h"
#include "when.h"

#include <stdlib.h>
#include <string.h>

#define WEEK (INT64_C(7) * 86400) /* GitLab's default for a rotated token */

static enum glt_status load(struct glt_store *store, uint64_t id, Glt__Token **out, struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	if (st == GLT_OK) {
		st = glt_token_load(txn, id, out, err);
		glt_txn_end(txn);
	}
	return st;
}

/* Naming a dead token is a typo, not a theft: nothing else happens. */
static enum glt_status refuse_dead(const Glt__Token *t, const struct glt_rotate *r, struct glt_err *err)
{
	bool again = r->again && r->now < t->overlap_end;

	if (t->state != GLT__STATE__LIVE || (t->next && !again))
		return glt_fail(err, GLT_REFUSED, "Token already revoked");
	if (t->expires_at && r->now >= t->expires_at)
		return glt_fail(err, GLT_REFUSED, "Token already expired: issue a new one");
	return GLT_OK;
}

/* All but the secret. */
static enum glt_status successor(const struct glt_conf *conf, const struct glt_rotate *r, const Glt__Token *old,
				 Glt__Token **out, struct glt_err *err)
{
	int64_t usual = conf->require_expiry ? WEEK : 0, expires_at;
	Glt__Token *t;
	enum glt_status st;

	if (r->keep_lifetime)
		usual = old->expires_at ? old->expires_at - old->created_at : 0;
	if (r->not_after && (!usual || r->now + usual > r->not_after))
		usual = r->not_after - r->now;
	st = glt_policy_expiry(conf, old->type, r->expires_at, usual, r->now, &expires_at, err);
	if (st != GLT_OK)
		return st;
	*out = t = glt_token_copy(old);
	if (!t || !glt_token_set_text(&t->created_by, r->actor))
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the record");
	t->previous = old->id;
	t->next = 0;
	t->overlap_end = 0;
	t->created_at = r->now;
	t->expires_at = expires_at;
	t->expiry_set_at = 0;
	t->reuse_at = 0;
	if (t->not_before <= r->now)
		t->not_before = 0;
	if (t->not_before && expires_at && t->not_before >= expires_at)
		return glt_fail(err, GLT_INVALID, "expiry lies before the token's not-before");
	t->uses_left = t->max_uses;
	return glt_policy_allows(conf, NULL, t, r->now, err);
}

static void swap_secrets(Glt__Token *a, Glt__Token *b)
{
	const Glt__Token was = *a;

	a->salt = b->salt;
	a->tag = b->tag;
	a->prefix = b->prefix;
	a->memory = b->memory;
	a->time = b->time;
	b->salt = was.salt;
	b->tag = was.tag;
	b->prefix = was.prefix;
	b->memory = was.memory;
	b->time = was.time;
}

static bool revoke(Glt__Token *t, const struct glt_rotate *r, const char *why)
{
	t->state = GLT__STATE__REVOKED;
	t->revoked_at = r->now;
	return glt_token_set_text(&t->revoked_by, r->actor) && glt_token_set_text(&t->revoked_why, why);
}

/* The old one ends now or with its overlap, whichever of that and its own expiry is earlier. Rotating again does
 * not make an overlap longer. */
static bool retire(Glt__Token *ended, const struct glt_rotate *r, uint64_t next)
{
	int64_t end = r->now + r->overlap;

	ended->next = next;
	if (r->overlap <= 0) {
		ended->overlap_end = 0;
		return revoke(ended, r, "rotated");
	}
	if (!ended->overlap_end || end < ended->overlap_end)
		ended->overlap_end = end;
	return true;
}

/* The successor whose secret was lost on its way to who asks again. One that was used, or was made by somebody
 * else, has a bearer: then nothing happens. */
static enum glt_status drop_unused(struct glt_txn *txn, struct glt_change *c, const struct glt_conf *conf,
				   const struct glt_rotate *r, uint64_t id, struct glt_err *err)
{
	Glt__Token *t = NULL, *ended = NULL;
	struct glt_usage usage;
	enum glt_status st = glt_token_load(txn, id, &t, err);

	if (st == GLT_OK && (t->state != GLT__STATE__LIVE || t->next || strcmp(t->created_by, r->actor) != 0 ||
			     glt_usage_read(conf->store_dir, id, &usage)))
		st = glt_fail(err, GLT_REFUSED, "Token already rotated, and the new one is with somebody");
	if (st == GLT_OK) {
		ended = glt_token_copy(t);
		if (!ended || !revoke(ended, r, "never used, and rotated again"))
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the record");
	}
	if (st == GLT_OK) {
		glt_token_store(txn, c, t, ended);
		glt_event_token(c, r->actor, "token.revoke", t, ended, ended->revoked_why);
	}
	glt_token_free(t);
	glt_token_free(ended);
	return st;
}

/* drawn has the new secret. Its grants may be stale: they were read before the hash, and an edit since then counts. */
static enum glt_status put_both(struct glt_store *store, const struct glt_conf *conf, const struct glt_rotate *r,
				Glt__Token *drawn, struct glt_token_text *text, Glt__Token **out,
				struct glt_err *err)
{
	struct glt_change *c;
	Glt__Token *old = NULL, *ended = NULL, *fresh = NULL;
	struct glt_txn *txn;
	enum glt_status st = glt_change_begin(store, &c, &txn, err);

	if (st != GLT_OK)
		return st;
	/* Read again under the writers' lock: of two rotations at once, one wins. */
	st = glt_token_load(txn, r->id, &old, err);
	if (st == GLT_OK)
		st = refuse_dead(old, r, err);
	if (st == GLT_OK && old->next)
		st = drop_unused(txn, c, conf, r, old->next, err);
	if (st == GLT_OK)
		st = successor(conf, r, old, &fresh, err);
	if (st == GLT_OK) {
		swap_secrets(fresh, drawn);
		fresh->id = glt_next(txn, GLT_NEXT_ID);
		fresh->family = old->family;
		st = glt_secret_bind(store, txn, fresh, text, err);
	}
	if (st == GLT_OK) {
		ended = glt_token_copy(old);
		if (!ended || !retire(ended, r, fresh->id))
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the record");
	}
	if (st == GLT_OK) {
		glt_token_store(txn, c, old, ended);
		glt_token_store(txn, c, NULL, fresh);
		glt_event_token(c, r->actor, "token.rotate", ended, fresh, NULL);
	}
	st = glt_change_end(txn, c, st, err);
	if (st == GLT_OK)
		*out = fresh;
	else
		glt_token_free(fresh);
	glt_token_free(old);
	glt_token_free(ended);
	return st;
}

enum glt_status glt_rotate(struct glt_store *store, const struct glt_conf *conf, const struct glt_rotate *req,
			   Glt__Token **record, char text[GLT_TOKEN_MAX + 1], struct glt_err *err)
{
	struct glt_rotate r = *req;
	struct glt_token_text tt = {.prefix = ""};
	Glt__Token *old = NULL, *drawn = NULL;
	enum glt_status st = load(store, r.id, &old, err);

	*record = NULL;
	text[0] = '\0';
	if (st == GLT_OK)
		st = refuse_dead(old, &r, err);
	if (st == GLT_OK)
		st = glt_policy_overlap(conf, req->overlap, &r.overlap, err);
	if (st == GLT_OK)
		st = successor(conf, &r, old, &drawn, err);
	if (st == GLT_OK)
		st = glt_secret_draw(conf, drawn->type, drawn, &tt, err);
	if (st == GLT_OK)
		st = put_both(store, conf, &r, drawn, &tt, record, err);
	if (st == GLT_OK)
		glt_token_format(&tt, text);
	glt_token_free(drawn);
	glt_token_free(old);
	glt_token_wipe(&tt);
	return st;
}
