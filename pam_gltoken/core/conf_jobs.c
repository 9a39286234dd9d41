/* SPDX-License-Identifier: MIT */
#include "conf_jobs.h"

#include "when.h"

#include <string.h>

#define DAYS_MAX 3650

/* "60,30,7,1": each below the one before, so that a token meets them in this order. */
enum glt_status glt_conf_set_days(void *field, size_t size, const char *value, struct glt_err *err)
{
	unsigned *days = field;
	const size_t max = size / sizeof(*days);
	size_t n = 0;

	memset(days, 0, size);
	for (const char *p = value; *p;) {
		size_t len = strspn(p, "0123456789");
		char one[8] = "";
		uintmax_t v = 0;

		if (len > 0 && len < sizeof(one))
			memcpy(one, p, len);
		p += len + strspn(p + len, " ");
		if (n == max || glt_conf_number(one, 10, 1, n ? days[n - 1] - 1 : DAYS_MAX, &v, NULL) != GLT_OK ||
		    (*p && *p != ',') || (*p && !p[1]))
			return glt_fail(err, GLT_INVALID,
					"'%.64s' must be at most %zu numbers of days from %d down to 1, each below the "
					"one before, as 60,30,7,1",
					value, max, DAYS_MAX);
		days[n++] = (unsigned)v;
		p += *p == ',';
		p += strspn(p, " ");
	}
	return GLT_OK;
}

/* A program and its arguments, parted by blanks: no shell reads it. */
enum glt_status glt_conf_set_command(void *field, size_t size, const char *value, struct glt_err *err)
{
	if (value[0] && value[0] != '/')
		return glt_fail(err, GLT_INVALID, "'%.64s' must begin with the absolute path of a program", value);
	if (strlen(value) >= size)
		return glt_fail(err, GLT_INVALID, "'%.64s...' has over %zu bytes", value, size - 1);
	strcpy(field, value);
	return GLT_OK;
}

enum glt_status glt_conf_set_timeout(void *field, size_t size, const char *value, struct glt_err *err)
{
	int64_t span;
	enum glt_status st = glt_span_parse("span", value, &span, err);

	(void)size;
	if (st == GLT_OK && (span < 1 || span > 600))
		return glt_fail(err, GLT_INVALID, "'%.64s' must be from 1s to 10m", value);
	if (st == GLT_OK)
		*(int64_t *)field = span;
	return st;
}

enum glt_status glt_conf_set_keep(void *field, size_t size, const char *value, struct glt_err *err)
{
	uintmax_t v;
	enum glt_status st = glt_conf_number(value, 10, 1, 10000, &v, err);

	(void)size;
	if (st == GLT_OK)
		*(unsigned *)field = (unsigned)v;
	return st;
}

/* It is written into JSON as it is, and the client sends its token there. */
enum glt_status glt_conf_set_url(void *field, size_t size, const char *value, struct glt_err *err)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/[]";
	size_t len = strlen(value);

	if (len > 0 && (strncmp(value, "https://", 8) != 0 || len == 8 || value[strspn(value, plain)] ||
			value[len - 1] == '/'))
		return glt_fail(err, GLT_INVALID,
				"'%.64s' must be https://HOST/PATH without a '/' at its end, or empty", value);
	if (len >= size)
		return glt_fail(err, GLT_INVALID, "'%.64s...' has over %zu bytes", value, size - 1);
	strcpy(field, value);
	return GLT_OK;
}

enum glt_status glt_conf_set_retroactive(void *field, size_t size, const char *value, struct glt_err *err)
{
	int64_t from = 0;

	(void)size;
	if (strcmp(value, "yes") == 0)
		from = 1;
	else if (strcmp(value, "no") != 0 &&
		 (value[0] < '0' || value[0] > '9' || glt_when_parse("", value, 0, &from, NULL) != GLT_OK ||
		  !strchr(value, '-')))
		return glt_fail(err, GLT_INVALID,
				"'%.64s' must be no, yes, or the date (2027-01-31) or moment "
				"(2027-01-31T12:00:00Z) from which it is yes",
				value);
	*(int64_t *)field = from;
	return GLT_OK;
}
