/* SPDX-License-Identifier: MIT */
/* Root and the repositories' account make the repository, uid gltoken enters it into the store; three processes,
 * so that none that has the store open can do anything else. */
#include "cmds.h"

#include "event.h"
#include "newrepo.h"
#include "people.h"
#include "project.h"
#include "protect.h"
#include "records.h"
#include "repofiles.h"
#include "table.h"
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken repo create PATH [--default-branch NAME] [--no-protect] [--json]\n"
	"\n"
	"Make the bare repository PATH.git below repo_root, for the first of shared_accounts, and\n"
	"its groups. Refused where PATH or PATH.git is there already.\n"
	"\n"
	"Only maintainers push to its default branch, and nobody forces or deletes it, as in GitLab;\n"
	"'gltoken protect' changes that.\n"
	"\n"
	"      --default-branch NAME  main unless given\n"
	"      --no-protect         let developers push to it, too\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_BRANCH = GLT_OPT_OWN, OPT_NO_PROTECT };

static const struct option options[] = {
	{"default-branch", required_argument, NULL, OPT_BRANCH},
	{"initial-branch", required_argument, NULL, OPT_BRANCH},
	{"no-protect", no_argument, NULL, OPT_NO_PROTECT},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

/* ---- in the store ---- */

static enum glt_status put(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			   const struct glt_newrepo *r, struct glt_err *err)
{
	char *path = glt_cli_strdup(r->path), *branch = glt_cli_strdup(r->branch);
	Glt__Namespace *old = NULL, fresh = GLT__NAMESPACE__INIT;
	enum glt_status st = glt_project_settled(txn, r->path, err);

	if (st == GLT_OK)
		st = glt_namespace_load(txn, r->path, &old, err);
	if (st == GLT_NOT_FOUND)
		st = GLT_OK;
	if (st == GLT_OK) {
		fresh.id = r->made->id = old ? old->id : glt_next(txn, GLT_NEXT_ACCOUNT);
		fresh.path = path;
		fresh.default_branch = branch;
		glt_namespace_store(c, &fresh);
		glt_event_object(c, cli->actor, "repo.create", r->path, NULL, r->branch, NULL);
	}
	if (st == GLT_OK && r->protect)
		st = glt_protect_default(cli, txn, c, r->path, r->branch, err);
	glt_namespace_free(old);
	free(path);
	free(branch);
	return st;
}

static int enter(struct glt_cli *cli, const struct glt_newrepo *r)
{
	struct glt_change *c;
	struct glt_err err;
	struct glt_txn *txn;
	int rc = glt_cli_open(cli, true);

	if (rc == GLT_EXIT_OK && r)
		rc = glt_write_begin(cli, &txn, &c);
	if (rc == GLT_EXIT_OK && r)
		rc = glt_write_end(cli, txn, c, put(cli, txn, c, r, &err), &err);
	glt_cli_close(cli);
	return rc;
}

/* r NULL: only see whether the store can be used at all. */
static int enter_in_child(struct glt_cli *cli, const struct glt_newrepo *r)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(enter(cli, r));
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			pid = -1;
	if (pid > 0 && WIFEXITED(status))
		return WEXITSTATUS(status);
	glt_cli_warn(cli, "the process for the store failed");
	return GLT_EXIT_UNAVAILABLE;
}

/* ---- on disk ---- */

static int open_root(const struct glt_cli *cli, const struct glt_account *owner, int *fd)
{
	const char *root = cli->conf.repo_root;

	if (mkdir(root, 0700) == 0) {
		if (chown(root, owner->uid, owner->gid) != 0 || chmod(root, 0777 & ~cli->conf.umask_bits) != 0) {
			glt_cli_warn(cli, "cannot give %s to %s: %s", root, owner->name, strerror(errno));
			(void)rmdir(root);
			return GLT_EXIT_UNAVAILABLE;
		}
		glt_cli_say("Made %s for account %s.", root, owner->name);
	}
	*fd = open(root, O_RDONLY | O_DIRECTORY |
				 O_CLOEXEC); /* the root itself may be a link: it is the administrator's */
	if (*fd >= 0)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "cannot open repo_root %s: %s", root, strerror(errno));
	return GLT_EXIT_UNAVAILABLE;
}

static bool print(const struct glt_cli *cli, const struct glt_newrepo *r)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "id", glt_json_number(r->made->id));
	(void)json_object_set_new(o, "path", json_string(r->path));
	(void)json_object_set_new(o, "default_branch", json_string(r->branch));
	(void)json_object_set_new(o, "protected", json_boolean(r->protect));
	(void)json_object_set_new(o, "directory", json_sprintf("%s/%s.git", cli->conf.repo_root, r->path));
	return glt_json_print(o);
}

static int create(struct glt_cli *cli, struct glt_newrepo *r)
{
	int rc = enter_in_child(cli, NULL);

	if (rc != GLT_EXIT_OK)
		return rc;
	r->made = mmap(NULL, sizeof(*r->made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->made == MAP_FAILED) {
		glt_cli_warn(cli, "out of memory");
		return GLT_EXIT_UNAVAILABLE;
	}
	rc = open_root(cli, &r->account, &r->root);
	if (rc != GLT_EXIT_OK)
		return rc;
	rc = glt_newrepo_make(r);
	if (rc == GLT_EXIT_OK) {
		rc = enter_in_child(cli, r);
		if (rc != GLT_EXIT_OK)
			glt_newrepo_unmake(r);
	}
	(void)close(r->root);
	if (rc == GLT_EXIT_OK)
		glt_cli_say("Made repository %s/%s.git for account %s.", cli->conf.repo_root, r->path,
			    r->account.name);
	if (rc == GLT_EXIT_OK && cli->format == GLT_FORMAT_JSON && !print(cli, r))
		rc = GLT_EXIT_UNAVAILABLE;
	return rc;
}

static void check_branch(const struct glt_cli *cli, const char *branch)
{
	struct glt_err err;

	if (glt_path_check(branch, &err) != GLT_OK)
		glt_cli_usage(cli, "--default-branch '%.64s': must be letters, digits and ._- in parts joined by /",
			      branch);
}

int glt_cmd_repo_create(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_newrepo r = {.cli = cli};
	int c, rc;

	r.protect = true;
	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		if (c == OPT_NO_PROTECT)
			r.protect = false;
		else
			glt_cli_once(cli, &r.branch, "--default-branch");
	}
	glt_cli_operands(cli, argc, argv, 1, 1, "one PATH");
	glt_target_path(cli, argv[optind], r.path);
	if (!r.branch)
		r.branch = "main";
	check_branch(cli, r.branch);
	if (!glt_cli_is_root(cli, "make repositories"))
		return GLT_EXIT_UNAVAILABLE;
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK)
		rc = glt_repo_account(cli, &r.account);
	return rc == GLT_EXIT_OK ? create(cli, &r) : rc;
}
