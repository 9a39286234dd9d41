/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void failed(const char *path, int why, struct glt_err *err)
{
	(void)glt_fail(err, why == ENOENT || why == ENOTDIR ? GLT_NOT_FOUND : GLT_UNAVAILABLE, "%s: %s", path,
		       strerror(why));
}

int glt_input_fd(const char *path, struct glt_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		failed(path, errno, err);
	return fd;
}

FILE *glt_input_open(const char *path, struct glt_err *err)
{
	FILE *f;
	int fd;

	if (strcmp(path, "-") == 0)
		return stdin;
	fd = glt_input_fd(path, err);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (fd >= 0 && !f) {
		failed(path, errno, err);
		(void)close(fd);
	}
	return f;
}

void glt_input_close(FILE *f)
{
	if (f != stdin)
		(void)fclose(f);
}
