/* SPDX-License-Identifier: MIT */
/* Inside of the store: its handles, its table meta, and what each change adds to itself. For store.c; no LMDB in it. */
#ifndef GLT_META_H
#define GLT_META_H

#include "store.h"

struct MDB_env;
struct MDB_txn;

struct glt_store {
	char dir[256], file[256 + sizeof("/store.mdb")];
	struct MDB_env *env;
	unsigned dbi[GLT_TABLES];
	uint8_t key[32];
	glt_changed *changed;
	void *changed_arg;
};

struct glt_meta {
	uint64_t schema; /* what is written now is of it, and what reads it reads this */
	uint64_t counter[GLT_COUNTERS];
	struct glt_head head;
	bool kinds; /* by_kind has all tokens */
};

struct glt_txn {
	struct glt_store *store;
	struct MDB_txn *mdb;
	int gate; /* lock of the writers, -1 for readers */
	bool staged, new_table;
	struct glt_meta meta;
};

enum glt_status glt_store_new(const char *dir, struct glt_store **out, struct glt_err *err);
/* What a new store holds besides. */
void glt_meta_new(struct glt_txn *txn, struct glt_change *c);
/* Make an older store one of this version's schema. */
void glt_meta_raise(struct glt_meta *m, struct glt_change *c);
/* The schema that counts for this version; GLT_UNAVAILABLE: written by a newer gltoken. */
enum glt_status glt_meta_schema(struct glt_txn *txn, uint64_t *out, struct glt_err *err);
enum glt_status glt_meta_load(struct glt_txn *txn, struct glt_meta *m, struct glt_err *err);
/* Number the events of c, chain them, and make them and the new m operations of c. */
void glt_meta_finish(struct glt_meta *m, struct glt_change *c);

/* A line of LMDB's list of readers, into the struct glt_store_stats arg. */
int glt_readers_line(const char *line, void *arg);

#endif
