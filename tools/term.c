/* SPDX-License-Identifier: MIT */
#include "term.h"

#include "safe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool glt_term_is(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

bool glt_term_colors(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return glt_term_is() && !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}

void glt_when_relative(int64_t when, int64_t now, char out[GLT_SPAN_WORDS])
{
	static const struct {
		int64_t seconds, from; /* from how many of the unit below it is spoken of */
		const char *name;
	} units[] = {{31557600, 2 * 31557600, "year"},
		     {2629800, 2 * 2629800, "month"},
		     {86400, 2 * 86400, "day"},
		     {3600, 2 * 3600, "hour"},
		     {60, 60, "minute"},
		     {1, 1, "second"}};
	const bool ahead = when > now;
	const int64_t span = ahead ? when - now : now - when;

	(void)snprintf(out, GLT_SPAN_WORDS, "now");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		int64_t n = span / units[i].seconds;

		if (span < units[i].from)
			continue;
		(void)snprintf(out, GLT_SPAN_WORDS, "%s%" PRId64 " %s%s%s", ahead ? "in " : "", n, units[i].name,
			       n == 1 ? "" : "s", ahead ? "" : " ago");
		return;
	}
}

bool glt_agreed(const char *fmt, ...)
{
	char line[16], *question;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&question, fmt, ap);
	va_end(ap);
	if (n < 0)
		return false;
	glt_safe_put(stderr, question);
	(void)fputs(" [y/N] ", stderr);
	free(question);
	return fgets(line, sizeof(line), stdin) && (strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0);
}

/* ---- what was meant ---- */

#define WORD_MAX 31 /* longer ones are like nothing */

/* Edits (insert, delete, replace, swap of neighbours) that turn a into b. */
static size_t distance(const char *a, const char *b)
{
	size_t d[WORD_MAX + 2][WORD_MAX + 2], n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return WORD_MAX;
	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[n][m];
}

void glt_nearest(struct glt_nearest *best, const char *word, const char *name)
{
	size_t len = strlen(word), far = distance(word, name);

	if (len >= 3 && strncmp(word, name, len) == 0)
		far = 1;
	if ((!best->name || far < best->far) && far <= (len > 4 ? 2 : 1)) {
		best->name = name;
		best->far = far;
	}
}
