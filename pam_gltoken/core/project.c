/* SPDX-License-Identifier: MIT */
#include "project.h"

#include "event.h"
#include "people.h"
#include "tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum what { COUNT, COPY_PROTECTIONS, DROP_PROTECTIONS, MOVE, REMOVE };

struct sweep {
	enum what what;
	struct glt_txn *txn;
	struct glt_change *c;
	const char *path, *to, *actor;
	int64_t now;
	struct glt_project_counts n;
	struct glt_slice key; /* of the index that is walked */
	enum glt_status st;
	struct glt_err *err;
};

static bool failed(struct sweep *s, enum glt_status st)
{
	s->st = st;
	return st == GLT_OK;
}

static bool no_memory(struct sweep *s)
{
	return failed(s, glt_fail(s->err, GLT_UNAVAILABLE, "no memory for the change"));
}

static bool damaged(struct sweep *s, const char *what)
{
	return failed(s, glt_fail(s->err, GLT_DAMAGED, "a %s of %s is damaged: run gltoken check", what, s->path));
}

/* ---- tokens ---- */

static bool change_token(struct sweep *s, const Glt__Token *old)
{
	Glt__Token *fresh = glt_token_copy(old);
	bool good = fresh != NULL;

	if (good && s->what == MOVE) {
		good = glt_token_set_text(&fresh->path, s->to);
	} else if (good) {
		fresh->state = GLT__STATE__REVOKED;
		fresh->revoked_at = s->now;
		good = glt_token_set_text(&fresh->revoked_by, s->actor) &&
		       glt_token_set_text(&fresh->revoked_why, "repository removed");
	}
	if (good) {
		glt_token_store(s->txn, s->c, old, fresh);
		glt_event_token(s->c, s->actor, s->what == MOVE ? "token.move" : "token.revoke", old, fresh,
				s->what == MOVE ? NULL : "repository removed");
	}
	glt_token_free(fresh);
	return good || no_memory(s);
}

static bool visit_token(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct sweep *s = arg;
	bool live, go_on = true;
	Glt__Token *t;

	if (key.len != s->key.len)
		return true;
	if (!failed(s, glt_token_load(s->txn, glt_get_u64(value.data), &t, s->err)))
		return false;
	live = t->state == GLT__STATE__LIVE;
	s->n.tokens++;
	s->n.live += live;
	if (s->what == MOVE || (s->what == REMOVE && live))
		go_on = change_token(s, t);
	glt_token_free(t);
	return go_on;
}

/* ---- memberships, protections, keys ---- */

/* "PATH SECOND", as the audit log names them */
static void removed(struct sweep *s, const char *action, const char *second)
{
	char object[GLT_PATH_MAX + GLT_NAME_MAX + 2];

	(void)snprintf(object, sizeof(object), "%s %s", s->path, second);
	glt_event_object(s->c, s->actor, action, object, NULL, NULL, "repository removed");
}

/* The record with another path. protobuf frees what it holds, so the old path is put back. */
#define WITH_PATH(s, m, store)                                   \
	do {                                                     \
		char *kept = (m)->path, *copy = strdup((s)->to); \
		if (!copy)                                       \
			glt_change_fail((s)->c);                 \
		(m)->path = copy ? copy : kept;                  \
		store((s)->c, (m));                              \
		(m)->path = kept;                                \
		free(copy);                                      \
	} while (0)

static bool visit_member(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct sweep *s = arg;
	Glt__Member *m = glt__member__unpack(NULL, value.len, value.data);

	(void)key;
	if (!m)
		return damaged(s, "membership");
	s->n.members++;
	if (s->what == MOVE)
		WITH_PATH(s, m, glt_member_store);
	if (s->what == MOVE || s->what == REMOVE)
		glt_member_drop(s->c, s->path, m->principal);
	if (s->what == REMOVE)
		removed(s, "member.remove", m->principal);
	glt_member_free(m);
	return true;
}

static bool visit_protection(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct sweep *s = arg;
	Glt__Protection *p = glt__protection__unpack(NULL, value.len, value.data);

	(void)key;
	if (!p)
		return damaged(s, "protection");
	s->n.protections++;
	if (s->what == MOVE || s->what == COPY_PROTECTIONS)
		WITH_PATH(s, p, glt_protection_store);
	if (s->what == MOVE || s->what == REMOVE || s->what == DROP_PROTECTIONS)
		glt_protection_drop(s->c, s->path, p->ref_glob);
	if (s->what == REMOVE)
		removed(s, "protect.remove", p->ref_glob);
	glt_protection_free(p);
	return true;
}

static bool visit_key(void *arg, struct glt_slice key, struct glt_slice value)
{
	uint8_t fp[GLT_FINGERPRINT_LEN];
	struct sweep *s = arg;
	char text[64];
	Glt__Key *k;

	if (key.len != s->key.len)
		return true;
	if (!failed(s, glt_key_load(s->txn, glt_get_u64(value.data), &k, s->err)))
		return false;
	s->n.keys++;
	if (s->what == MOVE || s->what == REMOVE)
		glt_key_drop(s->c, k);
	if (s->what == MOVE)
		WITH_PATH(s, k, glt_key_store);
	if (s->what == REMOVE) {
		glt_pubkey_fingerprint(k->blob.data, k->blob.len, fp);
		glt_pubkey_fingerprint_text(fp, text);
		glt_event_object(s->c, s->actor, "key.remove", k->path, text, NULL, "repository removed");
	}
	glt_key_free(k);
	return true;
}

static enum glt_status walk(struct sweep *s, enum glt_table table, struct glt_slice key, glt_visit *fn)
{
	enum glt_status st;

	s->key = key;
	s->st = GLT_OK;
	st = glt_walk(s->txn, table, key, key, fn, s, s->err);
	return st == GLT_OK ? s->st : st;
}

static enum glt_status sweep(struct sweep *s)
{
	char pair[GLT_PATH_MAX + 2], holder[GLT_PATH_MAX + 2];
	size_t len = strlen(s->path);
	enum glt_status st = GLT_OK;

	if (len > GLT_PATH_MAX)
		return glt_fail(s->err, GLT_INVALID, "path has over %d bytes", GLT_PATH_MAX);
	memcpy(pair, s->path, len + 1); /* the NUL belongs to the key */
	(void)snprintf(holder, sizeof(holder), "/%s", s->path);
	if (s->what != COPY_PROTECTIONS && s->what != DROP_PROTECTIONS) {
		st = walk(s, GLT_BY_PATH, glt_slice_str(s->path), visit_token);
		if (st == GLT_OK)
			st = walk(s, GLT_MEMBERS, (struct glt_slice){pair, len + 1}, visit_member);
		if (st == GLT_OK)
			st = walk(s, GLT_KEYS_OF, glt_slice_str(holder), visit_key);
	}
	return st == GLT_OK ? walk(s, GLT_PROTECTIONS, (struct glt_slice){pair, len + 1}, visit_protection) : st;
}

enum glt_status glt_project_count(struct glt_txn *txn, const char *path, struct glt_project_counts *out,
				  struct glt_err *err)
{
	struct sweep s = {.what = COUNT, .txn = txn, .path = path, .err = err};
	Glt__Namespace *n;
	enum glt_status st = glt_namespace_load(txn, path, &n, err);

	s.n.known = st == GLT_OK;
	glt_namespace_free(n);
	if (st == GLT_OK || st == GLT_NOT_FOUND)
		st = sweep(&s);
	*out = s.n;
	return st;
}

/* ---- the project's record ---- */

static Glt__Namespace *new_namespace(struct glt_txn *txn, const char *path)
{
	Glt__Namespace *n = malloc(sizeof(*n));

	if (!n)
		return NULL;
	glt__namespace__init(n);
	n->id = glt_next(txn, GLT_NEXT_ACCOUNT);
	if (glt_token_set_text(&n->path, path))
		return n;
	free(n);
	return NULL;
}

/* There is one, or it is made. */
static enum glt_status load(struct glt_txn *txn, const char *path, Glt__Namespace **out, struct glt_err *err)
{
	enum glt_status st = glt_namespace_load(txn, path, out, err);

	if (st != GLT_NOT_FOUND)
		return st;
	*out = new_namespace(txn, path);
	return *out ? GLT_OK : glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
}

static bool is_moving_here(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct sweep *s = arg;
	Glt__Namespace *n = glt__namespace__unpack(NULL, value.len, value.data);

	(void)key;
	if (n && strcmp(n->moving_to, s->path) == 0)
		s->st = glt_fail(s->err, GLT_REFUSED, "a move of %s to %s did not end: run gltoken repo move %s %s",
				 n->path, s->path, n->path, s->path);
	glt_namespace_free(n);
	return s->st == GLT_OK;
}

static enum glt_status settled(const Glt__Namespace *n, struct glt_err *err)
{
	if (n->moving_to[0])
		return glt_fail(err, GLT_REFUSED, "a move of %s to %s did not end: run gltoken repo move %s %s",
				n->path, n->moving_to, n->path, n->moving_to);
	if (n->removing)
		return glt_fail(err, GLT_REFUSED, "the removal of %s did not end: run gltoken repo remove %s",
				n->path, n->path);
	return GLT_OK;
}

enum glt_status glt_project_settled(struct glt_txn *txn, const char *path, struct glt_err *err)
{
	const struct glt_slice all = {NULL, 0};
	struct sweep s = {.txn = txn, .path = path, .st = GLT_OK, .err = err};
	Glt__Namespace *n;
	enum glt_status st = glt_namespace_load(txn, path, &n, err);

	if (st == GLT_OK)
		st = settled(n, err);
	glt_namespace_free(n);
	if (st != GLT_OK && st != GLT_NOT_FOUND)
		return st;
	st = glt_walk(txn, GLT_NAMESPACES, all, all, is_moving_here, &s, err);
	return st == GLT_OK ? s.st : st;
}

/* ---- moving ---- */

static enum glt_status nothing_there(struct glt_txn *txn, const char *to, struct glt_err *err)
{
	struct glt_project_counts n;
	enum glt_status st = glt_project_settled(txn, to, err);

	if (st == GLT_OK)
		st = glt_project_count(txn, to, &n, err);
	if (st == GLT_OK && n.live + n.members + n.protections + n.keys > 0)
		return glt_fail(err, GLT_EXISTS,
				"the store has %zu live tokens, %zu memberships, %zu protections and %zu keys of %s "
				"already: remove them first",
				n.live, n.members, n.protections, n.keys, to);
	return st;
}

enum glt_status glt_project_move_begin(struct glt_txn *txn, struct glt_change *c, const char *from, const char *to,
				       bool only_resume, bool *resumed, const char *actor, struct glt_err *err)
{
	struct sweep s = {
		.what = COPY_PROTECTIONS, .txn = txn, .c = c, .path = from, .to = to, .actor = actor, .err = err};
	Glt__Namespace *n;
	enum glt_status st = load(txn, from, &n, err);

	if (st != GLT_OK)
		return st;
	*resumed = strcmp(n->moving_to, to) == 0;
	if (!*resumed && only_resume)
		st = glt_fail(err, GLT_NOT_FOUND, "no repository %s", from);
	if (st == GLT_OK && !*resumed)
		st = settled(n, err);
	if (st == GLT_OK && !*resumed)
		st = nothing_there(txn, to, err);
	if (st == GLT_OK && !glt_token_set_text(&n->moving_to, to))
		st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
	if (st == GLT_OK)
		st = sweep(&s);
	if (st == GLT_OK) {
		glt_namespace_store(c, n);
		glt_event_object(c, actor, "repo.move.begin", from, NULL, to, NULL);
	}
	glt_namespace_free(n);
	return st;
}

enum glt_status glt_project_move(struct glt_txn *txn, struct glt_change *c, const char *from, const char *to,
				 const char *actor, struct glt_project_counts *out, struct glt_err *err)
{
	struct sweep s = {.what = MOVE, .txn = txn, .c = c, .path = from, .to = to, .actor = actor, .err = err};
	Glt__Namespace *n;
	enum glt_status st = load(txn, from, &n, err);

	if (st != GLT_OK)
		return st;
	glt_event_object(c, actor, "repo.move", from, NULL, to, NULL);
	st = sweep(&s);
	*out = s.n;
	if (st == GLT_OK && (!glt_token_set_text(&n->path, to) || !glt_token_set_text(&n->moving_to, NULL)))
		st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
	if (st == GLT_OK) {
		glt_change_del(c, GLT_NAMESPACES, glt_slice_str(from));
		glt_namespace_store(c, n);
	}
	glt_namespace_free(n);
	return st;
}

enum glt_status glt_project_move_undo(struct glt_txn *txn, struct glt_change *c, const char *from, const char *to,
				      const char *actor, struct glt_err *err)
{
	struct sweep s = {.what = DROP_PROTECTIONS, .txn = txn, .c = c, .path = to, .actor = actor, .err = err};
	Glt__Namespace *n;
	enum glt_status st = glt_namespace_load(txn, from, &n, err);

	if (st == GLT_OK && strcmp(n->moving_to, to) == 0) {
		st = sweep(&s);
		if (st == GLT_OK && !glt_token_set_text(&n->moving_to, NULL))
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
		if (st == GLT_OK) {
			glt_namespace_store(c, n);
			glt_event_object(c, actor, "repo.move.undo", from, NULL, to, NULL);
		}
	}
	glt_namespace_free(n);
	return st;
}

/* ---- removing ---- */

enum glt_status glt_project_remove_begin(struct glt_txn *txn, struct glt_change *c, const char *path,
					 const char *actor, struct glt_err *err)
{
	Glt__Namespace *n;
	enum glt_status st = load(txn, path, &n, err);

	if (st == GLT_OK && n->moving_to[0])
		st = settled(n, err);
	if (st == GLT_OK) {
		n->removing = true;
		glt_namespace_store(c, n);
		glt_event_object(c, actor, "repo.remove.begin", path, NULL, NULL, NULL);
	}
	glt_namespace_free(n);
	return st;
}

enum glt_status glt_project_remove(struct glt_txn *txn, struct glt_change *c, const char *path, const char *actor,
				   int64_t now, struct glt_project_counts *out, struct glt_err *err)
{
	struct sweep s = {.what = REMOVE, .txn = txn, .c = c, .path = path, .actor = actor, .now = now, .err = err};
	enum glt_status st = sweep(&s);

	*out = s.n;
	if (st != GLT_OK)
		return st;
	glt_change_del(c, GLT_NAMESPACES, glt_slice_str(path));
	glt_event_object(c, actor, "repo.remove", path, NULL, NULL, NULL);
	return GLT_OK;
}
