/* SPDX-License-Identifier: MIT */
#include "event.h"

#include "scope.h"
#include "tokens.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All that decides about a token; never its secret, salt or tag. */
static char *describe(const Glt__Token *t)
{
	char scopes[GLT_SCOPES_TEXT_MAX], expires[GLT_WHEN_TEXT], from[GLT_WHEN_TEXT], *text = NULL;
	size_t size = 0;
	FILE *f;

	if (!t || !(f = open_memstream(&text, &size)))
		return NULL;
	glt_scopes_format(t->scopes, scopes);
	glt_when_rfc3339(t->expires_at, expires);
	glt_when_rfc3339(t->not_before, from);
	(void)fprintf(f, "name='%s' owner=%s scopes=%s expires=%s", t->name, t->owner, scopes,
		      expires[0] ? expires : "never");
	if (t->role && t->type != GLT__TYPE__PERSONAL)
		(void)fprintf(f, " path=%s role=%u", t->path, t->role);
	if (t->description[0])
		(void)fprintf(f, " description='%s'", t->description);
	if (from[0])
		(void)fprintf(f, " not_before=%s", from);
	for (size_t i = 0; i < t->n_allow_from; i++)
		(void)fprintf(f, "%s%s", i ? "," : " allow_from=", t->allow_from[i]);
	for (size_t i = 0; i < t->n_only_repo; i++)
		(void)fprintf(f, "%s%s", i ? "," : " only_repo=", t->only_repo[i]);
	for (size_t i = 0; i < t->n_services; i++)
		(void)fprintf(f, "%s%s", i ? "," : " services=", t->services[i]);
	if (t->max_uses)
		(void)fprintf(f, " uses=%u/%u", t->uses_left, t->max_uses);
	if (t->next)
		(void)fprintf(f, " next=%" PRIu64, t->next);
	(void)fprintf(f, " state=%s", t->state != GLT__STATE__LIVE ? "revoked" : t->paused ? "paused" : "live");
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static void put_event(struct glt_change *c, Glt__Event *ev, const char *actor, const char *action,
		      const char *object, const char *before, const char *after, const char *reason)
{
	/* protobuf-c's fields are not const, but packing only reads them. */
	union {
		const char *in;
		char *out;
	} s[6] = {{actor}, {action}, {object}, {before}, {after}, {reason}};

	for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++)
		if (!s[i].in)
			s[i].in = "";
	ev->actor = s[0].out;
	ev->action = s[1].out;
	ev->object = s[2].out;
	ev->before = s[3].out;
	ev->after = s[4].out;
	ev->reason = s[5].out;
	glt_change_event(c, ev);
}

void glt_event_token(struct glt_change *c, const char *actor, const char *action, const Glt__Token *before,
		     const Glt__Token *after, const char *reason)
{
	const Glt__Token *any = after ? after : before;
	Glt__Event ev = GLT__EVENT__INIT;
	char *was = describe(before), *is = describe(after);

	if (!any || (before && !was) || (after && !is)) {
		glt_change_fail(c);
	} else {
		ev.token = any->id;
		if (before && before->id != any->id)
			ev.replaced = before->id;
		put_event(c, &ev, actor, action, glt_token_holder(any), was, is, reason);
	}
	free(was);
	free(is);
}

void glt_event_object(struct glt_change *c, const char *actor, const char *action, const char *object,
		      const char *before, const char *after, const char *reason)
{
	Glt__Event ev = GLT__EVENT__INIT;

	put_event(c, &ev, actor, action, object, before, after, reason);
}
