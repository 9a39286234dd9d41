/* SPDX-License-Identifier: MIT */
#include "newrepo.h"

#include "child.h"
#include "repocheck.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GIT_PATH "/usr/local/bin:/usr/bin:/bin"
#define NAME_SIZE (GLT_PATH_MAX + sizeof(".git"))

enum { NEEDS_ROOT = 100 }; /* exit status of a child: the account may not write in repo_root itself */

struct step { /* one part of the path */
	char name[NAME_SIZE];
	bool last; /* the repository */
	unsigned number;
};

/* The parts one by one; *p is where to go on. The last one gets its ".git". */
static bool next_step(const char **p, struct step *s)
{
	size_t len = strcspn(*p, "/");

	if (**p == '\0')
		return false;
	s->last = (*p)[len] == '\0';
	s->number++;
	(void)snprintf(s->name, sizeof(s->name), "%.*s%s", (int)len, *p, s->last ? ".git" : "");
	*p += len + !s->last;
	return true;
}

static bool exists(int dir, const char *name)
{
	struct stat sb;

	return fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == 0;
}

static int open_folder(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Would be refused as ambiguous or nested ever after. Exit status. */
static int check_place(const struct glt_newrepo *r, int dir, const struct step *s)
{
	char other[NAME_SIZE];
	size_t len = strlen(s->name);

	if (exists(dir, "HEAD") && exists(dir, "objects") && exists(dir, "refs")) {
		glt_cli_warn(r->cli, "%s: a part of the path is a repository itself", r->path);
		return GLT_EXIT_DENIED;
	}
	if (s->last)
		(void)snprintf(other, sizeof(other), "%.*s", (int)(len - 4), s->name);
	else
		(void)snprintf(other, sizeof(other), "%.*s.git", (int)(len > GLT_PATH_MAX ? GLT_PATH_MAX : len),
			       s->name);
	if (exists(dir, other)) {
		glt_cli_warn(r->cli,
			     "%s: there is '%s' already: a group and a repository of one name cannot stand side by "
			     "side",
			     r->path, other);
		return GLT_EXIT_DENIED;
	}
	if (s->last && exists(dir, s->name) && !(s->number == 1 && r->made->by_root)) {
		glt_cli_warn(r->cli, "repository %s exists already", r->path);
		return GLT_EXIT_DENIED;
	}
	return GLT_EXIT_OK;
}

/* Make the folder if need be and go into it: *dir is exchanged. */
static int enter(const struct glt_newrepo *r, int *dir, const struct step *s)
{
	int rc = check_place(r, *dir, s), fd;

	if (rc != GLT_EXIT_OK || (s->last && r->folders_only))
		return rc;
	if (mkdirat(*dir, s->name, 0777) == 0) {
		if (r->made->from == 0)
			r->made->from = s->number;
		r->made->repo = s->last;
	} else if (errno == EACCES && s->number == 1) {
		return NEEDS_ROOT;
	} else if (errno != EEXIST || (s->last && !r->made->repo)) {
		glt_cli_warn(r->cli, "cannot make %s below %s as %s: %s", s->name, r->cli->conf.repo_root,
			     r->account.name, strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	fd = open_folder(*dir, s->name);
	if (fd < 0) {
		glt_cli_warn(r->cli, "cannot open %s below %s as %s: %s", s->name, r->cli->conf.repo_root,
			     r->account.name,
			     errno == ELOOP || errno == ENOTDIR ? "it is a symbolic link or no directory"
								: strerror(errno));
		return GLT_EXIT_DENIED;
	}
	(void)close(*dir);
	*dir = fd;
	return GLT_EXIT_OK;
}

/* ---- git ---- */

static void exec_git(const char *const *args)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		_exit(127);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)clearenv();
	(void)setenv("PATH", GIT_PATH, 1);
	(void)setenv("LC_ALL", "C", 1);
	(void)execvp(args[0], (char *const *)args);
	_exit(127);
}

static int run_git(const struct glt_newrepo *r, const char *const *args)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		exec_git(args);
	status = pid < 0 ? -1 : glt_child_status(pid);
	if (status == 0)
		return GLT_EXIT_OK;
	if (status == 127)
		glt_cli_warn(r->cli, "cannot run git: install it in one of " GIT_PATH);
	else
		glt_cli_warn(r->cli, "git %s failed (%d) for %s", args[1], status, r->path);
	return GLT_EXIT_UNAVAILABLE;
}

static int fill_repository(const struct glt_newrepo *r, int dir)
{
	const bool shared = glt_repo_is_shared(&r->cli->conf);
	char branch[GLT_NAME_MAX + 32];
	const char *const init[] = {
		"git",  "init", "--quiet", "--bare", shared ? "--shared=group" : "--shared=umask",
		branch, ".",    NULL};
	/* Where it is shared, init forbids every forced push, which is gltoken protect's to say. */
	const char *const unset[] = {"git", "config", "--file", "config", "--unset", "receive.denyNonFastForwards",
				     NULL};
	int rc;

	(void)snprintf(branch, sizeof(branch), "--initial-branch=%s", r->branch);
	if (fchdir(dir) != 0) {
		glt_cli_warn(r->cli, "cannot enter the folder of %s: %s", r->path, strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	rc = run_git(r, init);
	return rc == GLT_EXIT_OK && shared ? run_git(r, unset) : rc;
}

/* ---- taking it away ---- */

static void remove_tree(int dir, const char *name)
{
	int fd = open_folder(dir, name);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d) {
		for (struct dirent *e; (e = readdir(d));) {
			if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
				continue;
			if (unlinkat(fd, e->d_name, 0) != 0)
				remove_tree(fd, e->d_name);
		}
		(void)closedir(d);
	} else if (fd >= 0) {
		(void)close(fd);
	}
	(void)unlinkat(dir, name, AT_REMOVEDIR);
}

/* From the innermost on. What root made is left to root. */
static void take_away(const struct glt_newrepo *r, int dir, const char *rest, struct step s)
{
	int inner;

	if (!next_step(&rest, &s))
		return;
	if (s.last) {
		if (r->made->repo)
			remove_tree(dir, s.name);
		return;
	}
	inner = open_folder(dir, s.name);
	if (inner < 0)
		return;
	take_away(r, inner, rest, s);
	(void)close(inner);
	if (r->made->from && s.number >= r->made->from)
		(void)unlinkat(dir, s.name, AT_REMOVEDIR);
}

/* ---- the children ---- */

static int make(const struct glt_newrepo *r)
{
	struct step s = {.number = 0};
	const char *rest = r->path;
	int dir = fcntl(r->root, F_DUPFD_CLOEXEC, 3), rc = dir < 0 ? GLT_EXIT_UNAVAILABLE : GLT_EXIT_OK;

	while (rc == GLT_EXIT_OK && next_step(&rest, &s))
		rc = enter(r, &dir, &s);
	if (rc == GLT_EXIT_OK && !r->folders_only)
		rc = fill_repository(r, dir);
	if (rc != GLT_EXIT_OK)
		take_away(r, r->root, r->path, (struct step){.number = 0});
	return rc;
}

static int unmake(const struct glt_newrepo *r)
{
	take_away(r, r->root, r->path, (struct step){.number = 0});
	return GLT_EXIT_OK;
}

static int as_account(const struct glt_newrepo *r, int (*fn)(const struct glt_newrepo *))
{
	const struct glt_account *a = &r->account;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (setgroups(1, &a->gid) != 0 || setresgid(a->gid, a->gid, a->gid) != 0 ||
		    setresuid(a->uid, a->uid, a->uid) != 0 || setuid(0) == 0) {
			glt_cli_warn(r->cli, "cannot become %s: %s", a->name, strerror(errno));
			_exit(GLT_EXIT_UNAVAILABLE);
		}
		(void)umask(r->cli->conf.umask_bits);
		_exit(fn(r));
	}
	if (pid < 0) {
		glt_cli_warn(r->cli, "cannot start a process: %s", strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	return glt_child_status(pid);
}

/* ---- what only root may do ---- */

/* The account cannot write in repo_root, so it cannot exchange what is made there before it is handed over. */
static int make_first(const struct glt_newrepo *r)
{
	struct step s = {.number = 0};
	const char *rest = r->path;
	int fd = -1, rc = GLT_EXIT_UNAVAILABLE;

	(void)next_step(&rest, &s);
	if (mkdirat(r->root, s.name, 0700) == 0 && (fd = open_folder(r->root, s.name)) >= 0 &&
	    fchown(fd, r->account.uid, r->account.gid) == 0 && fchmod(fd, 0777 & ~r->cli->conf.umask_bits) == 0)
		rc = GLT_EXIT_OK;
	else
		glt_cli_warn(r->cli, "cannot make %s below %s: %s", s.name, r->cli->conf.repo_root,
			     strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	if (rc == GLT_EXIT_OK)
		*r->made = (struct glt_newrepo_made){.from = 1, .by_root = true, .repo = s.last};
	return rc;
}

static void unmake_first(const struct glt_newrepo *r)
{
	struct step s = {.number = 0};
	const char *rest = r->path;

	if (r->made->by_root && next_step(&rest, &s))
		(void)unlinkat(r->root, s.name, AT_REMOVEDIR);
}

int glt_newrepo_make(struct glt_newrepo *r)
{
	int rc = as_account(r, make);

	if (rc == NEEDS_ROOT) {
		rc = make_first(r);
		if (rc == GLT_EXIT_OK)
			rc = as_account(r, make);
	}
	if (rc != GLT_EXIT_OK)
		unmake_first(r);
	return rc == GLT_EXIT_OK || rc == GLT_EXIT_DENIED ? rc : GLT_EXIT_UNAVAILABLE;
}

void glt_newrepo_unmake(struct glt_newrepo *r)
{
	(void)as_account(r, unmake);
	unmake_first(r);
}
