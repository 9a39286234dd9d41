/* SPDX-License-Identifier: MIT */
/* What the client may not leave behind in its host. */
#ifndef GLT_TEST_LEFTOVER_H
#define GLT_TEST_LEFTOVER_H

#include "wire.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static inline void assert_wiped(const struct glt_message *m)
{
	for (size_t i = 0; i < sizeof *m; i++)
		if (((const unsigned char *)m)[i])
			fail_msg("byte %zu of a message is left", i);
}

#endif
