/* SPDX-License-Identifier: MIT */
/* The names that live tokens of some holders have, so that a thousand tokens of one holder do not each read all of
 * the others. Right as long as no other process changes a token: glt_names_begin() finds out. */
#ifndef GLT_NAMES_H
#define GLT_NAMES_H

#include "issue.h"

struct glt_names {
	void *root; /* of tsearch(3) */
	uint64_t generation;
};

/* In a write transaction, first of all. */
void glt_names_begin(struct glt_names *names, struct glt_txn *txn);
/* GLT_EXISTS: an active token of that holder and type has this name, or got it from here before. */
enum glt_status glt_names_take(struct glt_names *names, struct glt_txn *txn, const struct glt_issue *req,
			       struct glt_err *err);
/* Before the transaction is applied. */
void glt_names_end(struct glt_names *names, struct glt_txn *txn);
void glt_names_free(struct glt_names *names);

#endif
