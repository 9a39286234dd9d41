/* SPDX-License-Identifier: MIT */
/* Root makes a folder beside the store and exchanges both; a child that is uid gltoken makes the store in it. */
#include "cmds.h"

#include "audit_log.h"
#include "chain.h"
#include "child.h"
#include "input.h"
#include "privdrop.h"
#include "publish.h"
#include "restore.h"
#include "storefile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken restore FILE [--replay-audit FILE] [--head SEQ:HASH] [--force] [--json]\n"
	"\n"
	"Put a backup in the place of the store. Nothing that was revoked, blocked or used since the\n"
	"backup comes back: what happened since is taken from an export of the audit log. Where\n"
	"that is not known, each token is paused and each user blocked, and all are listed.\n"
	"\n"
	"      --replay-audit FILE  'gltoken audit export' of the store that is replaced\n"
	"      --head SEQ:HASH      the last event=audit line of the log: nothing came after that\n"
	"      --force              there is a store: it is kept beside the new one\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_REPLAY = GLT_OPT_OWN, OPT_HEAD, OPT_FORCE };

static const struct option options[] = {
	{"replay-audit", required_argument, NULL, OPT_REPLAY},
	{"head", required_argument, NULL, OPT_HEAD},
	{"force", no_argument, NULL, OPT_FORCE},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

#define NEW "store.new"

struct work {
	const char *file, *audit, *head_text;
	bool force;
	struct glt_head head;
	struct glt_restore r;
	int parent;    /* the folder that holds the store's */
	bool made;     /* the new folder is there, and ours to remove */
	bool exists;   /* there is a store */
	int talk[2];   /* 0: the child's end: "ready", then waits for "done" */
	char kept[64]; /* where the old store went */
	char dir[300];
};

static int failed(const struct glt_cli *cli, const char *what, const char *path)
{
	glt_cli_warn(cli, "cannot %s %s: %s", what, path, strerror(errno));
	return GLT_EXIT_UNAVAILABLE;
}

/* ---- as uid gltoken ---- */

static void print_notes(const struct glt_cli *cli, const struct glt_notes *notes)
{
	static const struct glt_column columns[] = {{"TOKEN", GLT_COLUMN_RIGHT},
						    {"WHAT", GLT_COLUMN_SHRINK},
						    {"NOW", 0},
						    {"WHY", GLT_COLUMN_SHRINK}};
	struct glt_out *out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));

	for (size_t i = 0; i < notes->n; i++) {
		const struct glt_note *n = &notes->v[i];
		char id[24] = "";

		if (glt_out_is_json(out)) {
			json_t *o = json_object();

			(void)json_object_set_new(o, "token", glt_json_number(n->id));
			(void)json_object_set_new(o, "object", glt_json_text(n->object));
			(void)json_object_set_new(o, "now", glt_json_text(n->state));
			(void)json_object_set_new(o, "why", glt_json_text(n->why));
			glt_out_json(out, o);
			continue;
		}
		if (n->id)
			(void)snprintf(id, sizeof(id), "%" PRIu64, n->id);
		glt_out_row(out, (const char *const[]){id, n->object, n->state, n->why});
	}
	(void)glt_out_print(out);
}

static void report(const struct glt_cli *cli, const struct work *w)
{
	char made[GLT_LOCAL_TEXT], hash[GLT_HASH_HEX];

	glt_when_local(w->r.made_at, true, made);
	glt_hash_format(w->r.known.hash, hash);
	glt_cli_say("Restored the backup of %s.", made);
	if (w->r.certain)
		glt_cli_say("Brought up to event %" PRIu64 ":%s; what came later, if anything did, is lost.",
			    w->r.known.seq, hash);
	else
		glt_cli_say("What happened after event %" PRIu64
			    " is not known: tokens are paused and users blocked. Look at "
			    "each, then 'gltoken edit ID --resume', 'gltoken user unblock NAME'.",
			    w->r.known.seq);
	if (w->r.notes.n > 0 || cli->format == GLT_FORMAT_JSON)
		print_notes(cli, &w->r.notes);
}

/* Writers of the old store wait until it is out of the way, and see then that it is. */
static int close_gate(const struct glt_cli *cli, const struct work *w, int *gate)
{
	struct glt_err err;
	enum glt_status st;

	*gate = -1;
	if (!w->exists)
		return GLT_EXIT_OK;
	st = glt_storefile_gate(cli->conf.store_dir, gate, &err);
	return st == GLT_BUSY ? glt_cli_fail(cli, &err) : GLT_EXIT_OK; /* else nobody can write to it */
}

static void publish(const struct glt_cli *cli)
{
	struct glt_store *store;
	struct glt_err err = {.status = GLT_OK};

	if (glt_store_open(cli->conf.store_dir, false, &store, &err) == GLT_OK) {
		(void)glt_publish(store, &cli->conf, NULL, &err);
		glt_store_close(store);
	}
	if (err.status != GLT_OK && err.status != GLT_NOT_FOUND)
		glt_cli_warn(cli, "done, but accounts are not published: %s", err.text);
}

static int make_store(struct glt_cli *cli, void *arg)
{
	struct work *w = arg;
	struct glt_err err;
	char go = 'r';
	int gate, rc;

	(void)close(w->talk[1]);
	rc = glt_cli_drop(cli);
	if (rc != GLT_EXIT_OK)
		return rc;
	w->r.actor = cli->actor;
	if (glt_restore(&w->r, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	rc = close_gate(cli, w, &gate);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (send(w->talk[0], &go, 1, MSG_NOSIGNAL) != 1 || recv(w->talk[0], &go, 1, 0) != 1)
		return GLT_EXIT_UNAVAILABLE; /* the parent said why */
	if (gate >= 0)
		(void)close(gate);
	glt_log_head(cli->conf.log_json, w->r.end.seq, w->r.end.hash);
	publish(cli);
	report(cli, w);
	glt_notes_free(&w->r.notes);
	return GLT_EXIT_OK;
}

/* ---- as the caller ---- */

static int open_files(const struct glt_cli *cli, struct work *w)
{
	struct glt_err err;

	w->r.backup = glt_input_fd(w->file, &err);
	if (w->r.backup >= 0 && w->audit)
		w->r.audit = glt_input_open(w->audit, &err);
	return w->r.backup >= 0 && (w->r.audit || !w->audit) ? GLT_EXIT_OK : glt_cli_fail(cli, &err);
}

/* What an interrupted restore left behind. */
static void clear(int parent, const char *name)
{
	static const char *const files[] = {"store.mdb", "store.mdb-lock", "writer.lock", "key"};
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlinkat(fd, files[i], 0);
	if (fd >= 0)
		(void)close(fd);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

static int open_parent(const struct glt_cli *cli, struct work *w)
{
	struct stat sb;
	int rc;

	if (!glt_cli_is_root(cli, "restore a store"))
		return GLT_EXIT_UNAVAILABLE;
	rc = glt_make_folders(cli, cli->conf.dir);
	if (rc != GLT_EXIT_OK)
		return rc;
	w->parent = open(cli->conf.dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w->parent < 0 || fstat(w->parent, &sb) != 0)
		return failed(cli, "open", cli->conf.dir);
	if (sb.st_uid != 0 || (sb.st_mode & 022) != 0) {
		glt_cli_warn(cli, "%s must belong to root and be writable by nobody else", cli->conf.dir);
		return GLT_EXIT_UNAVAILABLE;
	}
	if (flock(w->parent, LOCK_EX | LOCK_NB) == 0)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "another restore is at work");
	return GLT_EXIT_UNAVAILABLE;
}

static int make_folder(const struct glt_cli *cli, struct work *w)
{
	struct glt_err err;
	uid_t uid;
	gid_t gid;
	int rc;

	if (glt_privdrop_lookup(&uid, &gid, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	rc = open_parent(cli, w);
	if (rc != GLT_EXIT_OK)
		return rc;
	w->exists = faccessat(w->parent, "store/store.mdb", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
		    faccessat(w->parent, "store/key", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (w->exists && !w->force) {
		glt_cli_warn(
			cli,
			"there is a store in %s: take 'gltoken audit export' of it if that can be done, and give --force",
			cli->conf.store_dir);
		return GLT_EXIT_DENIED;
	}
	clear(w->parent, NEW);
	w->made = mkdirat(w->parent, NEW, 0700) == 0;
	if (!w->made || fchownat(w->parent, NEW, uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
		return failed(cli, "make", w->dir);
	return GLT_EXIT_OK;
}

/* Give the old store, which has name now, one that no other has: two restores may be of the same second. */
static bool keep(const struct glt_cli *cli, struct work *w, const char *name)
{
	char stamp[24];
	struct tm tm;
	time_t now = (time_t)cli->now;

	(void)gmtime_r(&now, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned i = 1; i < 100; i++) {
		(void)snprintf(w->kept, sizeof(w->kept), "store.before-%s", stamp);
		if (i > 1)
			(void)snprintf(w->kept + strlen(w->kept), 8, "-%u", i);
		if (renameat2(w->parent, name, w->parent, w->kept, RENAME_NOREPLACE) == 0)
			return true;
		if (errno != EEXIST)
			break;
	}
	return false;
}

/* At no moment is there half of each, nor (where the file system can exchange two names) no store. */
static int exchange(const struct glt_cli *cli, struct work *w)
{
	if (renameat2(w->parent, NEW, w->parent, "store", RENAME_EXCHANGE) == 0) {
		if (!keep(cli, w, NEW))
			(void)snprintf(w->kept, sizeof(w->kept), "%s", NEW);
	} else if (errno != ENOENT && errno != EINVAL) {
		return failed(cli, "put in its place", w->dir);
	} else if ((!keep(cli, w, "store") && errno != ENOENT) ||
		   renameat2(w->parent, NEW, w->parent, "store", RENAME_NOREPLACE) != 0) {
		return failed(cli, "put in its place", w->dir);
	}
	w->made = false;
	if (!w->exists)
		clear(w->parent, w->kept);
	return fsync(w->parent) == 0 ? GLT_EXIT_OK : failed(cli, "sync", cli->conf.dir);
}

static int restore(struct glt_cli *cli, struct work *w)
{
	char byte = 0;
	pid_t pid;
	int rc = GLT_EXIT_UNAVAILABLE, child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w->talk) != 0)
		return failed(cli, "make", "a socket pair");
	pid = glt_child_start(cli, make_store, w);
	if (pid < 0)
		return rc;
	(void)close(w->talk[0]);
	if (recv(w->talk[1], &byte, 1, 0) == 1)
		rc = exchange(cli, w);
	if (rc == GLT_EXIT_OK)
		(void)send(w->talk[1], &byte, 1, MSG_NOSIGNAL);
	(void)close(w->talk[1]);
	child = glt_child_wait(cli, pid, GLT_EXIT_UNAVAILABLE);
	if (byte == 0)
		return child != GLT_EXIT_OK ? child : GLT_EXIT_UNAVAILABLE;
	if (rc == GLT_EXIT_OK && w->exists)
		glt_cli_say("The old store is kept in %s/%s: remove it when it is not needed any more.",
			    cli->conf.dir, w->kept);
	return rc != GLT_EXIT_OK ? rc : child;
}

int glt_cmd_restore(struct glt_cli *cli, int argc, char **argv)
{
	struct work w = {.parent = -1};
	struct glt_err err;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		if (c == OPT_REPLAY)
			glt_cli_once(cli, &w.audit, "--replay-audit");
		else if (c == OPT_HEAD)
			glt_cli_once(cli, &w.head_text, "--head");
		else
			w.force = true;
	}
	glt_cli_operands(cli, argc, argv, 1, 1, "one FILE");
	w.file = argv[optind];
	if (w.head_text)
		glt_cli_require(cli, glt_head_parse(w.head_text, &w.head, &err), &err);
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK)
		rc = open_files(cli, &w);
	if (rc != GLT_EXIT_OK)
		return rc;
	(void)snprintf(w.dir, sizeof(w.dir), "%s/" NEW, cli->conf.dir);
	w.r.dir = w.dir;
	w.r.name = strrchr(w.file, '/') ? strrchr(w.file, '/') + 1 : w.file;
	w.r.head = w.head_text ? &w.head : NULL;
	w.r.now = cli->now;
	rc = make_folder(cli, &w);
	if (rc == GLT_EXIT_OK)
		rc = restore(cli, &w);
	if (w.made)
		clear(w.parent, NEW);
	if (w.parent >= 0)
		(void)close(w.parent);
	(void)close(w.r.backup);
	if (w.r.audit)
		glt_input_close(w.r.audit);
	return rc;
}
