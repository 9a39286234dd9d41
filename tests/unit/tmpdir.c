/* SPDX-License-Identifier: MIT */
#include "tmpdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char tmpdir[32];

int tmpdir_setup(void **state)
{
	(void)state;
	strcpy(tmpdir, "/tmp/gltoken-test.XXXXXX");
	return mkdtemp(tmpdir) ? 0 : -1;
}

int tmpdir_teardown(void **state)
{
	char line[64];

	(void)state;
	(void)snprintf(line, sizeof(line), "rm -rf %s", tmpdir);
	return system(line);
}

void tmpdir_file(const char *name, const char *text, mode_t mode)
{
	char path[160];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", tmpdir, name);
	(void)unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}
