/* SPDX-License-Identifier: MIT */
/* CSV read and written, and the text of the progress bar. */
#include "tools/csv.h"
#include "tools/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void rows(void **state)
{
	static const struct {
		const char *text, *fields[4];
		size_t n;
	} t[] = {
		{"a,b,c", {"a", "b", "c"}, 3},
		{"a\n", {"a"}, 1},
		{"a,\r\n", {"a", ""}, 2},
		{"\n", {""}, 1},
		{"\"a\"\"b\",c\n", {"a\"b", "c"}, 2},
		{"\"a,\nb\"", {"a,\nb"}, 1},
		{"\"\",\"\"\n", {"", ""}, 2},
		{"a b , c\n", {"a b ", " c"}, 2},
		{"\"\"\"\"", {"\""}, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char text[64], *field[4];
		size_t at = 0, n, size = strlen(t[i].text);

		strcpy(text, t[i].text);
		if (!glt_csv_row(text, size, &at, field, 4, &n))
			fail_msg("'%s' is no row", t[i].text);
		assert_int_equal(n, t[i].n);
		for (size_t k = 0; k < n; k++)
			assert_string_equal(field[k], t[i].fields[k]);
		assert_int_equal(at, size);
	}
}

static void no_rows(void **state)
{
	static const char *const t[] = {"", "\"a", "\"a\"b", "a\"b", "a\rb", "\"a\" ,b", "a,b,c,d,e", "\"a\"\""};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char text[64], *field[4];
		size_t at = 0, n;

		strcpy(text, t[i]);
		if (glt_csv_row(text, strlen(text), &at, field, 4, &n))
			fail_msg("'%s' is a row", t[i]);
	}
}

static void several(void **state)
{
	char text[] = "a,\"x\ny\"\r\nb,c\n", *field[4];
	size_t at = 0, n;

	(void)state;
	assert_true(glt_csv_row(text, sizeof(text) - 1, &at, field, 4, &n));
	assert_int_equal(at, 9);
	assert_string_equal(field[1], "x\ny");
	assert_true(glt_csv_row(text, sizeof(text) - 1, &at, field, 4, &n));
	assert_string_equal(field[0], "b");
	assert_false(glt_csv_row(text, sizeof(text) - 1, &at, field, 4, &n));
}

/* What is written is what is read. */
static void there_and_back(void **state)
{
	static const char *const t[] = {"", "plain", "a,b", "\"", "a\"\"b", "line\nbreak", "\r\n", " a "};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *text = NULL, *field[4];
		size_t size = 0, at = 0, n;
		FILE *f = open_memstream(&text, &size);

		assert_non_null(f);
		assert_true(glt_csv_put(f, t[i]));
		assert_int_equal(fprintf(f, ",end\n"), 5);
		assert_int_equal(fclose(f), 0);
		assert_true(glt_csv_row(text, size, &at, field, 4, &n));
		assert_int_equal(n, 2);
		assert_string_equal(field[0], t[i]);
		free(text);
	}
}

static void bar(void **state)
{
	struct glt_progress p = {.total = 1000, .began = 100, .from_ms = 5000};
	char text[160];

	(void)state;
	glt_progress_text(&p, 100, 5000, text, sizeof(text));
	assert_string_equal(text, "[===>                          ] 100/1000, 0.0/s");
	glt_progress_text(&p, 500, 9000, text, sizeof(text)); /* 400 in 4 s */
	assert_string_equal(text, "[===============>              ] 500/1000, 100/s, 5 s left");
	glt_progress_text(&p, 101, 105000, text, sizeof(text));
	assert_non_null(strstr(text, ", 0.0/s, 25.0 h left"));
	glt_progress_text(&p, 200, 105000, text, sizeof(text));
	assert_non_null(strstr(text, "200/1000, 1.0/s, 13 min left"));
	glt_progress_text(&p, 1000, 9000, text, sizeof(text));
	assert_non_null(strstr(text, "[==============================] 1000/1000, 225/s, 0 s left"));
	p = (struct glt_progress){.total = 1000, .from_ms = 5000, .unit = "KiB"};
	glt_progress_text(&p, 500, 9000, text, sizeof(text));
	assert_string_equal(text, "[===============>              ] 500/1000 KiB, 125/s, 4 s left");
	glt_progress_text(&p, 1001, 9000, text, sizeof(text)); /* more than was thought */
	assert_string_equal(text, "[==============================] 1001/1000 KiB, 250/s");
	p.total = 0; /* of a pipe */
	glt_progress_text(&p, 500, 9000, text, sizeof(text));
	assert_string_equal(text, "500 KiB, 125/s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),           cmocka_unit_test(no_rows), cmocka_unit_test(several),
		cmocka_unit_test(there_and_back), cmocka_unit_test(bar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
