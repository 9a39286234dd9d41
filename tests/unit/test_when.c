/* SPDX-License-Identifier: MIT */
#include "when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOW INT64_C(1800000000)
#define LAST INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static void moments(void **state)
{
	static const struct {
		const char *text;
		int64_t at;
	} cases[] = {
		{"1970-01-02", 86400},
		{"2000-02-29", 951782400},
		{"2027-01-31", 1801353600}, /* GitLab's rule: 00:00 UTC on that date */
		{"2028-02-29", 1835395200},
		{"2038-01-19", 2147472000},
		{"2099-12-31", 4102358400},
		{"2100-02-28", 4107456000},
		{"2100-03-01", 4107542400},
		{"2400-02-29", 13574563200},
		{"9999-12-31", 253402214400},
		{"1970-01-01T00:00:01Z", 1},
		{"2038-01-19T03:14:07Z", 2147483647},
		{"2038-01-19T03:14:08Z", 2147483648},
		{"2106-02-07T06:28:16Z", 4294967296},
		{"9999-12-31T23:59:59Z", LAST},
		{"2027-01-31T12:00:00Z", 1801396800},
		{"2027-01-31t12:00:00z", 1801396800},
		{"2027-01-31 12:00:00Z", 1801396800},
		{"2027-01-31T12:00Z", 1801396800},
		{"2027-01-31T12:00:00.999999999Z", 1801396800},
		{"2027-01-31T12:00:00+00:00", 1801396800},
		{"2027-01-31T13:00:00+01:00", 1801396800},
		{"2027-01-31T06:30:00-05:30", 1801396800},
		{"2027-02-01T11:59:00+23:59", 1801396800},
		{"2026-12-31T23:59:60Z", 1798761600},      /* a leap second is the next second */
		{"2027-03-01T00:30:00+01:00", 1803857400}, /* 2027-02-28T23:30Z */
		{"now", NOW},
		{"never", 0},
		{"30d", NOW + 30 * 86400},
		{"+30d", NOW + 30 * 86400},
		{"12h", NOW + 12 * 3600},
		{"90m", NOW + 90 * 60},
		{"8w", NOW + 8 * 7 * 86400},
		{"1s", NOW + 1},
		{"+0d", NOW},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct glt_err err = {GLT_OK, ""};
		int64_t at = -1;

		if (glt_when_parse("--expires", cases[i].text, NOW, &at, &err) != GLT_OK)
			fail_msg("%s", err.text);
		if (at != cases[i].at)
			fail_msg("'%s' is %lld, not %lld", cases[i].text, (long long)at, (long long)cases[i].at);
	}
}

static const char *const no_moment[] = {
	"",
	" ",
	"tomorrow",
	"Never",
	"NOW",
	"never ",
	"30",
	"+30",
	"30 d",
	"30D",
	"d",
	"+d",
	"-30d",
	"++30d",
	"30dd",
	"30d12h",
	"1.5d",
	"0x1d",
	" 30d",
	"30d ",
	"1y",
	"2027-02-29",
	"2100-02-29",
	"1900-02-29",
	"2027-00-01",
	"2027-13-01",
	"2027-01-00",
	"2027-01-32",
	"2027-04-31",
	"2027-1-31",
	"27-01-31",
	"2027/01/31",
	"20270131",
	"2027-01-31T",
	"2027-01",
	"2027-01-31Z",
	"2027-01-31T12:00:00",
	"2027-01-31T24:00:00Z",
	"2027-01-31T12:60:00Z",
	"2027-01-31T12:00:61Z",
	"2027-01-31T12Z",
	"2027-01-31T12:00:00.Z",
	"2027-01-31T12:00:00+1:00",
	"2027-01-31T12:00:00+01",
	"2027-01-31T12:00:00+0100",
	"2027-01-31T12:00:00+24:00",
	"2027-01-31T12:00:00+01:60",
	"2027-01-31T12:00:00Zx",
	"2027-01-31T12:00:00 Z",
	"2027-01-31  12:00:00Z",
	"2027-01-31T-1:00:00Z",
	"1969-12-31",
	"0000-01-01",
	"1970-01-01",
	"1970-01-01T00:30:00+01:00",
	"10000-01-01",
	"9999-12-31T23:59:60Z",
	"9999-12-31T23:59:59-00:01",
	"99999999999999999999d",
	"9223372036854775807s",
	"300000000000s",
	"18446744073709551617s",
	"\331\2430d",
	"-1970-01-02",
};

static void no_moments(void **state)
{

	(void)state;
	for (size_t i = 0; i < COUNT(no_moment); i++) {
		struct glt_err err = {GLT_OK, ""};
		int64_t at = 42;

		if (glt_when_parse("--expires", no_moment[i], NOW, &at, &err) != GLT_INVALID)
			fail_msg("'%s' is taken for %lld", no_moment[i], (long long)at);
		assert_true(at == 42);
		assert_non_null(strstr(err.text, "--expires"));
		assert_non_null(strstr(err.text, no_moment[i]));
	}
}

/* Every day of four centuries against the C library. */
static void every_day(void **state)
{
	(void)state;
	for (int64_t day = 1; day < 200000; day++) {
		time_t t = (time_t)(day * 86400);
		struct glt_err err;
		char text[32], back[GLT_WHEN_TEXT];
		int64_t at = -1;
		struct tm tm;

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(strftime(text, sizeof(text), "%Y-%m-%d", &tm), 10);
		assert_int_equal(glt_when_parse("x", text, NOW, &at, &err), GLT_OK);
		assert_true(at == day * 86400);
		glt_when_rfc3339(at, back);
		assert_int_equal(strncmp(back, text, 10), 0);
		assert_string_equal(back + 10, "T00:00:00Z");
	}
}

/* What is printed can be typed, and the time zone of the process changes neither. */
static void print_and_parse(void **state)
{
	static const int64_t moment[] = {1, 86399, 951782400, 2147483647, 2147483648, 4107456000, LAST};
	static const char *const zones[] = {"UTC", "America/New_York", "Asia/Kathmandu", "XYZ-14"};
	char text[GLT_WHEN_TEXT];

	(void)state;
	for (size_t z = 0; z < COUNT(zones); z++) {
		assert_int_equal(setenv("TZ", zones[z], 1), 0);
		tzset();
		for (size_t i = 0; i < COUNT(moment); i++) {
			struct glt_err err;
			int64_t at = -1;

			glt_when_rfc3339(moment[i], text);
			assert_int_equal(glt_when_parse("x", text, NOW, &at, &err), GLT_OK);
			assert_true(at == moment[i]);
		}
	}
	glt_when_rfc3339(2147483648, text);
	assert_string_equal(text, "2038-01-19T03:14:08Z");
	glt_when_rfc3339(GLT_WHEN_NEVER, text);
	assert_string_equal(text, "");
	(void)unsetenv("TZ");
}

static void spans(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: refused */
	} cases[] = {
		{"0", 0},
		{"0s", 0},
		{"300", 300},
		{"300s", 300},
		{"5m", 300},
		{"12h", 43200},
		{"90d", 7776000},
		{"2w", 1209600},
		{"+2w", 1209600},
		{"007", 7},
		{"253402300799", LAST},
		{"253402300800", -1},
		{"", -1},
		{"+", -1},
		{"-1", -1},
		{"-1s", -1},
		{"1.5h", -1},
		{"5 m", -1},
		{" 5m", -1},
		{"5m ", -1},
		{"5M", -1},
		{"5min", -1},
		{"m", -1},
		{"1h30m", -1},
		{"never", -1},
		{"0x10", -1},
		{"1e3", -1},
		{"18446744073709551616", -1},
		{"9223372036854775808w", -1},
		{"500000w", -1},
		{"418985w", INT64_C(418985) * 604800},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct glt_err err = {GLT_OK, ""};
		int64_t seconds = -1;
		enum glt_status st = glt_span_parse("ttl", cases[i].text, &seconds, &err);

		if (st != (cases[i].seconds < 0 ? GLT_INVALID : GLT_OK))
			fail_msg("span '%s' is %s", cases[i].text, st == GLT_OK ? "taken" : err.text);
		if (st == GLT_OK)
			assert_true(seconds == cases[i].seconds);
		else
			assert_true(strstr(err.text, "ttl") && strstr(err.text, cases[i].text));
	}
}

static void clocks(void **state)
{
	time_t t = time(NULL);
	int64_t boot = glt_boottime();

	(void)state;
	assert_true(glt_now() >= t && glt_now() <= t + 2);
	assert_true(boot > 0 && boot <= glt_boottime());
	assert_true(boot < glt_now());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments),         cmocka_unit_test(no_moments), cmocka_unit_test(every_day),
		cmocka_unit_test(print_and_parse), cmocka_unit_test(spans),      cmocka_unit_test(clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
