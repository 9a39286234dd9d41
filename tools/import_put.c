/* SPDX-License-Identifier: MIT */
#include "import.h"

#include "event.h"
#include "people.h"
#include "progress.h"
#include "role.h"
#include "tokens.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whatever may be there once only, as one text each: sorted, two that are equal stand together. */
struct names {
	char **v;
	size_t n, room;
};

struct put {
	const struct glt_cli *cli;
	struct glt_txn *txn;
	struct glt_change *c;
	struct names taken;
	uint64_t most[GLT_COUNTERS]; /* numbers that are in use now */
};

static void __attribute__((format(printf, 2, 3))) claim(struct put *p, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		glt_change_fail(p->c);
		return;
	}
	if (p->taken.n == p->taken.room) {
		p->taken.room = p->taken.room ? p->taken.room * 2 : 256;
		p->taken.v = glt_cli_alloc(p->taken.v, p->taken.room, sizeof(*p->taken.v));
	}
	p->taken.v[p->taken.n++] = text;
}

static void number(struct put *p, enum glt_counter counter, uint64_t n)
{
	if (n > p->most[counter])
		p->most[counter] = n;
}

/* GLT_OK: what was looked for is not there. */
static enum glt_status absent(enum glt_status st, const char *what, const char *name, struct glt_err *err)
{
	if (st == GLT_OK)
		return glt_fail(err, GLT_EXISTS, "%s '%.200s' is there already", what, name);
	return st == GLT_NOT_FOUND ? GLT_OK : st;
}

static void event(struct put *p, const char *kind, const char *object, const char *after)
{
	char action[32];

	(void)snprintf(action, sizeof(action), "%s.import", kind);
	glt_event_object(p->c, p->cli->actor, action, object, NULL, after, NULL);
}

static enum glt_status put_user(struct put *p, Glt__User *u, struct glt_err *err)
{
	Glt__User *there = NULL;
	enum glt_status st = absent(glt_user_load(p->txn, u->name, &there, err), "user", u->name, err);

	glt_user_free(there);
	if (st == GLT_OK && glt_owner_used(p->txn, u->name))
		st = absent(GLT_OK, "a token's owner", u->name, err);
	if (st != GLT_OK)
		return st;
	claim(p, "user %s", u->name);
	claim(p, "number %" PRIu64, u->id);
	number(p, GLT_NEXT_ACCOUNT, u->id);
	glt_user_store(p->c, u);
	event(p, "user", u->name, u->state == GLT__STATE__LIVE ? "active" : "blocked");
	return GLT_OK;
}

static enum glt_status put_namespace(struct put *p, Glt__Namespace *n, struct glt_err *err)
{
	Glt__Namespace *there = NULL;
	enum glt_status st =
		absent(glt_namespace_load(p->txn, n->path, &there, err), "project or group", n->path, err);

	glt_namespace_free(there);
	if (st != GLT_OK)
		return st;
	claim(p, "namespace %s", n->path);
	claim(p, "number %" PRIu64, n->id);
	number(p, GLT_NEXT_ACCOUNT, n->id);
	glt_namespace_store(p->c, n);
	event(p, "namespace", n->path, n->default_branch);
	return GLT_OK;
}

static enum glt_status put_member(struct put *p, Glt__Member *m, struct glt_err *err)
{
	char object[GLT_PATH_MAX + GLT_NAME_MAX + 2];
	Glt__Member *there = NULL;
	enum glt_status st;

	(void)snprintf(object, sizeof(object), "%s %s", m->path, m->principal);
	st = absent(glt_member_load(p->txn, m->path, m->principal, &there, err), "membership", object, err);
	glt_member_free(there);
	if (st != GLT_OK)
		return st;
	claim(p, "member %s", object);
	glt_member_store(p->c, m);
	event(p, "member", object, glt_role_name((int)m->role));
	return GLT_OK;
}

static enum glt_status put_protection(struct put *p, Glt__Protection *pr, struct glt_err *err)
{
	char object[GLT_PATH_MAX + GLT_NAME_MAX + 2];
	Glt__Protection *there = NULL;
	enum glt_status st;

	(void)snprintf(object, sizeof(object), "%s %s", pr->path, pr->ref_glob);
	st = absent(glt_protection_load(p->txn, pr->path, pr->ref_glob, &there, err), "protection", object, err);
	glt_protection_free(there);
	if (st != GLT_OK)
		return st;
	claim(p, "protection %s", object);
	glt_protection_store(p->c, pr);
	event(p, "protection", object, NULL);
	return GLT_OK;
}

static enum glt_status put_key(struct put *p, Glt__Key *k, struct glt_err *err)
{
	uint8_t fp[GLT_FINGERPRINT_LEN];
	char text[64], id[24];
	Glt__Key *there = NULL;
	enum glt_status st;

	glt_pubkey_fingerprint(k->blob.data, k->blob.len, fp);
	glt_pubkey_fingerprint_text(fp, text);
	st = absent(glt_key_by_fingerprint(p->txn, fp, &there, err), "public key", text, err);
	glt_key_free(there);
	if (st != GLT_OK)
		return st;
	(void)snprintf(id, sizeof(id), "%" PRIu64, k->id);
	st = absent(glt_key_load(p->txn, k->id, &there, err), "key number", id, err);
	glt_key_free(there);
	if (st != GLT_OK)
		return st;
	claim(p, "key %s", text);
	claim(p, "id %" PRIu64, k->id);
	number(p, GLT_NEXT_ID, k->id);
	glt_key_store(p->c, k);
	event(p, "key", k->user[0] ? k->user : k->path, text);
	return GLT_OK;
}

/* Is the token in nobody's way? */
static enum glt_status check_token(struct put *p, const Glt__Token *t, struct glt_err *err)
{
	Glt__Token *there = NULL;
	char id[24];
	enum glt_status st;

	(void)snprintf(id, sizeof(id), "%" PRIu64, t->id);
	st = absent(glt_token_load(p->txn, t->id, &there, err), "token", id, err);
	glt_token_free(there);
	if (st == GLT_OK) {
		st = absent(glt_token_by_selector(p->txn, t->selector, &there, err), "selector", t->selector, err);
		glt_token_free(there);
	}
	if (st == GLT_OK && strcmp(glt_token_state(t, p->cli->now), "active") == 0) {
		st = absent(glt_token_named(p->txn, t->type, glt_token_holder(t), t->name, p->cli->now, &there,
					    err),
			    "an active token", t->name, err);
		glt_token_free(there);
	}
	if (st == GLT_OK && t->type != GLT__TYPE__PERSONAL && glt_owner_used(p->txn, t->owner))
		st = absent(GLT_OK, "the bot", t->owner, err);
	return st;
}

static enum glt_status put_token(struct put *p, Glt__Token *t, struct glt_err *err)
{
	enum glt_status st = check_token(p, t, err);

	if (st != GLT_OK)
		return st;
	claim(p, "id %" PRIu64, t->id);
	claim(p, "selector %s", t->selector);
	number(p, GLT_NEXT_ID, t->id);
	number(p, GLT_NEXT_ACCOUNT, t->account);
	t->no_quick = true; /* what it would be depends on this store's key, and on the secret */
	glt_token_store(p->txn, p->c, NULL, t);
	glt_event_token(p->c, p->cli->actor, "token.import", NULL, t, NULL);
	return GLT_OK;
}

static enum glt_status put_one(struct put *p, struct glt_import_record *r, struct glt_err *err)
{
	switch (r->kind->table) {
	case GLT_USERS:
		return put_user(p, (Glt__User *)r->m, err);
	case GLT_NAMESPACES:
		return put_namespace(p, (Glt__Namespace *)r->m, err);
	case GLT_MEMBERS:
		return put_member(p, (Glt__Member *)r->m, err);
	case GLT_PROTECTIONS:
		return put_protection(p, (Glt__Protection *)r->m, err);
	case GLT_KEYS:
		return put_key(p, (Glt__Key *)r->m, err);
	default:
		return put_token(p, (Glt__Token *)r->m, err);
	}
}

/* The numbers of what is there: users and namespaces share them. */
static bool claim_user(void *arg, struct glt_slice key, struct glt_slice value)
{
	Glt__User *u = glt__user__unpack(NULL, value.len, value.data);

	(void)key;
	if (u)
		claim(arg, "number %" PRIu64, u->id);
	glt_user_free(u);
	return true;
}

static bool claim_namespace(void *arg, struct glt_slice key, struct glt_slice value)
{
	Glt__Namespace *n = glt__namespace__unpack(NULL, value.len, value.data);

	(void)key;
	if (n)
		claim(arg, "number %" PRIu64, n->id);
	glt_namespace_free(n);
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum glt_status check_claims(struct names *taken, struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	if (taken->n > 0)
		qsort(taken->v, taken->n, sizeof(*taken->v), by_text);
	for (size_t i = 1; st == GLT_OK && i < taken->n; i++)
		if (strcmp(taken->v[i - 1], taken->v[i]) == 0)
			st = glt_fail(err, GLT_EXISTS, "%.200s would be there twice", taken->v[i]);
	for (size_t i = 0; i < taken->n; i++)
		free(taken->v[i]);
	free(taken->v);
	return st;
}

enum glt_status glt_import_put(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			       struct glt_import *in, struct glt_err *err)
{
	const struct glt_slice all = {NULL, 0};
	struct put p = {.cli = cli, .txn = txn, .c = c};
	struct glt_err why = {GLT_OK, ""};
	struct glt_progress progress;
	enum glt_status st = glt_walk(txn, GLT_USERS, all, all, claim_user, &p, err), twice;

	if (st == GLT_OK)
		st = glt_walk(txn, GLT_NAMESPACES, all, all, claim_namespace, &p, err);
	glt_progress_begin(&progress, in->n, "records");
	for (size_t i = 0; st == GLT_OK && i < in->n; i++) {
		st = put_one(&p, &in->v[i], &why);
		glt_progress_show(&progress, i + 1);
		if (st != GLT_OK)
			(void)glt_fail(err, st, "line %lu: %s", in->v[i].line, why.text);
	}
	glt_progress_end(&progress);
	twice = check_claims(&p.taken, st == GLT_OK ? err : NULL);
	for (int i = 0; st == GLT_OK && i < GLT_COUNTERS; i++) {
		const uint64_t next = glt_next(txn, (enum glt_counter)i);

		if (next < p.most[i])
			glt_skip(txn, (enum glt_counter)i, p.most[i] - next);
	}
	return st == GLT_OK ? twice : st;
}
