/* SPDX-License-Identifier: MIT */
/* Pasted text of identify and revoke: whatever is found stands in it. */
#include "tools/scan.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct whole {
	const uint8_t *data;
	size_t size;
};

static bool found(void *arg, const struct glt_token_text *t)
{
	const struct whole *w = arg;
	char text[GLT_TOKEN_MAX + 1];

	glt_token_format(t, text);
	assert(memmem(w->data, w->size, text, strlen(text)));
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const prefixes[] = {"glpat-", "gldt-", NULL};
	struct whole w = {data, size};
	struct glt_err err;
	int fd = memfd_create("text", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		return -1;
	assert(glt_scan(fd, prefixes, found, &w, &err) == GLT_OK);
	(void)close(fd);
	return 0;
}
