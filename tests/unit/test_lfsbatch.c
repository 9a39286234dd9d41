/* SPDX-License-Identifier: MIT */
/* The body of a batch request of Git LFS: whole, within its time, and saying one thing. */
#include "tools/lfsbatch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define UPLOAD "{\"operation\": \"upload\", \"objects\": []}"

static enum glt_status batch(const char *body, const char *length, bool end, bool *upload, int *kept,
			     struct glt_err *err)
{
	enum glt_status st;
	int in[2];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(write(in[1], body, strlen(body)), strlen(body));
	if (end)
		(void)close(in[1]);
	st = glt_lfs_batch(in[0], length, 200, upload, kept, err);
	(void)close(in[0]);
	if (!end)
		(void)close(in[1]);
	return st;
}

static void whole(void **state)
{
	char length[16], text[256];
	struct glt_err err;
	bool upload = false;
	int kept;

	(void)state;
	(void)snprintf(length, sizeof(length), "%zu", strlen(UPLOAD));
	assert_int_equal(batch(UPLOAD, length, false, &upload, &kept, &err), GLT_OK);
	assert_true(upload);
	assert_int_equal(read(kept, text, sizeof(text)), strlen(UPLOAD));
	assert_memory_equal(text, UPLOAD, strlen(UPLOAD));
	(void)close(kept);
}

/* It waits for the rest, and not for ever. */
static void cut_short(void **state)
{
	struct glt_err err;
	bool upload;
	int kept;

	(void)state;
	for (int end = 0; end <= 1; end++) {
		assert_int_equal(batch(UPLOAD, "1000", end != 0, &upload, &kept, &err), GLT_INVALID);
		assert_non_null(strstr(err.text, "shorter than it says, or takes too long"));
		assert_int_equal(kept, -1);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *body, *length;
	} cases[] = {
		{UPLOAD, NULL},
		{UPLOAD, ""},
		{UPLOAD, "0"},
		{UPLOAD, "-5"},
		{UPLOAD, "524289"},
		{UPLOAD, "10x"},
		{"[]", "2"},
		{"{}", "2"},
		{UPLOAD, "10"},
		{"{\"operation\":\"delete\"}", "22"},
		{"{\"Operation\":\"download\",\"operation\":\"upload\"}", "46"},
	};
	struct glt_err err;
	bool upload;
	int kept;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(batch(cases[i].body, cases[i].length, true, &upload, &kept, &err), GLT_INVALID);
		assert_int_equal(kept, -1);
		assert_true(upload); /* what asks for more, where it is not known */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
