/* SPDX-License-Identifier: MIT */
#include "kinds.h"

#include <stdlib.h>
#include <string.h>

struct glt_slice glt_kind_key(const Glt__Token *t, uint8_t key[GLT_KIND_LEN])
{
	const bool special = t->paused || t->next || t->max_uses || t->not_before;

	key[0] = (uint8_t)t->type;
	key[1] = (uint8_t)((t->state != GLT__STATE__LIVE ? GLT_KIND_REVOKED : 0) |
			   (special ? GLT_KIND_SPECIAL : 0) | (t->expires_at == 0 ? GLT_KIND_NEVER : 0));
	glt_put_u64(key + 2, t->scopes);
	return (struct glt_slice){key, GLT_KIND_LEN};
}

static bool is_wanted(const struct glt_kinds_wanted *w, const uint8_t key[GLT_KIND_LEN])
{
	return (w->types == 0 || (key[0] < 32 && w->types & 1u << key[0])) && (w->any == 0 || key[1] & w->any) &&
	       (key[1] & w->all) == w->all && (key[1] & w->none) == 0 &&
	       (glt_get_u64(key + 2) & w->scopes) == w->scopes;
}

struct next {
	uint8_t key[GLT_KIND_LEN + 1]; /* one byte more: what is behind all of its ids */
	bool found;
};

static bool take_key(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct next *next = arg;

	(void)value;
	if (key.len != GLT_KIND_LEN)
		return true;
	memcpy(next->key, key.data, GLT_KIND_LEN);
	next->found = true;
	return false;
}

struct one { /* kind */
	struct glt_kinds_found *out;
	uint64_t after;
	size_t n, most;
};

static bool take_id(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct one *one = arg;
	struct glt_kinds_found *out = one->out;
	const uint64_t id = glt_get_u64(value.data);

	if (key.len != GLT_KIND_LEN)
		return false;
	if (id <= one->after)
		return true;
	if (out->n == out->room) {
		size_t room = out->room ? out->room * 2 : 256;
		uint64_t *more = realloc(out->id, room * sizeof(*more));

		out->no_memory = !more;
		if (!more)
			return false;
		out->id = more;
		out->room = room;
	}
	out->id[out->n++] = id;
	if (++one->n < one->most)
		return true;
	if (id < out->upto)
		out->upto = id;
	return false;
}

enum glt_status glt_kinds_find(struct glt_txn *txn, const struct glt_kinds_wanted *w, uint64_t after, size_t most,
			       struct glt_kinds_found *out, struct glt_err *err)
{
	struct next next = {.found = true};
	struct glt_slice from = {NULL, 0};
	enum glt_status st = GLT_OK;

	*out = (struct glt_kinds_found){.upto = UINT64_MAX};
	for (;;) {
		struct one one = {out, after, 0, most};

		next.found = false;
		st = glt_walk(txn, GLT_BY_KIND, from, (struct glt_slice){NULL, 0}, take_key, &next, err);
		if (st != GLT_OK || !next.found)
			return st;
		from = (struct glt_slice){next.key, GLT_KIND_LEN};
		if (is_wanted(w, next.key))
			st = glt_walk(txn, GLT_BY_KIND, from, from, take_id, &one, err);
		if (st == GLT_OK && out->no_memory)
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory for a list of tokens");
		if (st != GLT_OK)
			return st;
		from.len = GLT_KIND_LEN + 1;
	}
}

/* ---- made anew ---- */

#define BATCH 4096 /* entries staged at once */

struct rebuild {
	struct glt_txn *txn;
	struct glt_change *c;
	size_t n;
	enum glt_status st;
	struct glt_err *err;
};

static bool unlink_one(void *arg, struct glt_slice key, struct glt_slice value)
{
	const struct rebuild *r = arg;

	glt_change_unlink(r->c, GLT_BY_KIND, key, glt_get_u64(value.data));
	return true;
}

static bool link_one(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct rebuild *r = arg;
	Glt__Token *t = value.data ? glt__token__unpack(NULL, value.len, value.data) : NULL;
	uint8_t kind[GLT_KIND_LEN];

	(void)key;
	if (t) { /* what is damaged no list can show */
		glt_change_link(r->c, GLT_BY_KIND, glt_kind_key(t, kind), t->id);
		glt__token__free_unpacked(t, NULL);
	}
	if (++r->n % BATCH == 0) {
		r->st = glt_store_stage(r->txn, r->c, r->err);
		glt_change_clear(r->c);
	}
	return r->st == GLT_OK;
}

enum glt_status glt_kinds_rebuild(struct glt_store *store, struct glt_err *err)
{
	const struct glt_slice all = {NULL, 0};
	struct rebuild r = {.err = err};
	enum glt_status st = glt_change_begin(store, &r.c, &r.txn, err);

	if (st != GLT_OK)
		return st;
	if (glt_kinds_known(r.txn)) {
		glt_txn_end(r.txn);
		glt_change_free(r.c);
		return GLT_OK;
	}
	st = glt_walk(r.txn, GLT_BY_KIND, all, all, unlink_one, &r, err);
	if (st == GLT_OK)
		st = glt_walk_all(r.txn, GLT_TOKENS, all, link_one, &r, err);
	glt_change_kinds(r.txn);
	return glt_change_end(r.txn, r.c, st == GLT_OK ? r.st : st, err);
}
