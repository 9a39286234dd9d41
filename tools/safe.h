/* SPDX-License-Identifier: MIT */
/* Text from records and from callers on its way to a terminal: nothing in it may steer the terminal or make
 * one name read as another. */
#ifndef GLT_SAFE_H
#define GLT_SAFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* No control character (C0, DEL, C1) but line feeds, no bidirectional control, no line separator, valid UTF-8. */
bool glt_safe(const char *text);
/* The same text with what is not safe written as \u001b, and bytes that are no UTF-8 as U+FFFD. malloc'd;
 * NULL: no memory. */
char *glt_safe_dup(const char *text);
/* Print it that way. Line feeds are kept: an error text or a help text may have several lines. */
void glt_safe_put(FILE *out, const char *text);

#endif
