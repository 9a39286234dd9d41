/* SPDX-License-Identifier: MIT */
/* Rows of CSV (RFC 4180); no library that the project has reads it. */
#ifndef GLT_CSV_H
#define GLT_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Cut the row at *at in place into strings, and move *at behind it. text[size] must be there to be written.
 * False: no row, over max fields, a quote that is not closed or does not stand around a whole field. */
bool glt_csv_row(char *text, size_t size, size_t *at, char *field[], size_t max, size_t *n);
/* One field, in quotes where it needs them. */
bool glt_csv_put(FILE *f, const char *field);

#endif
