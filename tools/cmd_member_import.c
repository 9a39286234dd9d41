/* SPDX-License-Identifier: MIT */
/* Root reads owners, groups and modes; then, as uid gltoken, memberships are made of them. */
#include "cmds.h"

#include "account.h"
#include "people.h"
#include "principal.h"
#include "records.h"
#include "repofiles.h"
#include "reposcan.h"
#include "role.h"
#include "table.h"
#include "target.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken member import-unix [PATH] [--dry-run] [--json|--csv|--raw]\n"
	"\n"
	"Make memberships of what files below repo_root, or below PATH, let accounts and groups do: a\n"
	"folder's owner is owner, a group that may write is developer, one that may read is\n"
	"reporter. What everybody may read is listed and not granted. What is there stays.\n"
	"\n"
	"      --dry-run            say what would be made, change nothing\n" GLT_HELP_LIST GLT_HELP_HELP;

enum { OPT_DRY_RUN = GLT_OPT_OWN };

static const struct option options[] = {
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

struct proposal {
	char path[GLT_PATH_MAX + 1], principal[GLT_NAME_MAX + 1];
	int role; /* none: only listed */
	const char *why;
	bool there;
};

struct importing {
	const struct glt_cli *cli;
	const char *below; /* or NULL */
	bool dry_run;
	struct proposal *v;
	size_t n, room;
};

static void propose(struct importing *w, const char *path, const char *principal, int role, const char *why)
{
	struct proposal *p;

	if (w->n == w->room) {
		w->room = w->room ? w->room * 2 : 64;
		w->v = glt_cli_alloc(w->v, w->room, sizeof(*w->v));
	}
	p = &w->v[w->n++];
	*p = (struct proposal){.role = role, .why = why};
	(void)snprintf(p->path, sizeof(p->path), "%s", path);
	(void)snprintf(p->principal, sizeof(p->principal), "%s", principal);
}

/* ---- on disk ---- */

static bool is_ours(const struct glt_conf *conf, uid_t uid)
{
	struct passwd *pw = getpwuid(uid);

	return uid == 0 ||
	       (pw && (glt_conf_is_shared(conf, pw->pw_name) || strcmp(pw->pw_name, GLT_STORE_USER) == 0));
}

/* The group that a shared account has by itself is everybody's and nobody's. */
static bool is_our_group(const struct glt_conf *conf, gid_t gid)
{
	for (size_t i = 0; i < GLT_CONF_LIST && conf->shared_accounts[i][0]; i++) {
		struct passwd *pw = getpwnam(conf->shared_accounts[i]);

		if (pw && pw->pw_gid == gid)
			return true;
	}
	return gid == 0;
}

/* May the group, and may everybody, pass all folders from repo_root to the repository? */
static void passable(const char *directory, size_t root_len, gid_t gid, bool *group, bool *all)
{
	char folder[PATH_MAX];
	struct stat sb;

	*group = *all = true;
	for (const char *slash = strchr(directory + root_len + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - directory), directory);
		if (stat(folder, &sb) != 0)
			*group = *all = false;
		else if (sb.st_gid == gid)
			*group &= (sb.st_mode & S_IXGRP) != 0;
		else
			*group &= (sb.st_mode & S_IXOTH) != 0;
		*all &= (sb.st_mode & S_IXOTH) != 0;
	}
}

static void of_owner(struct importing *w, const char *path, uid_t uid)
{
	struct passwd *pw = getpwuid(uid);
	char number[32];

	if (is_ours(&w->cli->conf, uid))
		return;
	(void)snprintf(number, sizeof(number), "uid %lu", (unsigned long)uid);
	if (pw && glt_principal_check(pw->pw_name, NULL) == GLT_OK)
		propose(w, path, pw->pw_name, GLT_OWNER, "owns the folder");
	else
		propose(w, path, pw ? pw->pw_name : number, GLT_NO_ROLE, "owns the folder, but cannot be a member");
}

static void of_group(struct importing *w, const char *path, gid_t gid, bool reads, bool writes)
{
	const struct group *gr = getgrgid(gid);
	char name[GLT_NAME_MAX + 1];

	if (!reads || is_our_group(&w->cli->conf, gid))
		return;
	if (gr)
		(void)snprintf(name, sizeof(name), "@%.200s", gr->gr_name);
	else
		(void)snprintf(name, sizeof(name), "gid %lu", (unsigned long)gid);
	if (gr && strcmp(gr->gr_name, GLT_STORE_USER) == 0)
		return;
	if (!gr || glt_principal_check(name, NULL) != GLT_OK)
		propose(w, path, name, GLT_NO_ROLE, "its group, but cannot be a member");
	else
		propose(w, path, name, writes ? GLT_DEVELOPER : GLT_REPORTER,
			writes ? "group may write" : "group may read");
}

/* git shares what it writes by objects; the folder itself may be closed for writing. */
static void of_repository(struct importing *w, const struct glt_repo *repo, size_t root_len)
{
	struct stat top, objects;
	bool group, all;

	if (fstat(repo->fd, &top) != 0 || fstatat(repo->fd, "objects", &objects, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	passable(repo->directory, root_len, top.st_gid, &group, &all);
	of_owner(w, repo->project, top.st_uid);
	group &= (top.st_mode & 0050) == 0050;
	all &= (top.st_mode & 0005) == 0005;
	of_group(w, repo->project, top.st_gid, group,
		 group && objects.st_gid == top.st_gid && (objects.st_mode & S_IWGRP));
	if (all)
		propose(w, repo->project, "everybody", GLT_NO_ROLE,
			objects.st_mode & S_IWOTH ? "everybody may write" : "everybody may read");
}

static int look(const struct glt_cli *cli, struct importing *w)
{
	struct glt_reposcan scan;
	char real[PATH_MAX];
	size_t below = 0;
	int rc = glt_reposcan(cli, &scan);

	if (rc != GLT_EXIT_OK)
		return rc;
	if (!realpath(scan.root, real))
		scan.n = 0;
	for (size_t i = 0; i < scan.n; i++) {
		struct glt_repo repo;

		if (w->below && !glt_path_covers(w->below, scan.v[i].path))
			continue;
		below++;
		if (glt_repo_open(scan.root, scan.v[i].path, &repo) != GLT_REPO_OK)
			continue; /* repo check lists it */
		of_repository(w, &repo, strlen(real));
		(void)close(repo.fd);
	}
	free(scan.v);
	if (!w->below || below > 0)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "no repository %s or below it", w->below);
	return GLT_EXIT_DENIED;
}

/* ---- in the store ---- */

static enum glt_status put_all(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			       struct importing *w, struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	for (size_t i = 0; st == GLT_OK && i < w->n; i++) {
		struct proposal *p = &w->v[i];
		Glt__Member *old;
		bool changed;

		if (p->role == GLT_NO_ROLE)
			continue;
		st = glt_member_load(txn, p->path, p->principal, &old, err);
		p->there = st == GLT_OK;
		glt_member_free(old);
		if (st == GLT_NOT_FOUND)
			st = w->dry_run
				     ? GLT_OK
				     : glt_member_put(cli, txn, c, p->path, p->principal, p->role, &changed, err);
	}
	return st;
}

static int enter(struct glt_cli *cli, struct importing *w)
{
	struct glt_change *c;
	struct glt_txn *txn;
	struct glt_err err;
	enum glt_status st;
	int rc = glt_cli_open(cli, !w->dry_run);

	if (rc != GLT_EXIT_OK)
		return rc;
	if (!w->dry_run) {
		rc = glt_write_begin(cli, &txn, &c);
		return rc == GLT_EXIT_OK ? glt_write_end(cli, txn, c, put_all(cli, txn, c, w, &err), &err) : rc;
	}
	st = glt_txn_begin(cli->store, false, &txn, &err);
	if (st == GLT_OK) {
		st = put_all(cli, txn, NULL, w, &err);
		glt_txn_end(txn);
	}
	return st == GLT_OK ? GLT_EXIT_OK : glt_cli_fail(cli, &err);
}

static const struct glt_column columns[] = {
	{"PATH", 0}, {"PRINCIPAL", 0}, {"ROLE", 0}, {"WHY", GLT_COLUMN_SHRINK}, {"RESULT", 0},
};

static int report(const struct glt_cli *cli, const struct importing *w)
{
	struct glt_out *out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
	size_t fresh = 0, listed = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct proposal *p = &w->v[i];
		const char *result = p->role == GLT_NO_ROLE ? "not granted" : p->there ? "there" : "new";
		const char *role = p->role == GLT_NO_ROLE ? NULL : glt_role_name(p->role);

		fresh += p->role != GLT_NO_ROLE && !p->there;
		listed += p->role == GLT_NO_ROLE;
		if (glt_out_is_json(out)) {
			json_t *o = json_object();

			(void)json_object_set_new(o, "path", glt_json_text(p->path));
			(void)json_object_set_new(o, "principal", glt_json_text(p->principal));
			(void)json_object_set_new(o, "role", glt_json_text(role));
			(void)json_object_set_new(o, "access_level", glt_json_number((uint64_t)p->role));
			(void)json_object_set_new(o, "why", glt_json_text(p->why));
			(void)json_object_set_new(o, "result", glt_json_text(result));
			glt_out_json(out, o);
			continue;
		}
		glt_out_row(out, (const char *const[]){p->path, p->principal, role ? role : "-", p->why, result});
	}
	if (!glt_out_print(out))
		return GLT_EXIT_UNAVAILABLE;
	glt_cli_say("%zu memberships %s, %zu not granted.", fresh, w->dry_run ? "would be made" : "made", listed);
	return GLT_EXIT_OK;
}

int glt_cmd_member_import(struct glt_cli *cli, int argc, char **argv)
{
	struct importing w = {.cli = cli};
	char path[GLT_PATH_MAX + 1];
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		w.dry_run = true;
	w.below = glt_target_optional(cli, argc, argv, path);
	if (!glt_cli_is_root(cli, "look at all files"))
		return GLT_EXIT_UNAVAILABLE;
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK)
		rc = look(cli, &w);
	if (rc == GLT_EXIT_OK)
		rc = enter(cli, &w);
	glt_cli_close(cli);
	if (rc == GLT_EXIT_OK)
		rc = report(cli, &w);
	free(w.v);
	return rc;
}
