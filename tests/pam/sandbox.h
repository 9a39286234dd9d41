/* SPDX-License-Identifier: MIT */
/* A temporary folder as working directory, where the objects under test find their helper as ./gltoken-auth. */
#ifndef GLT_TEST_SANDBOX_H
#define GLT_TEST_SANDBOX_H

#include "sanitized.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char sandbox[64];

/* Path of a file that is built beside this program (libtool may have put the program into .libs). */
static char *beside(const char *name)
{
	static char path[PATH_MAX + 64];
	char self[PATH_MAX];

	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n < 0)
		abort();
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof path, "%s/%s", self, name);
	if (access(path, F_OK) != 0)
		snprintf(path, sizeof path, "%s/../%s", self, name);
	if (access(path, F_OK) != 0)
		snprintf(path, sizeof path, "%s/.libs/%s", self, name);
	if (access(path, F_OK) != 0) {
		fprintf(stderr, "%s is not built\n", name);
		exit(99);
	}
	return path;
}

static int sandbox_open(void **state)
{
	(void)state;
	strcpy(sandbox, "/tmp/gltoken-test-XXXXXX");
	if (!mkdtemp(sandbox) || chdir(sandbox) != 0)
		return -1;
	return symlink(beside("pam-helper"), "gltoken-auth");
}

static int sandbox_close(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf -- '%s'", sandbox);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

#endif
