/* SPDX-License-Identifier: MIT */
#include "policy.h"

#include "role.h"
#include "scope.h"
#include "tokens.h"
#include "when.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *lifetime, *scopes;
} keys[GLT_CONF_TYPES] = {
	[GLT__TYPE__PERSONAL] = {"max_lifetime_personal", "allowed_scopes_personal"},
	[GLT__TYPE__PROJECT] = {"max_lifetime_project", "allowed_scopes_project"},
	[GLT__TYPE__GROUP] = {"max_lifetime_group", "allowed_scopes_group"},
	[GLT__TYPE__DEPLOY] = {"max_lifetime_deploy", "allowed_scopes_deploy"},
};

/* A damaged type has no key and no right of its own. */
static bool known(Glt__Type type)
{
	return type >= GLT__TYPE__PERSONAL && type <= GLT__TYPE__DEPLOY;
}

int64_t glt_policy_max_lifetime(const struct glt_conf *conf, Glt__Type type, const char **key)
{
	*key = "max_lifetime";
	if (!known(type) || conf->max_lifetime_of[type] == GLT_CONF_UNSET)
		return conf->max_lifetime;
	*key = keys[type].lifetime;
	return conf->max_lifetime_of[type];
}

uint64_t glt_policy_scopes(const struct glt_conf *conf, Glt__Type type, const char **key)
{
	*key = known(type) ? keys[type].scopes : "token_types";
	if (!known(type))
		return 0;
	return conf->scopes_of[type] ? conf->scopes_of[type] : glt_scopes_of_type(type);
}

void glt_span_format(int64_t seconds, char out[GLT_SPAN_TEXT])
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	while (seconds % units[i].seconds != 0 || (seconds == 0 && i < 3))
		i++;
	(void)snprintf(out, GLT_SPAN_TEXT, "%" PRId64 "%c", seconds / units[i].seconds, units[i].unit);
}

void glt_types_format(unsigned types, char out[GLT_TYPES_TEXT])
{
	size_t used = 0;

	out[0] = '\0';
	for (int t = GLT__TYPE__PERSONAL; t <= GLT__TYPE__DEPLOY; t++)
		if (types & 1u << t)
			used += (size_t)snprintf(out + used, GLT_TYPES_TEXT - used, "%s%s", used ? "," : "",
						 glt_type_name((Glt__Type)t));
}

/* ---- the rules, each once ---- */

__attribute__((format(printf, 4, 5))) static bool breaks(struct glt_breach *b, const char *rule, int64_t from,
							 const char *fmt, ...)
{
	va_list ap;

	b->rule = rule;
	b->from = from;
	va_start(ap, fmt);
	(void)vsnprintf(b->text, sizeof(b->text), fmt, ap);
	va_end(ap);
	return true;
}

static bool breaks_types(const struct glt_conf *conf, const Glt__Token *t, struct glt_breach *b)
{
	char types[GLT_TYPES_TEXT];

	if (known(t->type) && (conf->token_types & 1u << t->type))
		return false;
	glt_types_format(conf->token_types, types);
	return breaks(b, "token_types", 0, "%s token: refused by [policy] token_types = %s",
		      glt_type_name(t->type), types);
}

static bool scopes_beyond(const struct glt_conf *conf, Glt__Type type, uint64_t scopes, struct glt_breach *b)
{
	char more[GLT_SCOPES_TEXT_MAX], all[GLT_SCOPES_TEXT_MAX];
	const char *key;
	uint64_t allowed = glt_policy_scopes(conf, type, &key);

	if (!(scopes & ~allowed))
		return false;
	glt_scopes_format(scopes & ~allowed, more);
	glt_scopes_format(allowed, all);
	return breaks(b, key, 0, "scope %.150s: refused by [policy] %s = %.180s", more, key, all);
}

static bool breaks_role(const struct glt_conf *conf, const Glt__Token *t, struct glt_breach *b)
{
	const char *role = glt_role_name((int)t->role), *max = glt_role_name(conf->max_role);
	bool fixed = t->type == GLT__TYPE__PROJECT || t->type == GLT__TYPE__GROUP;

	if (!fixed || glt_role_within((int)t->role, conf->max_role))
		return false;
	return breaks(b, "max_role", 0, "role %s: refused by [policy] max_role = %s", role ? role : "unknown",
		      max ? max : "unknown");
}

/* A life from start to end (GLT_WHEN_NEVER: without one). */
static bool endless(const struct glt_conf *conf, int64_t end, struct glt_breach *b)
{
	if (end != GLT_WHEN_NEVER || !conf->require_expiry)
		return false;
	return breaks(b, "require_expiry", 0, "expiry 'never': refused by [policy] require_expiry = yes");
}

static bool too_long(const struct glt_conf *conf, Glt__Type type, int64_t start, int64_t end, struct glt_breach *b)
{
	char when[GLT_WHEN_TEXT], span[GLT_SPAN_TEXT];
	const char *key;
	int64_t max = glt_policy_max_lifetime(conf, type, &key);

	if (max == 0 || (end != GLT_WHEN_NEVER && end <= start + max))
		return false;
	glt_when_rfc3339(end, when);
	glt_span_format(max, span);
	return breaks(b, key, start + max, "expiry %s: refused by [policy] %s = %s", when[0] ? when : "'never'",
		      key, span);
}

static int64_t life_begins(const Glt__Token *t)
{
	return t->expiry_set_at ? t->expiry_set_at : t->created_at;
}

size_t glt_policy_breaches(const struct glt_conf *conf, const Glt__Token *t, struct glt_breach out[GLT_BREACHES])
{
	size_t n = 0;

	n += breaks_types(conf, t, &out[n]);
	n += scopes_beyond(conf, t->type, t->scopes, &out[n]);
	n += breaks_role(conf, t, &out[n]);
	n += endless(conf, t->expires_at, &out[n]);
	n += too_long(conf, t->type, life_begins(t), t->expires_at, &out[n]); /* the only one with a from */
	return n;
}

static enum glt_status refuse(const struct glt_breach *b, struct glt_err *err)
{
	return glt_fail(err, GLT_REFUSED, "%s", b->text);
}

enum glt_status glt_policy_allows(const struct glt_conf *conf, const Glt__Token *old, const Glt__Token *fresh,
				  int64_t now, struct glt_err *err)
{
	struct glt_breach b[GLT_BREACHES];

	if (!old)
		return glt_policy_breaches(conf, fresh, b) > 0 ? refuse(b, err) : GLT_OK;
	if (scopes_beyond(conf, fresh->type, fresh->scopes & ~old->scopes, b))
		return refuse(b, err);
	/* To end a token is no question of policy. */
	if (fresh->expires_at == old->expires_at || (fresh->expires_at && fresh->expires_at <= now))
		return GLT_OK;
	if (endless(conf, fresh->expires_at, b) ||
	    too_long(conf, fresh->type, life_begins(fresh), fresh->expires_at, b))
		return refuse(b, err);
	return GLT_OK;
}

enum glt_status glt_policy_room(const struct glt_conf *conf, struct glt_txn *txn, Glt__Type type,
				const char *holder, int64_t now, struct glt_err *err)
{
	size_t n;
	enum glt_status st;

	if (conf->max_active == 0)
		return GLT_OK;
	st = glt_token_count_active(txn, type, holder, now, &n, err);
	if (st == GLT_OK && n >= conf->max_active)
		return glt_fail(err, GLT_REFUSED, "%s has %zu active tokens: refused by [policy] max_active = %u",
				holder, n, conf->max_active);
	return st;
}

enum glt_status glt_policy_expiry(const struct glt_conf *conf, Glt__Type type, int64_t wanted, int64_t usual,
				  int64_t now, int64_t *out, struct glt_err *err)
{
	char text[GLT_WHEN_TEXT];
	struct glt_breach b;
	const char *key;
	int64_t at = wanted, max = glt_policy_max_lifetime(conf, type, &key);

	if (wanted == GLT_EXPIRES_DEFAULT) {
		at = usual ? now + usual : GLT_WHEN_NEVER;
		if (at && max && at > now + max)
			at = now + max;
	}
	if (at != GLT_WHEN_NEVER && at <= now) {
		glt_when_rfc3339(at, text);
		return glt_fail(err, GLT_INVALID, "expiry %s lies in the past", text);
	}
	if (endless(conf, at, &b) || too_long(conf, type, now, at, &b))
		return refuse(&b, err);
	*out = at;
	return GLT_OK;
}

enum glt_status glt_policy_overlap(const struct glt_conf *conf, int64_t wanted, int64_t *out, struct glt_err *err)
{
	char asked[GLT_SPAN_TEXT], limit[GLT_SPAN_TEXT];
	bool less;

	*out = wanted == GLT_OVERLAP_DEFAULT ? conf->min_overlap : wanted;
	less = *out < conf->min_overlap;
	if (!less && *out <= conf->max_overlap)
		return GLT_OK;
	glt_span_format(*out, asked);
	glt_span_format(less ? conf->min_overlap : conf->max_overlap, limit);
	return glt_fail(err, GLT_REFUSED, "overlap %s: refused by [policy] %s = %s", asked,
			less ? "min_overlap" : "max_overlap", limit);
}
