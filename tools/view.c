/* SPDX-License-Identifier: MIT */
#include "view.h"

#include "role.h"
#include "scope.h"
#include "term.h"
#include "tokens.h"
#include "usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool revoked(const Glt__Token *t, int64_t now)
{
	return strcmp(glt_token_state(t, now), "revoked") == 0;
}

bool glt_token_active(const Glt__Token *t, int64_t now)
{
	static const char *const dead[] = {"revoked", "expired", "used up"};
	const char *state = glt_token_state(t, now);

	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++)
		if (strcmp(state, dead[i]) == 0)
			return false;
	return true;
}

/* A deploy token's power is its scopes; its record has a role only for the one table of permissions. */
static uint32_t level_of(const Glt__Token *t)
{
	return t->type == GLT__TYPE__PROJECT || t->type == GLT__TYPE__GROUP ? t->role : 0;
}

static const char *role_of(const Glt__Token *t)
{
	const char *name = level_of(t) ? glt_role_name((int)level_of(t)) : NULL;

	return name ? name : "";
}

static json_t *uses(const Glt__Token *t, uint32_t n)
{
	return t->max_uses ? json_integer(n) : json_null();
}

static json_t *addresses(const struct glt_usage *used)
{
	json_t *list = json_array();

	for (size_t i = 0; i < GLT_USAGE_IPS && used->ips[i][0]; i++)
		(void)json_array_append_new(list, glt_json_text(used->ips[i]));
	return list;
}

json_t *glt_token_json(const struct glt_cli *cli, const Glt__Token *t, uint64_t user_id)
{
	const int64_t now = cli->now;
	json_t *o = json_object();
	struct glt_usage used;

	(void)glt_usage_read(cli->conf.store_dir, t->id, &used);
	const struct {
		const char *name;
		json_t *value;
	} fields[] = {
		{"id", json_integer((json_int_t)t->id)},
		{"name", glt_json_text(t->name)},
		{"revoked", json_boolean(revoked(t, now))},
		{"created_at", glt_json_time(t->created_at)},
		{"description", glt_json_text(t->description)},
		{"scopes", glt_json_scopes(t->scopes)},
		{"user_id", glt_json_number(user_id)},
		{"last_used_at", glt_json_time(used.last_used_at)},
		{"last_used_ips", addresses(&used)},
		{"active", json_boolean(glt_token_active(t, now))},
		{"expires_at", glt_json_time(t->expires_at)},
		{"access_level", glt_json_number(level_of(t))},
		{"type", glt_json_text(glt_type_name(t->type))},
		{"state", glt_json_text(glt_token_state(t, now))},
		{"user", glt_json_text(t->owner)},
		{"path", glt_json_text(t->path)},
		{"family", glt_json_number(t->family)},
		{"previous", glt_json_number(t->previous)},
		{"next", glt_json_number(t->next)},
		{"overlap_end", glt_json_time(t->overlap_end)},
		{"created_by", glt_json_text(t->created_by)},
		{"not_before", glt_json_time(t->not_before)},
		{"allow_from", glt_json_list(t->allow_from, t->n_allow_from)},
		{"only_repo", glt_json_list(t->only_repo, t->n_only_repo)},
		{"services", glt_json_list(t->services, t->n_services)},
		{"max_uses", uses(t, t->max_uses)},
		{"uses_left", uses(t, t->uses_left)},
		{"paused", json_boolean(t->paused)},
		{"revoked_at", glt_json_time(t->revoked_at)},
		{"revoked_by", glt_json_text(t->revoked_by)},
		{"revoked_why", glt_json_text(t->revoked_why)},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		(void)json_object_set_new(o, fields[i].name, fields[i].value);
	return o;
}

/* ---- list ---- */

static const struct glt_column table_columns[] = {
	{"ID", GLT_COLUMN_RIGHT},
	{"TYPE", 0},
	{"NAME", GLT_COLUMN_SHRINK},
	{"FOR", GLT_COLUMN_SHRINK},
	{"ROLE", 0},
	{"SCOPES", GLT_COLUMN_SHRINK},
	{"STATE", 0},
	{"EXPIRES", 0},
};
static const struct glt_column csv_columns[] = {
	{"id", 0},         {"type", 0},         {"name", 0},         {"description", 0}, {"user", 0},
	{"user_id", 0},    {"path", 0},         {"access_level", 0}, {"scopes", 0},      {"state", 0},
	{"active", 0},     {"revoked", 0},      {"created_at", 0},   {"created_by", 0},  {"not_before", 0},
	{"expires_at", 0}, {"last_used_at", 0},
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct glt_out *glt_token_out(const struct glt_cli *cli)
{
	if (cli->format == GLT_FORMAT_CSV)
		return glt_out_new(cli, csv_columns, COUNT(csv_columns));
	return glt_out_new(cli, table_columns, COUNT(table_columns));
}

#define NUMBER 24

/* "" for 0. */
static const char *number(char out[NUMBER], uint64_t v)
{
	(void)snprintf(out, NUMBER, "%" PRIu64, v);
	return v ? out : "";
}

static void csv_row(const struct glt_cli *cli, struct glt_out *table, const Glt__Token *t, uint64_t user_id)
{
	const int64_t now = cli->now;
	struct glt_usage use;
	char id[NUMBER], uid[NUMBER], level[NUMBER];
	char scopes[GLT_SCOPES_TEXT_MAX], created[GLT_LOCAL_TEXT], before[GLT_LOCAL_TEXT], expires[GLT_LOCAL_TEXT],
		used[GLT_LOCAL_TEXT];

	(void)glt_usage_read(cli->conf.store_dir, t->id, &use);
	glt_when_cell(table, use.last_used_at, "", used);
	glt_scopes_format(t->scopes, scopes);
	glt_when_cell(table, t->created_at, "", created);
	glt_when_cell(table, t->not_before, "", before);
	glt_when_cell(table, t->expires_at, "", expires);
	const char *const cells[COUNT(csv_columns)] = {
		number(id, t->id),
		glt_type_name(t->type),
		t->name,
		t->description,
		t->owner,
		number(uid, user_id),
		t->path,
		number(level, level_of(t)),
		scopes,
		glt_token_state(t, now),
		glt_token_active(t, now) ? "true" : "false",
		revoked(t, now) ? "true" : "false",
		created,
		t->created_by,
		before,
		expires,
		used,
	};
	glt_out_row(table, cells);
}

#define SOON 604800 /* a week: gltoken-shell warns from then on */

static const char *color_of(const Glt__Token *t, int64_t now)
{
	if (!glt_token_active(t, now))
		return "red";
	return strcmp(glt_token_state(t, now), "active") == 0 ? "green" : "brown";
}

void glt_token_row(const struct glt_cli *cli, struct glt_out *table, const Glt__Token *t, uint64_t user_id)
{
	char id[NUMBER];
	char scopes[GLT_SCOPES_TEXT_MAX], expires[GLT_LOCAL_TEXT];

	if (glt_out_is_json(table)) {
		glt_out_json(table, glt_token_json(cli, t, user_id));
		return;
	}
	if (glt_out_is_csv(table)) {
		csv_row(cli, table, t, user_id);
		return;
	}
	glt_scopes_format(t->scopes, scopes);
	glt_when_cell(table, glt_token_ends(t), "never", expires);
	const char *const cells[COUNT(table_columns)] = {
		number(id, t->id),
		glt_type_name(t->type),
		t->name,
		glt_token_holder(t),
		role_of(t),
		scopes,
		glt_token_state(t, cli->now),
		expires,
	};
	glt_out_row(table, cells);
	glt_out_color(table, COUNT(cells) - 2, color_of(t, cli->now));
	if (glt_token_active(t, cli->now) && t->expires_at && t->expires_at - cli->now < SOON)
		glt_out_color(table, COUNT(cells) - 1, "brown");
}

/* ---- show ---- */

static void line(struct glt_out *table, const char *title, const char *value)
{
	if (value && *value)
		glt_out_row(table, (const char *const[]){title, value});
}

static void when(struct glt_out *table, const char *title, int64_t at, int64_t now, bool always)
{
	char text[GLT_LOCAL_TEXT], far[GLT_SPAN_WORDS], both[GLT_LOCAL_TEXT + GLT_SPAN_WORDS + 4];

	glt_when_local(at, true, text);
	glt_when_relative(at, now, far);
	(void)snprintf(both, sizeof(both), "%s (%s)", text, far);
	if (at != 0 || always)
		line(table, title, at != 0 && glt_out_on_terminal(table) ? both : text);
}

static void list(struct glt_out *table, const char *title, char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		glt_out_row(table, (const char *const[]){i == 0 ? title : " ", v[i]});
}

static void links(struct glt_out *table, const Glt__Token *t, int64_t now)
{
	char n[NUMBER];

	if (t->family != t->id)
		line(table, "family", number(n, t->family));
	line(table, "replaces", number(n, t->previous));
	line(table, "replaced by", number(n, t->next));
	when(table, "works until", t->overlap_end, now, false);
}

static void limits(struct glt_out *table, const Glt__Token *t, int64_t now)
{
	char text[64];

	when(table, "not before", t->not_before, now, false);
	list(table, "allowed from", t->allow_from, t->n_allow_from);
	list(table, "only in", t->only_repo, t->n_only_repo);
	list(table, "services", t->services, t->n_services);
	if (t->max_uses == 0)
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu32 " of %" PRIu32, t->uses_left, t->max_uses);
	line(table, "uses left", text);
}

/* Where it came from lately. */
static void last_use(const struct glt_cli *cli, struct glt_out *table, const Glt__Token *t)
{
	const int64_t now = cli->now;
	struct glt_usage used;

	if (!glt_usage_read(cli->conf.store_dir, t->id, &used))
		return;
	when(table, "last used", used.last_used_at, now, false);
	for (size_t i = 0; i < GLT_USAGE_IPS && used.ips[i][0]; i++)
		glt_out_row(table, (const char *const[]){i == 0 ? "from" : " ", used.ips[i]});
}

bool glt_token_print(const struct glt_cli *cli, const Glt__Token *t)
{
	static const struct glt_column columns[] = {{"FIELD", 0}, {"VALUE", 0}};
	const struct glt_cli plain = {.no_headings = true};
	const int64_t now = cli->now;
	struct glt_out *table = glt_out_new(&plain, columns, COUNT(columns));
	char scopes[GLT_SCOPES_TEXT_MAX];
	char id[NUMBER];

	glt_scopes_format(t->scopes, scopes);
	line(table, "id", number(id, t->id));
	line(table, "type", glt_type_name(t->type));
	line(table, "name", t->name);
	line(table, "description", t->description);
	line(table, "acts as", t->owner);
	line(table, "path", t->path);
	line(table, "role", role_of(t));
	line(table, "scopes", scopes);
	line(table, "state", glt_token_state(t, cli->now));
	when(table, "created", t->created_at, now, true);
	line(table, "created by", t->created_by);
	when(table, "expires", t->expires_at, now, true);
	last_use(cli, table, t);
	limits(table, t, now);
	links(table, t, now);
	when(table, "revoked", t->revoked_at, now, false);
	line(table, "revoked by", t->revoked_by);
	line(table, "reason", t->revoked_why);
	return glt_out_print(table);
}
