/* SPDX-License-Identifier: MIT */
/* Unix accounts through NSS. "Cannot ask now" (GLT_UNAVAILABLE) is never taken for "gone" (GLT_NOT_FOUND). */
#ifndef GLT_ACCOUNT_H
#define GLT_ACCOUNT_H

#include "status.h"
#include "text.h"

#include <stdbool.h>
#include <sys/types.h>

struct glt_account {
	char name[GLT_ACCOUNT_MAX + 1];
	uid_t uid;
	gid_t gid;
	char home[256];
	char shell[256];
};

enum glt_shell { GLT_SHELL_OTHER, GLT_SHELL_GLTOKEN, GLT_SHELL_GIT };

enum glt_status glt_account_by_name(const char *name, struct glt_account *out, struct glt_err *err);
/* The same without the accounts that libnss_gltoken adds: bots, and users of ours without an account. */
enum glt_status glt_account_of_system(const char *name, struct glt_account *out, struct glt_err *err);
enum glt_status glt_account_by_uid(uid_t uid, struct glt_account *out, struct glt_err *err);
enum glt_shell glt_account_shell(const struct glt_account *a);

/* Is the account in that Unix group (by getgrouplist)? *in is false for a group that does not exist. */
enum glt_status glt_account_in_group(const struct glt_account *a, const char *group, bool *in, struct glt_err *err);

/* The users whom a Unix group names; none where it does not exist. names and each of them are malloc'd. */
enum glt_status glt_group_members(const char *group, char ***names, size_t *n, struct glt_err *err);
enum glt_status glt_gid_used(gid_t gid, bool *used, struct glt_err *err);

#endif
