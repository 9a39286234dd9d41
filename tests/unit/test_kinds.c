/* SPDX-License-Identifier: MIT */
/* Tokens by their kind: some of each, those behind one, and an index made of what is there. */
#include "kinds.h"

#include "meta.h"
#include "tmpstore.h"

#include <stdio.h>
#include <stdlib.h>

static struct glt_kinds_found find(struct tmpstore *t, uint64_t after, size_t most)
{
	const struct glt_kinds_wanted all = {.types = 0};
	struct glt_txn *txn = tmpstore_begin(t, false);
	struct glt_kinds_found found;

	must(glt_kinds_find(txn, &all, after, most, &found, &err));
	glt_txn_end(txn);
	return found;
}

static uint64_t issue(struct tmpstore *t, const char *name, uint64_t scopes)
{
	const struct glt_issue req = tmpstore_personal("alice", name, scopes);

	return tmpstore_issue(t, &req, NULL);
}

static void some_of_each_kind(void **state)
{
	struct tmpstore *t = *state;
	const uint64_t a = issue(t, "a", READ_REPO), b = issue(t, "b", READ_REPO), c = issue(t, "c", WRITE_REPO),
		       d = issue(t, "d", READ_REPO);
	struct glt_kinds_found found = find(t, 0, 10);

	assert_int_equal(found.n, 4);
	assert_true(found.upto == UINT64_MAX);
	free(found.id);
	/* Two of those that read and one that writes: beyond the second there may be more. */
	found = find(t, 0, 2);
	assert_int_equal(found.n, 3);
	assert_int_equal(found.upto, b);
	free(found.id);
	found = find(t, 0, 1);
	assert_int_equal(found.n, 2);
	assert_int_equal(found.upto, a);
	free(found.id);
	found = find(t, b, 10);
	assert_int_equal(found.n, 2);
	assert_int_equal(found.id[0] + found.id[1], c + d);
	free(found.id);
}

static void store_one(struct glt_txn *txn, struct glt_change *c, const Glt__Token *like)
{
	Glt__Token *one = glt_token_copy(like);
	char selector[24];

	assert_non_null(one);
	one->id = glt_next(txn, GLT_NEXT_ID);
	(void)snprintf(selector, sizeof(selector), "%06llu", (unsigned long long)one->id);
	assert_true(glt_token_set_text(&one->selector, selector) && glt_token_set_text(&one->name, selector));
	glt_token_store(txn, c, NULL, one);
	glt_token_free(one);
}

/* More than are staged at once. */
static void made_anew(void **state)
{
	enum { MANY = 5000 };
	struct tmpstore *t = *state;
	Glt__Token *like = tmpstore_load(t, issue(t, "a", READ_REPO));
	struct glt_txn *txn = tmpstore_begin(t, true);
	struct glt_change *c = glt_change_new();
	struct glt_kinds_found found;

	for (size_t i = 1; i < MANY; i++)
		store_one(txn, c, like);
	tmpstore_apply(txn, c);
	glt_token_free(like);
	txn = tmpstore_begin(t, true);
	txn->meta.kinds = false; /* as an earlier version, which knows nothing of it */
	(void)glt_next(txn, GLT_NEXT_GENERATION);
	tmpstore_apply(txn, glt_change_new());
	txn = tmpstore_begin(t, false);
	assert_false(glt_kinds_known(txn));
	glt_txn_end(txn);
	must(glt_kinds_rebuild(t->store, &err));
	txn = tmpstore_begin(t, false);
	assert_true(glt_kinds_known(txn));
	assert_int_equal(glt_count(txn, GLT_BY_KIND), MANY);
	glt_txn_end(txn);
	found = find(t, 0, MANY);
	assert_int_equal(found.n, MANY);
	free(found.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_user(some_of_each_kind),
		with_user(made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
