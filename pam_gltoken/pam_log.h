/* SPDX-License-Identifier: MIT */
/*
 * One line for the log: key=value pairs, safe whatever the values hold. A value with blanks, quotes, '=',
 * backslashes or bytes that are not printable ASCII is double-quoted with \xNN escapes, so that no user name and
 * no host name can forge a field or a line.
 */
#ifndef GLT_PAM_LOG_H
#define GLT_PAM_LOG_H

#include <stddef.h>

/* A longer value ends in "...": what is logged may be cut, what is decided on may not. */
#define GLT_LOG_VALUE_MAX 300

struct glt_log_line {
	char text[2048];
	size_t len;
};

/* NULL value: nothing is added. A pair that does not fit is left out whole. */
void glt_log_add(struct glt_log_line *line, const char *key, const char *value);

#endif
