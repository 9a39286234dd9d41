/* SPDX-License-Identifier: MIT */
#include "repofiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int glt_repo_account(const struct glt_cli *cli, struct glt_account *out)
{
	const char *name = cli->conf.shared_accounts[0];
	struct glt_err err;

	if (!*name) {
		glt_cli_warn(cli, "[git] shared_accounts is empty: a repository needs an owner");
		return GLT_EXIT_UNAVAILABLE;
	}
	if (glt_account_of_system(name, out, &err) != GLT_OK) {
		glt_cli_warn(cli, "%s; it is to own the repositories ([git] shared_accounts)", err.text);
		return GLT_EXIT_UNAVAILABLE;
	}
	if (out->uid != 0 && out->gid != 0)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "account '%s' has uid or gid 0: it may not own repositories", name);
	return GLT_EXIT_UNAVAILABLE;
}

int glt_repo_root_open(const struct glt_cli *cli, char real[PATH_MAX], int *fd)
{
	/* the root itself may be a link: it is the administrator's */
	*fd = realpath(cli->conf.repo_root, real) ? open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (*fd >= 0)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "cannot open repo_root %s: %s", cli->conf.repo_root, strerror(errno));
	return GLT_EXIT_UNAVAILABLE;
}

int glt_repo_beneath(int root, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* The folder that path stands in; *name is its last part. */
static int parent_of(int root, const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	*name = slash ? slash + 1 : path;
	if (!slash)
		return glt_repo_beneath(root, ".");
	if ((size_t)(slash - path) >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	return glt_repo_beneath(root, folder);
}

bool glt_repo_rename(int root, const char *from, const char *to)
{
	const char *old_name, *new_name;
	int old = parent_of(root, from, &old_name), fresh = old < 0 ? -1 : parent_of(root, to, &new_name), why;
	bool done = fresh >= 0 && renameat2(old, old_name, fresh, new_name, RENAME_NOREPLACE) == 0 &&
		    fsync(fresh) == 0 && fsync(old) == 0;

	why = errno;
	if (fresh >= 0)
		(void)close(fresh);
	if (old >= 0)
		(void)close(old);
	errno = why;
	return done;
}

/* Each folder on the way to path, for root alone. */
static bool make_folders(int root, char *path)
{
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		bool made;

		*slash = '\0';
		made = mkdirat(root, path, 0700) == 0 || errno == EEXIST;
		*slash = '/';
		if (!made)
			return false;
	}
	return true;
}

bool glt_repo_set_aside(int root, const char *from, int64_t now, char out[PATH_MAX])
{
	time_t t = (time_t)now;
	struct stat sb;
	char when[32];
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) == 0)
		return false;
	if (mkdirat(root, ".removed", 0700) != 0 && errno != EEXIST)
		return false;
	/* Where the account owns repo_root, it could have made the folder itself, and root would work in it. */
	if (fstatat(root, ".removed", &sb, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	if (!S_ISDIR(sb.st_mode) || sb.st_uid != 0 || (sb.st_mode & 0077)) {
		errno = ENOTDIR;
		return false;
	}
	for (unsigned i = 1; i < 1000; i++) {
		if (snprintf(out, PATH_MAX, ".removed/%s.%u/%s", when, i, from) >= PATH_MAX) {
			errno = ENAMETOOLONG;
			return false;
		}
		if (faccessat(root, out, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		return make_folders(root, out) && glt_repo_rename(root, from, out);
	}
	errno = EEXIST;
	return false;
}

static bool delete_in(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool good = d != NULL;

	if (d) {
		for (struct dirent *e; (e = readdir(d));) {
			if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
				continue;
			if (unlinkat(fd, e->d_name, 0) != 0 && !delete_in(fd, e->d_name))
				good = false;
		}
		(void)closedir(d);
	} else if (fd >= 0) {
		(void)close(fd);
	}
	return unlinkat(dir, name, AT_REMOVEDIR) == 0 && good;
}

bool glt_repo_delete(int root, const char *path)
{
	const char *name;
	int dir = parent_of(root, path, &name);
	bool done = dir >= 0 && delete_in(dir, name);

	if (dir >= 0)
		(void)close(dir);
	return done;
}
