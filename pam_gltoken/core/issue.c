/* SPDX-License-Identifier: MIT */
#include "issue.h"

#include "account.h"
#include "event.h"
#include "people.h"
#include "role.h"
#include "scope.h"
#include "secret.h"
#include "tokens.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rules of the input, before anything is opened ---- */

enum glt_status glt_service_check(const char *service, struct glt_err *err)
{
	size_t len = strlen(service);

	if (len == 0 || len > 32 || strspn(service, "abcdefghijklmnopqrstuvwxyz0123456789_-") != len)
		return glt_fail(
			err, GLT_INVALID,
			"service '%.64s': must be a PAM service or 'sshd', 'http': 1 to 32 of a-z, 0-9, _ and -",
			service);
	return GLT_OK;
}

static enum glt_status check_role(const struct glt_issue *r, struct glt_err *err)
{
	bool fixed = r->type == GLT__TYPE__PROJECT || r->type == GLT__TYPE__GROUP;

	if (fixed && !r->role)
		return glt_fail(err, GLT_INVALID, "a %s token needs a role", glt_type_name(r->type));
	if (!fixed && r->role)
		return glt_fail(err, GLT_INVALID, "a %s token takes no role: %s", glt_type_name(r->type),
				r->type == GLT__TYPE__PERSONAL ? "its owner's memberships decide"
							       : "its scopes decide");
	if (fixed && !glt_role_name(r->role))
		return glt_fail(err, GLT_INVALID, "unknown role %d", r->role);
	return GLT_OK;
}

static enum glt_status check_input(const struct glt_issue *r, struct glt_err *err)
{
	enum glt_status st = glt_name_check("name", r->name ? r->name : "", false, err);

	if (st == GLT_OK)
		st = glt_name_check("description", r->description ? r->description : "", true, err);
	if (st == GLT_OK)
		st = r->type == GLT__TYPE__PERSONAL ? glt_account_name_check(r->target, err)
						    : glt_path_check(r->target, err);
	if (st == GLT_OK && r->username)
		st = glt_account_name_check(r->username, err);
	if (st == GLT_OK)
		st = check_role(r, err);
	if (st == GLT_OK && (r->scopes == 0 || (r->scopes & ~glt_scopes_of_type(r->type))))
		st = glt_fail(err, GLT_INVALID, "a %s token needs at least one scope of its type",
			      glt_type_name(r->type));
	if (st == GLT_OK)
		st = glt_check_each(r->allow_from, r->n_allow_from, glt_cidr_check, err);
	if (st == GLT_OK)
		st = glt_check_each(r->only_repo, r->n_only_repo, glt_glob_check, err);
	if (st == GLT_OK)
		st = glt_check_each(r->services, r->n_services, glt_service_check, err);
	return st;
}

/* ---- whom it acts as ---- */

/* A personal token's owner is a system account or a user of ours; *uid1 is the account's uid + 1, or 0. */
static enum glt_status find_owner(struct glt_store *store, const char *name, uint32_t *uid1, struct glt_err *err)
{
	struct glt_account a;
	struct glt_txn *txn;
	struct glt_err why;
	Glt__User *u = NULL;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	*uid1 = 0;
	if (st != GLT_OK)
		return st;
	st = glt_user_load(txn, name, &u, &why);
	glt_txn_end(txn);
	if (st == GLT_OK && u->state != GLT__STATE__LIVE)
		st = glt_fail(err, GLT_REFUSED, "user '%s' is blocked", name);
	else if (st != GLT_OK && st != GLT_NOT_FOUND)
		st = glt_fail(err, st, "%s", why.text);
	else if (st == GLT_NOT_FOUND || !u->virtual_user) {
		st = glt_account_of_system(name, &a, &why);
		if (st == GLT_OK)
			*uid1 = a.uid + 1;
		else if (st == GLT_NOT_FOUND)
			(void)glt_fail(err, st,
				       "unknown user '%s': no account of this system and none of gltoken user list",
				       name);
		else
			(void)glt_fail(err, st, "%s", why.text);
	}
	glt_user_free(u);
	if (st == GLT_OK && *uid1 == 1)
		return glt_fail(err, GLT_REFUSED, "user '%s' has uid 0: root takes no Git tokens", name);
	return st;
}

static char *robot_name(struct glt_txn *txn, const struct glt_issue *r)
{
	char name[GLT_ACCOUNT_MAX + 1];

	if (r->username)
		return strdup(r->username);
	for (int tries = 0; tries < 100; tries++) { /* a name of this form may have been chosen by hand */
		(void)snprintf(name, sizeof(name), "gitlab+deploy-token-%" PRIu64, glt_next(txn, GLT_NEXT_ACCOUNT));
		if (!glt_owner_used(txn, name))
			return strdup(name);
	}
	return NULL;
}

static char *bot_name(struct glt_txn *txn, struct glt_change *c, const struct glt_issue *r, struct glt_err *err)
{
	char name[GLT_ACCOUNT_MAX + 1];
	uint64_t n;

	if (r->type == GLT__TYPE__DEPLOY)
		return robot_name(txn, r);
	if (glt_namespace_number(txn, c, r->target, &n, err) != GLT_OK)
		return NULL;
	(void)snprintf(name, sizeof(name), "%s_%" PRIu64 "_bot_%08x",
		       r->type == GLT__TYPE__PROJECT ? "project" : "group", n, randombytes_random());
	return strdup(name);
}

/* A robot's name must be nobody else's. */
static enum glt_status check_free_name(struct glt_txn *txn, const struct glt_issue *r, struct glt_err *err)
{
	Glt__User *u;
	struct glt_err why;
	enum glt_status st;

	if (!r->username)
		return GLT_OK;
	st = glt_user_load(txn, r->username, &u, &why);
	glt_user_free(u);
	if (st == GLT_OK || glt_owner_used(txn, r->username))
		return glt_fail(err, GLT_EXISTS, "user name '%s' is taken", r->username);
	return st == GLT_NOT_FOUND ? GLT_OK : glt_fail(err, st, "%s", why.text);
}

/* Nor an account's: the robot would open it. NSS may be slow, so this is asked outside of any transaction. */
static enum glt_status check_no_account(const char *name, struct glt_err *err)
{
	struct glt_account a;
	struct glt_err why;
	enum glt_status st = glt_account_of_system(name, &a, &why);

	if (st == GLT_OK)
		return glt_fail(err, GLT_EXISTS, "user name '%s' is taken by an account of this system", name);
	return st == GLT_NOT_FOUND ? GLT_OK : glt_fail(err, st, "%s", why.text);
}

/* ---- the record ---- */

static char *text_or_empty(const char *s)
{
	return strdup(s ? s : "");
}

static bool copy_list(char ***out, size_t *n_out, char *const *list, size_t n)
{
	if (n == 0)
		return true;
	*out = calloc(n, sizeof(**out));
	if (!*out)
		return false;
	for (*n_out = 0; *n_out < n; ++*n_out) {
		(*out)[*n_out] = strdup(list[*n_out]);
		if (!(*out)[*n_out])
			return false;
	}
	return true;
}

static Glt__Token *new_record(const struct glt_issue *r, int64_t expires_at)
{
	Glt__Token *t = malloc(sizeof(*t));

	if (!t)
		return NULL;
	glt__token__init(t);
	t->type = r->type;
	t->state = GLT__STATE__LIVE;
	t->name = strdup(r->name);
	t->description = text_or_empty(r->description);
	t->path = text_or_empty(r->type == GLT__TYPE__PERSONAL ? NULL : r->target);
	t->role = (uint32_t)(r->type == GLT__TYPE__DEPLOY ? GLT_DEVELOPER : r->role);
	t->scopes = r->scopes;
	t->created_at = r->now;
	t->created_by = text_or_empty(r->actor);
	t->not_before = r->not_before;
	t->expires_at = expires_at;
	t->max_uses = t->uses_left = r->max_uses;
	if (!copy_list(&t->allow_from, &t->n_allow_from, r->allow_from, r->n_allow_from) ||
	    !copy_list(&t->only_repo, &t->n_only_repo, r->only_repo, r->n_only_repo) ||
	    !copy_list(&t->services, &t->n_services, r->services, r->n_services) || !t->name || !t->description ||
	    !t->path || !t->created_by) {
		glt_token_free(t);
		return NULL;
	}
	return t;
}

static enum glt_status check_name_unused(struct glt_txn *txn, const struct glt_issue *r, struct glt_err *err)
{
	Glt__Token *same = NULL;
	enum glt_status st = glt_token_named(txn, r->type, r->target, r->name, r->now, &same, err);

	if (st == GLT_OK)
		st = glt_fail(err, GLT_EXISTS, "%s has an active token '%s' already: id %" PRIu64, r->target,
			      r->name, same->id);
	glt_token_free(same);
	return st == GLT_NOT_FOUND ? GLT_OK : st;
}

enum glt_status glt_issue_put(struct glt_store *store, const struct glt_conf *conf, struct glt_txn *txn,
			      struct glt_change *c, const struct glt_issue *r, Glt__Token *t,
			      struct glt_token_text *text, struct glt_err *err)
{
	enum glt_status st = r->name_is_free ? GLT_OK : check_name_unused(txn, r, err);

	if (st == GLT_OK)
		st = check_free_name(txn, r, err);
	if (st == GLT_OK)
		st = glt_policy_room(conf, txn, r->type, r->target, r->now, err);
	if (st == GLT_OK) {
		t->owner = r->type == GLT__TYPE__PERSONAL ? strdup(r->target) : bot_name(txn, c, r, err);
		t->family = t->id = glt_next(txn, GLT_NEXT_ID);
		st = t->owner ? glt_secret_bind(store, txn, t, text, err)
			      : glt_fail(err, GLT_UNAVAILABLE, "no memory or no number for a bot");
	}
	if (st == GLT_OK) {
		glt_token_store(txn, c, NULL, t);
		glt_event_token(c, r->actor, "token.issue", NULL, t, NULL);
	}
	return st;
}

/* One token, one transaction. */
static enum glt_status put_new(struct glt_store *store, const struct glt_conf *conf, const struct glt_issue *r,
			       Glt__Token *t, struct glt_token_text *text, struct glt_err *err)
{
	struct glt_change *c;
	struct glt_txn *txn;
	enum glt_status st = glt_change_begin(store, &c, &txn, err);

	if (st != GLT_OK)
		return st;
	return glt_change_end(txn, c, glt_issue_put(store, conf, txn, c, r, t, text, err), err);
}

/* --if-absent: hand out the record that is there. */
static enum glt_status existing(struct glt_store *store, const struct glt_issue *r, Glt__Token **record,
				struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	if (st != GLT_OK)
		return st;
	st = glt_token_named(txn, r->type, r->target, r->name, r->now, record, err);
	glt_txn_end(txn);
	if (st == GLT_OK)
		return glt_fail(err, GLT_EXISTS, "%s has an active token '%s' already: id %" PRIu64, r->target,
				r->name, (*record)->id);
	return st == GLT_NOT_FOUND ? GLT_OK : st;
}

enum glt_status glt_issue_prepare(struct glt_store *store, const struct glt_conf *conf, const struct glt_issue *r,
				  Glt__Token **record, struct glt_err *err)
{
	uint32_t uid1 = 0;
	int64_t expires_at;
	enum glt_status st = check_input(r, err);

	*record = NULL;
	if (st == GLT_OK)
		st = glt_policy_expiry(conf, r->type, r->expires_at, conf->default_lifetime, r->now, &expires_at,
				       err);
	if (st == GLT_OK && r->not_before && expires_at && r->not_before >= expires_at)
		st = glt_fail(err, GLT_INVALID, "not-before is not before the expiry");
	if (st == GLT_OK && r->type == GLT__TYPE__PERSONAL)
		st = find_owner(store, r->target, &uid1, err);
	if (st == GLT_OK && r->username)
		st = check_no_account(r->username, err);
	if (st != GLT_OK)
		return st;
	*record = new_record(r, expires_at);
	if (!*record)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the record");
	(*record)->owner_uid_plus1 = uid1;
	st = glt_policy_allows(conf, NULL, *record, r->now, err);
	if (st != GLT_OK) {
		glt_token_free(*record);
		*record = NULL;
	}
	return st;
}

enum glt_status glt_issue(struct glt_store *store, const struct glt_conf *conf, const struct glt_issue *r,
			  Glt__Token **record, char text[GLT_TOKEN_MAX + 1], struct glt_err *err)
{
	struct glt_token_text tt = {.prefix = ""};
	Glt__Token *t = NULL;
	enum glt_status st = check_input(r, err);

	*record = NULL;
	text[0] = '\0';
	if (st == GLT_OK && r->if_absent)
		st = existing(store, r, record, err);
	if (st == GLT_OK)
		st = glt_issue_prepare(store, conf, r, &t, err);
	if (st == GLT_OK)
		st = glt_secret_draw(conf, r->type, t, &tt, err);
	if (st == GLT_OK)
		st = put_new(store, conf, r, t, &tt, err);
	if (st == GLT_OK) {
		glt_token_format(&tt, text);
		*record = t;
	} else {
		glt_token_free(t);
	}
	glt_token_wipe(&tt);
	return st;
}
