/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include "migrate.h"
#include "people.h"
#include "project.h"
#include "role.h"
#include "text.h"
#include "tokens.h"
#include "userput.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct apply {
	struct glt_store *store;
	struct glt_txn *txn;
	struct glt_change *c;
	const Glt__Event *ev;
	int64_t now;
	struct glt_notes *notes;
};

static void set_text(char **field, const char *value)
{
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = glt_cli_strdup(value);
}

static bool noted(const struct glt_notes *notes, uint64_t id)
{
	for (size_t i = 0; i < notes->n; i++)
		if (notes->v[i].id == id && strcmp(notes->v[i].state, "paused") == 0)
			return true;
	return false;
}

static void note_token(struct apply *a, const Glt__Token *t, const char *state, const char *why)
{
	char name[GLT_PATH_MAX + GLT_NAME_MAX + 2];

	(void)snprintf(name, sizeof(name), "%s/%s", glt_token_holder(t), t->name);
	glt_note_add(a->notes, t->id, name, state, why);
}

/* ---- tokens ---- */

enum outcome { KEEP, CHANGED };

static void end_token(Glt__Token *t, const Glt__Event *ev, const char *why)
{
	t->state = GLT__STATE__REVOKED;
	t->revoked_at = ev->at;
	set_text(&t->revoked_by, ev->actor);
	set_text(&t->revoked_why, why);
}

/* Do both lines of an event end in "state=", and are they the same up to there? */
static bool only_state_differs(const Glt__Event *ev)
{
	const char *was = strstr(ev->before, " state="), *is = strstr(ev->after, " state=");
	const char *next;

	while (was && (next = strstr(was + 1, " state=")))
		was = next;
	while (is && (next = strstr(is + 1, " state=")))
		is = next;
	return was && is && was - ev->before == is - ev->after &&
	       memcmp(ev->before, ev->after, (size_t)(was - ev->before)) == 0;
}

static enum outcome change_token(struct apply *a, Glt__Token *t)
{
	const Glt__Event *ev = a->ev;
	const char *action = ev->action + sizeof("token.") - 1;

	if (strcmp(action, "revoke") == 0) {
		end_token(t, ev, ev->reason);
		note_token(a, t, "revoked", "revoked after the backup");
	} else if (strcmp(action, "rotate") == 0) {
		end_token(t, ev, "rotated after the backup");
		note_token(a, t, "revoked", "rotated after the backup; its successor is not known any more");
	} else if (strcmp(action, "reap") == 0) {
		end_token(t, ev, ev->reason);
		note_token(a, t, "revoked", "removed after the backup, for it was dead");
	} else if (strcmp(action, "reuse") == 0 || strcmp(action, "notify") == 0) {
		return KEEP; /* what was seen, or told of: what followed has events of its own */
	} else if (strcmp(action, "use") == 0) {
		if (t->uses_left == 0)
			return KEEP;
		t->uses_left--;
	} else if (strcmp(action, "rehash") == 0) {
		return KEEP; /* the same secret and the same grants */
	} else if (strcmp(action, "resume") == 0 && only_state_differs(ev)) {
		if (noted(a->notes, t->id))
			return KEEP;
		t->paused = false;
	} else {
		t->paused = true;
		if (strcmp(action, "pause") != 0 && !noted(a->notes, t->id))
			note_token(a, t, "paused", "changed after the backup: see gltoken audit list --token");
	}
	return CHANGED;
}

static enum glt_status apply_token(struct apply *a, struct glt_err *err)
{
	const uint64_t id = a->ev->replaced ? a->ev->replaced : a->ev->token;
	Glt__Token *old = NULL, *fresh;
	enum glt_status st;

	if (!a->ev->replaced && strcmp(a->ev->action, "token.rotate") == 0)
		return glt_fail(err, GLT_REFUSED, "event %" PRIu64 " does not say which token was rotated",
				a->ev->seq);
	st = glt_token_load(a->txn, id, &old, err);
	if (st == GLT_NOT_FOUND) {
		if (strcmp(a->ev->action, "token.issue") == 0 || strcmp(a->ev->action, "token.import") == 0)
			glt_note_add(a->notes, id, a->ev->object, "lost", "added after the backup");
		return GLT_OK;
	}
	if (st != GLT_OK)
		return st;
	fresh = glt_token_copy(old);
	if (!fresh) {
		glt_change_fail(a->c);
	} else if (old->state == GLT__STATE__LIVE && change_token(a, fresh) == CHANGED) {
		glt_token_store(a->txn, a->c, old, fresh);
	}
	glt_token_free(fresh);
	glt_token_free(old);
	return GLT_OK;
}

/* ---- users, keys, memberships, protections ---- */

static Glt__User *new_user(struct apply *a, const char *name)
{
	Glt__User *u = glt_cli_alloc(NULL, 1, sizeof(*u));

	glt__user__init(u);
	u->id = glt_next(a->txn, GLT_NEXT_ACCOUNT);
	set_text(&u->name, name);
	u->created_at = a->now;
	set_text(&u->created_by, "gltoken restore");
	return u;
}

static enum glt_status set_user(struct apply *a, const char *name, bool blocked, int64_t at, const char *by,
				const char *why, struct glt_err *err)
{
	Glt__User *u = NULL;
	enum glt_status st = glt_user_load(a->txn, name, &u, err);

	if (st == GLT_NOT_FOUND && !blocked)
		return GLT_OK;
	if (st == GLT_NOT_FOUND) {
		u = new_user(a, name);
		st = GLT_OK;
	}
	if (st != GLT_OK)
		return st;
	u->state = blocked ? GLT__STATE__REVOKED : GLT__STATE__LIVE;
	u->blocked_at = blocked ? at : 0;
	u->blocked_by_sync = blocked && strncmp(why, GLT_SYNC_REASON, sizeof(GLT_SYNC_REASON) - 1) == 0;
	set_text(&u->blocked_by, blocked ? by : "");
	set_text(&u->blocked_why, blocked ? why : "");
	glt_user_store(a->c, u);
	glt_user_free(u);
	return GLT_OK;
}

static enum glt_status apply_user(struct apply *a, struct glt_err *err)
{
	const Glt__Event *ev = a->ev;
	const char *action = ev->action + sizeof("user.") - 1;
	const bool removed = strcmp(action, "remove") == 0, block = strcmp(action, "block") == 0;

	if (block || removed) {
		glt_note_add(a->notes, 0, ev->object, "blocked",
			     block ? "blocked after the backup" : "removed after the backup");
		return set_user(a, ev->object, true, ev->at, ev->actor,
				removed ? "removed after the backup" : ev->reason, err);
	}
	if (strcmp(action, "unblock") == 0)
		return set_user(a, ev->object, false, 0, "", "", err);
	glt_note_add(a->notes, 0, ev->object, "not replayed", ev->action);
	return GLT_OK;
}

struct wanted_key {
	const char *fingerprint;
	Glt__Key *found;
};

static bool find_key(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct wanted_key *w = arg;
	char text[64];

	if (key.len != GLT_FINGERPRINT_LEN)
		return true;
	glt_pubkey_fingerprint_text(key.data, text);
	if (strcmp(text, w->fingerprint) == 0)
		w->found = glt__key__unpack(NULL, value.len, value.data);
	return !w->found;
}

static enum glt_status apply_key(struct apply *a, struct glt_err *err)
{
	struct wanted_key w = {.fingerprint = a->ev->before};
	const struct glt_slice all = {NULL, 0};
	enum glt_status st;

	if (strcmp(a->ev->action, "key.remove") != 0) {
		glt_note_add(a->notes, 0, a->ev->object, "not replayed", a->ev->action);
		return GLT_OK;
	}
	st = glt_walk(a->txn, GLT_KEYS, all, all, find_key, &w, err);
	if (w.found) {
		glt_key_drop(a->c, w.found);
		glt_note_add(a->notes, 0, a->ev->object, "key removed", a->ev->before);
	}
	glt_key_free(w.found);
	return st;
}

/* "PATH SECOND" of an event's object; a path has no blank. */
static bool split(const char *object, char path[GLT_PATH_MAX + 1], char second[GLT_NAME_MAX + 1])
{
	const char *blank = strchr(object, ' ');

	if (!blank || blank - object > GLT_PATH_MAX || strlen(blank + 1) > GLT_NAME_MAX || !blank[1])
		return false;
	memcpy(path, object, (size_t)(blank - object));
	path[blank - object] = '\0';
	strcpy(second, blank + 1);
	return glt_path_check(path, NULL) == GLT_OK;
}

static bool apply_member(struct apply *a)
{
	char path[GLT_PATH_MAX + 1], principal[GLT_NAME_MAX + 1];
	Glt__Member m = GLT__MEMBER__INIT;
	int role = GLT_NO_ROLE;

	if (!split(a->ev->object, path, principal))
		return false;
	if (strcmp(a->ev->action, "member.remove") == 0) {
		glt_member_drop(a->c, path, principal);
		return true;
	}
	if (strcmp(a->ev->action, "member.set") != 0 || glt_role_parse(a->ev->after, &role, NULL) != GLT_OK)
		return false;
	m.path = path;
	m.principal = principal;
	m.role = (uint32_t)role;
	m.created_at = a->ev->at;
	m.created_by = a->ev->actor;
	glt_member_store(a->c, &m);
	return true;
}

static bool read_level(const char *text, const char *name, uint32_t *out)
{
	const char *p = strstr(text, name);
	char *end;
	uintmax_t v = p ? strtoumax(p + strlen(name), &end, 10) : UINTMAX_MAX;

	*out = (uint32_t)v;
	return v == 0 || (v <= GLT_OWNER && glt_role_name((int)v) != NULL);
}

static bool apply_protection(struct apply *a)
{
	char path[GLT_PATH_MAX + 1], glob[GLT_NAME_MAX + 1];
	Glt__Protection p = GLT__PROTECTION__INIT;

	if (!split(a->ev->object, path, glob))
		return false;
	if (strcmp(a->ev->action, "protect.remove") == 0) {
		glt_protection_drop(a->c, path, glob);
		return true;
	}
	if (strcmp(a->ev->action, "protect.set") != 0 || !read_level(a->ev->after, "push=", &p.push) ||
	    !read_level(a->ev->after, "force=", &p.force) || !read_level(a->ev->after, "delete=", &p.remove))
		return false;
	p.path = path;
	p.ref_glob = glob;
	glt_protection_store(a->c, &p);
	return true;
}

/* ---- all of them ---- */

/* The files were moved or removed when it happened. What a move or removal changed besides has events of its own. */
static enum glt_status apply_repo(struct apply *a, struct glt_err *err)
{
	const Glt__Event *ev = a->ev;
	struct glt_project_counts n;

	if (strcmp(ev->action, "repo.remove") == 0)
		return glt_project_remove(a->txn, a->c, ev->object, ev->actor, ev->at, &n, err);
	if (strcmp(ev->action, "repo.move") == 0)
		return glt_project_move(a->txn, a->c, ev->object, ev->after, ev->actor, &n, err);
	if (strcmp(ev->action, "repo.move.begin") != 0 && strcmp(ev->action, "repo.remove.begin") != 0)
		glt_note_add(a->notes, 0, ev->object, "not replayed", ev->action);
	return GLT_OK;
}

static enum glt_status apply_event(struct apply *a, struct glt_err *err)
{
	const Glt__Event *ev = a->ev;
	struct glt_migration migration;

	if (strcmp(ev->action, "token.move") == 0) /* repo.move did it */
		return GLT_OK;
	if (strcmp(ev->action, "store.migrate") == 0) /* what stands behind it is of the later schema */
		return glt_migrate_in(a->txn, &migration, err);
	if (strncmp(ev->action, "repo.", 5) == 0)
		return apply_repo(a, err);
	if (ev->token != 0)
		return apply_token(a, err);
	if (strncmp(ev->action, "user.", 5) == 0)
		return apply_user(a, err);
	if (strncmp(ev->action, "key.", 4) == 0)
		return apply_key(a, err);
	if (!(strncmp(ev->action, "member.", 7) == 0 && apply_member(a)) &&
	    !(strncmp(ev->action, "protect.", 8) == 0 && apply_protection(a)))
		glt_note_add(a->notes, 0, ev->object, "not replayed", ev->action);
	return GLT_OK;
}

/* One transaction around fn. */
static enum glt_status in_one(struct apply *a, enum glt_status (*fn)(struct apply *, struct glt_err *),
			      struct glt_err *err)
{
	enum glt_status st;

	st = glt_change_begin(a->store, &a->c, &a->txn, err);
	return st == GLT_OK ? glt_change_end(a->txn, a->c, fn(a, err), err) : st;
}

enum glt_status glt_replay_apply(struct glt_store *store, const struct glt_replay *r, int64_t now,
				 struct glt_notes *notes, struct glt_err *err)
{
	struct apply a = {.store = store, .now = now, .notes = notes};
	enum glt_status st = GLT_OK;

	for (size_t i = 0; st == GLT_OK && i < r->n; i++) {
		a.ev = r->v[i].ev;
		st = in_one(&a, apply_event, err);
	}
	return st;
}

/* ---- nothing is known ---- */

struct names {
	char **v;
	size_t n;
};

static void add_name(struct names *names, const char *name)
{
	if (!*name || *name == '@' || *name == '/')
		return;
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			return;
	names->v = glt_cli_alloc(names->v, names->n + 1, sizeof(*names->v));
	names->v[names->n++] = glt_cli_strdup(name);
}

struct collect {
	struct apply *a;
	struct names people;
};

static bool collect_token(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct collect *c = arg;
	Glt__Token *old = glt__token__unpack(NULL, value.len, value.data),
		   *fresh = old ? glt_token_copy(old) : NULL;

	(void)key;
	if (!fresh) {
		glt_change_fail(c->a->c);
	} else if (old->state == GLT__STATE__LIVE && !(old->expires_at && c->a->now >= old->expires_at)) {
		if (old->type == GLT__TYPE__PERSONAL)
			add_name(&c->people, old->owner);
		if (!old->paused) {
			fresh->paused = true;
			glt_token_store(c->a->txn, c->a->c, old, fresh);
			note_token(c->a, fresh, "paused",
				   "not known whether it was revoked, used or changed since");
		}
	}
	glt_token_free(old);
	glt_token_free(fresh);
	return true;
}

static bool collect_user(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct collect *c = arg;
	char name[GLT_ACCOUNT_MAX + 1];

	(void)value;
	if (key.len > 0 && key.len < sizeof(name)) { /* "/" begins the holder of a deploy key */
		(void)snprintf(name, sizeof(name), "%.*s", (int)key.len, (const char *)key.data);
		add_name(&c->people, name);
	}
	return true;
}

static bool collect_member(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct collect *c = arg;
	Glt__Member *m = glt__member__unpack(NULL, value.len, value.data);

	(void)key;
	if (m)
		add_name(&c->people, m->principal);
	glt_member_free(m);
	return true;
}

static enum glt_status distrust(struct apply *a, struct glt_err *err)
{
	static const char why[] = "restored from a backup: not known whether blocked since";
	const struct glt_slice all = {NULL, 0};
	struct collect c = {.a = a};
	enum glt_status st = glt_walk(a->txn, GLT_TOKENS, all, all, collect_token, &c, err);

	if (st == GLT_OK)
		st = glt_walk(a->txn, GLT_USERS, all, all, collect_user, &c, err);
	if (st == GLT_OK)
		st = glt_walk(a->txn, GLT_KEYS_OF, all, all, collect_user, &c, err);
	if (st == GLT_OK)
		st = glt_walk(a->txn, GLT_MEMBERS, all, all, collect_member, &c, err);
	for (size_t i = 0; st == GLT_OK && i < c.people.n; i++) {
		Glt__User *u = NULL;

		st = glt_user_load(a->txn, c.people.v[i], &u, err);
		if (st == GLT_NOT_FOUND || (st == GLT_OK && u->state == GLT__STATE__LIVE)) {
			glt_note_add(a->notes, 0, c.people.v[i], "blocked", "not known whether blocked since");
			st = set_user(a, c.people.v[i], true, a->now, "gltoken restore", why, err);
		}
		glt_user_free(u);
	}
	for (size_t i = 0; i < c.people.n; i++)
		free(c.people.v[i]);
	free(c.people.v);
	return st;
}

enum glt_status glt_distrust(struct glt_store *store, int64_t now, struct glt_notes *notes, struct glt_err *err)
{
	struct apply a = {.store = store, .now = now, .notes = notes};

	return in_one(&a, distrust, err);
}
