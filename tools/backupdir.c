/* SPDX-License-Identifier: MIT */
#include "backupdir.h"

#include "backupfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TIME "%Y%m%dT%H%M%SZ.backup"
#define NAME "gltoken-" TIME
#define DIGITS "[0-9][0-9][0-9][0-9]"
#define PATTERN "gltoken-" DIGITS DIGITS "T" DIGITS "[0-9][0-9]Z.backup"
#define LEFT_OVER ".gltoken-*Z.backup.????????"
#define DAY 86400 /* no backup takes that long */

static int failed(const struct glt_cli *cli, const char *what, const char *path)
{
	glt_cli_warn(cli, "cannot %s %s: %s", what, path, strerror(errno));
	return GLT_EXIT_UNAVAILABLE;
}

int glt_backupdir_prepare(const struct glt_cli *cli, const char *dir)
{
	struct stat sb;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return failed(cli, "make", dir);
	if (stat(dir, &sb) != 0)
		return failed(cli, "look at", dir);
	if (S_ISDIR(sb.st_mode) && sb.st_uid == geteuid() && (sb.st_mode & 022) == 0)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "[backup] dir %s must be a folder of root that nobody else can write", dir);
	return GLT_EXIT_UNAVAILABLE;
}

bool glt_backupdir_name(const char *dir, const char *label, int64_t when, char *out, size_t size)
{
	char name[64];
	time_t t = (time_t)when;
	struct tm tm;
	int n;

	if (!gmtime_r(&t, &tm) || strftime(name, sizeof(name), TIME, &tm) == 0)
		return false;
	n = snprintf(out, size, "%s/gltoken-%s%s", dir, label, name);
	return n > 0 && (size_t)n < size;
}

static int is_backup_name(const struct dirent *d)
{
	return fnmatch(PATTERN, d->d_name, 0) == 0;
}

/* The oldest first, as their names sort. */
static int list(const char *dir, struct dirent ***out)
{
	return scandir(dir, out, is_backup_name, alphasort);
}

static void free_list(struct dirent **v, int n)
{
	for (int i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

static bool is_backup(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	bool is = fd >= 0 && glt_backup_is(fd);

	if (fd >= 0)
		(void)close(fd);
	return is;
}

static int is_left_over(const struct dirent *d)
{
	return fnmatch(LEFT_OVER, d->d_name, FNM_PERIOD) == 0;
}

/* What a backup that was killed has written: nobody else tidies it up, for its name is drawn. */
static int remove_left_over(const struct glt_cli *cli, const char *dir, int fd)
{
	struct dirent **v = NULL;
	int n = scandir(dir, &v, is_left_over, alphasort), rc = n < 0 ? failed(cli, "read", dir) : GLT_EXIT_OK;
	struct stat sb;

	for (int i = 0; i < n; i++)
		if (fstatat(fd, v[i]->d_name, &sb, AT_SYMLINK_NOFOLLOW) == 0 && sb.st_mtime < time(NULL) - DAY &&
		    unlinkat(fd, v[i]->d_name, 0) != 0)
			rc = failed(cli, "remove what is left of the backup", v[i]->d_name);
	if (n >= 0)
		free_list(v, n);
	return rc;
}

int glt_backupdir_prune(const struct glt_cli *cli, const char *dir, unsigned keep)
{
	struct dirent **v = NULL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = fd >= 0 ? list(dir, &v) : -1,
	    rc = n < 0 ? failed(cli, "read", dir) : GLT_EXIT_OK;

	for (int i = n - 1; i >= 0; i--) {
		if (!is_backup(fd, v[i]->d_name))
			continue;
		if (keep > 0)
			keep--;
		else if (unlinkat(fd, v[i]->d_name, 0) != 0)
			rc = failed(cli, "remove the old backup", v[i]->d_name);
	}
	if (rc == GLT_EXIT_OK)
		rc = remove_left_over(cli, dir, fd);
	if (n > 0)
		free_list(v, n);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

int64_t glt_backupdir_newest(const char *dir)
{
	struct dirent **v = NULL;
	struct tm tm = {0};
	int n = list(dir, &v);
	int64_t when = 0;

	if (n > 0 && strptime(v[n - 1]->d_name, NAME, &tm))
		when = (int64_t)timegm(&tm);
	if (n > 0)
		free_list(v, n);
	return when;
}
