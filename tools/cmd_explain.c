/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "ask.h"
#include "named.h"
#include "people.h"
#include "scan.h"
#include "table.h"
#include "target.h"
#include "tokens.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"Usage: gltoken explain (--id ID | --stdin | --user USER | --key ID) --op OP [OPTION...]\n"
	"\n"
	"Say whether a token, a public key or a user on their own account may do something, and\n"
	"what decided. It asks the code that decides for sshd and Git. Exit status 0: allowed,\n"
	"1: denied.\n"
	"\n"
	"      --id ID              a token, by number or OWNER/NAME\n"
	"      --stdin              a token, its text on standard input\n"
	"      --user USER          a session of USER on the account of that name\n"
	"      --key ID             a session by that public key\n"
	"      --op OP              pull, push or login\n"
	"      --repo PATH          the project, for pull and push\n"
	"      --ref REF            push of that ref: refs/heads/main, or just main\n"
	"      --account ACCOUNT    login on that account; with pull and push it is asked first\n"
	"      --from ADDRESS       where the request comes from\n"
	"      --service NAME       sshd unless given; http, ...\n" GLT_HELP_JSON GLT_HELP_HELP;

enum {
	OPT_ID = GLT_OPT_OWN,
	OPT_STDIN,
	OPT_USER,
	OPT_KEY,
	OPT_OP,
	OPT_REPO,
	OPT_REF,
	OPT_ACCOUNT,
	OPT_FROM,
	OPT_SERVICE
};

static const struct option options[] = {
	{"id", required_argument, NULL, OPT_ID},
	{"stdin", no_argument, NULL, OPT_STDIN},
	{"user", required_argument, NULL, OPT_USER},
	{"key", required_argument, NULL, OPT_KEY},
	{"op", required_argument, NULL, OPT_OP},
	{"repo", required_argument, NULL, OPT_REPO},
	{"ref", required_argument, NULL, OPT_REF},
	{"account", required_argument, NULL, OPT_ACCOUNT},
	{"from", required_argument, NULL, OPT_FROM},
	{"service", required_argument, NULL, OPT_SERVICE},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct args {
	const char *id, *user, *key, *op, *repo, *ref, *account, *from, *service;
	bool from_stdin;
	char path[GLT_PATH_MAX + 1], full_ref[GLT_NAME_MAX + 1];
};

static void take(const struct glt_cli *cli, struct args *a, int c)
{
	switch (c) {
	case OPT_ID:
		glt_cli_once(cli, &a->id, "--id");
		break;
	case OPT_STDIN:
		a->from_stdin = true;
		break;
	case OPT_USER:
		glt_cli_once(cli, &a->user, "--user");
		break;
	case OPT_KEY:
		glt_cli_once(cli, &a->key, "--key");
		break;
	case OPT_OP:
		glt_cli_once(cli, &a->op, "--op");
		break;
	case OPT_REPO:
		glt_cli_once(cli, &a->repo, "--repo");
		break;
	case OPT_REF:
		glt_cli_once(cli, &a->ref, "--ref");
		break;
	case OPT_ACCOUNT:
		glt_cli_once(cli, &a->account, "--account");
		break;
	case OPT_FROM:
		glt_cli_once(cli, &a->from, "--from");
		break;
	default:
		glt_cli_once(cli, &a->service, "--service");
	}
}

static void check_ref(const struct glt_cli *cli, struct args *a)
{
	const char *lead = strncmp(a->ref, "refs/", 5) == 0 ? "" : "refs/heads/";
	int n = snprintf(a->full_ref, sizeof(a->full_ref), "%s%s", lead, a->ref);

	if (*a->ref == '\0' || n < 0 || (size_t)n >= sizeof(a->full_ref))
		glt_cli_usage(cli, "--ref: must have 1 to %d bytes", GLT_NAME_MAX);
	a->ref = a->full_ref;
}

static enum glt_op check(const struct glt_cli *cli, struct args *a)
{
	static const struct {
		const char *name;
		enum glt_op op;
	} ops[] = {{"pull", GLT_OP_PULL}, {"push", GLT_OP_PUSH}, {"login", GLT_OP_LOGIN}};
	struct glt_address address;
	struct glt_err err;
	size_t k = 0;

	if ((a->id != NULL) + a->from_stdin + (a->user != NULL) + (a->key != NULL) != 1)
		glt_cli_usage(cli, "one of --id, --stdin, --user and --key is required");
	if (!a->op)
		glt_cli_usage(cli, "--op is required");
	while (k < 3 && strcmp(ops[k].name, a->op) != 0)
		k++;
	if (k == 3)
		glt_cli_usage(cli, "unknown operation '%.64s': must be pull, push or login", a->op);
	if (ops[k].op == GLT_OP_LOGIN ? a->repo != NULL : a->repo == NULL)
		glt_cli_usage(cli, "--repo is required with --op pull and push, and goes with no other");
	if (ops[k].op == GLT_OP_LOGIN && !a->account)
		glt_cli_usage(cli, "--account is required with --op login");
	if (a->ref && ops[k].op != GLT_OP_PUSH)
		glt_cli_usage(cli, "--ref goes with --op push only");
	if (a->repo)
		glt_target_path(cli, a->repo, a->path);
	if (a->ref)
		check_ref(cli, a);
	if (a->user)
		glt_cli_require(cli, glt_account_name_check(a->user, &err), &err);
	if (a->from && !glt_address_parse(a->from, &address))
		glt_cli_usage(cli, "--from '%.64s': must be an IPv4 or IPv6 address", a->from);
	return ops[k].op;
}

/* ---- who asks ---- */

struct subject {
	Glt__Token *token;
	Glt__Key *key;
	bool denied; /* already, for what was presented */
	enum glt_reason why;
};

static int load_key(const struct glt_cli *cli, const char *text, struct subject *s)
{
	uint64_t id = glt_cli_number(cli, "--key", text, 1, UINT64_MAX);
	struct glt_err err;
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(cli->store, false, &txn, &err);

	if (st == GLT_OK) {
		st = glt_key_load(txn, id, &s->key, &err);
		glt_txn_end(txn);
	}
	return st == GLT_OK ? GLT_EXIT_OK : glt_cli_fail(cli, &err);
}

static int load_stdin(struct glt_cli *cli, struct subject *s)
{
	struct glt_sightings seen;
	int rc = glt_scan_verify(cli, &seen);

	if (rc == GLT_EXIT_OK && seen.n > 1) {
		glt_cli_warn(cli, "standard input holds %zu tokens: must be one", seen.n);
		rc = GLT_EXIT_USAGE;
	} else if (rc == GLT_EXIT_OK && seen.n == 1 && seen.v[0].state == GLT_PRESENTED_REAL) {
		s->token = seen.v[0].record;
		seen.v[0].record = NULL;
	} else if (rc == GLT_EXIT_OK) {
		s->denied = true;
		s->why = seen.n == 0                                ? GLT_WHY_NOT_A_TOKEN
			 : seen.v[0].state == GLT_PRESENTED_UNKNOWN ? GLT_WHY_UNKNOWN_TOKEN
								    : GLT_WHY_WRONG_SECRET;
	}
	glt_sightings_free(&seen);
	return rc;
}

static int load(struct glt_cli *cli, const struct args *a, struct subject *s)
{
	if (a->id)
		return glt_named_load(cli, a->id, &s->token);
	if (a->from_stdin)
		return load_stdin(cli, s);
	return a->key ? load_key(cli, a->key, s) : GLT_EXIT_OK;
}

/* ---- the answer ---- */

static void print_json(const struct args *a, const struct subject *s, const struct glt_answer *answer)
{
	const char *role = answer->role ? glt_role_name(answer->role) : NULL;
	json_t *o = json_object();
	const struct {
		const char *name;
		json_t *value;
	} fields[] = {
		{"verdict", json_string(answer->allow ? "allow" : "deny")},
		{"allow", json_boolean(answer->allow)},
		{"reason", json_string(glt_reason_name(answer->reason))},
		{"text", json_string(glt_reason_text(answer->reason))},
		{"would_deny", answer->would ? json_string(glt_reason_name(answer->would)) : json_null()},
		{"detail", glt_json_text(answer->detail)},
		{"operation", glt_json_text(a->op)},
		{"path", glt_json_text(a->path)},
		{"ref", glt_json_text(a->ref)},
		{"role", glt_json_text(role)},
		{"access_level", glt_json_number((uint64_t)answer->role)},
		{"membership", answer->member_path[0] ? json_pack("{s:s,s:s}", "path", answer->member_path,
								  "principal", answer->member_principal)
						      : json_null()},
		{"visible", json_boolean(answer->visible)},
		{"id", glt_json_number(s->token ? s->token->id : 0)},
		{"key", glt_json_number(s->key ? s->key->id : 0)},
		{"user", glt_json_text(s->token ? s->token->owner
				       : s->key ? s->key->user
						: a->user)},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		(void)json_object_set_new(o, fields[i].name, fields[i].value);
	(void)glt_json_print(o);
}

static void print_text(const struct args *a, const struct subject *s, const struct glt_answer *answer)
{
	static const struct glt_column columns[] = {{"FIELD", 0}, {"VALUE", 0}};
	const struct glt_cli plain = {.no_headings = true};
	struct glt_out *out = glt_out_new(&plain, columns, 2);
	char who[700] = "", what[900];
	const char *role = glt_role_name(answer->role);

	if (s->token)
		(void)snprintf(who, sizeof(who), "token %" PRIu64 " (%s token '%s' of %s)", s->token->id,
			       glt_type_name(s->token->type), s->token->name, glt_token_holder(s->token));
	else if (s->key)
		(void)snprintf(who, sizeof(who), "%s %" PRIu64 " of %s",
			       s->key->path[0] ? "deploy key" : "public key", s->key->id,
			       s->key->path[0] ? s->key->path : s->key->user);
	else if (a->user)
		(void)snprintf(who, sizeof(who), "user %s", a->user);
	(void)snprintf(what, sizeof(what), "%s%s%s%s%s%s%s", a->op, *a->path ? " " : "", a->path, a->ref ? " " : "",
		       a->ref ? a->ref : "", a->account ? " on account " : "", a->account ? a->account : "");
	const char *const rows[][2] = {
		{"verdict", answer->allow ? "allow" : "deny"},
		{"reason", glt_reason_name(answer->reason)},
		{"", glt_reason_text(answer->reason)},
		{"observed", answer->would ? glt_reason_name(answer->would) : ""},
		{"", answer->would ? "[policy] mode = enforce would deny it" : ""},
		{"detail", answer->detail},
		{"asked", what},
		{"by", who},
		{"role", answer->role && role ? role : ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (*rows[i][1])
			glt_out_row(out, (const char *const[]){*rows[i][0] ? rows[i][0] : " ", rows[i][1]});
	(void)glt_out_print(out);
}

static int ask(const struct glt_cli *cli, const struct args *a, const struct subject *s, enum glt_op op)
{
	struct glt_question q = {.token = s->token,
				 .key = s->key,
				 .user = a->user,
				 .op = op,
				 .account = a->account,
				 .path = *a->path ? a->path : NULL,
				 .ref = a->ref,
				 .address = a->from,
				 .service = a->service ? a->service : "sshd",
				 .begins = true,
				 .now = cli->now};
	struct glt_answer answer = {.allow = false, .reason = s->why};
	struct glt_err err;
	enum glt_status st = GLT_OK;

	if (!s->denied && a->account && op != GLT_OP_LOGIN) {
		q.op = GLT_OP_LOGIN;
		st = glt_ask(cli->store, &cli->conf, &q, &answer, &err);
		q.op = op;
	}
	if (!s->denied && st == GLT_OK && (answer.allow || op == GLT_OP_LOGIN || !a->account))
		st = glt_ask(cli->store, &cli->conf, &q, &answer, &err);
	if (st != GLT_OK) {
		(void)glt_cli_fail(cli, &err);
		return GLT_EXIT_UNAVAILABLE;
	}
	if (cli->format == GLT_FORMAT_JSON)
		print_json(a, s, &answer);
	else
		print_text(a, s, &answer);
	return answer.allow ? GLT_EXIT_OK : GLT_EXIT_DENIED;
}

int glt_cmd_explain(struct glt_cli *cli, int argc, char **argv)
{
	struct subject s = {0};
	struct args a = {0};
	enum glt_op op;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1)
		take(cli, &a, c);
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	op = check(cli, &a);
	rc = glt_cli_open(cli, false);
	if (rc == GLT_EXIT_OK)
		rc = load(cli, &a, &s);
	if (rc == GLT_EXIT_OK)
		rc = ask(cli, &a, &s, op);
	glt_token_free(s.token);
	glt_key_free(s.key);
	return rc;
}
