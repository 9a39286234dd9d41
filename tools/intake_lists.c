/* SPDX-License-Identifier: MIT */
/* htpasswd, authorized_keys, and gitolite's keydir. */
#include "intake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 8

/* Names alone: a password's hash would be a second, weaker way in. */
enum glt_status glt_intake_htpasswd(FILE *f, struct glt_intake *in, struct glt_err *err)
{
	char buf[GLT_INTAKE_LINE], text[GLT_INTAKE_LINE + 16];
	unsigned number = 0;
	enum glt_status st;

	for (char *line; (line = glt_intake_line(f, buf, &number, &st, err));) {
		char *p = line + strspn(line, " \t"), *colon = strchr(p, ':');

		if (*p == '\0' || *p == '#')
			continue;
		if (!colon || colon == p || strpbrk(p, " \t")) {
			glt_intake_note(in, number, "must be 'NAME:PASSWORD', without blanks");
			continue;
		}
		*colon = '\0';
		(void)snprintf(text, sizeof(text), "user %s", p);
		st = glt_intake_state(in, number, text, err);
		explicit_bzero(colon + 1, strlen(colon + 1));
		if (st != GLT_OK)
			return st;
	}
	explicit_bzero(buf, sizeof(buf));
	return st;
}

static bool is_type(const char *word)
{
	static const char *const starts[] = {"ssh-", "ecdsa-", "sk-"};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (strncmp(word, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

enum glt_status glt_intake_authorized_keys(FILE *f, const char *user, struct glt_intake *in, struct glt_err *err)
{
	char buf[GLT_INTAKE_LINE], text[GLT_INTAKE_LINE + GLT_NAME_MAX + 16];
	unsigned number = 0;
	enum glt_status st;

	for (char *line; (line = glt_intake_line(f, buf, &number, &st, err));) {
		const char *p = line + strspn(line, " \t");

		if (*p == '\0' || *p == '#')
			continue;
		if (strstr(p, "PRIVATE KEY"))
			return glt_fail(err, GLT_INVALID, "line %u: this is a PRIVATE key: give the .pub file",
					number);
		if (!is_type(p)) { /* from= and command= limit the key, and nothing here would */
			glt_intake_note(in, number, "has options before the key, or is no key");
			continue;
		}
		(void)snprintf(text, sizeof(text), "key %s %s", user, p);
		st = glt_intake_state(in, number, text, err);
		if (st != GLT_OK)
			return st;
	}
	return st;
}

/* ---- keydir ---- */

/* a/b/alice@laptop.pub is alice's: folders, and what stands behind an @ without a dot in it, part keys of one user. */
static bool owner_of(const char *name, char user[NAME_MAX + 1])
{
	size_t len = strlen(name);
	char *at;

	if (len <= 4 || len > NAME_MAX || strcmp(name + len - 4, ".pub") != 0)
		return false;
	(void)snprintf(user, NAME_MAX + 1, "%.*s", (int)(len - 4), name);
	at = strrchr(user, '@');
	if (at && at != user && !strchr(at, '.'))
		*at = '\0';
	return true;
}

static enum glt_status one_file(int dir, const char *name, struct glt_intake *in, struct glt_err *err)
{
	char user[NAME_MAX + 1];
	struct glt_err why;
	enum glt_status st;
	struct stat sb;
	FILE *f;
	int fd;

	if (!owner_of(name, user))
		return GLT_OK;
	if (glt_account_name_check(user, &why) != GLT_OK) {
		glt_intake_note(in, 0, "%s", why.text);
		return GLT_OK;
	}
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode)) {
		glt_intake_note(in, 0, fd < 0 ? "cannot be opened, or is a link" : "is no regular file");
		if (fd >= 0)
			(void)close(fd);
		return GLT_OK;
	}
	f = fdopen(fd, "r");
	if (!f) {
		(void)close(fd);
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for a file");
	}
	st = glt_intake_authorized_keys(f, user, in, &why);
	(void)fclose(f);
	if (st == GLT_INVALID) {
		glt_intake_note(in, 0, "%s", why.text);
		return GLT_OK;
	}
	return st == GLT_OK ? st : glt_fail(err, st, "%s", why.text);
}

static enum glt_status folder(int parent, const char *name, const char *shown, int depth, struct glt_intake *in,
			      struct glt_err *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth ? O_NOFOLLOW : 0));
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	enum glt_status st = GLT_OK;
	char path[PATH_MAX];

	if (!d) {
		st = glt_fail(err, errno == ENOENT || errno == ENOTDIR ? GLT_NOT_FOUND : GLT_UNAVAILABLE, "%s",
			      strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return st;
	}
	for (const struct dirent *e; st == GLT_OK && (e = readdir(d));) {
		struct stat sb;

		if (e->d_name[0] == '.' || fstatat(fd, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", shown, e->d_name);
		in->where = path;
		if (!S_ISDIR(sb.st_mode))
			st = one_file(fd, e->d_name, in, err);
		else if (depth == DEPTH_MAX)
			glt_intake_note(in, 0, "folders are nested too deep");
		else
			st = folder(fd, e->d_name, path, depth + 1, in, err);
	}
	in->where = NULL;
	(void)closedir(d);
	return st;
}

enum glt_status glt_intake_keydir(const char *path, struct glt_intake *in, struct glt_err *err)
{
	return folder(AT_FDCWD, path, path, 0, in, err);
}
