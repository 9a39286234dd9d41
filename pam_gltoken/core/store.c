/* SPDX-License-Identifier: MIT */
#include "store.h"

#include "change.h"
#include "meta.h"
#include "stale.h"
#include "storefile.h"
#include "value.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_MIN (UINT64_C(64) << 20)
#define MAX_READERS 1024
#define NO_TABLE 0u /* of LMDB itself */

static enum glt_status lmdb_fail(const struct glt_store *s, int rc, const char *doing, struct glt_err *err)
{
	switch (rc) {
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_PANIC:
	case MDB_BAD_VALSIZE:
		return glt_fail(err, GLT_DAMAGED,
				"store %s is damaged (%s: %s): run gltoken check, then gltoken restore", s->dir,
				doing, mdb_strerror(rc));
	case ENOSPC:
		return glt_fail(err, GLT_UNAVAILABLE, "store %s: the disk is full: nothing was changed", s->dir);
	default:
		return glt_fail(err, GLT_UNAVAILABLE, "store %s: %s: %s", s->dir, doing, mdb_strerror(rc));
	}
}

static MDB_val mdb_of(struct glt_slice s)
{
	return (MDB_val){s.len, (void *)(uintptr_t)s.data};
}

/* Check and strip the checksum. */
static enum glt_status open_value(enum glt_table table, const MDB_val *k, const MDB_val *v, struct glt_slice *out,
				  struct glt_err *err)
{
	*out = (struct glt_slice){v->mv_data, v->mv_size};
	return glt_value_check(table, (struct glt_slice){k->mv_data, k->mv_size}, out, err);
}

/* ---- open and close ---- */

static int open_table(struct glt_store *s, MDB_txn *txn, enum glt_table table, unsigned flags)
{
	unsigned many = glt_table_is_many(table) ? MDB_DUPSORT | MDB_DUPFIXED : 0;

	return mdb_dbi_open(txn, glt_table_name(table), many | flags, &s->dbi[table]);
}

static enum glt_status open_tables(struct glt_store *s, MDB_txn *txn, unsigned flags, struct glt_err *err)
{
	for (int t = 0; t < GLT_TABLES; t++) {
		const char *name = glt_table_name((enum glt_table)t);
		int rc = open_table(s, txn, (enum glt_table)t, flags);

		if (rc == MDB_NOTFOUND && t == GLT_BY_KIND) /* of an earlier version: the first change makes it */
			s->dbi[t] = NO_TABLE;
		else if (rc != 0)
			return lmdb_fail(s, rc == MDB_NOTFOUND ? MDB_INVALID : rc, name, err);
	}
	return GLT_OK;
}

static enum glt_status open_env(struct glt_store *s, const char *path, unsigned flags, struct glt_err *err)
{
	uint64_t size = glt_storefile_size(path);
	int fd, turn = -1, rc;

	/* A copy, opened without locks, has no folder. */
	if (!(flags & MDB_NOLOCK) && glt_storefile_turn(s->dir, &turn, err) != GLT_OK)
		return GLT_UNAVAILABLE;
	rc = mdb_env_create(&s->env);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(s->env, GLT_TABLES);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(s->env, MAX_READERS);
	if (rc == 0)
		rc = mdb_env_set_mapsize(s->env, MAP_MIN + 2 * ((size + MAP_MIN - 1) / MAP_MIN) * MAP_MIN);
	if (rc == 0)
		rc = mdb_env_open(s->env, path, MDB_NOSUBDIR | MDB_NOTLS | flags, 0600);
	glt_storefile_turn_end(turn);
	if (rc != 0)
		return lmdb_fail(s, rc, "open", err);
	/* LMDB 0.9 opens its data file without CLOEXEC. */
	if (mdb_env_get_fd(s->env, &fd) == 0)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return GLT_OK;
}

/* Begin, with the one retry each that another process's growth or dead readers call for. */
static int begin(struct glt_store *s, unsigned flags, MDB_txn **txn)
{
	int rc = mdb_txn_begin(s->env, NULL, flags, txn), dead;

	if (rc == MDB_MAP_RESIZED && mdb_env_set_mapsize(s->env, 0) == 0)
		rc = mdb_txn_begin(s->env, NULL, flags, txn);
	if (rc == MDB_READERS_FULL && mdb_reader_check(s->env, &dead) == 0)
		rc = mdb_txn_begin(s->env, NULL, flags, txn);
	*txn = rc == 0 ? *txn : NULL;
	return rc;
}

static struct glt_txn *new_txn(struct glt_store *s)
{
	struct glt_txn *txn = calloc(1, sizeof(*txn));

	if (txn)
		*txn = (struct glt_txn){.store = s, .gate = -1};
	return txn;
}

static int put_value(struct glt_txn *txn, enum glt_table table, struct glt_slice key, struct glt_slice value)
{
	MDB_val mk = mdb_of(key), mv = {value.len + GLT_CHECKSUM, NULL};
	int rc = MDB_KEYEXIST;

	/* What is numbered grows at its end: there, pages are filled and not split in halves. */
	if (table == GLT_TOKENS || table == GLT_AUDIT)
		rc = mdb_put(txn->mdb, txn->store->dbi[table], &mk, &mv, MDB_RESERVE | MDB_APPEND);
	if (rc == MDB_KEYEXIST)
		rc = mdb_put(txn->mdb, txn->store->dbi[table], &mk, &mv, MDB_RESERVE);
	if (rc != 0)
		return rc;
	glt_value_seal(table, key, value, mv.mv_data);
	return 0;
}

static enum glt_status create(struct glt_store *s, struct glt_err *err)
{
	enum glt_status st = open_env(s, s->file, 0, err);
	struct glt_txn *txn = st == GLT_OK ? new_txn(s) : NULL;
	struct glt_change *c = txn ? glt_change_new() : NULL;
	int rc;

	if (st == GLT_OK && !c)
		st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
	if (st == GLT_OK && (rc = begin(s, 0, &txn->mdb)) != 0)
		st = lmdb_fail(s, rc, "begin", err);
	if (st == GLT_OK)
		st = open_tables(s, txn->mdb, MDB_CREATE, err);
	if (st == GLT_OK) {
		glt_meta_new(txn, c);
		st = glt_store_apply(txn, c, err);
	} else {
		glt_txn_end(txn);
	}
	glt_change_free(c);
	return st;
}

enum glt_status glt_store_create(const char *dir, struct glt_err *err)
{
	struct glt_store *s = NULL;
	enum glt_status st = glt_store_new(dir, &s, err);

	if (st == GLT_OK)
		st = glt_storefile_create_key(dir, err);
	if (st != GLT_OK) {
		glt_store_close(s);
		return st;
	}
	st = create(s, err);
	if (st == GLT_OK)
		st = glt_storefile_sync_dir(dir, err);
	glt_store_close(s);
	if (st != GLT_OK)
		glt_storefile_remove(dir); /* half a store is none */
	return st;
}

/* The tables of an environment, if they are of a version that is known here. */
static enum glt_status open_known(struct glt_store *s, struct glt_err *err)
{
	struct glt_txn txn = {.store = s, .gate = -1};
	enum glt_status st;
	int rc = begin(s, MDB_RDONLY, &txn.mdb);

	if (rc != 0)
		return lmdb_fail(s, rc, "begin", err);
	st = open_tables(s, txn.mdb, 0, err);
	if (st == GLT_OK)
		st = glt_meta_schema(&txn, &txn.meta.schema, err);
	/* Committing a reader keeps the table handles; aborting would close them. */
	rc = mdb_txn_commit(txn.mdb);
	return st == GLT_OK && rc != 0 ? lmdb_fail(s, rc, "open", err) : st;
}

static enum glt_status open_checked(struct glt_store *s, bool write, struct glt_err *err)
{
	enum glt_status st = glt_storefile_check(s->dir, err);

	if (st == GLT_OK)
		st = glt_storefile_read_key(s->dir, s->key, err);
	if (st == GLT_OK)
		st = open_env(s, s->file, write ? 0 : MDB_RDONLY, err);
	return st == GLT_OK ? open_known(s, err) : st;
}

enum glt_status glt_store_open(const char *dir, bool write, struct glt_store **out, struct glt_err *err)
{
	struct glt_store *s = NULL;
	enum glt_status st = glt_store_new(dir, &s, err);

	*out = NULL;
	glt_stale_watch();
	if (st == GLT_OK)
		st = open_checked(s, write, err);
	glt_stale_rest();
	if (st == GLT_OK)
		*out = s;
	else
		glt_store_close(s);
	return st;
}

void glt_store_close(struct glt_store *s)
{
	if (!s)
		return;
	if (s->env)
		mdb_env_close(s->env);
	sodium_memzero(s->key, sizeof(s->key));
	free(s);
}

/* ---- copies ---- */

enum glt_status glt_store_copy(struct glt_store *s, int fd, struct glt_err *err)
{
	int rc = mdb_env_copyfd2(s->env, fd, MDB_CP_COMPACT);

	return rc == 0 ? GLT_OK : glt_fail(err, GLT_UNAVAILABLE, "cannot copy the store: %s", mdb_strerror(rc));
}

enum glt_status glt_store_open_copy(int fd, struct glt_store **out, struct glt_err *err)
{
	struct glt_store *s = NULL;
	char path[32];
	enum glt_status st = glt_storefile_check_copy(fd, err);

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*out = NULL;
	if (st == GLT_OK)
		st = glt_store_new(path, &s, err);
	if (st == GLT_OK) /* no lock file: nobody else has it */
		st = open_env(s, path, MDB_RDONLY | MDB_NOLOCK, err);
	if (st == GLT_OK)
		st = open_known(s, err);
	if (st == GLT_OK)
		*out = s;
	else
		glt_store_close(s);
	return st;
}

/* ---- transactions ---- */

/* At least twice what is used: another process may have grown the file far beyond the map of this one. */
static int grow(struct glt_store *s, bool now)
{
	MDB_envinfo info;
	MDB_stat stat;
	uint64_t used;
	int rc = mdb_env_info(s->env, &info);

	if (rc == 0)
		rc = mdb_env_stat(s->env, &stat);
	if (rc != 0)
		return rc;
	used = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
	if (!now && used <= info.me_mapsize / 4 * 3)
		return 0;
	return mdb_env_set_mapsize(s->env, 2 * (used > info.me_mapsize ? used : info.me_mapsize));
}

/* A store of an earlier version gets the table that it has not; a handle opened here ends with the transaction unless
 * that is committed. */
static int begin_all(struct glt_txn *txn)
{
	struct glt_store *s = txn->store;
	int rc = begin(s, 0, &txn->mdb);

	if (rc == 0 && s->dbi[GLT_BY_KIND] == NO_TABLE) {
		rc = open_table(s, txn->mdb, GLT_BY_KIND, MDB_CREATE);
		txn->new_table = true;
	}
	return rc;
}

static void abort_all(struct glt_txn *txn)
{
	if (txn->mdb)
		mdb_txn_abort(txn->mdb);
	txn->mdb = NULL;
	if (txn->new_table)
		txn->store->dbi[GLT_BY_KIND] = NO_TABLE;
}

static enum glt_status begin_write(struct glt_store *s, struct glt_txn *txn, struct glt_err *err)
{
	enum glt_status st = glt_storefile_gate(s->dir, &txn->gate, err);
	int rc, dead, fd;

	if (st != GLT_OK)
		return st;
	if (mdb_env_get_fd(s->env, &fd) != 0 || !glt_storefile_is_current(s->dir, fd))
		return glt_fail(err, GLT_UNAVAILABLE, "store %s was restored just now: try again", s->dir);
	(void)mdb_reader_check(s->env, &dead);
	rc = grow(s, false); /* so that hardly any change meets MDB_MAP_FULL */
	if (rc == 0)
		rc = begin_all(txn);
	if (rc != 0)
		return lmdb_fail(s, rc, "begin", err);
	return glt_meta_load(txn, &txn->meta, err);
}

enum glt_status glt_txn_begin(struct glt_store *s, bool write, struct glt_txn **out, struct glt_err *err)
{
	struct glt_txn *txn = new_txn(s);
	enum glt_status st = GLT_OK;
	int rc;

	*out = NULL;
	if (!txn)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for a transaction");
	glt_stale_watch();
	if (write)
		st = begin_write(s, txn, err);
	else if ((rc = begin(s, MDB_RDONLY, &txn->mdb)) != 0)
		st = lmdb_fail(s, rc, "begin", err);
	glt_stale_rest();
	if (st == GLT_OK)
		*out = txn;
	else
		glt_txn_end(txn);
	return st;
}

void glt_txn_end(struct glt_txn *txn)
{
	if (!txn)
		return;
	abort_all(txn);
	if (txn->gate >= 0)
		(void)close(txn->gate);
	free(txn);
}

/* ---- reading ---- */

enum glt_status glt_get(struct glt_txn *txn, enum glt_table table, struct glt_slice key, struct glt_slice *out,
			struct glt_err *err)
{
	MDB_val k = mdb_of(key), v;
	int rc = mdb_get(txn->mdb, txn->store->dbi[table], &k, &v);

	if (rc == MDB_NOTFOUND)
		return GLT_NOT_FOUND;
	if (rc != 0)
		return lmdb_fail(txn->store, rc, "read", err);
	return open_value(table, &k, &v, out, err);
}

static bool begins(const MDB_val *k, struct glt_slice prefix)
{
	return k->mv_size >= prefix.len && (prefix.len == 0 || memcmp(k->mv_data, prefix.data, prefix.len) == 0);
}

struct walk {
	struct glt_txn *txn;
	enum glt_table table;
	MDB_cursor *cursor;
	MDB_cursor_op step; /* MDB_NEXT or MDB_PREV */
	struct glt_slice prefix;
	bool past_damage; /* a value that fails its checksum is given as {NULL, 0} */
	glt_visit *fn;
	void *arg;
};

/* Call fn for each entry from the cursor's place on, where rc is what came of getting there. Closes the cursor. */
static enum glt_status visit(struct walk *w, MDB_val *k, MDB_val *v, int rc, struct glt_err *err)
{
	enum glt_status st = GLT_OK;
	struct glt_slice value;

	while (rc == 0 && begins(k, w->prefix)) {
		st = open_value(w->table, k, v, &value, w->past_damage ? NULL : err);
		if (st != GLT_OK && w->past_damage) {
			value = (struct glt_slice){NULL, 0};
			st = GLT_OK;
		}
		if (st != GLT_OK || !w->fn(w->arg, (struct glt_slice){k->mv_data, k->mv_size}, value))
			break;
		rc = mdb_cursor_get(w->cursor, k, v, w->step);
	}
	mdb_cursor_close(w->cursor);
	return rc == 0 || rc == MDB_NOTFOUND ? st : lmdb_fail(w->txn->store, rc, "read", err);
}

static enum glt_status walk_on(struct walk *w, struct glt_slice from, struct glt_err *err)
{
	MDB_val k = mdb_of(from), v;
	const MDB_dbi dbi = w->txn->store->dbi[w->table];
	int rc = dbi == NO_TABLE ? MDB_NOTFOUND : mdb_cursor_open(w->txn->mdb, dbi, &w->cursor);

	if (rc != 0)
		return rc == MDB_NOTFOUND ? GLT_OK : lmdb_fail(w->txn->store, rc, "read", err);
	rc = mdb_cursor_get(w->cursor, &k, &v, from.len ? MDB_SET_RANGE : MDB_FIRST);
	return visit(w, &k, &v, rc, err);
}

enum glt_status glt_walk(struct glt_txn *txn, enum glt_table table, struct glt_slice from, struct glt_slice prefix,
			 glt_visit *fn, void *arg, struct glt_err *err)
{
	struct walk w = {.txn = txn, .table = table, .step = MDB_NEXT, .prefix = prefix, .fn = fn, .arg = arg};

	return walk_on(&w, from.len ? from : prefix, err);
}

enum glt_status glt_walk_all(struct glt_txn *txn, enum glt_table table, struct glt_slice from, glt_visit *fn,
			     void *arg, struct glt_err *err)
{
	struct walk w = {.txn = txn, .table = table, .step = MDB_NEXT, .past_damage = true, .fn = fn, .arg = arg};

	return walk_on(&w, from, err);
}

enum glt_status glt_walk_back(struct glt_txn *txn, enum glt_table table, struct glt_slice prefix, glt_visit *fn,
			      void *arg, struct glt_err *err)
{
	uint8_t behind[GLT_KEY_TEXT_MAX];
	struct walk w = {.txn = txn, .table = table, .step = MDB_PREV, .prefix = prefix, .fn = fn, .arg = arg};
	MDB_val k, v;
	int rc = mdb_cursor_open(txn->mdb, txn->store->dbi[table], &w.cursor);

	if (rc != 0)
		return lmdb_fail(txn->store, rc, "read", err);
	if (glt_key_behind(prefix, behind, &k.mv_size)) {
		k.mv_data = behind;
		rc = mdb_cursor_get(w.cursor, &k, &v, MDB_SET_RANGE);
		rc = mdb_cursor_get(w.cursor, &k, &v, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
	} else {
		rc = mdb_cursor_get(w.cursor, &k, &v, MDB_LAST);
	}
	return visit(&w, &k, &v, rc, err);
}

uint64_t glt_count(struct glt_txn *txn, enum glt_table table)
{
	MDB_stat st;

	return txn->store->dbi[table] != NO_TABLE && mdb_stat(txn->mdb, txn->store->dbi[table], &st) == 0
		       ? st.ms_entries
		       : 0;
}

/* ---- writing ---- */

static int carry_out(struct glt_txn *txn, const struct glt_op *op)
{
	MDB_dbi dbi = txn->store->dbi[op->table];
	struct glt_slice key = {op->key, op->key_len};
	MDB_val k = mdb_of(key), v = {op->value_len, op->value};
	int rc = 0;

	switch (op->kind) {
	case GLT_PUT:
		return put_value(txn, op->table, key, (struct glt_slice){op->value, op->value_len});
	case GLT_LINK:
		rc = MDB_KEYEXIST;
		if (op->table == GLT_BY_KIND) /* many ids a key, and most come behind the last one */
			rc = mdb_put(txn->mdb, dbi, &k, &v, MDB_APPENDDUP);
		if (rc == MDB_KEYEXIST)
			rc = mdb_put(txn->mdb, dbi, &k, &v, MDB_NODUPDATA);
		return rc == MDB_KEYEXIST ? 0 : rc;
	case GLT_DEL:
		rc = mdb_del(txn->mdb, dbi, &k, NULL);
		break;
	case GLT_UNLINK:
		rc = mdb_del(txn->mdb, dbi, &k, &v);
		break;
	}
	/* A revocation must not fail because an index was damaged already; gltoken check reports that. */
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int write_all(struct glt_txn *txn, const struct glt_change *c)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->n; i++)
		rc = carry_out(txn, &c->ops[i]);
	return rc;
}

static int write_and_commit(struct glt_txn *txn, struct glt_change *c)
{
	int rc = write_all(txn, c);

	if (rc == 0) {
		rc = mdb_txn_commit(txn->mdb);
		txn->mdb = NULL;
		txn->new_table = txn->new_table && rc != 0;
	}
	abort_all(txn);
	return rc;
}

enum glt_status glt_store_stage(struct glt_txn *txn, struct glt_change *c, struct glt_err *err)
{
	int rc;

	glt_meta_finish(&txn->meta, c);
	if (c->no_memory)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the change: nothing was changed");
	txn->staged = true;
	rc = write_all(txn, c);
	return rc == 0 ? GLT_OK : lmdb_fail(txn->store, rc, "write", err);
}

enum glt_status glt_store_apply(struct glt_txn *txn, struct glt_change *c, struct glt_err *err)
{
	enum glt_status st = GLT_OK;
	int rc;

	glt_meta_finish(&txn->meta, c);
	if (c->no_memory) {
		glt_txn_end(txn);
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the change: nothing was changed");
	}
	rc = write_and_commit(txn, c);
	/* A change larger than the reserve; the gate has kept what was read true. What was staged is gone, though. */
	while (rc == MDB_MAP_FULL && !txn->staged) {
		rc = grow(txn->store, true);
		if (rc == 0)
			rc = begin_all(txn);
		if (rc == 0)
			rc = write_and_commit(txn, c);
	}
	if (rc != 0)
		st = lmdb_fail(txn->store, rc, "write", err);
	else if (txn->store->changed && c->n_events > 0)
		txn->store->changed(txn->store->changed_arg, &txn->meta.head, c->touches);
	glt_txn_end(txn);
	return st;
}

/* LMDB's own table 0: transaction -> pages that it gave up, the first number being how many. What the oldest reader's
 * transaction still sees, those behind it gave up. */
static void count_free(struct glt_txn *txn, uint64_t page, struct glt_store_stats *out)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	size_t by, n;

	if (mdb_cursor_open(txn->mdb, 0, &cursor) != 0)
		return;
	while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
		memcpy(&by, k.mv_data, sizeof(by));
		memcpy(&n, v.mv_data, sizeof(n));
		out->free_bytes += n * page;
		out->oldest.held_bytes += out->oldest.pid && by > out->oldest.txn ? n * page : 0;
	}
	mdb_cursor_close(cursor);
}

enum glt_status glt_store_stat(struct glt_txn *txn, struct glt_store_stats *out)
{
	MDB_envinfo info;
	MDB_stat stat;

	memset(out, 0, sizeof(*out));
	if (mdb_env_info(txn->store->env, &info) != 0 || mdb_env_stat(txn->store->env, &stat) != 0)
		return GLT_UNAVAILABLE;
	for (int t = 0; t < GLT_TABLES; t++)
		out->entries[t] = glt_count(txn, (enum glt_table)t);
	out->map_size = info.me_mapsize;
	out->used_bytes = (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
	out->file_bytes = glt_storefile_size(txn->store->file);
	(void)mdb_reader_check(txn->store->env, NULL); /* dead readers leave */
	(void)mdb_reader_list(txn->store->env, glt_readers_line, out);
	if (out->oldest.pid && info.me_last_txnid > out->oldest.txn)
		out->oldest.changes = info.me_last_txnid - out->oldest.txn;
	count_free(txn, stat.ms_psize, out);
	return GLT_OK;
}
