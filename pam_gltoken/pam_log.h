/* SPDX-License-Identifier: MIT */
/*
 * One line for the log: key=value pairs, or one JSON object of strings, safe whatever the values hold. As pairs, a
 * value with blanks, quotes, '=', backslashes or bytes that are not printable ASCII is double-quoted with \xNN escapes,
 * so that no user name and no host name can forge a field or a line.
 */
#ifndef GLT_PAM_LOG_H
#define GLT_PAM_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* A longer value ends in "...": what is logged may be cut, what is decided on may not. */
#define GLT_LOG_VALUE_MAX 300

struct glt_log_line {
	char text[2048];
	size_t len;
	bool json; /* the text is a whole object after each addition */
};

/* An empty line with its first pair. format: "json", or anything else, NULL too, for pairs. */
void glt_log_begin(struct glt_log_line *line, const char *format, const char *event);

/* NULL value: nothing is added. A pair that does not fit is left out whole. */
void glt_log_add(struct glt_log_line *line, const char *key, const char *value);

#endif
