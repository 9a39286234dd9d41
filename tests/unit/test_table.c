/* SPDX-License-Identifier: MIT */
#include "tools/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct glt_column columns[] = {{"ID", GLT_COLUMN_RIGHT}, {"NAME", GLT_COLUMN_SHRINK}};

static char printed[4096];
static FILE *file;
static int keep;

/* stdout goes into a file meanwhile. */
static void begin(void)
{
	(void)fflush(stdout);
	keep = dup(STDOUT_FILENO);
	file = tmpfile();
	assert_non_null(file);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
}

static const char *end(void)
{
	size_t n;

	(void)fflush(stdout);
	assert_true(dup2(keep, STDOUT_FILENO) >= 0);
	(void)close(keep);
	rewind(file);
	n = fread(printed, 1, sizeof(printed) - 1, file);
	printed[n] = '\0';
	(void)fclose(file);
	return printed;
}

static const char *rows(enum glt_format format, bool no_headings, const char *name)
{
	const struct glt_cli cli = {.format = format, .no_headings = no_headings};
	struct glt_out *out;

	begin();
	out = glt_out_new(&cli, columns, 2);
	glt_out_row(out, (const char *const[]){"7", name});
	assert_true(glt_out_print(out));
	return end();
}

static void csv(void **state)
{
	(void)state;
	assert_string_equal(rows(GLT_FORMAT_CSV, false, "ci"), "ID,NAME\r\n7,ci\r\n");
	assert_string_equal(rows(GLT_FORMAT_CSV, true, "ci"), "7,ci\r\n");
	assert_string_equal(rows(GLT_FORMAT_CSV, true, "a,b"), "7,\"a,b\"\r\n");
	assert_string_equal(rows(GLT_FORMAT_CSV, true, "a \"b\""), "7,\"a \"\"b\"\"\"\r\n");
	assert_string_equal(rows(GLT_FORMAT_CSV, true, NULL), "7,\r\n");
	assert_string_equal(rows(GLT_FORMAT_CSV, true, "a\x1b[m"), "7,a\\u001b[m\r\n");
}

static void table_and_raw(void **state)
{
	const char *text;

	(void)state;
	assert_string_equal(rows(GLT_FORMAT_TABLE, false, "my ci"), "ID NAME\n 7 my ci\n");
	text = rows(GLT_FORMAT_TABLE, true, "");
	/* libsmartcols before 2.41 leaves room for a heading that it does not print. */
	assert_string_equal(text + (text[0] == ' '), "7 -\n");
	assert_string_equal(rows(GLT_FORMAT_RAW, true, "my ci"), "7 my\\x20ci\n");
	text = rows(GLT_FORMAT_TABLE, true, "a\x1b[m\xe2\x80\xaeq");
	assert_string_equal(text + (text[0] == ' '), "7 a\\u001b[m\\u202eq\n");
}

static const char *items(int n)
{
	const struct glt_cli cli = {.format = GLT_FORMAT_JSON};
	struct glt_out *out;

	begin();
	out = glt_out_new(&cli, columns, 2);
	for (int i = 1; i <= n; i++) {
		json_t *o = json_object();

		(void)json_object_set_new(o, "id", json_integer(i));
		glt_out_json(out, o);
	}
	assert_true(glt_out_print(out));
	return end();
}

static void json_arrays(void **state)
{
	(void)state;
	assert_string_equal(items(0), "[]\n");
	assert_string_equal(items(1), "[\n  {\n    \"id\": 1\n  }\n]\n");
	assert_string_equal(items(2), "[\n  {\n    \"id\": 1\n  },\n  {\n    \"id\": 2\n  }\n]\n");
}

static const char *value(json_t *v)
{
	begin();
	assert_true(glt_json_print(v));
	return end();
}

static void json_values(void **state)
{
	char one[] = "10.0.0.0/8", *list[] = {one};

	(void)state;
	assert_string_equal(value(glt_json_text("")), "null\n");
	assert_string_equal(value(glt_json_text("Zo\xc3\xab")), "\"Zo\xc3\xab\"\n");
	assert_string_equal(value(glt_json_text("a\xff")), "\"a\xef\xbf\xbd\"\n");
	assert_string_equal(value(glt_json_text("a\x1b\"")), "\"a\\u001B\\\"\"\n");
	/* UTF-8 that steers a terminal is escaped; the value is the same. */
	assert_string_equal(value(glt_json_text("\xc2\x9bm\xc3\xab")), "\"\\u009Bm\\u00EB\"\n");
	assert_string_equal(value(glt_json_text("\xe2\x80\xae")), "\"\\u202E\"\n");
	assert_string_equal(value(glt_json_number(0)), "null\n");
	assert_string_equal(value(glt_json_number(12)), "12\n");
	assert_string_equal(value(glt_json_time(0)), "null\n");
	assert_string_equal(value(glt_json_time(4102444800)), "\"2100-01-01T00:00:00Z\"\n");
	assert_string_equal(value(glt_json_list(NULL, 0)), "[]\n");
	assert_string_equal(value(glt_json_list(list, 1)), "[\n  \"10.0.0.0/8\"\n]\n");
	assert_string_equal(value(glt_json_scopes(0)), "[]\n");
	assert_string_equal(value(glt_json_scopes(5)), "[\n  \"api\",\n  \"read_repository\"\n]\n");
}

static void local_times(void **state)
{
	char text[GLT_LOCAL_TEXT];

	(void)state;
	assert_int_equal(setenv("TZ", "XYZ-2", 1), 0);
	tzset();
	glt_when_local(4102444801, true, text);
	assert_string_equal(text, "2100-01-01 02:00:01 XYZ");
	glt_when_local(4102444801, false, text);
	assert_string_equal(text, "2100-01-01 02:00 XYZ");
	glt_when_local(0, false, text);
	assert_string_equal(text, "never");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv),         cmocka_unit_test(table_and_raw), cmocka_unit_test(json_arrays),
		cmocka_unit_test(json_values), cmocka_unit_test(local_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
