/* SPDX-License-Identifier: MIT */
#include "pam_log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool printable(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static bool needs_quotes(const char *value)
{
	if (!*value)
		return true;
	for (const char *p = value; *p; p++)
		if (!printable((unsigned char)*p) || *p == ' ' || *p == '=')
			return true;
	return false;
}

#define SAFE_MAX (GLT_LOG_VALUE_MAX + sizeof "\\\\xNN...")

/* out holds SAFE_MAX. In JSON the backslash of \xNN is itself escaped: what is read is the same as in pairs. */
static void escape(char *out, const char *value, bool json)
{
	size_t len = 0;

	for (; *value && len < GLT_LOG_VALUE_MAX; value++) {
		if (printable((unsigned char)*value))
			out[len++] = *value;
		else
			len += (size_t)sprintf(out + len, json ? "\\\\x%02x" : "\\x%02x", (unsigned char)*value);
	}
	strcpy(out + len, *value ? "..." : "");
}

struct form {
	const char *first, *next, *equals, *end; /* what stands around keys and values */
};

/* Behind what there is, or in place of the brace that ends an object; nothing where it does not fit. */
static void append(struct glt_log_line *line, const struct form *f, const char *key, const char *value)
{
	char pair[SAFE_MAX + 80];
	size_t at = line->json && line->len ? line->len - 1 : line->len;
	int n = snprintf(pair, sizeof pair, "%s%s%s%s%s", line->len ? f->next : f->first, key, f->equals, value,
			 f->end);

	if (n < 0 || (size_t)n >= sizeof pair || at + (size_t)n >= sizeof line->text)
		return;
	memcpy(line->text + at, pair, (size_t)n + 1);
	line->len = at + (size_t)n;
}

void glt_log_add(struct glt_log_line *line, const char *key, const char *value)
{
	static const struct form plain = {"", " ", "=", ""}, quoted = {"", " ", "=\"", "\""},
				 json = {"{\"", ",\"", "\":\"", "\"}"};
	char safe[SAFE_MAX];

	if (!value)
		return;
	escape(safe, value, line->json);
	append(line, line->json ? &json : needs_quotes(value) ? &quoted : &plain, key, safe);
}

void glt_log_begin(struct glt_log_line *line, const char *format, const char *event)
{
	line->len = 0;
	line->text[0] = '\0';
	line->json = format && strcmp(format, "json") == 0;
	glt_log_add(line, "event", event);
}
