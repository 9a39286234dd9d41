/* SPDX-License-Identifier: MIT */
#include "edit.h"

#include "event.h"
#include "issue.h"
#include "policy.h"
#include "scope.h"
#include "text.h"
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

static enum glt_status set_text(char **field, const char *value, struct glt_err *err)
{
	return glt_token_set_text(field, value) ? GLT_OK
						: glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
}

static enum glt_status set_list(char ***field, size_t *n, const struct glt_edit *e,
				enum glt_status (*check)(const char *, struct glt_err *), struct glt_err *err)
{
	char **list = calloc(e->n_list + 1, sizeof(*list));
	enum glt_status st = list ? GLT_OK : glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");

	for (size_t i = 0; st == GLT_OK && i < e->n_list; i++) {
		st = check(e->list[i], err);
		list[i] = st == GLT_OK ? strdup(e->list[i]) : NULL;
		if (st == GLT_OK && !list[i])
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
	}
	if (st != GLT_OK) {
		for (size_t i = 0; list && i < e->n_list; i++)
			free(list[i]);
		free(list);
		return st;
	}
	for (size_t i = 0; i < *n; i++)
		free((*field)[i]);
	free(*field);
	*field = list;
	*n = e->n_list;
	return GLT_OK;
}

static enum glt_status set_scopes(Glt__Token *t, uint64_t scopes, struct glt_err *err)
{
	if (scopes == 0)
		return glt_fail(err, GLT_INVALID, "a token needs at least one scope");
	if (scopes & ~glt_scopes_of_type(t->type))
		return glt_fail(err, GLT_INVALID, "a %s token cannot have all of these scopes",
				glt_type_name(t->type));
	t->scopes = scopes;
	return GLT_OK;
}

static enum glt_status remove_scopes(Glt__Token *t, uint64_t scopes, struct glt_err *err)
{
	char names[GLT_SCOPES_TEXT_MAX];

	glt_scopes_format(scopes & ~t->scopes, names);
	if (scopes & ~t->scopes)
		return glt_fail(err, GLT_NOT_FOUND, "the token has no scope %s", names);
	return set_scopes(t, t->scopes & ~scopes, err);
}

static enum glt_status set_expiry(Glt__Token *t, int64_t when, int64_t now, struct glt_err *err)
{
	if (when && when < now)
		return glt_fail(err, GLT_INVALID, "expiry lies in the past: 'now' ends the token at once");
	t->expires_at = when;
	t->expiry_set_at = now;
	return GLT_OK;
}

static enum glt_status revoke(Glt__Token *t, const char *why, const char *actor, int64_t now, struct glt_err *err)
{
	enum glt_status st = set_text(&t->revoked_by, actor, err);

	if (st == GLT_OK)
		st = glt_name_check("reason", why ? why : "", true, err);
	if (st == GLT_OK)
		st = set_text(&t->revoked_why, why, err);
	t->state = GLT__STATE__REVOKED;
	t->revoked_at = now;
	return st;
}

static enum glt_status edit_one(Glt__Token *t, const struct glt_edit *e, const char *actor, int64_t now,
				struct glt_err *err)
{
	enum glt_status st;

	switch (e->what) {
	case GLT_EDIT_NAME:
		st = glt_name_check("name", e->text, false, err);
		return st == GLT_OK ? set_text(&t->name, e->text, err) : st;
	case GLT_EDIT_DESCRIPTION:
		st = glt_name_check("description", e->text, true, err);
		return st == GLT_OK ? set_text(&t->description, e->text, err) : st;
	case GLT_EDIT_SCOPES:
		return set_scopes(t, e->number, err);
	case GLT_EDIT_SCOPES_ADD:
		return set_scopes(t, t->scopes | e->number, err);
	case GLT_EDIT_SCOPES_REMOVE:
		return remove_scopes(t, e->number, err);
	case GLT_EDIT_EXPIRY:
		return set_expiry(t, e->when, now, err);
	case GLT_EDIT_ALLOW_FROM:
		return set_list(&t->allow_from, &t->n_allow_from, e, glt_cidr_check, err);
	case GLT_EDIT_ONLY_REPO:
		return set_list(&t->only_repo, &t->n_only_repo, e, glt_glob_check, err);
	case GLT_EDIT_SERVICES:
		return set_list(&t->services, &t->n_services, e, glt_service_check, err);
	case GLT_EDIT_MAX_USES:
		if (e->number > UINT32_MAX)
			return glt_fail(err, GLT_INVALID, "use limit: must be at most %u", UINT32_MAX);
		t->max_uses = t->uses_left = (uint32_t)e->number;
		return GLT_OK;
	case GLT_EDIT_PAUSE:
	case GLT_EDIT_RESUME:
		t->paused = e->what == GLT_EDIT_PAUSE;
		return GLT_OK;
	case GLT_EDIT_REVOKE:
		return revoke(t, e->text, actor, now, err);
	case GLT_EDIT_NOTIFIED:
		t->notified_for = e->when;
		t->notified_days = (uint32_t)e->number;
		return GLT_OK;
	}
	return glt_fail(err, GLT_INVALID, "unknown edit");
}

static const char *action_of(enum glt_edit_what what)
{
	switch (what) {
	case GLT_EDIT_SCOPES:
	case GLT_EDIT_SCOPES_ADD:
	case GLT_EDIT_SCOPES_REMOVE:
		return "token.scope";
	case GLT_EDIT_EXPIRY:
		return "token.expire";
	case GLT_EDIT_PAUSE:
		return "token.pause";
	case GLT_EDIT_RESUME:
		return "token.resume";
	case GLT_EDIT_REVOKE:
		return "token.revoke";
	case GLT_EDIT_NOTIFIED:
		return "token.notify";
	default:
		return "token.edit";
	}
}

/* Names of active tokens are unique per holder. */
static enum glt_status check_name(const struct glt_conf *conf, struct glt_txn *txn, const Glt__Token *old,
				  const Glt__Token *fresh, int64_t now, struct glt_err *err)
{
	/* An expired token that comes back meets those that took its name and its place since. */
	bool back = old->expires_at && now >= old->expires_at && (!fresh->expires_at || now < fresh->expires_at);
	Glt__Token *same;
	enum glt_status st;

	if (!back && strcmp(old->name, fresh->name) == 0)
		return GLT_OK;
	st = glt_token_named(txn, fresh->type, glt_token_holder(fresh), fresh->name, now, &same, err);
	if (st == GLT_OK)
		st = glt_fail(err, GLT_EXISTS, "%s has an active token '%s' already: id %llu",
			      glt_token_holder(fresh), fresh->name, (unsigned long long)same->id);
	else if (st == GLT_NOT_FOUND)
		st = back ? glt_policy_room(conf, txn, fresh->type, glt_token_holder(fresh), now, err) : GLT_OK;
	glt_token_free(same);
	return st;
}

static enum glt_status edit_all(const struct glt_conf *conf, struct glt_txn *txn, const struct glt_edit *edits,
				size_t n, const char *actor, int64_t now, const Glt__Token *old, Glt__Token *fresh,
				struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	if (old->state != GLT__STATE__LIVE)
		return glt_fail(err, GLT_REFUSED, "Token already revoked");
	for (size_t i = 0; st == GLT_OK && i < n; i++)
		st = edit_one(fresh, &edits[i], actor, now, err);
	if (st == GLT_OK && fresh->not_before && fresh->expires_at && fresh->not_before >= fresh->expires_at &&
	    fresh->expires_at > now)
		st = glt_fail(err, GLT_INVALID, "expiry lies before not-before");
	if (st == GLT_OK)
		st = glt_policy_allows(conf, old, fresh, now, err);
	return st == GLT_OK ? check_name(conf, txn, old, fresh, now, err) : st;
}

enum glt_status glt_token_edit(struct glt_store *store, const struct glt_conf *conf, uint64_t id,
			       const struct glt_edit *edits, size_t n, const char *actor, int64_t now,
			       Glt__Token **out, struct glt_err *err)
{
	struct glt_change *c = glt_change_new();
	Glt__Token *old = NULL, *fresh = NULL;
	struct glt_txn *txn;
	enum glt_status st;

	if (out)
		*out = NULL;
	st = c && n > 0 ? glt_txn_begin(store, true, &txn, err)
			: glt_fail(err, GLT_UNAVAILABLE, "no memory, or no edit");
	if (st != GLT_OK) {
		glt_change_free(c);
		return st;
	}
	st = glt_token_load(txn, id, &old, err);
	if (st == GLT_OK) {
		fresh = glt_token_copy(old);
		st = fresh ? edit_all(conf, txn, edits, n, actor, now, old, fresh, err)
			   : glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
	}
	if (st == GLT_OK) {
		glt_token_store(txn, c, old, fresh);
		glt_event_token(c, actor, action_of(edits[0].what), old, fresh,
				edits[0].what == GLT_EDIT_REVOKE || edits[0].what == GLT_EDIT_NOTIFIED
					? edits[0].text
					: NULL);
		st = glt_store_apply(txn, c, err);
	} else {
		glt_txn_end(txn);
	}
	if (st == GLT_OK && out) {
		*out = fresh;
		fresh = NULL;
	}
	glt_token_free(old);
	glt_token_free(fresh);
	glt_change_free(c);
	return st;
}
