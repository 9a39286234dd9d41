/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "import.h"
#include "input.h"
#include "policy.h"
#include "records.h"
#include "table.h"
#include "text.h"

#include <stdio.h>

static const char help[] =
	"Usage: gltoken import [FILE] [--dry-run] [--json]\n"
	"       gltoken import (--gitolite FILE | --keydir DIR | --htpasswd FILE |\n"
	"                       --authorized-keys FILE --user USER) [--dry-run] [--json]\n"
	"\n"
	"Add what 'gltoken export' printed on another host, from FILE or standard input: all of it,\n"
	"or nothing where something is there already. Numbers stay as they were. Accounts are\n"
	"found by their names.\n"
	"\n"
	"Or take over what other programs have. What is there already stays, and what would grant\n"
	"more than it does there is listed with its line and not done.\n"
	"\n"
	"      --gitolite FILE      members, from a gitolite.conf\n"
	"      --rw-as-developer    with it: RW too, though a developer may also rewind and delete\n"
	"      --keydir DIR         keys, from gitolite's folder of NAME.pub\n"
	"      --htpasswd FILE      users; their passwords are not taken\n"
	"      --authorized-keys FILE  keys of --user USER\n"
	"      --dry-run            check everything, change nothing\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_DRY_RUN = GLT_OPT_OWN, OPT_GITOLITE, OPT_KEYDIR, OPT_HTPASSWD, OPT_KEYS, OPT_USER, OPT_RW };

static const struct option options[] = {
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"gitolite", required_argument, NULL, OPT_GITOLITE},
	{"keydir", required_argument, NULL, OPT_KEYDIR},
	{"htpasswd", required_argument, NULL, OPT_HTPASSWD},
	{"authorized-keys", required_argument, NULL, OPT_KEYS},
	{"user", required_argument, NULL, OPT_USER},
	{"rw-as-developer", no_argument, NULL, OPT_RW},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

static int load(const struct glt_cli *cli, const char *path, struct glt_import *in)
{
	struct glt_err err;
	FILE *f = glt_input_open(path, &err);
	enum glt_status st;

	if (!f)
		return glt_cli_fail(cli, &err);
	st = glt_import_read(f, in, &err);
	glt_input_close(f);
	if (st == GLT_OK)
		st = glt_import_check(cli, in, &err);
	return st == GLT_OK ? GLT_EXIT_OK : glt_cli_fail(cli, &err);
}

/* They were issued elsewhere, by other rules; whether they count here is what retroactive says. */
static void note_policy(const struct glt_cli *cli, const struct glt_import *in)
{
	struct glt_breach b[GLT_BREACHES];
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++)
		if (in->v[i].kind->table == GLT_TOKENS) {
			const void *token = in->v[i].m;
			const Glt__Token *t = token;

			n += t->state == GLT__STATE__LIVE && (!t->expires_at || t->expires_at > cli->now) &&
			     glt_policy_breaches(&cli->conf, t, b) > 0;
		}
	if (n > 0)
		glt_cli_say("%zu of the tokens %s the policy of this host, see gltoken policy check", n,
			    n == 1 ? "breaks" : "break");
}

static int put(struct glt_cli *cli, struct glt_import *in, bool dry_run)
{
	struct glt_change *c;
	struct glt_err err;
	struct glt_txn *txn;
	enum glt_status st;
	int rc = glt_cli_open(cli, true);

	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &txn, &c);
	if (rc != GLT_EXIT_OK)
		return rc;
	st = glt_import_put(cli, txn, c, in, &err);
	if (st == GLT_OK && dry_run) {
		glt_txn_end(txn);
		glt_change_free(c);
	} else {
		rc = glt_write_end(cli, txn, c, st, &err);
	}
	if (rc != GLT_EXIT_OK)
		return rc;
	glt_cli_say("%s %zu records.", dry_run ? "Would import" : "Imported", in->n);
	note_policy(cli, in);
	return glt_json_result(cli, json_pack("{s:I}", "records", (json_int_t)in->n), !dry_run && in->n > 0);
}

static void read_options(struct glt_cli *cli, int argc, char **argv, struct glt_import_from *from, bool *dry_run)
{
	struct glt_err err;
	int c;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		if (c == OPT_DRY_RUN) {
			*dry_run = true;
		} else if (c == OPT_RW) {
			from->rw_as_developer = true;
		} else if (c == OPT_USER) {
			glt_cli_once(cli, &from->user, "--user");
			glt_cli_require(cli, glt_account_name_check(from->user, &err), &err);
		} else {
			if (from->source)
				glt_cli_usage(
					cli,
					"one of --gitolite, --keydir, --htpasswd and --authorized-keys at a time");
			from->source = GLT_IMPORT_GITOLITE + (unsigned)(c - OPT_GITOLITE);
			from->file = optarg;
		}
	}
	if ((from->user != NULL) != (from->source == GLT_IMPORT_KEYS))
		glt_cli_usage(cli, "--authorized-keys FILE and --user USER go together");
	if (from->rw_as_developer && from->source != GLT_IMPORT_GITOLITE)
		glt_cli_usage(cli, "--rw-as-developer is for --gitolite");
}

int glt_cmd_import(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_import in = {.n = 0};
	struct glt_import_from from = {.source = GLT_IMPORT_EXPORT};
	bool dry_run = false;
	int rc;

	read_options(cli, argc, argv, &from, &dry_run);
	glt_cli_operands(cli, argc, argv, 0, from.source ? 0 : 1,
			 from.source ? "nothing beside that option" : "at most one FILE");
	if (from.source)
		return glt_import_from(cli, &from, dry_run);
	rc = load(cli, optind < argc ? argv[optind] : "-", &in);
	if (rc == GLT_EXIT_OK)
		rc = put(cli, &in, dry_run);
	glt_import_free(&in);
	return rc;
}
