/* SPDX-License-Identifier: MIT */
/* Requests for tokens from a file of rows, or counted up. */
#ifndef GLT_ROWS_H
#define GLT_ROWS_H

#include "issue_args.h"

#include <jansson.h>

struct glt_bulk {
	const char *from_file; /* or */
	uint64_t count;
	const char *output;
	bool resume, dry_run;
	const struct option *options; /* the columns that a row may have */
	const struct glt_issue_args *usual;
};

struct glt_row {
	size_t number; /* from 1 */
	struct glt_issue_args args;
	struct glt_issue req;
	char *text; /* what args points into */
	json_t *json;
};

struct glt_rows;

/* Reads the file, as who calls. NULL: a message was printed, and rc is the exit status. */
struct glt_rows *glt_rows_open(struct glt_cli *cli, const struct glt_bulk *bulk, int *rc);
/* The next row, checked; false at the end. A row that breaks a rule ends the process with status 2, and is named. */
bool glt_rows_next(struct glt_rows *rows, struct glt_row *row);
void glt_rows_rewind(struct glt_rows *rows);
void glt_row_free(const struct glt_rows *rows, struct glt_row *row);
void glt_rows_close(struct glt_rows *rows);

#endif
