/* SPDX-License-Identifier: MIT */
/* Find tokens by what they are, for `list` and `revoke`. Transactions are short: a large store is read in
 * pieces, so what changes meanwhile may be seen old or new. */
#ifndef GLT_SELECT_H
#define GLT_SELECT_H

#include "store.h"

enum glt_which { GLT_WHICH_ALL, GLT_WHICH_ACTIVE, GLT_WHICH_INACTIVE, GLT_WHICH_REVOKED, GLT_WHICH_EXPIRED };

struct glt_select {
	const char *owner; /* whom it acts as */
	const char *path;  /* its project or group, exactly */
	unsigned types;    /* bits 1 << Glt__Type; 0: all */
	uint64_t scopes;   /* all of these at least */
	enum glt_which which;
	uint64_t family;
	int64_t issued_before, expires_by; /* 0: whenever */
	uint64_t after;                    /* ids above this */
	size_t limit;                      /* the first of them by id; 0: all */
	int64_t now;
};

struct glt_found {
	Glt__Token **token; /* by id */
	uint64_t *user_id;  /* number of its owner, 0 where it has none */
	size_t n, room;
	size_t damaged; /* records left out */
};

enum glt_status glt_select(struct glt_store *store, const struct glt_select *what, struct glt_found *out,
			   struct glt_err *err);
void glt_found_free(struct glt_found *found);
/* Number of the owner of one token, 0 where it has none; no transaction may be open. */
uint64_t glt_user_id(struct glt_store *store, const Glt__Token *t);

#endif
