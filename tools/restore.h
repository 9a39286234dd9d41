/* SPDX-License-Identifier: MIT */
/* Make a store of a backup in a folder of its own, so that nothing is used twice and nothing dead comes back. */
#ifndef GLT_RESTORE_H
#define GLT_RESTORE_H

#include "replay.h"

struct glt_restore {
	const char *dir;             /* empty, for this uid alone: the new store */
	int backup;                  /* the file, read from its start */
	FILE *audit;                 /* what came after it, or NULL */
	const struct glt_head *head; /* the last event that was logged elsewhere, or NULL */
	const char *actor, *name;    /* for the audit log: who, and of which file */
	int64_t now;

	int64_t made_at; /* results */
	bool certain;    /* all that came after the backup is known */
	struct glt_head known, end;
	struct glt_notes notes;
};

/* GLT_DAMAGED, GLT_REFUSED: err says why, dir holds rubbish. The store is closed again. */
enum glt_status glt_restore(struct glt_restore *r, struct glt_err *err);

#endif
