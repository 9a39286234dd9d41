/* SPDX-License-Identifier: MIT */
#include "select.h"

#include "cli.h"
#include "kinds.h"
#include "people.h"
#include "tokens.h"
#include "view.h"

#include <stdlib.h>
#include <string.h>

#define PIECE 512 /* records a transaction */

static bool state_is(const Glt__Token *t, enum glt_which which, int64_t now)
{
	switch (which) {
	case GLT_WHICH_ALL:
		return true;
	case GLT_WHICH_ACTIVE:
		return glt_token_active(t, now);
	case GLT_WHICH_INACTIVE:
		return !glt_token_active(t, now);
	case GLT_WHICH_REVOKED:
		return strcmp(glt_token_state(t, now), "revoked") == 0;
	case GLT_WHICH_EXPIRED:
		return strcmp(glt_token_state(t, now), "expired") == 0;
	}
	return false;
}

static bool fits(const Glt__Token *t, const struct glt_select *w)
{
	return (!w->owner || strcmp(t->owner, w->owner) == 0) && (!w->path || strcmp(t->path, w->path) == 0) &&
	       (w->types == 0 || (w->types & (1u << t->type)) != 0) && (t->scopes & w->scopes) == w->scopes &&
	       (w->family == 0 || t->family == w->family) &&
	       (w->issued_before == 0 || t->created_at < w->issued_before) &&
	       (w->expires_by == 0 || (t->expires_at > w->now && t->expires_at <= w->expires_by)) &&
	       t->id > w->after && state_is(t, w->which, w->now);
}

static uint64_t user_id(struct glt_txn *txn, const Glt__Token *t)
{
	Glt__User *u;
	uint64_t id = t->account;

	if (t->type != GLT__TYPE__PERSONAL)
		return id;
	if (glt_user_load(txn, t->owner, &u, NULL) == GLT_OK) {
		id = u->id;
		glt_user_free(u);
	}
	return id;
}

uint64_t glt_user_id(struct glt_store *store, const Glt__Token *t)
{
	struct glt_txn *txn;
	uint64_t id = 0;

	if (glt_txn_begin(store, false, &txn, NULL) == GLT_OK) {
		id = user_id(txn, t);
		glt_txn_end(txn);
	}
	return id;
}

/* Keep t or free it. */
static void consider(struct glt_found *found, const struct glt_select *what, struct glt_txn *txn, Glt__Token *t)
{
	if (!fits(t, what)) {
		glt_token_free(t);
		return;
	}
	if (found->n == found->room) {
		found->room = found->room ? found->room * 2 : 64;
		found->token = glt_cli_alloc(found->token, found->room, sizeof(*found->token));
		found->user_id = glt_cli_alloc(found->user_id, found->room, sizeof(*found->user_id));
	}
	found->user_id[found->n] = user_id(txn, t);
	found->token[found->n++] = t;
}

static bool enough(const struct glt_found *found, const struct glt_select *what)
{
	return what->limit && found->n >= what->limit;
}

/* ---- the whole table ---- */

struct piece {
	const struct glt_select *what;
	struct glt_found *found;
	struct glt_txn *txn;
	size_t seen, all;
	size_t most; /* records; 0: as many as there are */
	uint64_t last;
	bool end;
};

static bool visit_token(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct piece *p = arg;
	Glt__Token *t = value.data ? glt__token__unpack(NULL, value.len, value.data) : NULL;

	if (key.len != GLT_KEY_U64) {
		glt_token_free(t);
		p->found->damaged++;
		return true;
	}
	p->last = glt_get_u64(key.data);
	if (t && t->id == p->last) {
		consider(p->found, p->what, p->txn, t);
	} else {
		glt_token_free(t);
		p->found->damaged++;
	}
	return ++p->seen < PIECE && !enough(p->found, p->what);
}

static enum glt_status scan_on(struct glt_store *store, struct piece *p, struct glt_err *err)
{
	do {
		uint8_t from[GLT_KEY_U64];
		enum glt_status st;

		if (p->last == UINT64_MAX)
			break;
		glt_put_u64(from, p->last + 1);
		p->seen = 0;
		st = glt_txn_begin(store, false, &p->txn, err);
		if (st != GLT_OK)
			return st;
		st = glt_walk_all(p->txn, GLT_TOKENS, (struct glt_slice){from, sizeof(from)}, visit_token, p, err);
		glt_txn_end(p->txn);
		if (st != GLT_OK)
			return st;
		p->all += p->seen;
		if (p->seen == PIECE && p->most && p->all >= p->most)
			return GLT_OK;
	} while (p->seen == PIECE && !enough(p->found, p->what));
	p->end = true;
	return GLT_OK;
}

static enum glt_status scan_table(struct glt_store *store, const struct glt_select *what, struct glt_found *found,
				  struct glt_err *err)
{
	struct piece p = {.what = what, .found = found, .last = what->after};

	return scan_on(store, &p, err);
}

/* ---- one index ---- */

#define MANY 4000 /* ids of an index that are read before another way is considered */

struct ids {
	struct glt_slice exact; /* the key, or empty for any up to last */
	uint64_t last, after;
	uint64_t also; /* an id that need not stand in the index, or 0 */
	size_t most;   /* stop at so many; 0: never */
	uint64_t *id;
	size_t n, room;
};

static void keep_id(struct ids *ids, uint64_t id)
{
	if (ids->n == ids->room) {
		ids->room = ids->room ? ids->room * 2 : 64;
		ids->id = glt_cli_alloc(ids->id, ids->room, sizeof(*ids->id));
	}
	ids->id[ids->n++] = id;
}

static bool visit_id(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct ids *ids = arg;

	/* The walk goes by prefix: "demo" is not "demolition". */
	if (ids->exact.len ? key.len != ids->exact.len
			   : key.len != GLT_KEY_U64 || glt_get_u64(key.data) > ids->last)
		return false;
	if (glt_get_u64(value.data) > ids->after)
		keep_id(ids, glt_get_u64(value.data));
	return !ids->most || ids->n < ids->most;
}

/* The first of a family, where it has not been reaped, and the index does not have it from an earlier version. */
static enum glt_status add_first(struct glt_txn *txn, struct ids *ids, struct glt_err *err)
{
	struct glt_slice ignored;
	uint8_t key[GLT_KEY_U64];
	enum glt_status st;

	for (size_t i = 0; i < ids->n; i++)
		if (ids->id[i] == ids->also)
			return GLT_OK;
	glt_put_u64(key, ids->also);
	st = glt_get(txn, GLT_TOKENS, (struct glt_slice){key, sizeof(key)}, &ignored, err);
	if (st == GLT_OK || st == GLT_DAMAGED)
		keep_id(ids, ids->also);
	return GLT_OK;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static enum glt_status load_ids(struct glt_store *store, const struct glt_select *what, const struct ids *ids,
				struct glt_found *found, struct glt_err *err)
{
	for (size_t i = 0; i < ids->n && !enough(found, what);) {
		struct glt_txn *txn;
		enum glt_status st = glt_txn_begin(store, false, &txn, err);

		if (st != GLT_OK)
			return st;
		for (size_t k = 0; k < PIECE && i < ids->n && !enough(found, what); k++, i++) {
			Glt__Token *t;

			st = glt_token_load(txn, ids->id[i], &t, err);
			if (st == GLT_OK)
				consider(found, what, txn, t);
			else if (st == GLT_DAMAGED || st == GLT_NOT_FOUND)
				found->damaged++;
			else
				break;
		}
		glt_txn_end(txn);
		if (st == GLT_BUSY || st == GLT_UNAVAILABLE)
			return st;
	}
	return GLT_OK;
}

static enum glt_status read_ids(struct glt_store *store, enum glt_table table, struct ids *ids,
				struct glt_slice from, uint64_t *tokens, struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	ids->n = 0;
	if (st != GLT_OK)
		return st;
	st = glt_walk(txn, table, from, ids->exact, visit_id, ids, err);
	*tokens = glt_count(txn, GLT_TOKENS);
	if (st == GLT_OK && ids->also > ids->after)
		st = add_first(txn, ids, err);
	glt_txn_end(txn);
	return st;
}

/* One key's ids come in their order, so the first page needs no more than it takes: more are read while it is not
 * full. A span of expiries has to be read whole; where that is much, the first of all tokens have enough of them. */
static enum glt_status scan_index(struct glt_store *store, const struct glt_select *what, enum glt_table table,
				  struct ids *ids, struct glt_slice from, struct glt_found *found,
				  struct glt_err *err)
{
	enum glt_status st;
	uint64_t tokens;
	bool more;

	ids->after = what->after;
	ids->most = !what->limit ? 0 : ids->exact.len ? what->limit + PIECE : MANY;
	do {
		st = read_ids(store, table, ids, from, &tokens, err);
		if (st != GLT_OK)
			break;
		more = ids->most && ids->n == ids->most;
		if (more && !ids->exact.len) {
			if (what->limit * tokens / MANY < 50 * (uint64_t)MANY) {
				st = scan_table(store, what, found, err);
				break;
			}
			ids->most = 0;
			continue;
		}
		if (ids->n > 0)
			qsort(ids->id, ids->n, sizeof(*ids->id), by_number);
		glt_found_free(found);
		st = load_ids(store, what, ids, found, err);
		ids->most *= 8;
	} while (st == GLT_OK && more && !enough(found, what));
	free(ids->id);
	return st;
}

/* ---- what is rare ---- */

#define FIRST 1024      /* records that are read in any case: what is not rare stands among them */
#define EXPIRIES 500000 /* more of them in a span are not rare */

/* What can be such a token, besides those that expire in the span up to *last. */
static struct glt_kinds_wanted kinds_of(const struct glt_select *what, uint64_t *first, uint64_t *last)
{
	struct glt_kinds_wanted w = {.types = what->types, .scopes = what->scopes};

	*first = *last = 0;
	switch (what->which) {
	case GLT_WHICH_ALL:
		break;
	case GLT_WHICH_REVOKED: /* also what was rotated */
		w.any = GLT_KIND_REVOKED | GLT_KIND_SPECIAL;
		break;
	case GLT_WHICH_ACTIVE:
		w.none = GLT_KIND_REVOKED;
		if (!what->types && !what->scopes) {
			w.all = GLT_KIND_NEVER;
			*first = (uint64_t)what->now + 1;
			*last = UINT64_MAX;
		}
		break;
	case GLT_WHICH_INACTIVE:
	case GLT_WHICH_EXPIRED:
		w.any = GLT_KIND_REVOKED | GLT_KIND_SPECIAL;
		w.types = what->which == GLT_WHICH_EXPIRED ? 1u << GLT__TYPE__TYPE_NONE : w.types;
		*first = 1;
		*last = (uint64_t)what->now;
		break;
	}
	return w;
}

static enum glt_status read_kinds(struct glt_store *store, const struct glt_select *what, struct ids *ids,
				  uint64_t *upto, size_t a_kind, struct glt_err *err)
{
	struct glt_kinds_found kinds = {.n = 0};
	struct glt_txn *txn;
	uint64_t first, last;
	const struct glt_kinds_wanted w = kinds_of(what, &first, &last);
	uint8_t from[GLT_KEY_U64];
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	ids->n = 0;
	if (st != GLT_OK)
		return st;
	*ids = (struct ids){.id = ids->id, .room = ids->room, .last = last, .after = what->after, .most = EXPIRIES};
	glt_put_u64(from, first);
	if (!glt_kinds_known(txn))
		st = GLT_NOT_FOUND;
	else if (last)
		st = glt_walk(txn, GLT_BY_EXPIRY, (struct glt_slice){from, sizeof(from)},
			      (struct glt_slice){NULL, 0}, visit_id, ids, err);
	if (st == GLT_OK && ids->n == EXPIRIES)
		st = GLT_NOT_FOUND;
	if (st == GLT_OK)
		st = glt_kinds_find(txn, &w, what->after, a_kind, &kinds, err);
	glt_txn_end(txn);
	for (size_t i = 0; st == GLT_OK && i < kinds.n; i++)
		keep_id(ids, kinds.id[i]);
	*upto = kinds.upto;
	free(kinds.id);
	return st;
}

/* Sorted, each once, none above upto. */
static void tidy(struct ids *ids, uint64_t upto)
{
	size_t n = 0;

	if (ids->n > 0)
		qsort(ids->id, ids->n, sizeof(*ids->id), by_number);
	for (size_t i = 0; i < ids->n && ids->id[i] <= upto; i++)
		if (n == 0 || ids->id[n - 1] != ids->id[i])
			ids->id[n++] = ids->id[i];
	ids->n = n;
}

/* The first page: the first records have what is not rare, the indexes what is. GLT_NOT_FOUND: they cannot tell. */
static enum glt_status scan_kinds(struct glt_store *store, const struct glt_select *what, struct glt_found *found,
				  struct glt_err *err)
{
	struct ids ids = {.n = 0};
	uint64_t upto = 0;
	size_t a_kind = what->limit + 64;
	enum glt_status st;

	do {
		st = read_kinds(store, what, &ids, &upto, a_kind, err);
		if (st != GLT_OK)
			break;
		tidy(&ids, upto);
		glt_found_free(found);
		st = load_ids(store, what, &ids, found, err);
		a_kind *= 8;
	} while (st == GLT_OK && upto != UINT64_MAX && !enough(found, what));
	free(ids.id);
	return st;
}

static enum glt_status scan_page(struct glt_store *store, const struct glt_select *what, struct glt_found *found,
				 struct glt_err *err)
{
	struct piece p = {.what = what, .found = found, .last = what->after, .most = what->limit ? FIRST : 0};
	struct glt_found rare = {0};
	enum glt_status st = scan_on(store, &p, err);

	if (st != GLT_OK || p.end)
		return st;
	st = scan_kinds(store, what, &rare, err);
	if (st == GLT_NOT_FOUND) {
		glt_found_free(&rare);
		p.most = 0;
		return scan_on(store, &p, err);
	}
	glt_found_free(found);
	*found = rare;
	return st;
}

void glt_found_free(struct glt_found *found)
{
	for (size_t i = 0; i < found->n; i++)
		glt_token_free(found->token[i]);
	free(found->token);
	free(found->user_id);
	found->token = NULL;
	found->user_id = NULL;
	found->n = found->room = found->damaged = 0;
}

enum glt_status glt_select(struct glt_store *store, const struct glt_select *what, struct glt_found *out,
			   struct glt_err *err)
{
	uint8_t number[GLT_KEY_U64];
	struct ids ids = {.last = (uint64_t)what->expires_by};
	const struct glt_slice key = {number, sizeof(number)};

	*out = (struct glt_found){0};
	if (what->owner) {
		ids.exact = glt_slice_str(what->owner);
		return scan_index(store, what, GLT_BY_OWNER, &ids, ids.exact, out, err);
	}
	if (what->path) {
		ids.exact = glt_slice_str(what->path);
		return scan_index(store, what, GLT_BY_PATH, &ids, ids.exact, out, err);
	}
	if (what->family) {
		glt_put_u64(number, what->family);
		ids.exact = key;
		ids.also = what->family;
		return scan_index(store, what, GLT_BY_FAMILY, &ids, key, out, err);
	}
	if (what->expires_by) {
		glt_put_u64(number, (uint64_t)what->now);
		return scan_index(store, what, GLT_BY_EXPIRY, &ids, key, out, err);
	}
	return scan_page(store, what, out, err);
}
