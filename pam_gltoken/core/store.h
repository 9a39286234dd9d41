/* SPDX-License-Identifier: MIT */
/*
 * The LMDB store, the only file that includes lmdb.h.
 *
 * Contract (each line cost somebody an outage, see gltoken(7)):
 *  - One store a process, never across fork, always closed: LMDB's fcntl lock dies with any close() of its
 *    lock file.
 *  - The folder is on a local disk, owned by the effective uid, mode 0700.
 *  - A read transaction lasts microseconds: nothing slow (Argon2, NSS, output) happens inside one.
 *  - Writers first take a lock of ours with a bounded wait, so that nobody waits inside LMDB.
 *  - Every value carries a checksum over its table, key and bytes: LMDB detects little of a damaged page.
 *  - A change, its indexes and its audit event are one transaction, and every change goes through
 *    glt_store_apply().
 */
#ifndef GLT_STORE_H
#define GLT_STORE_H

#include "record.pb-c.h"
#include "status.h"
#include "tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What this version makes of a store, and the newest that it reads. A store of an earlier schema is read and written as
 * the release that made it does, until `gltoken migrate` (migrate.h): till then that release can be put back.
 *   1  the first
 *   2  the index by_family has no token that is the first of its family; an event has link and phrases, not previous
 */
#define GLT_SCHEMA 2u

enum glt_counter {              /* never reused, never go back */
		   GLT_NEXT_ID, /* tokens, keys */
		   GLT_NEXT_GENERATION,
		   GLT_NEXT_ACCOUNT, /* numbers of bots, robots, namespaces, users */
		   GLT_COUNTERS,
};

#define GLT_EVENT_HASH 32
#define GLT_EPOCH_LEN 16

struct glt_head { /* of the audit chain: the last event's number and hash, see record.proto */
	uint64_t seq;
	uint8_t hash[GLT_EVENT_HASH];
	uint32_t link; /* of the event behind it */
};

struct glt_store;
struct glt_txn;
struct glt_change; /* a list of puts and deletes, see below */

/* Make an empty store in dir (which exists, is empty of one, and passes the owner check) with a fresh key. */
enum glt_status glt_store_create(const char *dir, struct glt_err *err);

/* write=false opens read only. The handle is closed with glt_store_close(), also before exit. */
enum glt_status glt_store_open(const char *dir, bool write, struct glt_store **out, struct glt_err *err);
void glt_store_close(struct glt_store *store);

/* 32 random bytes made at init; subkeys are derived from them, see seckey.h. Owned by the store. */
const uint8_t *glt_store_key(const struct glt_store *store);
/* Random bytes that change at restore: old tickets and caches die with them. */
enum glt_status glt_store_epoch(struct glt_txn *txn, uint8_t out[GLT_EPOCH_LEN], struct glt_err *err);
enum glt_status glt_store_head(struct glt_txn *txn, struct glt_head *out, struct glt_err *err);

/* The schema of the store as this transaction sees it, or GLT_SCHEMA where that is lower. */
unsigned glt_schema(struct glt_txn *txn);

/* What of a store is published for libnss_gltoken, see publish.h. */
enum glt_published_part {
	GLT_PUBLIC_USERS = 1,  /* users, and tokens that act as a bot */
	GLT_PUBLIC_GROUPS = 2, /* memberships and namespaces */
};
/* Call fn after each change with events that was made through this handle; parts: what of them is published. */
typedef void glt_changed(void *arg, const struct glt_head *head, unsigned parts);
void glt_store_watch(struct glt_store *store, glt_changed *fn, void *arg);

/* ---- backups ---- */
/* Write the whole store, compacted, to fd from its offset on. Logins and changes go on. */
enum glt_status glt_store_copy(struct glt_store *store, int fd, struct glt_err *err);
/* Read such a copy, which nobody else may change, from the start of the regular file fd. It has no key. */
enum glt_status glt_store_open_copy(int fd, struct glt_store **out, struct glt_err *err);
/* For a store that is restored, in a write transaction: numbers that may have been given out since the backup are
 * left out, and the audit log goes on behind another event than its last. */
void glt_skip(struct glt_txn *txn, enum glt_counter counter, uint64_t n);
void glt_chain_from(struct glt_txn *txn, const struct glt_head *head);

/* A write transaction waits at most wait_ms for other writers, then GLT_BUSY. End every transaction once:
 * with glt_store_apply() or glt_txn_end(), which gives up all that was not applied. */
enum glt_status glt_txn_begin(struct glt_store *store, bool write, struct glt_txn **out, struct glt_err *err);
void glt_txn_end(struct glt_txn *txn);

/* The checked payload, valid until the transaction ends. GLT_NOT_FOUND leaves err untouched. */
enum glt_status glt_get(struct glt_txn *txn, enum glt_table table, struct glt_slice key, struct glt_slice *out,
			struct glt_err *err);

/* Walk keys in order, from the first key >= from, while they begin with prefix (both may be empty).
 * Tables marked "many" yield one call an id, the id as value. fn returns false to stop. */
typedef bool glt_visit(void *arg, struct glt_slice key, struct glt_slice value);
enum glt_status glt_walk(struct glt_txn *txn, enum glt_table table, struct glt_slice from, struct glt_slice prefix,
			 glt_visit *fn, void *arg, struct glt_err *err);
/* The whole table from the first key >= from, past damage: a value that fails its checksum is given as
 * {NULL, 0} and the walk goes on. For what lists or checks the store, never for a decision. */
enum glt_status glt_walk_all(struct glt_txn *txn, enum glt_table table, struct glt_slice from, glt_visit *fn,
			     void *arg, struct glt_err *err);
/* The same backwards, from the last key that begins with prefix (or the end of the table). */
enum glt_status glt_walk_back(struct glt_txn *txn, enum glt_table table, struct glt_slice prefix, glt_visit *fn,
			      void *arg, struct glt_err *err);
/* Number of entries of a table. */
uint64_t glt_count(struct glt_txn *txn, enum glt_table table);

/* Next value of a counter inside a write transaction; counts only if the change is applied. */
uint64_t glt_next(struct glt_txn *txn, enum glt_counter counter);

struct glt_change *glt_change_new(void); /* NULL: no memory */
void glt_change_free(struct glt_change *c);
void glt_change_clear(struct glt_change *c); /* as new, but for what it touches */
/* Key and value are copied. Running out of memory is remembered and fails the apply. */
void glt_change_put(struct glt_change *c, enum glt_table table, struct glt_slice key, struct glt_slice value);
void glt_change_del(struct glt_change *c, enum glt_table table, struct glt_slice key);
/* Tables marked "many": add or drop one id under key. */
void glt_change_link(struct glt_change *c, enum glt_table table, struct glt_slice key, uint64_t id);
void glt_change_unlink(struct glt_change *c, enum glt_table table, struct glt_slice key, uint64_t id);
/* A new epoch. */
void glt_change_epoch(struct glt_change *c);
/* Can the index by_kind be used? */
bool glt_kinds_known(struct glt_txn *txn);
/* c has all entries of by_kind from now on. */
void glt_change_kinds(struct glt_txn *txn);
/* Remember a failure (no memory) of who fills the change: the apply will fail. */
void glt_change_fail(struct glt_change *c);
/* The change touches what is published; that of users, members and namespaces is known without. */
void glt_change_public(struct glt_change *c, unsigned parts);
/* Record what is done; seq, at and link are filled by apply. Strings of ev are copied. */
void glt_change_event(struct glt_change *c, const Glt__Event *ev);

/* A change and the write transaction that it is for. If that fails there is neither. */
enum glt_status glt_change_begin(struct glt_store *store, struct glt_change **c, struct glt_txn **txn,
				 struct glt_err *err);
/* What is begun so ends so: c is applied if st is GLT_OK, else all is given up and st returned. c is freed. */
enum glt_status glt_change_end(struct glt_txn *txn, struct glt_change *c, enum glt_status st, struct glt_err *err);

/* The one door: write all of c and its events, durably, or nothing. Ends txn in any case. c is not freed. */
enum glt_status glt_store_apply(struct glt_txn *txn, struct glt_change *c, struct glt_err *err);

/* Write c into the transaction, which goes on and sees it; one glt_store_apply() at the end makes it all durable, or
 * nothing. What is staged must fit the map's reserve, a quarter of it and 16 MiB at least. */
enum glt_status glt_store_stage(struct glt_txn *txn, struct glt_change *c, struct glt_err *err);
/* What the next value of a counter will follow, here in this transaction. */
uint64_t glt_counter(struct glt_txn *txn, enum glt_counter counter);

struct glt_reader {
	int64_t pid;                       /* 0: none */
	uint64_t txn, changes, held_bytes; /* made since its transaction began, and what they cannot use again */
};

struct glt_store_stats {
	uint64_t entries[GLT_TABLES];
	uint64_t map_size, used_bytes, file_bytes, free_bytes; /* free: within used, for the next changes */
	uint32_t readers;                                      /* open read-only transactions and environments */
	struct glt_reader oldest;                              /* that is in a transaction, of other processes */
};
enum glt_status glt_store_stat(struct glt_txn *txn, struct glt_store_stats *out);

#endif
