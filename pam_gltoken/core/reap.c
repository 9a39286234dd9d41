/* SPDX-License-Identifier: MIT */
#include "reap.h"

#include "event.h"
#include "tokens.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN 512  /* records a read transaction */
#define BATCH 128 /* tokens a write transaction */

struct batch {
	const struct glt_reap *r;
	uint64_t next; /* id to go on from */
	uint64_t id[BATCH];
	size_t n, seen, damaged;
	bool end;
	Glt__Token *gone[BATCH];
	size_t n_gone;
};

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

int64_t glt_token_died(const Glt__Token *t, int64_t now)
{
	int64_t died = 0;

	if (t->state == GLT__STATE__REVOKED)
		died = earlier(died, t->revoked_at);
	if (t->next && t->overlap_end && now >= t->overlap_end)
		died = earlier(died, t->overlap_end);
	if (t->expires_at && now >= t->expires_at)
		died = earlier(died, t->expires_at);
	return died;
}

static bool ripe(const struct glt_reap *r, const Glt__Token *t)
{
	const int64_t died = glt_token_died(t, r->now);

	return died != 0 && died < r->before;
}

static bool look(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct batch *b = arg;
	Glt__Token *t = value.data ? glt__token__unpack(NULL, value.len, value.data) : NULL;

	if (key.len == GLT_KEY_U64)
		b->next = glt_get_u64(key.data) + 1;
	if (!t || key.len != GLT_KEY_U64 || t->id + 1 != b->next)
		b->damaged++;
	else if (ripe(b->r, t))
		b->id[b->n++] = t->id;
	glt_token_free(t);
	return ++b->seen < SEEN && b->n < BATCH;
}

static enum glt_status find(struct glt_store *store, struct batch *b, struct glt_err *err)
{
	uint8_t from[GLT_KEY_U64];
	struct glt_txn *txn;
	enum glt_status st;

	b->n = b->seen = b->n_gone = 0;
	st = glt_txn_begin(store, false, &txn, err);
	if (st != GLT_OK)
		return st;
	glt_put_u64(from, b->next);
	st = glt_walk_all(txn, GLT_TOKENS, (struct glt_slice){from, sizeof(from)}, look, b, err);
	glt_txn_end(txn);
	b->end = b->seen < SEEN && b->n < BATCH;
	return st;
}

/* Does all that it replaced go as well? While an overlap keeps one of them alive, what that leads to stays. */
static enum glt_status all_before_ripe(struct glt_txn *txn, const struct glt_reap *r, const Glt__Token *t,
				       bool *ripe_too, struct glt_err *err)
{
	uint64_t id = t->previous, below = t->id;

	*ripe_too = true;
	while (id && id < below && *ripe_too) { /* ids only fall: a damaged link cannot lead round in a circle */
		Glt__Token *before;
		enum glt_status st = glt_token_load(txn, id, &before, err);

		if (st == GLT_NOT_FOUND)
			return GLT_OK;
		if (st == GLT_DAMAGED)
			*ripe_too = false;
		else if (st != GLT_OK)
			return st;
		else
			*ripe_too = ripe(r, before);
		below = id;
		id = before ? before->previous : 0;
		glt_token_free(before);
	}
	return GLT_OK;
}

/* The one that came after must not point at nothing. */
static enum glt_status unlink_next(struct glt_txn *txn, struct glt_change *c, const Glt__Token *t,
				   struct glt_err *err)
{
	Glt__Token *next, *fresh;
	enum glt_status st = t->next ? glt_token_load(txn, t->next, &next, err) : GLT_NOT_FOUND;

	if (st == GLT_NOT_FOUND || st == GLT_DAMAGED)
		return GLT_OK;
	if (st != GLT_OK)
		return st;
	if (next->previous == t->id) {
		fresh = glt_token_copy(next);
		if (fresh) {
			fresh->previous = 0;
			glt_token_store(txn, c, next, fresh);
		} else {
			glt_change_fail(c);
		}
		glt_token_free(fresh);
	}
	glt_token_free(next);
	return GLT_OK;
}

static void drop(struct glt_txn *txn, struct glt_change *c, const struct glt_reap *r, const Glt__Token *t)
{
	char died[GLT_WHEN_TEXT], reason[GLT_WHEN_TEXT + 32];

	glt_when_rfc3339(glt_token_died(t, r->now), died);
	(void)snprintf(reason, sizeof(reason), "%s since %s", glt_token_state(t, r->now), died);
	glt_token_store(txn, c, t, NULL);
	glt_event_token(c, r->actor, "token.reap", t, NULL, reason);
}

/* Looks at each again: since find() somebody may have given one more time. */
static enum glt_status take(struct glt_txn *txn, struct glt_change *c, struct batch *b, struct glt_err *err)
{
	const struct glt_reap *r = b->r;
	enum glt_status st = GLT_OK;

	for (size_t i = 0; st == GLT_OK && i < b->n; i++) {
		Glt__Token *t;
		bool go = false;

		st = glt_token_load(txn, b->id[i], &t, err);
		if (st == GLT_NOT_FOUND || st == GLT_DAMAGED) {
			b->damaged += st == GLT_DAMAGED;
			st = GLT_OK;
			continue;
		}
		if (st == GLT_OK && ripe(r, t))
			st = all_before_ripe(txn, r, t, &go, err);
		if (st == GLT_OK && go && c) {
			st = unlink_next(txn, c, t, err);
			drop(txn, c, r, t);
		}
		if (st == GLT_OK && go)
			b->gone[b->n_gone++] = t;
		else
			glt_token_free(t);
	}
	return st;
}

static enum glt_status remove_batch(struct glt_store *store, struct batch *b, struct glt_err *err)
{
	struct glt_change *c = b->r->dry_run ? NULL : glt_change_new();
	struct glt_txn *txn;
	enum glt_status st;

	if (!c && !b->r->dry_run)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
	st = glt_txn_begin(store, c != NULL, &txn, err);
	if (st == GLT_OK) {
		st = take(txn, c, b, err);
		if (st == GLT_OK && c && b->n_gone > 0)
			st = glt_store_apply(txn, c, err);
		else
			glt_txn_end(txn);
	}
	glt_change_free(c);
	return st;
}

/* Of several tokens of a bot that go together, the last takes it along. */
static bool is_last(const struct batch *b, size_t i)
{
	for (size_t k = i + 1; k < b->n_gone; k++)
		if (strcmp(b->gone[k]->owner, b->gone[i]->owner) == 0)
			return false;
	return true;
}

static bool account_gone(struct glt_store *store, const struct batch *b, size_t i)
{
	const Glt__Token *t = b->gone[i];
	struct glt_txn *txn;
	bool used;

	if (b->r->dry_run || t->type == GLT__TYPE__PERSONAL || !is_last(b, i) ||
	    glt_txn_begin(store, false, &txn, NULL) != GLT_OK)
		return false;
	used = glt_owner_used(txn, t->owner);
	glt_txn_end(txn);
	return !used;
}

enum glt_status glt_reap(struct glt_store *store, struct glt_reap *r, struct glt_err *err)
{
	struct batch b = {.r = r, .next = 1};
	enum glt_status st;

	do {
		st = find(store, &b, err);
		if (st == GLT_OK && b.n > 0)
			st = remove_batch(store, &b, err);
		for (size_t i = 0; i < b.n_gone; i++) {
			if (st == GLT_OK) {
				r->fn(r->arg, b.gone[i], glt_token_died(b.gone[i], r->now),
				      account_gone(store, &b, i));
				r->removed++;
			}
			glt_token_free(b.gone[i]);
		}
	} while (st == GLT_OK && !b.end);
	r->damaged = b.damaged;
	return st;
}
