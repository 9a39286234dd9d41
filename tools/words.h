/* SPDX-License-Identifier: MIT */
/*
 * The words of a command that a person typed behind `ssh HOST`, where no shell of ours may read it: parted by
 * blanks; '...' as it stands; in "..." a backslash before " or \; elsewhere a backslash before anything. A pure
 * function of its input. There is no variable, no substitution and no wildcard.
 */
#ifndef GLT_WORDS_H
#define GLT_WORDS_H

#include "status.h"

#include <stddef.h>

#define GLT_WORDS_MAX 8
#define GLT_WORDS_TEXT 2048

struct glt_words {
	size_t n;
	const char *word[GLT_WORDS_MAX]; /* into text, so a copy of the struct is of no use */
	char text[GLT_WORDS_TEXT];
};

/* GLT_INVALID: a quote without its end, too long, too many words, or a control character. */
enum glt_status glt_words_parse(const char *command, struct glt_words *out, struct glt_err *err);

#endif
