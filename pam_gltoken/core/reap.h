/* SPDX-License-Identifier: MIT */
/* Remove what is dead for long: in many small transactions, so that logins and changes go on, and what was removed
 * stays removed whenever it is stopped. */
#ifndef GLT_REAP_H
#define GLT_REAP_H

#include "store.h"

/* When it was revoked, replaced or expired, whichever came first; 0: it is alive, or nobody knows. */
int64_t glt_token_died(const Glt__Token *t, int64_t now);

/* Called outside of any transaction, after each token is gone (or would be). account_gone: nothing acts as its bot
 * or robot any more. */
typedef void glt_reaped(void *arg, const Glt__Token *t, int64_t died, bool account_gone);

struct glt_reap {
	int64_t before; /* what died before that goes */
	int64_t now;
	bool dry_run; /* a store that is open for reading is enough */
	const char *actor;
	glt_reaped *fn;
	void *arg;
	size_t removed, damaged; /* out; damaged: records that were left alone */
};

/* A token stays as long as the one before it in a rotation does. Audit events stay. */
enum glt_status glt_reap(struct glt_store *store, struct glt_reap *r, struct glt_err *err);

#endif
