/* SPDX-License-Identifier: MIT */
/* What must hold for every store between any two changes. */
#include "tmpstore.h"

#include "kinds.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS_MAX 256

/* ---- indexes: each entry that a record calls for is there, and no other ---- */

struct found {
	struct glt_slice key;
	uint64_t id;
	unsigned n;
};

static bool count_one(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct found *f = arg;

	f->n += key.len == f->key.len && glt_get_u64(value.data) == f->id;
	return true;
}

static void has_entry(struct glt_txn *txn, enum glt_table table, const void *key, size_t len, uint64_t id)
{
	struct found f = {.key = {key, len}, .id = id};

	must(glt_walk(txn, table, f.key, f.key, count_one, &f, &err));
	if (f.n != 1)
		fail_msg("token %llu stands %u times in index %d", (unsigned long long)id, f.n, (int)table);
}

struct all {
	struct glt_txn *txn;
	uint64_t tokens, with_path, with_expiry, rotated;
	uint64_t generation[TOKENS_MAX];
};

static void check_selector(struct glt_txn *txn, const Glt__Token *t)
{
	struct glt_slice v;

	must(glt_get(txn, GLT_BY_SELECTOR, glt_slice_str(t->selector), &v, &err));
	assert_int_equal(v.len, GLT_KEY_U64);
	assert_true(glt_get_u64(v.data) == t->id);
}

static bool check_token(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct all *a = arg;
	Glt__Token *t = glt__token__unpack(NULL, value.len, value.data);
	uint8_t when[GLT_KEY_U64], family[GLT_KEY_U64], kind[GLT_KIND_LEN];

	assert_non_null(t);
	assert_true(glt_get_u64(key.data) == t->id && t->id != 0);
	has_entry(a->txn, GLT_BY_OWNER, t->owner, strlen(t->owner), t->id);
	if (t->path[0]) {
		a->with_path++;
		has_entry(a->txn, GLT_BY_PATH, t->path, strlen(t->path), t->id);
	}
	if (t->expires_at) {
		a->with_expiry++;
		glt_put_u64(when, (uint64_t)t->expires_at);
		has_entry(a->txn, GLT_BY_EXPIRY, when, sizeof(when), t->id);
	}
	if (t->family != t->id) {
		a->rotated++;
		glt_put_u64(family, t->family);
		has_entry(a->txn, GLT_BY_FAMILY, family, sizeof(family), t->id);
	}
	has_entry(a->txn, GLT_BY_KIND, glt_kind_key(t, kind).data, sizeof(kind), t->id);
	check_selector(a->txn, t);
	assert_true(a->tokens < TOKENS_MAX);
	for (uint64_t i = 0; i < a->tokens; i++)
		assert_true(a->generation[i] != t->generation);
	assert_true(t->generation != 0);
	a->generation[a->tokens++] = t->generation;
	glt_token_free(t);
	return true;
}

/* ---- the audit chain, by the definition in record.proto ---- */

struct chain {
	uint64_t seq;
	uint8_t head[32], own[32];
};

void tmpstore_link(const Glt__Event *ev, struct glt_slice stored, uint8_t head[32], uint8_t own[32])
{
	crypto_generichash_state state;

	assert_int_equal(ev->previous.len, 0);
	assert_int_equal(ev->link, own[0] | own[1] << 8 | own[2] << 16 | (uint32_t)own[3] << 24);
	crypto_generichash(own, 32, stored.data, stored.len, NULL, 0);
	crypto_generichash_init(&state, NULL, 0, 32);
	crypto_generichash_update(&state, head, 32);
	crypto_generichash_update(&state, stored.data, stored.len);
	crypto_generichash_final(&state, head, 32);
}

static bool check_event(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct chain *c = arg;
	Glt__Event *ev = glt__event__unpack(NULL, value.len, value.data);

	assert_non_null(ev);
	assert_true(ev->seq == ++c->seq);
	assert_true(glt_get_u64(key.data) == ev->seq);
	assert_true(ev->at > 0);
	tmpstore_link(ev, value, c->head, c->own);
	glt__event__free_unpacked(ev, NULL);
	return true;
}

void tmpstore_check(struct tmpstore *t)
{
	const struct glt_slice all = {NULL, 0};
	struct all *a = calloc(1, sizeof(*a));
	struct chain chain = {.seq = 0};
	struct glt_head head;

	assert_non_null(a);
	a->txn = tmpstore_begin(t, false);
	must(glt_walk(a->txn, GLT_TOKENS, all, all, check_token, a, &err));
	must(glt_walk(a->txn, GLT_AUDIT, all, all, check_event, &chain, &err));
	assert_true(glt_count(a->txn, GLT_BY_SELECTOR) == a->tokens);
	assert_true(glt_count(a->txn, GLT_BY_OWNER) == a->tokens);
	assert_true(glt_count(a->txn, GLT_BY_KIND) == a->tokens);
	assert_true(glt_kinds_known(a->txn));
	assert_true(glt_count(a->txn, GLT_BY_FAMILY) == a->rotated);
	assert_true(glt_count(a->txn, GLT_BY_PATH) == a->with_path);
	assert_true(glt_count(a->txn, GLT_BY_EXPIRY) == a->with_expiry);
	must(glt_store_head(a->txn, &head, &err));
	assert_true(head.seq == chain.seq);
	assert_memory_equal(head.hash, chain.head, sizeof(chain.head));
	glt_txn_end(a->txn);
	free(a);
}
