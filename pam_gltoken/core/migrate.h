/* SPDX-License-Identifier: MIT */
/*
 * A store of an earlier schema becomes one of GLT_SCHEMA. What each schema is, and what a store is until then, stands
 * at GLT_SCHEMA in store.h.
 */
#ifndef GLT_MIGRATE_H
#define GLT_MIGRATE_H

#include "store.h"

#define GLT_MIGRATION_STEPS (GLT_SCHEMA - 1)

struct glt_migration {
	unsigned from, to; /* the same: there is nothing to do */
	struct {
		const char *what;
		uint64_t changed;    /* entries */
	} step[GLT_MIGRATION_STEPS]; /* step i leads from schema i + 1 to i + 2; from - 1 is the first that is due */
};

/* All steps that are due, in a write transaction that the caller applies or gives up; with no event. What they write must
 * fit the map's reserve, see glt_store_stage(). */
enum glt_status glt_migrate_in(struct glt_txn *txn, struct glt_migration *out, struct glt_err *err);

/* The same in a transaction of its own with its event, whose object is the name of the backup. GLT_BUSY: the store is not
 * as that backup has it any more, whose head is given. */
enum glt_status glt_migrate(struct glt_store *store, const struct glt_head *head, const char *actor,
			    const char *backup, struct glt_migration *out, struct glt_err *err);

#endif
