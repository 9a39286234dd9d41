/* SPDX-License-Identifier: MIT */
#include "pam_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct glt_log_line line;

static const char *pair(const char *value)
{
	line = (struct glt_log_line){.len = 0};
	glt_log_add(&line, "k", value);
	assert_int_equal(line.len, strlen(line.text));
	return line.text;
}

static void values(void **state)
{
	(void)state;
	assert_string_equal(pair("git"), "k=git");
	assert_string_equal(pair("192.0.2.7"), "k=192.0.2.7");
	assert_string_equal(pair("2001:db8::1"), "k=2001:db8::1");
	assert_string_equal(pair("o'hara,{x}"), "k=o'hara,{x}");
	assert_string_equal(pair(NULL), "");
	assert_string_equal(pair(""), "k=\"\"");
	assert_string_equal(pair("a b"), "k=\"a b\"");
	assert_string_equal(pair("a=b"), "k=\"a=b\"");
	assert_string_equal(pair("a\"b"), "k=\"a\\x22b\"");
	assert_string_equal(pair("a\\b"), "k=\"a\\x5cb\"");
	assert_string_equal(pair("a\nevent=login decision=allow"), "k=\"a\\x0aevent=login decision=allow\"");
	assert_string_equal(pair("\x01\x1b[2J\x7f"), "k=\"\\x01\\x1b[2J\\x7f\"");
	assert_string_equal(pair("Zo\xc3\xab"), "k=\"Zo\\xc3\\xab\"");
	assert_string_equal(pair("%s%n"), "k=%s%n");
}

static void pairs(void **state)
{
	(void)state;
	line = (struct glt_log_line){.len = 0};
	glt_log_add(&line, "event", "login");
	glt_log_add(&line, "rhost", NULL);
	glt_log_add(&line, "text", "no more");
	glt_log_add(&line, "z", "1");
	assert_string_equal(line.text, "event=login text=\"no more\" z=1");
}

static void json(void **state)
{
	(void)state;
	glt_log_begin(&line, "json", "login");
	assert_string_equal(line.text, "{\"event\":\"login\"}");
	glt_log_add(&line, "rhost", NULL);
	glt_log_add(&line, "empty", "");
	glt_log_add(&line, "text", "a b=c");
	glt_log_add(&line, "bad", "\"},{\\\n\x7fZo\xc3\xab");
	assert_string_equal(line.text, "{\"event\":\"login\",\"empty\":\"\",\"text\":\"a b=c\","
				       "\"bad\":\"\\\\x22},{\\\\x5c\\\\x0a\\\\x7fZo\\\\xc3\\\\xab\"}");
	assert_int_equal(line.len, strlen(line.text));
	glt_log_begin(&line, NULL, "git");
	glt_log_add(&line, "a", "1");
	assert_string_equal(line.text, "event=git a=1");
	glt_log_begin(&line, "kv", "git");
	assert_string_equal(line.text, "event=git");
}

/* What does not fit is left out whole, and what is there is still an object. */
static void json_that_is_full(void **state)
{
	char value[GLT_LOG_VALUE_MAX];

	(void)state;
	memset(value, '\n', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	glt_log_begin(&line, "json", "login");
	for (int i = 0; i < 20; i++)
		glt_log_add(&line, "k", value);
	assert_true(line.len < sizeof line.text && line.len > sizeof line.text - 400);
	assert_string_equal(line.text + line.len - 2, "\"}");
	assert_int_equal(line.len, strlen(line.text));
}

static void long_values_are_cut_and_say_so(void **state)
{
	char value[2 * GLT_LOG_VALUE_MAX], want[2 * GLT_LOG_VALUE_MAX];

	(void)state;
	memset(value, 'a', sizeof value);
	value[GLT_LOG_VALUE_MAX] = '\0';
	strcpy(want, "k=");
	strcat(want, value);
	assert_string_equal(pair(value), want);
	value[GLT_LOG_VALUE_MAX] = 'a';
	value[GLT_LOG_VALUE_MAX + 1] = '\0';
	strcat(want, "...");
	assert_string_equal(pair(value), want);

	/* the most that one value can take: an escape begins at the last place */
	memset(value, 'a', GLT_LOG_VALUE_MAX - 1);
	strcpy(value + GLT_LOG_VALUE_MAX - 1, "\n\n");
	pair(value);
	assert_string_equal(line.text + line.len - strlen("a\\x0a...\""), "a\\x0a...\"");
}

/* A pair that has no room is left out whole, and what follows it still stands. */
static void a_full_line(void **state)
{
	char value[GLT_LOG_VALUE_MAX + 1];

	(void)state;
	memset(value, 'a', sizeof value);
	value[GLT_LOG_VALUE_MAX] = '\0';
	line = (struct glt_log_line){.len = 0};
	for (int i = 0; i < 20; i++) {
		glt_log_add(&line, "key", value);
		assert_int_equal(line.len, strlen(line.text));
		assert_true(line.len < sizeof line.text);
		assert_int_equal(line.text[line.len - 1], 'a');
	}
	assert_int_equal((line.len + 1) % (strlen("key= ") + GLT_LOG_VALUE_MAX), 0);
	size_t full = line.len;
	glt_log_add(&line, "z", "1");
	assert_int_equal(line.len, full + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(pairs),
		cmocka_unit_test(json),
		cmocka_unit_test(json_that_is_full),
		cmocka_unit_test(long_values_are_cut_and_say_so),
		cmocka_unit_test(a_full_line),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
