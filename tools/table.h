/* SPDX-License-Identifier: MIT */
/* Lists on stdout: a table that fits the terminal, JSON, CSV or raw columns. */
#ifndef GLT_TABLE_H
#define GLT_TABLE_H

#include "cli.h"

#include <jansson.h>

enum {                        /* of a column */
       GLT_COLUMN_RIGHT = 1,  /* numbers */
       GLT_COLUMN_SHRINK = 2, /* may be cut to fit a terminal; never elsewhere */
};

struct glt_column {
	const char *title; /* table and raw */
	unsigned flags;
};

struct glt_out;

/* JSON has no rows: glt_out_json() is called for each item then, else glt_out_row(). */
struct glt_out *glt_out_new(const struct glt_cli *cli, const struct glt_column *columns, size_t n);
bool glt_out_is_json(const struct glt_out *t);
bool glt_out_is_csv(const struct glt_out *t);
void glt_out_row(struct glt_out *t, const char *const cells[]);
/* The last row's cell, on a terminal that takes colours; a name of terminal-colors.d(5), or NULL. */
void glt_out_color(struct glt_out *t, size_t column, const char *color);
/* A table, and somebody looks at it. */
bool glt_out_on_terminal(const struct glt_out *t);
void glt_out_json(struct glt_out *t, json_t *item); /* takes item over */
/* Print all and free it. False: could not (memory, stdout). */
bool glt_out_print(struct glt_out *t);

/* ---- single values ---- */

/* One JSON value and a line feed. Takes it over. */
bool glt_json_print(json_t *value);
/* Of a change that was made: o and "changed", where --json asks for it. Takes o over. Exit status. */
int glt_json_result(const struct glt_cli *cli, json_t *o, bool changed);
/* null for NULL and ""; bytes that are no UTF-8 become U+FFFD. */
json_t *glt_json_text(const char *s);
json_t *glt_json_number(uint64_t v); /* null for 0 */
json_t *glt_json_time(int64_t when); /* RFC 3339, null for 0 */
json_t *glt_json_list(char **v, size_t n);
json_t *glt_json_scopes(uint64_t scopes);
struct glt_project_counts;
json_t *glt_project_json(const struct glt_project_counts *n);

#define GLT_LOCAL_TEXT 64
/* "2027-01-31 13:00 CET", "never" for 0; seconds where they matter. */
void glt_when_local(int64_t when, bool seconds, char out[GLT_LOCAL_TEXT]);
/* For a cell: local in a table, the day and how far it is on a terminal, RFC 3339 elsewhere. "never" or "-" in a table and "" elsewhere for 0. */
void glt_when_cell(const struct glt_out *t, int64_t when, const char *none, char out[GLT_LOCAL_TEXT]);

#endif
