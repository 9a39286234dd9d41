/* SPDX-License-Identifier: MIT */
/*
 * What the store has of one project, as a whole: to count, to move and to remove it.
 *
 * Files and store cannot change in one step. So a move or removal is first written down in the project's record;
 * then the files are renamed; then the rest follows and the mark goes. Whatever ends the program between two of the
 * steps, protections are there for the place where the files are, and the same command again goes on from there.
 */
#ifndef GLT_PROJECT_H
#define GLT_PROJECT_H

#include "store.h"

struct glt_project_counts {
	size_t tokens, live, members, protections, keys;
	bool known; /* it has a number, or more */
};

enum glt_status glt_project_count(struct glt_txn *txn, const char *path, struct glt_project_counts *out,
				  struct glt_err *err);

/* GLT_EXISTS: there is something of `to` already. *resumed: this move had begun before; only_resume makes it
 * GLT_NOT_FOUND if it had not. */
enum glt_status glt_project_move_begin(struct glt_txn *txn, struct glt_change *c, const char *from, const char *to,
				       bool only_resume, bool *resumed, const char *actor, struct glt_err *err);
enum glt_status glt_project_move(struct glt_txn *txn, struct glt_change *c, const char *from, const char *to,
				 const char *actor, struct glt_project_counts *out, struct glt_err *err);
enum glt_status glt_project_move_undo(struct glt_txn *txn, struct glt_change *c, const char *from, const char *to,
				      const char *actor, struct glt_err *err);

enum glt_status glt_project_remove_begin(struct glt_txn *txn, struct glt_change *c, const char *path,
					 const char *actor, struct glt_err *err);
/* Its live tokens are revoked; all else goes. */
enum glt_status glt_project_remove(struct glt_txn *txn, struct glt_change *c, const char *path, const char *actor,
				   int64_t now, struct glt_project_counts *out, struct glt_err *err);
/* GLT_REFUSED where a move or removal of it, or a move to it, has begun and did not end. */
enum glt_status glt_project_settled(struct glt_txn *txn, const char *path, struct glt_err *err);

#endif
