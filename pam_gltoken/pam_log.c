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

/* out holds GLT_LOG_VALUE_MAX + sizeof "\\xNN..." */
static void escape(char *out, const char *value)
{
	size_t len = 0;

	for (; *value && len < GLT_LOG_VALUE_MAX; value++) {
		if (printable((unsigned char)*value))
			out[len++] = *value;
		else
			len += (size_t)sprintf(out + len, "\\x%02x", (unsigned char)*value);
	}
	strcpy(out + len, *value ? "..." : "");
}

void glt_log_add(struct glt_log_line *line, const char *key, const char *value)
{
	char safe[GLT_LOG_VALUE_MAX + sizeof "\\xNN..."];

	if (!value)
		return;
	escape(safe, value);
	const char *quote = needs_quotes(value) ? "\"" : "";
	size_t room = sizeof line->text - line->len;
	int n = snprintf(line->text + line->len, room, "%s%s=%s%s%s", line->len ? " " : "", key, quote, safe,
			 quote);
	if (n > 0 && (size_t)n < room)
		line->len += (size_t)n;
	line->text[line->len] = '\0';
}
