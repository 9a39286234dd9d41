/* SPDX-License-Identifier: MIT */
/*
 * What `gltoken report` says: a list of data sets, each with columns and rows of text. The page, the JSON and the CSV
 * are made from the same list, so their numbers are the same.
 */
#ifndef GLT_REPORT_H
#define GLT_REPORT_H

#include "cli.h"
#include "select.h"
#include "usage.h"

#include <jansson.h>

enum glt_chart {
	GLT_CHART_NONE,
	GLT_CHART_BARS,     /* a bar a row: the first column names it, the first number is its length */
	GLT_CHART_STACKS,   /* a row a day: all numbers on top of each other */
	GLT_CHART_CALENDAR, /* a row a day: the first number is its shade */
};

struct glt_field {
	const char *name, *title; /* name: in JSON and CSV */
	bool number;
};

#define GLT_FIELDS 7
struct glt_dataset {
	const char *key, *title, *about;
	enum glt_chart chart;
	struct glt_field field[GLT_FIELDS];
	size_t n; /* fields */
	char **cell;
	size_t rows, room;
};

#define GLT_DATASETS 16
struct glt_report {
	int64_t now;
	struct glt_found tokens;
	struct glt_usage *usage; /* of each token */
	struct glt_dataset set[GLT_DATASETS];
	size_t n;
};

struct glt_dataset *glt_report_add(struct glt_report *r, enum glt_chart chart, const char *key, const char *title,
				   const char *about);
void glt_dataset_field(struct glt_dataset *d, const char *name, const char *title, bool number);
/* One string a field; copied. */
void glt_dataset_row(struct glt_dataset *d, const char *const cells[]);
/* A name and numbers. */
void glt_dataset_count(struct glt_dataset *d, const char *name, const uint64_t *numbers);
const char *glt_dataset_cell(const struct glt_dataset *d, size_t row, size_t field);
uint64_t glt_dataset_number(const struct glt_dataset *d, size_t row, size_t field);
const struct glt_dataset *glt_report_find(const struct glt_report *r, const char *key);

/* The parts: tokens, and what is wrong with them; who may push where; what happened when. */
void glt_report_tokens(struct glt_report *r);
void glt_report_findings(struct glt_report *r, const struct glt_conf *conf);
enum glt_status glt_report_pushers(struct glt_report *r, struct glt_store *store, struct glt_err *err);
void glt_report_answers(struct glt_report *r, const struct glt_conf *conf);
enum glt_status glt_report_activity(struct glt_report *r, struct glt_store *store, struct glt_err *err);

/* Print to stdout. */
json_t *glt_report_json(const struct glt_report *r);
bool glt_report_csv(const struct glt_cli *cli, const struct glt_report *r);
bool glt_report_html(const struct glt_report *r);
void glt_report_free(struct glt_report *r);

/* ---- for the page ---- */
/* Text between tags or in a quoted attribute: nothing in it is a tag, an entity or steers the direction. */
void glt_html_put(const char *text);
#define GLT_BARS_MAX 25 /* more are in the table only */
void glt_svg_chart(const struct glt_dataset *d, int64_t now);
#define GLT_CALENDAR_WEEKS 53
#define GLT_SECONDS_A_DAY INT64_C(86400)
#define GLT_DATE_TEXT 11
void glt_date(int64_t when, char out[GLT_DATE_TEXT]); /* "2027-01-31", UTC */

#endif
