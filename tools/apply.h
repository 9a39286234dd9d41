/* SPDX-License-Identifier: MIT */
/* Bring users, memberships, protections and keys of the store to what a file says, in one change. */
#ifndef GLT_APPLY_H
#define GLT_APPLY_H

#include "applyfile.h"

struct glt_difference {
	char sign; /* '+' added, '~' changed, '-' removed, '!' not done */
	char *text;
	char *was; /* changed: before; else NULL */
};

struct glt_apply {
	const struct glt_cli *cli;
	const struct glt_applyfile *file;
	bool prune;
	bool keep; /* what is there stays as it is, and what it is in the way of is told of ('!') */
	struct glt_txn *txn;
	struct glt_change *c;
	struct glt_difference *v;
	size_t n, room;
	char **forgotten; /* users that are pruned */
	size_t n_forgotten;
	enum glt_status st; /* of a walk */
	struct glt_err *err;
};

/* Fill the change, and the list of what it does. */
enum glt_status glt_apply_run(struct glt_apply *a, struct glt_err *err);
/* The same with the store opened for it; nothing is written on a dry run. Exit status. */
int glt_apply_put(struct glt_cli *cli, struct glt_apply *a, bool dry_run);
void glt_apply_free(struct glt_apply *a);

/* apply_prune.c: what is not in the file, of the kinds that it has. */
enum glt_status glt_apply_prune(struct glt_apply *a, struct glt_err *err);
void glt_apply_differ(struct glt_apply *a, char sign, const char *was, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void glt_apply_key_text(const Glt__Key *k, char *out, size_t size);

#endif
