/* SPDX-License-Identifier: MIT */
#include "repo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GIT_SUFFIX ".git"

static const struct {
	const char *name, *text;
} statuses[] = {
#define GLT_X(sym, name, text) {name, text},
	GLT_REPO_STATUSES(GLT_X)
#undef GLT_X
};

const char *glt_repo_name(enum glt_repo_status status)
{
	return statuses[status].name;
}

const char *glt_repo_text(enum glt_repo_status status)
{
	return statuses[status].text;
}

static int beneath(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* Why beneath() failed. A kernel or a filter without openat2() says ENOSYS or EPERM: nothing is served then. */
static enum glt_repo_status why(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return GLT_REPO_ABSENT;
	case ELOOP:
	case EXDEV:
		return GLT_REPO_SYMLINK;
	case EACCES:
		return GLT_REPO_UNREADABLE;
	default:
		return GLT_REPO_UNAVAILABLE;
	}
}

static bool has_entry(int dir, const char *name)
{
	struct stat st;
	return !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || errno != ENOENT;
}

static bool has_folder(int dir, const char *name)
{
	int fd = beneath(dir, name, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Read a regular file whole. Length, or -1 with errno: ERANGE where it holds more than size - 1 bytes, EBADF where
 * it is no regular file. */
static ssize_t read_file(int dir, const char *path, char *buf, size_t size)
{
	int fd = beneath(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	struct stat st;
	size_t len = 0;
	ssize_t n = -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		errno = EBADF;
	} else {
		while (len < size && (n = read(fd, buf + len, size - len)) > 0)
			len += (size_t)n;
		if (len == size) {
			n = -1;
			errno = ERANGE;
		}
	}
	int saved = errno;
	close(fd);
	errno = saved;
	if (n < 0)
		return -1;
	buf[len] = '\0';
	return (ssize_t)len;
}

/* What git accepts as HEAD: "ref: refs/..." or an object id. */
static bool head_valid(int dir)
{
	char text[1024];
	if (read_file(dir, "HEAD", text, sizeof(text)) < 0)
		return false;
	if (!strncmp(text, "ref:", 4)) {
		const char *target = text + 4 + strspn(text + 4, " \t\n");
		return !strncmp(target, "refs/", 5);
	}
	size_t digits = strspn(text, "0123456789abcdef");
	return digits == 40 || digits == 64;
}

/* git's own test, but that no part may be a symbolic link: objects and refs could then be another's. */
static bool is_repository(int dir)
{
	return head_valid(dir) && has_folder(dir, "objects") && has_folder(dir, "refs");
}

/*
 * A repository's inside is written by those who push: refs/heads/x/HEAD, .../objects/y and .../refs/z are lawful
 * branches and make a folder that git takes for a repository. So no folder on the way may be one.
 */
static enum glt_repo_status check_parents(int root, const char *project)
{
	char part[GLT_PATH_MAX + 1];
	for (const char *slash = strchr(project, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - project);
		memcpy(part, project, len);
		part[len] = '\0';
		int fd = beneath(root, part, O_PATH | O_DIRECTORY);
		if (fd < 0)
			return why(errno);
		bool closed = faccessat(fd, ".", X_OK, AT_EACCESS);
		bool nested = is_repository(fd) || has_entry(fd, GIT_SUFFIX);
		close(fd);
		if (closed || nested)
			return closed ? GLT_REPO_UNREADABLE : GLT_REPO_NESTED;
	}
	return GLT_REPO_OK;
}

/*
 * git looks into ".git" first where there is one (receive-pack and upload-archive cannot be told not to), and
 * takes objects, refs and config from where "commondir" points.
 */
static enum glt_repo_status check_bare(int dir)
{
	if (faccessat(dir, ".", R_OK | X_OK, AT_EACCESS))
		return GLT_REPO_UNREADABLE;
	if (has_entry(dir, GIT_SUFFIX) || has_entry(dir, "commondir"))
		return GLT_REPO_NOT_BARE;
	return is_repository(dir) ? GLT_REPO_OK : GLT_REPO_NOT_A_REPO;
}

typedef char name_buf[GLT_PATH_MAX + sizeof(GIT_SUFFIX)];

/* Exactly one of NAME.git and NAME, whatever kind of file the other is; name becomes that one. */
static enum glt_repo_status open_one(int root, const char *project, name_buf name, int *out)
{
	sprintf(name, "%s" GIT_SUFFIX, project);
	int git = beneath(root, name, O_PATH);
	enum glt_repo_status git_status = git < 0 ? why(errno) : GLT_REPO_OK;
	int plain = beneath(root, project, O_PATH);
	enum glt_repo_status plain_status = plain < 0 ? why(errno) : GLT_REPO_OK;

	if (git_status != GLT_REPO_ABSENT && plain_status != GLT_REPO_ABSENT) {
		if (git >= 0)
			close(git);
		if (plain >= 0)
			close(plain);
		/* Where neither can be looked at, that is what is wrong. */
		return git < 0 && plain < 0 ? git_status : GLT_REPO_AMBIGUOUS;
	}
	if (git_status != GLT_REPO_ABSENT) {
		*out = git;
		return git_status;
	}
	strcpy(name, project);
	*out = plain;
	return plain_status;
}

static enum glt_repo_status open_checked(int root, const char *project, name_buf name, int *out)
{
	enum glt_repo_status status = check_parents(root, project);
	if (status == GLT_REPO_OK)
		status = open_one(root, project, name, out);
	if (status != GLT_REPO_OK)
		return status;
	struct stat st;
	status = fstat(*out, &st) || !S_ISDIR(st.st_mode) ? GLT_REPO_NOT_A_REPO : check_bare(*out);
	if (status != GLT_REPO_OK)
		close(*out);
	return status;
}

enum glt_repo_status glt_repo_open(const char *repo_root, const char *project, struct glt_repo *out)
{
	/* The root itself is the administrator's and may be a link; git needs to know where it really is. */
	char real[PATH_MAX];
	name_buf name;
	if (strlen(project) > GLT_PATH_MAX)
		return GLT_REPO_ABSENT;
	if (!realpath(repo_root, real))
		return GLT_REPO_UNAVAILABLE;
	int root = open(real, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return GLT_REPO_UNAVAILABLE;
	enum glt_repo_status status = open_checked(root, project, name, &out->fd);
	close(root);
	if (status != GLT_REPO_OK)
		return status;
	strcpy(out->project, project);
	int n = snprintf(out->directory, sizeof(out->directory), "%s/%s", strcmp(real, "/") ? real : "", name);
	if (n > 0 && (size_t)n < sizeof(out->directory))
		return GLT_REPO_OK;
	close(out->fd);
	return GLT_REPO_UNAVAILABLE;
}

/* ---- alternates ---- */

#define ALTERNATES_MAX 32
#define ALTERNATES_DEPTH 5 /* git follows that many and ignores the rest */

struct walk {
	const char *repo_root;
	char real_root[PATH_MAX];
	char seen[ALTERNATES_MAX + 1][GLT_PATH_MAX + 1]; /* the first is the repository itself */
	size_t n;
	glt_repo_may_read *may_read;
	void *arg;
	char *culprit;
};

/* Take "//", "." and ".." out of an absolute path as git does, without looking at the disk. */
static bool lexical(const char *path, char out[PATH_MAX])
{
	size_t n = 0;
	for (const char *p = path; *p;) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");
		if (len == 2 && !memcmp(p, "..", 2)) {
			if (!n)
				return false;
			while (out[--n] != '/')
				;
		} else if (len && !(len == 1 && *p == '.')) {
			if (n + 1 + len >= PATH_MAX)
				return false;
			out[n++] = '/';
			memcpy(out + n, p, len);
			n += len;
		}
		p += len;
	}
	out[n] = '\0';
	return true;
}

static const char *below(const char *path, const char *root)
{
	size_t len = strlen(root);
	while (len && root[len - 1] == '/')
		len--;
	return !strncmp(path, root, len) && path[len] == '/' ? path + len + 1 : NULL;
}

/* The repository whose objects folder a line names, relative to the root. Relative lines start at the real place
 * of the borrowing repository, as in git. Quoted lines are refused: no path below the root needs that. */
static enum glt_repo_status resolve(const struct walk *w, const struct glt_repo *from, const char *line,
				    struct glt_repo *out)
{
	static const char objects[] = "/objects";
	char joined[PATH_MAX], path[PATH_MAX];
	int n = *line == '/' ? snprintf(joined, sizeof(joined), "%s", line)
			     : snprintf(joined, sizeof(joined), "%s%s/%s", from->directory, objects, line);
	if (*line == '"' || n < 0 || (size_t)n >= sizeof(joined) || !lexical(joined, path))
		return GLT_REPO_ALTERNATE_OUTSIDE;
	const char *name = below(path, w->real_root);
	if (!name)
		name = below(path, w->repo_root);
	size_t len = name ? strlen(name) : 0, tail = sizeof(objects) - 1;
	if (len <= tail || strcmp(name + len - tail, objects))
		return GLT_REPO_ALTERNATE_OUTSIDE;
	path[strlen(path) - tail] = '\0';

	char project[GLT_PATH_MAX + 1];
	struct glt_err err;
	if (glt_path_normalise(name, project, &err) != GLT_OK)
		return GLT_REPO_ALTERNATE_OUTSIDE;
	enum glt_repo_status status = glt_repo_open(w->real_root, project, out);
	if (status == GLT_REPO_UNAVAILABLE || status == GLT_REPO_UNREADABLE)
		return status;
	if (status != GLT_REPO_OK)
		return GLT_REPO_ALTERNATE_OUTSIDE;
	/* "x/objects" where x.git is what the project "x" opens: git would read another folder. */
	if (strcmp(below(out->directory, w->real_root), name)) {
		close(out->fd);
		return GLT_REPO_ALTERNATE_OUTSIDE;
	}
	return GLT_REPO_OK;
}

static enum glt_repo_status follow(struct walk *w, const struct glt_repo *repo, unsigned depth);

static enum glt_repo_status one_line(struct walk *w, const struct glt_repo *from, const char *line, unsigned depth)
{
	struct glt_repo alternate;
	if (depth == ALTERNATES_DEPTH)
		return GLT_REPO_ALTERNATE_DEEP;
	enum glt_repo_status status = resolve(w, from, line, &alternate);
	if (status != GLT_REPO_OK)
		return status;
	bool seen = false;
	for (size_t i = 0; i < w->n && !seen; i++)
		seen = !strcmp(w->seen[i], alternate.project);
	if (seen) {
		/* asked for already */
	} else if (w->n == sizeof(w->seen) / sizeof(*w->seen)) {
		status = GLT_REPO_ALTERNATE_DEEP;
	} else if (!w->may_read(w->arg, alternate.project)) {
		strcpy(w->culprit, alternate.project);
		status = GLT_REPO_ALTERNATE_DENIED;
	} else {
		strcpy(w->seen[w->n++], alternate.project);
		status = follow(w, &alternate, depth + 1);
	}
	close(alternate.fd);
	return status;
}

static enum glt_repo_status follow(struct walk *w, const struct glt_repo *repo, unsigned depth)
{
	char text[16384];
	ssize_t len = read_file(repo->fd, "objects/info/alternates", text, sizeof(text));
	if (len < 0) {
		if (errno == ERANGE)
			return GLT_REPO_ALTERNATE_DEEP;
		if (errno == EBADF)
			return GLT_REPO_ALTERNATE_OUTSIDE;
		enum glt_repo_status status = why(errno);
		return status == GLT_REPO_ABSENT ? GLT_REPO_OK : status;
	}
	if (strlen(text) != (size_t)len)
		return GLT_REPO_ALTERNATE_OUTSIDE;
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (!*line || *line == '#')
			continue;
		enum glt_repo_status status = one_line(w, repo, line, depth);
		if (status != GLT_REPO_OK)
			return status;
	}
	return GLT_REPO_OK;
}

enum glt_repo_status glt_repo_alternates(const char *repo_root, const struct glt_repo *repo,
					 glt_repo_may_read *may_read, void *arg, char culprit[GLT_PATH_MAX + 1])
{
	char ignored[GLT_PATH_MAX + 1];
	struct walk w = {.repo_root = repo_root,
			 .may_read = may_read,
			 .arg = arg,
			 .culprit = culprit ? culprit : ignored};
	w.culprit[0] = '\0';
	if (!realpath(repo_root, w.real_root))
		return GLT_REPO_UNAVAILABLE;
	strcpy(w.seen[w.n++], repo->project);
	return follow(&w, repo, 0);
}
