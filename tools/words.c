/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <stdbool.h>
#include <string.h>

/* One word from *in to *out; both are moved. False: a quote or a backslash has nothing behind it. */
static bool take(const char **in, char **out)
{
	const char *p = *in;
	char quote = '\0';

	for (; *p && (quote || *p != ' '); p++) {
		if (!quote && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == quote) {
			quote = '\0';
		} else {
			bool escape = *p == '\\' && (!quote || (quote == '"' && (p[1] == '"' || p[1] == '\\')));

			if (escape && !*++p)
				return false;
			*(*out)++ = *p;
		}
	}
	*(*out)++ = '\0';
	*in = p;
	return !quote;
}

enum glt_status glt_words_parse(const char *command, struct glt_words *out, struct glt_err *err)
{
	const char *in = command;
	char *text = out->text;

	out->n = 0;
	if (strlen(command) >= sizeof(out->text))
		return glt_fail(err, GLT_INVALID, "the command is longer than %zu bytes", sizeof(out->text) - 1);
	for (const char *p = command; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return glt_fail(err, GLT_INVALID, "the command holds a control character");
	/* No word is longer than what it was read from, its end included: a blank stood behind it, or it is the last. */
	for (;;) {
		in += strspn(in, " ");
		if (!*in)
			return GLT_OK;
		if (out->n == GLT_WORDS_MAX)
			return glt_fail(err, GLT_INVALID, "the command has more than %d words", GLT_WORDS_MAX);
		out->word[out->n++] = text;
		if (!take(&in, &text))
			return glt_fail(err, GLT_INVALID, "the command ends within a quote");
	}
}
