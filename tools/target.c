/* SPDX-License-Identifier: MIT */
#include "target.h"

#include "repo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* "/demo/hello.git" of a URL is demo/hello; "/srv/git/demo/hello.git" would be a project srv/git/demo/hello. */
static bool is_file_path(const char *text)
{
	char top[GLT_PATH_MAX + 1];

	if (text[0] != '/' || strlen(text) > GLT_PATH_MAX)
		return false;
	(void)snprintf(top, sizeof(top), "/%.*s", (int)strcspn(text + 1, "/"), text + 1);
	return top[1] && access(top, F_OK) == 0;
}

void glt_target_path(const struct glt_cli *cli, const char *text, char out[GLT_PATH_MAX + 1])
{
	struct glt_err err;
	enum glt_status st = glt_path_normalise(text, out, &err);

	if (st == GLT_OK && is_file_path(text))
		st = glt_fail(
			&err, GLT_INVALID,
			"'%s' is a path of this host's files: give it as it stands below [git] repo_root, such as "
			"demo/hello",
			text);
	glt_cli_require(cli, st, &err);
}

const char *glt_target_optional(const struct glt_cli *cli, int argc, char **argv, char out[GLT_PATH_MAX + 1])
{
	glt_cli_operands(cli, argc, argv, 0, 1, "at most one PATH");
	if (optind == argc)
		return NULL;
	glt_target_path(cli, argv[optind], out);
	return out;
}

/* Trouble other than "absent" is no reason for the note. */
static bool group_absent(const char *repo_root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int root = open(repo_root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd, why;

	if (root < 0)
		return errno == ENOENT;
	fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	why = errno;
	(void)close(root);
	if (fd >= 0)
		(void)close(fd);
	return fd < 0 && (why == ENOENT || why == ENOTDIR);
}

static bool project_absent(const char *repo_root, const char *path)
{
	struct glt_repo repo;
	enum glt_repo_status st;

	if (access(repo_root, F_OK) != 0)
		return errno == ENOENT;
	st = glt_repo_open(repo_root, path, &repo);
	if (st == GLT_REPO_OK)
		(void)close(repo.fd);
	return st == GLT_REPO_ABSENT || st == GLT_REPO_NOT_A_REPO;
}

bool glt_target_is_group(const struct glt_cli *cli, const char *path)
{
	const char *root = cli->conf.repo_root;

	return !group_absent(root, path) && access(root, F_OK) == 0 && project_absent(root, path);
}

void glt_target_note(const struct glt_cli *cli, const char *path, enum glt_target kind)
{
	const char *root = cli->conf.repo_root;

	if (kind != GLT_TARGET_GROUP && !project_absent(root, path))
		return;
	if (kind != GLT_TARGET_PROJECT && !group_absent(root, path))
		return;
	glt_cli_warn(cli, "note: there is no %s %s under %s yet",
		     kind == GLT_TARGET_GROUP ? "group" : "repository", path, root);
}
