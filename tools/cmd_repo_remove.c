/* SPDX-License-Identifier: MIT */
/* Root puts the files aside, uid gltoken changes the store; project.h says in which order and why. */
#include "cmds.h"

#include "child.h"
#include "project.h"
#include "records.h"
#include "repo.h"
#include "repofiles.h"
#include "table.h"
#include "target.h"
#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken repo remove PATH [--yes] [--delete] [--dry-run] [--json]\n"
	"\n"
	"Remove a repository. Its tokens are revoked; its memberships, protections and deploy keys go,\n"
	"so that a new repository of that name inherits nothing. Its files are put aside in .removed\n"
	"below repo_root, where nobody is served from. Asks, unless told not to.\n"
	"\n"
	"      --yes                do not ask\n"
	"      --delete             delete the files, for good\n"
	"      --dry-run            say what would be removed, change nothing\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_YES = GLT_OPT_OWN, OPT_DELETE, OPT_DRY_RUN };

static const struct option options[] = {
	{"yes", no_argument, NULL, OPT_YES},
	{"delete", no_argument, NULL, OPT_DELETE},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

enum step { LOOK, BEGIN, END };

struct removal {
	char path[GLT_PATH_MAX + 1], folder[GLT_PATH_MAX + 8]; /* folder: empty where there are no files */
	char aside[2 * PATH_MAX];                              /* where they are now */
	bool yes, erase, dry_run;
	int root;
	enum step step;
	struct glt_project_counts *counts; /* shared with the children */
};

/* ---- in the store, as uid gltoken ---- */

static enum glt_status change(struct removal *r, const struct glt_cli *cli, struct glt_txn *txn,
			      struct glt_change *c, struct glt_err *err)
{
	if (r->step == BEGIN)
		return glt_project_remove_begin(txn, c, r->path, cli->actor, err);
	return glt_project_remove(txn, c, r->path, cli->actor, cli->now, r->counts, err);
}

static int look(struct glt_cli *cli, const struct removal *r)
{
	struct glt_txn *txn;
	struct glt_err err;
	enum glt_status st = glt_txn_begin(cli->store, false, &txn, &err);

	if (st == GLT_OK) {
		st = glt_project_count(txn, r->path, r->counts, &err);
		glt_txn_end(txn);
	}
	return st == GLT_OK ? GLT_EXIT_OK : glt_cli_fail(cli, &err);
}

static int run(struct glt_cli *cli, void *arg)
{
	struct removal *r = arg;
	struct glt_change *c;
	struct glt_txn *txn;
	struct glt_err err;
	int rc = glt_cli_open(cli, r->step != LOOK);

	if (rc == GLT_EXIT_OK && r->step == LOOK)
		return look(cli, r);
	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &txn, &c);
	return rc == GLT_EXIT_OK ? glt_write_end(cli, txn, c, change(r, cli, txn, c, &err), &err) : rc;
}

static int in_store(struct glt_cli *cli, struct removal *r, enum step step)
{
	pid_t pid;

	r->step = step;
	pid = glt_child_start(cli, run, r);
	return pid < 0 ? GLT_EXIT_UNAVAILABLE : glt_child_wait(cli, pid, GLT_EXIT_UNAVAILABLE);
}

/* ---- on disk ---- */

/* Also one that is broken: it is to go. */
static int find(const struct glt_cli *cli, struct removal *r)
{
	struct glt_repo repo;
	enum glt_repo_status st = glt_repo_open(cli->conf.repo_root, r->path, &repo);

	if (st == GLT_REPO_OK)
		(void)close(repo.fd);
	switch (st) {
	case GLT_REPO_OK:
	case GLT_REPO_NOT_BARE:
	case GLT_REPO_NOT_A_REPO:
		(void)snprintf(r->folder, sizeof(r->folder), "%s.git", r->path);
		if (faccessat(r->root, r->folder, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return GLT_EXIT_OK;
		(void)snprintf(r->folder, sizeof(r->folder), "%s", r->path);
		if (st != GLT_REPO_NOT_A_REPO)
			return GLT_EXIT_OK;
		glt_cli_warn(cli, "%s is no repository, but perhaps a group", r->path);
		return GLT_EXIT_DENIED;
	case GLT_REPO_ABSENT:
		return GLT_EXIT_OK; /* what the store has of it can go all the same */
	default:
		glt_cli_warn(cli, "%s: %s", r->path, glt_repo_text(st));
		return GLT_EXIT_DENIED;
	}
}

static int take_files(const struct glt_cli *cli, struct removal *r)
{
	char aside[PATH_MAX];

	if (!r->folder[0])
		return GLT_EXIT_OK;
	if (!glt_repo_set_aside(r->root, r->folder, cli->now, aside)) {
		glt_cli_warn(cli, "cannot put %s/%s aside in %s/.removed, which must be root's alone: %s",
			     cli->conf.repo_root, r->folder, cli->conf.repo_root, strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	if (!r->erase)
		(void)snprintf(r->aside, sizeof(r->aside), "%s/%s", cli->conf.repo_root, aside);
	if (!r->erase)
		glt_cli_say("Its files are in %s/%s now.", cli->conf.repo_root, aside);
	else if (!glt_repo_delete(r->root, aside))
		glt_cli_warn(cli, "not all files could be deleted: the rest is in %s/%s", cli->conf.repo_root,
			     aside);
	return GLT_EXIT_OK;
}

/* Of a dry run, what would be. */
static int done(const struct glt_cli *cli, const struct removal *r)
{
	json_t *o;

	if (cli->format != GLT_FORMAT_JSON)
		return GLT_EXIT_OK;
	o = glt_project_json(r->counts);
	(void)json_object_set_new(o, "path", json_string(r->path));
	(void)json_object_set_new(o, "files", glt_json_text(r->aside));
	(void)json_object_set_new(o, "removed", json_boolean(!r->dry_run));
	return glt_json_print(o) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
}

static int remove_all(struct glt_cli *cli, struct removal *r)
{
	const struct glt_project_counts *n = r->counts;
	int rc = in_store(cli, r, LOOK);

	if (rc != GLT_EXIT_OK)
		return rc;
	if (!r->folder[0] && !n->known && n->live + n->members + n->protections + n->keys == 0) {
		glt_cli_warn(cli, "no repository %s, and nothing of it in the store", r->path);
		return GLT_EXIT_DENIED;
	}
	glt_cli_say("%s: %s, %zu live tokens, %zu memberships, %zu protections, %zu deploy keys.", r->path,
		    r->folder[0] ? r->folder : "no files", n->live, n->members, n->protections, n->keys);
	if (r->dry_run)
		return done(cli, r);
	if (!r->yes && !glt_agreed("Remove %s%s?", r->path, r->erase ? " and delete its files for good" : "")) {
		glt_cli_warn(cli, "nothing was removed");
		return GLT_EXIT_DENIED;
	}
	rc = in_store(cli, r, BEGIN);
	if (rc == GLT_EXIT_OK)
		rc = take_files(cli, r);
	if (rc == GLT_EXIT_OK)
		rc = in_store(cli, r, END);
	if (rc == GLT_EXIT_OK)
		glt_cli_say("Removed %s.", r->path);
	else
		glt_cli_warn(cli, "the removal did not end: run gltoken repo remove %s again", r->path);
	return rc == GLT_EXIT_OK ? done(cli, r) : rc;
}

static int prepare(struct glt_cli *cli, struct removal *r)
{
	char real[PATH_MAX];
	int rc = glt_cli_config(cli);

	if (rc == GLT_EXIT_OK)
		rc = glt_repo_root_open(cli, real, &r->root);
	if (rc != GLT_EXIT_OK)
		return rc;
	r->counts = mmap(NULL, sizeof(*r->counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->counts == MAP_FAILED) {
		glt_cli_warn(cli, "out of memory");
		rc = GLT_EXIT_UNAVAILABLE;
	}
	if (rc == GLT_EXIT_OK)
		rc = find(cli, r);
	if (rc == GLT_EXIT_OK)
		rc = remove_all(cli, r);
	(void)close(r->root);
	return rc;
}

int glt_cmd_repo_remove(struct glt_cli *cli, int argc, char **argv)
{
	struct removal r = {.yes = false};
	int c;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		r.yes |= c == OPT_YES;
		r.erase |= c == OPT_DELETE;
		r.dry_run |= c == OPT_DRY_RUN;
	}
	glt_cli_operands(cli, argc, argv, 1, 1, "one PATH");
	glt_target_path(cli, argv[optind], r.path);
	if (!glt_cli_is_root(cli, "remove repositories"))
		return GLT_EXIT_UNAVAILABLE;
	if (!r.yes && !r.dry_run && !isatty(STDIN_FILENO))
		glt_cli_usage(cli, "standard input is no terminal to ask at: --yes or --dry-run is needed");
	return prepare(cli, &r);
}
