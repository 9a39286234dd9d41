/* SPDX-License-Identifier: MIT */
#include "reposcan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 32

static void add(struct glt_reposcan *s, const char *path, enum glt_repo_status status)
{
	for (size_t i = 0; i < s->n; i++) /* x and x.git side by side are one fault */
		if (strcmp(s->v[i].path, path) == 0)
			return;
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->v = glt_cli_alloc(s->v, s->room, sizeof(*s->v));
	}
	s->v[s->n] = (struct glt_repofound){.status = status};
	(void)snprintf(s->v[s->n++].path, sizeof(s->v->path), "%s", path);
}

/* Is the folder one that stands for a repository? True: do not look into it. */
static bool consider(struct glt_reposcan *s, const char *relative, bool dot_git)
{
	char path[GLT_PATH_MAX + 1];
	struct glt_repo repo;
	enum glt_repo_status st;

	if (glt_path_normalise(relative, path, NULL) != GLT_OK)
		return true;
	st = glt_repo_open(s->root, path, &repo);
	if (st == GLT_REPO_OK)
		(void)close(repo.fd);
	else if (!dot_git && st != GLT_REPO_NOT_BARE)
		return false;
	add(s, path, st);
	return true;
}

static void search(struct glt_reposcan *s, int parent, const char *name, const char *prefix, unsigned depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d));) {
		char relative[GLT_PATH_MAX + 1];
		size_t len = strlen(e->d_name);
		struct stat sb;

		if (e->d_name[0] == '.' || fstatat(fd, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISDIR(sb.st_mode))
			continue;
		if (snprintf(relative, sizeof(relative), "%s%s%s", prefix, *prefix ? "/" : "", e->d_name) >=
		    (int)sizeof(relative))
			continue;
		if (!consider(s, relative, len > 4 && strcmp(e->d_name + len - 4, ".git") == 0) &&
		    depth < DEPTH_MAX)
			search(s, fd, e->d_name, relative, depth + 1);
	}
	(void)closedir(d);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct glt_repofound *)a)->path, ((const struct glt_repofound *)b)->path);
}

int glt_reposcan(const struct glt_cli *cli, struct glt_reposcan *out)
{
	char real[PATH_MAX];

	*out = (struct glt_reposcan){.root = cli->conf.repo_root};
	if (access(out->root, R_OK | X_OK) != 0) {
		glt_cli_warn(cli, "cannot read repo_root %s: %s", out->root, strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	if (realpath(out->root, real))
		search(out, AT_FDCWD, real, "", 0);
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), by_path);
	return GLT_EXIT_OK;
}
