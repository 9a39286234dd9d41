/* SPDX-License-Identifier: MIT */
/* Addresses against ranges, texts against globs. */
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- addresses ---- */

static void addresses(void **state)
{
	static const struct {
		const char *text;
		sa_family_t family; /* 0: refused */
	} cases[] = {
		{"192.0.2.7", AF_INET},
		{"0.0.0.0", AF_INET},
		{"255.255.255.255", AF_INET},
		{"::1", AF_INET6},
		{"::", AF_INET6},
		{"2001:db8::7", AF_INET6},
		{"::ffff:192.0.2.7", AF_INET},
		{"::FFFF:c000:0207", AF_INET},
		{"::192.0.2.7", AF_INET6},
		{"", 0},
		{"local", 0},
		{"localhost", 0},
		{"git.example.org", 0},
		{"192.0.2", 0},
		{"192.0.2.256", 0},
		{"192.0.2.7 ", 0},
		{" 192.0.2.7", 0},
		{"192.0.2.7/32", 0},
		{"192.0.2.07", 0},
		{"0xc0.0.2.7", 0},
		{"3221225991", 0},
		{"fe80::1%eth0", 0},
		{"::1%lo", 0},
		{"[::1]", 0},
		{"1:2:3:4:5:6:7:8:9", 0},
		{":::", 0},
		{"192.0.2.7:22", 0},
		{"UNKNOWN", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct glt_address a;

		if (glt_address_parse(cases[i].text, &a) != (cases[i].family != 0))
			fail_msg("address '%s'", cases[i].text);
		if (cases[i].family)
			assert_int_equal(a.family, cases[i].family);
	}
	assert_false(glt_address_parse(NULL, &(struct glt_address){0}));
}

static void mapped_is_the_same(void **state)
{
	struct glt_address a, b;

	(void)state;
	assert_true(glt_address_parse("192.0.2.7", &a));
	assert_true(glt_address_parse("::ffff:192.0.2.7", &b));
	assert_memory_equal(&a, &b, sizeof(a));
}

static const char *const bad_ranges[] = {
	"0.0.0.0/",
	"::/",
	"0.0.0.0/0000",
	"0.0.0.0/4294967296",
	"::/18446744073709551616",
	"",
	"/",
	"/24",
	"192.0.2.0/",
	"192.0.2.0/33",
	"192.0.2.0/-1",
	"192.0.2.0/+24",
	"192.0.2.0/ 8",
	"192.0.2.0/24 ",
	"192.0.2.0/024x",
	"2001:db8::/129",
	"2001:db8::/1280",
	"local",
	"example.org",
	"*",
	"192.0.2.*",
	"192.0.2.0/255.255.255.0",
	"192.0.2.1/24",
	"10.0.0.1/8",
	"2001:db8::1/64",
	"192.0.2.129/25",
	"0.0.0.1/0",
	"::1/0",
	"::ffff:192.0.2.1/120",
	"::ffff:192.0.2.0/95",
	"fe80::/10%eth0",
	"fe80::%eth0/10",
	"fe80::1%eth0",
	"192.0.2.0/24/24",
	"192.0.2.0,10.0.0.0",
};

static void ranges_checked(void **state)
{
	static const char *const good[] = {"192.0.2.0/24",
					   "192.0.2.7",
					   "192.0.2.7/32",
					   "0.0.0.0/0",
					   "10.0.0.0/8",
					   "2001:db8::/32",
					   "::/0",
					   "::1",
					   "::1/128",
					   "::ffff:192.0.2.0/120",
					   "128.0.0.0/1",
					   "192.0.2.128/25",
					   "::ffff:192.0.2.7"};
	struct glt_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (glt_cidr_check(good[i], &err) != GLT_OK)
			fail_msg("%s", err.text);
	for (size_t i = 0; i < COUNT(bad_ranges); i++) {
		if (glt_cidr_check(bad_ranges[i], &err) != GLT_INVALID)
			fail_msg("range '%s' is taken", bad_ranges[i]);
		assert_non_null(strstr(err.text, bad_ranges[i]));
	}
	assert_int_equal(glt_cidr_check("192.0.2.1/24", &err), GLT_INVALID);
	assert_non_null(strstr(err.text, "bits are set beyond the /24"));
}

static void ranges_match(void **state)
{
	static const struct {
		const char *range, *address;
		bool match;
	} cases[] = {
		{"192.0.2.0/24", "192.0.2.0", true},
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.0/24", "192.0.1.255", false},
		{"192.0.2.7", "192.0.2.7", true},
		{"192.0.2.7", "192.0.2.8", false},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.128/25", "192.0.2.128", true},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "203.0.113.9", false},
		{"::/0", "2001:db8::1", true},
		{"0.0.0.0/0", "local", false},
		{"::/0", "local", false},
		{"0.0.0.0/0", "", false},
		{"0.0.0.0/0", "git.example.org", false},
		{"192.0.2.0/24", "::ffff:192.0.2.9", true},
		{"::ffff:192.0.2.0/120", "192.0.2.9", true},
		{"::ffff:192.0.2.0/120", "::ffff:192.0.2.9", true},
		{"::ffff:192.0.2.0/120", "192.0.3.9", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"::1", "::1", true},
		{"::1", "127.0.0.1", false},
		{"fe80::/10", "fe80::1%eth0", false},
		{"192.0.2.0/24", "192.0.2.7/32", false},
		{"0.0.0.0/", "192.0.2.1", false},
		{"0.0.0.0/4294967296", "192.0.2.1", false},
		{"192.0.2.0/33", "192.0.2.1", false},
		{"nonsense", "nonsense", false},
		{"192.0.2.0/24", "192.0.2.7 ", false},
		{"::192.0.2.0/120", "192.0.2.1", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (glt_cidr_match(cases[i].range, cases[i].address) != cases[i].match)
			fail_msg("'%s' in '%s'", cases[i].address, cases[i].range);
	assert_false(glt_cidr_match("0.0.0.0/0", NULL));
}

/* Every prefix length against an address that differs in exactly one bit. */
static void each_bit_of_a_prefix(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits <= 32; bits++) {
		for (unsigned flip = 0; flip < 32; flip++) {
			char range[32], address[32];
			unsigned a = 1u << (31 - flip);

			(void)snprintf(range, sizeof(range), "0.0.0.0/%u", bits);
			(void)snprintf(address, sizeof(address), "%u.%u.%u.%u", a >> 24, a >> 16 & 255,
				       a >> 8 & 255, a & 255);
			assert_int_equal(glt_cidr_match(range, address), flip >= bits);
		}
	}
	for (unsigned bits = 0; bits <= 128; bits++) {
		for (unsigned flip = 0; flip < 128; flip++) {
			char range[64], address[64];
			unsigned group[8] = {0};

			group[flip / 16] = 0x8000u >> (flip % 16);
			(void)snprintf(range, sizeof(range), "::/%u", bits);
			(void)snprintf(address, sizeof(address), "%x:%x:%x:%x:%x:%x:%x:%x", group[0], group[1],
				       group[2], group[3], group[4], group[5], group[6], group[7]);
			assert_int_equal(glt_cidr_match(range, address), flip >= bits);
		}
	}
}

/* ---- globs ---- */

static const struct {
	const char *glob, *text;
	bool match;
} glob_cases[] = {
	{"demo/hello", "demo/hello", true},
	{"demo/hello", "demo/hello2", false},
	{"demo/hello", "xdemo/hello", false},
	{"demo", "demo/hello", false},
	{"demo/*", "demo/hello", true},
	{"demo/*", "demo/a/b", false},
	{"demo/*", "demo/", true},
	{"demo/*", "demo", false},
	{"*", "hello", true},
	{"*", "demo/hello", false},
	{"*", "", true},
	{"*/*", "demo/hello", true},
	{"*/*", "a/b/c", false},
	{"*lo", "hello", true},
	{"h*l*o", "hello", true},
	{"h*x*o", "hello", false},
	{"**", "", true},
	{"**", "a/b/c", true},
	{"demo/**", "demo/a/b/c", true},
	{"demo/**", "demo/", true},
	{"demo/**", "demolition/a", false},
	{"**/hello", "hello", true},
	{"**/hello", "demo/hello", true},
	{"**/hello", "a/b/c/hello", true},
	{"**/hello", "xhello", false},
	{"a/**/z", "a/z", true},
	{"a/**/z", "a/b/z", true},
	{"a/**/z", "a/b/c/z", true},
	{"a/**/z", "az", false},
	{"a/**/z", "a/bz", false},
	{"refs/heads/**", "refs/heads/a/b", true},
	{"refs/heads/*", "refs/heads/a/b", false},
	{"refs/heads/release-*", "refs/heads/release-1.0", true},
	{"refs/tags/v?.?", "refs/tags/v1.2", true},
	{"a?c", "a/c", false},
	{"a?c", "ac", false},
	{"?", "a", true},
	{"?", "", false},
	{"[abc]x", "bx", true},
	{"[abc]x", "dx", false},
	{"[a-c]x", "bx", true},
	{"[a-c]x", "-x", false},
	{"[!a-c]x", "dx", true},
	{"[!a-c]x", "bx", false},
	{"[^a-c]x", "dx", true},
	{"[^a-c]x", "bx", false},
	{"[]]x", "]x", true},
	{"[!]]x", "]x", false},
	{"[!]]x", "ax", true},
	{"[a-]x", "-x", true},
	{"[!a]b", "/b", false},
	{"[a/]b", "/b", false},
	{"[.-0]b", "/b", false},
	{"[abc", "a", false},
	{"[abc", "[abc", false},
	{"[", "[", false},
	{"[!", "!", false},
	{"", "", true},
	{"", "a", false},
	{"A", "a", false},
	{"a.c", "abc", false},
	{"a+", "aa", false},
	{"a+", "a+", true},
};

static void globs_match(void **state)
{

	(void)state;
	for (size_t i = 0; i < COUNT(glob_cases); i++)
		if (glt_glob_match(glob_cases[i].glob, glob_cases[i].text) != glob_cases[i].match)
			fail_msg("'%s' against '%s' should %smatch", glob_cases[i].text, glob_cases[i].glob,
				 glob_cases[i].match ? "" : "not ");
}

/* The rules again, as a definition that backtracks: every length for each star. begins: t is where a part begins. */
static bool matches(const char *g, const char *t, bool begins)
{
	bool twice = g[0] == '*' && g[1] == '*';

	if (!*g)
		return !*t;
	if (*g != '*')
		return *t && (*g == *t || (*g == '?' && *t != '/')) && matches(g + 1, t + 1, *t == '/');
	if (twice && g[2] == '/' && begins && matches(g + 3, t, true))
		return true;
	for (;; begins = *t++ == '/') {
		if (matches(g + 1 + twice, t, begins))
			return true;
		if (!*t || (!twice && *t == '/'))
			return false;
	}
}

static void globs_by_definition(void **state)
{
	static const char *const items[] = {"a", "b", "/", "*", "**/", "?", "/**"};
	unsigned hits = 0;

	(void)state;
	srandom(1);
	for (int n = 0; n < 200000; n++) {
		char glob[32] = "", text[8] = "";

		for (long i = 1 + random() % 5; i > 0; i--)
			strcat(glob, items[(size_t)random() % COUNT(items)]);
		for (long i = random() % 7; i > 0; i--)
			strcat(text, items[random() % 3]);
		if (strstr(glob, "***"))
			continue;
		hits += matches(glob, text, true);
		if (glt_glob_match(glob, text) != matches(glob, text, true))
			fail_msg("'%s' against '%s'", text, glob);
	}
	assert_true(hits > 1000);
}

static void globs_checked(void **state)
{
	static const char *const good[] = {"*",    "**",   "demo/*", "refs/heads/[a-z]*", "a?b", "v[0-9]+", "x@y",
					   "[!a]", "[]a]", "**/x/**"};
	static const char *const bad[] = {"",      "***", "a/***/b", "a b",      "a\\b", "a\n", "a\x1b[2J",
					  "{a,b}", "$x",  "a;b",     "\xc3\xa4", "~",    "'",   "a,b",
					  "[abc",  "a[",  "[!]",     "[]",       "x[a-"};
	struct glt_err err;
	char longest[GLT_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (glt_glob_check(good[i], &err) != GLT_OK)
			fail_msg("%s", err.text);
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (glt_glob_check(bad[i], &err) != GLT_INVALID)
			fail_msg("pattern '%s' is taken", bad[i]);
		assert_null(strchr(err.text, '\x1b'));
	}
	memset(longest, '?', sizeof(longest));
	longest[GLT_NAME_MAX] = '\0';
	assert_int_equal(glt_glob_check(longest, &err), GLT_OK);
	longest[GLT_NAME_MAX] = '?';
	longest[GLT_NAME_MAX + 1] = '\0';
	assert_int_equal(glt_glob_check(longest, &err), GLT_INVALID);
	assert_false(glt_glob_match(longest, longest));
}

/* What makes a backtracking matcher take years. Half a second is a thousand times what these need. */
static void globs_are_fast(void **state)
{
	static const char *const items[] = {"*a", "**a", "**/", "*?", "[a-z]*", "**/*"};
	char text[4096];
	clock_t start = clock();

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < COUNT(items); i++) {
		char glob[GLT_NAME_MAX + 1] = "";

		while (strlen(glob) + strlen(items[i]) + 1 < sizeof(glob))
			strcat(glob, items[i]);
		strcat(glob, "!"); /* never matches */
		assert_false(glt_glob_match(glob, text));
	}
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 0.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(mapped_is_the_same),
		cmocka_unit_test(ranges_checked),
		cmocka_unit_test(ranges_match),
		cmocka_unit_test(each_bit_of_a_prefix),
		cmocka_unit_test(globs_match),
		cmocka_unit_test(globs_by_definition),
		cmocka_unit_test(globs_checked),
		cmocka_unit_test(globs_are_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
