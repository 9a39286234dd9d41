/* SPDX-License-Identifier: MIT */
#include "notice_json.h"

#include "text.h"
#include "tokens.h"
#include "usage.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void put(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

/* "2027-01-31 12:00:00 UTC", or its date alone, as GitLab writes them. */
static json_t *moment(int64_t when, bool date)
{
	char text[40];
	time_t t = (time_t)when;
	struct tm tm;

	if (when == 0 || !gmtime_r(&t, &tm) ||
	    strftime(text, sizeof(text), date ? "%Y-%m-%d" : "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		return json_null();
	return json_string(text);
}

static json_t *interval(unsigned days)
{
	static const struct {
		unsigned days;
		const char *name;
	} names[] = {{60, "sixty_days"}, {30, "thirty_days"}, {7, "seven_days"}, {1, "one_day"}};
	char text[24];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].days == days)
			return json_string(names[i].name);
	(void)snprintf(text, sizeof(text), "%u_days", days);
	return json_string(text);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static json_t *project(const Glt__Token *t, uint64_t number)
{
	json_t *o = json_object();
	const char *slash = strrchr(t->path, '/');

	put(o, "id", glt_json_number(number));
	put(o, "name", glt_json_text(last_part(t->path)));
	put(o, "namespace", slash ? json_stringn(t->path, (size_t)(slash - t->path)) : json_null());
	put(o, "path_with_namespace", glt_json_text(t->path));
	return o;
}

static json_t *group(const Glt__Token *t, uint64_t number)
{
	json_t *o = json_object();

	put(o, "group_id", glt_json_number(number));
	put(o, "group_name", glt_json_text(last_part(t->path)));
	put(o, "group_path", glt_json_text(last_part(t->path)));
	put(o, "full_path", glt_json_text(t->path));
	return o;
}

static json_t *attributes(const struct glt_cli *cli, const Glt__Token *t, uint64_t user_id)
{
	json_t *o = json_object();
	struct glt_usage used;

	(void)glt_usage_read(cli->conf.store_dir, t->id, &used);
	put(o, "id", json_integer((json_int_t)t->id));
	put(o, "user_id", glt_json_number(user_id));
	put(o, "name", glt_json_text(t->name));
	put(o, "created_at", moment(t->created_at, false));
	put(o, "expires_at", moment(t->expires_at, true));
	put(o, "last_used_at", moment(used.last_used_at, false));
	return o;
}

static json_t *own(const Glt__Token *t, unsigned days)
{
	char host[256] = "", id[80];
	json_t *o = json_object();

	(void)gethostname(host, sizeof(host) - 1);
	(void)snprintf(id, sizeof(id), "%" PRIu64 "-%" PRId64 "-%u", t->id, t->expires_at, days);
	put(o, "event_id", json_string(id));
	put(o, "host", glt_json_text(host));
	put(o, "type", glt_json_text(glt_type_name(t->type)));
	put(o, "user", glt_json_text(t->owner));
	put(o, "path", glt_json_text(t->path));
	put(o, "scopes", glt_json_scopes(t->scopes));
	put(o, "created_by", glt_json_text(t->created_by));
	put(o, "expires_at", glt_json_time(t->expires_at));
	put(o, "days", json_integer(days));
	return o;
}

json_t *glt_notice_json(const struct glt_cli *cli, const Glt__Token *t, unsigned days, uint64_t user_id,
			uint64_t number)
{
	const bool deploy = t->type == GLT__TYPE__DEPLOY;
	json_t *o = json_object();

	put(o, "object_kind", json_string(deploy ? "deploy_token" : "access_token"));
	if (t->type == GLT__TYPE__GROUP)
		put(o, "group", group(t, number));
	else if (t->type != GLT__TYPE__PERSONAL)
		put(o, "project", project(t, number));
	put(o, "object_attributes", attributes(cli, t, user_id));
	put(o, "event_name", json_string(deploy ? "expiring_deploy_token" : "expiring_access_token"));
	put(o, "interval", interval(days));
	put(o, "gltoken", own(t, days));
	return o;
}
