/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "issue.h"
#include "issued.h"
#include "role.h"
#include "scope.h"
#include "select.h"
#include "target.h"
#include "tokens.h"
#include "when.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
	"Usage: gltoken issue --name NAME WHOM --scope SCOPE[,SCOPE...] [OPTION...]\n"
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
	"      --role ROLE          guest, planner, reporter, developer, maintainer or owner, or\n"
	"                           GitLab's number (--access-level is an alias)\n"
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
	"      --json               one JSON object, with the token\n" GLT_HELP_HELP;

enum {
	OPT_NAME = GLT_OPT_OWN,
	OPT_USER,
	OPT_PROJECT,
	OPT_GROUP,
	OPT_DEPLOY,
	OPT_SCOPE,
	OPT_ROLE,
	OPT_EXPIRES,
	OPT_NOT_BEFORE,
	OPT_ALLOW_FROM,
	OPT_ONLY_REPO,
	OPT_SERVICE,
	OPT_MAX_USES,
	OPT_USERNAME,
	OPT_DESCRIPTION,
	OPT_IF_ABSENT,
};

static const struct option options[] = {
	{"name", required_argument, NULL, OPT_NAME},
	{"user", required_argument, NULL, OPT_USER},
	{"project", required_argument, NULL, OPT_PROJECT},
	{"group", required_argument, NULL, OPT_GROUP},
	{"deploy", required_argument, NULL, OPT_DEPLOY},
	{"scope", required_argument, NULL, OPT_SCOPE},
	{"scopes", required_argument, NULL, OPT_SCOPE},
	{"role", required_argument, NULL, OPT_ROLE},
	{"access-level", required_argument, NULL, OPT_ROLE},
	{"expires", required_argument, NULL, OPT_EXPIRES},
	{"expires-at", required_argument, NULL, OPT_EXPIRES},
	{"not-before", required_argument, NULL, OPT_NOT_BEFORE},
	{"allow-from", required_argument, NULL, OPT_ALLOW_FROM},
	{"only-repo", required_argument, NULL, OPT_ONLY_REPO},
	{"service", required_argument, NULL, OPT_SERVICE},
	{"max-uses", required_argument, NULL, OPT_MAX_USES},
	{"username", required_argument, NULL, OPT_USERNAME},
	{"description", required_argument, NULL, OPT_DESCRIPTION},
	{"if-absent", no_argument, NULL, OPT_IF_ABSENT},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct args { /* as typed */
	const char *name, *target, *role, *expires, *not_before, *max_uses, *username, *description;
	Glt__Type type;
	struct glt_list scope, allow_from, only_repo, service;
	bool if_absent;
	char path[GLT_PATH_MAX + 1];
};

static void set_target(const struct glt_cli *cli, struct args *a, Glt__Type type)
{
	if (a->target)
		glt_cli_usage(cli, "only one of --user, --project, --group and --deploy may be given");
	a->type = type;
	a->target = optarg;
}

static void take_list(const struct glt_cli *cli, struct args *a, int c)
{
	switch (c) {
	case OPT_SCOPE:
		glt_list_split(cli, &a->scope, "--scope", optarg);
		break;
	case OPT_ALLOW_FROM:
		glt_list_split(cli, &a->allow_from, "--allow-from", optarg);
		break;
	case OPT_ONLY_REPO:
		glt_list_split(cli, &a->only_repo, "--only-repo", optarg);
		break;
	case OPT_SERVICE:
		glt_list_split(cli, &a->service, "--service", optarg);
		break;
	default:
		break;
	}
}

static void take(const struct glt_cli *cli, struct args *a, int c)
{
	switch (c) {
	case OPT_NAME:
		glt_cli_once(cli, &a->name, "--name");
		break;
	case OPT_USER:
		set_target(cli, a, GLT__TYPE__PERSONAL);
		break;
	case OPT_PROJECT:
		set_target(cli, a, GLT__TYPE__PROJECT);
		break;
	case OPT_GROUP:
		set_target(cli, a, GLT__TYPE__GROUP);
		break;
	case OPT_DEPLOY:
		set_target(cli, a, GLT__TYPE__DEPLOY);
		break;
	case OPT_ROLE:
		glt_cli_once(cli, &a->role, "--role");
		break;
	case OPT_EXPIRES:
		glt_cli_once(cli, &a->expires, "--expires");
		break;
	case OPT_NOT_BEFORE:
		glt_cli_once(cli, &a->not_before, "--not-before");
		break;
	case OPT_MAX_USES:
		glt_cli_once(cli, &a->max_uses, "--max-uses");
		break;
	case OPT_USERNAME:
		glt_cli_once(cli, &a->username, "--username");
		break;
	case OPT_DESCRIPTION:
		glt_cli_once(cli, &a->description, "--description");
		break;
	case OPT_IF_ABSENT:
		a->if_absent = true;
		break;
	default:
		take_list(cli, a, c);
	}
}

/* What must be there and what may not stand together. */
static void check(const struct glt_cli *cli, const struct args *a)
{
	bool roled = a->type == GLT__TYPE__PROJECT || a->type == GLT__TYPE__GROUP;

	if (!a->name)
		glt_cli_usage(cli, "--name is required");
	if (!a->target)
		glt_cli_usage(cli, "one of --user, --project, --group and --deploy is required");
	if (a->scope.n == 0)
		glt_cli_usage(cli, "--scope is required");
	if (roled && !a->role)
		glt_cli_usage(cli, "--role is required with --project and --group");
	if (!roled && a->role)
		glt_cli_usage(cli, "--role goes with --project and --group only");
	if (a->username && a->type != GLT__TYPE__DEPLOY)
		glt_cli_usage(cli, "--username goes with --deploy only");
}

static int64_t moment(const struct glt_cli *cli, const char *what, const char *text, int64_t otherwise)
{
	struct glt_err err;
	int64_t at;

	if (!text)
		return otherwise;
	glt_cli_require(cli, glt_when_parse(what, text, cli->now, &at, &err), &err);
	return at;
}

static void fill(const struct glt_cli *cli, struct args *a, struct glt_issue *req)
{
	struct glt_err err;

	*req = (struct glt_issue){.type = a->type,
				  .name = a->name,
				  .description = a->description,
				  .target = a->target,
				  .username = a->username,
				  .if_absent = a->if_absent,
				  .now = cli->now};
	glt_cli_require(cli, glt_name_check("--name", a->name, false, &err), &err);
	if (a->description)
		glt_cli_require(cli, glt_name_check("--description", a->description, true, &err), &err);
	if (a->type == GLT__TYPE__PERSONAL) {
		glt_cli_require(cli, glt_account_name_check(a->target, &err), &err);
	} else {
		glt_target_path(cli, a->target, a->path);
		req->target = a->path;
	}
	if (a->role)
		glt_cli_require(cli, glt_role_parse(a->role, &req->role, &err), &err);
	for (size_t i = 0; i < a->scope.n; i++) {
		uint64_t one;

		glt_cli_scopes(cli, glt_scopes_parse(a->scope.v[i], a->type, &one, &err), a->scope.v[i], &err);
		req->scopes |= one;
	}
	req->expires_at = moment(cli, "--expires", a->expires, GLT_EXPIRES_DEFAULT);
	req->not_before = moment(cli, "--not-before", a->not_before, 0);
	if (a->max_uses)
		req->max_uses = (uint32_t)glt_cli_number(cli, "--max-uses", a->max_uses, 1, UINT32_MAX);
	req->allow_from = a->allow_from.v;
	req->n_allow_from = a->allow_from.n;
	req->only_repo = a->only_repo.v;
	req->n_only_repo = a->only_repo.n;
	req->services = a->service.v;
	req->n_services = a->service.n;
}

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

int glt_cmd_issue(struct glt_cli *cli, int argc, char **argv)
{
	static const enum glt_target kinds[] = {[GLT__TYPE__PROJECT] = GLT_TARGET_PROJECT,
						[GLT__TYPE__GROUP] = GLT_TARGET_GROUP,
						[GLT__TYPE__DEPLOY] = GLT_TARGET_EITHER};
	struct args a = {0};
	struct glt_issue req;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1)
		take(cli, &a, c);
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	check(cli, &a);
	fill(cli, &a, &req);

	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK && !glt_issued_prepare(cli))
		rc = GLT_EXIT_UNAVAILABLE;
	if (rc == GLT_EXIT_OK && a.type != GLT__TYPE__PERSONAL)
		glt_target_note(cli, a.path, kinds[a.type]);
	if (rc == GLT_EXIT_OK)
		rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = issue(cli, &req);
	glt_list_free(&a.scope);
	glt_list_free(&a.allow_from);
	glt_list_free(&a.only_repo);
	glt_list_free(&a.service);
	return rc;
}
