/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "edit.h"
#include "issued.h"
#include "named.h"
#include "scan.h"
#include "select.h"
#include "table.h"
#include "target.h"
#include "term.h"
#include "tokens.h"
#include "view.h"
#include "when.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken revoke ID... [OPTION...]\n"
	"       gltoken revoke (--user U | --project P | --group G | --family ID | --issued-before T)\n"
	"       gltoken revoke --stdin\n"
	"\n"
	"Revoke tokens, for good; counts at their next request. ID is a number or OWNER/NAME.\n"
	"\n"
	"      --user USER          all that act as USER\n"
	"      --project PATH       all project and deploy tokens of that project\n"
	"      --group PATH         all group and deploy tokens of that group\n"
	"      --family ID          the token and all that it was rotated from and to\n"
	"      --stdin              all that stand anywhere in the text on standard input; only\n"
	"                           those with the right secret are revoked\n"
	"      --issued-before T    of the tokens named, or of all, those issued before T\n"
	"      --reason TEXT        why; kept in the record and the audit log\n"
	"      --dry-run            say what would be revoked, change nothing\n"
	"      --yes                do not ask; at a terminal it asks before more than one that\n"
	"                           was not named by ID, or more than ten, are revoked\n"
	"      --json               the tokens that were revoked\n" GLT_HELP_HELP;

enum {
	OPT_USER = GLT_OPT_OWN,
	OPT_PROJECT,
	OPT_GROUP,
	OPT_FAMILY,
	OPT_STDIN,
	OPT_BEFORE,
	OPT_REASON,
	OPT_DRY_RUN,
	OPT_YES
};

static const struct option options[] = {
	{"user", required_argument, NULL, OPT_USER},
	{"project", required_argument, NULL, OPT_PROJECT},
	{"group", required_argument, NULL, OPT_GROUP},
	{"family", required_argument, NULL, OPT_FAMILY},
	{"stdin", no_argument, NULL, OPT_STDIN},
	{"issued-before", required_argument, NULL, OPT_BEFORE},
	{"reason", required_argument, NULL, OPT_REASON},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	{"yes", no_argument, NULL, OPT_YES},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct args {
	const char *user, *project, *group, *family, *before, *reason;
	bool from_stdin, dry_run, yes;
	char path[GLT_PATH_MAX + 1];
	struct glt_select select;
	int first, last; /* operands */
};

static void take(const struct glt_cli *cli, struct args *a, int c)
{
	switch (c) {
	case OPT_USER:
		glt_cli_once(cli, &a->user, "--user");
		break;
	case OPT_PROJECT:
		glt_cli_once(cli, &a->project, "--project");
		break;
	case OPT_GROUP:
		glt_cli_once(cli, &a->group, "--group");
		break;
	case OPT_FAMILY:
		glt_cli_once(cli, &a->family, "--family");
		break;
	case OPT_STDIN:
		a->from_stdin = true;
		break;
	case OPT_BEFORE:
		glt_cli_once(cli, &a->before, "--issued-before");
		break;
	case OPT_REASON:
		glt_cli_once(cli, &a->reason, "--reason");
		break;
	case OPT_YES:
		a->yes = true;
		break;
	default:
		a->dry_run = true;
	}
}

static void check(const struct glt_cli *cli, struct args *a)
{
	const int ways = (a->user != NULL) + (a->project != NULL) + (a->group != NULL) + (a->family != NULL) +
			 a->from_stdin + (a->first < a->last);
	struct glt_err err;

	if (ways > 1)
		glt_cli_usage(cli,
			      "only one of ID..., --user, --project, --group, --family and --stdin may be given");
	if (ways == 0 && !a->before)
		glt_cli_usage(cli,
			      "say what to revoke: ID..., --user, --project, --group, --family, --issued-before or "
			      "--stdin");
	a->select.now = cli->now;
	if (a->user)
		glt_cli_require(cli, glt_account_name_check(a->user, &err), &err);
	a->select.owner = a->user;
	if (a->project || a->group) {
		glt_target_path(cli, a->project ? a->project : a->group, a->path);
		a->select.path = a->path;
		a->select.types =
			1u << GLT__TYPE__DEPLOY | 1u << (a->project ? GLT__TYPE__PROJECT : GLT__TYPE__GROUP);
	}
	if (a->before)
		glt_cli_require(cli,
				glt_when_parse("--issued-before", a->before, cli->now, &a->select.issued_before,
					       &err),
				&err);
	if (a->before && a->select.issued_before == GLT_WHEN_NEVER)
		glt_cli_usage(cli, "--issued-before 'never': must be a moment");
	if (a->reason)
		glt_cli_require(cli, glt_name_check("--reason", a->reason, true, &err), &err);
}

/* ---- the tokens that were meant ---- */

static void keep(struct glt_found *found, Glt__Token *t)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->token[i]->id == t->id) {
			glt_token_free(t);
			return;
		}
	if (found->n == found->room) {
		found->room = found->room ? found->room * 2 : 16;
		found->token = glt_cli_alloc(found->token, found->room, sizeof(*found->token));
	}
	found->token[found->n++] = t;
}

/* All of them or none: a typo must not leave half of the work done. */
static int by_operands(const struct glt_cli *cli, const struct args *a, char **argv, struct glt_found *found)
{
	int rc = GLT_EXIT_OK;

	for (int i = a->first; i < a->last; i++) {
		Glt__Token *t;
		int one = glt_named_load(cli, argv[i], &t);

		if (one > rc)
			rc = one;
		if (one == GLT_EXIT_OK && (!a->before || t->created_at < a->select.issued_before))
			keep(found, t);
		else
			glt_token_free(t);
	}
	if (rc != GLT_EXIT_OK && a->last - a->first > 1)
		glt_cli_warn(cli, "nothing was revoked");
	return rc;
}

static int by_stdin(struct glt_cli *cli, const struct args *a, struct glt_found *found)
{
	size_t real = 0, dead = 0, wrong = 0, unknown = 0;
	struct glt_sightings seen;
	int rc = glt_scan_verify(cli, &seen);

	for (size_t i = 0; rc == GLT_EXIT_OK && i < seen.n; i++) {
		struct glt_sighting *one = &seen.v[i];

		real += one->state == GLT_PRESENTED_REAL;
		wrong += one->state == GLT_PRESENTED_WRONG;
		unknown += one->state == GLT_PRESENTED_UNKNOWN;
		if (one->state != GLT_PRESENTED_REAL)
			continue;
		dead += !glt_token_active(one->record, cli->now);
		if (!a->before || one->record->created_at < a->select.issued_before) {
			keep(found, one->record);
			one->record = NULL;
		}
	}
	if (rc == GLT_EXIT_OK)
		glt_cli_say(
			"Found %zu token texts: %zu real (%zu of them dead already), %zu with a wrong secret, %zu unknown.",
			seen.n, real, dead, wrong, unknown);
	if (rc == GLT_EXIT_OK && real == 0)
		rc = GLT_EXIT_DENIED;
	glt_sightings_free(&seen);
	return rc;
}

/* A typo is told apart from "none of them is that old". */
static int none_found(const struct glt_cli *cli, const struct args *a)
{
	struct glt_select any = a->select;
	struct glt_found found;
	struct glt_err err;
	size_t n;

	any.issued_before = 0;
	any.limit = 1;
	if (glt_select(cli->store, &any, &found, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	n = found.n;
	glt_found_free(&found);
	if (n > 0)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "no such token was ever issued");
	return GLT_EXIT_DENIED;
}

static int by_selection(const struct glt_cli *cli, struct args *a, struct glt_found *found)
{
	struct glt_err err;

	if (a->family) {
		Glt__Token *t;
		int rc = glt_named_load(cli, a->family, &t);

		if (rc != GLT_EXIT_OK)
			return rc;
		a->select.family = t->family;
		glt_token_free(t);
	}
	if (glt_select(cli->store, &a->select, found, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	if (found->n > 0 || found->damaged)
		return GLT_EXIT_OK;
	return none_found(cli, a);
}

/* ---- the deed ---- */

static void report(const struct glt_cli *cli, struct glt_out *out, const Glt__Token *t, bool dry_run)
{
	char brief[700];

	if (out) {
		glt_out_json(out, glt_token_json(cli, t, glt_user_id(cli->store, t)));
		return;
	}
	glt_token_brief(t, brief, sizeof(brief));
	glt_cli_say("%s token %s.", dry_run ? "Would revoke" : "Revoked", brief);
}

/* Who revokes the newest of a name may not think of the one before it, which an overlap keeps alive. */
static void note_overlap(const struct glt_cli *cli, const Glt__Token *t)
{
	Glt__Token *before = NULL;
	char until[GLT_LOCAL_TEXT];
	struct glt_txn *txn;

	if (!t->previous || glt_txn_begin(cli->store, false, &txn, NULL) != GLT_OK)
		return;
	(void)glt_token_load(txn, t->previous, &before, NULL);
	glt_txn_end(txn);
	if (before && before->state == GLT__STATE__LIVE && before->overlap_end > cli->now) {
		glt_when_local(before->overlap_end, false, until);
		glt_cli_warn(cli, "note: token %llu, which it replaced, works until %s: gltoken revoke %llu",
			     (unsigned long long)before->id, until, (unsigned long long)before->id);
	}
	glt_token_free(before);
}

#define MANY 10

/* A script is not asked: there is nobody to answer. */
static bool agreed(const struct args *a, const struct glt_found *found)
{
	const bool named = a->first < a->last;
	size_t live = 0;

	for (size_t i = 0; i < found->n; i++)
		live += found->token[i]->state != GLT__STATE__REVOKED;
	if (a->yes || a->dry_run || a->from_stdin || live <= (named ? MANY : 1) || !isatty(STDIN_FILENO))
		return true;
	return glt_agreed("Revoke %zu tokens, for good?", live);
}

static int declined(const struct glt_cli *cli)
{
	glt_cli_warn(cli, "nothing was revoked");
	return GLT_EXIT_DENIED;
}

/* Returns the worst exit status; goes on after a failure, for each token that is dead is one less. */
static int revoke_all(const struct glt_cli *cli, const struct args *a, const struct glt_found *found)
{
	const struct glt_edit edit = {.what = GLT_EDIT_REVOKE, .text = a->reason};
	struct glt_out *out = cli->format == GLT_FORMAT_JSON ? glt_out_new(cli, NULL, 0) : NULL;
	size_t done = 0, dead = 0;
	int rc = GLT_EXIT_OK;

	for (size_t i = 0; i < found->n; i++) {
		const Glt__Token *t = found->token[i];
		Glt__Token *now = NULL;
		struct glt_err err;
		int one = GLT_EXIT_OK;

		if (t->state == GLT__STATE__REVOKED) {
			dead++;
			continue;
		}
		if (!a->dry_run && glt_token_edit(cli->store, &cli->conf, t->id, &edit, 1, cli->actor, cli->now,
						  &now, &err) != GLT_OK)
			one = glt_cli_fail(cli, &err);
		if (one == GLT_EXIT_OK) {
			report(cli, out, now ? now : t, a->dry_run);
			done++;
		}
		if (one > rc)
			rc = one;
		glt_token_free(now);
	}
	if (out && !glt_out_print(out))
		rc = GLT_EXIT_UNAVAILABLE;
	for (size_t i = 0; i < found->n && !a->dry_run; i++)
		note_overlap(cli, found->token[i]);
	if (found->n == 1 && dead == 1)
		glt_cli_warn(cli, "Token already revoked");
	else
		glt_cli_say("%zu %s, %zu revoked before.", done, a->dry_run ? "to revoke" : "revoked", dead);
	/* Who names a token wants to know that there was nothing to do. */
	if (rc == GLT_EXIT_OK && a->first < a->last && dead > 0)
		rc = GLT_EXIT_DENIED;
	return rc;
}

int glt_cmd_revoke(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_found found = {0};
	struct args a = {0};
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1)
		take(cli, &a, c);
	a.first = optind;
	a.last = argc;
	check(cli, &a);
	rc = glt_cli_open(cli, !a.dry_run);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (a.from_stdin)
		rc = by_stdin(cli, &a, &found);
	else if (a.first < a.last)
		rc = by_operands(cli, &a, argv, &found);
	else
		rc = by_selection(cli, &a, &found);
	if (rc == GLT_EXIT_OK)
		rc = agreed(&a, &found) ? revoke_all(cli, &a, &found) : declined(cli);
	if (found.damaged) {
		glt_cli_warn(cli, "%zu damaged records were left out: they are denied already; run gltoken check",
			     found.damaged);
		rc = GLT_EXIT_UNAVAILABLE;
	}
	glt_found_free(&found);
	return rc;
}
