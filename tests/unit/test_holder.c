/* SPDX-License-Identifier: MIT */
/* Who does not end a transaction of the store, told from those who do. */
#include "tools/holder.h"

#include "when.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A process that sleeps, under that name and uid. */
static pid_t child(const char *name, uid_t uid)
{
	int ready[2];
	pid_t pid;
	char x;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)alarm(60);
		if (prctl(PR_SET_NAME, name) != 0 || setuid(uid) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &x, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static void stop(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
}

static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static struct glt_store_stats reads(pid_t pid, uint64_t changes)
{
	return (struct glt_store_stats){.oldest = {.pid = pid, .txn = 7, .changes = changes, .held_bytes = 4096}};
}

static void by_its_age(void **state)
{
	const pid_t pid = child("reader", getuid());
	const struct glt_store_stats stats = reads(pid, 1), idle = reads(pid, 0);
	const int64_t now = glt_boottime();
	struct glt_holder h;

	(void)state;
	assert_false(glt_holder_find(&stats, now, &h));
	assert_false(glt_holder_find(&stats, now + GLT_HOLDER_AGE - 10, &h));
	assert_true(glt_holder_find(&stats, now + GLT_HOLDER_AGE + 10, &h));
	assert_string_equal(h.command, "reader");
	assert_false(h.stopped);
	assert_int_equal(h.reader.pid, pid);
	assert_int_equal(h.reader.held_bytes, 4096);
	assert_false(glt_holder_find(&idle, now + GLT_HOLDER_AGE + 10, &h));
	end(pid);
	assert_false(glt_holder_find(&stats, now + GLT_HOLDER_AGE + 10, &h));
}

static void by_a_signal(void **state)
{
	const pid_t pid = child("a) T\033[1m\n", getuid());
	const struct glt_store_stats stats = reads(pid, 1);
	struct glt_holder h;

	(void)state;
	assert_false(glt_holder_find(&stats, glt_boottime(), &h));
	stop(pid);
	assert_true(glt_holder_find(&stats, glt_boottime(), &h));
	assert_true(h.stopped);
	assert_string_equal(h.command, "a??T??1m?");
	end(pid);
}

static void another_ones_number(void **state)
{
	struct glt_store_stats stats;
	struct glt_holder h;
	pid_t pid;

	(void)state;
	if (getuid() != 0)
		skip();
	pid = child("other", 65534);
	stats = reads(pid, 1);
	stop(pid);
	assert_false(glt_holder_find(&stats, glt_boottime(), &h));
	end(pid);
	stats = reads(0, 0);
	assert_false(glt_holder_find(&stats, glt_boottime(), &h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_its_age),
		cmocka_unit_test(by_a_signal),
		cmocka_unit_test(another_ones_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
