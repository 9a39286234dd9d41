/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "csv.h"
#include "project.h"
#include "safe.h"
#include "scope.h"
#include "term.h"
#include "when.h"

#include <langinfo.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

/*
 * JSON is jansson's: libsmartcols wraps each list into an object, prints an empty array as [null] and lets
 * bytes through that are no UTF-8. CSV is written here: libsmartcols has none.
 */
struct glt_out {
	enum glt_format format;
	size_t n, items;
	struct libscols_table *scols;
	struct libscols_line *line; /* the last one */
	int64_t now;
	bool failed, terminal;
};

static void add_columns(struct glt_out *t, const struct glt_column *columns)
{
	for (size_t i = 0; i < t->n; i++) {
		int flags = (columns[i].flags & GLT_COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
			    (columns[i].flags & GLT_COLUMN_SHRINK ? SCOLS_FL_TRUNC : 0);

		struct libscols_column *c =
			scols_table_new_column(t->scols, columns[i].title,
					       columns[i].flags & GLT_COLUMN_SHRINK ? 0.1 : 0, flags);

		if (c)
			(void)scols_cell_set_color(scols_column_get_header(c), "bold");
		else
			t->failed = true;
	}
}

static void csv_cell(const char *text)
{
	char *safe = glt_safe_dup(text);

	if (safe)
		(void)glt_csv_put(stdout, safe);
	free(safe);
}

static void csv_row(const struct glt_out *t, const char *const cells[])
{
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0)
			(void)putchar(',');
		csv_cell(cells[i] ? cells[i] : "");
	}
	(void)fputs("\r\n", stdout);
}

static void csv_titles(const struct glt_out *t, const struct glt_column *columns)
{
	for (size_t i = 0; i < t->n; i++)
		printf("%s%s", i > 0 ? "," : "", columns[i].title);
	(void)fputs("\r\n", stdout);
}

struct glt_out *glt_out_new(const struct glt_cli *cli, const struct glt_column *columns, size_t n)
{
	struct glt_out *t = glt_cli_alloc(NULL, 1, sizeof(*t));

	*t = (struct glt_out){.format = cli->format, .n = n, .now = cli->now};
	if (t->format == GLT_FORMAT_CSV && !cli->no_headings)
		csv_titles(t, columns);
	if (t->format == GLT_FORMAT_CSV || t->format == GLT_FORMAT_JSON)
		return t;
	t->scols = scols_new_table();
	if (!t->scols) {
		t->failed = true;
		return t;
	}
	t->terminal = t->format == GLT_FORMAT_TABLE && glt_term_is();
	(void)scols_table_enable_colors(t->scols, t->format == GLT_FORMAT_TABLE && glt_term_colors());
	(void)scols_table_enable_raw(t->scols, t->format == GLT_FORMAT_RAW);
	(void)scols_table_enable_noheadings(t->scols, cli->no_headings);
	add_columns(t, columns);
	return t;
}

bool glt_out_is_json(const struct glt_out *t)
{
	return t->format == GLT_FORMAT_JSON;
}

bool glt_out_is_csv(const struct glt_out *t)
{
	return t->format == GLT_FORMAT_CSV;
}

void glt_out_row(struct glt_out *t, const char *const cells[])
{
	struct libscols_line *line;

	t->items++;
	if (t->format == GLT_FORMAT_CSV)
		csv_row(t, cells);
	if (t->failed || !t->scols)
		return;
	line = t->line = scols_table_new_line(t->scols, NULL);
	if (!line) {
		t->failed = true;
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		const char *text = cells[i] && *cells[i] ? cells[i] : t->format == GLT_FORMAT_TABLE ? "-" : "";
		char *safe = glt_safe_dup(text);

		if (!safe || scols_line_refer_data(line, i, safe) != 0) {
			free(safe);
			t->failed = true;
		}
	}
}

void glt_out_color(struct glt_out *t, size_t column, const char *color)
{
	if (t->line && color)
		(void)scols_cell_set_color(scols_line_get_cell(t->line, column), color);
}

/* JSON is UTF-8, unless some character would steer a terminal: then all but ASCII is escaped. The text may
 * hold a token, so it is wiped. */
static bool dump(const json_t *value, const char *margin)
{
	const size_t flags = JSON_INDENT(2) | JSON_ENCODE_ANY;
	char *text = json_dumps(value, flags);
	bool ok = true;
	size_t len;

	if (text && !glt_safe(text)) {
		explicit_bzero(text, strlen(text));
		free(text);
		text = json_dumps(value, flags | JSON_ENSURE_ASCII);
	}
	if (!text)
		return false;
	for (const char *line = text; *line; line += len) {
		len = strcspn(line, "\n");
		len += line[len] == '\n';
		ok = fputs(margin, stdout) >= 0 && fwrite(line, 1, len, stdout) == len && ok;
	}
	explicit_bzero(text, strlen(text));
	free(text);
	return ok;
}

void glt_out_json(struct glt_out *t, json_t *item)
{
	(void)fputs(t->items++ == 0 ? "[\n" : ",\n", stdout);
	if (!item || !dump(item, "  "))
		t->failed = true;
	json_decref(item);
}

/* The bytes of text that take at most so many columns; all of them: it fits. */
static size_t fitting(const char *text, size_t columns)
{
	size_t len = 0, used = 0;
	mbstate_t state = {0};

	while (text[len]) {
		wchar_t c;
		size_t n = mbrtowc(&c, text + len, strlen(text + len), &state);
		int width = n > 0 && n <= strlen(text + len) ? wcwidth(c) : 1;

		if (n == 0 || n > strlen(text + len)) {
			n = 1;
			state = (mbstate_t){0};
		}
		used += width > 0 ? (size_t)width : 0;
		if (used > columns)
			break;
		len += n;
	}
	return len;
}

/* What the terminal is too narrow for is cut by libsmartcols without a sign: "read_repo" would pass for a scope. So the
 * widths are worked out first, and what does not fit gets one. */
static bool mark_cuts(const struct glt_out *t)
{
	const char *mark = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "\u2026" : "~";
	struct libscols_iter *lines = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line;
	char *unused = NULL;
	bool ok = lines && scols_print_table_to_string(t->scols, &unused) == 0;

	free(unused);
	while (ok && scols_table_next_line(t->scols, lines, &line) == 0)
		for (size_t i = 0; i < t->n; i++) {
			struct libscols_column *column = scols_table_get_column(t->scols, i);
			const size_t width = scols_column_get_width(column);
			const char *text = scols_cell_get_data(scols_line_get_cell(line, i));
			char *cut;

			if (!scols_column_is_trunc(column) || width < 2 || !text || !text[fitting(text, width)])
				continue;
			ok = asprintf(&cut, "%.*s%s", (int)fitting(text, width - 1), text, mark) >= 0 &&
			     scols_line_refer_data(line, i, cut) == 0;
		}
	scols_free_iter(lines);
	return ok;
}

bool glt_out_print(struct glt_out *t)
{
	bool ok = !t->failed && (!t->terminal || mark_cuts(t));

	if (t->format == GLT_FORMAT_JSON)
		(void)fputs(t->items == 0 ? "[]\n" : "\n]\n", stdout);
	if (t->scols && ok)
		ok = scols_print_table(t->scols) == 0;
	scols_unref_table(t->scols);
	free(t);
	return ok && !ferror(stdout);
}

/* ---- single values ---- */

bool glt_json_print(json_t *value)
{
	bool ok = value && dump(value, "") && putchar('\n') != EOF;

	json_decref(value);
	return ok;
}

int glt_json_result(const struct glt_cli *cli, json_t *o, bool changed)
{
	if (cli->format != GLT_FORMAT_JSON) {
		json_decref(o);
		return GLT_EXIT_OK;
	}
	(void)json_object_set_new(o, "changed", json_boolean(changed));
	return glt_json_print(o) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
}

json_t *glt_json_text(const char *s)
{
	json_t *v;
	char *safe;

	if (!s || !*s)
		return json_null();
	v = json_string(s);
	if (v)
		return v;
	safe = glt_safe_dup(s);
	v = safe ? json_string(safe) : NULL;
	free(safe);
	return v;
}

json_t *glt_json_number(uint64_t v)
{
	return v ? json_integer((json_int_t)v) : json_null();
}

json_t *glt_json_time(int64_t when)
{
	char text[GLT_WHEN_TEXT];

	glt_when_rfc3339(when, text);
	return glt_json_text(text);
}

json_t *glt_json_list(char **v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, glt_json_text(v[i]));
	return list;
}

json_t *glt_project_json(const struct glt_project_counts *n)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "tokens", json_integer((json_int_t)n->tokens));
	(void)json_object_set_new(o, "live_tokens", json_integer((json_int_t)n->live));
	(void)json_object_set_new(o, "memberships", json_integer((json_int_t)n->members));
	(void)json_object_set_new(o, "protections", json_integer((json_int_t)n->protections));
	(void)json_object_set_new(o, "deploy_keys", json_integer((json_int_t)n->keys));
	return o;
}

json_t *glt_json_scopes(uint64_t scopes)
{
	json_t *list = json_array();

	for (unsigned s = 0; s < GLT_SCOPES; s++)
		if (scopes & GLT_SCOPE_BIT(s))
			(void)json_array_append_new(list, json_string(glt_scope_name((enum glt_scope)s)));
	return list;
}

void glt_when_local(int64_t when, bool seconds, char out[GLT_LOCAL_TEXT])
{
	const time_t t = (time_t)when;
	struct tm tm;

	(void)snprintf(out, GLT_LOCAL_TEXT, "%s", when == GLT_WHEN_NEVER ? "never" : "?");
	if (when != GLT_WHEN_NEVER && localtime_r(&t, &tm) &&
	    strftime(out, GLT_LOCAL_TEXT, seconds ? "%Y-%m-%d %H:%M:%S %Z" : "%Y-%m-%d %H:%M %Z", &tm) == 0)
		(void)snprintf(out, GLT_LOCAL_TEXT, "?");
}

#define NARROW 80

/* "2027-01-31, in 3 days"; today, "13:00, 2 hours ago". Half of it where there is no room. */
static void day_and_distance(const struct glt_out *t, int64_t when, char out[GLT_LOCAL_TEXT])
{
	const bool narrow = scols_table_get_termwidth(t->scols) < NARROW;
	char distance[GLT_SPAN_WORDS], text[GLT_LOCAL_TEXT], today[GLT_LOCAL_TEXT];

	glt_when_relative(when, t->now, distance);
	glt_when_local(when, false, text);
	glt_when_local(t->now, false, today);
	if (strncmp(text, today, 11) == 0)
		(void)snprintf(out, GLT_LOCAL_TEXT, "%.5s%s%s", text + 11, narrow ? "" : ", ",
			       narrow ? "" : distance);
	else
		(void)snprintf(out, GLT_LOCAL_TEXT, "%.10s%s%s", text, narrow ? "" : ", ", narrow ? "" : distance);
}

void glt_when_cell(const struct glt_out *t, int64_t when, const char *none, char out[GLT_LOCAL_TEXT])
{
	if (t->format != GLT_FORMAT_TABLE)
		glt_when_rfc3339(when, out);
	else if (when == GLT_WHEN_NEVER)
		(void)snprintf(out, GLT_LOCAL_TEXT, "%s", none);
	else if (t->terminal)
		day_and_distance(t, when, out);
	else
		glt_when_local(when, false, out);
}

bool glt_out_on_terminal(const struct glt_out *t)
{
	return t->terminal;
}
