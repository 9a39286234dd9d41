/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "scope.h"
#include "select.h"
#include "target.h"
#include "tokens.h"
#include "view.h"
#include "when.h"

#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: gltoken list [OPTION...]\n"
	"\n"
	"List tokens: the active ones, unless --state says otherwise.\n"
	"\n"
	"      --user USER          that act as USER\n"
	"      --project PATH       project and deploy tokens of that project\n"
	"      --group PATH         group and deploy tokens of that group\n"
	"      --type TYPE          personal, project, group or deploy\n"
	"      --scope SCOPE,...    that have all of these scopes\n"
	"      --state STATE        active, inactive, revoked, expired or all\n"
	"      --expires-within SPAN  that expire in the next 30d, 12h, ...\n"
	"      --sort COLUMN        id, name, user, type, state, created_at or expires_at;\n"
	"                           -COLUMN for the other way round\n"
	"      --limit N            the first N only\n"
	"      --after ID           only ids above that: the next page\n" GLT_HELP_LIST GLT_HELP_HELP;

enum {
	OPT_USER = GLT_OPT_OWN,
	OPT_PROJECT,
	OPT_GROUP,
	OPT_TYPE,
	OPT_SCOPE,
	OPT_STATE,
	OPT_WITHIN,
	OPT_SORT,
	OPT_LIMIT,
	OPT_AFTER
};

static const struct option options[] = {
	{"user", required_argument, NULL, OPT_USER},
	{"project", required_argument, NULL, OPT_PROJECT},
	{"group", required_argument, NULL, OPT_GROUP},
	{"type", required_argument, NULL, OPT_TYPE},
	{"scope", required_argument, NULL, OPT_SCOPE},
	{"state", required_argument, NULL, OPT_STATE},
	{"expires-within", required_argument, NULL, OPT_WITHIN},
	{"sort", required_argument, NULL, OPT_SORT},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"after", required_argument, NULL, OPT_AFTER},
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

/* ---- order ---- */

struct item {
	const Glt__Token *t;
	uint64_t user_id;
	int64_t now;
};

static int order(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int64_t or_last(int64_t when)
{
	return when ? when : INT64_MAX; /* what never expires comes last */
}

#define COMPARE(fn, what)                                                   \
	static int fn(const void *x, const void *y)                         \
	{                                                                   \
		const struct item *a = x, *b = y;                           \
		int c = what;                                               \
		return c ? c : order((int64_t)a->t->id, (int64_t)b->t->id); \
	}
COMPARE(by_id, 0)
COMPARE(by_name, strcmp(a->t->name, b->t->name))
COMPARE(by_user, strcmp(a->t->owner, b->t->owner))
COMPARE(by_type, order(a->t->type, b->t->type))
COMPARE(by_state, strcmp(glt_token_state(a->t, a->now), glt_token_state(b->t, b->now)))
COMPARE(by_created, order(a->t->created_at, b->t->created_at))
COMPARE(by_expiry, order(or_last(a->t->expires_at), or_last(b->t->expires_at)))

static const struct {
	const char *name;
	int (*compare)(const void *, const void *);
} columns[] = {{"id", by_id},       {"name", by_name},          {"user", by_user},        {"type", by_type},
	       {"state", by_state}, {"created_at", by_created}, {"expires_at", by_expiry}};

/* ---- command line ---- */

struct args {
	struct glt_select select;
	char path[GLT_PATH_MAX + 1];
	int (*compare)(const void *, const void *);
	bool backwards;
	size_t limit;
};

static void set_path(const struct glt_cli *cli, struct args *a, Glt__Type type)
{
	if (a->select.path)
		glt_cli_usage(cli, "only one of --project and --group may be given");
	glt_target_path(cli, optarg, a->path);
	a->select.path = a->path;
	a->select.types = 1u << type | 1u << GLT__TYPE__DEPLOY;
}

static unsigned type_bit(const struct glt_cli *cli)
{
	const Glt__Type type = glt_type_parse(optarg);

	if (type != GLT__TYPE__TYPE_NONE)
		return 1u << type;
	glt_cli_usage(cli, "unknown type '%.64s': must be personal, project, group or deploy", optarg);
}

static enum glt_which which(const struct glt_cli *cli)
{
	static const char *const names[] = {[GLT_WHICH_ALL] = "all",
					    [GLT_WHICH_ACTIVE] = "active",
					    [GLT_WHICH_INACTIVE] = "inactive",
					    [GLT_WHICH_REVOKED] = "revoked",
					    [GLT_WHICH_EXPIRED] = "expired"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(optarg, names[i]) == 0)
			return (enum glt_which)i;
	glt_cli_usage(cli, "unknown state '%.64s': must be active, inactive, revoked, expired or all", optarg);
}

static void set_order(const struct glt_cli *cli, struct args *a)
{
	const char *name = optarg;

	a->backwards = *name == '-';
	name += a->backwards;
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if (strcmp(name, columns[i].name) == 0) {
			a->compare = columns[i].compare;
			return;
		}
	glt_cli_usage(cli, "cannot sort by '%.64s': must be id, name, user, type, state, created_at or expires_at",
		      name);
}

static uint64_t scopes(const struct glt_cli *cli)
{
	struct glt_list names = {0};
	uint64_t all = 0;

	glt_list_split(cli, &names, "--scope", optarg);
	for (size_t i = 0; i < names.n; i++) {
		enum glt_scope one;
		struct glt_err err;

		glt_cli_scopes(cli, glt_scope_parse_one(names.v[i], &one, &err), names.v[i], &err);
		all |= GLT_SCOPE_BIT(one);
	}
	glt_list_free(&names);
	return all;
}

static void take(const struct glt_cli *cli, struct args *a, int c, unsigned *types)
{
	struct glt_select *s = &a->select;
	struct glt_err err;
	int64_t span;

	switch (c) {
	case OPT_USER:
		glt_cli_once(cli, &s->owner, "--user");
		glt_cli_require(cli, glt_account_name_check(optarg, &err), &err);
		break;
	case OPT_PROJECT:
	case OPT_GROUP:
		set_path(cli, a, c == OPT_PROJECT ? GLT__TYPE__PROJECT : GLT__TYPE__GROUP);
		break;
	case OPT_TYPE:
		*types |= type_bit(cli);
		break;
	case OPT_SCOPE:
		s->scopes |= scopes(cli);
		break;
	case OPT_STATE:
		s->which = which(cli);
		break;
	case OPT_WITHIN:
		glt_cli_require(cli, glt_span_parse("--expires-within", optarg, &span, &err), &err);
		s->expires_by = cli->now + span;
		break;
	case OPT_SORT:
		set_order(cli, a);
		break;
	case OPT_LIMIT:
		a->limit = (size_t)glt_cli_number(cli, "--limit", optarg, 1, SIZE_MAX / 2);
		break;
	case OPT_AFTER:
		s->after = glt_cli_number(cli, "--after", optarg, 0, UINT64_MAX);
		break;
	default:
		break;
	}
}

static bool print(const struct glt_cli *cli, const struct args *a, const struct glt_found *found)
{
	struct glt_out *out = glt_token_out(cli);
	struct item *items = glt_cli_alloc(NULL, found->n, sizeof(*items));
	const size_t n = a->limit && a->limit < found->n ? a->limit : found->n;

	for (size_t i = 0; i < found->n; i++)
		items[i] = (struct item){found->token[i], found->user_id[i], cli->now};
	if (found->n > 0)
		qsort(items, found->n, sizeof(*items), a->compare);
	for (size_t i = 0; i < n; i++) {
		const struct item *one = &items[a->backwards ? found->n - 1 - i : i];

		glt_token_row(cli, out, one->t, one->user_id);
	}
	free(items);
	return glt_out_print(out);
}

int glt_cmd_list(struct glt_cli *cli, int argc, char **argv)
{
	struct args a = {.select = {.which = GLT_WHICH_ACTIVE, .now = cli->now}, .compare = by_id};
	struct glt_found found;
	unsigned types = 0;
	struct glt_err err;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1)
		take(cli, &a, c, &types);
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	if (types)
		a.select.types = a.select.types ? a.select.types & types : types;
	if (a.compare == by_id && !a.backwards)
		a.select.limit = a.limit;
	rc = glt_cli_open(cli, false);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (glt_select(cli->store, &a.select, &found, &err) != GLT_OK)
		rc = glt_cli_fail(cli, &err);
	glt_cli_close(cli); /* `| head` ends this process with a signal */
	if (rc == GLT_EXIT_OK && !print(cli, &a, &found)) {
		rc = GLT_EXIT_UNAVAILABLE;
	} else if (found.damaged) {
		glt_cli_warn(cli, "%zu damaged records were left out: run gltoken check", found.damaged);
		rc = GLT_EXIT_UNAVAILABLE;
	}
	glt_found_free(&found);
	return rc;
}
