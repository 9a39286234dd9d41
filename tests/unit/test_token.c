/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#define TAIL (GLT_SELECTOR_LEN + GLT_SECRET_LEN)
#define BODY "0aZ9bYxWvUtSrQpOnM5k"

static const char *const prefixes[] = {"glpat-", "gldt-", NULL};

/* ---- generate ---- */

#define DRAWS 20000
static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* 61 degrees of freedom: mean 61, deviation 11; a byte taken modulo 62 gives over 10,000 for DRAWS * TAIL. */
static double chi_square(const unsigned count[62])
{
	double expected, sum = 0, total = 0;

	for (int i = 0; i < 62; i++)
		total += count[i];
	expected = total / 62;
	for (int i = 0; i < 62; i++)
		sum += (count[i] - expected) * (count[i] - expected) / expected;
	return sum;
}

static int by_text(const void *a, const void *b)
{
	return memcmp(a, b, GLT_SECRET_LEN);
}

static void generate_is_uniform(void **state)
{
	static unsigned all[62], at[TAIL][62];
	static char secrets[DRAWS][GLT_SECRET_LEN];

	(void)state;
	for (int n = 0; n < DRAWS; n++) {
		struct glt_token_text t;
		char body[TAIL + 1];

		glt_token_generate("glpat-", &t);
		assert_string_equal(t.prefix, "glpat-");
		assert_int_equal(strlen(t.selector), GLT_SELECTOR_LEN);
		assert_int_equal(strlen(t.secret), GLT_SECRET_LEN);
		(void)snprintf(body, sizeof(body), "%s%s", t.selector, t.secret);
		memcpy(secrets[n], t.secret, GLT_SECRET_LEN);
		for (int i = 0; i < TAIL; i++) {
			const char *p = strchr(alphabet, body[i]);

			assert_non_null(p);
			all[p - alphabet]++;
			at[i][p - alphabet]++;
		}
	}
	assert_true(chi_square(all) < 140 && chi_square(all) > 15);
	for (int i = 0; i < TAIL; i++)
		assert_true(chi_square(at[i]) < 150 && chi_square(at[i]) > 12);
	qsort(secrets, DRAWS, sizeof(secrets[0]), by_text);
	for (int n = 1; n < DRAWS; n++)
		assert_true(memcmp(secrets[n - 1], secrets[n], GLT_SECRET_LEN) != 0);
}

static void format_is_the_whole(void **state)
{
	struct glt_token_text t, back;
	char whole[GLT_TOKEN_MAX + 1];
	const char *const longest[] = {"abcdefghijklmnopqrstuvwxyz01234-", NULL};

	(void)state;
	for (int n = 0; n < 100; n++) {
		glt_token_generate("gldt-", &t);
		glt_token_format(&t, whole);
		assert_int_equal(strlen(whole), 5 + TAIL);
		assert_true(glt_token_parse(whole, strlen(whole), prefixes, &back));
		assert_memory_equal(&back, &t, sizeof(t));
	}
	glt_token_generate(longest[0], &t);
	glt_token_format(&t, whole);
	assert_int_equal(strlen(whole), GLT_TOKEN_MAX);
	assert_true(glt_token_parse(whole, strlen(whole), longest, &back));
	assert_string_equal(back.prefix, longest[0]);
	glt_token_wipe(&t);
	assert_true(sodium_is_zero((const unsigned char *)&t, sizeof(t)));
}

/* ---- parse ---- */

static bool parses(const char *text, struct glt_token_text *t)
{
	return glt_token_parse(text, strlen(text), prefixes, t);
}

static void parse_splits(void **state)
{
	struct glt_token_text t;

	(void)state;
	assert_true(parses("glpat-" BODY, &t));
	assert_string_equal(t.prefix, "glpat-");
	assert_string_equal(t.selector, "0aZ9bY");
	assert_string_equal(t.secret, "xWvUtSrQpOnM5k");
	assert_true(parses("gldt-" BODY, &t));
	assert_string_equal(t.prefix, "gldt-");
	assert_string_equal(t.selector, "0aZ9bY");
}

static void parse_refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"glpat-",
		"glpat-0aZ9bYxWvUtSrQpOnM5",   /* one too few */
		"glpat-0aZ9bYxWvUtSrQpOnM5kk", /* one too many */
		"glpa-" BODY,
		"GLPAT-" BODY,
		"Glpat-" BODY,
		"glrt-" BODY,
		"glpat" BODY,
		"glpat_" BODY,
		" glpat-" BODY,
		"glpat-" BODY "\n",
		"glpat-" BODY " ",
		"xglpat-" BODY,
		"gldt-a" BODY,
		BODY,
		"glpat-0aZ9bYxWvUtSrQpOnM-k",
		"glpat-_aZ9bYxWvUtSrQpOnM5k",
		"glpat-0aZ9bYxWvUtSrQpOnM5\xc3",
	};
	struct glt_token_text t;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parses(bad[i], &t))
			fail_msg("'%s' is taken for a token", bad[i]);
}

/* Every byte at every place of the body: only letters and digits, whatever the locale says. */
static void parse_alphabet(void **state)
{
	struct glt_token_text t;

	(void)state;
	for (int at = 0; at < TAIL; at++) {
		for (int c = 0; c < 256; c++) {
			char text[] = "glpat-" BODY;
			bool good = c != 0 && strchr(alphabet, c) != NULL;

			text[6 + at] = (char)c;
			assert_int_equal(glt_token_parse(text, sizeof(text) - 1, prefixes, &t), good);
		}
	}
}

/* The text need not end with NUL: exactly len bytes are read. Behind them there is no memory. */
static void parse_reads_len(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct glt_token_text t;

	(void)state;
	assert_true(two != MAP_FAILED && mprotect(two + page, page, PROT_NONE) == 0);
	for (size_t len = 0; len <= 26; len++) {
		char *exact = two + page - len;

		memcpy(exact, "glpat-" BODY, len);
		assert_int_equal(glt_token_parse(exact, len, prefixes, &t), len == 26);
	}
	assert_int_equal(munmap(two, 2 * page), 0);
}

static void prefixes_valid(void **state)
{
	static const char *const good[] = {"-", "glpat-", "acme-glpat-", "A_b-",
					   "abcdefghijklmnopqrstuvwxyz01234-"};
	static const char *const bad[] = {"",         "glpat",
					  "gl pat-",  "gl.pat-",
					  "gl/pat-",  "gl\xc3\xa4-",
					  "glpat-\n", "abcdefghijklmnopqrstuvwxyz012345-"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(glt_token_prefix_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(glt_token_prefix_valid(bad[i]));
}

/* ---- find ---- */

static size_t count_in(const char *text, const char *const pre[])
{
	struct glt_token_text t;
	size_t pos = 0, n = 0, len = strlen(text), before;

	for (before = 0; glt_token_find(text, len, pre, &pos, &t); before = pos) {
		char whole[GLT_TOKEN_MAX + 1];

		assert_true(pos > before && pos <= len);
		glt_token_format(&t, whole);
		assert_memory_equal(text + pos - strlen(whole), whole, strlen(whole));
		n++;
	}
	assert_int_equal(pos, len);
	return n;
}

static void find_in_text(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} cases[] = {
		{"", 0},
		{"glpat-" BODY, 1},
		{"token=glpat-" BODY, 1},
		{"https://oauth2:glpat-" BODY "@git.example.org/x.git", 1},
		{"\"glpat-" BODY "\",\n'gldt-" BODY "'", 2},
		{"glpat-" BODY " glpat-" BODY, 2},
		{"glpat-" BODY ",glpat-" BODY, 2},
		{"xglpat-" BODY, 0},
		{"9glpat-" BODY, 0},
		{"-glpat-" BODY "-", 1},
		{"glpat-" BODY "x", 0},
		{"glpat-" BODY ".", 1},
		{"glpat-glpat-" BODY, 1},
		{"glpat-short glpat-" BODY " glpat-", 1},
		{"glpat-" BODY "glpat-" BODY, 0}, /* "kglpat" runs on: neither is a whole word */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (count_in(cases[i].text, prefixes) != cases[i].n)
			fail_msg("'%s' should hold %zu", cases[i].text, cases[i].n);
}

static void find_long_prefix(void **state)
{
	const char *const pre[] = {"acme-glpat-", "gldt-", NULL};
	const char *const both[] = {"glpat-", "acme-glpat-", NULL};

	(void)state;
	assert_int_equal(count_in("x acme-glpat-" BODY " y", pre), 1);
	assert_int_equal(count_in("glpat-" BODY, pre), 0);
	assert_int_equal(count_in("acme-glpat-" BODY, both), 1);
}

/* What follows the given length is none of its business, and neither is what precedes *pos. */
static void find_keeps_bounds(void **state)
{
	static const char text[] = "glpat-" BODY;
	struct glt_token_text t;
	size_t pos = 0;
	char *exact = malloc(25);

	(void)state;
	assert_non_null(exact);
	memcpy(exact, text, 25);
	assert_false(glt_token_find(exact, 25, prefixes, &pos, &t));
	assert_int_equal(pos, 25);
	free(exact);
	pos = 1;
	assert_false(glt_token_find(text, 26, prefixes, &pos, &t));
	assert_int_equal(pos, 26);
	assert_false(glt_token_find(text, 26, prefixes, &pos, &t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generate_is_uniform), cmocka_unit_test(format_is_the_whole),
		cmocka_unit_test(parse_splits),        cmocka_unit_test(parse_refuses),
		cmocka_unit_test(parse_alphabet),      cmocka_unit_test(parse_reads_len),
		cmocka_unit_test(prefixes_valid),      cmocka_unit_test(find_in_text),
		cmocka_unit_test(find_long_prefix),    cmocka_unit_test(find_keeps_bounds),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
