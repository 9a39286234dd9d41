/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "policy.h"
#include "select.h"
#include "table.h"
#include "tokens.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: gltoken policy check\n"
	"\n"
	"List the tokens that break the policy, as they were issued before it was what it is\n"
	"now, since when they do, and from when they are denied for it. Exit status 1 if there\n"
	"are any.\n"
	"\n" GLT_HELP_LIST GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

static const struct glt_column columns[] = {
	{"ID", GLT_COLUMN_RIGHT},
	{"TYPE", 0},
	{"HOLDER", GLT_COLUMN_SHRINK},
	{"NAME", GLT_COLUMN_SHRINK},
	{"RULE", 0},
	{"SINCE", 0},
	{"DENIED", 0},
	{"TEXT", GLT_COLUMN_SHRINK},
};

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* denied: from when, 0 for never */
static void add(struct glt_out *out, const Glt__Token *t, const struct glt_breach *b, int64_t denied)
{
	const int64_t since = b->from ? b->from : t->created_at;
	char id[24], from[GLT_LOCAL_TEXT], no[GLT_LOCAL_TEXT];
	json_t *o;

	if (!glt_out_is_json(out)) {
		(void)snprintf(id, sizeof(id), "%" PRIu64, t->id);
		glt_when_cell(out, since, "", from);
		glt_when_cell(out, denied, "never", no);
		glt_out_row(out, (const char *const[]){id, glt_type_name(t->type), glt_token_holder(t), t->name,
						       b->rule, from, no, b->text});
		return;
	}
	o = json_object();
	(void)json_object_set_new(o, "id", glt_json_number(t->id));
	(void)json_object_set_new(o, "type", json_string(glt_type_name(t->type)));
	(void)json_object_set_new(o, "holder", glt_json_text(glt_token_holder(t)));
	(void)json_object_set_new(o, "name", glt_json_text(t->name));
	(void)json_object_set_new(o, "rule", json_string(b->rule));
	(void)json_object_set_new(o, "text", glt_json_text(b->text));
	(void)json_object_set_new(o, "since", glt_json_time(since));
	(void)json_object_set_new(o, "denied_from", glt_json_time(denied));
	glt_out_json(out, o);
}

static size_t add_breaches(const struct glt_cli *cli, struct glt_out *out, const Glt__Token *t)
{
	struct glt_breach b[GLT_BREACHES];
	const size_t n = glt_policy_breaches(&cli->conf, t, b);

	for (size_t i = 0; i < n; i++) {
		int64_t denied = later(later(b[i].from, t->created_at), cli->conf.retroactive_from);

		add(out, t, &b[i], cli->conf.retroactive_from ? denied : 0);
	}
	return n;
}

/* ---- too many of one holder ---- */

static int by_holder(const void *x, const void *y)
{
	const Glt__Token *a, *b;
	int c;

	memcpy(&a, x, sizeof(a));
	memcpy(&b, y, sizeof(b));
	c = (a->type == GLT__TYPE__PERSONAL) - (b->type == GLT__TYPE__PERSONAL);
	if (c == 0)
		c = strcmp(glt_token_holder(a), glt_token_holder(b));
	return c ? c : (a->id > b->id) - (a->id < b->id);
}

static bool same_holder(const Glt__Token *a, const Glt__Token *b)
{
	return (a->type == GLT__TYPE__PERSONAL) == (b->type == GLT__TYPE__PERSONAL) &&
	       strcmp(glt_token_holder(a), glt_token_holder(b)) == 0;
}

static size_t add_crowds(const struct glt_cli *cli, struct glt_out *out, const struct glt_found *found)
{
	Glt__Token **v = glt_cli_alloc(NULL, found->n + 1, sizeof(*v));
	size_t n = 0, bad = 0, of_holder = 0;

	for (size_t i = 0; i < found->n; i++)
		if (glt_token_current(found->token[i], cli->now))
			v[n++] = found->token[i];
	qsort(v, n, sizeof(*v), by_holder);
	for (size_t i = 0; cli->conf.max_active && i < n; i++) {
		struct glt_breach b = {.rule = "max_active"};

		of_holder = i > 0 && same_holder(v[i - 1], v[i]) ? of_holder + 1 : 1;
		if (of_holder <= cli->conf.max_active)
			continue;
		(void)snprintf(b.text, sizeof(b.text), "one of over %u active tokens: [policy] max_active = %u",
			       cli->conf.max_active, cli->conf.max_active);
		add(out, v[i], &b, 0);
		bad++;
	}
	free(v);
	return bad;
}

static int print(const struct glt_cli *cli, const struct glt_found *found)
{
	struct glt_out *out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
	size_t bad = 0, alive = 0;

	for (size_t i = 0; i < found->n; i++)
		if (!glt_token_dead(found->token[i], cli->now)) {
			alive++;
			bad += add_breaches(cli, out, found->token[i]) > 0;
		}
	bad += add_crowds(cli, out, found);
	if (!glt_out_print(out) || fflush(stdout) != 0)
		return GLT_EXIT_UNAVAILABLE;
	if (bad == 0 && cli->format == GLT_FORMAT_TABLE)
		glt_cli_say("None of %zu live tokens breaks the policy.", alive);
	else if (bad > 0 && !cli->conf.retroactive_from)
		glt_cli_say("None of them is denied for that: [policy] retroactive = no.");
	return bad > 0 ? GLT_EXIT_DENIED : GLT_EXIT_OK;
}

int glt_cmd_policy_check(struct glt_cli *cli, int argc, char **argv)
{
	const struct glt_select all = {.which = GLT_WHICH_ALL, .now = cli->now};
	struct glt_found found;
	struct glt_err err;
	int rc = glt_cli_open_plain(cli, argc, argv, options, help);

	if (rc != GLT_EXIT_OK)
		return rc;
	if (glt_select(cli->store, &all, &found, &err) != GLT_OK) {
		rc = glt_cli_fail(cli, &err);
		glt_found_free(&found);
		return rc;
	}
	glt_cli_close(cli); /* `| head` ends this process with a signal */
	rc = print(cli, &found);
	if (found.damaged) {
		glt_cli_warn(cli, "%zu damaged records were left out: run gltoken check", found.damaged);
		rc = GLT_EXIT_UNAVAILABLE;
	}
	glt_found_free(&found);
	return rc;
}
