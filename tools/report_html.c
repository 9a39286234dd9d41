/* SPDX-License-Identifier: MIT */
/*
 * The page. Names in it come from users and from whoever may issue tokens: all text goes through glt_html_put(), and
 * the page's own policy forbids scripts, images and connections besides.
 */
#include "report.h"

#include "safe.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS_MAX 200 /* of a table; JSON and CSV have all */

static const char style[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;--card:#f6f8fa;"
	"--s1:#0b63b6;--s2:#0f8a5f;--s3:#c4500c;--s4:#8a4fa3;--none:#e7ebef}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#12161c;--fg:#e6e9ed;--dim:#9aa4b0;--line:#363d47;"
	"--card:#1b2129;--s1:#5aa7f0;--s2:#4cc38a;--s3:#f08a4b;--s4:#c792e0;--none:#262d36}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:1120px;padding:24px;background:var(--bg);color:var(--fg);"
	"font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",\"DejaVu Sans\",sans-serif}\n"
	"h1{font-size:24px;margin:0}h2{font-size:18px;margin:0 0 4px}p{margin:0 0 12px;color:var(--dim)}\n"
	"a{color:var(--s1)}\n"
	".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0;padding:0;"
	"list-style:none}\n"
	".cards li{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px}\n"
	".cards b{display:block;font-size:26px;line-height:1.2}\n"
	"nav{margin:0 0 20px}nav a{margin-right:14px;white-space:nowrap}\n"
	".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:0 20px}\n"
	"section{border-top:1px solid var(--line);padding:18px 0;min-width:0}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;width:100%;margin-top:10px;font-size:13px}\n"
	"th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid var(--line);vertical-align:top;"
	"overflow-wrap:anywhere}\n"
	"th{color:var(--dim);font-weight:600;white-space:nowrap}.n{text-align:right;white-space:nowrap;"
	"font-variant-numeric:tabular-nums}\n"
	".chart{width:100%;height:auto;display:block}.chart text{fill:var(--fg);font-size:13px}"
	".chart .tick{fill:var(--dim);font-size:12px}.chart .value{font-weight:600}"
	".chart .rule{stroke:var(--line);stroke-width:1}\n"
	".s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)}\n"
	".day0{fill:var(--none)}.day1,.day2,.day3,.day4{fill:var(--s3)}.day1{fill-opacity:.4}.day2{fill-opacity:.6}"
	".day3{fill-opacity:.8}\n"
	"footer{border-top:1px solid var(--line);padding-top:12px;color:var(--dim);font-size:13px}\n"
	"@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--dim:#444;--line:#bbb;--card:#fff;--s1:#0b63b6;"
	"--s2:#0f8a5f;--s3:#c4500c;--s4:#8a4fa3;--none:#e7ebef}body{max-width:none;padding:0;font-size:11pt}"
	"nav{display:none}.grid{grid-template-columns:repeat(auto-fit,minmax(280px,1fr))}.wide{overflow:visible}svg,tr,h2,.cards,.grid section{break-inside:avoid}h2,p{break-after:avoid}"
	"*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

void glt_html_put(const char *text)
{
	char *safe = glt_safe_dup(text);

	for (const char *p = safe ? safe : ""; *p; p++) {
		switch (*p) {
		case '&':
			(void)fputs("&amp;", stdout);
			break;
		case '<':
			(void)fputs("&lt;", stdout);
			break;
		case '>':
			(void)fputs("&gt;", stdout);
			break;
		case '"':
			(void)fputs("&quot;", stdout);
			break;
		case '\'':
			(void)fputs("&#39;", stdout);
			break;
		default:
			(void)putchar(*p);
		}
	}
	free(safe);
}

static uint64_t total(const struct glt_dataset *d, size_t first, size_t rows)
{
	uint64_t n = 0;

	for (size_t i = first; i < d->rows && i - first < rows; i++)
		for (size_t f = 1; f < d->n; f++)
			n += d->field[f].number ? glt_dataset_number(d, i, f) : 0;
	return n;
}

static void table_row(const struct glt_dataset *d, size_t i)
{
	(void)fputs("<tr>", stdout);
	for (size_t f = 0; f < d->n; f++) {
		(void)fputs(d->field[f].number ? "<td class=\"n\">" : "<td>", stdout);
		glt_html_put(glt_dataset_cell(d, i, f));
		(void)fputs("</td>", stdout);
	}
	(void)fputs("</tr>\n", stdout);
}

/* Days on which nothing happened are in the picture, not in the table. */
static void table(const struct glt_dataset *d)
{
	const bool by_day = d->chart == GLT_CHART_STACKS;
	size_t rows = d->rows < ROWS_MAX ? d->rows : ROWS_MAX;

	if (!d->rows || (by_day && !total(d, 0, d->rows))) {
		(void)fputs("<p>None.</p>\n", stdout);
		return;
	}
	printf("<div class=\"wide\"><table id=\"table-%s\"><thead><tr>", d->key);
	for (size_t f = 0; f < d->n; f++)
		printf("<th scope=\"col\"%s>%s</th>", d->field[f].number ? " class=\"n\"" : "", d->field[f].title);
	(void)fputs("</tr></thead><tbody>\n", stdout);
	for (size_t i = 0; i < rows; i++)
		if (!by_day || total(d, i, 1))
			table_row(d, i);
	(void)fputs("</tbody></table></div>\n", stdout);
	if (rows < d->rows)
		printf("<p>The first %zu of %zu; gltoken report --csv has all.</p>\n", rows, d->rows);
}

static void section(const struct glt_dataset *d, int64_t now)
{
	printf("<section id=\"%s\"><h2>%s</h2><p>%s</p>\n", d->key, d->title, d->about);
	if (d->rows)
		glt_svg_chart(d, now);
	table(d);
	(void)fputs("</section>\n", stdout);
}

/* ---- the top ---- */

static uint64_t first_numbers(const struct glt_dataset *d, size_t rows)
{
	uint64_t n = 0;

	for (size_t i = 0; i < d->rows && i < rows; i++)
		n += glt_dataset_number(d, i, 1);
	return n;
}

static void card(const char *anchor, uint64_t n, const char *what)
{
	printf("<li><b>%" PRIu64 "</b><a href=\"#%s\">%s</a></li>\n", n, anchor, what);
}

static void top(const struct glt_report *r)
{
	char host[256] = "", when[GLT_WHEN_TEXT];

	if (gethostname(host, sizeof(host) - 1) != 0 || !host[0])
		(void)snprintf(host, sizeof(host), "this host");
	glt_when_rfc3339(r->now, when);
	(void)fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
		    "'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		    "<meta name=\"referrer\" content=\"no-referrer\">\n<title>Access tokens of ",
		    stdout);
	glt_html_put(host);
	printf("</title>\n<style>\n%s</style></head>\n<body><header><h1>Access tokens of ", style);
	glt_html_put(host);
	printf("</h1><p>As of %s</p></header>\n<ul class=\"cards\">\n", when);
	card("by_type", first_numbers(glt_report_find(r, "by_type"), SIZE_MAX), "active tokens");
	card("by_expiry", first_numbers(glt_report_find(r, "by_expiry"), 2), "expire within a month");
	card("unused", glt_report_find(r, "unused")->rows, "unused");
	card("over_privileged", glt_report_find(r, "over_privileged")->rows, "over-privileged");
	card("violations", glt_report_find(r, "violations")->rows, "policy violations");
	card("pushers", glt_report_find(r, "pushers")->rows, "grants to push");
	(void)fputs("</ul>\n<nav aria-label=\"Sections\">", stdout);
	for (size_t i = 0; i < r->n; i++)
		printf("<a href=\"#%s\">%s</a>\n", r->set[i].key, r->set[i].title);
	(void)fputs("</nav>\n<main>\n", stdout);
}

/* Small charts stand side by side, as long as they follow each other. */
static bool small(const struct glt_dataset *d)
{
	return d->chart == GLT_CHART_BARS;
}

bool glt_report_html(const struct glt_report *r)
{
	top(r);
	for (size_t i = 0; i < r->n; i++) {
		if (small(&r->set[i]) && (i == 0 || !small(&r->set[i - 1])))
			(void)fputs("<div class=\"grid\">\n", stdout);
		section(&r->set[i], r->now);
		if (small(&r->set[i]) && (i + 1 == r->n || !small(&r->set[i + 1])))
			(void)fputs("</div>\n", stdout);
	}
	(void)fputs("</main>\n<footer>gltoken " PACKAGE_VERSION
		    ", gltoken report. This file loads nothing and runs "
		    "nothing.</footer>\n</body></html>\n",
		    stdout);
	return fflush(stdout) == 0 && !ferror(stdout);
}
