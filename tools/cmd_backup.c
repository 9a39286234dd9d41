/* SPDX-License-Identifier: MIT */
/* The file is made and put in its place by root, and filled by a child that is uid gltoken. */
#include "cmds.h"

#include "backupdir.h"
#include "backupfile.h"
#include "chain.h"
#include "child.h"
#include "pam_log.h"
#include "privdrop.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken backup [FILE] [--json]\n"
	"\n"
	"Write the whole store into FILE: tokens (as hashes), users, keys, the audit log, and the\n"
	"store's key. Logins and changes go on meanwhile. What was written is read back and checked\n"
	"before FILE appears; an older backup of that name is replaced. Keep it as you keep\n"
	"/etc/shadow. 'gltoken restore FILE' puts it back.\n"
	"\n"
	"Without FILE it goes into [backup] dir, under the name gltoken-TIME.backup, and all but\n"
	"the newest [backup] keep of them are removed there.\n"
	"\n" GLT_HELP_JSON GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct target {
	const char *path, *name; /* name: its last part */
	char temporary[300];
	int dir, fd;
	struct glt_backup *made; /* what the child tells */
};

static int failed(const struct glt_cli *cli, const char *what, const char *path)
{
	glt_cli_warn(cli, "cannot %s %s: %s", what, path, strerror(errno));
	return GLT_EXIT_UNAVAILABLE;
}

static int open_folder(const struct glt_cli *cli, struct target *t)
{
	const char *slash = strrchr(t->path, '/');
	char dir[4096];

	t->name = slash ? slash + 1 : t->path;
	if (!*t->name || strlen(t->name) > 200 || strlen(t->path) >= sizeof(dir)) {
		glt_cli_warn(cli, "'%.200s' cannot be the name of a backup", t->path);
		return GLT_EXIT_USAGE;
	}
	(void)snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - t->path + 1) : 1, slash ? t->path : ".");
	t->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return t->dir < 0 ? failed(cli, "open", dir) : GLT_EXIT_OK;
}

/* Only a backup may be replaced by one. */
static int check_old(const struct glt_cli *cli, const struct target *t)
{
	int fd = openat(t->dir, t->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	bool is;

	if (fd < 0)
		return errno == ENOENT ? GLT_EXIT_OK : failed(cli, "replace", t->path);
	is = glt_backup_is(fd);
	(void)close(fd);
	if (is)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "%s is there already and is no backup of gltoken: nothing was written", t->path);
	return GLT_EXIT_DENIED;
}

static int make_temporary(const struct glt_cli *cli, struct target *t, uid_t uid, gid_t gid)
{
	(void)snprintf(t->temporary, sizeof(t->temporary), ".%s.%08" PRIx32, t->name, randombytes_random());
	t->fd = openat(t->dir, t->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (t->fd < 0)
		return failed(cli, "write next to", t->path);
	/* Lent to the child, which opens it again to verify it. */
	if (geteuid() == 0 && fchown(t->fd, uid, gid) != 0)
		return failed(cli, "lend " GLT_STORE_USER " the new file next to", t->path);
	return GLT_EXIT_OK;
}

static void log_backup(const struct glt_cli *cli, const struct target *t, const struct glt_backup *b)
{
	struct glt_log_line line;
	char seq[24];

	(void)snprintf(seq, sizeof(seq), "%" PRIu64, b->head.seq);
	glt_log_begin(&line, cli->conf.log_json ? "json" : NULL, "backup");
	glt_log_add(&line, "seq", seq);
	glt_log_add(&line, "actor", cli->actor);
	glt_log_add(&line, "file", t->path);
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "%s", line.text);
}

static int fill(struct glt_cli *cli, void *arg)
{
	const struct target *t = arg;
	struct glt_backup b;
	char hash[GLT_HASH_HEX];
	struct glt_err err;
	enum glt_status st;
	int rc = glt_cli_open(cli, false);

	if (rc != GLT_EXIT_OK)
		return rc;
	st = glt_backup_write(cli->store, t->fd, cli->now, &b, &err);
	cli->store = NULL; /* closed by then */
	if (st != GLT_OK)
		return glt_cli_fail(cli, &err);
	log_backup(cli, t, &b);
	*t->made = b;
	glt_hash_format(b.head.hash, hash);
	glt_cli_say("Backed up and verified: %" PRIu64 " bytes, up to event %" PRIu64 ":%s.", b.length, b.head.seq,
		    hash);
	return GLT_EXIT_OK;
}

static int put_in_place(const struct glt_cli *cli, const struct target *t)
{
	if (geteuid() == 0 && fchown(t->fd, 0, 0) != 0)
		return failed(cli, "take back", t->path);
	if (fsync(t->fd) != 0 || renameat(t->dir, t->temporary, t->dir, t->name) != 0 || fsync(t->dir) != 0)
		return failed(cli, "put into its place", t->path);
	return GLT_EXIT_OK;
}

static int backup(struct glt_cli *cli, struct target *t)
{
	struct glt_err err;
	uid_t uid;
	gid_t gid;
	pid_t pid;
	int rc;

	if (glt_privdrop_lookup(&uid, &gid, &err) != GLT_OK) {
		glt_cli_warn(cli, "%s", err.text);
		return GLT_EXIT_UNAVAILABLE;
	}
	rc = open_folder(cli, t);
	if (rc == GLT_EXIT_OK)
		rc = check_old(cli, t);
	if (rc == GLT_EXIT_OK)
		rc = make_temporary(cli, t, uid, gid);
	if (rc != GLT_EXIT_OK)
		return rc;
	pid = glt_child_start(cli, fill, t);
	rc = pid < 0 ? GLT_EXIT_UNAVAILABLE : glt_child_wait(cli, pid, GLT_EXIT_UNAVAILABLE);
	return rc == GLT_EXIT_OK ? put_in_place(cli, t) : rc;
}

/* What the child tells of the backup is in memory that both have. */
static int backup_into(struct glt_cli *cli, struct target *t)
{
	int rc = backup(cli, t);

	if (rc != GLT_EXIT_OK && t->fd >= 0)
		(void)unlinkat(t->dir, t->temporary, 0);
	if (t->fd >= 0)
		(void)close(t->fd);
	if (t->dir >= 0)
		(void)close(t->dir);
	return rc;
}

int glt_backup_file(struct glt_cli *cli, const char *path, struct glt_backup *made)
{
	struct target t = {.path = path, .temporary = "", .dir = -1, .fd = -1};
	int rc = GLT_EXIT_UNAVAILABLE;

	t.made = mmap(NULL, sizeof(*t.made), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t.made == MAP_FAILED) {
		glt_cli_warn(cli, "out of memory");
		return rc;
	}
	rc = backup_into(cli, &t);
	*made = *t.made;
	(void)munmap(t.made, sizeof(*t.made));
	return rc;
}

static int print(const struct glt_cli *cli, const char *path, const struct glt_backup *made)
{
	char hash[GLT_HASH_HEX];

	glt_hash_format(made->head.hash, hash);
	return glt_json_result(cli,
			       json_pack("{s:o,s:I,s:I,s:s}", "file", glt_json_text(path), "bytes",
					 (json_int_t)made->length, "seq", (json_int_t)made->head.seq, "head", hash),
			       true);
}

static int next_path(const struct glt_cli *cli, char *path, size_t size)
{
	int rc = glt_backupdir_prepare(cli, cli->conf.backup_dir);

	if (rc == GLT_EXIT_OK && !glt_backupdir_name(cli->conf.backup_dir, "", cli->now, path, size)) {
		glt_cli_warn(cli, "no name for a backup in %s at this time", cli->conf.backup_dir);
		return GLT_EXIT_UNAVAILABLE;
	}
	return rc;
}

int glt_cmd_backup(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_backup made = {.length = 0};
	char next[400];
	const char *path;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 1, "one FILE, or none");
	path = argv[optind];
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK && !path)
		rc = next_path(cli, next, sizeof(next));
	if (rc == GLT_EXIT_OK)
		rc = glt_backup_file(cli, path ? path : next, &made);
	if (rc == GLT_EXIT_OK && !path)
		rc = glt_backupdir_prune(cli, cli->conf.backup_dir, cli->conf.backup_keep);
	return rc == GLT_EXIT_OK ? print(cli, path ? path : next, &made) : rc;
}
