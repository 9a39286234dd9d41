/* SPDX-License-Identifier: MIT */
/* What is done for a person at a terminal, and for nobody else. */
#ifndef GLT_TERM_H
#define GLT_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Standard output is a terminal; and it takes colours, which NO_COLOR and TERM=dumb refuse. */
bool glt_term_is(void);
bool glt_term_colors(void);

#define GLT_SPAN_WORDS 32
/* "in 3 days", "2 hours ago", "now". */
void glt_when_relative(int64_t when, int64_t now, char out[GLT_SPAN_WORDS]);

/* Ask on standard error, "QUESTION [y/N] ", and read the answer from standard input. */
bool glt_agreed(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Of words, the one that was meant; NULL: none is near. Begin with NULL and no distance. */
struct glt_nearest {
	const char *name;
	size_t far;
};
void glt_nearest(struct glt_nearest *best, const char *word, const char *name);

#endif
