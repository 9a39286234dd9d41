/* SPDX-License-Identifier: MIT */
/* Several processes at one store: writers at once, growth of the map, and writers that are killed. */
#include "tmpstore.h"

#include "event.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define S(text) glt_slice_str(text)
#define MIB (UINT64_C(1) << 20)

/* The children use no cmocka: they say false, and why on stderr. */
static bool ok(enum glt_status st, const struct glt_err *err)
{
	if (st != GLT_OK)
		(void)dprintf(STDERR_FILENO, "child: %s\n", err->text);
	return st == GLT_OK;
}

static bool open_store(struct tmpstore *t)
{
	struct glt_err err;

	return ok(glt_store_open(t->dir, true, &t->store, &err), &err);
}

/* ---- two writers lose nothing ---- */

#define WRITERS 4
#define CHANGES 40

/* Each change: a numbered value, an index entry and an event. */
static bool write_one(struct tmpstore *t, const char *who)
{
	struct glt_change *c = glt_change_new();
	struct glt_txn *txn;
	struct glt_err err;
	char key[32];
	uint64_t id;
	bool done;

	if (!c || !ok(glt_txn_begin(t->store, true, &txn, &err), &err))
		return false;
	id = glt_next(txn, GLT_NEXT_ID);
	(void)glt_next(txn, GLT_NEXT_GENERATION);
	(void)snprintf(key, sizeof(key), "%08llu", (unsigned long long)id);
	glt_change_put(c, GLT_USERS, S(key), S(who));
	glt_change_link(c, GLT_BY_OWNER, S(who), id);
	glt_event_object(c, who, "test", key, NULL, NULL, NULL);
	done = ok(glt_store_apply(txn, c, &err), &err);
	glt_change_free(c);
	return done;
}

static bool write_many(struct tmpstore *t, void *arg)
{
	if (!open_store(t))
		return false;
	for (int n = 0; n < CHANGES; n++)
		if (!write_one(t, arg))
			return false;
	glt_store_close(t->store);
	return true;
}

static void writers_lose_nothing(void **state)
{
	static char *const names[WRITERS] = {MUT("w1"), MUT("w2"), MUT("w3"), MUT("w4")};
	struct tmpstore *t = *state;
	pid_t pid[WRITERS];
	struct glt_txn *txn;

	tmpstore_close(t);
	for (int n = 0; n < WRITERS; n++)
		pid[n] = child_start(t, write_many, names[n]);
	for (int n = 0; n < WRITERS; n++)
		child_ok(pid[n]);
	tmpstore_open(t);
	txn = tmpstore_begin(t, true);
	assert_int_equal(glt_count(txn, GLT_USERS), WRITERS * CHANGES);
	assert_int_equal(glt_count(txn, GLT_BY_OWNER), WRITERS * CHANGES);
	assert_int_equal(glt_count(txn, GLT_AUDIT), WRITERS * CHANGES);
	assert_int_equal(glt_next(txn, GLT_NEXT_ID), WRITERS * CHANGES + 1);
	assert_int_equal(glt_next(txn, GLT_NEXT_GENERATION), WRITERS * CHANGES + 1);
	for (int n = 1; n <= WRITERS * CHANGES; n++) {
		struct glt_slice v;
		char key[32];

		(void)snprintf(key, sizeof(key), "%08d", n);
		must(glt_get(txn, GLT_USERS, S(key), &v, &err));
	}
	glt_txn_end(txn);
}

static bool chain_is_whole(struct tmpstore *t)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	uint8_t head[32] = {0}, own[32] = {0}, key[GLT_KEY_U64];
	uint64_t n = glt_count(txn, GLT_AUDIT);

	for (uint64_t seq = 1; seq <= n; seq++) {
		struct glt_slice v;
		Glt__Event *ev;

		glt_put_u64(key, seq);
		must(glt_get(txn, GLT_AUDIT, (struct glt_slice){key, sizeof(key)}, &v, &err));
		ev = glt__event__unpack(NULL, v.len, v.data);
		assert_non_null(ev);
		tmpstore_link(ev, v, head, own);
		glt__event__free_unpacked(ev, NULL);
	}
	glt_txn_end(txn);
	return n > 0;
}

static void chain_over_writers(void **state)
{
	struct tmpstore *t = *state;
	pid_t a, b;

	tmpstore_close(t);
	a = child_start(t, write_many, MUT("w1"));
	b = child_start(t, write_many, MUT("w2"));
	child_ok(a);
	child_ok(b);
	tmpstore_open(t);
	assert_true(chain_is_whole(t));
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), 2 * CHANGES);
}

/* ---- killed writers ---- */

static bool write_until_killed(struct tmpstore *t, void *arg)
{
	(void)arg;
	if (!open_store(t))
		return false;
	while (write_one(t, "victim"))
		;
	return false;
}

static void killed_in_the_middle(void **state)
{
	struct tmpstore *t = *state;
	uint64_t before = 0;

	tmpstore_close(t);
	for (int round = 0; round < 25; round++) {
		pid_t pid = child_start(t, write_until_killed, NULL);
		struct timespec nap = {0, (3 + (long)randombytes_uniform(20)) * 1000 * 1000};
		struct glt_txn *txn;
		uint64_t n;
		int status;

		(void)nanosleep(&nap, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		status = child_wait(pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		tmpstore_open(t);
		txn = tmpstore_begin(t, false);
		n = glt_count(txn, GLT_USERS);
		assert_true(n >= before);
		assert_int_equal(glt_count(txn, GLT_BY_OWNER), n);
		assert_int_equal(glt_count(txn, GLT_AUDIT), n);
		glt_txn_end(txn);
		assert_true(write_one(t, "survivor"));
		before = n + 1;
		tmpstore_close(t);
	}
	tmpstore_open(t);
	assert_true(chain_is_whole(t));
}

/* Inside an open transaction, with the writers' lock and LMDB's own held. */
static bool stop_inside(struct tmpstore *t, void *arg)
{
	struct glt_change *c = glt_change_new();
	struct glt_txn *txn;
	struct glt_err err;
	int *ready = arg;

	if (!open_store(t) || !ok(glt_txn_begin(t->store, true, &txn, &err), &err))
		return false;
	glt_change_put(c, GLT_USERS, S("half"), S("done"));
	if (write(ready[1], "x", 1) != 1)
		return false;
	(void)pause();
	return false;
}

/* A child that got to where fn says so, by a byte to the pipe that is its argument. */
static pid_t child_there(struct tmpstore *t, child_fn *fn)
{
	int ready[2];
	pid_t pid;
	char x;

	assert_int_equal(pipe(ready), 0);
	pid = child_start(t, fn, ready);
	assert_int_equal(read(ready[0], &x, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static void killed_with_the_locks(void **state)
{
	struct tmpstore *t = *state;
	time_t start;
	pid_t pid;

	tmpstore_close(t);
	pid = child_there(t, stop_inside);
	/* Readers do not wait for a writer. */
	tmpstore_open(t);
	assert_int_equal(tmpstore_count(t, GLT_USERS), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)child_wait(pid);
	start = time(NULL);
	assert_true(write_one(t, "survivor"));
	assert_true(time(NULL) - start < 20);
	assert_int_equal(tmpstore_count(t, GLT_USERS), 1);
}

/* A writer that does not end: the next one gives up, and says so. */
static void busy(void **state)
{
	struct tmpstore *t = *state;
	struct glt_txn *txn;
	time_t start;
	pid_t pid;

	tmpstore_close(t);
	pid = child_there(t, stop_inside);
	tmpstore_open(t);
	start = time(NULL);
	must_fail(GLT_BUSY, "another writer", glt_txn_begin(t->store, true, &txn, &err));
	assert_null(txn);
	assert_true(time(NULL) - start >= 2 && time(NULL) - start < 30);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)child_wait(pid);
	assert_true(write_one(t, "next"));
}

static bool keep_open(struct tmpstore *t, void *arg)
{
	int *ready = arg;

	if (!open_store(t) || write(ready[1], "x", 1) != 1)
		return false;
	(void)pause();
	return false;
}

static bool read_until_killed(struct tmpstore *t, void *arg)
{
	struct glt_txn *txn;
	int *ready = arg;

	if (!open_store(t) || glt_txn_begin(t->store, false, &txn, NULL) != GLT_OK)
		return false;
	if (write(ready[1], "x", 1) != 1)
		return false;
	(void)pause();
	return false;
}

/* The snapshot of a reader that was killed keeps no pages: the file stays small. LMDB forgets all readers where nobody
 * else has the store open, so somebody has. */
static void killed_reader(void **state)
{
	struct tmpstore *t = *state;
	struct glt_store_stats stats;
	struct glt_txn *txn;
	pid_t pid, other;

	tmpstore_close(t);
	other = child_there(t, keep_open);
	pid = child_there(t, read_until_killed);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)child_wait(pid);
	tmpstore_open(t);
	for (int n = 0; n < 30; n++) {
		static const char big[200 * 1024] = "x";

		tmpstore_put(t, GLT_USERS, S("alice"), (struct glt_slice){big, sizeof(big)});
	}
	txn = tmpstore_begin(t, false);
	must(glt_store_stat(txn, &stats));
	glt_txn_end(txn);
	assert_true(stats.file_bytes < 3 * MIB);
	assert_int_equal(kill(other, SIGKILL), 0);
	(void)child_wait(other);
}

/* Who reads on while others change is told, with what it holds; not where it was killed. */
static void oldest_reader(void **state)
{
	struct tmpstore *t = *state;
	struct glt_store_stats stats;
	struct glt_txn *txn;
	pid_t pid;

	tmpstore_close(t);
	pid = child_there(t, read_until_killed);
	tmpstore_open(t);
	for (unsigned n = 0; n < 4; n++) {
		txn = tmpstore_begin(t, false);
		must(glt_store_stat(txn, &stats));
		glt_txn_end(txn);
		assert_int_equal(stats.oldest.pid, pid);
		assert_int_equal(stats.oldest.changes, n);
		assert_true(n == 0 ? stats.oldest.held_bytes == 0 : stats.oldest.held_bytes >= n * 4096);
		assert_true(stats.oldest.held_bytes <= stats.free_bytes);
		tmpstore_put(t, GLT_USERS, S("alice"), S("x"));
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)child_wait(pid);
	tmpstore_put(t, GLT_USERS, S("alice"), S("x"));
	txn = tmpstore_begin(t, false);
	must(glt_store_stat(txn, &stats));
	glt_txn_end(txn);
	assert_int_equal(stats.oldest.pid, 0);
	assert_int_equal(stats.oldest.changes, 0);
	assert_int_equal(stats.oldest.held_bytes, 0);
}

/* ---- the map grows past what other processes have mapped ---- */

static bool fill_up_to(struct tmpstore *t, uint64_t bytes, const char *tag)
{
	static char big[4 * 1024 * 1024];
	struct glt_store_stats stats = {.used_bytes = 0};

	memset(big, 'b', sizeof(big));
	for (unsigned n = 0; stats.used_bytes < bytes; n++) {
		struct glt_change *c = glt_change_new();
		struct glt_txn *txn;
		struct glt_err err;
		char key[32];

		for (unsigned i = 0; i < 4; i++) {
			(void)snprintf(key, sizeof(key), "%s%04u.%u", tag, n, i);
			glt_change_put(c, GLT_USERS, S(key), (struct glt_slice){big, sizeof(big)});
		}
		if (!ok(glt_txn_begin(t->store, true, &txn, &err), &err) ||
		    !ok(glt_store_apply(txn, c, &err), &err))
			return false;
		glt_change_free(c);
		if (!ok(glt_txn_begin(t->store, false, &txn, &err), &err))
			return false;
		if (glt_store_stat(txn, &stats) != GLT_OK)
			return false;
		glt_txn_end(txn);
	}
	return true;
}

struct growth {
	int to_child[2], to_parent[2];
	uint64_t bytes; /* that the parent has filled when it tells the child */
	bool write_first;
	pid_t pid;
};

static bool hear(int fd)
{
	char x;

	return read(fd, &x, 1) == 1;
}

static bool tell(int fd)
{
	return write(fd, "x", 1) == 1;
}

static bool sees_all(struct tmpstore *t, uint64_t bytes)
{
	struct glt_store_stats stats;
	struct glt_txn *txn;
	struct glt_slice v;
	struct glt_err err;
	bool good;

	if (!ok(glt_txn_begin(t->store, false, &txn, &err), &err))
		return false;
	good = ok(glt_get(txn, GLT_USERS, S("fill0000.3"), &v, &err), &err) && v.len == 4 * MIB &&
	       glt_store_stat(txn, &stats) == GLT_OK && stats.used_bytes >= bytes;
	glt_txn_end(txn);
	return good;
}

/* Opens while the store is small, and uses it after it has grown. */
static bool small_map(struct tmpstore *t, void *arg)
{
	struct growth *g = arg;
	bool good;

	if (!open_store(t) || !tell(g->to_parent[1]) || !hear(g->to_child[0]))
		return false;
	if (!g->write_first && !sees_all(t, g->bytes))
		return false;
	good = fill_up_to(t, g->bytes + 24 * MIB, g->write_first ? "b" : "a") && write_one(t, "small");
	good = good && sees_all(t, g->bytes + 24 * MIB);
	glt_store_close(t->store);
	return good;
}

static void start_small(struct tmpstore *t, struct growth *g, uint64_t bytes, bool write_first)
{
	g->bytes = bytes;
	g->write_first = write_first;
	assert_int_equal(pipe(g->to_child), 0);
	assert_int_equal(pipe(g->to_parent), 0);
	g->pid = child_start(t, small_map, g);
	assert_true(hear(g->to_parent[0]));
}

static void finish_small(struct tmpstore *t, struct growth *g)
{
	assert_true(fill_up_to(t, g->bytes, g->write_first ? "more" : "fill"));
	assert_true(tell(g->to_child[1]));
	child_ok(g->pid);
	for (int i = 0; i < 2; i++) {
		(void)close(g->to_child[i]);
		(void)close(g->to_parent[i]);
	}
}

static void grows_under_others(void **state)
{
	struct tmpstore *t = *state;
	struct glt_store_stats stats;
	struct growth reads, writes;
	struct glt_txn *txn;

	txn = tmpstore_begin(t, false);
	must(glt_store_stat(txn, &stats));
	glt_txn_end(txn);
	tmpstore_close(t);
	/* One past the first map, and one so far that twice the map it has is not enough. */
	start_small(t, &reads, stats.map_size + 8 * MIB, false);
	start_small(t, &writes, 2 * stats.map_size + 40 * MIB, true);
	tmpstore_open(t);
	finish_small(t, &reads);
	finish_small(t, &writes);
	assert_true(write_one(t, "large"));
	txn = tmpstore_begin(t, false);
	must(glt_store_stat(txn, &stats));
	glt_txn_end(txn);
	assert_true(stats.used_bytes > writes.bytes && stats.map_size > stats.used_bytes);
}

/* ---- no room on the disk ---- */

static bool write_without_room(struct tmpstore *t, void *arg)
{
	static char big[1024 * 1024];
	struct rlimit limit = {MIB, MIB};
	struct glt_change *c = glt_change_new();
	struct glt_txn *txn;
	struct glt_slice v;
	struct glt_err err;
	bool good;

	(void)arg;
	(void)signal(SIGXFSZ, SIG_IGN);
	if (!open_store(t) || !write_one(t, "first") || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return false;
	glt_change_put(c, GLT_USERS, S("big"), (struct glt_slice){big, sizeof(big)});
	if (!ok(glt_txn_begin(t->store, true, &txn, &err), &err))
		return false;
	if (glt_store_apply(txn, c, &err) != GLT_UNAVAILABLE || !strstr(err.text, t->dir))
		return false;
	glt_change_free(c);
	/* What is small still fits, a revocation for instance. */
	if (!write_one(t, "second") || !ok(glt_txn_begin(t->store, false, &txn, &err), &err))
		return false;
	good = glt_get(txn, GLT_USERS, S("big"), &v, &err) == GLT_NOT_FOUND && glt_count(txn, GLT_USERS) == 2;
	glt_txn_end(txn);
	glt_store_close(t->store);
	return good;
}

static void full_disk(void **state)
{
	struct tmpstore *t = *state;

	tmpstore_close(t);
	child_ok(child_start(t, write_without_room, NULL));
	tmpstore_open(t);
	assert_int_equal(tmpstore_count(t, GLT_USERS), 2);
	assert_true(chain_is_whole(t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(writers_lose_nothing),
		with_store(chain_over_writers),
		with_store(killed_in_the_middle),
		with_store(killed_with_the_locks),
		with_store(busy),
		with_store(killed_reader),
		with_store(oldest_reader),
		with_store(grows_under_others),
		with_store(full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
