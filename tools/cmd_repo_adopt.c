/* SPDX-License-Identifier: MIT */
/* Root looks at the files and mends them; then, as uid gltoken, the repositories are entered into the store. */
#include "cmds.h"

#include "event.h"
#include "people.h"
#include "project.h"
#include "protect.h"
#include "records.h"
#include "repocheck.h"
#include "repofiles.h"
#include "reposcan.h"
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken repo adopt [PATH] [--fix] [--protect REF]... [--json|--csv|--raw]\n"
	"\n"
	"Take over repositories that were put below repo_root: all, or PATH, or those below it.\n"
	"Says what is to be mended; --fix does it: owner and group of every file, modes as [git]\n"
	"umask makes them, setgid and core.sharedRepository where several accounts write, core.bare;\n"
	"and enters them into the store.\n"
	"\n"
	"      --fix                mend it; without, nothing is changed\n"
	"      --protect REF        let only maintainers push it; HEAD is the default branch\n" GLT_HELP_LIST
		GLT_HELP_HELP;

enum { OPT_FIX = GLT_OPT_OWN, OPT_PROTECT };

static const struct option options[] = {
	{"fix", no_argument, NULL, OPT_FIX},
	{"protect", required_argument, NULL, OPT_PROTECT},
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

struct adopting {
	const char *below; /* or NULL */
	struct glt_list refs;
	bool fix;
	struct glt_repocheck *v;
	size_t n, entered;
};

/* ---- in the store ---- */

static enum glt_status enter(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			     struct adopting *a, struct glt_repocheck *r, struct glt_err *err)
{
	Glt__Namespace *old = NULL, fresh = GLT__NAMESPACE__INIT;
	enum glt_status st = glt_project_settled(txn, r->path, err);

	if (st == GLT_OK)
		st = glt_namespace_load(txn, r->path, &old, err);
	if (st == GLT_NOT_FOUND || (st == GLT_OK && strcmp(old->default_branch, r->branch) != 0)) {
		fresh.id = old ? old->id : glt_next(txn, GLT_NEXT_ACCOUNT);
		fresh.path = r->path;
		fresh.default_branch = r->branch;
		glt_namespace_store(c, &fresh);
		glt_event_object(c, cli->actor, "repo.adopt", r->path, NULL, r->branch, NULL);
		a->entered++;
		st = GLT_OK;
	}
	glt_namespace_free(old);
	for (size_t i = 0; st == GLT_OK && i < a->refs.n; i++) {
		const char *ref = strcmp(a->refs.v[i], "HEAD") == 0 ? r->branch : a->refs.v[i];

		if (ref[0])
			st = glt_protect_default(cli, txn, c, r->path, ref, err);
	}
	return st;
}

static int enter_all(struct glt_cli *cli, struct adopting *a)
{
	struct glt_change *c;
	struct glt_txn *txn;
	struct glt_err err;
	enum glt_status st = GLT_OK;
	int rc = glt_cli_open(cli, true);

	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &txn, &c);
	if (rc != GLT_EXIT_OK)
		return rc;
	for (size_t i = 0; st == GLT_OK && i < a->n; i++)
		if (a->v[i].count[GLT_FAULT_SERVED] == 0)
			st = enter(cli, txn, c, a, &a->v[i], &err);
	return glt_write_end(cli, txn, c, st, &err);
}

/* ---- on disk ---- */

static void look(const struct glt_cli *cli, struct adopting *a, const struct glt_reposcan *scan,
		 const struct glt_account *account)
{
	a->v = glt_cli_alloc(NULL, scan->n + 1, sizeof(*a->v));
	for (size_t i = 0; i < scan->n; i++) {
		struct glt_repocheck *r = &a->v[a->n];

		if (a->below && !glt_path_covers(a->below, scan->v[i].path))
			continue;
		memset(r, 0, sizeof(*r));
		r->cli = cli;
		r->account = *account;
		r->mend = a->fix;
		strcpy(r->path, scan->v[i].path);
		glt_repocheck_run(r);
		a->n++;
	}
}

static int report(const struct glt_cli *cli, const struct adopting *a)
{
	struct glt_out *out = glt_repocheck_out(cli);
	size_t mendable = 0, bad = 0;

	for (size_t i = 0; i < a->n; i++) {
		const size_t all = glt_faults(&a->v[i], false), some = glt_faults(&a->v[i], true);

		mendable += some > 0;
		bad += all > some;
		glt_repocheck_row(out, &a->v[i]);
	}
	if (!glt_out_print(out))
		return GLT_EXIT_UNAVAILABLE;
	if (a->fix)
		glt_cli_say(
			"Adopted %zu repositories, %zu of them new or changed in the store; %zu have problems left.",
			a->n, a->entered, bad + mendable);
	else
		glt_cli_say("%zu repositories: %zu to be mended, %zu with problems that --fix cannot mend. Nothing "
			    "was changed; --fix mends them and enters them into the store.",
			    a->n, mendable, bad);
	return bad || (a->fix && mendable) ? GLT_EXIT_DENIED : GLT_EXIT_OK;
}

static int adopt(struct glt_cli *cli, struct adopting *a)
{
	struct glt_account account;
	struct glt_reposcan scan;
	int rc = glt_cli_config(cli);

	if (rc == GLT_EXIT_OK)
		rc = glt_repo_account(cli, &account);
	if (rc == GLT_EXIT_OK)
		rc = glt_reposcan(cli, &scan);
	if (rc != GLT_EXIT_OK)
		return rc;
	look(cli, a, &scan, &account);
	free(scan.v);
	if (a->n == 0) {
		glt_cli_warn(cli, "no repository %s%s", a->below ? a->below : "below ",
			     a->below ? " or below it" : cli->conf.repo_root);
		return GLT_EXIT_DENIED;
	}
	if (a->fix)
		rc = enter_all(cli, a);
	glt_cli_close(cli);
	return rc == GLT_EXIT_OK ? report(cli, a) : rc;
}

int glt_cmd_repo_adopt(struct glt_cli *cli, int argc, char **argv)
{
	struct adopting a = {.below = NULL};
	char path[GLT_PATH_MAX + 1], glob[GLT_NAME_MAX + 1];
	struct glt_err err;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		if (c == OPT_FIX)
			a.fix = true;
		else
			glt_list_split(cli, &a.refs, "--protect", optarg);
	}
	for (size_t i = 0; i < a.refs.n; i++)
		glt_cli_require(cli, glt_protect_glob(a.refs.v[i], glob, &err), &err);
	a.below = glt_target_optional(cli, argc, argv, path);
	if (!glt_cli_is_root(cli, "take over repositories"))
		return GLT_EXIT_UNAVAILABLE;
	rc = adopt(cli, &a);
	glt_list_free(&a.refs);
	free(a.v);
	return rc;
}
