/* SPDX-License-Identifier: MIT */
#include "issue_args.h"

#include "role.h"
#include "scope.h"
#include "target.h"
#include "when.h"

#include <string.h>

static void set_target(const struct glt_cli *cli, struct glt_issue_args *a, Glt__Type type)
{
	if (a->target)
		glt_cli_usage(cli, "only one of --user, --project, --group and --deploy may be given");
	a->type = type;
	a->target = optarg;
}

static void take_list(const struct glt_cli *cli, struct glt_issue_args *a, int c)
{
	switch (c) {
	case GLT_ISSUE_SCOPE:
		glt_list_split(cli, &a->scope, "--scope", optarg);
		break;
	case GLT_ISSUE_ALLOW_FROM:
		glt_list_split(cli, &a->allow_from, "--allow-from", optarg);
		break;
	case GLT_ISSUE_ONLY_REPO:
		glt_list_split(cli, &a->only_repo, "--only-repo", optarg);
		break;
	case GLT_ISSUE_SERVICE:
		glt_list_split(cli, &a->service, "--service", optarg);
		break;
	default:
		break;
	}
}

void glt_issue_arg(const struct glt_cli *cli, struct glt_issue_args *a, int c)
{
	switch (c) {
	case GLT_ISSUE_NAME:
		glt_cli_once(cli, &a->name, "--name");
		break;
	case GLT_ISSUE_USER:
		set_target(cli, a, GLT__TYPE__PERSONAL);
		break;
	case GLT_ISSUE_PROJECT:
		set_target(cli, a, GLT__TYPE__PROJECT);
		break;
	case GLT_ISSUE_GROUP:
		set_target(cli, a, GLT__TYPE__GROUP);
		break;
	case GLT_ISSUE_DEPLOY:
		set_target(cli, a, GLT__TYPE__DEPLOY);
		break;
	case GLT_ISSUE_ROLE:
		glt_cli_once(cli, &a->role, "--role");
		break;
	case GLT_ISSUE_EXPIRES:
		glt_cli_once(cli, &a->expires, "--expires");
		break;
	case GLT_ISSUE_NOT_BEFORE:
		glt_cli_once(cli, &a->not_before, "--not-before");
		break;
	case GLT_ISSUE_MAX_USES:
		glt_cli_once(cli, &a->max_uses, "--max-uses");
		break;
	case GLT_ISSUE_USERNAME:
		glt_cli_once(cli, &a->username, "--username");
		break;
	case GLT_ISSUE_DESCRIPTION:
		glt_cli_once(cli, &a->description, "--description");
		break;
	case GLT_ISSUE_IF_ABSENT:
		a->if_absent = true;
		break;
	default:
		take_list(cli, a, c);
	}
}

/* What must be there and what may not stand together. */
static void check(const struct glt_cli *cli, const struct glt_issue_args *a)
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

void glt_issue_args_fill(const struct glt_cli *cli, struct glt_issue_args *a, struct glt_issue *req)
{
	struct glt_err err;

	check(cli, a);
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

void glt_issue_args_default(struct glt_issue_args *a, const struct glt_issue_args *usual)
{
	const char **own[] = {&a->role,     &a->expires,     &a->not_before, &a->max_uses,
			      &a->username, &a->description, &a->name};
	const char *const theirs[] = {usual->role,     usual->expires,     usual->not_before, usual->max_uses,
				      usual->username, usual->description, usual->name};
	struct glt_list *lists[] = {&a->scope, &a->allow_from, &a->only_repo, &a->service};
	const struct glt_list *const usual_lists[] = {&usual->scope, &usual->allow_from, &usual->only_repo,
						      &usual->service};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!*own[i])
			*own[i] = theirs[i];
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (lists[i]->n == 0)
			*lists[i] = *usual_lists[i];
	if (!a->target) {
		a->target = usual->target;
		a->type = usual->type;
	}
}
