/* SPDX-License-Identifier: MIT */
#include "apply.h"

#include "event.h"
#include "principal.h"
#include "protect.h"
#include "role.h"
#include "userput.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool wanted(const struct glt_apply *a, enum glt_wanted_kind kind, const char *path, const char *name)
{
	for (size_t i = 0; i < a->file->n; i++) {
		const struct glt_wanted *w = &a->file->v[i];

		if (w->kind == kind && strcmp(w->path, path) == 0 && strcmp(w->name, name) == 0)
			return true;
	}
	return false;
}

/* What such a user had went with them. */
static bool forgotten(const struct glt_apply *a, const char *name)
{
	for (size_t i = 0; i < a->n_forgotten; i++)
		if (strcmp(a->forgotten[i], name) == 0)
			return true;
	return false;
}

static bool damaged(struct glt_apply *a, const char *what)
{
	a->st = glt_fail(a->err, GLT_DAMAGED, "a %s is damaged: run gltoken check", what);
	return false;
}

/* Without its record a blocked person could come in again, by their account of the system. */
static bool visit_user(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct glt_apply *a = arg;
	Glt__User *u = glt__user__unpack(NULL, value.len, value.data);

	(void)key;
	if (!u)
		return damaged(a, "user");
	if (u->state == GLT__STATE__LIVE && !wanted(a, GLT_WANT_USER, "", u->name)) {
		a->st = glt_user_forget(a->cli, a->txn, a->c, u->name, a->err);
		glt_apply_differ(a, '-', NULL, "user %s", u->name);
		a->forgotten = glt_cli_alloc(a->forgotten, a->n_forgotten + 1, sizeof(*a->forgotten));
		a->forgotten[a->n_forgotten++] = glt_cli_strdup(u->name);
	}
	glt_user_free(u);
	return a->st == GLT_OK;
}

static bool visit_member(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct glt_apply *a = arg;
	Glt__Member *m = glt__member__unpack(NULL, value.len, value.data);

	(void)key;
	if (!m)
		return damaged(a, "membership");
	if (!wanted(a, GLT_WANT_MEMBER, m->path, m->principal) && !forgotten(a, m->principal)) {
		a->st = glt_member_take(a->cli, a->txn, a->c, m->path, m->principal, a->err);
		glt_apply_differ(a, '-', NULL, "member %s %s %s", m->path, m->principal,
				 glt_role_name((int)m->role));
	}
	glt_member_free(m);
	return a->st == GLT_OK;
}

static bool visit_protection(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct glt_apply *a = arg;
	Glt__Protection *p = glt__protection__unpack(NULL, value.len, value.data);

	(void)key;
	if (!p)
		return damaged(a, "protection");
	if (!wanted(a, GLT_WANT_PROTECTION, p->path, p->ref_glob)) {
		a->st = glt_protect_remove(a->cli, a->txn, a->c, p->path, p->ref_glob, a->err);
		glt_apply_differ(a, '-', NULL, "protect %s %s", p->path, p->ref_glob);
	}
	glt_protection_free(p);
	return a->st == GLT_OK;
}

static bool key_wanted(const struct glt_apply *a, struct glt_slice fingerprint)
{
	for (size_t i = 0; i < a->file->n; i++) {
		const struct glt_wanted *w = &a->file->v[i];

		if (w->kind == GLT_WANT_KEY && fingerprint.len == sizeof(w->fingerprint) &&
		    memcmp(w->fingerprint, fingerprint.data, sizeof(w->fingerprint)) == 0)
			return true;
	}
	return false;
}

static bool visit_key(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct glt_apply *a = arg;
	Glt__Key *k = glt__key__unpack(NULL, value.len, value.data);
	char text[700], fingerprint[64];

	if (!k || key.len != GLT_FINGERPRINT_LEN) {
		glt_key_free(k);
		return damaged(a, "key");
	}
	if (!key_wanted(a, key) && !(k->user[0] && forgotten(a, k->user))) {
		glt_apply_key_text(k, text, sizeof(text));
		glt_apply_differ(a, '-', NULL, "%s", text);
		glt_pubkey_fingerprint_text(key.data, fingerprint);
		glt_key_drop(a->c, k);
		glt_event_object(a->c, a->cli->actor, "key.remove", k->user[0] ? k->user : k->path, fingerprint,
				 NULL, NULL);
	}
	glt_key_free(k);
	return true;
}

enum glt_status glt_apply_prune(struct glt_apply *a, struct glt_err *err)
{
	static const struct {
		enum glt_table table;
		glt_visit *fn;
	} walks[] = {
		[GLT_WANT_USER] = {GLT_USERS, visit_user},
		[GLT_WANT_MEMBER] = {GLT_MEMBERS, visit_member},
		[GLT_WANT_PROTECTION] = {GLT_PROTECTIONS, visit_protection},
		[GLT_WANT_KEY] = {GLT_KEYS, visit_key},
	};
	const struct glt_slice all = {NULL, 0};
	enum glt_status st = GLT_OK;

	a->err = err;
	a->st = GLT_OK;
	for (int i = 0; st == GLT_OK && i < GLT_WANT_KINDS; i++) {
		if (!a->file->has[i])
			continue;
		st = glt_walk(a->txn, walks[i].table, all, all, walks[i].fn, a, err);
		if (st == GLT_OK)
			st = a->st;
	}
	return st;
}
