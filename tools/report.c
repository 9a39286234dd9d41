/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "table.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct glt_dataset *glt_report_add(struct glt_report *r, enum glt_chart chart, const char *key, const char *title,
				   const char *about)
{
	struct glt_dataset *d = &r->set[r->n++];

	if (r->n > GLT_DATASETS)
		abort();
	*d = (struct glt_dataset){.key = key, .title = title, .about = about, .chart = chart};
	return d;
}

void glt_dataset_field(struct glt_dataset *d, const char *name, const char *title, bool number)
{
	if (d->n == GLT_FIELDS)
		abort();
	d->field[d->n++] = (struct glt_field){name, title, number};
}

void glt_dataset_row(struct glt_dataset *d, const char *const cells[])
{
	if (d->rows == d->room) {
		d->room = d->room ? d->room * 2 : 16;
		d->cell = glt_cli_alloc(d->cell, d->room * d->n, sizeof(*d->cell));
	}
	for (size_t i = 0; i < d->n; i++)
		d->cell[d->rows * d->n + i] = glt_cli_strdup(cells[i] ? cells[i] : "");
	d->rows++;
}

void glt_dataset_count(struct glt_dataset *d, const char *name, const uint64_t *numbers)
{
	char text[GLT_FIELDS][24];
	const char *cells[GLT_FIELDS] = {name};

	for (size_t i = 1; i < d->n; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "%" PRIu64, numbers[i - 1]);
		cells[i] = text[i];
	}
	glt_dataset_row(d, cells);
}

const char *glt_dataset_cell(const struct glt_dataset *d, size_t row, size_t field)
{
	return d->cell[row * d->n + field];
}

uint64_t glt_dataset_number(const struct glt_dataset *d, size_t row, size_t field)
{
	return strtoull(glt_dataset_cell(d, row, field), NULL, 10);
}

const struct glt_dataset *glt_report_find(const struct glt_report *r, const char *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->set[i].key, key) == 0)
			return &r->set[i];
	abort();
}

void glt_date(int64_t when, char out[GLT_DATE_TEXT])
{
	char text[GLT_WHEN_TEXT];

	glt_when_rfc3339(when, text);
	(void)snprintf(out, GLT_DATE_TEXT, "%.10s", text);
}

void glt_report_free(struct glt_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		for (size_t k = 0; k < r->set[i].rows * r->set[i].n; k++)
			free(r->set[i].cell[k]);
		free(r->set[i].cell);
	}
	free(r->usage);
	glt_found_free(&r->tokens);
	*r = (struct glt_report){.n = 0};
}

/* ---- for programs ---- */

static json_t *row_json(const struct glt_dataset *d, size_t row)
{
	json_t *o = json_object();

	for (size_t i = 0; i < d->n; i++)
		(void)json_object_set_new(o, d->field[i].name,
					  d->field[i].number
						  ? json_integer((json_int_t)glt_dataset_number(d, row, i))
						  : glt_json_text(glt_dataset_cell(d, row, i)));
	return o;
}

json_t *glt_report_json(const struct glt_report *r)
{
	json_t *all = json_object();

	(void)json_object_set_new(all, "generated_at", glt_json_time(r->now));
	for (size_t i = 0; i < r->n; i++) {
		json_t *rows = json_array();

		for (size_t k = 0; k < r->set[i].rows; k++)
			(void)json_array_append_new(rows, row_json(&r->set[i], k));
		(void)json_object_set_new(all, r->set[i].key, rows);
	}
	return all;
}

/* One table for all of them, with a line for each value. */
bool glt_report_csv(const struct glt_cli *cli, const struct glt_report *r)
{
	static const struct glt_column columns[] = {{"section", 0}, {"row", 0}, {"field", 0}, {"value", 0}};
	struct glt_out *out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k < r->set[i].rows; k++)
			for (size_t f = 0; f < r->set[i].n; f++) {
				char row[24];

				(void)snprintf(row, sizeof(row), "%zu", k + 1);
				glt_out_row(out, (const char *const[]){r->set[i].key, row, r->set[i].field[f].name,
								       glt_dataset_cell(&r->set[i], k, f)});
			}
	return glt_out_print(out);
}
