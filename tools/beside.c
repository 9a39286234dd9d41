/* SPDX-License-Identifier: MIT */
#include "beside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add(struct glt_beside v[GLT_BESIDE_MAX], size_t *n, const char *key, const char *command)
{
	struct glt_beside *b = &v[*n];
	struct stat sb;

	if (!command[0])
		return;
	b->key = key;
	(void)snprintf(b->program, sizeof(b->program), "%.*s", (int)strcspn(command, " \t"), command);
	b->error = 0;
	if (stat(b->program, &sb) != 0)
		b->error = errno;
	else if (!S_ISREG(sb.st_mode) || (sb.st_mode & 0111) == 0) /* root's access() is true for one x of three */
		b->error = EACCES;
	(*n)++;
}

size_t glt_beside(const struct glt_conf *conf, struct glt_beside v[GLT_BESIDE_MAX])
{
	size_t n = 0;

	add(v, &n, "gitolite_shell", conf->gitolite ? conf->gitolite_shell : "");
	add(v, &n, "lfs_transfer", conf->lfs_transfer);
	add(v, &n, "lfs_backend", conf->lfs_backend);
	return n;
}
