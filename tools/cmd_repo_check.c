/* SPDX-License-Identifier: MIT */
/* Root looks at the files; then, as uid gltoken, what the store has is compared with what was found. */
#include "cmds.h"

#include "people.h"
#include "project.h"
#include "repocheck.h"
#include "repofiles.h"
#include "reposcan.h"
#include "target.h"
#include "tokens.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken repo check [PATH] [--json|--csv|--raw]\n"
	"\n"
	"Look for what is wrong with all repositories, or with PATH or those below it: what is not\n"
	"served, owner, group and modes of every file, configuration, borrowed objects, and what the\n"
	"store has of repositories that are not there. Status 1 if there is something. What is\n"
	"mendable, 'gltoken repo adopt --fix' mends.\n"
	"\n" GLT_HELP_LIST GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

struct checking {
	const char *below; /* or NULL */
	struct glt_reposcan scan;
	struct glt_repocheck *v;
	size_t n, room;
	struct glt_txn *txn;
};

static struct glt_repocheck *new_check(struct checking *w, const struct glt_cli *cli, const char *path)
{
	struct glt_repocheck *r;

	if (w->n == w->room) {
		w->room = w->room ? w->room * 2 : 64;
		w->v = glt_cli_alloc(w->v, w->room, sizeof(*w->v));
	}
	r = &w->v[w->n++];
	memset(r, 0, sizeof(*r));
	r->cli = cli;
	strcpy(r->path, path);
	return r;
}

static void look_at_files(const struct glt_cli *cli, struct checking *w, const struct glt_account *account)
{
	for (size_t i = 0; i < w->scan.n; i++) {
		struct glt_repocheck *r;

		if (w->below && !glt_path_covers(w->below, w->scan.v[i].path))
			continue;
		r = new_check(w, cli, w->scan.v[i].path);
		r->account = *account;
		glt_repocheck_run(r);
	}
}

/* ---- the store ---- */

/* A project, or a group with one. */
static bool is_there(const struct checking *w, const char *path)
{
	for (size_t i = 0; i < w->scan.n; i++)
		if (glt_path_covers(path, w->scan.v[i].path))
			return true;
	return false;
}

struct walk {
	struct checking *w;
	const struct glt_cli *cli;
};

static struct glt_repocheck *check_of(struct walk *k, const char *path)
{
	for (size_t i = 0; i < k->w->n; i++)
		if (strcmp(k->w->v[i].path, path) == 0)
			return &k->w->v[i];
	return new_check(k->w, k->cli, path);
}

static void missing(struct walk *k, const char *path, const char *what)
{
	if (path[0] && !is_there(k->w, path) && (!k->w->below || glt_path_covers(k->w->below, path)))
		glt_fault_add(check_of(k, path), GLT_FAULT_RECORDS, what);
}

static bool visit_token(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct walk *k = arg;
	Glt__Token *t;

	(void)key;
	if (glt_token_load(k->w->txn, glt_get_u64(value.data), &t, NULL) == GLT_OK &&
	    t->state == GLT__STATE__LIVE && !(t->expires_at && t->expires_at <= k->cli->now))
		missing(k, t->path, "a live token");
	glt_token_free(t);
	return true;
}

static bool visit_member(void *arg, struct glt_slice key, struct glt_slice value)
{
	Glt__Member *m = glt__member__unpack(NULL, value.len, value.data);

	(void)key;
	if (m)
		missing(arg, m->path, "a membership");
	glt_member_free(m);
	return true;
}

static bool visit_protection(void *arg, struct glt_slice key, struct glt_slice value)
{
	Glt__Protection *p = glt__protection__unpack(NULL, value.len, value.data);

	(void)key;
	if (p)
		missing(arg, p->path, "a protection");
	glt_protection_free(p);
	return true;
}

static bool visit_namespace(void *arg, struct glt_slice key, struct glt_slice value)
{
	Glt__Namespace *n = glt__namespace__unpack(NULL, value.len, value.data);
	struct walk *k = arg;
	struct glt_err err;

	(void)key;
	if (n && (n->moving_to[0] || n->removing) && (!k->w->below || glt_path_covers(k->w->below, n->path))) {
		(void)glt_project_settled(k->w->txn, n->path, &err);
		glt_fault_add(check_of(k, n->path), GLT_FAULT_UNFINISHED, err.text);
	}
	glt_namespace_free(n);
	return true;
}

static int compare(struct glt_cli *cli, struct checking *w)
{
	const struct glt_slice all = {NULL, 0};
	struct walk k = {w, cli};
	struct glt_err err;
	enum glt_status st = glt_txn_begin(cli->store, false, &w->txn, &err);

	if (st != GLT_OK)
		return glt_cli_fail(cli, &err);
	st = glt_walk(w->txn, GLT_BY_PATH, all, all, visit_token, &k, &err);
	if (st == GLT_OK)
		st = glt_walk(w->txn, GLT_MEMBERS, all, all, visit_member, &k, &err);
	if (st == GLT_OK)
		st = glt_walk(w->txn, GLT_PROTECTIONS, all, all, visit_protection, &k, &err);
	if (st == GLT_OK)
		st = glt_walk(w->txn, GLT_NAMESPACES, all, all, visit_namespace, &k, &err);
	glt_txn_end(w->txn);
	return st == GLT_OK ? GLT_EXIT_OK : glt_cli_fail(cli, &err);
}

static int report(const struct glt_cli *cli, const struct checking *w)
{
	struct glt_out *out = glt_repocheck_out(cli);
	size_t bad = 0;

	for (size_t i = 0; i < w->n; i++) {
		bad += glt_faults(&w->v[i], false) > 0;
		glt_repocheck_row(out, &w->v[i]);
	}
	if (w->n == 0 && w->below) {
		(void)glt_out_print(out);
		glt_cli_warn(cli, "no repository %s or below it", w->below);
		return GLT_EXIT_DENIED;
	}
	if (!glt_out_print(out))
		return GLT_EXIT_UNAVAILABLE;
	glt_cli_say("%zu looked at, %zu with problems.", w->n, bad);
	return bad ? GLT_EXIT_DENIED : GLT_EXIT_OK;
}

int glt_cmd_repo_check(struct glt_cli *cli, int argc, char **argv)
{
	struct checking w = {.below = NULL};
	char path[GLT_PATH_MAX + 1];
	struct glt_account account;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		;
	w.below = glt_target_optional(cli, argc, argv, path);
	if (!glt_cli_is_root(cli, "look at all files"))
		return GLT_EXIT_UNAVAILABLE;
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK)
		rc = glt_repo_account(cli, &account);
	if (rc == GLT_EXIT_OK)
		rc = glt_reposcan(cli, &w.scan);
	if (rc != GLT_EXIT_OK)
		return rc;
	look_at_files(cli, &w, &account);
	rc = glt_cli_open(cli, false);
	if (rc == GLT_EXIT_OK)
		rc = compare(cli, &w);
	glt_cli_close(cli);
	if (rc == GLT_EXIT_OK)
		rc = report(cli, &w);
	free(w.scan.v);
	free(w.v);
	return rc;
}
