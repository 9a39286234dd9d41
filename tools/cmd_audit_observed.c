/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "observed.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct glt_column columns[] = {
	{"USER", 0},   {"OP", 0},
	{"PATH", 0},   {"REF", GLT_COLUMN_SHRINK},
	{"REASON", 0}, {"TIMES", GLT_COLUMN_RIGHT},
	{"FIRST", 0},  {"LAST", 0},
};

static int by_last(const void *a, const void *b)
{
	const int64_t x = ((const struct glt_observed *)a)->last, y = ((const struct glt_observed *)b)->last;

	return x < y ? -1 : x > y;
}

static void add_item(struct glt_out *out, const struct glt_observed *o)
{
	const char *op = o->op == GLT_OP_PUSH ? "push" : "pull";
	char times[24], first[GLT_LOCAL_TEXT], last[GLT_LOCAL_TEXT];

	if (glt_out_is_json(out)) {
		json_t *item = json_object();

		(void)json_object_set_new(item, "username", glt_json_text(o->user));
		(void)json_object_set_new(item, "operation", glt_json_text(op));
		(void)json_object_set_new(item, "path", glt_json_text(o->path));
		(void)json_object_set_new(item, "ref", glt_json_text(o->ref));
		(void)json_object_set_new(item, "reason", glt_json_text(glt_reason_name(o->reason)));
		(void)json_object_set_new(item, "count", glt_json_number(o->count));
		(void)json_object_set_new(item, "first_at", glt_json_time(o->first));
		(void)json_object_set_new(item, "last_at", glt_json_time(o->last));
		glt_out_json(out, item);
		return;
	}
	(void)snprintf(times, sizeof(times), "%" PRIu64, o->count);
	glt_when_cell(out, o->first, "", first);
	glt_when_cell(out, o->last, "", last);
	glt_out_row(out, (const char *const[]){o->user, op, o->path, o->ref, glt_reason_name(o->reason), times,
					       first, last});
}

int glt_audit_observed(struct glt_cli *cli, size_t limit)
{
	struct glt_observed *v;
	struct glt_out *out;
	size_t n;
	int rc = glt_cli_config(cli);

	if (rc == GLT_EXIT_OK)
		rc = glt_cli_drop(cli);
	if (rc != GLT_EXIT_OK)
		return rc;
	v = glt_cli_alloc(NULL, GLT_OBSERVED_MAX, sizeof(*v));
	n = glt_observed_read(cli->conf.store_dir, v, GLT_OBSERVED_MAX);
	if (n > 0)
		qsort(v, n, sizeof(*v), by_last);
	out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = n > limit ? n - limit : 0; i < n; i++)
		add_item(out, &v[i]);
	free(v);
	return glt_out_print(out) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
}
