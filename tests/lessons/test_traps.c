/* SPDX-License-Identifier: MIT */
/* What was measured of LMDB and of file systems, and would go wrong again if a line of ours were lost. */
#include "tests/unit/tmpstore.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define S(text) glt_slice_str(text)
#define READERS 1024 /* maxreaders of the store */

/* ---- a network file system loses locks and pages ---- */

static long type_of_fs;

int statfs(const char *path, struct statfs *out)
{
	int (*real)(const char *, struct statfs *) = dlsym(RTLD_NEXT, "statfs");
	int rc = real(path, out);

	if (type_of_fs)
		out->f_type = type_of_fs;
	return rc;
}

static void trap_network_file_system(void **state)
{
	static const long remote[] = {0x6969,     0xff534d42, 0xfe534d42, 0x517b,     0x5346414f,
				      0x01021997, 0x00c36400, 0x0bd00bd0, 0x47504653, 0x65735546};
	struct tmpstore *t = *state;
	struct glt_store *s;

	tmpstore_close(t);
	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
		type_of_fs = remote[i];
		must_fail(GLT_UNAVAILABLE, "local disk", glt_store_open(t->dir, false, &s, &err));
		must_fail(GLT_UNAVAILABLE, "local disk", glt_store_create(t->dir, &err));
	}
	type_of_fs = 0;
	tmpstore_open(t);
}

/* ---- readers that were killed hold their places in the table ---- */

static bool read_and_die(struct tmpstore *t, void *arg)
{
	struct glt_txn *txn;
	struct glt_err err;

	(void)arg;
	if (glt_store_open(t->dir, false, &t->store, &err) == GLT_OK &&
	    glt_txn_begin(t->store, false, &txn, &err) == GLT_OK)
		(void)raise(SIGKILL);
	(void)dprintf(STDERR_FILENO, "%s\n", err.text);
	return false;
}

/* Keeps the store open, for LMDB forgets all readers where nobody has it. */
static bool stay(struct tmpstore *t, void *arg)
{
	const int *ready = arg;
	struct glt_err err;

	if (glt_store_open(t->dir, false, &t->store, &err) != GLT_OK || write(ready[1], "x", 1) != 1)
		return false;
	(void)pause();
	return false;
}

static void trap_dead_readers_fill_the_table(void **state)
{
	struct tmpstore *t = *state;
	int ready[2];
	pid_t other;
	char x;

	tmpstore_close(t);
	assert_int_equal(pipe(ready), 0);
	other = child_start(t, stay, ready);
	assert_int_equal(read(ready[0], &x, 1), 1);
	for (int n = 0; n < READERS + 8; n++) {
		int status = child_wait(child_start(t, read_and_die, NULL));

		if (!WIFSIGNALED(status))
			fail_msg("reader %d found no place", n);
	}
	tmpstore_open(t);
	assert_int_equal(tmpstore_count(t, GLT_USERS), 0);
	assert_int_equal(kill(other, SIGKILL), 0);
	(void)child_wait(other);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* ---- what was deleted stays in data files and in plain copies of them ---- */

static bool holds(int fd, const char *text)
{
	static char bytes[4 << 20];
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

	assert_true(n > 0 && (size_t)n < sizeof(bytes));
	return memmem(bytes, (size_t)n, text, strlen(text)) != NULL;
}

static void trap_deleted_values_in_backups(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c = glt_change_new();
	char path[128];
	int data, copy;

	tmpstore_put(t, GLT_USERS, S("mallory"), S("what-was-deleted"));
	tmpstore_put(t, GLT_USERS, S("alice"), S("what-is-there"));
	glt_change_del(c, GLT_USERS, S("mallory"));
	tmpstore_apply(tmpstore_begin(t, true), c);
	(void)snprintf(path, sizeof(path), "%s/store.mdb", t->dir);
	data = open(path, O_RDONLY | O_CLOEXEC);
	(void)snprintf(path, sizeof(path), "%s/copy", t->top);
	copy = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(data >= 0 && copy >= 0);
	must(glt_store_copy(t->store, copy, &err));
	assert_true(holds(data, "what-is-there") && holds(copy, "what-is-there"));
	assert_true(holds(data, "what-was-deleted")); /* or this test proves nothing */
	assert_false(holds(copy, "what-was-deleted"));
	(void)close(data);
	(void)close(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(trap_network_file_system),
		with_store(trap_dead_readers_fill_the_table),
		with_store(trap_deleted_values_in_backups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
