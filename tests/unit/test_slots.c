/* SPDX-License-Identifier: MIT */
/* Hash slots: so many and no more over all processes, half of them root's, free again whatever kills the holder.
 * And the counters beside them. */
#include "rundir.h"

#include "tmprun.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static enum glt_status take(const struct glt_conf *conf, enum glt_slot_class class, uid_t uid, struct glt_slot *s)
{
	struct glt_err err;

	return glt_slot_take(conf, class, uid, s, &err);
}

static void all_of_them_are_roots(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_slot s[4], more;

	conf->slots = 4;
	conf->hash_wait = 0;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(glt_slots_busy(conf), i);
		assert_int_equal(take(conf, GLT_SLOT_ROOT, 0, &s[i]), GLT_OK);
		assert_true(s[i].fd >= 0);
		assert_true(fcntl(s[i].fd, F_GETFD) & FD_CLOEXEC);
	}
	assert_int_equal(glt_slots_busy(conf), 4);
	assert_int_equal(take(conf, GLT_SLOT_ROOT, 0, &more), GLT_BUSY);
	assert_int_equal(more.fd, -1);
	glt_slot_give(&s[2]);
	assert_int_equal(s[2].fd, -1);
	assert_int_equal(take(conf, GLT_SLOT_ROOT, 0, &more), GLT_OK);
	glt_slot_give(&more);
	for (int i = 0; i < 4; i++)
		glt_slot_give(&s[i]); /* twice is harmless */
	assert_int_equal(glt_slots_busy(conf), 0);
}

static void half_of_them_are_others(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_slot http[2], root[2], more;

	conf->slots = 4;
	conf->hash_wait = 0;
	assert_int_equal(take(conf, GLT_SLOT_HTTP, 33, &http[0]), GLT_OK);
	assert_int_equal(take(conf, GLT_SLOT_HTTP, 33, &http[1]), GLT_OK);
	assert_int_equal(take(conf, GLT_SLOT_HTTP, 33, &more), GLT_BUSY);
	assert_int_equal(take(conf, GLT_SLOT_OTHER, 1000, &more), GLT_BUSY);
	assert_int_equal(more.uid_fd, -1);
	assert_int_equal(take(conf, GLT_SLOT_ROOT, 0, &root[0]), GLT_OK);
	assert_int_equal(take(conf, GLT_SLOT_ROOT, 0, &root[1]), GLT_OK);
	for (int i = 0; i < 2; i++) {
		glt_slot_give(&http[i]);
		glt_slot_give(&root[i]);
	}
}

static void one_at_a_time_for_other_uids(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_slot first, second, third;

	conf->slots = 8;
	conf->hash_wait = 0;
	assert_int_equal(take(conf, GLT_SLOT_OTHER, 1000, &first), GLT_OK);
	assert_int_equal(take(conf, GLT_SLOT_OTHER, 1000, &second), GLT_BUSY);
	assert_int_equal(take(conf, GLT_SLOT_OTHER, 1001, &third), GLT_OK);
	glt_slot_give(&first);
	assert_int_equal(take(conf, GLT_SLOT_OTHER, 1000, &second), GLT_OK);
	glt_slot_give(&second);
	glt_slot_give(&third);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void waiting_ends(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_slot a, b, more;
	int64_t from;

	conf->slots = 2;
	conf->hash_wait = 1;
	assert_int_equal(take(conf, GLT_SLOT_ROOT, 0, &a), GLT_OK);
	assert_int_equal(take(conf, GLT_SLOT_ROOT, 0, &b), GLT_OK);
	from = now_ms();
	assert_int_equal(take(conf, GLT_SLOT_ROOT, 0, &more), GLT_BUSY);
	assert_in_range(now_ms() - from, 900, 20000);
	glt_slot_give(&a);
	glt_slot_give(&b);
}

/* A holder that is killed, and one that ends, give theirs back; who waits gets it. */
static void the_kernel_gives_it_back(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_slot s, more;
	int ready[2], seen[2];
	char byte;
	pid_t pid;

	conf->slots = 2;
	conf->hash_wait = 10;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(seen), 0);
	pid = fork();
	if (pid == 0) {
		bool ok = take(conf, GLT_SLOT_ROOT, 0, &s) == GLT_OK &&
			  take(conf, GLT_SLOT_ROOT, 0, &more) == GLT_OK;

		if (!ok || write(ready[1], "x", 1) != 1 || read(seen[0], &byte, 1) != 1)
			_exit(1);
		usleep(300000);
		raise(SIGKILL);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(glt_slots_busy(conf), 2);
	assert_int_equal(write(seen[1], "x", 1), 1);
	assert_int_equal(take(conf, GLT_SLOT_ROOT, 0, &s), GLT_OK);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	glt_slot_give(&s);
	close(ready[0]);
	close(ready[1]);
	close(seen[0]);
	close(seen[1]);
}

/* No folder, no bound: a login must not hang on what may vanish. */
static void unusable_folder(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_slot s;

	conf->slots = 2;
	conf->hash_wait = 0;
	assert_int_equal(chmod(conf->run_dir, 0750), 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(take(conf, GLT_SLOT_ROOT, 0, &s), GLT_OK);
		assert_int_equal(s.fd, -1);
		glt_slot_give(&s);
	}
	assert_int_equal(chmod(conf->run_dir, 0700), 0);
	strcpy(conf->run_dir, "/nonexistent/gltoken");
	assert_int_equal(take(conf, GLT_SLOT_OTHER, 1, &s), GLT_OK);
	assert_int_equal(glt_slots_busy(conf), 0);
}

static void how_many(void **state)
{
	struct glt_conf *conf = *state;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	conf->slots = 1;
	assert_int_equal(glt_slot_count(conf), 2);
	conf->slots = 77;
	assert_int_equal(glt_slot_count(conf), 77);
	conf->slots = 0;
	assert_in_range(glt_slot_count(conf), 2, cores > 2 ? cores : 2);
	conf->hash.memory = GLT_HASH_M_MAX; /* an eighth of memory holds fewer */
	assert_in_range(glt_slot_count(conf), 2, 64);
}

/* ---- counters ---- */

static void counted_by_many(void **state)
{
	struct glt_conf *conf = *state;
	const unsigned which[] = {GLT_WHY_OK, GLT_COUNT_CACHED, GLT_COUNTS, 4000000000u};
	uint64_t got[GLT_COUNTS];

	assert_false(glt_counts_read(conf, got));
	assert_int_equal(got[GLT_WHY_OK], 0);
	for (int p = 0; p < 4; p++)
		if (fork() == 0) {
			for (int i = 0; i < 2500; i++)
				glt_count_up(conf, which, 4);
			_exit(0);
		}
	for (int p = 0; p < 4; p++)
		assert_true(wait(NULL) > 0);
	assert_true(glt_counts_read(conf, got));
	for (int i = 0; i < GLT_COUNTS; i++)
		assert_int_equal(got[i], i == GLT_WHY_OK || i == GLT_COUNT_CACHED ? 10000 : 0);
}

static void damaged_counters(void **state)
{
	struct glt_conf *conf = *state;
	const unsigned which[] = {GLT_WHY_OK};
	uint64_t got[GLT_COUNTS];
	char name[32], path[300];

	(void)snprintf(name, sizeof(name), "counters.%d", GLT_COUNTS);
	(void)snprintf(path, sizeof(path), "%s/%s", conf->run_dir, name);
	glt_count_up(conf, which, 1);
	assert_int_equal(truncate(path, 5), 0);
	assert_false(glt_counts_read(conf, got));
	glt_count_up(conf, which, 1);
	assert_true(glt_counts_read(conf, got));
	assert_int_equal(chmod(path, 0644), 0);
	glt_count_up(conf, which, 1);
	assert_false(glt_counts_read(conf, got));
	tmprun_remove(conf, name);
	assert_int_equal(symlink("elsewhere", path), 0);
	glt_count_up(conf, which, 1);
	assert_true(tmprun_missing(conf, "elsewhere"));
	tmprun_remove(conf, name);
	assert_int_equal(mkfifo(path, 0600), 0);
	glt_count_up(conf, which, 1);
	assert_false(glt_counts_read(conf, got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_run(all_of_them_are_roots),
		with_run(half_of_them_are_others),
		with_run(one_at_a_time_for_other_uids),
		with_run(waiting_ends),
		with_run(the_kernel_gives_it_back),
		with_run(unusable_folder),
		with_run(how_many),
		with_run(counted_by_many),
		with_run(damaged_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
