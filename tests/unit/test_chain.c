/* SPDX-License-Identifier: MIT */
/* Each event that is flipped, deleted, cut off or moved is found and named, though its checksum is right. */
#include "tmpstore.h"

#include "event.h"
#include "tools/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 8

/* ---- a log of EVENTS events, and hands on it ---- */

static int fill(void **state)
{
	struct tmpstore *t;

	if (tmpstore_setup(state) != 0)
		return -1;
	t = *state;
	for (int i = 1; i <= EVENTS; i++) {
		struct glt_txn *txn = tmpstore_begin(t, true);
		struct glt_change *c = glt_change_new();
		char object[32];

		(void)snprintf(object, sizeof(object), "object %d", i);
		glt_event_object(c, "root", i == EVENTS ? "store.last" : "test", object, NULL, NULL, NULL);
		tmpstore_apply(txn, c);
	}
	return 0;
}

#define with_log(test) cmocka_unit_test_setup_teardown(test, fill, tmpstore_teardown)

struct bytes {
	uint8_t data[512];
	size_t len;
};

static struct glt_slice key_of(uint64_t seq, uint8_t key[GLT_KEY_U64])
{
	glt_put_u64(key, seq);
	return (struct glt_slice){key, GLT_KEY_U64};
}

static struct bytes get(struct tmpstore *t, uint64_t seq)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	uint8_t key[GLT_KEY_U64];
	struct glt_slice v = {NULL, 0};
	struct bytes b;

	must(glt_get(txn, GLT_AUDIT, key_of(seq, key), &v, &err));
	assert_true(v.len <= sizeof(b.data));
	memcpy(b.data, v.data, v.len);
	b.len = v.len;
	glt_txn_end(txn);
	return b;
}

static void put(struct tmpstore *t, uint64_t seq, const struct bytes *b)
{
	uint8_t key[GLT_KEY_U64];

	tmpstore_put(t, GLT_AUDIT, key_of(seq, key), (struct glt_slice){b->data, b->len});
}

static void drop(struct tmpstore *t, uint64_t seq)
{
	struct glt_txn *txn = tmpstore_begin(t, true);
	struct glt_change *c = glt_change_new();
	uint8_t key[GLT_KEY_U64];

	glt_change_del(c, GLT_AUDIT, key_of(seq, key));
	tmpstore_apply(txn, c);
}

enum { SEQ = 1, OBJECT = 2, PREVIOUS = 4 };

/* Write event from in the place of event at, with what of it changed. */
static void forge(struct tmpstore *t, uint64_t from, uint64_t at, unsigned what, const struct glt_head *before)
{
	struct bytes b = get(t, from);
	Glt__Event *ev = glt_event_read((struct glt_slice){b.data, b.len});
	uint8_t *bytes;

	assert_non_null(ev);
	if (what & SEQ)
		ev->seq = at;
	if (what & OBJECT)
		ev->object[0] ^= 1;
	if (what & PREVIOUS)
		ev->link = before ? before->link : ev->link ^ 1;
	bytes = glt_event_write(ev, &b.len);
	assert_non_null(bytes);
	assert_true(b.len <= sizeof(b.data));
	memcpy(b.data, bytes, b.len);
	free(bytes);
	glt__event__free_unpacked(ev, NULL);
	put(t, at, &b);
}

static void advance(struct tmpstore *t, uint64_t seq, struct glt_head *h)
{
	struct bytes b = get(t, seq);
	const struct glt_slice stored = {b.data, b.len};
	Glt__Event *ev = glt_event_read(stored);

	assert_non_null(ev);
	glt_head_advance(h, ev, stored);
	glt__event__free_unpacked(ev, NULL);
}

static struct glt_head head(struct tmpstore *t)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	struct glt_head h;

	must(glt_store_head(txn, &h, &err));
	glt_txn_end(txn);
	return h;
}

/* Exactly these sentences come, in this order; each is the beginning of one. */
static void found(struct tmpstore *t, const struct glt_head *known, size_t n_known, const char *const want[])
{
	struct glt_chain c;
	size_t n = 0;

	must(glt_chain_verify(t->store, known, n_known, &c, &err));
	while (want[n])
		n++;
	for (size_t i = 0; i < c.n; i++)
		if (i >= n || strncmp(c.problem[i], want[i], strlen(want[i])) != 0)
			fail_msg("said '%s' where '%s' was expected", c.problem[i], i < n ? want[i] : "nothing");
	assert_int_equal(c.n, n);
	glt_chain_free(&c);
}

#define finds(...) found(t, NULL, 0, (const char *const[]){__VA_ARGS__, NULL})

/* ---- tests ---- */

static void whole(void **state)
{
	struct tmpstore *t = *state;
	const struct glt_head last = head(t);

	assert_int_equal(last.seq, EVENTS);
	found(t, &last, 1, (const char *const[]){NULL});
}

static void empty(void **state)
{
	struct tmpstore *t = *state;
	const struct glt_head one = {.seq = 1};

	found(t, NULL, 0, (const char *const[]){NULL});
	found(t, &one, 1, (const char *const[]){"event 1 is missing: the end was cut off", NULL});
}

static void flipped(void **state)
{
	struct tmpstore *t = *state;
	char want[64];

	for (uint64_t i = 1; i <= EVENTS; i++) {
		struct bytes was = get(t, i);

		forge(t, i, i, OBJECT, NULL);
		(void)snprintf(want, sizeof(want), "event %d was changed: ", (int)i);
		finds(want);
		put(t, i, &was);
	}
}

/* A flipped copy of the hash before is a changed event as any other. */
static void flipped_link(void **state)
{
	struct tmpstore *t = *state;

	forge(t, 4, 4, PREVIOUS, NULL);
	finds("event 4 was changed");
}

static void flipped_two(void **state)
{
	struct tmpstore *t = *state;

	forge(t, 3, 3, OBJECT, NULL);
	forge(t, 6, 6, OBJECT, NULL);
	finds("event 3 was changed", "event 6 was changed");
}

/* A bit of the file: the checksum says it. */
static void rotten(void **state)
{
	struct tmpstore *t = *state;
	struct bytes b = get(t, 5);

	b.len = 1;
	put(t, 5, &b);
	finds("event 5 was changed: it cannot be read");
}

static void deleted(void **state)
{
	struct tmpstore *t = *state;

	for (uint64_t i = 1; i < EVENTS; i++) {
		struct bytes was = get(t, i);
		char want[64];

		drop(t, i);
		(void)snprintf(want, sizeof(want), "event %d is missing: removed", (int)i);
		finds(want);
		put(t, i, &was);
	}
	drop(t, 3);
	drop(t, 4);
	finds("events 3 to 4 are missing: removed");
}

/* Removed, and those behind it moved up. */
static void deleted_and_closed_up(void **state)
{
	struct tmpstore *t = *state;

	for (uint64_t i = 4; i < EVENTS; i++)
		forge(t, i + 1, i, SEQ, NULL);
	drop(t, EVENTS);
	finds("event 4 was changed", "event 5 was changed", "event 6 was changed",
	      "event 8 is missing: the end was cut off");
}

static void truncated(void **state)
{
	struct tmpstore *t = *state;

	drop(t, EVENTS);
	finds("event 8 is missing: the end was cut off");
	drop(t, EVENTS - 1);
	finds("events 7 to 8 are missing: the end was cut off");
}

static void reordered(void **state)
{
	struct tmpstore *t = *state;
	struct bytes three = get(t, 3), four = get(t, 4);

	put(t, 3, &four);
	put(t, 4, &three);
	finds("event 4 stands in the place of event 3: the order was changed",
	      "event 3 stands in the place of event 4: the order was changed");
}

static void reordered_and_renumbered(void **state)
{
	struct tmpstore *t = *state;
	struct bytes three = get(t, 3);

	forge(t, 4, 3, SEQ, NULL);
	put(t, 4, &three);
	forge(t, 4, 4, SEQ, NULL);
	finds("event 4 was made right behind event 2: event 3 was put in between, or the order was changed",
	      "event 4 was changed");
}

/* Who writes the store can make it all anew, head and all; not what was logged elsewhere. */
static void made_anew(void **state)
{
	struct tmpstore *t = *state;
	const struct glt_head logged = head(t);
	struct glt_head h = {0};
	struct glt_txn *txn;
	struct glt_change *c;

	forge(t, 4, 4, OBJECT, NULL);
	for (uint64_t i = 1; i <= EVENTS; i++) {
		if (i > 4)
			forge(t, i, i, PREVIOUS, &h);
		advance(t, i, &h);
	}
	txn = tmpstore_begin(t, true);
	c = glt_change_new();
	glt_chain_from(txn, &h);
	tmpstore_apply(txn, c);
	found(t, NULL, 0, (const char *const[]){NULL});
	found(t, &logged, 1, (const char *const[]){"event 8 is not the one whose hash was given", NULL});
}

/* Cut off with a new end: found by what was logged. */
static void cut_anew(void **state)
{
	struct tmpstore *t = *state;
	const struct glt_head logged = head(t);
	struct glt_head h = {.seq = 0};
	struct glt_txn *txn;

	drop(t, 7);
	drop(t, 8);
	for (uint64_t i = 1; i <= 6; i++)
		advance(t, i, &h);
	txn = tmpstore_begin(t, true);
	glt_chain_from(txn, &h);
	tmpstore_apply(txn, glt_change_new());
	found(t, NULL, 0, (const char *const[]){NULL});
	found(t, &logged, 1, (const char *const[]){"events 7 to 8 are missing: the end was cut off", NULL});
}

/* All links made anew, so that nothing tells which: the hash that the store keeps does not fit. */
static void links_made_anew(void **state)
{
	struct tmpstore *t = *state;
	const struct glt_head logged = head(t);
	struct glt_head h = {0}, six = {0};
	struct glt_txn *txn;
	struct glt_change *c;

	for (uint64_t i = 1; i <= 6; i++)
		advance(t, i, &six);
	forge(t, 4, 4, OBJECT, NULL);
	for (uint64_t i = 1; i <= EVENTS; i++) {
		if (i > 4)
			forge(t, i, i, PREVIOUS, &h);
		advance(t, i, &h);
	}
	memcpy(h.hash, logged.hash, sizeof(h.hash));
	txn = tmpstore_begin(t, true);
	c = glt_change_new();
	glt_chain_from(txn, &h);
	tmpstore_apply(txn, c);
	finds("the events do not lead to the hash that the store keeps of event 8");
	found(t, &six, 1, (const char *const[]){"event 6 is not the one whose hash was given", NULL});
}

/* Bytes that stand for phrases of a later version, or for none. */
static void unknown_phrases(void **state)
{
	struct bytes b = get(*state, 1);
	Glt__Event *ev = glt_event_read((struct glt_slice){b.data, b.len});
	char odd[] = "a\x1f", *actor;

	assert_non_null(ev);
	actor = ev->actor;
	ev->actor = odd;
	for (unsigned phrases = 0; phrases <= 2; phrases++) {
		Glt__Event *read;

		ev->phrases = phrases;
		b.len = glt__event__pack(ev, b.data);
		read = glt_event_read((struct glt_slice){b.data, b.len});
		assert_true((read != NULL) == (phrases == 0));
		if (read)
			glt__event__free_unpacked(read, NULL);
	}
	ev->actor = actor;
	glt__event__free_unpacked(ev, NULL);
}

/* ---- what an earlier version wrote: each event has the whole hash of the one before ---- */

/* Make events first to last such ones, and the others as they are now. */
static void make_earlier(struct tmpstore *t, uint64_t first, uint64_t last)
{
	struct glt_head h = {0};
	struct glt_txn *txn;

	for (uint64_t i = 1; i <= EVENTS; i++) {
		struct bytes b = get(t, i);
		Glt__Event *ev = glt_event_read((struct glt_slice){b.data, b.len});

		assert_non_null(ev);
		ev->link = i < first || i > last ? h.link : 0;
		ev->phrases = 0;
		free(ev->previous.data);
		ev->previous = (ProtobufCBinaryData){0, NULL};
		if (i >= first && i <= last) {
			ev->previous = (ProtobufCBinaryData){GLT_EVENT_HASH, malloc(GLT_EVENT_HASH)};
			memcpy(ev->previous.data, h.hash, GLT_EVENT_HASH);
		}
		b.len = glt__event__pack(ev, b.data);
		put(t, i, &b);
		glt__event__free_unpacked(ev, NULL);
		advance(t, i, &h);
	}
	txn = tmpstore_begin(t, true);
	glt_chain_from(txn, &h);
	tmpstore_apply(txn, glt_change_new());
}

static void earlier_version(void **state)
{
	struct tmpstore *t = *state;
	struct glt_head last;

	make_earlier(t, 1, 5); /* upgraded */
	last = head(t);
	found(t, &last, 1, (const char *const[]){NULL});
	flipped(state);
	make_earlier(t, 4, 6); /* and back again for a while */
	finds(NULL);
	flipped(state);
	deleted(state);
}

/* Only a restore may leave a gap, and only behind the event that it knows. */
static void restored(void **state)
{
	struct tmpstore *t = *state;
	struct glt_head h = head(t);
	struct glt_txn *txn = tmpstore_begin(t, true);
	struct glt_change *c = glt_change_new();
	struct glt_chain chain;

	h.seq += 1000;
	glt_chain_from(txn, &h);
	glt_event_object(c, "root", "store.restore", "backup", NULL, NULL, NULL);
	tmpstore_apply(txn, c);
	must(glt_chain_verify(t->store, NULL, 0, &chain, &err));
	assert_int_equal(chain.n, 0);
	assert_int_equal(chain.restores, 1);
	assert_int_equal(chain.head.seq, EVENTS + 1001);
	glt_chain_free(&chain);
	drop(t, EVENTS);
	finds("events 8 to 1008 are missing: removed");
}

/* Anything else that goes on behind a gap is not what left it. */
static void gap_of_another(void **state)
{
	struct tmpstore *t = *state;
	struct glt_head h = head(t);
	struct glt_txn *txn = tmpstore_begin(t, true);
	struct glt_change *c = glt_change_new();

	h.seq += 10;
	glt_chain_from(txn, &h);
	glt_event_object(c, "root", "user.add", "mallory", NULL, NULL, NULL);
	tmpstore_apply(txn, c);
	finds("events 9 to 18 are missing: removed");
}

static void heads(void **state)
{
	static const char hash[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	struct glt_head h;
	char text[128];

	(void)state;
	(void)snprintf(text, sizeof(text), "17:%s", hash);
	must(glt_head_parse(text, &h, &err));
	assert_int_equal(h.seq, 17);
	assert_int_equal(h.hash[31], 0xff);
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = {"", "17", "17:", "-1:00", "x:00", "17:0011"};

		must_fail(GLT_INVALID, "must be SEQ:HASH", glt_head_parse(bad[i], &h, &err));
	}
	(void)snprintf(text, sizeof(text), "17:%s0", hash);
	must_fail(GLT_INVALID, "must be SEQ:HASH", glt_head_parse(text, &h, &err));
}

struct seen {
	struct glt_head last;
	unsigned times;
	unsigned parts;
};

static void note(void *arg, const struct glt_head *h, unsigned parts)
{
	struct seen *s = arg;

	s->parts |= parts;
	s->last = *h;
	s->times++;
}

static void watched(void **state)
{
	struct tmpstore *t = *state;
	struct seen s = {.times = 0};
	struct glt_change *c = glt_change_new();
	struct glt_head h;

	glt_store_watch(t->store, note, &s);
	glt_event_object(c, "root", "one", NULL, NULL, NULL, NULL);
	glt_event_object(c, "root", "two", NULL, NULL, NULL, NULL);
	tmpstore_apply(tmpstore_begin(t, true), c);
	h = head(t);
	assert_int_equal(s.times, 1);
	assert_int_equal(s.parts, 0);
	assert_int_equal(s.last.seq, EVENTS + 2);
	assert_memory_equal(s.last.hash, h.hash, sizeof(h.hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_log(whole),
		with_store(empty),
		with_log(flipped),
		with_log(flipped_link),
		with_log(flipped_two),
		with_log(rotten),
		with_log(deleted),
		with_log(deleted_and_closed_up),
		with_log(truncated),
		with_log(reordered),
		with_log(reordered_and_renumbered),
		with_log(made_anew),
		with_log(cut_anew),
		with_log(links_made_anew),
		with_log(unknown_phrases),
		with_log(earlier_version),
		with_log(restored),
		with_log(gap_of_another),
		cmocka_unit_test(heads),
		with_log(watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
