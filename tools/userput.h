/* SPDX-License-Identifier: MIT */
/* Users, for the commands that make and block them. */
#ifndef GLT_USERPUT_H
#define GLT_USERPUT_H

#include "cli.h"

/* *system: is there an account of that name? "Cannot tell now" is an error. */
enum glt_status glt_user_ask_system(const char *name, bool *system, struct glt_err *err);
/* A name of the forms that issue draws for bots and robots. */
bool glt_name_is_drawn(const char *name);
/* GLT_REFUSED: a name of bots or of gltoken itself. */
enum glt_status glt_user_check_name(const char *name, struct glt_err *err);
const char *glt_user_state(const Glt__User *u);
/* GLT_EXISTS where there is one. display may be NULL. */
enum glt_status glt_user_put_new(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				 const char *name, const char *display, bool system, struct glt_err *err);

/* With all keys and memberships. GLT_REFUSED while there are tokens that are not revoked. */
enum glt_status glt_user_forget(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				const char *name, struct glt_err *err);

#define GLT_SYNC_REASON "user sync: " /* begins the reason of what sync blocked */

struct glt_blocking {
	const char *name, *reason;
	bool block, system, by_sync;
	bool unchanged; /* set */
};
enum glt_status glt_user_set_blocked(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				     struct glt_blocking *b, struct glt_err *err);

#endif
