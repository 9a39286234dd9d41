/* SPDX-License-Identifier: MIT */
#include "lfsbatch.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum glt_status read_length(const char *text, size_t *length, struct glt_err *err)
{
	uintmax_t v;
	char *end;

	errno = 0;
	v = text ? strtoumax(text, &end, 10) : 0;
	if (!text || *text < '0' || *text > '9' || *end || errno || v == 0 || v > GLT_LFS_BATCH_MAX)
		return glt_fail(err, GLT_INVALID, "a batch request needs a length, of 1 to %d bytes",
				GLT_LFS_BATCH_MAX);
	*length = (size_t)v;
	return GLT_OK;
}

static bool read_all(int fd, char *text, size_t length, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int64_t end = now_ms() + timeout_ms, left;

	for (size_t have = 0; have < length;) {
		ssize_t n;

		if ((left = end - now_ms()) <= 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		n = read(fd, text + have, length - have);
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

/* "Operation" beside "operation" is the same key to some readers and another to others. */
static const char *operation(const json_t *o)
{
	const char *found = NULL, *key;
	json_t *value;

	json_object_foreach((json_t *)o, key, value)
	{
		if (strcasecmp(key, "operation") != 0)
			continue;
		if (found || strcmp(key, "operation") != 0 || !json_is_string(value))
			return NULL;
		found = json_string_value(value);
	}
	return found;
}

static enum glt_status understand(const char *text, size_t length, bool *upload, struct glt_err *err)
{
	json_t *o = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	const char *op = json_is_object(o) ? operation(o) : NULL;
	enum glt_status st = GLT_OK;

	if (op && (strcmp(op, "upload") == 0 || strcmp(op, "download") == 0))
		*upload = op[0] == 'u';
	else
		st = glt_fail(err, GLT_INVALID,
			      "a batch request is one JSON object with \"operation\": upload or download");
	json_decref(o);
	return st;
}

static enum glt_status keep(const char *text, size_t length, int *body, struct glt_err *err)
{
	int fd = memfd_create("lfs-batch", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, text, length) == (ssize_t)length && lseek(fd, 0, SEEK_SET) == 0) {
		*body = fd;
		return GLT_OK;
	}
	if (fd >= 0)
		(void)close(fd);
	return glt_fail(err, GLT_UNAVAILABLE, "cannot keep the request: %s", strerror(errno));
}

enum glt_status glt_lfs_batch(int fd, const char *content_length, int timeout_ms, bool *upload, int *body,
			      struct glt_err *err)
{
	size_t length = 0;
	char *text;
	enum glt_status st = read_length(content_length, &length, err);

	*upload = true;
	*body = -1;
	if (st != GLT_OK)
		return st;
	text = malloc(length);
	if (!text)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for a batch request");
	if (!read_all(fd, text, length, timeout_ms))
		st = glt_fail(err, GLT_INVALID, "the batch request is shorter than it says, or takes too long");
	if (st == GLT_OK)
		st = understand(text, length, upload, err);
	if (st == GLT_OK)
		st = keep(text, length, body, err);
	free(text);
	return st;
}
