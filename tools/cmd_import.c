/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "import.h"
#include "input.h"
#include "policy.h"
#include "records.h"
#include "table.h"

#include <stdio.h>

static const char help[] =
	"Usage: gltoken import [FILE] [--dry-run] [--json]\n"
	"\n"
	"Add what 'gltoken export' printed on another host, from FILE or standard input: all of it,\n"
	"or nothing where something is there already. Numbers stay as they were. Accounts are\n"
	"found by their names.\n"
	"\n"
	"      --dry-run            check everything, change nothing\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_DRY_RUN = GLT_OPT_OWN };

static const struct option options[] = {
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
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

int glt_cmd_import(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_import in = {.n = 0};
	bool dry_run = false;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		dry_run = true;
	glt_cli_operands(cli, argc, argv, 0, 1, "at most one FILE");
	rc = load(cli, optind < argc ? argv[optind] : "-", &in);
	if (rc == GLT_EXIT_OK)
		rc = put(cli, &in, dry_run);
	glt_import_free(&in);
	return rc;
}
