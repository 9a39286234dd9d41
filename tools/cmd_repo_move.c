/* SPDX-License-Identifier: MIT */
/* Root renames, uid gltoken changes the store, in processes of their own; project.h says in which order and why. */
#include "cmds.h"

#include "child.h"
#include "newrepo.h"
#include "project.h"
#include "records.h"
#include "repo.h"
#include "repofiles.h"
#include "table.h"
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken repo move OLD NEW [--json]\n"
	"\n"
	"Give the repository OLD the path NEW. Its tokens, memberships, protections and deploy keys\n"
	"go with it; what it has from the groups above is from then on what NEW's groups give.\n"
	"Where a move was interrupted, the same command again ends it.\n"
	"\n" GLT_HELP_JSON GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct shared { /* what the children tell */
	struct glt_newrepo_made made;
	struct glt_project_counts counts;
	bool resumed;
};

struct move {
	char from[GLT_PATH_MAX + 1], to[GLT_PATH_MAX + 1];
	char from_folder[GLT_PATH_MAX + 8], to_folder[GLT_PATH_MAX + 8];
	bool renamed; /* by an earlier run */
	int root;
	enum glt_status (*step)(struct move *m, const struct glt_cli *cli, struct glt_txn *txn,
				struct glt_change *c, struct glt_err *err);
	struct shared *shared;
};

/* ---- in the store, as uid gltoken ---- */

static enum glt_status begin(struct move *m, const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			     struct glt_err *err)
{
	return glt_project_move_begin(txn, c, m->from, m->to, m->renamed, &m->shared->resumed, cli->actor, err);
}

static enum glt_status end(struct move *m, const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			   struct glt_err *err)
{
	return glt_project_move(txn, c, m->from, m->to, cli->actor, &m->shared->counts, err);
}

static enum glt_status undo(struct move *m, const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			    struct glt_err *err)
{
	return glt_project_move_undo(txn, c, m->from, m->to, cli->actor, err);
}

static int change(struct glt_cli *cli, void *arg)
{
	struct move *m = arg;
	struct glt_change *c;
	struct glt_txn *txn;
	struct glt_err err;
	int rc = glt_cli_open(cli, true);

	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &txn, &c);
	return rc == GLT_EXIT_OK ? glt_write_end(cli, txn, c, m->step(m, cli, txn, c, &err), &err) : rc;
}

static int in_store(struct glt_cli *cli, struct move *m,
		    enum glt_status (*step)(struct move *, const struct glt_cli *, struct glt_txn *,
					    struct glt_change *, struct glt_err *))
{
	pid_t pid;

	m->step = step;
	pid = glt_child_start(cli, change, m);
	return pid < 0 ? GLT_EXIT_UNAVAILABLE : glt_child_wait(cli, pid, GLT_EXIT_UNAVAILABLE);
}

/* ---- on disk ---- */

/* The folder's name relative to the root. */
static enum glt_repo_status look(const struct glt_cli *cli, const char *real, const char *project, char *folder,
				 size_t size)
{
	struct glt_repo repo;
	enum glt_repo_status st = glt_repo_open(cli->conf.repo_root, project, &repo);

	if (st != GLT_REPO_OK)
		return st;
	(void)close(repo.fd);
	(void)snprintf(folder, size, "%s", repo.directory + strlen(real) + (strcmp(real, "/") != 0));
	return st;
}

static int find(const struct glt_cli *cli, struct move *m, const char *real)
{
	enum glt_repo_status from = look(cli, real, m->from, m->from_folder, sizeof(m->from_folder));
	enum glt_repo_status to = look(cli, real, m->to, m->to_folder, sizeof(m->to_folder));

	m->renamed = from == GLT_REPO_ABSENT && to == GLT_REPO_OK;
	if (from == GLT_REPO_OK || m->renamed) {
		if (!m->renamed)
			(void)snprintf(m->to_folder, sizeof(m->to_folder), "%s.git", m->to);
		return GLT_EXIT_OK;
	}
	if (glt_target_is_group(cli, m->from))
		glt_cli_warn(cli, "%s is a group: move each of its repositories, as %s/PROJECT to %s/PROJECT",
			     m->from, m->from, m->to);
	else
		glt_cli_warn(cli, "%s: %s", m->from, glt_repo_text(from));
	return GLT_EXIT_DENIED;
}

/* The groups of NEW are made by the account, whose they are; see newrepo.h. */
static int rename_folder(struct glt_cli *cli, struct move *m, const struct glt_account *account)
{
	struct glt_newrepo r = {
		.cli = cli, .account = *account, .folders_only = true, .root = m->root, .made = &m->shared->made};
	int rc;

	(void)snprintf(r.path, sizeof(r.path), "%s", m->to);
	rc = glt_newrepo_make(&r);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (glt_repo_rename(m->root, m->from_folder, m->to_folder))
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "cannot rename %s to %s: %s", m->from_folder, m->to_folder, strerror(errno));
	glt_newrepo_unmake(&r);
	return GLT_EXIT_UNAVAILABLE;
}

static void note_borrowed(const struct glt_cli *cli, const struct move *m)
{
	struct glt_repo repo;

	if (glt_repo_open(cli->conf.repo_root, m->to, &repo) != GLT_REPO_OK)
		return;
	if (faccessat(repo.fd, "objects/info/alternates", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		glt_cli_warn(cli, "note: %s borrows objects from another repository: run gltoken repo check %s",
			     m->to, m->to);
	(void)close(repo.fd);
}

static bool print(const struct move *m)
{
	json_t *o = glt_project_json(&m->shared->counts);

	(void)json_object_set_new(o, "path", json_string(m->to));
	(void)json_object_set_new(o, "before", json_string(m->from));
	return glt_json_print(o);
}

static int move(struct glt_cli *cli, struct move *m, const struct glt_account *account)
{
	const struct glt_project_counts *n = &m->shared->counts;
	int rc = in_store(cli, m, begin);

	if (rc == GLT_EXIT_OK && !m->renamed) {
		rc = rename_folder(cli, m, account);
		if (rc != GLT_EXIT_OK)
			(void)in_store(cli, m, undo);
	}
	if (rc != GLT_EXIT_OK)
		return rc;
	rc = in_store(cli, m, end);
	if (rc != GLT_EXIT_OK) {
		if (!m->renamed && glt_repo_rename(m->root, m->to_folder, m->from_folder) &&
		    in_store(cli, m, undo) == GLT_EXIT_OK)
			return rc;
		glt_cli_warn(cli, "the move did not end: run gltoken repo move %s %s again", m->from, m->to);
		return rc;
	}
	glt_cli_say("Moved %s to %s, with %zu tokens, %zu memberships, %zu protections and %zu deploy keys.",
		    m->from, m->to, n->tokens, n->members, n->protections, n->keys);
	note_borrowed(cli, m);
	return cli->format != GLT_FORMAT_JSON || print(m) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
}

static int prepare(struct glt_cli *cli, struct move *m)
{
	struct glt_account account;
	char real[PATH_MAX];
	int rc = glt_cli_config(cli);

	if (rc == GLT_EXIT_OK)
		rc = glt_repo_account(cli, &account);
	if (rc == GLT_EXIT_OK)
		rc = glt_repo_root_open(cli, real, &m->root);
	if (rc != GLT_EXIT_OK)
		return rc;
	m->shared = mmap(NULL, sizeof(*m->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m->shared == MAP_FAILED) {
		glt_cli_warn(cli, "out of memory");
		rc = GLT_EXIT_UNAVAILABLE;
	}
	if (rc == GLT_EXIT_OK)
		rc = find(cli, m, real);
	if (rc == GLT_EXIT_OK)
		rc = move(cli, m, &account);
	(void)close(m->root);
	return rc;
}

int glt_cmd_repo_move(struct glt_cli *cli, int argc, char **argv)
{
	struct move m = {.renamed = false};

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 2, 2, "OLD NEW");
	glt_target_path(cli, argv[optind], m.from);
	glt_target_path(cli, argv[optind + 1], m.to);
	if (glt_path_covers(m.from, m.to) || glt_path_covers(m.to, m.from))
		glt_cli_usage(cli, "%s and %s: neither may be in the other, nor the same", m.from, m.to);
	if (!glt_cli_is_root(cli, "move repositories"))
		return GLT_EXIT_UNAVAILABLE;
	return prepare(cli, &m);
}
