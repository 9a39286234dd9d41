/* SPDX-License-Identifier: MIT */
/* Commands with a time limit. */
#include "tools/bounded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static char out[64];

static ssize_t sh(const char *script)
{
	const char *const argv[] = {"sh", "-c", script, NULL}, *const env[] = {"WORD=given", NULL};

	memset(out, 'x', sizeof(out));
	return glt_run_bounded(argv, env, 1, out, sizeof(out));
}

static void gives_the_output(void **state)
{
	(void)state;
	assert_int_equal(sh("echo $WORD; sleep 0.1; printf more"), 10);
	assert_string_equal(out, "given\nmore");
	assert_int_equal(sh("cat"), 0);
	assert_string_equal(out, "");
}

static void failure_gives_nothing(void **state)
{
	static const char *const argv[] = {"/no/such/program", NULL};

	(void)state;
	assert_int_equal(sh("echo secret; exit 1"), -1);
	assert_null(memchr(out, 's', sizeof(out)));
	assert_int_equal(sh("echo secret; kill -9 $$"), -1);
	assert_int_equal(glt_run_bounded(argv, NULL, 1, out, sizeof(out)), -1);
}

static void too_much_is_refused(void **state)
{
	(void)state;
	assert_int_equal(sh("printf %063d 0"), 63);
	assert_int_equal(sh("printf %064d 0"), -1);
	assert_int_equal(sh("yes"), -1);
}

static void too_long_is_ended(void **state)
{
	static const char *const slow[] = {"sleep 30", "exec >&-; exec sleep 30", "sleep 30 & echo x"};

	(void)state;
	for (size_t i = 0; i < sizeof(slow) / sizeof(*slow); i++) {
		time_t from = time(NULL);

		assert_int_equal(sh(slow[i]), -1);
		assert_true(time(NULL) - from <= 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_output),
		cmocka_unit_test(failure_gives_nothing),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(too_long_is_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
