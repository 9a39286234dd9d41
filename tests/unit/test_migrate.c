/* SPDX-License-Identifier: MIT */
/* A store of schema 1 is written as the release of that schema writes it, until it is migrated: all of it, or nothing. */
#include "migrate.h"
#include "tmpstore.h"
#include "tools/chain.h"
#include "tools/checks.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 9000 /* more than two pieces of migrate.c */

static void fill(struct tmpstore *t)
{
	struct glt_issue first = tmpstore_personal("alice", "first", READ_REPO),
			 second = tmpstore_project("demo/hello", "second", WRITE_REPO);

	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	tmpstore_issue(t, &first, NULL);
	tmpstore_issue(t, &second, NULL);
}

static void old_setup(struct tmpstore *t)
{
	struct glt_change *c = glt_change_new();

	tmpstore_schema(t, 1, 1);
	tmpstore_open(t);
	glt_change_del(c, GLT_META, glt_slice_str("link"));
	glt_change_del(c, GLT_META, glt_slice_str("made_by"));
	tmpstore_apply(tmpstore_begin(t, true), c);
}

/* ---- by the rules of schema 1, with nothing of what reads them now ---- */

struct old_chain {
	uint64_t seq;
	uint8_t hash[32];
};

static bool is_old_event(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct old_chain *c = arg;
	Glt__Event *ev = glt__event__unpack(NULL, value.len, value.data);

	assert_non_null(ev);
	assert_true(ev->seq == ++c->seq && glt_get_u64(key.data) == c->seq);
	assert_int_equal(ev->previous.len, 32);
	assert_memory_equal(ev->previous.data, c->hash, 32);
	assert_int_equal(ev->link, 0);
	assert_int_equal(ev->phrases, 0);
	assert_int_equal(ev->base.n_unknown_fields, 0);
	crypto_generichash(c->hash, 32, value.data, value.len, NULL, 0);
	glt__event__free_unpacked(ev, NULL);
	return true;
}

static uint64_t in_family(struct tmpstore *t, uint64_t family)
{
	uint64_t n = tmpstore_count(t, GLT_BY_FAMILY), after;
	uint8_t key[GLT_KEY_U64];
	struct glt_txn *txn = tmpstore_begin(t, true);
	struct glt_change *c = glt_change_new();

	glt_put_u64(key, family);
	glt_change_unlink(c, GLT_BY_FAMILY, (struct glt_slice){key, sizeof(key)}, family);
	must(glt_store_stage(txn, c, &err));
	glt_change_free(c);
	after = glt_count(txn, GLT_BY_FAMILY);
	glt_txn_end(txn);
	return n - after;
}

static void is_schema_1(struct tmpstore *t)
{
	const struct glt_slice all = {NULL, 0};
	struct old_chain chain = {.seq = 0};
	struct glt_slice v;
	struct glt_head head;
	struct glt_checks checks;
	struct glt_txn *txn = tmpstore_begin(t, false);

	assert_int_equal(glt_schema(txn), 1);
	must(glt_walk(txn, GLT_AUDIT, all, all, is_old_event, &chain, &err));
	must(glt_store_head(txn, &head, &err));
	assert_true(head.seq == chain.seq);
	assert_memory_equal(head.hash, chain.hash, 32);
	assert_true(glt_count(txn, GLT_BY_FAMILY) == glt_count(txn, GLT_TOKENS));
	assert_int_equal(glt_get(txn, GLT_META, glt_slice_str("link"), &v, NULL), GLT_NOT_FOUND);
	glt_txn_end(txn);
	must(glt_checks_run(t->store, &checks, &err));
	assert_int_equal(checks.total, 0);
	glt_checks_free(&checks);
}

static struct glt_head head_of(struct tmpstore *t)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	struct glt_head head;

	must(glt_store_head(txn, &head, &err));
	glt_txn_end(txn);
	return head;
}

static void is_sound(struct tmpstore *t)
{
	struct glt_checks checks;
	struct glt_chain chain;

	must(glt_checks_run(t->store, &checks, &err));
	for (size_t i = 0; i < checks.n; i++)
		print_message("%s\n", checks.problem[i]);
	assert_int_equal(checks.total, 0);
	must(glt_chain_verify(t->store, NULL, 0, &chain, &err));
	for (size_t i = 0; i < chain.n; i++)
		print_message("%s\n", chain.problem[i]);
	assert_int_equal(chain.n, 0);
	glt_checks_free(&checks);
	glt_chain_free(&chain);
}

/* ---- the tests ---- */

static void old_until_then(void **state)
{
	struct tmpstore *t = *state;
	struct glt_txn *txn;
	struct glt_change *c;
	struct glt_issue third = tmpstore_personal("alice", "third", READ_REPO);
	Glt__Token *second;

	old_setup(t);
	fill(t);
	is_schema_1(t);
	assert_int_equal(in_family(t, 2), 1);
	second = tmpstore_load(t, 2);
	txn = tmpstore_begin(t, true);
	c = glt_change_new();
	glt_token_store(txn, c, second, NULL);
	tmpstore_apply(txn, c);
	glt_token_free(second);
	is_schema_1(t);
	assert_int_equal(in_family(t, 2), 0);
	tmpstore_close(t); /* and after it was opened again */
	tmpstore_open(t);
	tmpstore_issue(t, &third, NULL);
	is_schema_1(t);
}

static void migrated(void **state)
{
	struct tmpstore *t = *state;
	struct glt_migration m;
	struct glt_head head;
	struct glt_slice v;
	struct glt_txn *txn;
	struct glt_issue third = tmpstore_personal("alice", "third", READ_REPO);

	old_setup(t);
	fill(t);
	head = head_of(t);
	must(glt_migrate(t->store, &head, "root", "the-backup", &m, &err));
	assert_int_equal(m.from, 1);
	assert_int_equal(m.to, 2);
	assert_int_equal(m.step[0].changed, 2);
	is_sound(t);
	assert_int_equal(tmpstore_count(t, GLT_BY_FAMILY), 0);
	assert_true(head_of(t).seq == head.seq + 1);
	tmpstore_issue(t, &third, NULL);
	is_sound(t);
	assert_int_equal(tmpstore_count(t, GLT_BY_FAMILY), 0);
	txn = tmpstore_begin(t, false);
	assert_int_equal(glt_schema(txn), 2);
	must(glt_get(txn, GLT_META, glt_slice_str("min_reader"), &v, &err));
	assert_int_equal(glt_get_u64(v.data), 2);
	must(glt_get(txn, GLT_META, glt_slice_str("made_by"), &v, &err));
	assert_int_equal(v.len, strlen(PACKAGE_VERSION));
	glt_txn_end(txn);

	head = head_of(t); /* and again: there is nothing to do, and nothing is done */
	must(glt_migrate(t->store, &head, "root", "the-backup", &m, &err));
	assert_int_equal(m.from, m.to);
	assert_true(head_of(t).seq == head.seq);
}

static void changed_since_the_backup(void **state)
{
	struct tmpstore *t = *state;
	struct glt_migration m;
	struct glt_head head;
	struct glt_issue third = tmpstore_personal("alice", "third", READ_REPO);

	old_setup(t);
	fill(t);
	head = head_of(t);
	tmpstore_issue(t, &third, NULL);
	must_fail(GLT_BUSY, "changed since the backup", glt_migrate(t->store, &head, "root", "b", &m, &err));
	is_schema_1(t);
}

static void given_up(void **state)
{
	struct tmpstore *t = *state;
	struct glt_migration m;
	struct glt_txn *txn;

	old_setup(t);
	fill(t);
	txn = tmpstore_begin(t, true);
	must(glt_migrate_in(txn, &m, &err));
	assert_int_equal(glt_schema(txn), 2);
	assert_int_equal(glt_count(txn, GLT_BY_FAMILY), 0);
	glt_txn_end(txn);
	is_schema_1(t);
}

static void many(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c = glt_change_new();
	struct glt_migration m;
	struct glt_txn *txn;
	uint8_t key[GLT_KEY_U64];

	old_setup(t);
	for (uint64_t i = 1; i <= MANY; i++) {
		glt_put_u64(key, i);
		glt_change_link(c, GLT_BY_FAMILY, (struct glt_slice){key, sizeof(key)}, i);
		if (i % 3 == 0)
			glt_change_link(c, GLT_BY_FAMILY, (struct glt_slice){key, sizeof(key)}, MANY + i);
	}
	tmpstore_apply(tmpstore_begin(t, true), c);
	txn = tmpstore_begin(t, true);
	must(glt_migrate_in(txn, &m, &err));
	assert_int_equal(m.step[0].changed, MANY);
	assert_int_equal(glt_count(txn, GLT_BY_FAMILY), MANY / 3);
	glt_txn_end(txn);
	assert_int_equal(tmpstore_count(t, GLT_BY_FAMILY), MANY + MANY / 3);
}

/* Who had the store open before a later version migrated it writes nothing any more. */
static void opened_before(void **state)
{
	struct tmpstore *t = *state;
	struct glt_txn *txn;
	uint8_t later[GLT_KEY_U64];

	glt_put_u64(later, GLT_SCHEMA + 1);
	tmpstore_put(t, GLT_META, glt_slice_str("min_reader"), (struct glt_slice){later, sizeof(later)});
	must_fail(GLT_UNAVAILABLE, "install the newer version", glt_txn_begin(t->store, true, &txn, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(old_until_then), with_store(migrated), with_store(changed_since_the_backup),
		with_store(given_up),       with_store(many),     with_store(opened_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
