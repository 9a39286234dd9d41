/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "issued.h"
#include "kinds.h"
#include "reap.h"
#include "select.h"
#include "tokens.h"
#include "view.h"

static const char help[] = "Usage: gltoken reap [--dry-run] [--json]\n"
			   "\n"
			   "Remove tokens that were revoked, replaced or have expired longer ago than [policy]\n"
			   "retention_days says. Bots and robots go with their last token. The audit log stays.\n"
			   "\n"
			   "      --dry-run            only list them\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_DRY_RUN = GLT_OPT_OWN };

static const struct option options[] = {
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct report {
	const struct glt_cli *cli;
	struct glt_out *out; /* NULL: as text */
	bool dry_run;
	size_t accounts;
};

static void removed(void *arg, const Glt__Token *t, int64_t died, bool account_gone)
{
	struct report *r = arg;
	char brief[700], since[GLT_LOCAL_TEXT];

	r->accounts += account_gone;
	if (r->out) {
		json_t *o = glt_token_json(r->cli, t, glt_user_id(r->cli->store, t));

		(void)json_object_set_new(o, "died_at", glt_json_time(died));
		glt_out_json(r->out, o);
		return;
	}
	glt_token_brief(t, brief, sizeof(brief));
	glt_when_local(died, false, since);
	glt_cli_say("%s token %s: %s since %s%s%s.", r->dry_run ? "Would remove" : "Removed", brief,
		    glt_token_state(t, r->cli->now), since, account_gone ? ", and with it " : "",
		    account_gone ? t->owner : "");
}

static int reap(struct glt_cli *cli, struct report *r)
{
	struct glt_reap what = {
		.before = cli->now - (int64_t)cli->conf.retention_days * 86400,
		.now = cli->now,
		.dry_run = r->dry_run,
		.actor = cli->actor,
		.fn = removed,
		.arg = r,
	};
	struct glt_err err;
	enum glt_status st = glt_reap(cli->store, &what, &err);
	int rc = GLT_EXIT_OK;

	glt_cli_close(cli);
	if (r->out && !glt_out_print(r->out))
		rc = GLT_EXIT_UNAVAILABLE;
	glt_cli_say("%zu %s, %zu accounts of bots and robots with them.", what.removed,
		    r->dry_run ? "tokens to remove" : "tokens removed", r->accounts);
	if (what.damaged) {
		glt_cli_warn(cli, "%zu damaged records were left alone: run gltoken check", what.damaged);
		rc = GLT_EXIT_UNAVAILABLE;
	}
	return st == GLT_OK ? rc : glt_cli_fail(cli, &err);
}

int glt_cmd_reap(struct glt_cli *cli, int argc, char **argv)
{
	struct report r = {.cli = cli};
	struct glt_err err;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		r.dry_run = true;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_open(cli, !r.dry_run);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (!r.dry_run && glt_kinds_rebuild(cli->store, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	if (cli->format == GLT_FORMAT_JSON)
		r.out = glt_out_new(cli, NULL, 0);
	if (cli->conf.retention_days > 0)
		return reap(cli, &r);
	glt_cli_say("Nothing is removed: [policy] retention_days = 0.");
	return !r.out || glt_out_print(r.out) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
}
