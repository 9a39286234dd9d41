/* SPDX-License-Identifier: MIT */
#include "roster.h"

#include "grow.h"
#include "people.h"
#include "role.h"
#include "scope.h"
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

void glt_roster_free(struct glt_roster *r)
{
	for (size_t i = 0; i < r->users; i++) {
		free(r->user[i].name);
		free(r->user[i].gecos);
	}
	for (size_t i = 0; i < r->spaces; i++)
		free(r->space[i].path);
	for (size_t i = 0; i < r->grants; i++) {
		free(r->grant[i].path);
		free(r->grant[i].principal);
	}
	for (size_t i = 0; i < r->texts; i++)
		free(r->text[i]);
	free(r->user);
	free(r->space);
	free(r->grant);
	free(r->member);
	free(r->text);
	*r = (struct glt_roster){.users = 0};
}

/* ---- one walk a table; a record that cannot be read fails the whole: half a list is no list ---- */

struct gather {
	struct glt_roster *r;
	bool no_memory, damaged;
};

static char *dup(struct gather *g, const char *text)
{
	char *copy = strdup(text);

	g->no_memory = g->no_memory || !copy;
	return copy;
}

#define ADD(g, array, count, room) \
	add_to((g), (void **)&(g)->r->array, &(g)->r->room, &(g)->r->count, sizeof(*(g)->r->array))

/* The new element, zeroed, or NULL. */
static void *add_to(struct gather *g, void **array, size_t *room, size_t *count, size_t size)
{
	char *one;

	if (g->no_memory || !glt_grow(array, room, *count, size)) {
		g->no_memory = true;
		return NULL;
	}
	one = (char *)*array + (*count)++ * size;
	memset(one, 0, size);
	return one;
}

static void add_grant(struct gather *g, const char *path, const char *principal, int role)
{
	struct glt_roster_grant *one;

	if (!g->r->limits.groups || strlen(principal) > GLT_NSS_NAME_MAX + 1)
		return;
	one = ADD(g, grant, grants, grants_room);
	if (!one)
		return;
	one->path = dup(g, path);
	one->principal = dup(g, principal);
	one->role = role;
}

static void add_space(struct gather *g, const char *path, uint64_t id, bool group)
{
	struct glt_roster_space *one;

	if (!g->r->limits.groups)
		return;
	one = ADD(g, space, spaces, spaces_room);
	if (!one)
		return;
	one->path = dup(g, path);
	one->id = id;
	one->group = group;
}

/* Until when this token makes its bot live. */
static int64_t end_of(const Glt__Token *t)
{
	int64_t end = t->expires_at ? t->expires_at : GLT_NSS_LIVES;

	if (t->state != GLT__STATE__LIVE)
		return 0;
	return t->next && t->overlap_end < end ? t->overlap_end : end;
}

static bool see_token(void *arg, struct glt_slice key, struct glt_slice value)
{
	const uint64_t writes = GLT_SCOPE_BIT(GLT_SCOPE_WRITE_REPOSITORY) | GLT_SCOPE_BIT(GLT_SCOPE_API);
	struct gather *g = arg;
	Glt__Token *t = glt__token__unpack(NULL, value.len, value.data);
	struct glt_roster_user *u;

	(void)key;
	g->damaged = !t;
	if (t && t->type != GLT__TYPE__PERSONAL && strlen(t->owner) <= GLT_NSS_NAME_MAX) {
		u = ADD(g, user, users, users_room);
		if (u) {
			u->name = dup(g, t->owner);
			u->gecos = dup(g, t->name);
			u->until = end_of(t);
			u->bot = true;
			u->id = t->id;
			u->first = t->family ? t->family : t->id;
		}
		if (u && u->until > 0)
			add_grant(g, t->path, t->owner,
				  t->type != GLT__TYPE__DEPLOY || (t->scopes & writes) ? (int)t->role
										       : GLT_REPORTER);
	}
	glt_token_free(t);
	return !g->damaged && !g->no_memory;
}

static bool see_user(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct gather *g = arg;
	Glt__User *u = glt__user__unpack(NULL, value.len, value.data);
	bool live = u && u->state == GLT__STATE__LIVE;

	(void)key;
	g->damaged = !u;
	if (u && u->virtual_user) {
		struct glt_roster_user *one = ADD(g, user, users, users_room);

		if (one) {
			one->name = dup(g, u->name);
			one->gecos = dup(g, u->display);
			one->until = live ? GLT_NSS_LIVES : 0;
			one->id = one->first = u->id;
		}
	}
	if (u && !live && g->r->limits.groups) {
		char **blocked = ADD(g, text, texts, texts_room);

		if (blocked)
			*blocked = dup(g, u->name);
	}
	glt_user_free(u);
	return !g->damaged && !g->no_memory;
}

static bool see_member(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct gather *g = arg;
	Glt__Member *m = glt__member__unpack(NULL, value.len, value.data);

	(void)key;
	g->damaged = !m;
	if (m)
		add_grant(g, m->path, m->principal, (int)m->role);
	glt_member_free(m);
	return !g->damaged && !g->no_memory;
}

static bool see_namespace(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct gather *g = arg;
	Glt__Namespace *n = glt__namespace__unpack(NULL, value.len, value.data);

	(void)key;
	g->damaged = !n;
	if (n)
		add_space(g, n->path, n->id, n->default_branch[0] == '\0');
	glt_namespace_free(n);
	return !g->damaged && !g->no_memory;
}

static enum glt_status walk_all(struct glt_store *store, struct gather *g, struct glt_err *err)
{
	static const struct {
		enum glt_table table;
		glt_visit *see;
		bool groups;
	} walks[] = {{GLT_USERS, see_user, false},
		     {GLT_TOKENS, see_token, false},
		     {GLT_MEMBERS, see_member, true},
		     {GLT_NAMESPACES, see_namespace, true}};
	const struct glt_slice all = {NULL, 0};
	struct glt_head head = {.seq = 0};
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	if (st != GLT_OK)
		return st;
	st = glt_store_head(txn, &head, err);
	g->r->generation = head.seq;
	for (size_t i = 0; st == GLT_OK && i < sizeof(walks) / sizeof(walks[0]); i++) {
		if (walks[i].groups && !g->r->limits.groups)
			continue;
		st = glt_walk(txn, walks[i].table, all, all, walks[i].see, g, err);
		if (st == GLT_OK && g->damaged)
			st = glt_fail(err, GLT_DAMAGED, "a record of table %s is damaged: run gltoken check",
				      glt_table_name(walks[i].table));
	}
	glt_txn_end(txn);
	if (st == GLT_OK && g->no_memory)
		st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the list of accounts");
	return st;
}

/* ---- sorted, one of a name ---- */

static int by_name(const void *a, const void *b)
{
	const struct glt_roster_user *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x->id > y->id) - (x->id < y->id);
}

/* A bot lives as long as one of its tokens, and is called what the newest is called. */
static void merge_users(struct glt_roster *r)
{
	size_t kept = 0;

	if (r->users)
		qsort(r->user, r->users, sizeof(*r->user), by_name);
	for (size_t i = 0; i < r->users; i++) {
		struct glt_roster_user *u = &r->user[i], *last = kept ? &r->user[kept - 1] : NULL;

		if (!last || strcmp(last->name, u->name) != 0) {
			r->user[kept++] = *u;
			continue;
		}
		if (u->until > last->until)
			last->until = u->until;
		if (u->first < last->first)
			last->first = u->first;
		free(last->gecos);
		free(u->name);
		last->gecos = u->gecos;
	}
	r->users = kept;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct glt_roster_grant *)a)->path, ((const struct glt_roster_grant *)b)->path);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

enum glt_status glt_roster_gather(struct glt_store *store, struct glt_roster *r, struct glt_err *err)
{
	struct gather g = {.r = r};
	enum glt_status st = walk_all(store, &g, err);

	if (st != GLT_OK)
		return st;
	merge_users(r);
	if (r->grants)
		qsort(r->grant, r->grants, sizeof(*r->grant), by_path);
	if (r->texts)
		qsort(r->text, r->texts, sizeof(*r->text), by_text);
	r->blocked = r->texts;
	return GLT_OK;
}
