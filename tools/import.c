/* SPDX-License-Identifier: MIT */
#include "import.h"

#include "account.h"
#include "people.h"
#include "tokens.h"
#include "userput.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* What a name is here: asked for once, and not once for each token. */
struct person {
	char *name;
	enum glt_status st;
	struct glt_err why;
	uid_t uid;
	bool told; /* that there is no such account */
};

static int compare(const void *a, const void *b)
{
	const struct person *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void free_person(void *p)
{
	struct person *person = p;

	free(person->name);
	free(person);
}

static struct person *look_up(void **known, const char *name)
{
	struct person key = {.name = glt_cli_strdup(name)}, *p, **found = tfind(&key, known, compare);
	struct glt_account a;

	if (found) {
		free(key.name);
		return *found;
	}
	p = glt_cli_alloc(NULL, 1, sizeof(*p));
	*p = key;
	p->st = glt_account_of_system(name, &a, &p->why);
	p->uid = a.uid;
	(void)tsearch(p, known, compare);
	return p;
}

/* A person's name stands for the account of that name here; where there is none, what is denied now works as soon
 * as the account is made with the uid that it had. */
static enum glt_status map_person(const struct glt_cli *cli, void **known, const char *name, uint32_t *uid_plus1,
				  struct glt_err *err)
{
	struct person *p = look_up(known, name);

	if (p->st == GLT_NOT_FOUND) {
		if (*uid_plus1 && !p->told)
			glt_cli_warn(cli, "this host has no account '%s': what is %s's is denied until it has",
				     name, name);
		p->told = p->told || *uid_plus1;
		return GLT_OK;
	}
	if (p->st != GLT_OK)
		return glt_fail(err, p->st, "%s", p->why.text);
	if (p->uid == 0)
		return glt_fail(err, GLT_REFUSED, "'%s' has uid 0 here: root takes no Git tokens", name);
	if (*uid_plus1 == 0)
		return glt_fail(err, GLT_REFUSED, "'%s' had no account there, but is an account of this host",
				name);
	*uid_plus1 = p->uid + 1;
	return GLT_OK;
}

/* A name that issue draws is not looked up by it either; of a million bots each has another one. */
static enum glt_status check_robot(const char *name, struct glt_err *err)
{
	struct glt_account a;
	struct glt_err why;
	enum glt_status st;

	if (glt_name_is_drawn(name))
		return GLT_OK;
	st = glt_account_of_system(name, &a, &why);
	if (st == GLT_OK)
		return glt_fail(err, GLT_EXISTS, "'%s' is a bot there, but an account of this host", name);
	return st == GLT_NOT_FOUND ? GLT_OK : glt_fail(err, st, "%s", why.text);
}

static enum glt_status map_user(const struct glt_cli *cli, void **known, const Glt__User *u, struct glt_err *err)
{
	uint32_t uid_plus1 = u->virtual_user ? 0 : 1;

	return map_person(cli, known, u->name, &uid_plus1, err);
}

enum glt_status glt_import_check(const struct glt_cli *cli, struct glt_import *in, struct glt_err *err)
{
	enum glt_status st = GLT_OK;
	struct glt_err why = {GLT_OK, ""};
	void *known = NULL;

	for (size_t i = 0; st == GLT_OK && i < in->n; i++) {
		Glt__Token *t = (Glt__Token *)in->v[i].m;
		Glt__Key *k = (Glt__Key *)in->v[i].m;

		if (in->v[i].kind->table == GLT_USERS)
			st = map_user(cli, &known, (const Glt__User *)in->v[i].m, &why);
		else if (in->v[i].kind->table == GLT_KEYS && k->user[0])
			st = map_person(cli, &known, k->user, &k->user_uid_plus1, &why);
		else if (in->v[i].kind->table == GLT_TOKENS)
			st = t->type == GLT__TYPE__PERSONAL
				     ? map_person(cli, &known, t->owner, &t->owner_uid_plus1, &why)
				     : check_robot(t->owner, &why);
		if (st != GLT_OK)
			(void)glt_fail(err, st, "line %lu: %s", in->v[i].line, why.text);
	}
	tdestroy(known, free_person);
	return st;
}
