/* SPDX-License-Identifier: MIT */
#include "store.h"

#include "change.h"
#include "storefile.h"
#include "value.h"
#include "when.h"

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
#define EVENT_HASH 32
#define MAX_READERS 1024

struct glt_store {
	char dir[256];
	MDB_env *env;
	MDB_dbi dbi[GLT_TABLES];
	uint8_t key[32];
};

struct glt_txn {
	struct glt_store *store;
	MDB_txn *mdb;
	int gate; /* lock of the writers, -1 for readers */
	uint64_t counter[GLT_COUNTERS], seq;
	uint8_t head[EVENT_HASH];
};

static const struct {
	const char *name;
	unsigned flags;
} tables[GLT_TABLES] = {
	[GLT_TOKENS] = {"tokens", 0},
	[GLT_BY_SELECTOR] = {"by_selector", 0},
	[GLT_BY_OWNER] = {"by_owner", MDB_DUPSORT | MDB_DUPFIXED},
	[GLT_BY_PATH] = {"by_path", MDB_DUPSORT | MDB_DUPFIXED},
	[GLT_BY_EXPIRY] = {"by_expiry", MDB_DUPSORT | MDB_DUPFIXED},
	[GLT_BY_FAMILY] = {"by_family", MDB_DUPSORT | MDB_DUPFIXED},
	[GLT_NAMESPACES] = {"namespaces", 0},
	[GLT_MEMBERS] = {"members", 0},
	[GLT_USERS] = {"users", 0},
	[GLT_KEYS] = {"keys", 0},
	[GLT_KEY_IDS] = {"key_ids", 0},
	[GLT_KEYS_OF] = {"keys_of", MDB_DUPSORT | MDB_DUPFIXED},
	[GLT_PROTECTIONS] = {"protections", 0},
	[GLT_AUDIT] = {"audit", 0},
	[GLT_META] = {"meta", 0},
};

static const char *const counters[GLT_COUNTERS] = {
	[GLT_NEXT_ID] = "id",
	[GLT_NEXT_GENERATION] = "generation",
	[GLT_NEXT_ACCOUNT] = "account",
};

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
	union {
		const void *in;
		void *out;
	} u = {.in = s.data};

	return (MDB_val){s.len, u.out};
}

static bool is_many(enum glt_table table)
{
	return (tables[table].flags & MDB_DUPSORT) != 0;
}

/* Check and strip the checksum. */
static enum glt_status open_value(enum glt_table table, const MDB_val *k, const MDB_val *v, struct glt_slice *out,
				  struct glt_err *err)
{
	*out = (struct glt_slice){v->mv_data, v->mv_size};
	if (is_many(table)) {
		if (v->mv_size != GLT_KEY_U64)
			return glt_fail(err, GLT_DAMAGED, "table %s: an index entry is damaged",
					tables[table].name);
		return GLT_OK;
	}
	if (!glt_value_open(table, (struct glt_slice){k->mv_data, k->mv_size}, out))
		return glt_fail(err, GLT_DAMAGED,
				"table %s: a value fails its checksum: run gltoken check, then gltoken restore",
				tables[table].name);
	return GLT_OK;
}

/* ---- open and close ---- */

static enum glt_status new_store(const char *dir, struct glt_store **out, struct glt_err *err)
{
	struct glt_store *s;

	if (strlen(dir) >= sizeof(s->dir))
		return glt_fail(err, GLT_INVALID, "store path is over %zu bytes", sizeof(s->dir) - 1);
	s = sodium_init() < 0 ? NULL : calloc(1, sizeof(*s));
	if (!s)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory or no randomness");
	strcpy(s->dir, dir);
	*out = s;
	return GLT_OK;
}

static enum glt_status open_tables(struct glt_store *s, MDB_txn *txn, unsigned flags, struct glt_err *err)
{
	for (int t = 0; t < GLT_TABLES; t++) {
		int rc = mdb_dbi_open(txn, tables[t].name, tables[t].flags | flags, &s->dbi[t]);

		if (rc != 0)
			return rc == MDB_NOTFOUND ? lmdb_fail(s, MDB_INVALID, tables[t].name, err)
						  : lmdb_fail(s, rc, tables[t].name, err);
	}
	return GLT_OK;
}

static enum glt_status open_env(struct glt_store *s, unsigned flags, struct glt_err *err)
{
	char path[300];
	uint64_t size = glt_storefile_size(s->dir);
	int fd, rc = mdb_env_create(&s->env);

	(void)snprintf(path, sizeof(path), "%s/store.mdb", s->dir);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(s->env, GLT_TABLES);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(s->env, MAX_READERS);
	if (rc == 0)
		rc = mdb_env_set_mapsize(s->env, MAP_MIN + 2 * ((size + MAP_MIN - 1) / MAP_MIN) * MAP_MIN);
	if (rc == 0)
		rc = mdb_env_open(s->env, path, MDB_NOSUBDIR | MDB_NOTLS | flags, 0600);
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
	return rc;
}

static enum glt_status get_u64(struct glt_txn *txn, const char *name, uint64_t *out, struct glt_err *err)
{
	struct glt_slice v = {NULL, 0};
	enum glt_status st = glt_get(txn, GLT_META, glt_slice_str(name), &v, err);

	if (st == GLT_NOT_FOUND || (st == GLT_OK && v.len != GLT_KEY_U64))
		return glt_fail(err, GLT_DAMAGED, "store %s has no %s: run gltoken check, then gltoken restore",
				txn->store->dir, name);
	if (st == GLT_OK)
		*out = glt_get_u64(v.data);
	return st;
}

static int put_value(struct glt_txn *txn, enum glt_table table, struct glt_slice key, struct glt_slice value)
{
	MDB_val mk = mdb_of(key), mv = {value.len + GLT_CHECKSUM, NULL};
	int rc = mdb_put(txn->mdb, txn->store->dbi[table], &mk, &mv, MDB_RESERVE);

	if (rc != 0)
		return rc;
	glt_value_seal(table, key, value, mv.mv_data);
	return 0;
}

static int put_u64(struct glt_txn *txn, const char *name, uint64_t v)
{
	uint8_t bytes[GLT_KEY_U64];

	glt_put_u64(bytes, v);
	return put_value(txn, GLT_META, glt_slice_str(name), (struct glt_slice){bytes, sizeof(bytes)});
}

/* What a new store holds; the counters and the head of the audit chain are written with every change. */
static enum glt_status fill_empty(struct glt_txn *txn, struct glt_err *err)
{
	struct glt_change *c = glt_change_new();
	uint8_t epoch[16], schema[GLT_KEY_U64];
	const struct glt_slice version = {schema, sizeof(schema)};
	enum glt_status st;

	if (!c) {
		glt_txn_end(txn);
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
	}
	randombytes_buf(epoch, sizeof(epoch));
	glt_put_u64(schema, GLT_SCHEMA);
	glt_change_put(c, GLT_META, glt_slice_str("schema"), version);
	glt_change_put(c, GLT_META, glt_slice_str("min_reader"), version);
	glt_change_put(c, GLT_META, glt_slice_str("epoch"), (struct glt_slice){epoch, sizeof(epoch)});
	st = glt_store_apply(txn, c, err);
	glt_change_free(c);
	return st;
}

static enum glt_status create(struct glt_store *s, struct glt_err *err)
{
	struct glt_txn *txn = calloc(1, sizeof(*txn));
	enum glt_status st = txn ? open_env(s, 0, err) : glt_fail(err, GLT_UNAVAILABLE, "no memory");
	int rc;

	if (st != GLT_OK) {
		free(txn);
		return st;
	}
	txn->store = s;
	txn->gate = -1;
	rc = begin(s, 0, &txn->mdb);
	if (rc != 0) {
		free(txn);
		return lmdb_fail(s, rc, "begin", err);
	}
	st = open_tables(s, txn->mdb, MDB_CREATE, err);
	if (st == GLT_OK)
		return fill_empty(txn, err);
	glt_txn_end(txn);
	return st;
}

enum glt_status glt_store_create(const char *dir, struct glt_err *err)
{
	struct glt_store *s = NULL;
	enum glt_status st = new_store(dir, &s, err);

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

static enum glt_status check_schema(struct glt_txn *txn, struct glt_err *err)
{
	uint64_t schema = 0, min_reader = 0;
	enum glt_status st = get_u64(txn, "schema", &schema, err);

	if (st == GLT_OK)
		st = get_u64(txn, "min_reader", &min_reader, err);
	if (st == GLT_OK && min_reader > GLT_SCHEMA)
		return glt_fail(
			err, GLT_UNAVAILABLE,
			"store %s was written by a newer gltoken (schema %llu, this one reads up to %u): install "
			"that version again",
			txn->store->dir, (unsigned long long)schema, GLT_SCHEMA);
	return st;
}

static enum glt_status open_checked(struct glt_store *s, bool write, struct glt_err *err)
{
	struct glt_txn txn = {.store = s, .gate = -1};
	enum glt_status st = glt_storefile_check(s->dir, err);
	int rc;

	if (st == GLT_OK)
		st = glt_storefile_read_key(s->dir, s->key, err);
	if (st == GLT_OK)
		st = open_env(s, write ? 0 : MDB_RDONLY, err);
	if (st != GLT_OK)
		return st;
	rc = begin(s, MDB_RDONLY, &txn.mdb);
	if (rc != 0)
		return lmdb_fail(s, rc, "begin", err);
	st = open_tables(s, txn.mdb, 0, err);
	if (st == GLT_OK)
		st = check_schema(&txn, err);
	/* Committing a reader keeps the table handles; aborting would close them. */
	rc = mdb_txn_commit(txn.mdb);
	return st == GLT_OK && rc != 0 ? lmdb_fail(s, rc, "open", err) : st;
}

enum glt_status glt_store_open(const char *dir, bool write, struct glt_store **out, struct glt_err *err)
{
	struct glt_store *s = NULL;
	enum glt_status st = new_store(dir, &s, err);

	*out = NULL;
	if (st == GLT_OK)
		st = open_checked(s, write, err);
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

const uint8_t *glt_store_key(const struct glt_store *s)
{
	return s->key;
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

static enum glt_status load_counters(struct glt_txn *txn, struct glt_err *err)
{
	struct glt_slice head = {NULL, 0};
	enum glt_status st = get_u64(txn, "seq", &txn->seq, err);

	for (int i = 0; st == GLT_OK && i < GLT_COUNTERS; i++)
		st = get_u64(txn, counters[i], &txn->counter[i], err);
	if (st == GLT_OK)
		st = glt_get(txn, GLT_META, glt_slice_str("head"), &head, err);
	if (st == GLT_OK && head.len == EVENT_HASH)
		memcpy(txn->head, head.data, EVENT_HASH);
	return st;
}

static enum glt_status begin_write(struct glt_store *s, struct glt_txn *txn, struct glt_err *err)
{
	enum glt_status st = glt_storefile_gate(s->dir, &txn->gate, err);
	int rc, dead;

	if (st != GLT_OK)
		return st;
	(void)mdb_reader_check(s->env, &dead);
	rc = grow(s, false); /* so that hardly any change meets MDB_MAP_FULL */
	if (rc == 0)
		rc = begin(s, 0, &txn->mdb);
	if (rc != 0) {
		txn->mdb = NULL;
		return lmdb_fail(s, rc, "begin", err);
	}
	return load_counters(txn, err);
}

enum glt_status glt_txn_begin(struct glt_store *s, bool write, struct glt_txn **out, struct glt_err *err)
{
	struct glt_txn *txn = calloc(1, sizeof(*txn));
	enum glt_status st = GLT_OK;

	*out = NULL;
	if (!txn)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for a transaction");
	txn->store = s;
	txn->gate = -1;
	if (write) {
		st = begin_write(s, txn, err);
	} else {
		int rc = begin(s, MDB_RDONLY, &txn->mdb);

		if (rc != 0) {
			txn->mdb = NULL;
			st = lmdb_fail(s, rc, "begin", err);
		}
	}
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
	if (txn->mdb)
		mdb_txn_abort(txn->mdb);
	if (txn->gate >= 0)
		(void)close(txn->gate);
	free(txn);
}

enum glt_status glt_store_epoch(struct glt_txn *txn, uint8_t out[16], struct glt_err *err)
{
	struct glt_slice v;
	enum glt_status st = glt_get(txn, GLT_META, glt_slice_str("epoch"), &v, err);

	if (st == GLT_NOT_FOUND || (st == GLT_OK && v.len != 16))
		return glt_fail(err, GLT_DAMAGED, "store %s has no epoch", txn->store->dir);
	if (st == GLT_OK)
		memcpy(out, v.data, 16);
	return st;
}

uint64_t glt_next(struct glt_txn *txn, enum glt_counter counter)
{
	return ++txn->counter[counter];
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

/* Call fn for each entry from the cursor's place on; step is MDB_NEXT or MDB_PREV. */
static enum glt_status visit(struct glt_txn *txn, enum glt_table table, MDB_cursor *cursor, MDB_val *k, MDB_val *v,
			     int rc, MDB_cursor_op step, struct glt_slice prefix, glt_visit *fn, void *arg,
			     struct glt_err *err)
{
	while (rc == 0 && begins(k, prefix)) {
		struct glt_slice value;
		enum glt_status st = open_value(table, k, v, &value, err);

		if (st != GLT_OK)
			return st;
		if (!fn(arg, (struct glt_slice){k->mv_data, k->mv_size}, value))
			return GLT_OK;
		rc = mdb_cursor_get(cursor, k, v, step);
	}
	return rc == 0 || rc == MDB_NOTFOUND ? GLT_OK : lmdb_fail(txn->store, rc, "read", err);
}

enum glt_status glt_walk(struct glt_txn *txn, enum glt_table table, struct glt_slice from, struct glt_slice prefix,
			 glt_visit *fn, void *arg, struct glt_err *err)
{
	MDB_cursor *cursor;
	MDB_val k = mdb_of(from.len ? from : prefix), v;
	enum glt_status st;
	int rc = mdb_cursor_open(txn->mdb, txn->store->dbi[table], &cursor);

	if (rc != 0)
		return lmdb_fail(txn->store, rc, "read", err);
	rc = mdb_cursor_get(cursor, &k, &v, k.mv_size ? MDB_SET_RANGE : MDB_FIRST);
	st = visit(txn, table, cursor, &k, &v, rc, MDB_NEXT, prefix, fn, arg, err);
	mdb_cursor_close(cursor);
	return st;
}

enum glt_status glt_walk_all(struct glt_txn *txn, enum glt_table table, struct glt_slice from, glt_visit *fn,
			     void *arg, struct glt_err *err)
{
	MDB_cursor *cursor;
	MDB_val k = mdb_of(from), v;
	int rc = mdb_cursor_open(txn->mdb, txn->store->dbi[table], &cursor);

	if (rc != 0)
		return lmdb_fail(txn->store, rc, "read", err);
	rc = mdb_cursor_get(cursor, &k, &v, from.len ? MDB_SET_RANGE : MDB_FIRST);
	while (rc == 0) {
		struct glt_slice value;

		if (open_value(table, &k, &v, &value, NULL) != GLT_OK)
			value = (struct glt_slice){NULL, 0};
		if (!fn(arg, (struct glt_slice){k.mv_data, k.mv_size}, value))
			break;
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	return rc == 0 || rc == MDB_NOTFOUND ? GLT_OK : lmdb_fail(txn->store, rc, "read", err);
}

enum glt_status glt_walk_back(struct glt_txn *txn, enum glt_table table, struct glt_slice prefix, glt_visit *fn,
			      void *arg, struct glt_err *err)
{
	uint8_t behind[GLT_KEY_TEXT_MAX];
	MDB_cursor *cursor;
	MDB_val k, v;
	enum glt_status st;
	int rc = mdb_cursor_open(txn->mdb, txn->store->dbi[table], &cursor);

	if (rc != 0)
		return lmdb_fail(txn->store, rc, "read", err);
	if (glt_key_behind(prefix, behind, &k.mv_size)) {
		k.mv_data = behind;
		rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
		rc = mdb_cursor_get(cursor, &k, &v, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
	} else {
		rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
	}
	st = visit(txn, table, cursor, &k, &v, rc, MDB_PREV, prefix, fn, arg, err);
	mdb_cursor_close(cursor);
	return st;
}

uint64_t glt_count(struct glt_txn *txn, enum glt_table table)
{
	MDB_stat st;

	return mdb_stat(txn->mdb, txn->store->dbi[table], &st) == 0 ? st.ms_entries : 0;
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

static int write_event(struct glt_txn *txn, Glt__Event *ev)
{
	uint8_t key[GLT_KEY_U64], *bytes;
	size_t len;
	int rc;

	ev->seq = ++txn->seq;
	if (ev->at == 0)
		ev->at = glt_now();
	ev->previous = (ProtobufCBinaryData){EVENT_HASH, txn->head};
	len = glt__event__get_packed_size(ev);
	bytes = malloc(len);
	if (bytes) {
		(void)glt__event__pack(ev, bytes);
		glt_put_u64(key, ev->seq);
		rc = put_value(txn, GLT_AUDIT, (struct glt_slice){key, sizeof(key)},
			       (struct glt_slice){bytes, len});
		(void)crypto_generichash(txn->head, EVENT_HASH, bytes, len, NULL, 0);
		free(bytes);
	} else {
		rc = ENOMEM;
	}
	ev->previous = (ProtobufCBinaryData){0, NULL}; /* lent, not owned */
	return rc;
}

static int write_all(struct glt_txn *txn, struct glt_change *c)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->n; i++)
		rc = carry_out(txn, &c->ops[i]);
	for (size_t i = 0; rc == 0 && i < c->n_events; i++)
		rc = write_event(txn, c->events[i]);
	for (int i = 0; rc == 0 && i < GLT_COUNTERS; i++)
		rc = put_u64(txn, counters[i], txn->counter[i]);
	if (rc == 0)
		rc = put_u64(txn, "seq", txn->seq);
	if (rc == 0)
		rc = put_value(txn, GLT_META, glt_slice_str("head"), (struct glt_slice){txn->head, EVENT_HASH});
	return rc;
}

static int write_and_commit(struct glt_txn *txn, struct glt_change *c)
{
	int rc = write_all(txn, c);

	if (rc == 0)
		rc = mdb_txn_commit(txn->mdb);
	else
		mdb_txn_abort(txn->mdb);
	txn->mdb = NULL;
	return rc;
}

enum glt_status glt_store_apply(struct glt_txn *txn, struct glt_change *c, struct glt_err *err)
{
	const uint64_t seq = txn->seq;
	uint8_t head[EVENT_HASH];
	enum glt_status st = GLT_OK;
	int rc;

	if (c->no_memory) {
		glt_txn_end(txn);
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the change: nothing was changed");
	}
	memcpy(head, txn->head, sizeof(head));
	rc = write_and_commit(txn, c);
	while (rc == MDB_MAP_FULL) { /* a change larger than the reserve; the gate has kept what was read true */
		txn->seq = seq;
		memcpy(txn->head, head, sizeof(head));
		rc = grow(txn->store, true);
		if (rc == 0)
			rc = begin(txn->store, 0, &txn->mdb);
		if (rc == 0)
			rc = write_and_commit(txn, c);
	}
	if (rc != 0)
		st = lmdb_fail(txn->store, rc, "write", err);
	glt_txn_end(txn);
	return st;
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
	out->file_bytes = glt_storefile_size(txn->store->dir);
	out->readers = info.me_numreaders;
	return GLT_OK;
}
