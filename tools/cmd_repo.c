/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "people.h"
#include "repo.h"
#include "table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 32

static const char intro[] = "The repositories below repo_root.\n";

static const char list_help[] =
	"Usage: gltoken repo list [--json|--csv|--raw]\n"
	"\n"
	"List the repositories that are found below repo_root, and what keeps one from being\n"
	"served. A repository without an id was not made by 'gltoken repo create'.\n"
	"\n" GLT_HELP_LIST GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

static const struct glt_column columns[] = {
	{"PATH", 0},
	{"ID", GLT_COLUMN_RIGHT},
	{"BRANCH", 0},
	{"STATE", GLT_COLUMN_SHRINK},
};

struct found {
	char path[GLT_PATH_MAX + 1];
	enum glt_repo_status status;
	uint64_t id;
	char branch[GLT_NAME_MAX + 1];
};

struct search {
	const char *root;
	struct found *v;
	size_t n, room;
};

static void add(struct search *s, const char *path, enum glt_repo_status status)
{
	for (size_t i = 0; i < s->n; i++) /* x and x.git side by side are one fault */
		if (strcmp(s->v[i].path, path) == 0)
			return;
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 64;
		s->v = glt_cli_alloc(s->v, s->room, sizeof(*s->v));
	}
	s->v[s->n] = (struct found){.status = status};
	(void)snprintf(s->v[s->n++].path, sizeof(s->v->path), "%s", path);
}

/* Is the folder one that stands for a repository? True: do not look into it. */
static bool consider(struct search *s, const char *relative, bool dot_git)
{
	char path[GLT_PATH_MAX + 1];
	struct glt_repo repo;
	enum glt_repo_status st;

	if (glt_path_normalise(relative, path, NULL) != GLT_OK)
		return true;
	st = glt_repo_open(s->root, path, &repo);
	if (st == GLT_REPO_OK)
		(void)close(repo.fd);
	else if (!dot_git && st != GLT_REPO_NOT_BARE)
		return false;
	add(s, path, st);
	return true;
}

static void search(struct search *s, int parent, const char *name, const char *prefix, unsigned depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d));) {
		char relative[GLT_PATH_MAX + 1];
		size_t len = strlen(e->d_name);
		struct stat sb;

		if (e->d_name[0] == '.' || fstatat(fd, e->d_name, &sb, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISDIR(sb.st_mode))
			continue;
		if (snprintf(relative, sizeof(relative), "%s%s%s", prefix, *prefix ? "/" : "", e->d_name) >=
		    (int)sizeof(relative))
			continue;
		if (!consider(s, relative, len > 4 && strcmp(e->d_name + len - 4, ".git") == 0) &&
		    depth < DEPTH_MAX)
			search(s, fd, e->d_name, relative, depth + 1);
	}
	(void)closedir(d);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->path, ((const struct found *)b)->path);
}

static int look_up(const struct glt_cli *cli, struct search *s)
{
	struct glt_err err;
	struct glt_txn *txn;

	if (glt_txn_begin(cli->store, false, &txn, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	for (size_t i = 0; i < s->n; i++) {
		Glt__Namespace *n;

		if (glt_namespace_load(txn, s->v[i].path, &n, NULL) != GLT_OK)
			continue;
		s->v[i].id = n->id;
		(void)snprintf(s->v[i].branch, sizeof(s->v[i].branch), "%s", n->default_branch);
		glt_namespace_free(n);
	}
	glt_txn_end(txn);
	return GLT_EXIT_OK;
}

static bool print(const struct glt_cli *cli, const struct search *s)
{
	struct glt_out *out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; i < s->n; i++) {
		const struct found *f = &s->v[i];
		const char *state = f->status == GLT_REPO_OK ? "ok" : glt_repo_text(f->status);
		char id[24] = "";

		if (glt_out_is_json(out)) {
			json_t *o = json_object();

			(void)json_object_set_new(o, "id", glt_json_number(f->id));
			(void)json_object_set_new(o, "path", glt_json_text(f->path));
			(void)json_object_set_new(o, "default_branch", glt_json_text(f->branch));
			(void)json_object_set_new(o, "ok", json_boolean(f->status == GLT_REPO_OK));
			(void)json_object_set_new(o, "state", glt_json_text(state));
			glt_out_json(out, o);
			continue;
		}
		if (f->id)
			(void)snprintf(id, sizeof(id), "%" PRIu64, f->id);
		glt_out_row(out, (const char *const[]){f->path, id, f->branch, state});
	}
	return glt_out_print(out);
}

static int list(struct glt_cli *cli, int argc, char **argv)
{
	struct search s = {.root = NULL};
	int rc;

	while (glt_cli_option(cli, argc, argv, options, list_help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_config(cli);
	if (rc != GLT_EXIT_OK)
		return rc;
	s.root = cli->conf.repo_root;
	if (access(s.root, R_OK | X_OK) != 0) {
		glt_cli_warn(cli, "cannot read repo_root %s: %s", s.root, strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	char real[4096];
	if (realpath(s.root, real))
		search(&s, AT_FDCWD, real, "", 0);
	if (s.n > 0)
		qsort(s.v, s.n, sizeof(*s.v), by_path);
	rc = glt_cli_open(cli, false);
	if (rc == GLT_EXIT_OK)
		rc = look_up(cli, &s);
	glt_cli_close(cli);
	if (rc == GLT_EXIT_OK && !print(cli, &s))
		rc = GLT_EXIT_UNAVAILABLE;
	free(s.v);
	return rc;
}

static const struct glt_command commands[] = {
	{"create", NULL, glt_cmd_repo_create, "make a repository"},
	{"list", "ls", list, "list repositories"},
	{NULL, NULL, NULL, NULL},
};

int glt_cmd_repo(struct glt_cli *cli, int argc, char **argv)
{
	return glt_cli_dispatch(cli, commands, intro, argc, argv);
}
