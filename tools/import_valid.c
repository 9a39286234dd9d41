/* SPDX-License-Identifier: MIT */
#include "import.h"

#include "hash.h"
#include "issue.h"
#include "people.h"
#include "role.h"
#include "scope.h"
#include "text.h"
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

static enum glt_status bad(const char *what, struct glt_err *err)
{
	return glt_fail(err, GLT_INVALID, "%s has a value that cannot stand there", what);
}

static bool is_state(Glt__State s)
{
	return s == GLT__STATE__LIVE || s == GLT__STATE__REVOKED;
}

/* Texts that only people read. */
static enum glt_status check_texts(const char *const texts[], size_t n, struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	for (size_t i = 0; st == GLT_OK && i < n; i++)
		st = glt_name_check("a text", texts[i], true, err);
	return st;
}

static enum glt_status check_user(const Glt__User *u, struct glt_err *err)
{
	const char *const texts[] = {u->display, u->created_by, u->blocked_by, u->blocked_why};
	enum glt_status st = glt_account_name_check(u->name, err);

	if (st == GLT_OK && (u->id == 0 || !is_state(u->state)))
		st = bad("id or state", err);
	return st == GLT_OK ? check_texts(texts, sizeof(texts) / sizeof(texts[0]), err) : st;
}

static enum glt_status check_member(const Glt__Member *m, struct glt_err *err)
{
	const char *const texts[] = {m->created_by};
	enum glt_status st = glt_path_check(m->path, err);

	if (st == GLT_OK)
		st = glt_account_name_check(m->principal[0] == '@' ? m->principal + 1 : m->principal, err);
	if (st == GLT_OK && (m->role == 0 || !glt_role_name((int)m->role)))
		st = bad("role", err);
	return st == GLT_OK ? check_texts(texts, 1, err) : st;
}

static enum glt_status check_protection(const Glt__Protection *p, struct glt_err *err)
{
	const uint32_t levels[] = {p->push, p->force, p->remove};
	enum glt_status st = glt_path_check(p->path, err);

	if (st == GLT_OK)
		st = glt_glob_check(p->ref_glob, err);
	if (st == GLT_OK && strncmp(p->ref_glob, "refs/", 5) != 0)
		st = bad("ref_glob", err);
	for (size_t i = 0; st == GLT_OK && i < 3; i++)
		if (levels[i] != 0 && levels[i] != GLT_DEVELOPER && levels[i] != GLT_MAINTAINER)
			st = bad("push, force or remove", err);
	return st;
}

static enum glt_status check_key(const Glt__Key *k, struct glt_err *err)
{
	const char *const texts[] = {k->title, k->created_by};
	char *line = glt_pubkey_format(k), type[64], comment[GLT_NAME_MAX + 1];
	uint8_t *blob = NULL;
	size_t len = 0;
	enum glt_status st;

	if (!line)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for a key");
	st = glt_pubkey_parse(line, type, &blob, &len, comment, err);
	free(line);
	free(blob);
	if (st == GLT_OK && k->id == 0)
		st = bad("id", err);
	if (st == GLT_OK && !k->user[0] == !k->path[0])
		st = glt_fail(err, GLT_INVALID, "a key has either a user or, as a deploy key, a path");
	if (st == GLT_OK)
		st = k->user[0] ? glt_account_name_check(k->user, err) : glt_path_check(k->path, err);
	return st == GLT_OK ? check_texts(texts, 2, err) : st;
}

static enum glt_status check_secret(const Glt__Token *t, struct glt_err *err)
{
	static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const struct glt_hash_params p = {t->memory, t->time};

	if (strlen(t->selector) != GLT_SELECTOR_LEN || strspn(t->selector, alphabet) != GLT_SELECTOR_LEN)
		return bad("selector", err);
	if (!glt_token_prefix_valid(t->prefix))
		return bad("prefix", err);
	if (t->salt.len != GLT_SALT_LEN || t->tag.len != GLT_TAG_LEN || !glt_hash_params_valid(&p))
		return bad("salt, tag, memory or time", err);
	return GLT_OK;
}

/* What the token may do. */
static enum glt_status check_grants(const Glt__Token *t, struct glt_err *err)
{
	const bool personal = t->type == GLT__TYPE__PERSONAL;
	enum glt_status st;

	if (t->type < GLT__TYPE__PERSONAL || t->type > GLT__TYPE__DEPLOY || !is_state(t->state))
		return bad("type or state", err);
	if (t->scopes == 0 || (t->scopes & ~glt_scopes_of_type(t->type)))
		return bad("scopes", err);
	if (personal ? t->role != 0 : t->role == 0 || !glt_role_name((int)t->role))
		return bad("role", err);
	if (personal && t->path[0])
		return bad("path", err);
	if (t->uses_left > t->max_uses)
		return bad("uses_left", err);
	st = personal ? GLT_OK : glt_path_check(t->path, err);
	if (st == GLT_OK)
		st = glt_check_each(t->allow_from, t->n_allow_from, glt_cidr_check, err);
	if (st == GLT_OK)
		st = glt_check_each(t->only_repo, t->n_only_repo, glt_glob_check, err);
	return st == GLT_OK ? glt_check_each(t->services, t->n_services, glt_service_check, err) : st;
}

static enum glt_status check_token(const Glt__Token *t, struct glt_err *err)
{
	const char *const texts[] = {t->description, t->created_by, t->revoked_by, t->revoked_why};
	enum glt_status st = glt_name_check("name", t->name, false, err);

	if (st == GLT_OK && (t->id == 0 || t->family == 0))
		st = bad("id or family", err);
	if (st == GLT_OK)
		st = glt_account_name_check(t->owner, err);
	if (st == GLT_OK)
		st = check_secret(t, err);
	if (st == GLT_OK)
		st = check_grants(t, err);
	return st == GLT_OK ? check_texts(texts, sizeof(texts) / sizeof(texts[0]), err) : st;
}

enum glt_status glt_import_valid(const struct glt_import_record *r, struct glt_err *err)
{
	const Glt__Namespace *n = (const Glt__Namespace *)r->m;

	switch (r->kind->table) {
	case GLT_USERS:
		return check_user((const Glt__User *)r->m, err);
	case GLT_MEMBERS:
		return check_member((const Glt__Member *)r->m, err);
	case GLT_PROTECTIONS:
		return check_protection((const Glt__Protection *)r->m, err);
	case GLT_KEYS:
		return check_key((const Glt__Key *)r->m, err);
	case GLT_TOKENS:
		return check_token((const Glt__Token *)r->m, err);
	case GLT_NAMESPACES:
		return n->id == 0 ? bad("id", err) : glt_path_check(n->path, err);
	default:
		return bad("record", err);
	}
}
