/* SPDX-License-Identifier: MIT */
#include "events.h"

#include "chain.h"
#include "event.h"
#include "when.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static int64_t moment(const struct glt_cli *cli, const char *option)
{
	struct glt_err err;
	int64_t when = 0;
	const char *text = optarg + (optarg[0] == '+');
	/* 30d is 30 days ago here, where nothing lies in the future. */
	const bool span = strspn(text, "0123456789") > 0 && strchr("smhdw", text[strlen(text) - 1]);
	enum glt_status st = span ? glt_span_parse(option, text, &when, &err)
				  : glt_when_parse(option, optarg, cli->now, &when, &err);

	glt_cli_require(cli, st, &err);
	return span ? cli->now - when : when;
}

/* "" would match what has none of it, which nobody asks for; a script with an empty variable does. */
static void pattern(const struct glt_cli *cli, const char **field, const char *option)
{
	glt_cli_once(cli, field, option);
	if (!**field)
		glt_cli_usage(cli, "option '%s' is empty", option);
}

static void check_order(const struct glt_cli *cli, const struct glt_event_filter *f)
{
	if (f->since && f->until && f->until <= f->since)
		glt_cli_usage(cli, "--until is not after --since: nothing lies in between");
}

void glt_event_option(const struct glt_cli *cli, struct glt_event_filter *f, int option)
{
	switch (option) {
	case GLT_OPT_EVENT_TOKEN:
		f->token = glt_cli_number(cli, "--token", optarg, 1, UINT64_MAX);
		break;
	case GLT_OPT_EVENT_ACTOR:
		pattern(cli, &f->actor, "--actor");
		break;
	case GLT_OPT_EVENT_ACTION:
		pattern(cli, &f->action, "--action");
		break;
	case GLT_OPT_EVENT_OBJECT:
		pattern(cli, &f->object, "--object");
		break;
	case GLT_OPT_EVENT_SINCE:
		f->since = moment(cli, "--since");
		check_order(cli, f);
		break;
	case GLT_OPT_EVENT_UNTIL:
		f->until = moment(cli, "--until");
		check_order(cli, f);
		break;
	default:
		break;
	}
}

/* "alice" is also who "root(alice)" and "alice by token 12" are. */
static bool is_actor(const char *pattern, const char *actor)
{
	size_t len = strlen(pattern);

	if (fnmatch(pattern, actor, 0) == 0)
		return true;
	for (const char *p = actor + strcspn(actor, "( "); *p; p++)
		if (p[0] == '(' && strncmp(p + 1, pattern, len) == 0 && p[1 + len] == ')')
			return true;
	return strcspn(actor, "( ") == len && strncmp(actor, pattern, len) == 0;
}

bool glt_event_wanted(const struct glt_event_filter *f, const Glt__Event *ev)
{
	return (!f->token || ev->token == f->token) && (!f->actor || is_actor(f->actor, ev->actor)) &&
	       (!f->action || fnmatch(f->action, ev->action, 0) == 0) &&
	       (!f->object || fnmatch(f->object, ev->object, 0) == 0) && (!f->since || ev->at >= f->since) &&
	       (!f->until || ev->at < f->until);
}

/* ---- JSON ---- */

json_t *glt_event_json(const Glt__Event *ev)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "seq", json_integer((json_int_t)ev->seq));
	(void)json_object_set_new(o, "at", glt_json_time(ev->at));
	(void)json_object_set_new(o, "actor", glt_json_text(ev->actor));
	(void)json_object_set_new(o, "action", glt_json_text(ev->action));
	(void)json_object_set_new(o, "token", glt_json_number(ev->token));
	(void)json_object_set_new(o, "replaced", glt_json_number(ev->replaced));
	(void)json_object_set_new(o, "object", glt_json_text(ev->object));
	(void)json_object_set_new(o, "before", glt_json_text(ev->before));
	(void)json_object_set_new(o, "after", glt_json_text(ev->after));
	(void)json_object_set_new(o, "reason", glt_json_text(ev->reason));
	return o;
}

/* NULL: it cannot be known. */
static void set_hash(json_t *o, const char *name, const uint8_t *hash)
{
	char hex[GLT_HASH_HEX];

	if (hash)
		glt_hash_format(hash, hex);
	(void)json_object_set_new(o, name, hash ? json_string(hex) : json_null());
}

json_t *glt_event_export(const Glt__Event *ev, const struct glt_head *before, const struct glt_head *head)
{
	json_t *o = glt_event_json(ev);

	set_hash(o, "previous",
		 ev->previous.len == GLT_EVENT_HASH ? ev->previous.data
		 : head                             ? before->hash
						    : NULL);
	set_hash(o, "hash", head ? head->hash : NULL);
	if (ev->previous.len == 0) {
		(void)json_object_set_new(o, "link", json_integer(ev->link));
		(void)json_object_set_new(o, "phrases", json_integer(ev->phrases));
	}
	return o;
}

static bool get_text(const json_t *o, const char *name, char **out)
{
	const json_t *v = json_object_get(o, name);

	*out = glt_cli_strdup(json_is_string(v) ? json_string_value(v) : "");
	return !v || json_is_null(v) || json_is_string(v);
}

static bool get_number(const json_t *o, const char *name, uint64_t *out)
{
	const json_t *v = json_object_get(o, name);

	*out = json_is_integer(v) && json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
	return !v || json_is_null(v) || *out > 0;
}

static bool get_hash(const json_t *o, const char *name, uint8_t out[GLT_EVENT_HASH])
{
	const char *hex = json_string_value(json_object_get(o, name));

	return hex && glt_hash_parse(hex, out);
}

/* What an earlier version wrote has the hash of the event before in itself. */
static bool get_form(const json_t *o, Glt__Event *ev, const uint8_t previous[GLT_EVENT_HASH])
{
	const json_t *link = json_object_get(o, "link"), *phrases = json_object_get(o, "phrases");
	const json_int_t n = json_integer_value(link), p = json_integer_value(phrases);

	if (!link) {
		ev->previous.data = glt_cli_alloc(NULL, GLT_EVENT_HASH, 1);
		ev->previous.len = GLT_EVENT_HASH;
		memcpy(ev->previous.data, previous, GLT_EVENT_HASH);
		return true;
	}
	ev->link = (uint32_t)n;
	ev->phrases = (uint32_t)p;
	return json_is_integer(link) && n >= 0 && n <= UINT32_MAX && json_is_integer(phrases) && (p == 0 || p == 1);
}

static Glt__Event *read_event(const json_t *o, struct glt_head *before, uint8_t hash[GLT_EVENT_HASH])
{
	Glt__Event *ev = glt_cli_alloc(NULL, 1, sizeof(*ev));
	char *at;
	bool good;

	glt__event__init(ev);
	good = get_number(o, "seq", &ev->seq) && ev->seq > 0 && get_number(o, "token", &ev->token) &&
	       get_number(o, "replaced", &ev->replaced) && get_hash(o, "previous", before->hash) &&
	       get_hash(o, "hash", hash) && get_form(o, ev, before->hash);
	good = get_text(o, "actor", &ev->actor) && good;
	good = get_text(o, "action", &ev->action) && good;
	good = get_text(o, "object", &ev->object) && good;
	good = get_text(o, "before", &ev->before) && good;
	good = get_text(o, "after", &ev->after) && good;
	good = get_text(o, "reason", &ev->reason) && good;
	good = get_text(o, "at", &at) && glt_when_parse("at", at, 0, &ev->at, NULL) == GLT_OK && good;
	free(at);
	if (good)
		return ev;
	glt__event__free_unpacked(ev, NULL);
	return NULL;
}

enum glt_status glt_event_import(const json_t *o, struct glt_event_line *out, struct glt_err *err)
{
	uint8_t said[GLT_EVENT_HASH];
	enum glt_status st;

	*out = (struct glt_event_line){.ev = NULL};
	out->ev = read_event(o, &out->before, said);
	if (!out->ev)
		return glt_fail(err, GLT_INVALID, "this is no event of gltoken audit export");
	out->bytes = glt_event_write(out->ev, &out->len);
	if (!out->bytes) {
		glt_event_line_free(out);
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for an event");
	}
	out->head = out->before;
	glt_head_advance(&out->head, out->ev, (struct glt_slice){out->bytes, out->len});
	if (memcmp(out->head.hash, said, sizeof(said)) == 0)
		return GLT_OK;
	st = glt_fail(err, GLT_DAMAGED, "event %llu does not have the hash that stands with it: it was changed",
		      (unsigned long long)out->ev->seq);
	glt_event_line_free(out);
	return st;
}

void glt_event_line_free(struct glt_event_line *line)
{
	if (line->ev)
		glt__event__free_unpacked(line->ev, NULL);
	free(line->bytes);
	*line = (struct glt_event_line){.ev = NULL};
}
