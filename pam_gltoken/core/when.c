/* SPDX-License-Identifier: MIT */
#include "when.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define YEAR_9999 INT64_C(253402300799)

/* Fixed-width number; moves *p. */
static bool digits(const char **p, int n, int *out)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		v = v * 10 + (**p - '0');
	}
	*out = v;
	return true;
}

static bool lit(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant, "chrono-compatible date algorithms"). */
static int64_t days_from_civil(int y, int m, int d)
{
	int64_t yy = y - (m <= 2), era = yy / 400, yoe = yy - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* The same the other way round, from 1970 on. gmtime_r() would do it, and read /etc/localtime for nothing. */
static void civil_from_days(int64_t days, int *y, int *m, int *d)
{
	int64_t z = days + 719468, era = z / 146097, doe = z % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int)(yoe + era * 400 + (*m <= 2));
}

static bool parse_date(const char **p, int64_t *out)
{
	int y, m, d;

	if (!digits(p, 4, &y) || !lit(p, '-') || !digits(p, 2, &m) || !lit(p, '-') || !digits(p, 2, &d))
		return false;
	if (y < 1970 || m < 1 || m > 12 || d < 1 || d > days_in(y, m))
		return false;
	*out = days_from_civil(y, m, d) * 86400;
	return true;
}

/* Behind the date: "T12:00[:00[.fraction]](Z|+hh:mm)". A leap second counts as the next second. */
static bool parse_clock(const char **p, int64_t *at)
{
	int h, m, s = 0, oh, om, sign;

	if ((**p != 'T' && **p != 't' && **p != ' ') || !(*p)++)
		return false;
	if (!digits(p, 2, &h) || !lit(p, ':') || !digits(p, 2, &m) || h > 23 || m > 59)
		return false;
	if (lit(p, ':') && (!digits(p, 2, &s) || s > 60))
		return false;
	if (lit(p, '.')) {
		int ignored;

		if (!digits(p, 1, &ignored))
			return false;
		while (**p >= '0' && **p <= '9')
			(*p)++;
	}
	*at += h * 3600 + m * 60 + s;
	if (lit(p, 'Z') || lit(p, 'z'))
		return true;
	sign = **p == '-' ? -1 : 1;
	if (!lit(p, '+') && !lit(p, '-'))
		return false;
	if (!digits(p, 2, &oh) || !lit(p, ':') || !digits(p, 2, &om) || oh > 23 || om > 59)
		return false;
	*at -= sign * (oh * 3600 + om * 60);
	return true;
}

static bool parse_span(const char *text, bool bare, int64_t *out)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	int64_t v = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (*p - '0');
		if (v > YEAR_9999)
			return false;
	}
	if (p == text)
		return false;
	if (*p == '\0') {
		*out = v;
		return bare;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (p[0] == units[i].unit && p[1] == '\0') {
			*out = v * units[i].seconds;
			return v <= YEAR_9999 / units[i].seconds;
		}
	return false;
}

enum glt_status glt_when_parse(const char *what, const char *text, int64_t now, int64_t *out, struct glt_err *err)
{
	int64_t at;
	const char *p = text;

	if (strcmp(text, "never") == 0) {
		*out = GLT_WHEN_NEVER;
		return GLT_OK;
	}
	if (strcmp(text, "now") == 0) {
		*out = now;
		return GLT_OK;
	}
	if (parse_span(*text == '+' ? text + 1 : text, false, &at)) {
		at += now;
	} else if (!parse_date(&p, &at) || (*p && (!parse_clock(&p, &at) || *p))) {
		return glt_fail(err, GLT_INVALID,
				"%s '%.64s': must be a date (2027-01-31), a timestamp (2027-01-31T12:00:00Z), a span "
				"(30d, 12h), now or never",
				what, text);
	}
	if (at <= 0 || at > YEAR_9999)
		return glt_fail(err, GLT_INVALID, "%s '%.64s': must lie in the years 1970 to 9999", what, text);
	*out = at;
	return GLT_OK;
}

enum glt_status glt_span_parse(const char *what, const char *text, int64_t *seconds, struct glt_err *err)
{
	if (parse_span(*text == '+' ? text + 1 : text, true, seconds) && *seconds <= YEAR_9999)
		return GLT_OK;
	return glt_fail(err, GLT_INVALID, "%s '%.64s': must be a span such as 300s, 5m, 12h, 30d or 2w", what,
			text);
}

void glt_when_rfc3339(int64_t when, char out[GLT_WHEN_TEXT])
{
	int64_t days = when / 86400;
	int clock = (int)(when % 86400), y, m, d;

	out[0] = '\0';
	if (when == GLT_WHEN_NEVER || when < 0 || when > YEAR_9999)
		return;
	civil_from_days(days, &y, &m, &d);
	(void)snprintf(out, GLT_WHEN_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", y, m, d, clock / 3600,
		       clock / 60 % 60, clock % 60);
}

static int64_t seconds(clockid_t clock)
{
	struct timespec ts;

	/* Neither clock can fail on Linux; a time beyond every expiry denies. */
	return clock_gettime(clock, &ts) == 0 ? (int64_t)ts.tv_sec : INT64_MAX;
}

int64_t glt_now(void)
{
	return seconds(CLOCK_REALTIME);
}

int64_t glt_boottime(void)
{
	return seconds(CLOCK_BOOTTIME);
}
