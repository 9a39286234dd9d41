/* SPDX-License-Identifier: MIT */
/* What backup and restore need of the store: copies, numbers that leap, and a folder that is exchanged. */
#include "tmpstore.h"

#include "event.h"
#include "tools/backupfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int file(struct tmpstore *t, const char *name)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", t->top, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static uint64_t users(struct glt_store *store)
{
	struct glt_txn *txn;
	uint64_t n;

	must(glt_txn_begin(store, false, &txn, &err));
	n = glt_count(txn, GLT_USERS);
	glt_txn_end(txn);
	return n;
}

static void copy_is_of_its_moment(void **state)
{
	struct tmpstore *t = *state;
	struct glt_store *copy;
	int fd = file(t, "copy");

	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	must(glt_store_copy(t->store, fd, &err));
	tmpstore_user(t, "bob", true, GLT__STATE__LIVE);
	must(glt_store_open_copy(fd, &copy, &err));
	assert_int_equal(users(copy), 1);
	assert_int_equal(users(t->store), 2);
	glt_store_close(copy);
	(void)close(fd);
}

static void backup(void **state)
{
	struct tmpstore *t = *state;
	struct glt_backup b, again;
	uint8_t key[32], none[32] = {0};
	int fd = file(t, "backup");
	uint64_t id;

	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	id = tmpstore_issue(t,
			    &(struct glt_issue){.type = GLT__TYPE__PERSONAL,
						.name = "x",
						.target = "alice",
						.scopes = READ_REPO,
						.expires_at = NOW + DAY,
						.actor = "root",
						.now = NOW},
			    NULL);
	assert_int_equal(id, 1);
	memcpy(key, glt_store_key(t->store), sizeof(key));
	must(glt_backup_write(t->store, fd, NOW, &b, &err));
	t->store = NULL;
	assert_int_equal(b.head.seq, 1);
	assert_memory_equal(b.key, none, sizeof(none));
	assert_true(glt_backup_is(fd));
	must(glt_backup_read(fd, -1, &again, &err));
	assert_memory_equal(again.key, key, sizeof(key));
	assert_memory_equal(again.head.hash, b.head.hash, sizeof(b.head.hash));
	assert_int_equal(again.made_at, NOW);
	(void)close(fd);
}

/* Any byte: of the copy, of the trailer, of the hash. */
static void damaged_backup(void **state)
{
	struct tmpstore *t = *state;
	struct glt_backup b;
	struct stat sb;
	int fd = file(t, "backup");

	must(glt_backup_write(t->store, fd, NOW, &b, &err));
	t->store = NULL;
	assert_int_equal(fstat(fd, &sb), 0);
	for (off_t at = 0; at < sb.st_size; at += at < sb.st_size - GLT_BACKUP_TRAILER ? 1021 : 1) {
		struct glt_err err = {GLT_OK, ""};
		uint8_t was, flipped;
		enum glt_status st;

		assert_int_equal(pread(fd, &was, 1, at), 1);
		flipped = was ^ 0x10;
		assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
		st = glt_backup_read(fd, -1, &b, &err);
		if (st != GLT_DAMAGED && st != GLT_REFUSED)
			fail_msg("byte %lld of %lld: %d %s", (long long)at, (long long)sb.st_size, (int)st,
				 err.text);
		assert_int_equal(pwrite(fd, &was, 1, at), 1);
	}
	must(glt_backup_read(fd, -1, &b, &err));
	assert_int_equal(ftruncate(fd, sb.st_size - 1), 0);
	must_fail(GLT_DAMAGED, "cut short", glt_backup_read(fd, -1, &b, &err));
	(void)close(fd);
}

/* No copy of what is broken already. */
static void broken_store(void **state)
{
	struct tmpstore *t = *state;
	struct glt_backup b;
	int fd = file(t, "backup");

	tmpstore_put(t, GLT_USERS, glt_slice_str("alice"), glt_slice_str("junk"));
	must_fail(GLT_DAMAGED, "users: alice", glt_backup_write(t->store, fd, NOW, &b, &err));
	t->store = NULL;
	(void)close(fd);
}

/* A change through a handle that was open before the exchange would end in the store that was put away. */
static void exchanged(void **state)
{
	struct tmpstore *t = *state;
	char away[96];
	struct glt_txn *txn;

	(void)snprintf(away, sizeof(away), "%s/away", t->top);
	assert_int_equal(rename(t->dir, away), 0);
	assert_int_equal(mkdir(t->dir, 0700), 0);
	must(glt_store_create(t->dir, &err));
	must_fail(GLT_UNAVAILABLE, "was restored just now", glt_txn_begin(t->store, true, &txn, &err));
	tmpstore_close(t);
	tmpstore_open(t);
	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
}

static void leaps(void **state)
{
	struct tmpstore *t = *state;
	struct glt_txn *txn = tmpstore_begin(t, true);
	uint64_t before = glt_next(txn, GLT_NEXT_ID);

	glt_skip(txn, GLT_NEXT_ID, 1000);
	tmpstore_apply(txn, glt_change_new());
	txn = tmpstore_begin(t, true);
	assert_int_equal(glt_next(txn, GLT_NEXT_ID), before + 1001);
	assert_int_equal(glt_next(txn, GLT_NEXT_ACCOUNT), 1);
	glt_txn_end(txn);
}

static void new_epoch(void **state)
{
	struct tmpstore *t = *state;
	uint8_t was[GLT_EPOCH_LEN], is[GLT_EPOCH_LEN];
	struct glt_change *c = glt_change_new();
	struct glt_txn *txn = tmpstore_begin(t, true);

	must(glt_store_epoch(txn, was, &err));
	glt_change_epoch(c);
	tmpstore_apply(txn, c);
	txn = tmpstore_begin(t, false);
	must(glt_store_epoch(txn, is, &err));
	glt_txn_end(txn);
	assert_memory_not_equal(was, is, sizeof(is));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(copy_is_of_its_moment),
		with_store(backup),
		with_store(damaged_backup),
		with_store(broken_store),
		with_store(exchanged),
		with_store(leaps),
		with_store(new_epoch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
