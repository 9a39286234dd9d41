/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "policy.h"
#include "role.h"
#include "scope.h"
#include "table.h"
#include "when.h"

#include <stdio.h>
#include <string.h>

static const char intro[] = "What tokens of this host may be: [policy] of gltoken.conf(5).\n";

static const char show_help[] = "Usage: gltoken policy show\n"
				"\n"
				"Print each rule of the policy, its value, and where that comes from.\n"
				"\n" GLT_HELP_LIST GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

#define VALUE 400

/* ---- values, as they would be written in the file ---- */

static void words(const char (*list)[64], char out[VALUE])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < GLT_CONF_LIST && list[i][0] && used < VALUE; i++)
		used += (size_t)snprintf(out + used, VALUE - used, "%s%s", used ? "," : "", list[i]);
}

static void days(const unsigned (*list)[8], char out[VALUE])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < 8 && (*list)[i]; i++)
		used += (size_t)snprintf(out + used, VALUE - used, "%s%u", used ? "," : "", (*list)[i]);
}

static void put(const char *word, char out[VALUE])
{
	(void)snprintf(out, VALUE, "%s", word ? word : "");
}

static void moment(int64_t from, char out[VALUE])
{
	if (from > 1)
		glt_when_rfc3339(from, out);
	else
		put(from ? "yes" : "no", out);
}

/* ---- one row each ---- */

static void row(const struct glt_cli *cli, struct glt_out *out, const char *section, const char *key,
		const char *value, const char *instead)
{
	const char *file;
	const int line = glt_conf_line(&cli->conf, section, key, &file);
	char source[VALUE], name[64];
	json_t *o;

	(void)snprintf(name, sizeof(name), "%s%s", strcmp(section, "policy") == 0 ? "" : "notify ", key);
	if (instead)
		put(instead, source);
	else if (line)
		(void)snprintf(source, sizeof(source), "%s:%d", file, line);
	else
		put("default", source);
	if (!glt_out_is_json(out)) {
		glt_out_row(out, (const char *const[]){name, value, source});
		return;
	}
	o = json_object();
	(void)json_object_set_new(o, "name", json_string(name));
	(void)json_object_set_new(o, "value", json_string(value));
	(void)json_object_set_new(o, "source", json_string(source));
	(void)json_object_set_new(o, "line", glt_json_number((uint64_t)line));
	glt_out_json(out, o);
}

/* A key of one type: where it is not set, what holds instead of it. */
static void rows_of_types(const struct glt_cli *cli, struct glt_out *out)
{
	static const char *const lifetimes[] = {"max_lifetime_personal", "max_lifetime_project",
						"max_lifetime_group", "max_lifetime_deploy"};
	const char *used;
	char value[VALUE];

	for (int t = GLT__TYPE__PERSONAL; t <= GLT__TYPE__DEPLOY; t++) {
		const char *key = lifetimes[t - GLT__TYPE__PERSONAL];

		glt_span_format(glt_policy_max_lifetime(&cli->conf, (Glt__Type)t, &used), value);
		row(cli, out, "policy", key, value, strcmp(used, key) == 0 ? NULL : used);
	}
	for (int t = GLT__TYPE__PERSONAL; t <= GLT__TYPE__DEPLOY; t++) {
		glt_scopes_format(glt_policy_scopes(&cli->conf, (Glt__Type)t, &used), value);
		row(cli, out, "policy", used, value, NULL);
	}
}

static void span(const struct glt_cli *cli, struct glt_out *out, const char *key, int64_t seconds)
{
	char value[GLT_SPAN_TEXT];

	glt_span_format(seconds, value);
	row(cli, out, "policy", key, value, NULL);
}

static void count(const struct glt_cli *cli, struct glt_out *out, const char *key, unsigned n)
{
	char value[16];

	(void)snprintf(value, sizeof(value), "%u", n);
	row(cli, out, "policy", key, value, NULL);
}

static void rows(const struct glt_cli *cli, struct glt_out *out)
{
	const struct glt_conf *conf = &cli->conf;
	char value[VALUE];

	row(cli, out, "policy", "mode", conf->observe ? "observe" : "enforce", NULL);
	row(cli, out, "policy", "require_expiry", conf->require_expiry ? "yes" : "no", NULL);
	span(cli, out, "default_lifetime", conf->default_lifetime);
	span(cli, out, "max_lifetime", conf->max_lifetime);
	rows_of_types(cli, out);
	glt_types_format(conf->token_types, value);
	row(cli, out, "policy", "token_types", value, NULL);
	row(cli, out, "policy", "max_role", glt_role_name(conf->max_role), NULL);
	words(conf->policy_allow_from, value);
	row(cli, out, "policy", "allow_from", value, NULL);
	span(cli, out, "min_overlap", conf->min_overlap);
	span(cli, out, "max_overlap", conf->max_overlap);
	count(cli, out, "max_active", conf->max_active);
	count(cli, out, "retention_days", conf->retention_days);
	moment(conf->retroactive_from, value);
	row(cli, out, "policy", "retroactive", value, NULL);
	row(cli, out, "policy", "reuse", conf->reuse_revokes ? "revoke-family" : "alert", NULL);
	days(&conf->notify_days, value);
	row(cli, out, "notify", "days", value, NULL);
}

static int show(struct glt_cli *cli, int argc, char **argv)
{
	static const struct glt_column columns[] = {{"NAME", 0}, {"VALUE", 0}, {"SOURCE", 0}};
	struct glt_out *out;
	int rc;

	while (glt_cli_option(cli, argc, argv, options, show_help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_config(cli);
	if (rc != GLT_EXIT_OK)
		return rc;
	out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
	rows(cli, out);
	return glt_out_print(out) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
}

static const struct glt_command commands[] = {
	{"show", NULL, show, "print the rules and where they come from"},
	{"check", NULL, glt_cmd_policy_check, "list the tokens that break them"},
	{NULL, NULL, NULL, NULL},
};

int glt_cmd_policy(struct glt_cli *cli, int argc, char **argv)
{
	return glt_cli_dispatch(cli, commands, intro, argc, argv);
}
