/* SPDX-License-Identifier: MIT */
#include "privdrop.h"

#include "account.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum glt_status glt_privdrop_lookup(uid_t *uid, gid_t *gid, struct glt_err *err)
{
	struct glt_account a;
	struct glt_err why;
	enum glt_status st = glt_account_by_name(GLT_STORE_USER, &a, &why);

	if (st == GLT_NOT_FOUND)
		return glt_fail(err, st,
				"no account '" GLT_STORE_USER "' on this system: run systemd-sysusers, or useradd "
				"--system " GLT_STORE_USER);
	if (st != GLT_OK)
		return glt_fail(err, st, "%s", why.text);
	if (a.uid == 0 || a.gid == 0)
		return glt_fail(err, GLT_REFUSED, "account '" GLT_STORE_USER "' has uid or gid 0");
	*uid = a.uid;
	*gid = a.gid;
	return GLT_OK;
}

/* Believe nothing: ask the kernel for all six ids, and try to go back. */
static void prove(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) != 0 || r != uid || e != uid || s != uid)
		abort();
	if (getresgid(&rg, &eg, &sg) != 0 || rg != gid || eg != gid || sg != gid)
		abort();
	if (setuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0)
		abort();
}

enum glt_status glt_privdrop(uid_t uid, gid_t gid, struct glt_err *err)
{
	if (geteuid() == 0) {
		if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
			return glt_fail(err, GLT_REFUSED, "cannot become " GLT_STORE_USER ": %s", strerror(errno));
	} else if (getuid() != uid || geteuid() != uid || getegid() != gid) {
		return glt_fail(err, GLT_REFUSED, "must be run as root");
	}
	prove(uid, gid);
	(void)prctl(PR_SET_DUMPABLE, 0);
	return GLT_OK;
}
