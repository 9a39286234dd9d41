/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include "people.h"

#include <stdlib.h>
#include <string.h>

const char *glt_question_person(const struct glt_question *q)
{
	if (q->token)
		return q->token->type == GLT__TYPE__PERSONAL ? q->token->owner : NULL;
	if (q->key)
		return q->key->user[0] ? q->key->user : NULL;
	return q->user;
}

/* ---- the person: known, not blocked, still the same account ---- */

static enum glt_status blocked(struct glt_store *store, const char *name, bool *known, bool *is_blocked,
			       bool *is_virtual, struct glt_err *err)
{
	struct glt_txn *txn;
	Glt__User *u;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	*known = *is_blocked = *is_virtual = false;
	if (st != GLT_OK)
		return st;
	st = glt_user_load(txn, name, &u, err);
	glt_txn_end(txn);
	if (st == GLT_OK) {
		*known = true;
		*is_blocked = u->state != GLT__STATE__LIVE;
		*is_virtual = u->virtual_user;
	}
	glt_user_free(u);
	return st == GLT_NOT_FOUND ? GLT_OK : st;
}

/* 0: the record names no system account */
static uint32_t uid_plus1(const struct glt_question *q)
{
	if (q->token)
		return q->token->owner_uid_plus1;
	return q->key ? q->key->user_uid_plus1 : 0;
}

/* account->name stays empty where the person has no system account. */
static enum glt_status person_facts(struct glt_store *store, const struct glt_question *q, struct glt_facts *f,
				    struct glt_account *account, struct glt_err *err)
{
	const char *person = glt_question_person(q);
	bool known, is_blocked, is_virtual;
	uint32_t uid1 = uid_plus1(q);
	enum glt_status st;

	f->owner = GLT_OWNER_OK;
	if (!person)
		return GLT_OK;
	st = blocked(store, person, &known, &is_blocked, &is_virtual, err);
	if (st != GLT_OK)
		return st;
	if (is_blocked)
		f->owner = GLT_OWNER_IS_BLOCKED;
	if (uid1 == 0 && !q->user) { /* a user of ours: exists as long as the record */
		if (!known)
			f->owner = GLT_OWNER_IS_GONE;
		return GLT_OK;
	}
	if (is_virtual) {
		if (uid1) /* issued to an account of the system that had this name */
			f->owner = GLT_OWNER_IS_GONE;
		return GLT_OK;
	}
	st = glt_account_of_system(person, account, err);
	if (st == GLT_NOT_FOUND || (st == GLT_OK && uid1 && account->uid + 1 != uid1)) {
		memset(account, 0, sizeof(*account));
		f->owner = GLT_OWNER_IS_GONE; /* a recycled name inherits nothing */
		return GLT_OK;
	}
	return st;
}

/* ---- LOGIN ---- */

static enum glt_status login_facts(const struct glt_conf *conf, const struct glt_question *q, struct glt_facts *f,
				   struct glt_err *err)
{
	struct glt_account a;
	enum glt_status st;

	f->shell = GLT_SHELL_OTHER;
	if (!q->account)
		return GLT_OK;
	f->account_shared = glt_conf_is_shared(conf, q->account);
	st = glt_account_by_name(q->account, &a, err);
	if (st == GLT_OK)
		f->shell = glt_account_shell(&a);
	return st == GLT_NOT_FOUND ? GLT_OK : st;
}

/* ---- a project or group ---- */

/* The best of the memberships that are really this person's. Groups are asked outside of any transaction. */
static enum glt_status best_role(const struct glt_grant *grants, size_t n, const struct glt_account *account,
				 struct glt_facts *f, struct glt_err *err)
{
	for (size_t i = 0; i < n; i++) {
		bool mine = grants[i].principal[0] != '@';
		enum glt_status st = GLT_OK;

		if (grants[i].role <= f->member_role) /* permissions nest for what pull and push ask */
			continue;
		if (!mine && account->name[0])
			st = glt_account_in_group(account, grants[i].principal + 1, &mine, err);
		if (st != GLT_OK)
			return st;
		if (mine) {
			f->member_role = grants[i].role;
			strcpy(f->member_path, grants[i].path);
			strcpy(f->member_principal, grants[i].principal);
		}
	}
	return GLT_OK;
}

static enum glt_status member_facts(struct glt_store *store, const struct glt_question *q, const char *path,
				    const struct glt_account *account, struct glt_facts *f, struct glt_err *err)
{
	const char *person = glt_question_person(q);
	struct glt_grant *grants;
	struct glt_txn *txn;
	size_t n = 0;
	enum glt_status st;

	if (!person)
		return GLT_OK;
	grants = calloc(GLT_GRANTS_MAX, sizeof(*grants));
	if (!grants)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for memberships");
	st = glt_txn_begin(store, false, &txn, err);
	if (st == GLT_OK) {
		st = glt_grants(txn, path, person, grants, GLT_GRANTS_MAX, &n, err);
		glt_txn_end(txn);
	}
	if (st == GLT_OK)
		st = best_role(grants, n, account, f, err);
	free(grants);
	return st;
}

struct protecting {
	const struct glt_question *q;
	struct glt_facts *f;
	bool damaged;
};

static int role_for(const Glt__Protection *p, enum glt_ref_change change)
{
	switch (change) {
	case GLT_REF_FORCE:
		return (int)p->force;
	case GLT_REF_DELETE:
		return (int)p->remove;
	case GLT_REF_UPDATE:
	case GLT_REF_CREATE:
		break;
	}
	return (int)p->push;
}

/* Several patterns may match a ref; as in GitLab, the most permissive of them counts. */
static bool add_protection(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct protecting *p = arg;
	struct glt_facts *f = p->f;
	Glt__Protection *m = glt__protection__unpack(NULL, value.len, value.data);

	(void)key;
	if (!m || strlen(m->ref_glob) >= sizeof(f->protection)) {
		p->damaged = true;
	} else if (glt_glob_match(m->ref_glob, p->q->ref)) {
		int role = role_for(m, p->q->change);
		bool wider = role != GLT_NO_ROLE && (f->ref_role == GLT_NO_ROLE || role < f->ref_role);

		if (!f->has_protection || wider) {
			f->ref_role = role;
			strcpy(f->protection, m->ref_glob);
		}
		f->has_protection = true;
	}
	if (m)
		glt__protection__free_unpacked(m, NULL);
	return !p->damaged;
}

/* Those of the project and of each group above it. */
static enum glt_status walk_protections(struct glt_txn *txn, struct protecting *p, struct glt_err *err)
{
	char prefix[GLT_PATH_MAX + 2];
	size_t len = strlen(p->q->path);
	enum glt_status st = GLT_OK;

	memcpy(prefix, p->q->path, len + 1); /* the NUL belongs to the key */
	while (st == GLT_OK && len) {
		const struct glt_slice key = {prefix, len + 1};

		st = glt_walk(txn, GLT_PROTECTIONS, key, key, add_protection, p, err);
		while (len && prefix[len] != '/')
			len--;
		prefix[len] = '\0';
	}
	return st;
}

static enum glt_status ref_facts(struct glt_store *store, const struct glt_question *q, struct glt_facts *f,
				 struct glt_err *err)
{
	struct protecting p = {.q = q, .f = f};
	struct glt_txn *txn;
	enum glt_status st;

	if (!q->ref || strlen(q->path) > GLT_PATH_MAX)
		return GLT_OK;
	st = glt_txn_begin(store, false, &txn, err);
	if (st != GLT_OK)
		return st;
	st = walk_protections(txn, &p, err);
	glt_txn_end(txn);
	return st == GLT_OK && p.damaged ? glt_fail(err, GLT_DAMAGED, "a protection of %s is damaged", q->path)
					 : st;
}

static void policy_facts(const struct glt_conf *conf, const struct glt_question *q, struct glt_facts *f)
{
	struct glt_breach all[GLT_BREACHES];

	f->host_refuses = !glt_conf_admits(conf, q->address);
	f->retroactive_from = conf->retroactive_from;
	if (q->token && conf->retroactive_from && glt_policy_breaches(conf, q->token, all) > 0)
		f->breach = all[0];
}

enum glt_status glt_ask(struct glt_store *store, const struct glt_conf *conf, const struct glt_question *q,
			struct glt_answer *a, struct glt_err *err)
{
	struct glt_facts f = {.owner = GLT_OWNER_IS_GONE,
			      .observe = conf->observe,
			      .roles_elsewhere = conf->gitolite};
	struct glt_account account = {.name = ""};
	const char *path = glt_question_path(q);
	enum glt_status st = person_facts(store, q, &f, &account, err);

	policy_facts(conf, q, &f);
	if (st == GLT_OK && q->op == GLT_OP_LOGIN)
		st = login_facts(conf, q, &f, err);
	if (st == GLT_OK && path)
		st = member_facts(store, q, path, &account, &f, err);
	if (st == GLT_OK && q->op == GLT_OP_PUSH && path)
		st = ref_facts(store, q, &f, err);
	if (st == GLT_OK) {
		glt_decide(q, &f, a);
	} else {
		memset(a, 0, sizeof(*a));
		a->reason = st == GLT_DAMAGED ? GLT_WHY_DAMAGED : GLT_WHY_UNAVAILABLE;
		strncpy(a->detail, err->text, sizeof(a->detail) - 1);
	}
	return st;
}
