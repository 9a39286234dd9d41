/* SPDX-License-Identifier: MIT */
/* What `gltoken issue` is told about a token: on its command line, or in one row of a file. */
#ifndef GLT_ISSUE_ARGS_H
#define GLT_ISSUE_ARGS_H

#include "cli.h"
#include "issue.h"
#include "text.h"

enum {
	GLT_ISSUE_NAME = GLT_OPT_OWN,
	GLT_ISSUE_USER,
	GLT_ISSUE_PROJECT,
	GLT_ISSUE_GROUP,
	GLT_ISSUE_DEPLOY,
	GLT_ISSUE_SCOPE,
	GLT_ISSUE_ROLE,
	GLT_ISSUE_EXPIRES,
	GLT_ISSUE_NOT_BEFORE,
	GLT_ISSUE_ALLOW_FROM,
	GLT_ISSUE_ONLY_REPO,
	GLT_ISSUE_SERVICE,
	GLT_ISSUE_MAX_USES,
	GLT_ISSUE_USERNAME,
	GLT_ISSUE_DESCRIPTION,
	GLT_ISSUE_IF_ABSENT,
	GLT_ISSUE_OWN, /* options of the command beyond those of a token */
};

struct glt_issue_args { /* as typed */
	const char *name, *target, *role, *expires, *not_before, *max_uses, *username, *description;
	Glt__Type type;
	struct glt_list scope, allow_from, only_repo, service;
	bool if_absent;
	char path[GLT_PATH_MAX + 1];
};

/* The value of one option, which is in optarg; exits 2 where it cannot be. */
void glt_issue_arg(const struct glt_cli *cli, struct glt_issue_args *a, int option);
/* Where a says nothing, take what usual says. Lists are shared, not copied. */
void glt_issue_args_default(struct glt_issue_args *a, const struct glt_issue_args *usual);
/* Exits 2 where a required one is missing or two may not stand together; then fills the request, which points into a. */
void glt_issue_args_fill(const struct glt_cli *cli, struct glt_issue_args *a, struct glt_issue *req);

#endif
