/* SPDX-License-Identifier: MIT */
/*
 * Index by_kind: the ids of each kind of token, so that a rare one is found without reading all. A store of an earlier
 * version has none, and one that an earlier version changed has an index that is not true any more.
 */
#ifndef GLT_KINDS_H
#define GLT_KINDS_H

#include "store.h"

enum {
	GLT_KIND_REVOKED = 1,
	GLT_KIND_SPECIAL =
		2, /* may be inactive for other reasons than its expiry: paused, rotated, with uses, not yet */
	GLT_KIND_NEVER = 4, /* does not expire */
};

#define GLT_KIND_LEN 10 /* type, flags, scopes */
struct glt_slice glt_kind_key(const Glt__Token *t, uint8_t key[GLT_KIND_LEN]);

struct glt_kinds_wanted {
	unsigned types;  /* bits 1 << Glt__Type; 0: all */
	uint64_t scopes; /* all of these at least */
	unsigned any;    /* one of these flags; 0: no matter */
	unsigned all, none;
};

struct glt_kinds_found {
	uint64_t *id; /* in no order; to be freed, also after an error */
	size_t n, room;
	uint64_t upto; /* those up to there are all that there are */
	bool no_memory;
};

/* Ids above after, the first so many of each kind that is wanted. */
enum glt_status glt_kinds_find(struct glt_txn *txn, const struct glt_kinds_wanted *w, uint64_t after, size_t most,
			       struct glt_kinds_found *out, struct glt_err *err);
/* Make the index of all tokens; nothing to do where it is known. */
enum glt_status glt_kinds_rebuild(struct glt_store *store, struct glt_err *err);

#endif
