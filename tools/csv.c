/* SPDX-License-Identifier: MIT */
#include "csv.h"

#include <string.h>

/* What stands behind a field ends it: 0 inside of a row, 1 at its end, -1: neither may stand there. */
static int end_of_field(char *text, size_t size, size_t *at)
{
	if (*at < size && text[*at] == ',') {
		text[(*at)++] = '\0';
		return 0;
	}
	if (*at + 1 < size && text[*at] == '\r' && text[*at + 1] == '\n')
		text[(*at)++] = '\0';
	if (*at < size && text[*at] != '\n')
		return -1;
	text[*at] = '\0';
	*at += *at < size;
	return 1;
}

static int read_quoted(char *text, size_t size, size_t *at)
{
	char *out = text + *at;
	int end;

	for (++*at;; *out++ = text[(*at)++]) {
		if (*at >= size)
			return -1;
		if (text[*at] != '"')
			continue;
		if (*at + 1 >= size || text[*at + 1] != '"')
			break;
		++*at; /* "" is one quote */
	}
	++*at;
	end = end_of_field(text, size, at);
	*out = '\0';
	return end;
}

bool glt_csv_row(char *text, size_t size, size_t *at, char *field[], size_t max, size_t *n)
{
	int end = 0;

	*n = 0;
	if (*at >= size)
		return false;
	while (end == 0) {
		if (*n == max)
			return false;
		field[(*n)++] = text + *at;
		if (*at < size && text[*at] == '"') {
			end = read_quoted(text, size, at);
			continue;
		}
		while (*at < size && !strchr(",\r\n\"", text[*at]))
			++*at;
		end = end_of_field(text, size, at);
	}
	return end == 1;
}

bool glt_csv_put(FILE *f, const char *field)
{
	if (!field[strcspn(field, ",\"\r\n")])
		return fputs(field, f) >= 0;
	if (putc('"', f) == EOF)
		return false;
	for (; *field; field++)
		if ((*field == '"' && putc('"', f) == EOF) || putc((unsigned char)*field, f) == EOF)
			return false;
	return putc('"', f) != EOF;
}
