/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include "csv.h"
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COLUMNS_MAX 32
#define ROW_MAX ((size_t)1 << 20)

struct glt_rows {
	struct glt_cli *cli;
	const struct glt_bulk *bulk;
	char command[64]; /* as it is without "(row N)" */
	FILE *file;
	char *text; /* of one row, with a byte to spare */
	size_t size, room;
	bool json;
	off_t first; /* where the rows begin, behind the titles */
	const struct option *column[COLUMNS_MAX];
	size_t n_columns, number;
};

/* ---- the file, which is read twice, a row at a time ---- */

/* What comes through a pipe is kept in a file without a name until it has been checked. */
static FILE *keep(FILE *in)
{
	static char piece[65536];
	FILE *kept = tmpfile();
	size_t n;

	while (kept && (n = fread(piece, 1, sizeof(piece), in)) > 0)
		if (fwrite(piece, 1, n, kept) != n)
			break;
	if (kept && !ferror(in) && !ferror(kept) && fflush(kept) == 0 &&
	    fcntl(fileno(kept), F_SETFD, FD_CLOEXEC) == 0)
		rewind(kept);
	else if (kept) {
		(void)fclose(kept);
		kept = NULL;
	}
	return kept;
}

static FILE *open_file(const struct glt_cli *cli, const char *path, int *rc)
{
	struct glt_err err;
	FILE *f = glt_input_open(path, &err), *kept = f;
	struct stat st;

	if (!f) {
		*rc = glt_cli_fail(cli, &err);
		return NULL;
	}
	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
		kept = keep(f);
		if (!kept) {
			glt_cli_warn(cli, "%s: %s", path, strerror(errno));
			*rc = GLT_EXIT_UNAVAILABLE;
		}
		glt_input_close(f);
	}
	return kept;
}

/* The next row into r->text; false at the end. */
static bool read_row(struct glt_rows *r)
{
	bool quoted = false;
	int c = 0;

	for (r->size = 0; !(c == '\n' && !quoted) && (c = getc_unlocked(r->file)) != EOF; r->size++) {
		if (r->size == ROW_MAX)
			glt_cli_usage(r->cli, "is over %zu bytes", ROW_MAX);
		if (c == '\0')
			glt_cli_usage(r->cli, "holds a NUL byte");
		if (r->size + 1 >= r->room)
			r->text = glt_cli_alloc(r->text, r->room = 2 * r->room + 1024, 1);
		r->text[r->size] = (char)c;
		quoted ^= c == '"' && !r->json;
	}
	if (ferror(r->file)) {
		glt_cli_warn(r->cli, "%s: %s", r->bulk->from_file, strerror(errno));
		exit(GLT_EXIT_UNAVAILABLE);
	}
	if (quoted)
		glt_cli_usage(r->cli, "a quote is not closed");
	if (r->size > 0)
		r->text[r->size] = '\0';
	return r->size > 0;
}

/* allow_from and allow-from are --allow-from. */
static const struct option *column_of(const struct glt_bulk *bulk, const char *title)
{
	char name[32];
	size_t n = strlen(title);

	if (n >= sizeof(name))
		return NULL;
	memcpy(name, title, n + 1);
	for (char *p = name; (p = strchr(p, '_'));)
		*p = '-';
	for (const struct option *o = bulk->options; o->name; o++)
		if (o->has_arg == required_argument && o->val < GLT_ISSUE_OWN && strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

static void name_row(const struct glt_rows *r)
{
	(void)snprintf(r->cli->command, sizeof(r->cli->command), "%.40s (row %zu)", r->command, r->number);
}

static void read_titles(struct glt_rows *r)
{
	char *field[COLUMNS_MAX];
	size_t at = 0;

	if (!read_row(r) || !glt_csv_row(r->text, r->size, &at, field, COLUMNS_MAX, &r->n_columns))
		glt_cli_usage(r->cli, "%s: the first row must be the columns' names", r->bulk->from_file);
	for (size_t i = 0; i < r->n_columns; i++) {
		r->column[i] = column_of(r->bulk, field[i]);
		if (!r->column[i])
			glt_cli_usage(r->cli, "%s: unknown column '%.64s'", r->bulk->from_file, field[i]);
		for (size_t k = 0; k < i; k++)
			if (r->column[k] == r->column[i])
				glt_cli_usage(r->cli, "%s: column '%.64s' stands there twice", r->bulk->from_file,
					      field[i]);
	}
}

struct glt_rows *glt_rows_open(struct glt_cli *cli, const struct glt_bulk *bulk, int *rc)
{
	struct glt_rows *r = glt_cli_alloc(NULL, 1, sizeof(*r));
	int c;

	*r = (struct glt_rows){.cli = cli, .bulk = bulk};
	memcpy(r->command, cli->command, sizeof(r->command));
	if (!bulk->from_file)
		return r;
	r->file = open_file(cli, bulk->from_file, rc);
	if (!r->file) {
		free(r);
		return NULL;
	}
	do
		c = getc_unlocked(r->file);
	while (c != EOF && strchr(" \t\r\n", c));
	r->json = c == '{';
	(void)ungetc(c, r->file);
	if (!r->json)
		read_titles(r);
	r->first = ftello(r->file);
	return r;
}

void glt_rows_rewind(struct glt_rows *r)
{
	if (r->file && fseeko(r->file, r->first, SEEK_SET) != 0) {
		glt_cli_warn(r->cli, "%s: %s", r->bulk->from_file, strerror(errno));
		exit(GLT_EXIT_UNAVAILABLE);
	}
	r->number = 0;
}

void glt_rows_close(struct glt_rows *r)
{
	if (!r)
		return;
	if (r->file)
		glt_input_close(r->file);
	free(r->text);
	free(r);
}

/* ---- one row ---- */

static void set(const struct glt_rows *r, struct glt_row *row, const struct option *o, char *value)
{
	if (!*value)
		return;
	optarg = value;
	glt_issue_arg(r->cli, &row->args, o->val);
}

static bool read_csv(struct glt_rows *r, struct glt_row *row)
{
	char *field[COLUMNS_MAX];
	size_t n, at = 0;

	if (!read_row(r))
		return false;
	row->text = glt_cli_strdup(r->text);
	if (!glt_csv_row(row->text, r->size, &at, field, COLUMNS_MAX, &n) || n != r->n_columns)
		glt_cli_usage(r->cli, "must have %zu columns", r->n_columns);
	for (size_t i = 0; i < n; i++)
		set(r, row, r->column[i], field[i]);
	return true;
}

/* A string, a number or a list of strings as on the command line, behind what text holds already. */
static void json_value(const struct glt_rows *r, const char *key, const json_t *v, char *out, size_t room)
{
	size_t used = 0;

	if (json_is_integer(v)) {
		(void)snprintf(out, room, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		return;
	}
	if (json_is_string(v)) {
		(void)snprintf(out, room, "%s", json_string_value(v));
		return;
	}
	if (!json_is_array(v) && !json_is_null(v))
		glt_cli_usage(r->cli, "'%.64s' must be a string, a number or a list of strings", key);
	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *s = json_string_value(json_array_get(v, i));

		if (!s || strchr(s, ','))
			glt_cli_usage(r->cli, "'%.64s' must be a list of strings without commas", key);
		used += (size_t)snprintf(out + used, room - used, "%s%s", i ? "," : "", s);
	}
}

static bool read_json(struct glt_rows *r, struct glt_row *row)
{
	const char *key;
	json_error_t why;
	json_t *v;
	char *p;
	size_t room;

	do
		if (!read_row(r))
			return false;
	while (r->text[strspn(r->text, " \t\r\n")] == '\0');
	row->json = json_loadb(r->text, r->size, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(row->json))
		glt_cli_usage(r->cli, "must be a JSON object on one line: %s", why.text);
	room = 2 * r->size + 64 * json_object_size(row->json) + 64; /* each value fits behind those before it */
	p = row->text = glt_cli_alloc(NULL, room, 1);
	json_object_foreach(row->json, key, v)
	{
		const struct option *o = column_of(r->bulk, key);

		if (!o)
			glt_cli_usage(r->cli, "unknown key '%.64s'", key);
		json_value(r, key, v, p, room - (size_t)(p - row->text));
		set(r, row, o, p);
		p += strlen(p) + 1;
	}
	return true;
}

/* NAME-1, NAME-2, ... */
static bool count_up(struct glt_rows *r, struct glt_row *row)
{
	const char *name = r->bulk->usual->name;

	if (r->number > r->bulk->count)
		return false;
	if (!name)
		glt_cli_usage(r->cli, "--name is required");
	row->text = glt_cli_alloc(NULL, strlen(name) + 24, 1);
	(void)sprintf(row->text, "%s-%zu", name, r->number);
	row->args.name = row->text;
	return true;
}

bool glt_rows_next(struct glt_rows *r, struct glt_row *row)
{
	bool there;

	*row = (struct glt_row){.number = ++r->number};
	name_row(r);
	there = r->json ? read_json(r, row) : r->file ? read_csv(r, row) : count_up(r, row);
	if (there) {
		glt_issue_args_default(&row->args, r->bulk->usual);
		glt_issue_args_fill(r->cli, &row->args, &row->req);
	}
	memcpy(r->cli->command, r->command, sizeof(r->command));
	return there;
}

static void free_list(struct glt_list *own, const struct glt_list *usual)
{
	if (own->v != usual->v)
		glt_list_free(own);
}

void glt_row_free(const struct glt_rows *r, struct glt_row *row)
{
	const struct glt_issue_args *usual = r->bulk->usual;

	free_list(&row->args.scope, &usual->scope);
	free_list(&row->args.allow_from, &usual->allow_from);
	free_list(&row->args.only_repo, &usual->only_repo);
	free_list(&row->args.service, &usual->service);
	json_decref(row->json);
	free(row->text);
}
