/* SPDX-License-Identifier: MIT */
/* Creating and opening a store: folder, owners, modes, key, schema. */
#include "tmpstore.h"

#include "storefile.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

static void path_of(const struct tmpstore *t, const char *name, char out[128])
{
	assert_true(snprintf(out, 128, "%s/%s", t->dir, name) < 128);
}

static void opens(struct tmpstore *t, enum glt_status want, const char *words)
{
	struct glt_store *s = NULL;

	for (int write = 0; write < 2; write++) {
		must_fail(want, words, glt_store_open(t->dir, write, &s, &err));
		if (want != GLT_OK)
			assert_null(s);
		glt_store_close(s);
		s = NULL;
	}
}

static size_t slurp(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, out, size);
	assert_true(n >= 0);
	(void)close(fd);
	return (size_t)n;
}

/* ---- create ---- */

static void created_files(void **state)
{
	static const char *const names[] = {"store.mdb", "store.mdb-lock", "key"};
	struct tmpstore *t = *state;
	char path[128];
	struct stat sb;

	tmpstore_close(t);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(t, names[i], path);
		assert_int_equal(lstat(path, &sb), 0);
		assert_int_equal(sb.st_mode, S_IFREG | 0600);
		assert_int_equal(sb.st_uid, geteuid());
	}
	path_of(t, "key", path);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_size, 32);
}

static void created_empty(void **state)
{
	struct tmpstore *t = *state;
	uint8_t epoch[16] = {0}, zero[32] = {0};
	struct glt_txn *txn = tmpstore_begin(t, false);

	for (int table = 0; table < GLT_TABLES; table++)
		if (table != GLT_META)
			assert_int_equal(glt_count(txn, (enum glt_table)table), 0);
	must(glt_store_epoch(txn, epoch, &err));
	assert_memory_not_equal(epoch, zero, sizeof(epoch));
	assert_memory_not_equal(glt_store_key(t->store), zero, 32);
	glt_txn_end(txn);
	tmpstore_check(t);
}

static void created_twice(void **state)
{
	struct tmpstore *t = *state;
	char path[128], key[64], again[64];

	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	tmpstore_close(t);
	path_of(t, "key", path);
	assert_int_equal(slurp(path, key, sizeof(key)), 32);
	must_fail(GLT_EXISTS, t->dir, glt_store_create(t->dir, &err));
	assert_int_equal(slurp(path, again, sizeof(again)), 32);
	assert_memory_equal(key, again, 32);
	tmpstore_open(t);
	assert_int_equal(tmpstore_count(t, GLT_USERS), 1);
}

/* A key without a store is somebody's key: it is not written over and not taken away. */
static void key_without_store(void **state)
{
	struct tmpstore *t = *state;
	char path[128], key[64] = {0};

	tmpstore_close(t);
	path_of(t, "store.mdb", path);
	assert_int_equal(unlink(path), 0);
	must_fail(GLT_EXISTS, "key", glt_store_create(t->dir, &err));
	path_of(t, "key", path);
	assert_int_equal(slurp(path, key, sizeof(key)), 32);
}

/* Nor is a store without its key made a new one. */
static void store_without_key(void **state)
{
	struct tmpstore *t = *state;
	char path[128];
	struct stat before, after;

	tmpstore_close(t);
	path_of(t, "key", path);
	assert_int_equal(unlink(path), 0);
	path_of(t, "store.mdb", path);
	assert_int_equal(stat(path, &before), 0);
	must_fail(GLT_EXISTS, "exists already", glt_store_create(t->dir, &err));
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size);
	path_of(t, "key", path);
	assert_int_equal(lstat(path, &after), -1);
}

static void two_stores_differ(void **state)
{
	struct tmpstore *a = *state;
	void *other = NULL;
	struct tmpstore *b;
	uint8_t one[16], two[16];
	struct glt_txn *txn;

	txn = tmpstore_begin(a, false);
	must(glt_store_epoch(txn, one, &err));
	glt_txn_end(txn);
	assert_int_equal(tmpstore_setup(&other), 0);
	b = other;
	txn = tmpstore_begin(b, false);
	must(glt_store_epoch(txn, two, &err));
	glt_txn_end(txn);
	assert_memory_not_equal(one, two, sizeof(one));
	assert_memory_not_equal(glt_store_key(a->store), glt_store_key(b->store), 32);
	assert_int_equal(tmpstore_teardown(&other), 0);
}

static void creation_needs_a_good_folder(void **state)
{
	struct tmpstore *t = *state;
	char path[128], missing[128];
	struct stat sb;

	path_of(t, "missing", missing);
	must_fail(GLT_UNAVAILABLE, missing, glt_store_create(missing, &err));
	assert_int_equal(chmod(t->dir, 0750), 0);
	must_fail(GLT_UNAVAILABLE, "0700", glt_store_create(t->dir, &err));
	assert_int_equal(chmod(t->dir, 0700), 0);
	path_of(t, "key", path);
	assert_int_equal(lstat(path, &sb), -1);
	must(glt_store_create(t->dir, &err));
	opens(t, GLT_OK, NULL);
}

/* What stands in the way is left alone, and nothing half made remains. */
static void creation_that_fails(void **state)
{
	struct tmpstore *t = *state;
	char path[128];
	struct stat sb;
	struct glt_err err;

	path_of(t, "store.mdb-lock", path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_not_equal(glt_store_create(t->dir, &err), GLT_OK);
	assert_int_equal(rmdir(path), 0);
	path_of(t, "key", path);
	assert_int_equal(lstat(path, &sb), -1);
	path_of(t, "store.mdb", path);
	assert_int_equal(lstat(path, &sb), -1);
	assert_int_equal(glt_store_create(t->dir, &err), GLT_OK);
}

/* With room for so many bytes a file. */
static bool create_with_room(struct tmpstore *t, void *arg)
{
	const rlim_t room = *(const rlim_t *)arg;
	const struct rlimit limit = {room, room};

	(void)signal(SIGXFSZ, SIG_IGN);
	return setrlimit(RLIMIT_FSIZE, &limit) == 0 && glt_store_create(t->dir, NULL) == GLT_OK;
}

/* A disk that is full at whatever point: a store, or nothing of one. */
static void creation_without_room(void **state)
{
	static const char *const names[] = {"store.mdb", "key"};
	struct tmpstore *t = *state;
	unsigned made = 0, failed = 0;

	for (rlim_t room = 0; room < 256 * 1024; room += 4096) {
		char path[128];
		struct stat sb;

		if (child_wait(child_start(t, create_with_room, &room)) == 0) {
			made++;
			opens(t, GLT_OK, NULL);
			glt_storefile_remove(t->dir);
			continue;
		}
		failed++;
		for (size_t i = 0; i < 2; i++) {
			path_of(t, names[i], path);
			if (lstat(path, &sb) == 0)
				fail_msg("with room for %lu bytes, %s remains", (unsigned long)room, path);
		}
	}
	assert_true(made > 0 && failed > 2);
}

/* ---- open ---- */

static void not_there(void **state)
{
	struct tmpstore *t = *state;
	struct glt_store *s;
	char longest[300];

	opens(t, GLT_UNAVAILABLE, "gltoken init");
	assert_int_equal(rmdir(t->dir), 0);
	opens(t, GLT_UNAVAILABLE, "gltoken init");
	assert_int_equal(mkdir(t->dir, 0700), 0);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	must_fail(GLT_INVALID, "255 bytes", glt_store_open(longest, false, &s, &err));
	must_fail(GLT_INVALID, "255 bytes", glt_store_create(longest, &err));
}

static void folder_modes(void **state)
{
	struct tmpstore *t = *state;

	tmpstore_close(t);
	for (mode_t mode = 0700; mode <= 0777; mode++) {
		assert_int_equal(chmod(t->dir, mode), 0);
		opens(t, mode == 0700 ? GLT_OK : GLT_UNAVAILABLE, mode == 0700 ? NULL : "mode 0700");
	}
}

static void file_modes(void **state)
{
	static const char *const names[] = {"store.mdb", "key"};
	struct tmpstore *t = *state;

	tmpstore_close(t);
	for (size_t i = 0; i < 2; i++) {
		char path[128];

		path_of(t, names[i], path);
		for (mode_t mode = 0600; mode <= 0677; mode++) {
			assert_int_equal(chmod(path, mode), 0);
			opens(t, mode == 0600 ? GLT_OK : GLT_UNAVAILABLE, mode == 0600 ? NULL : path);
		}
		assert_int_equal(chmod(path, 0600), 0);
	}
}

static void owners(void **state)
{
	struct tmpstore *t = *state;
	static const char *const names[] = {"", "store.mdb", "key"};

	tmpstore_close(t);
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < 3; i++) {
		char path[128];

		path_of(t, names[i], path);
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
		opens(t, GLT_UNAVAILABLE, names[i]);
		assert_int_equal(chown(path, 0, 0), 0);
		opens(t, GLT_OK, NULL);
	}
}

/* Links, pipes, folders and devices in place of the files; a pipe must not hang either. */
static void no_regular_files(void **state)
{
	struct tmpstore *t = *state;
	static const char *const names[] = {"store.mdb", "key"};

	tmpstore_close(t);
	(void)alarm(10);
	for (size_t i = 0; i < 2; i++) {
		char path[128], away[128];

		path_of(t, names[i], path);
		(void)snprintf(away, sizeof(away), "%s/away", t->top);
		assert_int_equal(rename(path, away), 0);
		opens(t, GLT_UNAVAILABLE, path);
		assert_int_equal(symlink(away, path), 0);
		opens(t, GLT_UNAVAILABLE, path);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkfifo(path, 0600), 0);
		opens(t, GLT_UNAVAILABLE, path);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0700), 0);
		opens(t, GLT_UNAVAILABLE, path);
		assert_int_equal(rmdir(path), 0);
		assert_int_equal(rename(away, path), 0);
		opens(t, GLT_OK, NULL);
	}
	(void)alarm(0);
}

static void folder_is_a_link(void **state)
{
	struct tmpstore *t = *state;
	char real[128];

	tmpstore_close(t);
	(void)snprintf(real, sizeof(real), "%s/real", t->top);
	assert_int_equal(rename(t->dir, real), 0);
	assert_int_equal(symlink(real, t->dir), 0);
	opens(t, GLT_UNAVAILABLE, "not a directory");
	assert_int_equal(unlink(t->dir), 0);
	assert_int_equal(rename(real, t->dir), 0);
	opens(t, GLT_OK, NULL);
}

static void key_size(void **state)
{
	static const off_t sizes[] = {0, 1, 31, 33, 64};
	struct tmpstore *t = *state;
	char path[128];

	tmpstore_close(t);
	path_of(t, "key", path);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(truncate(path, sizes[i]), 0);
		opens(t, GLT_UNAVAILABLE, "32 bytes");
	}
}

/* ---- schema ---- */

static void newer_schema(void **state)
{
	struct tmpstore *t = *state;

	tmpstore_schema(t, 7, GLT_SCHEMA + 1);
	opens(t, GLT_UNAVAILABLE,
	      "the store is of schema 7, as gltoken " PACKAGE_VERSION " writes it; this is gltoken " PACKAGE_VERSION
	      ", which reads up to schema 2: install the newer version again");
	tmpstore_teardown(state);
	tmpstore_setup(state);
	t = *state;
	tmpstore_put(t, GLT_META, glt_slice_str("made_by"), glt_slice_str("9.8.7-rc1-and-what-nobody-names-so"));
	tmpstore_schema(t, 7, 7);
	opens(t, GLT_UNAVAILABLE, "schema 7, as gltoken 9.8.7-rc1-and-what-n writes it; this is");
}

/* A newer version may say that what it added does no harm to this one. */
static void newer_but_readable(void **state)
{
	struct tmpstore *t = *state;

	tmpstore_schema(t, GLT_SCHEMA + 1, GLT_SCHEMA);
	opens(t, GLT_OK, NULL);
}

static void no_schema(void **state)
{
	static const char *const names[] = {"schema", "min_reader"};
	struct tmpstore *t = *state;

	for (size_t i = 0; i < 2; i++) {
		struct glt_change *c = glt_change_new();
		uint8_t v[GLT_KEY_U64];

		glt_change_del(c, GLT_META, glt_slice_str(names[i]));
		tmpstore_apply(tmpstore_begin(t, true), c);
		tmpstore_close(t);
		opens(t, GLT_DAMAGED, names[i]);
		/* A damaged store cannot be opened any more, so the next round needs a new one. */
		assert_int_equal(tmpstore_teardown(state), 0);
		assert_int_equal(tmpstore_setup(state), 0);
		t = *state;
		glt_put_u64(v, GLT_SCHEMA);
		tmpstore_put(t, GLT_META, glt_slice_str(names[i]), (struct glt_slice){v, 4});
		tmpstore_close(t);
		opens(t, GLT_DAMAGED, names[i]);
		assert_int_equal(tmpstore_teardown(state), 0);
		assert_int_equal(tmpstore_setup(state), 0);
		t = *state;
	}
}

/* The store's own files are not inherited by what the process starts. */
static void files_close_on_exec(void **state)
{
	struct tmpstore *t = *state;
	struct glt_txn *txn = tmpstore_begin(t, true);
	unsigned seen = 0;

	for (int fd = 3; fd < 256; fd++) {
		char link[64], path[256] = "";
		ssize_t n;

		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, path, sizeof(path) - 1);
		if (n < 0 || strncmp(path, t->dir, strlen(t->dir)) != 0)
			continue;
		seen++;
		if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			fail_msg("%s would be inherited", path);
	}
	assert_true(seen >= 3); /* data, lock, writers' gate */
	glt_txn_end(txn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(created_files),
		with_store(created_empty),
		with_store(created_twice),
		with_store(key_without_store),
		with_store(two_stores_differ),
		with_folder(creation_needs_a_good_folder),
		with_folder(creation_that_fails),
		with_folder(creation_without_room),
		with_store(store_without_key),
		with_folder(not_there),
		with_store(folder_modes),
		with_store(file_modes),
		with_store(owners),
		with_store(no_regular_files),
		with_store(folder_is_a_link),
		with_store(key_size),
		with_store(newer_schema),
		with_store(newer_but_readable),
		with_store(no_schema),
		with_store(files_close_on_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
