/* SPDX-License-Identifier: MIT */
/* Root makes the backup; a child that is uid gltoken migrates the store. */
#include "cmds.h"

#include "backupdir.h"
#include "backupfile.h"
#include "chain.h"
#include "child.h"
#include "migrate.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken migrate [--dry-run] [--json]\n"
	"\n"
	"Bring a store that an earlier release made to the schema of this one: in one transaction,\n"
	"after a backup that is kept in [backup] dir. Until then the release before can be put back\n"
	"and reads the store; afterwards it refuses it. Logins and changes go on meanwhile.\n"
	"\n"
	"      --dry-run            do it all, but give it up at the end, and make no backup\n" GLT_HELP_JSON
		GLT_HELP_HELP;

enum { OPT_DRY_RUN = GLT_OPT_OWN };

static const struct option options[] = {
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

#define TRIES 5

struct work { /* in memory that the children have as well */
	struct glt_migration m;
	struct glt_backup backup;
	char path[400]; /* of the backup */
	bool changed_meanwhile;
};

/* All of it, and then not. */
static int try_out(struct glt_cli *cli, void *arg)
{
	struct work *w = arg;
	struct glt_txn *txn;
	struct glt_err err;
	enum glt_status st;
	int rc = glt_cli_open(cli, true);

	if (rc != GLT_EXIT_OK)
		return rc;
	st = glt_txn_begin(cli->store, true, &txn, &err);
	if (st == GLT_OK) {
		st = glt_migrate_in(txn, &w->m, &err);
		glt_txn_end(txn);
	}
	return st == GLT_OK ? GLT_EXIT_OK : glt_cli_fail(cli, &err);
}

static int migrate(struct glt_cli *cli, void *arg)
{
	struct work *w = arg;
	struct glt_err err;
	enum glt_status st;
	int rc = glt_cli_open(cli, true);

	if (rc != GLT_EXIT_OK)
		return rc;
	st = glt_migrate(cli->store, &w->backup.head, cli->actor, strrchr(w->path, '/') + 1, &w->m, &err);
	w->changed_meanwhile = st == GLT_BUSY;
	return st == GLT_OK || w->changed_meanwhile ? GLT_EXIT_OK : glt_cli_fail(cli, &err);
}

static int in_child(struct glt_cli *cli, int (*fn)(struct glt_cli *cli, void *arg), struct work *w)
{
	pid_t pid = glt_child_start(cli, fn, w);

	return pid < 0 ? GLT_EXIT_UNAVAILABLE : glt_child_wait(cli, pid, GLT_EXIT_UNAVAILABLE);
}

static int back_up(struct glt_cli *cli, struct work *w)
{
	char label[32];
	int rc = glt_backupdir_prepare(cli, cli->conf.backup_dir);

	(void)snprintf(label, sizeof(label), "schema-%u-", w->m.from);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (!glt_backupdir_name(cli->conf.backup_dir, label, cli->now, w->path, sizeof(w->path))) {
		glt_cli_warn(cli, "no name for a backup in %s at this time", cli->conf.backup_dir);
		return GLT_EXIT_UNAVAILABLE;
	}
	return glt_backup_file(cli, w->path, &w->backup);
}

/* Nothing may be in the store that is not in the backup. */
static int back_up_and_migrate(struct glt_cli *cli, struct work *w)
{
	int rc = GLT_EXIT_OK;

	w->changed_meanwhile = true;
	for (int i = 0; rc == GLT_EXIT_OK && w->changed_meanwhile && i < TRIES; i++) {
		rc = back_up(cli, w);
		if (rc == GLT_EXIT_OK)
			rc = in_child(cli, migrate, w);
	}
	if (rc == GLT_EXIT_OK && w->changed_meanwhile) {
		glt_cli_warn(cli,
			     "nothing was migrated: the store was changed during each of %d backups; try again when "
			     "less is going on",
			     TRIES);
		rc = GLT_EXIT_UNAVAILABLE;
	}
	return rc;
}

static void say(const struct work *w, bool dry_run)
{
	char hash[GLT_HASH_HEX];

	if (w->m.from == w->m.to) {
		glt_cli_say("Nothing to do: the store is of schema %u.", w->m.to);
		return;
	}
	glt_cli_say("%s the store from schema %u to %u:", dry_run ? "Would migrate" : "Migrated", w->m.from,
		    w->m.to);
	for (unsigned i = w->m.from - 1; i < GLT_MIGRATION_STEPS; i++)
		glt_cli_say("  %u: %s (%" PRIu64 " entries).", i + 2, w->m.step[i].what, w->m.step[i].changed);
	if (dry_run)
		return;
	glt_hash_format(w->backup.head.hash, hash);
	glt_cli_say("The store as it was is kept in %s. To go back, install the release before, and as long as nothing "
		    "else was changed:\n  gltoken restore %s --force --head %" PRIu64 ":%s",
		    w->path, w->path, w->backup.head.seq, hash);
}

static int print_json(const struct work *w, bool dry_run)
{
	json_t *o = json_object(), *steps = json_array();

	for (unsigned i = w->m.from - 1; i < GLT_MIGRATION_STEPS; i++)
		(void)json_array_append_new(steps, json_pack("{s:i,s:s,s:I}", "schema", (int)i + 2, "what",
							     w->m.step[i].what, "entries",
							     (json_int_t)w->m.step[i].changed));
	(void)json_object_set_new(o, "from", json_integer(w->m.from));
	(void)json_object_set_new(o, "to", json_integer(w->m.to));
	(void)json_object_set_new(o, "steps", steps);
	(void)json_object_set_new(o, "backup", glt_json_text(w->path));
	(void)json_object_set_new(o, "dry_run", json_boolean(dry_run));
	return glt_json_print(o) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
}

int glt_cmd_migrate(struct glt_cli *cli, int argc, char **argv)
{
	bool dry_run = false;
	struct work *w;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		dry_run = true;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w == MAP_FAILED) {
		glt_cli_warn(cli, "out of memory");
		return GLT_EXIT_UNAVAILABLE;
	}
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK)
		rc = in_child(cli, try_out, w);
	if (rc == GLT_EXIT_OK && !dry_run && w->m.from < w->m.to)
		rc = back_up_and_migrate(cli, w);
	if (rc != GLT_EXIT_OK)
		return rc;
	say(w, dry_run);
	return cli->format == GLT_FORMAT_JSON ? print_json(w, dry_run) : GLT_EXIT_OK;
}
