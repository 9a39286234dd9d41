/* SPDX-License-Identifier: MIT */
/* When and from where a token was last used: statistics in a file that may be lost or damaged at any time. */
#include "usage.h"

#include "tmprun.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW INT64_C(1800000000)
#define SLOT 128

static const char *dir(void **state)
{
	return ((struct glt_conf *)*state)->run_dir;
}

static int open_file(const char *in)
{
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/usage", in);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	return fd;
}

static void noted(void **state)
{
	struct glt_usage u;

	assert_false(glt_usage_read(dir(state), 7, &u));
	assert_int_equal(u.last_used_at, 0);
	glt_usage_note(dir(state), 7, "192.0.2.1", NOW);
	assert_true(glt_usage_read(dir(state), 7, &u));
	assert_true(u.last_used_at == NOW);
	assert_int_equal(u.minutes, 1);
	assert_string_equal(u.ips[0], "192.0.2.1");
	assert_string_equal(u.ips[1], "");
	assert_false(glt_usage_read(dir(state), 6, &u)); /* a hole */
	assert_false(glt_usage_read(dir(state), 8, &u)); /* behind the end */
}

static void at_most_once_a_minute(void **state)
{
	struct glt_usage u;

	glt_usage_note(dir(state), 7, "192.0.2.1", NOW);
	glt_usage_note(dir(state), 7, "192.0.2.2", NOW + 59);
	assert_true(glt_usage_read(dir(state), 7, &u));
	assert_true(u.last_used_at == NOW);
	assert_string_equal(u.ips[0], "192.0.2.1");
	glt_usage_note(dir(state), 7, "192.0.2.2", NOW + 60);
	assert_true(glt_usage_read(dir(state), 7, &u));
	assert_true(u.last_used_at == NOW + 60);
	assert_int_equal(u.minutes, 2);
	/* a clock that was set back must not silence it until it has caught up */
	glt_usage_note(dir(state), 7, "192.0.2.2", NOW - 1000);
	assert_true(glt_usage_read(dir(state), 7, &u));
	assert_true(u.last_used_at == NOW - 1000);
}

static void the_last_five_addresses(void **state)
{
	static const char *const from[] = {"192.0.2.1",        "2001:db8::1",  "192.0.2.3",
					   "::ffff:192.0.2.1", "host.example", "192.0.2.4",
					   "192.0.2.5",        "local",        "192.0.2.6"};
	static const char *const want[] = {"192.0.2.6", "192.0.2.5", "192.0.2.4", "192.0.2.1", "192.0.2.3"};
	struct glt_usage u;

	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++)
		glt_usage_note(dir(state), 1, from[i], NOW + 60 * (int64_t)i);
	assert_true(glt_usage_read(dir(state), 1, &u));
	assert_int_equal(u.minutes, 9);
	for (size_t i = 0; i < GLT_USAGE_IPS; i++)
		assert_string_equal(u.ips[i], want[i]);
}

static void damage_is_no_statistics(void **state)
{
	struct glt_usage u;
	uint8_t byte;
	int fd;

	glt_usage_note(dir(state), 2, "192.0.2.1", NOW);
	glt_usage_note(dir(state), 3, "192.0.2.9", NOW);
	fd = open_file(dir(state));
	for (off_t i = 0; i < SLOT; i++) {
		assert_int_equal(pread(fd, &byte, 1, 2 * SLOT + i), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, 2 * SLOT + i), 1);
		if (glt_usage_read(dir(state), 2, &u))
			fail_msg("byte %d does not count", (int)i);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, 2 * SLOT + i), 1);
	}
	assert_true(glt_usage_read(dir(state), 2, &u));
	/* another token's slot, moved here */
	uint8_t slot[SLOT];
	assert_int_equal(pread(fd, slot, SLOT, 3 * SLOT), SLOT);
	assert_int_equal(pwrite(fd, slot, SLOT, 2 * SLOT), SLOT);
	assert_false(glt_usage_read(dir(state), 2, &u));
	glt_usage_note(dir(state), 2, "192.0.2.1", NOW + 5); /* starts anew */
	assert_true(glt_usage_read(dir(state), 2, &u));
	assert_int_equal(u.minutes, 1);
	assert_int_equal(ftruncate(fd, 2 * SLOT + 10), 0);
	assert_false(glt_usage_read(dir(state), 2, &u));
	close(fd);
}

static void numbers_at_the_edge(void **state)
{
	struct glt_usage u;

	glt_usage_note(dir(state), UINT64_MAX, "192.0.2.1", NOW);
	glt_usage_note(dir(state), (uint64_t)INT64_MAX / SLOT, "192.0.2.1", NOW);
	assert_false(glt_usage_read(dir(state), UINT64_MAX, &u));
	glt_usage_note("/nonexistent", 1, "192.0.2.1", NOW);
	assert_false(glt_usage_read("/nonexistent", 1, &u));
}

/* Four processes, each its own tokens and one in common: no slot is torn. */
static void many_at_once(void **state)
{
	struct glt_usage u;

	for (int p = 0; p < 4; p++)
		if (fork() == 0) {
			for (int i = 0; i < 500; i++) {
				glt_usage_note(dir(state), (uint64_t)(4 * i + p), "192.0.2.1", NOW);
				glt_usage_note(dir(state), 5000, "192.0.2.1", NOW + 60 * (int64_t)i);
			}
			_exit(0);
		}
	for (int p = 0; p < 4; p++)
		assert_true(wait(NULL) > 0);
	for (uint64_t id = 0; id < 2000; id++)
		if (!glt_usage_read(dir(state), id, &u) || u.last_used_at != NOW)
			fail_msg("token %d is lost", (int)id);
	assert_true(glt_usage_read(dir(state), 5000, &u));
}

static void not_through_links(void **state)
{
	char path[300];
	struct glt_usage u;

	(void)snprintf(path, sizeof(path), "%s/usage", dir(state));
	assert_int_equal(symlink("elsewhere", path), 0);
	glt_usage_note(dir(state), 1, "192.0.2.1", NOW);
	assert_false(glt_usage_read(dir(state), 1, &u));
	assert_true(tmprun_missing(*state, "elsewhere"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_run(noted),
		with_run(at_most_once_a_minute),
		with_run(the_last_five_addresses),
		with_run(damage_is_no_statistics),
		with_run(numbers_at_the_edge),
		with_run(many_at_once),
		with_run(not_through_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
