/* SPDX-License-Identifier: MIT */
#include "safe.h"

#include "text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One character at s: its length (1 for a byte that is no UTF-8) and value (U+FFFD then). */
static size_t decode(const char *s, uint32_t *c)
{
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	const size_t left = strnlen(s, 4);

	for (size_t n = 1; n <= left; n++) {
		if (!glt_utf8_valid(s, n))
			continue;
		*c = (unsigned char)s[0] & mask[n];
		for (size_t i = 1; i < n; i++)
			*c = *c << 6 | ((unsigned char)s[i] & 0x3f);
		return n;
	}
	*c = 0xfffd;
	return 1;
}

static bool steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool glt_safe(const char *text)
{
	if (!glt_utf8_valid(text, strlen(text)))
		return false;
	while (*text) {
		uint32_t c;

		text += decode(text, &c);
		if (steers(c) && c != '\n')
			return false;
	}
	return true;
}

static void put(FILE *out, const char *text, bool keep_lines)
{
	while (*text) {
		uint32_t c;
		size_t n = decode(text, &c);

		if (steers(c) && !(keep_lines && c == '\n'))
			(void)fprintf(out, "\\u%04x", (unsigned)c);
		else if (c == 0xfffd)
			(void)fputs("\xef\xbf\xbd", out);
		else
			(void)fwrite(text, 1, n, out);
		text += n;
	}
}

void glt_safe_put(FILE *out, const char *text)
{
	put(out, text, true);
}

char *glt_safe_dup(const char *text)
{
	char *copy = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&copy, &len);

	if (!out)
		return NULL;
	put(out, text, false);
	if (fclose(out) != 0) {
		free(copy);
		return NULL;
	}
	return copy;
}
