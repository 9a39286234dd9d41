/* SPDX-License-Identifier: MIT */
#include "tmprun.h"

#include <dirent.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64]; /* a test may change conf->run_dir */

int tmprun_setup(void **state)
{
	struct glt_conf *conf = malloc(sizeof(*conf));
	struct glt_err err;

	strcpy(top, "/tmp/glt-run.XXXXXX");
	if (!conf || sodium_init() < 0 || glt_conf_load("/nonexistent", conf, &err) != GLT_OK || !mkdtemp(top))
		return -1;
	strcpy(conf->run_dir, top);
	*state = conf;
	return 0;
}

int tmprun_teardown(void **state)
{
	DIR *d = opendir(top);
	char path[400];

	for (struct dirent *e; d && (e = readdir(d));) {
		(void)snprintf(path, sizeof(path), "%s/%s", top, e->d_name);
		(void)unlink(path);
	}
	if (d)
		(void)closedir(d);
	free(*state);
	return rmdir(top);
}

void tmprun_remove(const struct glt_conf *conf, const char *name)
{
	char path[400];

	(void)snprintf(path, sizeof(path), "%s/%s", conf->run_dir, name);
	assert_int_equal(unlink(path), 0);
}

bool tmprun_missing(const struct glt_conf *conf, const char *name)
{
	char path[400];
	struct stat sb;

	(void)snprintf(path, sizeof(path), "%s/%s", conf->run_dir, name);
	return lstat(path, &sb) != 0;
}
