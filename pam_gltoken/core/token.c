/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <stdio.h>
#include <string.h>

/* Locale-free: isalnum() of a strange locale must not widen what a token is. */
static bool alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool word(char c)
{
	return alnum(c) || c == '_' || c == '-';
}

bool glt_token_prefix_valid(const char *prefix)
{
	size_t len = strlen(prefix);

	if (len == 0 || len > GLT_PREFIX_MAX || prefix[len - 1] != '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!word(prefix[i]))
			return false;
	return true;
}

bool glt_token_parse(const char *text, size_t len, const char *const prefixes[], struct glt_token_text *out)
{
	const size_t tail = GLT_SELECTOR_LEN + GLT_SECRET_LEN;

	for (size_t p = 0; prefixes[p]; p++) {
		size_t plen = strlen(prefixes[p]);
		const char *body = text + plen;

		if (len != plen + tail || memcmp(text, prefixes[p], plen) != 0)
			continue;
		for (size_t i = 0; i < tail; i++)
			if (!alnum(body[i]))
				return false;
		memset(out, 0, sizeof(*out));
		memcpy(out->prefix, prefixes[p], plen);
		memcpy(out->selector, body, GLT_SELECTOR_LEN);
		memcpy(out->secret, body + GLT_SELECTOR_LEN, GLT_SECRET_LEN);
		return true;
	}
	return false;
}

bool glt_token_find(const char *text, size_t len, const char *const prefixes[], size_t *pos,
		    struct glt_token_text *out)
{
	const size_t tail = GLT_SELECTOR_LEN + GLT_SECRET_LEN;

	for (size_t i = *pos; i < len; i++) {
		/* "xglpat-" is no token, but "token=glpat-" and "-glpat-" hold one. */
		if (i > 0 && alnum(text[i - 1]))
			continue;
		for (size_t p = 0; prefixes[p]; p++) {
			size_t whole = strlen(prefixes[p]) + tail;

			if (whole > len - i || (whole < len - i && alnum(text[i + whole])))
				continue;
			if (glt_token_parse(text + i, whole, prefixes, out)) {
				*pos = i + whole;
				return true;
			}
		}
	}
	*pos = len;
	return false;
}

void glt_token_format(const struct glt_token_text *t, char out[GLT_TOKEN_MAX + 1])
{
	(void)snprintf(out, GLT_TOKEN_MAX + 1, "%s%s%s", t->prefix, t->selector, t->secret);
}

void glt_token_wipe(struct glt_token_text *t)
{
	explicit_bzero(t, sizeof(*t));
}
