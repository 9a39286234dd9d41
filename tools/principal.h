/* SPDX-License-Identifier: MIT */
/* Who can be a member, and memberships for the commands that set them. */
#ifndef GLT_PRINCIPAL_H
#define GLT_PRINCIPAL_H

#include "cli.h"

/* A user's name, or @ and that of a group which is not gltoken's own. */
enum glt_status glt_principal_check(const char *text, struct glt_err *err);
/* A group must be the system's; a user the system's or ours. ours: still to be looked for in the store. */
enum glt_status glt_principal_find(const char *text, bool *ours, struct glt_err *err);
enum glt_status glt_principal_is_user(struct glt_txn *txn, const char *name, struct glt_err *err);

enum glt_status glt_member_put(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			       const char *path, const char *principal, int role, bool *changed,
			       struct glt_err *err);
enum glt_status glt_member_take(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				const char *path, const char *principal, struct glt_err *err);

#endif
