/* SPDX-License-Identifier: MIT */
/* Make the store. Folders are made by root, what is in them by uid gltoken. */
#include "cmds.h"

#include "nss_limits.h"
#include "nss_snap.h"
#include "privdrop.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken init [--if-absent] [--json]\n"
	"\n"
	"Make an empty store in the folder that gltoken.conf names ([store] dir), for uid\n"
	"gltoken alone. A store that exists is left as it is.\n"
	"\n"
	"      --if-absent          a store that exists is no error\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_IF_ABSENT = GLT_OPT_OWN };

static const struct option options[] = {
	{"if-absent", no_argument, NULL, OPT_IF_ABSENT},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

int glt_make_folders(const struct glt_cli *cli, const char *path)
{
	char part[sizeof(cli->conf.dir)];

	for (const char *p = path; *p; p++) {
		size_t len;

		p += strcspn(p + 1, "/") + 1;
		len = (size_t)(p - path);
		memcpy(part, path, len);
		part[len] = '\0';
		if (mkdir(part, 0755) == 0 ? chmod(part, 0755) != 0 : errno != EEXIST) {
			glt_cli_warn(cli, "cannot make %s: %s", part, strerror(errno));
			return GLT_EXIT_UNAVAILABLE;
		}
		if (*p == '\0')
			break;
	}
	return GLT_EXIT_OK;
}

/* Where others may write, the store could be exchanged for another. */
static int open_parent(const struct glt_cli *cli, uid_t uid, int *fd)
{
	const char *dir = cli->conf.dir;
	struct stat sb;

	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &sb) != 0) {
		glt_cli_warn(cli, "cannot open %s: %s", dir, strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	if ((sb.st_uid != 0 && sb.st_uid != uid) || (sb.st_mode & 022) != 0) {
		glt_cli_warn(cli,
			     "%s must belong to root and be writable by nobody else: chown root %s; chmod go-w %s",
			     dir, dir, dir);
		return GLT_EXIT_UNAVAILABLE;
	}
	return GLT_EXIT_OK;
}

/* *exists: there is a store, or what is left of one: that is nothing to write over. */
static int make_store_folder(const struct glt_cli *cli, int parent, uid_t uid, gid_t gid, bool *exists)
{
	struct stat sb;
	int fd, rc = GLT_EXIT_OK;

	if (mkdirat(parent, "store", 0700) != 0 && errno != EEXIST) {
		glt_cli_warn(cli, "cannot make %s: %s", cli->conf.store_dir, strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	fd = openat(parent, "store", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &sb) != 0) {
		glt_cli_warn(cli, "cannot open %s: %s", cli->conf.store_dir, strerror(errno));
		rc = GLT_EXIT_UNAVAILABLE;
	} else {
		*exists = faccessat(fd, "store.mdb", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
			  faccessat(fd, "key", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
		if (!*exists && geteuid() == 0 && (fchown(fd, uid, gid) != 0 || fchmod(fd, 0700) != 0)) {
			glt_cli_warn(cli, "cannot give %s to " GLT_STORE_USER ": %s", cli->conf.store_dir,
				     strerror(errno));
			rc = GLT_EXIT_UNAVAILABLE;
		}
	}
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* The public one stands where the NSS module looks for it, which reads no configuration. */
static int make_folders(const struct glt_cli *cli, uid_t uid, gid_t gid)
{
	struct glt_err err;
	int rc = glt_make_folders(cli, cli->conf.dir);

	if (rc == GLT_EXIT_OK)
		rc = glt_make_folders(cli, GLT_NSS_DIR);
	if (rc == GLT_EXIT_OK && glt_limits_refresh(&cli->conf, uid, gid, &err) != GLT_OK)
		glt_cli_warn(cli, "accounts will not be published: %s", err.text);
	return rc;
}

static int prepare(const struct glt_cli *cli, bool *exists)
{
	struct glt_err err;
	uid_t uid;
	gid_t gid;
	int fd = -1, rc = GLT_EXIT_OK;

	if (glt_privdrop_lookup(&uid, &gid, &err) != GLT_OK) {
		glt_cli_warn(cli, "%s", err.text);
		return GLT_EXIT_UNAVAILABLE;
	}
	if (geteuid() == 0)
		rc = make_folders(cli, uid, gid);
	else if (geteuid() != uid)
		return GLT_EXIT_OK; /* glt_cli_drop() says it */
	if (rc == GLT_EXIT_OK)
		rc = open_parent(cli, uid, &fd);
	if (rc == GLT_EXIT_OK)
		rc = make_store_folder(cli, fd, uid, gid, exists);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static int tell(const struct glt_cli *cli, bool made)
{
	static const char *const files[] = {"store.mdb", "key"};
	static const char *const next[] = {"gltoken setup", "gltoken repo create PROJECT",
					   "gltoken member set PATH USER ROLE",
					   "gltoken issue --name NAME --user USER --scope write_repository"};
	json_t *o = json_object(), *paths = json_array(), *commands = json_array();
	char path[sizeof(cli->conf.store_dir) + 16];

	if (made)
		glt_cli_say("Made the store %s.", cli->conf.store_dir);
	for (size_t i = 0; made && i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", cli->conf.store_dir, files[i]);
		(void)json_array_append_new(paths, json_string(path));
	}
	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++)
		(void)json_array_append_new(commands, json_string(next[i]));
	(void)json_object_set_new(o, "store", json_string(cli->conf.store_dir));
	(void)json_object_set_new(o, "files", paths);
	(void)json_object_set_new(o, "next", commands);
	return glt_json_result(cli, o, made);
}

int glt_cmd_init(struct glt_cli *cli, int argc, char **argv)
{
	bool exists = false, if_absent = false;
	struct glt_err err;
	enum glt_status st;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1)
		if (c == OPT_IF_ABSENT)
			if_absent = true;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK)
		rc = prepare(cli, &exists);
	if (rc == GLT_EXIT_OK)
		rc = glt_cli_drop(cli);
	if (rc != GLT_EXIT_OK)
		return rc;
	st = exists ? glt_fail(&err, GLT_EXISTS, "there is a store in %s already", cli->conf.store_dir)
		    : glt_store_create(cli->conf.store_dir, &err);
	if (st == GLT_EXISTS && if_absent)
		return tell(cli, false);
	return st == GLT_OK ? tell(cli, true) : glt_cli_fail(cli, &err);
}
