/* SPDX-License-Identifier: MIT */
/* The charts, as SVG within the page: no script, no font, no file of its own. Colours are the page's. */
#include "report.h"

#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY GLT_SECONDS_A_DAY
#define WIDTH 640 /* of what stands beside another one */
#define WIDE 1072 /* of what has the page's whole width */
#define LABEL 180 /* width of the names of bars */
#define BAR 24
#define LABEL_CHARS 26

/* What a screen reader says in place of the picture; the table below has the whole. */
static void begin(const struct glt_dataset *d, int width, int height)
{
	const char *sep = "";
	size_t said = 0;

	printf("<svg role=\"img\" class=\"chart\" id=\"chart-%s\" aria-labelledby=\"t-%s d-%s\" "
	       "viewBox=\"0 0 %d %d\" xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"t-%s\">%s</title>\n"
	       "<desc id=\"d-%s\">",
	       d->key, d->key, d->key, width, height, d->key, d->title, d->key);
	for (size_t i = 0; i < d->rows && said < GLT_BARS_MAX; i++) {
		if (!glt_dataset_number(d, i, 1))
			continue;
		(void)fputs(sep, stdout);
		glt_html_put(glt_dataset_cell(d, i, 0));
		printf(": %s", glt_dataset_cell(d, i, 1));
		sep = ", ";
		said++;
	}
	if (!said)
		(void)fputs("nothing", stdout);
	(void)fputs("</desc>\n", stdout);
}

static void text(const char *class, int x, int y, const char *anchor, const char *s)
{
	printf("<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">", class, x, y, anchor);
	glt_html_put(s);
	(void)fputs("</text>\n", stdout);
}

/* As many characters as there is room for; the table has the whole name. */
static void label(int x, int y, const char *name)
{
	char cut[4 * LABEL_CHARS + 8];
	size_t at = 0, chars = 0;

	while (at < sizeof(cut) - 8 && name[at]) {
		if (((unsigned char)name[at] & 0xc0) != 0x80 && ++chars > LABEL_CHARS)
			break;
		cut[at] = name[at];
		at++;
	}
	(void)snprintf(cut + at, 8, "%s", name[at] ? "\xe2\x80\xa6" : "");
	text("name", x, y, "end", cut);
}

static uint64_t largest(const struct glt_dataset *d)
{
	uint64_t most = 1;

	for (size_t i = 0; i < d->rows; i++)
		if (glt_dataset_number(d, i, 1) > most)
			most = glt_dataset_number(d, i, 1);
	return most;
}

/* ---- bars ---- */

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return x[0] != y[0] ? (x[0] < y[0] ? 1 : -1) : x[1] < y[1] ? -1 : x[1] > y[1];
}

/* Few rows stand as they are, of many the largest. */
static size_t choose(const struct glt_dataset *d, size_t rows[GLT_BARS_MAX])
{
	uint64_t(*sorted)[2];
	size_t n = d->rows < GLT_BARS_MAX ? d->rows : GLT_BARS_MAX;

	for (size_t i = 0; i < n; i++)
		rows[i] = i;
	if (d->rows <= GLT_BARS_MAX)
		return n;
	sorted = glt_cli_alloc(NULL, d->rows, sizeof(*sorted));
	for (size_t i = 0; i < d->rows; i++) {
		sorted[i][0] = glt_dataset_number(d, i, 1);
		sorted[i][1] = i;
	}
	qsort(sorted, d->rows, sizeof(*sorted), by_number);
	for (size_t i = 0; i < n; i++)
		rows[i] = (size_t)sorted[i][1];
	free(sorted);
	return n;
}

static void bars(const struct glt_dataset *d)
{
	const uint64_t most = largest(d);
	const int room = WIDTH - LABEL - 70;
	size_t rows[GLT_BARS_MAX], n = choose(d, rows);

	begin(d, WIDTH, (int)n * BAR + 4);
	for (size_t i = 0; i < n; i++) {
		const int y = (int)i * BAR;
		const uint64_t v = glt_dataset_number(d, rows[i], 1);
		const int w = (int)((double)v / (double)most * room + 0.5);

		label(LABEL - 8, y + 17, glt_dataset_cell(d, rows[i], 0));
		printf("<rect class=\"s1\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"2\"/>\n", LABEL,
		       y + 4, v && w < 2 ? 2 : w, BAR - 7);
		text("value", LABEL + (v && w < 2 ? 2 : w) + 6, y + 17, "start", glt_dataset_cell(d, rows[i], 1));
	}
	(void)fputs("</svg>\n", stdout);
}

/* ---- stacks ---- */

static uint64_t sum(const struct glt_dataset *d, size_t row)
{
	uint64_t all = 0;

	for (size_t f = 1; f < d->n; f++)
		all += glt_dataset_number(d, row, f);
	return all;
}

static void legend(const struct glt_dataset *d)
{
	int x = 44;

	for (size_t f = 1; f < d->n; f++) {
		printf("<rect class=\"s%zu\" x=\"%d\" y=\"4\" width=\"12\" height=\"12\" rx=\"2\"/>\n", f, x);
		text("name", x + 18, 15, "start", d->field[f].title);
		x += 40 + 8 * (int)strlen(d->field[f].title);
	}
}

#define STACK_TOP 30
#define STACK_HEIGHT 160

static void axis(uint64_t most)
{
	char number[24];

	for (int i = 0; i <= 2; i++) {
		const int y = STACK_TOP + STACK_HEIGHT - i * STACK_HEIGHT / 2;

		if (i == 1 && most % 2)
			continue;
		(void)snprintf(number, sizeof(number), "%" PRIu64, most * (uint64_t)i / 2);
		printf("<line class=\"rule\" x1=\"40\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", WIDE, y, y);
		text("tick", 34, y + 4, "end", number);
	}
}

static void stacks(const struct glt_dataset *d)
{
	const int step = d->rows ? (WIDE - 44) / (int)d->rows : 1;
	uint64_t most = 1;

	for (size_t i = 0; i < d->rows; i++)
		most = sum(d, i) > most ? sum(d, i) : most;
	begin(d, WIDE, STACK_TOP + STACK_HEIGHT + 22);
	legend(d);
	axis(most);
	for (size_t i = 0; i < d->rows; i++) {
		const int x = 44 + (int)i * step;
		double top = STACK_TOP + STACK_HEIGHT;

		for (size_t f = 1; f < d->n; f++) {
			const uint64_t v = glt_dataset_number(d, i, f);
			const double h = (double)v / (double)most * STACK_HEIGHT;

			if (!v)
				continue;
			top -= h;
			printf("<rect class=\"s%zu\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"><title>%s, %s: %" PRIu64
			       "</title></rect>\n",
			       f, x, top, step > 4 ? step - 3 : step, h, glt_dataset_cell(d, i, 0),
			       d->field[f].title, v);
		}
		if (i % 7 == 0)
			text("tick", x, STACK_TOP + STACK_HEIGHT + 16, "start", glt_dataset_cell(d, i, 0) + 5);
	}
	(void)fputs("</svg>\n", stdout);
}

/* ---- calendar: a column a week, from this week's Monday on ---- */

#define CELL 19
#define CALENDAR_LEFT 34
#define CALENDAR_TOP 18

static uint64_t on(const struct glt_dataset *d, const char *date, size_t *at)
{
	while (*at < d->rows && strcmp(glt_dataset_cell(d, *at, 0), date) < 0)
		++*at;
	return *at < d->rows && strcmp(glt_dataset_cell(d, *at, 0), date) == 0 ? glt_dataset_number(d, *at, 1) : 0;
}

static void calendar_day(const char *date, int x, int y, uint64_t n, uint64_t most)
{
	const unsigned shade = n ? 1 + (unsigned)((n * 4 - 1) / most) % 4 : 0;

	printf("<rect class=\"day%u\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"2\">", shade, x, y,
	       CELL - 3, CELL - 3);
	if (n)
		printf("<title>%s: %" PRIu64 "</title>", date, n);
	(void)fputs("</rect>\n", stdout);
}

static void calendar(const struct glt_dataset *d, int64_t now)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	static const char *const weekdays[] = {"Mon", "", "Wed", "", "Fri", "", "Sun"};
	const uint64_t most = largest(d);
	const int64_t today = now / DAY, monday = today - (today + 3) % 7; /* 1970 began on a Thursday */
	size_t at = 0;

	begin(d, CALENDAR_LEFT + GLT_CALENDAR_WEEKS * CELL + 4, CALENDAR_TOP + 7 * CELL + 4);
	for (int i = 0; i < 7; i++)
		text("tick", CALENDAR_LEFT - 6, CALENDAR_TOP + i * CELL + 13, "end", weekdays[i]);
	for (int64_t i = 0; i < GLT_CALENDAR_WEEKS * INT64_C(7); i++) {
		const int x = CALENDAR_LEFT + (int)(i / 7) * CELL, y = CALENDAR_TOP + (int)(i % 7) * CELL;
		char date[GLT_DATE_TEXT];

		glt_date((monday + i) * DAY, date);
		if (strcmp(date + 8, "07") <= 0 && i % 7 == 0 && i / 7 + 2 < GLT_CALENDAR_WEEKS)
			text("tick", x, CALENDAR_TOP - 6, "start",
			     months[(date[5] - '0') * 10 + (date[6] - '0') - 1]);
		if (monday + i >= today)
			calendar_day(date, x, y, on(d, date, &at), most);
	}
	(void)fputs("</svg>\n", stdout);
}

void glt_svg_chart(const struct glt_dataset *d, int64_t now)
{
	if (d->chart == GLT_CHART_BARS)
		bars(d);
	else if (d->chart == GLT_CHART_STACKS)
		stacks(d);
	else if (d->chart == GLT_CHART_CALENDAR)
		calendar(d, now);
}
