/* SPDX-License-Identifier: MIT */
#include "tools/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* On the heap and no longer than it is, so that a sanitizer sees a read beyond the end. */
static enum glt_status parse(const char *command, struct glt_words *w)
{
	struct glt_err err = {.text = ""};
	char *copy = strdup(command);
	enum glt_status st;

	assert_non_null(copy);
	st = glt_words_parse(copy, w, &err);
	assert_int_equal(st == GLT_OK, err.text[0] == '\0');
	for (const char *p = err.text; *p; p++)
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
	free(copy);
	return st;
}

static const struct {
	const char *command, *word[5];
} good[] = {
	{"", {NULL}},
	{"   ", {NULL}},
	{"a", {"a"}},
	{"  a  b ", {"a", "b"}},
	{"a 'b c' d", {"a", "b c", "d"}},
	{"a \"b c\" d", {"a", "b c", "d"}},
	{"a '' \"\" b", {"a", "", "", "b"}},
	{"a b'c d'e", {"a", "bc de"}},
	{"a 'b'\\''c'", {"a", "b'c"}},
	{"a 'b'\\!'c'", {"a", "b!c"}},
	{"a '\"'", {"a", "\""}},
	{"a \"'\"", {"a", "'"}},
	{"a \"\\\"\\\\\"", {"a", "\"\\"}},
	{"a \"\\n\\$\"", {"a", "\\n\\$"}},
	{"a '\\n'", {"a", "\\n"}},
	{"a b\\ c", {"a", "b c"}},
	{"a \\'b \\\"c", {"a", "'b", "\"c"}},
	{"a $HOME `id` $(id);|&<>*?#", {"a", "$HOME", "`id`", "$(id);|&<>*?#"}},
	{"n\xc3\xa4me \xff", {"n\xc3\xa4me", "\xff"}},
};

static void words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct glt_words w = {.n = 0};
		size_t n = 0;

		if (parse(good[i].command, &w) != GLT_OK)
			fail_msg("<%s> is refused", good[i].command);
		while (n < 5 && good[i].word[n])
			n++;
		if (w.n != n)
			fail_msg("<%s>: %zu words", good[i].command, w.n);
		for (size_t k = 0; k < n; k++)
			assert_string_equal(w.word[k], good[i].word[k]);
	}
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"'",    "a 'b", "a \"b", "a b\"",   "a \\",   "a 'b\\''",          "a \"b\\\"",
		"a\tb", "a\nb", "a\x7f", "\x1b[0m", "a '\n'", "1 2 3 4 5 6 7 8 9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct glt_words w = {.n = 0};

		if (parse(bad[i], &w) != GLT_INVALID)
			fail_msg("<%s> is taken", bad[i]);
	}
}

/* The most that fits, as one word, as many, and one more of each. */
static void lengths(void **state)
{
	char text[GLT_WORDS_TEXT + 1];
	struct glt_words w = {.n = 0};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[GLT_WORDS_TEXT - 1] = '\0';
	assert_int_equal(parse(text, &w), GLT_OK);
	assert_int_equal(strlen(w.word[0]), GLT_WORDS_TEXT - 1);
	text[GLT_WORDS_TEXT - 1] = 'x';
	text[GLT_WORDS_TEXT] = '\0';
	assert_int_equal(parse(text, &w), GLT_INVALID);
	assert_int_equal(parse("1 2 3 4 5 6 7 8", &w), GLT_OK);
	assert_int_equal(w.n, GLT_WORDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(refused),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
