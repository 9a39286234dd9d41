/* SPDX-License-Identifier: MIT */
#include "reuse.h"

#include "event.h"
#include "tokens.h"

#include <inttypes.h>
#include <stdio.h>

#define QUIET_S 3600

bool glt_reuse_possible(const Glt__Token *t, int64_t now)
{
	return t->next != 0 && now >= t->overlap_end;
}

static bool noted(const Glt__Token *t, int64_t now)
{
	/* A clock that was set back does not make it quiet for longer. */
	return t->reuse_at && now >= t->reuse_at && now - t->reuse_at < QUIET_S;
}

static bool lives(void *arg, const Glt__Token *t)
{
	bool *any = arg;

	*any = t->state == GLT__STATE__LIVE;
	return *any;
}

bool glt_reuse_news(struct glt_store *store, const Glt__Token *t, bool revoke, int64_t now)
{
	struct glt_txn *txn;
	bool any = false;

	if (!noted(t, now))
		return true;
	if (!revoke || glt_txn_begin(store, false, &txn, NULL) != GLT_OK)
		return false;
	if (glt_token_family(txn, t->family, lives, &any, NULL) != GLT_OK)
		any = true;
	glt_txn_end(txn);
	return any;
}

struct revoking {
	struct glt_txn *txn;
	struct glt_change *c;
	const struct glt_reuse *r;
	char why[64];
	size_t n;
	bool failed;
};

static bool end_one(Glt__Token *t, const struct revoking *v)
{
	t->state = GLT__STATE__REVOKED;
	t->revoked_at = v->r->now;
	return glt_token_set_text(&t->revoked_by, v->r->actor) && glt_token_set_text(&t->revoked_why, v->why);
}

static bool revoke_one(void *arg, const Glt__Token *t)
{
	struct revoking *v = arg;
	Glt__Token *ended;

	if (t->state != GLT__STATE__LIVE || t->id == v->r->id)
		return false;
	ended = glt_token_copy(t);
	v->failed = !ended || !end_one(ended, v);
	if (!v->failed) {
		glt_token_store(v->txn, v->c, t, ended);
		glt_event_token(v->c, v->r->actor, "token.revoke", t, ended, v->why);
		v->n++;
	}
	glt_token_free(ended);
	return v->failed;
}

/* The token itself, and with it the others of its family. */
static enum glt_status change_all(struct revoking *v, const Glt__Token *old, Glt__Token *fresh, struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	fresh->reuse_at = v->r->now;
	if (v->r->revoke && fresh->state == GLT__STATE__LIVE)
		v->failed = !end_one(fresh, v);
	glt_token_store(v->txn, v->c, old, fresh);
	glt_event_token(v->c, v->r->actor, "token.reuse", old, fresh, v->r->sighted);
	if (v->r->revoke && !v->failed)
		st = glt_token_family(v->txn, old->family, revoke_one, v, err);
	return st == GLT_OK && v->failed ? glt_fail(err, GLT_UNAVAILABLE, "no memory for the change") : st;
}

enum glt_status glt_reuse_note(struct glt_store *store, const struct glt_reuse *r, size_t *revoked,
			       struct glt_err *err)
{
	struct revoking v = {.c = glt_change_new(), .r = r};
	Glt__Token *old = NULL, *fresh = NULL;
	enum glt_status st = v.c ? glt_txn_begin(store, true, &v.txn, err)
				 : glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");

	*revoked = 0;
	(void)snprintf(v.why, sizeof(v.why), "reuse of token %" PRIu64, r->id);
	if (st != GLT_OK) {
		glt_change_free(v.c);
		return st;
	}
	st = glt_token_load(v.txn, r->id, &old, err);
	if (st == GLT_OK && !glt_reuse_possible(old, r->now))
		st = glt_fail(err, GLT_REFUSED, "token %" PRIu64 " was not rotated", r->id);
	if (st == GLT_OK) {
		fresh = glt_token_copy(old);
		st = fresh ? change_all(&v, old, fresh, err)
			   : glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
	}
	if (st == GLT_OK && v.n == 0 && noted(old, r->now)) { /* by another request, since the caller looked */
		glt_txn_end(v.txn);
	} else if (st == GLT_OK) {
		st = glt_store_apply(v.txn, v.c, err);
		*revoked = st == GLT_OK ? v.n : 0;
	} else {
		glt_txn_end(v.txn);
	}
	glt_token_free(old);
	glt_token_free(fresh);
	glt_change_free(v.c);
	return st;
}
