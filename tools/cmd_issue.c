/* SPDX-License-Identifier: MIT */
#include "bulk.h"
#include "cmds.h"
#include "issue_args.h"
#include "issued.h"
#include "select.h"
#include "target.h"
#include "tokens.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
	"Usage: gltoken issue --name NAME WHOM --scope SCOPE[,SCOPE...] [OPTION...]\n"
	"       gltoken issue (--count N | --from-file FILE) --output FILE [OPTION...]\n"
	"       (create is an alias)\n"
	"\n"
	"Issue a token. It alone is printed on stdout, all else on stderr. It is shown this\n"
	"once: the store keeps only a hash of it.\n"
	"\n"
	"Whom it is for, one of:\n"
	"      --user USER          personal: acts as USER, with USER's role on each project\n"
	"      --project PATH       a bot with --role on that project\n"
	"      --group PATH         a bot with --role on all projects below PATH\n"
	"      --deploy PATH        a robot that reads, or by scope writes, a project or group\n"
	"\n"
	"      --name NAME          name of the token, unique among the live ones of its holder\n"
	"      --scope SCOPE,...    read_repository, write_repository, read_api, api, ...; may\n"
	"                           repeat\n"
	"      --role ROLE          guest, planner, reporter, security_manager, developer, maintainer\n"
	"                           or owner, or GitLab's number (--access-level is an alias)\n"
	"      --expires WHEN       2027-01-31 (00:00 UTC on that date), 2027-01-31T12:00:00Z,\n"
	"                           30d, 12h or never (--expires-at is an alias); without it\n"
	"                           default_lifetime of gltoken.conf counts\n"
	"      --not-before WHEN    not valid until then\n"
	"      --allow-from CIDR,.. only from these addresses\n"
	"      --only-repo GLOB,... only for these repositories; * stops at /, ** does not\n"
	"      --service NAME,...   only through these services: sshd, http, ...\n"
	"      --max-uses N         good for N logins\n"
	"      --username NAME      the robot's name, with --deploy\n"
	"      --description TEXT\n"
	"      --if-absent          if the holder has a live token of that name, do nothing;\n"
	"                           stdout stays empty then\n"
	"      --json               one JSON object, with the token\n"
	"\n"
	"Many at once, on all CPUs:\n"
	"      --count N            N tokens, called NAME-1 to NAME-N\n"
	"      --from-file FILE     one a row of a CSV file, whose first row names the columns\n"
	"                           (name, user, scope, ...: the options above), or of a file\n"
	"                           of JSON objects; what a row leaves out is as given here\n"
	"      --output FILE        make FILE, mode 0600, with id, holder, name and token of each\n"
	"      --resume             go on where an earlier run with the same FILEs ended\n"
	"      --dry-run            check all rows, and do nothing\n" GLT_HELP_HELP;

enum { OPT_COUNT = GLT_ISSUE_OWN, OPT_FROM_FILE, OPT_OUTPUT, OPT_RESUME, OPT_DRY_RUN };

static const struct option options[] = {
	{"name", required_argument, NULL, GLT_ISSUE_NAME},
	{"user", required_argument, NULL, GLT_ISSUE_USER},
	{"project", required_argument, NULL, GLT_ISSUE_PROJECT},
	{"group", required_argument, NULL, GLT_ISSUE_GROUP},
	{"deploy", required_argument, NULL, GLT_ISSUE_DEPLOY},
	{"scope", required_argument, NULL, GLT_ISSUE_SCOPE},
	{"scopes", required_argument, NULL, GLT_ISSUE_SCOPE},
	{"role", required_argument, NULL, GLT_ISSUE_ROLE},
	{"access-level", required_argument, NULL, GLT_ISSUE_ROLE},
	{"expires", required_argument, NULL, GLT_ISSUE_EXPIRES},
	{"expires-at", required_argument, NULL, GLT_ISSUE_EXPIRES},
	{"not-before", required_argument, NULL, GLT_ISSUE_NOT_BEFORE},
	{"allow-from", required_argument, NULL, GLT_ISSUE_ALLOW_FROM},
	{"only-repo", required_argument, NULL, GLT_ISSUE_ONLY_REPO},
	{"service", required_argument, NULL, GLT_ISSUE_SERVICE},
	{"max-uses", required_argument, NULL, GLT_ISSUE_MAX_USES},
	{"username", required_argument, NULL, GLT_ISSUE_USERNAME},
	{"description", required_argument, NULL, GLT_ISSUE_DESCRIPTION},
	{"if-absent", no_argument, NULL, GLT_ISSUE_IF_ABSENT},
	{"count", required_argument, NULL, OPT_COUNT},
	{"from-file", required_argument, NULL, OPT_FROM_FILE},
	{"output", required_argument, NULL, OPT_OUTPUT},
	{"resume", no_argument, NULL, OPT_RESUME},
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

static int issue(struct glt_cli *cli, struct glt_issue *req)
{
	char text[GLT_TOKEN_MAX + 1] = "";
	Glt__Token *t = NULL;
	struct glt_err err;
	enum glt_status st;
	int rc;

	req->actor = cli->actor;
	st = glt_issue(cli->store, &cli->conf, req, &t, text, &err);
	if (st == GLT_OK) {
		rc = glt_issued_print(cli, t, glt_user_id(cli->store, t), text);
	} else if (st == GLT_EXISTS && req->if_absent && t) {
		char brief[700];

		glt_token_brief(t, brief, sizeof(brief));
		glt_cli_say("Unchanged: there is token %s.", brief);
		rc = glt_issued_print(cli, t, glt_user_id(cli->store, t), NULL);
	} else {
		rc = glt_cli_fail(cli, &err);
	}
	glt_token_free(t);
	return rc;
}

static int issue_one(struct glt_cli *cli, struct glt_issue_args *a)
{
	static const enum glt_target kinds[] = {[GLT__TYPE__PROJECT] = GLT_TARGET_PROJECT,
						[GLT__TYPE__GROUP] = GLT_TARGET_GROUP,
						[GLT__TYPE__DEPLOY] = GLT_TARGET_EITHER};
	struct glt_issue req;
	int rc;

	glt_issue_args_fill(cli, a, &req);
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK && !glt_issued_prepare(cli))
		rc = GLT_EXIT_UNAVAILABLE;
	if (rc == GLT_EXIT_OK && a->type != GLT__TYPE__PERSONAL)
		glt_target_note(cli, a->path, kinds[a->type]);
	if (rc == GLT_EXIT_OK)
		rc = glt_cli_open(cli, true);
	return rc == GLT_EXIT_OK ? issue(cli, &req) : rc;
}

static void check_many(const struct glt_cli *cli, const struct glt_bulk *b)
{
	if (b->count && b->from_file)
		glt_cli_usage(cli, "only one of --count and --from-file may be given");
	if (!b->count && !b->from_file && (b->output || b->resume || b->dry_run))
		glt_cli_usage(cli, "--output, --resume and --dry-run go with --count and --from-file only");
	if ((b->count || b->from_file) && !b->output && !b->dry_run)
		glt_cli_usage(cli, "--output is required with --count and --from-file: the tokens go there");
	if ((b->count || b->from_file) && b->usual->if_absent)
		glt_cli_usage(cli, "--if-absent goes with one token only");
}

int glt_cmd_issue(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_issue_args a = {0};
	struct glt_bulk bulk = {.options = options, .usual = &a};
	const char *count = NULL;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		if (c == OPT_COUNT)
			glt_cli_once(cli, &count, "--count");
		else if (c == OPT_FROM_FILE)
			glt_cli_once(cli, &bulk.from_file, "--from-file");
		else if (c == OPT_OUTPUT)
			glt_cli_once(cli, &bulk.output, "--output");
		else if (c == OPT_RESUME)
			bulk.resume = true;
		else if (c == OPT_DRY_RUN)
			bulk.dry_run = true;
		else
			glt_issue_arg(cli, &a, c);
	}
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	if (count)
		bulk.count = glt_cli_number(cli, "--count", count, 1, 100000000);
	check_many(cli, &bulk);
	rc = bulk.count || bulk.from_file ? glt_bulk_issue(cli, &bulk) : issue_one(cli, &a);
	glt_list_free(&a.scope);
	glt_list_free(&a.allow_from);
	glt_list_free(&a.only_repo);
	glt_list_free(&a.service);
	return rc;
}
