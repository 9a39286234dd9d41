/* SPDX-License-Identifier: MIT */
/* Transactions, changes, walks and the audit chain of one process. */
#include "tmpstore.h"

#include "event.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL ((struct glt_slice){NULL, 0})
#define S(text) glt_slice_str(text)

static void get_is(struct tmpstore *t, enum glt_table table, const char *key, const char *want)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	struct glt_slice v;

	if (want) {
		must(glt_get(txn, table, S(key), &v, &err));
		assert_int_equal(v.len, strlen(want));
		assert_memory_equal(v.data, want, v.len);
	} else {
		must_fail(GLT_NOT_FOUND, NULL, glt_get(txn, table, S(key), &v, &err));
	}
	glt_txn_end(txn);
}

/* ---- changes ---- */

static void put_get_del(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c = glt_change_new();

	glt_change_put(c, GLT_USERS, S("alice"), S("one"));
	glt_change_put(c, GLT_USERS, S("bob"), S(""));
	glt_change_put(c, GLT_USERS, S("alice"), S("two")); /* the later one counts */
	tmpstore_apply(tmpstore_begin(t, true), c);
	get_is(t, GLT_USERS, "alice", "two");
	get_is(t, GLT_USERS, "bob", "");
	get_is(t, GLT_USERS, "alic", NULL);
	get_is(t, GLT_USERS, "alicea", NULL);
	get_is(t, GLT_NAMESPACES, "alice", NULL);
	c = glt_change_new();
	glt_change_del(c, GLT_USERS, S("alice"));
	glt_change_del(c, GLT_USERS, S("never there"));
	tmpstore_apply(tmpstore_begin(t, true), c);
	get_is(t, GLT_USERS, "alice", NULL);
	assert_int_equal(tmpstore_count(t, GLT_USERS), 1);
	tmpstore_close(t);
	tmpstore_open(t);
	get_is(t, GLT_USERS, "bob", "");
}

/* Key and value belong to the change once they are given to it. */
static void change_copies(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c = glt_change_new();
	char key[] = "alice", value[] = "one";

	glt_change_put(c, GLT_USERS, S(key), S(value));
	strcpy(key, "xxxxx");
	strcpy(value, "xxx");
	tmpstore_apply(tmpstore_begin(t, true), c);
	get_is(t, GLT_USERS, "alice", "one");
}

static void many_values(void **state)
{
	struct tmpstore *t = *state;
	static uint8_t big[200000];
	struct glt_change *c = glt_change_new();
	struct glt_txn *txn;
	struct glt_slice v;

	randombytes_buf(big, sizeof(big));
	for (size_t n = 0; n < 300; n++) {
		char key[16];

		(void)snprintf(key, sizeof(key), "k%03zu", n);
		glt_change_put(c, GLT_USERS, S(key), (struct glt_slice){big, n * 600});
	}
	tmpstore_apply(tmpstore_begin(t, true), c);
	txn = tmpstore_begin(t, false);
	for (size_t n = 0; n < 300; n++) {
		char key[16];

		(void)snprintf(key, sizeof(key), "k%03zu", n);
		must(glt_get(txn, GLT_USERS, S(key), &v, &err));
		assert_int_equal(v.len, n * 600);
		assert_memory_equal(v.data, big, v.len);
	}
	glt_txn_end(txn);
}

static void events_count(struct tmpstore *t, const char *action)
{
	struct glt_change *c = glt_change_new();

	glt_change_put(c, GLT_USERS, S("alice"), S("x"));
	glt_event_object(c, "root", action, "alice", "before", NULL, "why");
	tmpstore_apply(tmpstore_begin(t, true), c);
}

/* ---- nothing of an unapplied change is there ---- */

static void unchanged(struct tmpstore *t, uint64_t events, uint64_t next)
{
	struct glt_txn *txn;

	assert_int_equal(tmpstore_count(t, GLT_USERS), 1);
	get_is(t, GLT_USERS, "alice", "x");
	assert_int_equal(tmpstore_count(t, GLT_BY_OWNER), 0);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events);
	txn = tmpstore_begin(t, true);
	assert_int_equal(glt_next(txn, GLT_NEXT_ID), next);
	glt_txn_end(txn);
	tmpstore_check(t);
}

static struct glt_change *some_change(void)
{
	struct glt_change *c = glt_change_new();

	glt_change_put(c, GLT_USERS, S("bob"), S("y"));
	glt_change_put(c, GLT_USERS, S("alice"), S("other"));
	glt_change_link(c, GLT_BY_OWNER, S("bob"), 1);
	glt_event_object(c, "root", "user.add", "bob", NULL, "y", NULL);
	return c;
}

static void ended_is_nothing(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c = some_change();
	struct glt_txn *txn;

	events_count(t, "user.add");
	txn = tmpstore_begin(t, true);
	(void)glt_next(txn, GLT_NEXT_ID);
	glt_txn_end(txn);
	glt_change_free(c);
	unchanged(t, 1, 1);
	glt_txn_end(NULL);
	glt_change_free(NULL);
}

static void failed_is_nothing(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c = some_change();
	struct glt_txn *txn;

	events_count(t, "user.add");
	glt_change_fail(c);
	txn = tmpstore_begin(t, true);
	(void)glt_next(txn, GLT_NEXT_ID);
	must_fail(GLT_UNAVAILABLE, "nothing was changed", glt_store_apply(txn, c, &err));
	glt_change_free(c);
	unchanged(t, 1, 1);
}

/* The last of several puts breaks LMDB's rule for keys: those before it are gone as well. */
static void half_is_nothing(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c = some_change();
	char longest[GLT_KEY_TEXT_MAX + 1];
	struct glt_txn *txn;
	struct glt_err err;

	events_count(t, "user.add");
	memset(longest, 'k', sizeof(longest));
	glt_change_put(c, GLT_USERS, (struct glt_slice){longest, GLT_KEY_TEXT_MAX}, S("too long"));
	txn = tmpstore_begin(t, true);
	(void)glt_next(txn, GLT_NEXT_ID);
	assert_int_not_equal(glt_store_apply(txn, c, &err), GLT_OK);
	glt_change_free(c);
	unchanged(t, 1, 1);
	c = glt_change_new();
	glt_change_put(c, GLT_NAMESPACES, (struct glt_slice){longest, GLT_KEY_TEXT_MAX - 1}, S("fits"));
	tmpstore_apply(tmpstore_begin(t, true), c);
}

static void reader_sees_its_moment(void **state)
{
	struct tmpstore *t = *state;
	struct glt_txn *before, *after;
	struct glt_slice v;

	events_count(t, "user.add");
	before = tmpstore_begin(t, false);
	tmpstore_put(t, GLT_USERS, S("alice"), S("later"));
	after = tmpstore_begin(t, false);
	must(glt_get(before, GLT_USERS, S("alice"), &v, &err));
	assert_memory_equal(v.data, "x", 1);
	must(glt_get(after, GLT_USERS, S("alice"), &v, &err));
	assert_int_equal(v.len, 5);
	glt_txn_end(before);
	glt_txn_end(after);
}

static void read_only_stays_so(void **state)
{
	struct tmpstore *t = *state;
	struct glt_txn *txn;

	events_count(t, "user.add");
	tmpstore_close(t);
	must(glt_store_open(t->dir, false, &t->store, &err));
	must_fail(GLT_UNAVAILABLE, t->dir, glt_txn_begin(t->store, true, &txn, &err));
	assert_null(txn);
	get_is(t, GLT_USERS, "alice", "x");
	/* The writers' lock was given back. */
	tmpstore_close(t);
	tmpstore_open(t);
	tmpstore_put(t, GLT_USERS, S("alice"), S("y"));
}

static void counters_grow(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c;
	struct glt_txn *txn;

	for (uint64_t n = 1; n <= 5; n++) {
		txn = tmpstore_begin(t, true);
		assert_int_equal(glt_next(txn, GLT_NEXT_ID), n);
		assert_int_equal(glt_next(txn, GLT_NEXT_GENERATION), 2 * n - 1);
		assert_int_equal(glt_next(txn, GLT_NEXT_GENERATION), 2 * n);
		c = glt_change_new();
		tmpstore_apply(txn, c);
	}
	txn = tmpstore_begin(t, true);
	assert_int_equal(glt_next(txn, GLT_NEXT_ACCOUNT), 1);
	glt_txn_end(txn);
}

/* ---- walks ---- */

struct seen {
	char text[512];
	size_t n, stop_at;
};

static bool note(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct seen *s = arg;
	size_t used = strlen(s->text);

	(void)snprintf(s->text + used, sizeof(s->text) - used, "%.*s%s ", (int)key.len, (const char *)key.data,
		       value.data ? "" : "!");
	return ++s->n != s->stop_at;
}

static void walk_is(struct tmpstore *t, const char *from, const char *prefix, size_t stop_at, const char *want,
		    const char *backwards)
{
	struct seen there = {.stop_at = stop_at}, back = {.stop_at = stop_at};
	struct glt_txn *txn = tmpstore_begin(t, false);

	must(glt_walk(txn, GLT_USERS, from ? S(from) : ALL, prefix ? S(prefix) : ALL, note, &there, &err));
	assert_string_equal(there.text, want);
	if (backwards) {
		must(glt_walk_back(txn, GLT_USERS, prefix ? S(prefix) : ALL, note, &back, &err));
		assert_string_equal(back.text, backwards);
	}
	glt_txn_end(txn);
}

static void walks(void **state)
{
	static const char *const keys[] = {"a", "ab", "abc", "abd", "ac", "b", "\xff", "\xff\xff", "\377\377a"};
	struct tmpstore *t = *state;
	struct glt_change *c;

	walk_is(t, NULL, NULL, 0, "", "");
	walk_is(t, NULL, "a", 0, "", "");
	c = glt_change_new();
	for (size_t i = sizeof(keys) / sizeof(keys[0]); i-- > 0;)
		glt_change_put(c, GLT_USERS, S(keys[i]), S("v"));
	tmpstore_apply(tmpstore_begin(t, true), c);
	walk_is(t, NULL, NULL, 0, "a ab abc abd ac b \xff \xff\xff \377\377a ",
		"\377\377a \xff\xff \xff b ac abd abc ab a ");
	walk_is(t, NULL, "ab", 0, "ab abc abd ", "abd abc ab ");
	walk_is(t, "abc", "ab", 0, "abc abd ", NULL);
	walk_is(t, "abb", "ab", 0, "abc abd ", NULL);
	walk_is(t, "ac", "ab", 0, "", NULL);
	walk_is(t, "abd", NULL, 2, "abd ac ", NULL);
	walk_is(t, NULL, "ab", 2, "ab abc ", "abd abc ");
	walk_is(t, NULL, "zz", 0, "", "");
	walk_is(t, NULL, "abcd", 0, "", "");
	walk_is(t, NULL, "\xff", 0, "\xff \xff\xff \377\377a ", "\377\377a \xff\xff \xff ");
	walk_is(t, NULL, "\xff\xff", 0, "\xff\xff \377\377a ", "\377\377a \xff\xff ");
	walk_is(t, NULL, "b", 0, "b ", "b ");
}

static bool note_id(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct seen *s = arg;
	size_t used = strlen(s->text);

	assert_int_equal(value.len, GLT_KEY_U64);
	(void)snprintf(s->text + used, sizeof(s->text) - used, "%.*s=%llu ", (int)key.len, (const char *)key.data,
		       (unsigned long long)glt_get_u64(value.data));
	return true;
}

static void ids_are(struct tmpstore *t, const char *want, const char *backwards)
{
	struct seen s = {.n = 0};
	struct glt_txn *txn = tmpstore_begin(t, false);

	must(glt_walk(txn, GLT_BY_OWNER, ALL, ALL, note_id, &s, &err));
	assert_string_equal(s.text, want);
	s.text[0] = '\0';
	must(glt_walk_back(txn, GLT_BY_OWNER, ALL, note_id, &s, &err));
	assert_string_equal(s.text, backwards);
	glt_txn_end(txn);
}

static void links(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c = glt_change_new();

	glt_change_link(c, GLT_BY_OWNER, S("bob"), 300);
	glt_change_link(c, GLT_BY_OWNER, S("bob"), 2);
	glt_change_link(c, GLT_BY_OWNER, S("bob"), 2); /* once is enough */
	glt_change_link(c, GLT_BY_OWNER, S("alice"), UINT64_MAX);
	tmpstore_apply(tmpstore_begin(t, true), c);
	ids_are(t, "alice=18446744073709551615 bob=2 bob=300 ", "bob=300 bob=2 alice=18446744073709551615 ");
	assert_int_equal(tmpstore_count(t, GLT_BY_OWNER), 3);
	c = glt_change_new();
	glt_change_unlink(c, GLT_BY_OWNER, S("bob"), 2);
	glt_change_unlink(c, GLT_BY_OWNER, S("bob"), 4); /* was not there */
	glt_change_unlink(c, GLT_BY_OWNER, S("carol"), 1);
	tmpstore_apply(tmpstore_begin(t, true), c);
	ids_are(t, "alice=18446744073709551615 bob=300 ", "bob=300 alice=18446744073709551615 ");
}

static void numbers_sort(void **state)
{
	static const uint64_t n[] = {0, 1, 255, 256, 65535, UINT32_MAX, UINT64_C(1) << 40, UINT64_MAX};
	uint8_t a[GLT_KEY_U64], b[GLT_KEY_U64];

	(void)state;
	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		glt_put_u64(a, n[i]);
		assert_true(glt_get_u64(a) == n[i]);
		for (size_t k = i + 1; k < sizeof(n) / sizeof(n[0]); k++) {
			glt_put_u64(b, n[k]);
			assert_true(memcmp(a, b, sizeof(a)) < 0);
		}
	}
}

/* ---- audit ---- */

static bool copy_last(void *arg, struct glt_slice key, struct glt_slice value)
{
	(void)key;
	*(Glt__Event **)arg = glt_event_read(value);
	return false;
}

static void audit_chain(void **state)
{
	struct tmpstore *t = *state;
	Glt__Event *last = NULL;
	struct glt_txn *txn;
	struct glt_change *c = glt_change_new();

	for (int n = 0; n < 5; n++)
		events_count(t, "user.add");
	glt_event_object(c, "root", "one", "a", NULL, NULL, NULL);
	glt_event_object(c, NULL, "two", NULL, "old \xc3\xa4", "new\n", "because");
	tmpstore_apply(tmpstore_begin(t, true), c);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), 7);
	tmpstore_check(t); /* each holds the hash of the one before */
	txn = tmpstore_begin(t, false);
	must(glt_walk_back(txn, GLT_AUDIT, ALL, copy_last, &last, &err));
	glt_txn_end(txn);
	assert_non_null(last);
	assert_int_equal(last->seq, 7);
	assert_string_equal(last->actor, "");
	assert_string_equal(last->action, "two");
	assert_string_equal(last->object, "");
	assert_string_equal(last->before, "old \xc3\xa4");
	assert_string_equal(last->after, "new\n");
	assert_string_equal(last->reason, "because");
	glt__event__free_unpacked(last, NULL);
}

/* The end of the chain is kept as well, so that a log cut short shows. */
static void audit_head(void **state)
{
	struct tmpstore *t = *state;
	struct glt_slice head, seq, link;
	struct glt_head h;
	struct glt_txn *txn;

	events_count(t, "user.add");
	events_count(t, "user.edit");
	txn = tmpstore_begin(t, false);
	must(glt_get(txn, GLT_META, S("head"), &head, &err));
	must(glt_get(txn, GLT_META, S("seq"), &seq, &err));
	must(glt_get(txn, GLT_META, S("link"), &link, &err));
	must(glt_store_head(txn, &h, &err));
	assert_int_equal(head.len, sizeof(h.hash));
	assert_memory_equal(head.data, h.hash, sizeof(h.hash));
	assert_int_equal(glt_get_u64(seq.data), 2);
	assert_int_equal(link.len, 12);
	assert_int_equal(glt_get_u64(link.data), 2);
	assert_int_equal(h.seq, 2);
	glt_txn_end(txn);
	tmpstore_check(t); /* and they are of the last event */
}

static void statistics(void **state)
{
	struct tmpstore *t = *state;
	struct glt_store_stats stats;
	struct glt_txn *txn;

	for (int n = 0; n < 50; n++)
		events_count(t, "user.add");
	tmpstore_check(t);
	txn = tmpstore_begin(t, false);
	must(glt_store_stat(txn, &stats));
	glt_txn_end(txn);
	assert_int_equal(stats.entries[GLT_AUDIT], 50);
	assert_int_equal(stats.entries[GLT_USERS], 1);
	assert_true(stats.used_bytes > 0 && stats.used_bytes <= stats.file_bytes &&
		    stats.file_bytes < stats.map_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(put_get_del),
		with_store(change_copies),
		with_store(many_values),
		with_store(ended_is_nothing),
		with_store(failed_is_nothing),
		with_store(half_is_nothing),
		with_store(reader_sees_its_moment),
		with_store(read_only_stays_so),
		with_store(counters_grow),
		with_store(walks),
		with_store(links),
		cmocka_unit_test(numbers_sort),
		with_store(audit_chain),
		with_store(audit_head),
		with_store(statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
