/* SPDX-License-Identifier: MIT */
#include "principal.h"

#include "account.h"
#include "event.h"
#include "people.h"
#include "role.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Groups that gltoken itself uses or makes would let its own bookkeeping grant roles. */
static enum glt_status check_group(const char *name, struct glt_err *err)
{
	enum glt_status st = glt_account_name_check(name, err);

	if (st == GLT_OK && (strcmp(name, GLT_STORE_USER) == 0 || strncmp(name, "gl_", 3) == 0))
		return glt_fail(err, GLT_REFUSED, "@%s is gltoken's own group and no principal", name);
	return st;
}

static enum glt_status group_exists(const char *name, struct glt_err *err)
{
	errno = 0;
	if (getgrnam(name))
		return GLT_OK;
	if (errno == 0 || errno == ENOENT || errno == ESRCH)
		return glt_fail(err, GLT_NOT_FOUND, "no group '%s' on this system", name);
	return glt_fail(err, GLT_UNAVAILABLE, "cannot look up group '%s' now: %s", name, strerror(errno));
}

enum glt_status glt_principal_check(const char *text, struct glt_err *err)
{
	return text[0] == '@' ? check_group(text + 1, err) : glt_account_name_check(text, err);
}

enum glt_status glt_principal_find(const char *text, bool *ours, struct glt_err *err)
{
	struct glt_account a;
	enum glt_status st;

	*ours = false;
	if (text[0] == '@')
		return group_exists(text + 1, err);
	st = glt_account_of_system(text, &a, err);
	*ours = st == GLT_NOT_FOUND;
	return *ours ? GLT_OK : st;
}

enum glt_status glt_principal_is_user(struct glt_txn *txn, const char *name, struct glt_err *err)
{
	Glt__User *u;
	enum glt_status st = glt_user_load(txn, name, &u, err);

	glt_user_free(u);
	if (st == GLT_NOT_FOUND)
		return glt_fail(err, st,
				"unknown user '%s': no account of this system and none of gltoken user list", name);
	return st;
}

static void event(const struct glt_cli *cli, struct glt_change *c, const char *action, const char *path,
		  const char *principal, const char *before, const char *after)
{
	char object[GLT_PATH_MAX + GLT_NAME_MAX + 2];

	(void)snprintf(object, sizeof(object), "%s %s", path, principal);
	glt_event_object(c, cli->actor, action, object, before, after, NULL);
}

enum glt_status glt_member_put(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			       const char *path, const char *principal, int role, bool *changed,
			       struct glt_err *err)
{
	char *where = glt_cli_strdup(path), *who = glt_cli_strdup(principal), *by = glt_cli_strdup(cli->actor);
	Glt__Member *old, fresh = GLT__MEMBER__INIT;
	enum glt_status st = glt_member_load(txn, path, principal, &old, err);

	*changed = false;
	if (st == GLT_NOT_FOUND || (st == GLT_OK && (int)old->role != role)) {
		fresh.path = where;
		fresh.principal = who;
		fresh.role = (uint32_t)role;
		fresh.created_at = cli->now;
		fresh.created_by = by;
		glt_member_store(c, &fresh);
		event(cli, c, "member.set", path, principal, old ? glt_role_name((int)old->role) : NULL,
		      glt_role_name(role));
		*changed = true;
		st = GLT_OK;
	}
	glt_member_free(old);
	free(where);
	free(who);
	free(by);
	return st;
}

enum glt_status glt_member_take(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				const char *path, const char *principal, struct glt_err *err)
{
	Glt__Member *old;
	enum glt_status st = glt_member_load(txn, path, principal, &old, err);

	if (st == GLT_OK) {
		glt_member_drop(c, path, principal);
		event(cli, c, "member.remove", path, principal, glt_role_name((int)old->role), NULL);
	}
	glt_member_free(old);
	return st;
}
