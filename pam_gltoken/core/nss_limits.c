/* SPDX-License-Identifier: MIT */
#include "nss_limits.h"

#include "account.h"
#include "nss_snap.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPT GLT_NSS_LIMITS ".new"

static enum glt_status failed(const char *what, const char *path, struct glt_err *err)
{
	return glt_fail(err, GLT_UNAVAILABLE, "cannot %s %s: %s", what, path, strerror(errno));
}

static enum glt_status add_name(struct glt_nss_limits *l, const char *name, struct glt_err *err)
{
	size_t len = strlen(name) + 1;

	if (len > sizeof(l->names) - l->names_len)
		return glt_fail(err, GLT_REFUSED, "/etc/passwd has too many accounts below uid %u", GLT_NSS_SYSTEM);
	memcpy(l->names + l->names_len, name, len);
	l->names_len += (uint32_t)len;
	return GLT_OK;
}

static bool numbers_used(const struct glt_conf *conf)
{
	return conf->nss_range || conf->nss_groups;
}

static enum glt_status overlap(const struct glt_conf *conf, const char *what, const char *name,
			       unsigned long number, struct glt_err *err)
{
	return glt_fail(err, GLT_REFUSED, "[nss] uid_min %u to uid_max %u overlaps %s '%.64s' (%lu)",
			conf->uid_min, conf->uid_max, what, name, number);
}

static bool in_range(const struct glt_conf *conf, unsigned long number)
{
	return numbers_used(conf) && number >= conf->uid_min && number <= conf->uid_max;
}

/* Files only: the whole of NSS would list our own accounts, and a directory lists none. Those of a directory are met
 * by asking for each number before it is given (publish.c). */
static enum glt_status read_passwd(const struct glt_conf *conf, struct glt_nss_limits *l, struct glt_err *err)
{
	FILE *f = fopen("/etc/passwd", "re");
	enum glt_status st = GLT_OK;
	struct passwd *pw;

	if (!f)
		return failed("read", "/etc/passwd", err);
	while (st == GLT_OK && (pw = fgetpwent(f))) {
		if (in_range(conf, pw->pw_uid))
			st = overlap(conf, "account", pw->pw_name, pw->pw_uid, err);
		else if (pw->pw_uid < GLT_NSS_SYSTEM || pw->pw_uid == GLT_NSS_NOBODY)
			st = add_name(l, pw->pw_name, err);
	}
	(void)fclose(f);
	return st;
}

static enum glt_status check_groups(const struct glt_conf *conf, struct glt_err *err)
{
	FILE *f = fopen("/etc/group", "re");
	enum glt_status st = GLT_OK;
	struct group *gr;

	if (!f)
		return failed("read", "/etc/group", err);
	while (st == GLT_OK && (gr = fgetgrent(f)))
		if (in_range(conf, gr->gr_gid))
			st = overlap(conf, "group", gr->gr_name, gr->gr_gid, err);
	(void)fclose(f);
	return st;
}

/* One number of a line of /etc/subuid, up to its end character; false: not such a line. */
static bool number_of(char **at, char end, unsigned long *out)
{
	char *rest;

	errno = 0;
	*out = strtoul(*at, &rest, 10);
	if (**at < '0' || **at > '9' || errno || *rest != end || *out > UINT32_MAX)
		return false;
	*at = rest + 1;
	return true;
}

/* NAME:FIRST:COUNT: numbers that containers of NAME may use. */
static enum glt_status check_subids(const struct glt_conf *conf, const char *path, struct glt_err *err)
{
	FILE *f = fopen(path, "re");
	enum glt_status st = GLT_OK;
	unsigned long first, count;
	char line[256];

	while (f && st == GLT_OK && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':'), *at = colon ? colon + 1 : line;

		line[strcspn(line, "\n")] = '\0';
		if (!colon || !number_of(&at, ':', &first) || !number_of(&at, '\0', &count))
			continue;
		*colon = '\0';
		if (first <= conf->uid_max && conf->uid_min < first + count)
			st = overlap(conf, path, line, first, err);
	}
	if (f)
		(void)fclose(f);
	return st;
}

static enum glt_status check_bounds(const struct glt_conf *conf, struct glt_err *err)
{
	if (!numbers_used(conf))
		return GLT_OK;
	if (conf->uid_min < GLT_NSS_SYSTEM ||
	    (conf->uid_min <= GLT_NSS_NOBODY + 1 && conf->uid_max >= GLT_NSS_NOBODY))
		return glt_fail(err, GLT_REFUSED,
				"[nss] uid_min %u to uid_max %u: must begin at %u or above, without %u and %u",
				conf->uid_min, conf->uid_max, GLT_NSS_SYSTEM, GLT_NSS_NOBODY, GLT_NSS_NOBODY + 1);
	return GLT_OK;
}

static enum glt_status check_range(const struct glt_conf *conf, struct glt_err *err)
{
	enum glt_status st;

	if (!numbers_used(conf))
		return GLT_OK;
	st = check_groups(conf, err);
	if (st == GLT_OK)
		st = check_subids(conf, "/etc/subuid", err);
	if (st == GLT_OK)
		st = check_subids(conf, "/etc/subgid", err);
	return st;
}

static enum glt_status fill(const struct glt_conf *conf, struct glt_nss_limits *l, struct glt_err *err)
{
	const char *shared = conf->shared_accounts[0];
	struct glt_account git;
	enum glt_status st;

	if (!shared[0])
		return glt_fail(err, GLT_REFUSED, "[git] shared_accounts is empty: bots have no account to act as");
	st = check_bounds(conf, err);
	if (st == GLT_OK)
		st = glt_account_of_system(shared, &git, err);
	if (st == GLT_OK && (git.uid == 0 || git.gid == 0 || strlen(git.home) >= sizeof(l->home)))
		st = glt_fail(err, GLT_REFUSED, "account '%s' has uid or gid 0, or a home that is too long",
			      shared);
	if (st != GLT_OK)
		return st;
	l->uid = git.uid;
	l->gid = git.gid;
	strcpy(l->home, git.home);
	for (size_t i = 0; st == GLT_OK && i < GLT_CONF_LIST && conf->shared_accounts[i][0]; i++)
		st = add_name(l, conf->shared_accounts[i], err);
	if (st == GLT_OK)
		st = read_passwd(conf, l, err);
	return st == GLT_OK ? check_range(conf, err) : st;
}

enum glt_status glt_limits_range(const struct glt_conf *conf, struct glt_err *err)
{
	struct glt_nss_limits l = {.names_len = 0};
	enum glt_status st = check_bounds(conf, err);

	if (st == GLT_OK && numbers_used(conf))
		st = read_passwd(conf, &l, err);
	return st == GLT_OK ? check_range(conf, err) : st;
}

static enum glt_status write_file(const struct glt_nss_limits *l, size_t size, struct glt_err *err)
{
	int fd;
	bool ok;

	(void)unlink(ATTEMPT);
	fd = open(ATTEMPT, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return failed("make", ATTEMPT, err);
	ok = write(fd, l, size) == (ssize_t)size && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
	if (close(fd) == 0 && ok && rename(ATTEMPT, GLT_NSS_LIMITS) == 0)
		return GLT_OK;
	(void)unlink(ATTEMPT);
	return failed("write", GLT_NSS_LIMITS, err);
}

static enum glt_status make_public(uid_t owner, gid_t group, struct glt_err *err)
{
	struct stat sb;
	enum glt_status st = GLT_OK;
	int fd;

	if (mkdir(GLT_NSS_PUBLIC, 0755) != 0 && errno != EEXIST)
		return failed("make", GLT_NSS_PUBLIC, err);
	fd = open(GLT_NSS_PUBLIC, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &sb) != 0)
		st = failed("open", GLT_NSS_PUBLIC, err);
	else if ((sb.st_uid != owner || (sb.st_mode & 07777) != 0755) &&
		 (fchown(fd, owner, group) != 0 || fchmod(fd, 0755) != 0))
		st = failed("give away", GLT_NSS_PUBLIC, err);
	if (fd >= 0)
		(void)close(fd);
	return st;
}

enum glt_status glt_limits_refresh(const struct glt_conf *conf, uid_t owner, gid_t group, struct glt_err *err)
{
	struct glt_nss_limits l = {.magic = GLT_NSS_LIMITS_MAGIC}, old;
	const size_t covered = offsetof(struct glt_nss_limits, owner);
	struct stat sb;
	size_t size;
	enum glt_status st;

	if (lstat(GLT_NSS_DIR, &sb) != 0)
		return glt_fail(err, GLT_NOT_FOUND, "%s: %s", GLT_NSS_DIR, strerror(errno));
	if (!S_ISDIR(sb.st_mode) || sb.st_uid != 0 || (sb.st_mode & 022) != 0)
		return glt_fail(err, GLT_REFUSED, "%s must belong to root and be writable by nobody else",
				GLT_NSS_DIR);
	l.owner = owner;
	l.ask_gid = group;
	l.range = conf->nss_range;
	l.groups = conf->nss_groups;
	l.first = numbers_used(conf) ? conf->uid_min : GLT_NSS_SYSTEM;
	l.last = numbers_used(conf) ? conf->uid_max : GLT_NSS_SYSTEM;
	st = fill(conf, &l, err);
	if (st == GLT_OK)
		st = make_public(owner, group, err);
	if (st != GLT_OK)
		return st;
	size = GLT_NSS_LIMITS_HEAD + l.names_len;
	l.sum = glt_nss_sum(l.magic, (const char *)&l + covered, size - covered);
	if (glt_nss_limits_read(&old) == 0 && old.sum == l.sum && old.names_len == l.names_len)
		return GLT_OK;
	return write_file(&l, size, err);
}
