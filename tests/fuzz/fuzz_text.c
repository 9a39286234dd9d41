/* SPDX-License-Identifier: MIT */
/* What people and clients type: each parser refuses or gives something that it takes again unchanged. */
#include "text.h"
#include "token.h"
#include "when.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tokens(const char *text, size_t size)
{
	static const char *const prefixes[] = {"glpat-", "gldt-", NULL};
	struct glt_token_text t;
	char out[GLT_TOKEN_MAX + 1];
	size_t pos = 0, before = 0;

	if (glt_token_parse(text, size, prefixes, &t)) {
		glt_token_format(&t, out);
		assert(strlen(out) == size && memcmp(out, text, size) == 0);
	}
	while (glt_token_find(text, size, prefixes, &pos, &t)) {
		assert(pos > before && pos <= size);
		before = pos;
	}
}

static void paths(const char *text)
{
	char out[GLT_PATH_MAX + 1], again[GLT_PATH_MAX + 1];
	struct glt_err err;

	if (glt_path_normalise(text, out, &err) != GLT_OK)
		return;
	assert(glt_path_check(out, &err) == GLT_OK);
	assert(glt_path_normalise(out, again, &err) == GLT_OK && strcmp(out, again) == 0);
	assert(!strstr(out, "..") && out[0] != '/');
	assert(glt_path_covers(out, out));
}

static void moments(const char *text)
{
	char out[GLT_WHEN_TEXT];
	struct glt_err err;
	int64_t when, again;

	if (glt_when_parse("expiry", text, 1700000000, &when, &err) != GLT_OK || when == GLT_WHEN_NEVER)
		return;
	glt_when_rfc3339(when, out);
	assert(glt_when_parse("expiry", out, 0, &again, &err) == GLT_OK && again == when);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[1024];
	struct glt_err err;

	if (size >= sizeof text)
		return -1;
	tokens((const char *)data, size);
	(void)glt_utf8_valid((const char *)data, size);
	memcpy(text, data, size);
	text[size] = '\0';
	paths(text);
	moments(text);
	(void)glt_name_check("name", text, false, &err);
	(void)glt_account_name_check(text, &err);
	if (glt_cidr_check(text, &err) == GLT_OK)
		(void)glt_cidr_match(text, "192.0.2.1");
	/* Two halves, so that pattern and text are both the fuzzer's. */
	text[size / 2] = '\0';
	if (glt_glob_check(text, &err) == GLT_OK && size > 0)
		(void)glt_glob_match(text, text + size / 2 + 1 - (size == 1));
	return 0;
}
