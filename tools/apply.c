/* SPDX-License-Identifier: MIT */
#include "apply.h"

#include "event.h"
#include "principal.h"
#include "protect.h"
#include "records.h"
#include "role.h"
#include "tokens.h"
#include "userput.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void glt_apply_differ(struct glt_apply *a, char sign, const char *was, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (a->n == a->room) {
		a->room = a->room ? a->room * 2 : 64;
		a->v = glt_cli_alloc(a->v, a->room, sizeof(*a->v));
	}
	a->v[a->n++] =
		(struct glt_difference){sign, glt_cli_strdup(text), was && *was ? glt_cli_strdup(was) : NULL};
}

void glt_apply_free(struct glt_apply *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->v[i].text);
		free(a->v[i].was);
	}
	for (size_t i = 0; i < a->n_forgotten; i++)
		free(a->forgotten[i]);
	free(a->v);
	free(a->forgotten);
}

/* ---- users ---- */

static enum glt_status put_user(struct glt_apply *a, const struct glt_wanted *w, struct glt_err *err)
{
	Glt__User *u;
	enum glt_status st = glt_user_load(a->txn, w->name, &u, err);

	if (st == GLT_NOT_FOUND) {
		st = glt_user_put_new(a->cli, a->txn, a->c, w->name, w->title, w->system, err);
		if (st == GLT_OK)
			glt_apply_differ(a, '+', NULL, "user %s%s%s", w->name, w->title[0] ? " " : "", w->title);
	} else if (st == GLT_OK && !a->keep && strcmp(u->display, w->title) != 0) {
		glt_apply_differ(a, '~', u->display, "user %s%s%s", w->name, w->title[0] ? " " : "", w->title);
		glt_event_object(a->c, a->cli->actor, "user.edit", w->name, u->display, w->title, NULL);
		if (!glt_token_set_text(&u->display, w->title))
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
		glt_user_store(a->c, u);
	}
	glt_user_free(u);
	return st;
}

/* A user of the system, of the store, or of this file. */
static enum glt_status check_user(struct glt_apply *a, const struct glt_wanted *w, struct glt_err *err)
{
	if (w->system)
		return GLT_OK;
	for (size_t i = 0; i < a->file->n; i++)
		if (a->file->v[i].kind == GLT_WANT_USER && strcmp(a->file->v[i].name, w->name) == 0)
			return GLT_OK;
	return glt_principal_is_user(a->txn, w->name, err);
}

/* ---- memberships and protections ---- */

static enum glt_status put_member(struct glt_apply *a, const struct glt_wanted *w, struct glt_err *err)
{
	const char *was = NULL;
	Glt__Member *old = NULL;
	bool changed = false;
	enum glt_status st = check_user(a, w, err);

	if (st == GLT_OK)
		st = glt_member_load(a->txn, w->path, w->name, &old, err);
	if (st == GLT_OK)
		was = glt_role_name((int)old->role);
	if (was && a->keep && (int)old->role != w->role)
		glt_apply_differ(a, '!', was, "member %s %s %s", w->path, w->name, glt_role_name(w->role));
	else if (st == GLT_OK || (st == GLT_NOT_FOUND && check_user(a, w, err) == GLT_OK))
		st = glt_member_put(a->cli, a->txn, a->c, w->path, w->name, w->role, &changed, err);
	if (changed)
		glt_apply_differ(a, was ? '~' : '+', was, "member %s %s %s", w->path, w->name,
				 glt_role_name(w->role));
	glt_member_free(old);
	return st;
}

static enum glt_status put_protection(struct glt_apply *a, const struct glt_wanted *w, struct glt_err *err)
{
	char path[GLT_PATH_MAX + 1], glob[GLT_NAME_MAX + 1], was[96] = "";
	Glt__Protection *old, fresh = GLT__PROTECTION__INIT;
	bool changed = false;
	enum glt_status st = glt_protection_load(a->txn, w->path, w->name, &old, err);

	if (st == GLT_OK)
		(void)snprintf(was, sizeof(was), "push=%s force=%s delete=%s", glt_level_name(old->push),
			       glt_level_name(old->force), glt_level_name(old->remove));
	glt_protection_free(old);
	strcpy(path, w->path);
	strcpy(glob, w->name);
	fresh.path = path;
	fresh.ref_glob = glob;
	fresh.push = w->push;
	fresh.force = w->force;
	fresh.remove = w->remove;
	if (st == GLT_OK || st == GLT_NOT_FOUND)
		st = glt_protect_set(a->cli, a->txn, a->c, &fresh, &changed, err);
	if (changed)
		glt_apply_differ(a, was[0] ? '~' : '+', was, "protect %s %s push=%s force=%s delete=%s", path, glob,
				 glt_level_name(w->push), glt_level_name(w->force), glt_level_name(w->remove));
	return st;
}

/* ---- keys ---- */

void glt_apply_key_text(const Glt__Key *k, char *out, size_t size)
{
	uint8_t fp[GLT_FINGERPRINT_LEN];
	char text[64];

	glt_pubkey_fingerprint(k->blob.data, k->blob.len, fp);
	glt_pubkey_fingerprint_text(fp, text);
	if (k->path[0])
		(void)snprintf(out, size, "deploy-key %s %s %s %s", k->path, k->can_push ? "write" : "read", text,
			       k->title);
	else
		(void)snprintf(out, size, "key %s %s %s", k->user, text, k->title);
}

static enum glt_status make_key(struct glt_apply *a, const struct glt_wanted *w, Glt__Key **out,
				struct glt_err *err)
{
	Glt__Key *k = *out = glt_cli_alloc(NULL, 1, sizeof(*k));

	glt__key__init(k);
	k->blob.data = glt_cli_alloc(NULL, w->blob_len, 1);
	k->blob.len = w->blob_len;
	memcpy(k->blob.data, w->blob, w->blob_len);
	k->id = glt_next(a->txn, GLT_NEXT_ID);
	k->created_at = a->cli->now;
	k->user_uid_plus1 = w->system && !w->path[0] ? w->uid + 1 : 0;
	if (glt_token_set_text(&k->user, w->path[0] ? "" : w->name) && glt_token_set_text(&k->path, w->path) &&
	    glt_token_set_text(&k->type, w->type) && glt_token_set_text(&k->created_by, a->cli->actor))
		return GLT_OK;
	return glt_fail(err, GLT_UNAVAILABLE, "no memory for a key");
}

static enum glt_status change_key(struct glt_apply *a, const struct glt_wanted *w, Glt__Key *k, bool fresh,
				  struct glt_err *err)
{
	char was[700] = "", is[700], fingerprint[64];

	if (!fresh && (a->keep || (strcmp(k->title, w->title) == 0 && k->can_push == w->write)))
		return GLT_OK;
	if (!fresh)
		glt_apply_key_text(k, was, sizeof(was));
	if (!glt_token_set_text(&k->title, w->title))
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for a key");
	k->can_push = w->write;
	glt_apply_key_text(k, is, sizeof(is));
	glt_key_store(a->c, k);
	glt_pubkey_fingerprint_text(w->fingerprint, fingerprint);
	glt_event_object(a->c, a->cli->actor, fresh ? "key.add" : "key.edit", k->user[0] ? k->user : k->path,
			 fresh ? NULL : was, fresh ? fingerprint : is, NULL);
	glt_apply_differ(a, fresh ? '+' : '~', was, "%s", is);
	return GLT_OK;
}

static enum glt_status foreign_key(struct glt_apply *a, const struct glt_wanted *w, const Glt__Key *k,
				   struct glt_err *err)
{
	const char *whose = k->user[0] ? k->user : k->path;
	char fingerprint[64];

	if (!a->keep)
		return glt_fail(err, GLT_EXISTS, "the key is there already, as key %llu of %s",
				(unsigned long long)k->id, whose);
	glt_pubkey_fingerprint_text(w->fingerprint, fingerprint);
	glt_apply_differ(a, '!', whose, "key %s %s %s", w->name, fingerprint, w->title);
	return GLT_OK;
}

static enum glt_status put_key(struct glt_apply *a, const struct glt_wanted *w, struct glt_err *err)
{
	Glt__Key *k = NULL;
	bool fresh, foreign;
	enum glt_status st = w->path[0] ? GLT_OK : check_user(a, w, err);

	if (st != GLT_OK)
		return st;
	st = glt_key_by_fingerprint(a->txn, w->fingerprint, &k, err);
	fresh = st == GLT_NOT_FOUND;
	foreign =
		st == GLT_OK && (strcmp(k->user, w->path[0] ? "" : w->name) != 0 || strcmp(k->path, w->path) != 0);
	if (fresh)
		st = make_key(a, w, &k, err);
	else if (foreign)
		st = foreign_key(a, w, k, err);
	if (st == GLT_OK && !foreign)
		st = change_key(a, w, k, fresh, err);
	glt_key_free(k);
	return st;
}

enum glt_status glt_apply_run(struct glt_apply *a, struct glt_err *err)
{
	static enum glt_status (*const put[])(struct glt_apply *, const struct glt_wanted *, struct glt_err *) = {
		[GLT_WANT_USER] = put_user,
		[GLT_WANT_MEMBER] = put_member,
		[GLT_WANT_PROTECTION] = put_protection,
		[GLT_WANT_KEY] = put_key,
	};
	struct glt_err why;
	enum glt_status st = GLT_OK;

	for (size_t i = 0; st == GLT_OK && i < a->file->n; i++) {
		st = put[a->file->v[i].kind](a, &a->file->v[i], &why);
		if (st != GLT_OK)
			(void)glt_fail(err, st, "line %u: %s", a->file->v[i].line, why.text);
	}
	return st == GLT_OK && a->prune ? glt_apply_prune(a, err) : st;
}

int glt_apply_put(struct glt_cli *cli, struct glt_apply *a, bool dry_run)
{
	struct glt_err err;
	enum glt_status st;
	size_t done = 0;
	int rc = glt_cli_open(cli, true);

	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &a->txn, &a->c);
	if (rc != GLT_EXIT_OK)
		return rc;
	st = glt_apply_run(a, &err);
	for (size_t i = 0; i < a->n; i++)
		done += a->v[i].sign != '!';
	if (st == GLT_OK && (dry_run || done == 0)) {
		glt_txn_end(a->txn);
		glt_change_free(a->c);
	} else {
		rc = glt_write_end(cli, a->txn, a->c, st, &err);
	}
	glt_cli_close(cli);
	return rc;
}
