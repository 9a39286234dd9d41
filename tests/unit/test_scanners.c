/* SPDX-License-Identifier: MIT */
/* Public secret scanners find our tokens without configuration: their patterns, as POSIX says the same. The ERE has
 * no look-around, so what may not stand beside the token is a group of its own and the token is group `group`. */
#include "token.h"

#include <math.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#define TOKENS 10000

struct scanner {
	const char *name, *prefix, *ere;
	size_t group;
};

static const struct scanner scanners[] = {
	/* glpat-[\w-]{20} */
	{"gitleaks", "glpat-", "glpat-[[:alnum:]_-]{20}", 0},
	/* gldt-[0-9a-zA-Z_\-]{20} */
	{"gitleaks deploy", "gldt-", "gldt-[0-9a-zA-Z_-]{20}", 0},
	/* \b(glpat-[a-zA-Z0-9\-=_]{20,22})\b */
	{"trufflehog", "glpat-", "\\b(glpat-[a-zA-Z0-9=_-]{20,22})\\b", 1},
	/* (glpat|gldt|glft|glsoat|glrt)-[A-Za-z0-9_\-]{20,50}(?!\w) */
	{"detect-secrets", "glpat-", "((glpat|gldt|glft|glsoat|glrt)-[A-Za-z0-9_-]{20,50})([^[:alnum:]_]|$)", 1},
	{"detect-secrets", "gldt-", "((glpat|gldt|glft|glsoat|glrt)-[A-Za-z0-9_-]{20,50})([^[:alnum:]_]|$)", 1},
	/* \b(glpat-[0-9a-zA-Z_-]{20})(?:\b|$) */
	{"noseyparker", "glpat-", "\\b(glpat-[0-9a-zA-Z_-]{20})(\\b|$)", 1},
	/* (?<!\p{L})glpat-[A-Za-z0-9_-]{20,128}(?![A-Za-z0-9_-]) */
	{"secretlint", "glpat-", "(^|[^[:alpha:]])(glpat-[A-Za-z0-9_-]{20,128})([^A-Za-z0-9_-]|$)", 2},
	/* \b(glpat-([a-zA-Z0-9_-]{20}))\b */
	{"sonar", "glpat-", "\\b(glpat-([a-zA-Z0-9_-]{20}))\\b", 1},
};
#define SCANNERS (sizeof(scanners) / sizeof(scanners[0]))

/* Does the scanner report exactly the token in before + token + after? */
static bool finds(const regex_t *re, const struct scanner *s, const char *before, const char *token,
		  const char *after)
{
	char text[128];
	regmatch_t m[4];
	size_t start = strlen(before), len = strlen(token);

	assert_true((size_t)snprintf(text, sizeof(text), "%s%s%s", before, token, after) < sizeof(text));
	return regexec(re, text, 4, m, 0) == 0 && m[s->group].rm_so == (regoff_t)start &&
	       m[s->group].rm_eo == (regoff_t)(start + len);
}

static void every_token_is_found(void **state)
{
	static const struct {
		const char *before, *after;
	} around[] = {
		{"", ""}, {"token = \"", "\"\n"}, {"https://x:", "@host/a.git"}, {"GIT_TOKEN=", ""}, {"(", ")."}};

	(void)state;
	for (size_t i = 0; i < SCANNERS; i++) {
		const struct scanner *s = &scanners[i];
		regex_t re;

		assert_int_equal(regcomp(&re, s->ere, REG_EXTENDED), 0);
		for (int n = 0; n < TOKENS; n++) {
			struct glt_token_text t;
			char whole[GLT_TOKEN_MAX + 1];
			size_t k = (size_t)n % (sizeof(around) / sizeof(around[0]));

			glt_token_generate(s->prefix, &t);
			glt_token_format(&t, whole);
			if (!finds(&re, s, around[k].before, whole, around[k].after))
				fail_msg("%s misses %s%s%s", s->name, around[k].before, whole, around[k].after);
		}
		regfree(&re);
	}
}

/* The patterns above are real ones: none takes what is no token. */
static void nothing_else_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCANNERS; i++) {
		char shorter[32];
		regex_t re;

		assert_int_equal(regcomp(&re, scanners[i].ere, REG_EXTENDED), 0);
		(void)snprintf(shorter, sizeof(shorter), "%s0123456789abcdefghi", scanners[i].prefix);
		assert_int_not_equal(regexec(&re, shorter, 0, NULL, 0), 0);
		assert_int_not_equal(regexec(&re, "glpet-0123456789abcdefghij", 0, NULL, 0), 0);
		regfree(&re);
	}
}

static double entropy(const char *s)
{
	unsigned count[256] = {0};
	double sum = 0, len = (double)strlen(s);

	for (; *s; s++)
		count[(unsigned char)*s]++;
	for (int c = 0; c < 256; c++)
		if (count[c])
			sum -= count[c] / len * log2(count[c] / len);
	return sum;
}

static void gitleaks_entropy(void **state)
{
	(void)state;
	assert_true(entropy("glpat-aaaaaaaaaaaaaaaaaaaa") < 3);
	for (int n = 0; n < TOKENS; n++) {
		struct glt_token_text t;
		char whole[GLT_TOKEN_MAX + 1];

		glt_token_generate("glpat-", &t);
		glt_token_format(&t, whole);
		assert_true(entropy(whole) > 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_token_is_found),
		cmocka_unit_test(nothing_else_is_found),
		cmocka_unit_test(gitleaks_entropy),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
