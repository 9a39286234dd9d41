/* SPDX-License-Identifier: MIT */
#include "tools/safe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *in, const char *out)
{
	char *safe = glt_safe_dup(in);

	assert_non_null(safe);
	assert_string_equal(safe, out);
	assert_true(glt_safe(safe));
	/* What needs no change is safe, and only that; a line feed is left to the caller. */
	if (!strchr(in, '\n'))
		assert_int_equal(glt_safe(in), strcmp(in, out) == 0);
	free(safe);
}

static void plain_text_stays(void **state)
{
	(void)state;
	check("", "");
	check("ci token", "ci token");
	check("Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x90\xb1", "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x90\xb1");
	check("back\\slash", "back\\slash");
}

static void controls_are_written_out(void **state)
{
	(void)state;
	check("a\x1b[31mb", "a\\u001b[31mb");
	check("a\x7f", "a\\u007f");
	check("a\nb\tc\rd", "a\\u000ab\\u0009c\\u000dd");
	check("\xc2\x9b"
	      "31m",
	      "\\u009b31m"); /* the C1 form of ESC [ */
}

/* A name must not read as another one. */
static void directions_are_written_out(void **state)
{
	(void)state;
	check("x\xe2\x80\xaey", "x\\u202ey");
	check("x\xe2\x81\xa6y", "x\\u2066y");
	check("x\xe2\x80\x8fy", "x\\u200fy");
	check("x\xe2\x80\xa8y", "x\\u2028y");
}

static void no_utf8(void **state)
{
	(void)state;
	check("a\xff"
	      "b",
	      "a\xef\xbf\xbd"
	      "b");
	check("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");                 /* '/' in too many bytes */
	check("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
	check("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");                 /* cut short */
}

/* A message may have several lines, a name in a table may not. */
static void line_feeds(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	glt_safe_put(out, "one\ntwo\x1b\n");
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "one\ntwo\\u001b\n");
	free(text);
	assert_true(glt_safe("one\ntwo"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_stays),
		cmocka_unit_test(controls_are_written_out),
		cmocka_unit_test(directions_are_written_out),
		cmocka_unit_test(no_utf8),
		cmocka_unit_test(line_feeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
