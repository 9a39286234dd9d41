/* SPDX-License-Identifier: MIT */
/* Names, account names and paths; the bounds of what people may type. */
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- UTF-8: RFC 3629 ---- */

static void utf8_encode(unsigned cp, char out[5])
{
	unsigned char *p = (unsigned char *)out;

	if (cp < 0x80) {
		*p++ = (unsigned char)cp;
	} else if (cp < 0x800) {
		*p++ = (unsigned char)(0xc0 | cp >> 6);
		*p++ = (unsigned char)(0x80 | (cp & 63));
	} else if (cp < 0x10000) {
		*p++ = (unsigned char)(0xe0 | cp >> 12);
		*p++ = (unsigned char)(0x80 | (cp >> 6 & 63));
		*p++ = (unsigned char)(0x80 | (cp & 63));
	} else {
		*p++ = (unsigned char)(0xf0 | cp >> 18);
		*p++ = (unsigned char)(0x80 | (cp >> 12 & 63));
		*p++ = (unsigned char)(0x80 | (cp >> 6 & 63));
		*p++ = (unsigned char)(0x80 | (cp & 63));
	}
	*p = '\0';
}

static void utf8_every_code_point(void **state)
{
	(void)state;
	for (unsigned cp = 1; cp < 0x120000; cp++) {
		bool good = cp < 0xd800 || (cp > 0xdfff && cp <= 0x10ffff);
		char text[5];

		utf8_encode(cp, text);
		if (glt_utf8_valid(text, strlen(text)) != good)
			fail_msg("U+%04X is %s", cp, good ? "refused" : "taken");
		/* Each proper prefix of a long form is cut short. */
		for (size_t n = 1; cp > 0x7f && n < strlen(text); n++)
			assert_false(glt_utf8_valid(text, n));
	}
}

static void utf8_broken(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc0\xaf",
		"\xc1\xbf",
		"\xe0\x80\xaf",
		"\xe0\x9f\xbf",
		"\xf0\x80\x80\xaf",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xfe",
		"\xff",
		"\xe2\x28\xa1",
		"\xe2\x82\x28",
		"\xf0\x28\x8c\xbc",
		"ok\xc3",
		"\xc3\xa4\xa4",
		"a\xc3z",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (glt_utf8_valid(bad[i], strlen(bad[i])))
			fail_msg("broken UTF-8 number %zu is taken", i);
	assert_true(glt_utf8_valid("", 0));
	assert_false(glt_utf8_valid("a\0b", 3));
	assert_true(glt_utf8_valid("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xb1", 9));
}

/* ---- names ---- */

static enum glt_status name(const char *text, bool empty_ok, const char *words)
{
	struct glt_err err = {GLT_OK, ""};
	enum glt_status st = glt_name_check("description", text, empty_ok, &err);

	if (st == GLT_OK)
		return st;
	assert_non_null(strstr(err.text, "description"));
	assert_true(glt_utf8_valid(err.text, strlen(err.text)));
	for (const char *p = err.text; *p; p++) /* no escape sequence reaches a terminal */
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
	if (words && !strstr(err.text, words))
		fail_msg("'%s' does not say '%s'", err.text, words);
	return st;
}

static void name_length(void **state)
{
	char text[GLT_NAME_MAX + 8];

	(void)state;
	memset(text, 'n', sizeof(text));
	text[255] = '\0';
	assert_int_equal(name(text, false, NULL), GLT_OK);
	memset(text, 'n', sizeof(text));
	text[256] = '\0';
	assert_int_equal(name(text, false, "256 bytes"), GLT_INVALID);
	/* Bytes count, not characters. */
	for (int i = 0; i < 255; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	text[255] = '\0';
	assert_int_equal(name(text, false, NULL), GLT_OK);
	strcpy(text + 255, "x");
	assert_int_equal(name(text, true, "at most 255"), GLT_INVALID);
	assert_int_equal(name("", true, NULL), GLT_OK);
	assert_int_equal(name("", false, "empty"), GLT_INVALID);
	assert_int_equal(name("x", false, NULL), GLT_OK);
}

static void name_controls(void **state)
{
	static const char *const more[] = {"\xc2\x80",     "\xc2\x85",     "\xc2\x9b",     "\xc2\x9f", /* C1 */
					   "\xe2\x80\xa8", "\xe2\x80\xa9", /* separators */
					   "\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9"};
	static const char *const fine[] = {"\xc2\xa0",     "\xc3\x9b",     "\xe2\x80\x94",
					   "\xe2\x81\xa5", "\xe2\x82\xac", "'\"\\$`;|&<>"};

	(void)state;
	for (int c = 1; c < 0x80; c++) {
		char text[] = "a?b";

		text[1] = (char)c;
		assert_int_equal(name(text, false, c < 0x20 || c == 0x7f ? "control" : NULL),
				 c < 0x20 || c == 0x7f ? GLT_INVALID : GLT_OK);
	}
	for (size_t i = 0; i < COUNT(more); i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "a%sb", more[i]);
		assert_int_equal(name(text, false, "control"), GLT_INVALID);
		assert_int_equal(name(more[i], true, "control"), GLT_INVALID);
	}
	for (size_t i = 0; i < COUNT(fine); i++)
		assert_int_equal(name(fine[i], false, NULL), GLT_OK);
	assert_int_equal(name("\xff\x1b[2J", false, "UTF-8"), GLT_INVALID);
}

static void name_blanks(void **state)
{
	(void)state;
	assert_int_equal(name(" x", false, "blank"), GLT_INVALID);
	assert_int_equal(name("x ", false, "blank"), GLT_INVALID);
	assert_int_equal(name(" ", true, "blank"), GLT_INVALID);
	assert_int_equal(name("x y", false, NULL), GLT_OK);
}

/* ---- accounts ---- */

static void account_names(void **state)
{
	static const char *const good[] = {
		"git", "a",    "_apt", "first.last", "x-y", "gitlab+deploy-token-1", "project_7_bot_0a1b2c3d",
		"A",   "7zip", "0x0",  "a.",         "x_"};
	static const char *const bad[] = {"",         "0",     "1000", "00",  "-x",  ".x",
					  "+x",       "a b",   "a/b",  "a:b", "a\n", "a@b",
					  "\xc3\xa4", "a\xc3", "a$",   "%41", "a,b", "a\x1b[2J"};
	struct glt_err err;
	char longest[GLT_ACCOUNT_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (glt_account_name_check(good[i], &err) != GLT_OK)
			fail_msg("%s", err.text);
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (glt_account_name_check(bad[i], &err) != GLT_INVALID)
			fail_msg("account name '%s' is taken", bad[i]);
		assert_null(strchr(err.text, '\x1b'));
		assert_null(strchr(err.text, '\n'));
	}
	memset(longest, 'a', sizeof(longest));
	longest[GLT_ACCOUNT_MAX] = '\0';
	assert_int_equal(glt_account_name_check(longest, &err), GLT_OK);
	longest[GLT_ACCOUNT_MAX] = 'a';
	longest[GLT_ACCOUNT_MAX + 1] = '\0';
	assert_int_equal(glt_account_name_check(longest, &err), GLT_INVALID);
}

/* ---- paths ---- */

static void paths(void **state)
{
	static const char *const good[] = {"a",         "demo/hello", "_x/y-z/w.v_", "a.git.b", "A/B/C/D/E/F/G/H",
					   "1/2",       "x.gitx",     "x.locks",     "git",     "lock",
					   "demo/x.y.z"};
	static const char *const bad[] = {
		"",           "/",      "/a",   "a/",   "a//b",     ".",     "..",      "./a",     "a/.",
		"a/..",       "a/../b", "../a", ".git", "a/.git",   "a.git", "a.git/b", "a/b.git", "a.lock",
		"x/a.lock/b", "a..b",   "-a",   "a/-b", ".a",       "a/.b",  "a.",      "a./b",    "a b",
		"a\\b",       "a:b",    "a~b",  "a*",   "\xc3\xa4", "a\nb",  "a@{0}",   "a%2fb",   "~git/x",
		" a",         "a ",     "a?",   "+a",   "a/b\x7f",
	};
	struct glt_err err;
	char longest[GLT_PATH_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (glt_path_check(good[i], &err) != GLT_OK)
			fail_msg("%s", err.text);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (glt_path_check(bad[i], &err) != GLT_INVALID)
			fail_msg("path '%s' is taken", bad[i]);
	memset(longest, 'p', sizeof(longest));
	longest[GLT_PATH_MAX] = '\0';
	assert_int_equal(glt_path_check(longest, &err), GLT_OK);
	longest[GLT_PATH_MAX] = 'p';
	longest[GLT_PATH_MAX + 1] = '\0';
	assert_int_equal(glt_path_check(longest, &err), GLT_INVALID);
}

static void paths_normalised(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: refused */
	} cases[] = {
		{"demo/hello", "demo/hello"},
		{"/demo/hello.git/", "demo/hello"},
		{"demo/hello.git", "demo/hello"},
		{"/demo/hello", "demo/hello"},
		{"demo/hello/", "demo/hello"},
		{"hello.git", "hello"},
		{"//demo/hello", NULL},
		{"demo/hello//", NULL},
		{"demo/hello.git.git", NULL},
		{".git", NULL},
		{"/.git", NULL},
		{"demo/.git", NULL},
		{"", NULL},
		{"/", NULL},
		{"//", NULL},
		{"demo/../x", NULL},
		{"../etc", NULL},
		{"demo/hello.git/x", NULL},
		{"~/hello.git", NULL},
		{"a.git", "a"},
		{"demo/hello.GIT", "demo/hello.GIT"},
	};
	char out[GLT_PATH_MAX + 1], longest[GLT_PATH_MAX + 8];
	struct glt_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum glt_status st = glt_path_normalise(cases[i].in, out, &err);

		if (st != (cases[i].out ? GLT_OK : GLT_INVALID))
			fail_msg("'%s' is %s", cases[i].in, st == GLT_OK ? "taken" : "refused");
		if (cases[i].out)
			assert_string_equal(out, cases[i].out);
	}
	memset(longest, 'p', sizeof(longest));
	longest[0] = '/';
	strcpy(longest + 1 + GLT_PATH_MAX, ".git/");
	assert_int_equal(glt_path_normalise(longest, out, &err), GLT_OK);
	assert_int_equal(strlen(out), GLT_PATH_MAX);
	longest[0] = 'p'; /* one more than fits: refused, not cut */
	assert_int_equal(glt_path_normalise(longest, out, &err), GLT_INVALID);
}

static void paths_cover(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool covers;
	} cases[] = {
		{"demo", "demo", true},         {"demo", "demo/hello", true},  {"demo", "demo/a/b/c", true},
		{"demo/a", "demo/a/b", true},   {"demo", "demolition", false}, {"demo", "dem", false},
		{"demo/a", "demo/ab", false},   {"demo/a", "demo", false},     {"demo/a", "demo/b", false},
		{"hello", "demo/hello", false}, {"", "demo", false},           {"Demo", "demo", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (glt_path_covers(cases[i].outer, cases[i].inner) != cases[i].covers)
			fail_msg("%s covers %s?", cases[i].outer, cases[i].inner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_every_code_point),
		cmocka_unit_test(utf8_broken),
		cmocka_unit_test(name_length),
		cmocka_unit_test(name_controls),
		cmocka_unit_test(name_blanks),
		cmocka_unit_test(account_names),
		cmocka_unit_test(paths),
		cmocka_unit_test(paths_normalised),
		cmocka_unit_test(paths_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
