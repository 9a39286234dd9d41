/* SPDX-License-Identifier: MIT */
#include "tools/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN "glpat-AbCdEf0123456789wxyz"
#define OTHER "gldt-ZZZZZZ0123456789wxyz"

static const char *const prefixes[] = {"glpat-", "gldt-", NULL};

struct found {
	char text[1024];
	size_t n, stop_after;
};

static bool add(void *arg, const struct glt_token_text *text)
{
	struct found *f = arg;
	char whole[GLT_TOKEN_MAX + 1];

	glt_token_format(text, whole);
	assert_true(strlen(f->text) + strlen(whole) + 2 < sizeof(f->text));
	strcat(f->text, whole);
	strcat(f->text, " ");
	return ++f->n != f->stop_after;
}

/* What stands in data[len], which comes in pieces of at most piece bytes. */
static struct found scan_from(const char *data, size_t len, size_t piece)
{
	struct found f = {.n = 0};
	struct glt_err err;
	int fd[2];
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(fd[0]);
		while (len > 0) {
			size_t n = len < piece ? len : piece;

			if (write(fd[1], data, n) != (ssize_t)n)
				_exit(1);
			data += n;
			len -= n;
		}
		_exit(0);
	}
	(void)close(fd[1]);
	assert_int_equal(glt_scan(fd[0], prefixes, add, &f, &err), GLT_OK);
	(void)close(fd[0]);
	return f;
}

static void check(const char *text, const char *expected)
{
	for (size_t piece = 1; piece < 70; piece += 17) {
		struct found f = scan_from(text, strlen(text), piece);

		assert_string_equal(f.text, expected);
	}
}

static void somewhere_in_a_text(void **state)
{
	(void)state;
	check("", "");
	check(TOKEN, TOKEN " ");
	check("PASSWORD=" TOKEN "\n", TOKEN " ");
	check("https://oauth2:" TOKEN "@host/x, " OTHER ".", TOKEN " " OTHER " ");
	check("\"" TOKEN "\"\"" TOKEN "\"", TOKEN " " TOKEN " ");
}

static void no_token(void **state)
{
	(void)state;
	check("glpat-AbCdEf0123456789wxy", "");   /* one short */
	check("glpat-AbCdEf0123456789wxyzA", ""); /* one more */
	check("xglpat-AbCdEf0123456789wxyz", "");
	check("glpat-AbCdEf0123456789wx_z", "");
}

/* The same out of a file, which fills the reader's window at each read. */
static void check_file(const char *data, size_t len, const char *expected)
{
	struct found f = {.n = 0};
	struct glt_err err;
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	rewind(file);
	assert_int_equal(glt_scan(fileno(file), prefixes, add, &f, &err), GLT_OK);
	assert_string_equal(f.text, expected);
	assert_int_equal(fclose(file), 0);
}

/* Wherever the reader's window happens to end, a token is neither lost nor found twice nor found in the middle of
 * a longer word. */
static void around(char *data, size_t boundary)
{
	const size_t len = boundary + 100;

	for (size_t at = boundary - 28; at <= boundary + 2; at++) {
		memset(data, ' ', len);
		memcpy(data + at, TOKEN, strlen(TOKEN));
		check_file(data, len, TOKEN " ");

		memset(data, 'x', at);
		check_file(data, len, "");

		data[at - 1] = '\0'; /* binary data ends a word too */
		check_file(data, len, TOKEN " ");
	}
}

static void across_windows(void **state)
{
	const size_t window = 65536;
	char *data = malloc(3 * window + 100);

	(void)state;
	assert_non_null(data);
	around(data, window);
	around(data, 2 * window);
	around(data, 3 * window);
	free(data);
}

static void stops_when_told(void **state)
{
	struct found f = {.stop_after = 1};
	struct glt_err err;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_true(write(fd[1], TOKEN " " OTHER, sizeof(TOKEN OTHER)) > 0);
	(void)close(fd[1]);
	assert_int_equal(glt_scan(fd[0], prefixes, add, &f, &err), GLT_OK);
	assert_string_equal(f.text, TOKEN " ");
	(void)close(fd[0]);
}

static void unreadable(void **state)
{
	struct found f = {.n = 0};
	struct glt_err err;

	(void)state;
	assert_int_equal(glt_scan(-1, prefixes, add, &f, &err), GLT_UNAVAILABLE);
	assert_non_null(strstr(err.text, "standard input"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(somewhere_in_a_text), cmocka_unit_test(no_token),
		cmocka_unit_test(across_windows),      cmocka_unit_test(stops_when_told),
		cmocka_unit_test(unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
