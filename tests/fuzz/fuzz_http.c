/* SPDX-License-Identifier: MIT */
/* A CGI's environment: one value a line, in this order. */
#include "tools/http_request.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
	"PATH_INFO",   "QUERY_STRING",         "REQUEST_METHOD",         "HTTP_AUTHORIZATION",
	"REMOTE_ADDR", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_PRIVATE_TOKEN"};
#define COUNT (sizeof(names) / sizeof(*names))
static const char *values[COUNT];

static const char *get(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (!strcmp(names[i], name))
			return values[i];
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct glt_conf conf;
	struct glt_http_request r;
	char *text = malloc(size + 1), *rest = text;
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!conf.prefixes[0]) {
		assert(glt_conf_load("/nonexistent", &conf, NULL) == GLT_OK);
		strcpy(conf.trusted_proxies[0], "10.0.0.0/8");
		strcpy(conf.lfs_backend, "/bin/true");
	}
	for (size_t i = 0; i < COUNT; i++)
		values[i] = rest ? strsep(&rest, "\n") : NULL;
	if (glt_http_request_parse(&conf, get, &r) == GLT_HTTP_OK)
		assert(glt_path_check(r.project, NULL) == GLT_OK);
	assert(!strcmp(r.address, "unknown") || glt_cidr_check(r.address, NULL) == GLT_OK);
	glt_http_request_wipe(&r);
	free(text);
	return 0;
}
