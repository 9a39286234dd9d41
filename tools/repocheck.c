/* SPDX-License-Identifier: MIT */
#include "repocheck.h"

#include "repo.h"
#include "repofiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 64
#define CONFIG_MAX 65536

static const struct {
	const char *name;
	bool mendable;
	const char *text;
} faults[] = {
#define GLT_X(sym, name, mendable, text) {name, mendable, text},
	GLT_REPO_FAULTS(GLT_X)
#undef GLT_X
};

void glt_fault_add(struct glt_repocheck *r, enum glt_fault fault, const char *first)
{
	const int room = (int)sizeof(r->first[fault]) - 1;

	if (r->count[fault]++ == 0)
		(void)snprintf(r->first[fault], sizeof(r->first[fault]), "%.*s", room, first);
}

size_t glt_faults(const struct glt_repocheck *r, bool mendable_only)
{
	size_t n = 0;

	for (int i = 0; i < GLT_FAULT_COUNT; i++)
		n += r->count[i] > 0 && (faults[i].mendable || !mendable_only);
	return n;
}

bool glt_repo_is_shared(const struct glt_conf *conf)
{
	return (conf->umask_bits & 0020) == 0 && (conf->shared_accounts[1][0] || conf->nss_range);
}

/* ---- files ---- */

/* Who may not enter the repository's own folder reads nothing in it, so inside it only writing counts. */
static mode_t wanted_mode(const struct glt_repocheck *r, mode_t mode, bool top)
{
	const struct glt_conf *conf = &r->cli->conf;
	mode_t want = mode & ~(conf->umask_bits & (top ? 0777 : 0022)) & (S_ISDIR(mode) ? 02777 : 0777);

	want |= S_ISDIR(mode) ? 0700 : 0400;
	if (!glt_repo_is_shared(conf))
		return want & ~(mode_t)S_ISGID;
	return want | (S_ISDIR(mode) ? 02070 : 0040);
}

static bool owner_fits(const struct glt_repocheck *r, const struct stat *sb)
{
	return sb->st_gid == r->account.gid && (sb->st_uid == r->account.uid || glt_repo_is_shared(&r->cli->conf));
}

static void check_owner(struct glt_repocheck *r, int fd, const struct stat *sb, const char *name)
{
	if (owner_fits(r, sb))
		return;
	if (!r->mend)
		glt_fault_add(r, GLT_FAULT_OWNER, name);
	else if (fchownat(fd, "", r->account.uid, r->account.gid, AT_EMPTY_PATH) != 0)
		glt_fault_add(r, GLT_FAULT_UNREADABLE, name);
}

static void check_mode(struct glt_repocheck *r, int fd, const struct stat *sb, const char *name)
{
	const mode_t is = sb->st_mode & 07777, want = wanted_mode(r, sb->st_mode, strcmp(name, ".") == 0);
	char self[64];

	if (S_ISLNK(sb->st_mode) || is == want)
		return;
	if (!r->mend) {
		if ((is ^ want) & ~(mode_t)(S_ISDIR(sb->st_mode) ? S_ISGID : 0))
			glt_fault_add(r, GLT_FAULT_MODE, name);
		if (S_ISDIR(sb->st_mode) && ((is ^ want) & S_ISGID))
			glt_fault_add(r, GLT_FAULT_SETGID, name);
		return;
	}
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd); /* fchmod() takes no O_PATH */
	if (chmod(self, want) != 0)
		glt_fault_add(r, GLT_FAULT_UNREADABLE, name);
}

/* False: it is to be left alone, with all that is in it. */
static bool is_takeable(struct glt_repocheck *r, const struct stat *sb, const char *name)
{
	/* overlayfs has devices of their own for files */
	if ((S_ISDIR(sb->st_mode) && sb->st_dev != r->dev) ||
	    !(S_ISREG(sb->st_mode) || S_ISDIR(sb->st_mode) || S_ISLNK(sb->st_mode))) {
		glt_fault_add(r, GLT_FAULT_SPECIAL, name);
		return false;
	}
	/* A link to somebody's file, made so that it is given away: git's own links are among files of one owner. */
	if (S_ISREG(sb->st_mode) && sb->st_nlink > 1 && sb->st_uid != r->top && sb->st_uid != r->account.uid) {
		glt_fault_add(r, GLT_FAULT_LINK, name);
		return false;
	}
	return true;
}

static void tree(struct glt_repocheck *r, int dir, const char *prefix, unsigned depth);

static void entry(struct glt_repocheck *r, int dir, const char *name, const char *prefix, unsigned depth)
{
	char path[512];
	struct stat sb;
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	(void)snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "/" : "", name);
	if (fd < 0 || fstat(fd, &sb) != 0) {
		if (fd >= 0 || errno != ENOENT) /* pushes go on meanwhile */
			glt_fault_add(r, GLT_FAULT_UNREADABLE, path);
	} else if (is_takeable(r, &sb, path)) {
		check_owner(r, fd, &sb, path);
		check_mode(r, fd, &sb, path);
		if (S_ISDIR(sb.st_mode) && depth < DEPTH_MAX)
			tree(r, fd, path, depth + 1);
	}
	if (fd >= 0)
		(void)close(fd);
}

static void tree(struct glt_repocheck *r, int dir, const char *prefix, unsigned depth)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			(void)close(fd);
		glt_fault_add(r, GLT_FAULT_UNREADABLE, prefix);
		return;
	}
	for (struct dirent *e; (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			entry(r, fd, e->d_name, prefix, depth);
	(void)closedir(d);
}

/* New projects are made in the groups above it, as the account. */
static void check_groups(struct glt_repocheck *r)
{
	int root = open(r->cli->conf.repo_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[GLT_PATH_MAX + 1];

	strcpy(path, r->path);
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		struct stat sb;
		int fd;

		*slash = '\0';
		fd = glt_repo_beneath(root, path);
		if (fd < 0 || fstat(fd, &sb) != 0)
			glt_fault_add(r, GLT_FAULT_UNREADABLE, path);
		else if (sb.st_uid == 0)
			check_owner(r, fd, &sb, path);
		if (fd >= 0)
			(void)close(fd);
		*slash = '/';
	}
	if (root >= 0)
		(void)close(root);
}

/* ---- its config ---- */

static bool is_one_of(const char *value, const char *const *list)
{
	for (; *list; list++)
		if (strcasecmp(value, *list) == 0)
			return true;
	return false;
}

static void mend_key(struct glt_repocheck *r, int dir, enum glt_fault fault, const char *key, const char *is,
		     const char *want)
{
	char text[100];

	if (r->mend && glt_repo_config_set(&r->account, dir, key, want))
		return;
	(void)snprintf(text, sizeof(text), "it is '%.60s'", is);
	glt_fault_add(r, fault, text);
}

static void check_config(struct glt_repocheck *r, int dir)
{
	static const char *const alone[] = {"", "0", "false", "no", "off", "umask", NULL};
	static const char *const group[] = {"1", "true", "yes", "on", "group", NULL};
	static const char *const yes[] = {"true", "yes", "on", "1", NULL};
	const bool shared = glt_repo_is_shared(&r->cli->conf);
	char value[256];
	struct stat sb;
	int fd = openat(dir, "config", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || sb.st_size > CONFIG_MAX ||
	    !glt_repo_config_get(&r->account, fd, "core.sharedRepository", value, sizeof(value))) {
		glt_fault_add(r, GLT_FAULT_CONFIG, "config");
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	if (!is_one_of(value, shared ? group : alone))
		mend_key(r, dir, GLT_FAULT_SHARED, "core.sharedRepository", value, shared ? "group" : NULL);
	if (glt_repo_config_get(&r->account, fd, "core.bare", value, sizeof(value)) && !is_one_of(value, yes))
		mend_key(r, dir, GLT_FAULT_BARE, "core.bare", value, "true");
	if (glt_repo_config_get(&r->account, fd, "receive.procReceiveRefs", value, sizeof(value)) && value[0])
		glt_fault_add(r, GLT_FAULT_PROC_RECEIVE, value);
	(void)close(fd);
}

/* ---- one repository ---- */

static void read_branch(struct glt_repocheck *r, int dir)
{
	static const char start[] = "ref: refs/heads/";
	char text[GLT_NAME_MAX + 32];
	ssize_t n;
	int fd = openat(dir, "HEAD", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, start, sizeof(start) - 1) == 0)
		(void)snprintf(r->branch, sizeof(r->branch), "%.*s", GLT_NAME_MAX, text + sizeof(start) - 1);
}

static bool anybody(void *arg, const char *project)
{
	(void)arg;
	(void)project;
	return true;
}

void glt_repocheck_run(struct glt_repocheck *r)
{
	const char *root = r->cli->conf.repo_root;
	struct glt_repo repo;
	enum glt_repo_status st = glt_repo_open(root, r->path, &repo);
	struct stat sb;

	if (st != GLT_REPO_OK) {
		glt_fault_add(r, GLT_FAULT_SERVED, glt_repo_text(st));
		return;
	}
	if (fstat(repo.fd, &sb) == 0) {
		r->dev = sb.st_dev;
		r->top = sb.st_uid;
		check_owner(r, repo.fd, &sb, ".");
		check_mode(r, repo.fd, &sb, ".");
		tree(r, repo.fd, "", 0);
		check_groups(r);
		check_config(r, repo.fd);
		read_branch(r, repo.fd);
		st = glt_repo_alternates(root, &repo, anybody, NULL, NULL);
		if (st != GLT_REPO_OK)
			glt_fault_add(r, GLT_FAULT_ALTERNATES, glt_repo_text(st));
	}
	(void)close(repo.fd);
}

/* ---- as a list ---- */

static const struct glt_column columns[] = {
	{"PATH", 0}, {"PROBLEM", 0}, {"FILES", GLT_COLUMN_RIGHT}, {"MENDABLE", 0}, {"TEXT", GLT_COLUMN_SHRINK},
};

struct glt_out *glt_repocheck_out(const struct glt_cli *cli)
{
	return glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
}

static json_t *problem_json(const struct glt_repocheck *r, int i)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "problem", json_string(faults[i].name));
	(void)json_object_set_new(o, "count", glt_json_number(r->count[i]));
	(void)json_object_set_new(o, "first", glt_json_text(r->first[i]));
	(void)json_object_set_new(o, "mendable", json_boolean(faults[i].mendable));
	(void)json_object_set_new(o, "text", json_string(faults[i].text));
	return o;
}

void glt_repocheck_row(struct glt_out *out, const struct glt_repocheck *r)
{
	json_t *o = NULL, *list = NULL;

	if (glt_out_is_json(out)) {
		o = json_object();
		list = json_array();
		(void)json_object_set_new(o, "path", json_string(r->path));
		(void)json_object_set_new(o, "ok", json_boolean(glt_faults(r, false) == 0));
		(void)json_object_set_new(o, "problems", list);
	}
	for (int i = 0; i < GLT_FAULT_COUNT; i++) {
		char text[256], count[24];

		if (r->count[i] == 0)
			continue;
		if (o) {
			(void)json_array_append_new(list, problem_json(r, i));
			continue;
		}
		(void)snprintf(text, sizeof(text), "%s (%s)", faults[i].text, r->first[i]);
		(void)snprintf(count, sizeof(count), "%zu", r->count[i]);
		glt_out_row(out, (const char *const[]){r->path, faults[i].name, count,
						       faults[i].mendable ? "yes" : "no", text});
	}
	if (o)
		glt_out_json(out, o);
}
