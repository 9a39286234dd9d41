/* SPDX-License-Identifier: MIT */
#include "meta.h"

#include "change.h"
#include "event.h"
#include "when.h"

#include <endian.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINK_LEN (GLT_KEY_U64 + sizeof(uint32_t)) /* number of the last event, link of the next one */

static const struct {
	const char *name;
	bool many;
} tables[GLT_TABLES] = {
	[GLT_TOKENS] = {"tokens", false},      [GLT_BY_SELECTOR] = {"by_selector", false},
	[GLT_BY_OWNER] = {"by_owner", true},   [GLT_BY_PATH] = {"by_path", true},
	[GLT_BY_EXPIRY] = {"by_expiry", true}, [GLT_BY_KIND] = {"by_kind", true},
	[GLT_BY_FAMILY] = {"by_family", true}, [GLT_NAMESPACES] = {"namespaces", false},
	[GLT_MEMBERS] = {"members", false},    [GLT_USERS] = {"users", false},
	[GLT_KEYS] = {"keys", false},          [GLT_KEY_IDS] = {"key_ids", false},
	[GLT_KEYS_OF] = {"keys_of", true},     [GLT_PROTECTIONS] = {"protections", false},
	[GLT_AUDIT] = {"audit", false},        [GLT_META] = {"meta", false},
};

static const char *const counters[GLT_COUNTERS] = {
	[GLT_NEXT_ID] = "id",
	[GLT_NEXT_GENERATION] = "generation",
	[GLT_NEXT_ACCOUNT] = "account",
};

const char *glt_table_name(enum glt_table table)
{
	return tables[table].name;
}

bool glt_table_is_many(enum glt_table table)
{
	return tables[table].many;
}

static enum glt_status get_bytes(struct glt_txn *txn, const char *name, void *out, size_t len, struct glt_err *err)
{
	struct glt_slice v = {NULL, 0};
	enum glt_status st = glt_get(txn, GLT_META, glt_slice_str(name), &v, err);

	if (st == GLT_NOT_FOUND || (st == GLT_OK && v.len != len))
		return glt_fail(err, GLT_DAMAGED, "the store has no %s: run gltoken check, then gltoken restore",
				name);
	if (st == GLT_OK)
		memcpy(out, v.data, len);
	return st;
}

static enum glt_status get_u64(struct glt_txn *txn, const char *name, uint64_t *out, struct glt_err *err)
{
	uint8_t bytes[GLT_KEY_U64] = {0};
	enum glt_status st = get_bytes(txn, name, bytes, sizeof(bytes), err);

	if (st == GLT_OK)
		*out = glt_get_u64(bytes);
	return st;
}

static void put_bytes(struct glt_change *c, const char *name, const void *bytes, size_t len)
{
	glt_change_put(c, GLT_META, glt_slice_str(name), (struct glt_slice){bytes, len});
}

static void put_u64(struct glt_change *c, const char *name, uint64_t v)
{
	uint8_t bytes[GLT_KEY_U64];

	glt_put_u64(bytes, v);
	put_bytes(c, name, bytes, sizeof(bytes));
}

enum glt_status glt_store_epoch(struct glt_txn *txn, uint8_t out[GLT_EPOCH_LEN], struct glt_err *err)
{
	return get_bytes(txn, "epoch", out, GLT_EPOCH_LEN, err);
}

void glt_change_epoch(struct glt_change *c)
{
	uint8_t epoch[GLT_EPOCH_LEN];

	randombytes_buf(epoch, sizeof(epoch));
	put_bytes(c, "epoch", epoch, sizeof(epoch));
}

enum glt_status glt_store_head(struct glt_txn *txn, struct glt_head *out, struct glt_err *err)
{
	uint8_t link[LINK_LEN];
	enum glt_status st = get_u64(txn, "seq", &out->seq, err);

	if (st == GLT_OK)
		st = get_bytes(txn, "head", out->hash, sizeof(out->hash), err);
	if (st != GLT_OK)
		return st;
	/* An earlier version that wrote the last event left no link of it, and its hash is of its bytes alone. */
	if (get_bytes(txn, "link", link, sizeof(link), NULL) == GLT_OK && glt_get_u64(link) == out->seq)
		memcpy(&out->link, link + GLT_KEY_U64, sizeof(out->link));
	else
		memcpy(&out->link, out->hash, sizeof(out->link));
	out->link = le32toh(out->link);
	return GLT_OK;
}

enum glt_status glt_store_new(const char *dir, struct glt_store **out, struct glt_err *err)
{
	struct glt_store *s;

	if (strlen(dir) >= sizeof(s->dir))
		return glt_fail(err, GLT_INVALID, "store path is over %zu bytes", sizeof(s->dir) - 1);
	s = sodium_init() < 0 ? NULL : calloc(1, sizeof(*s));
	if (!s)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory or no randomness");
	strcpy(s->dir, dir);
	(void)snprintf(s->file, sizeof(s->file), "%s/store.mdb", dir);
	*out = s;
	return GLT_OK;
}

void glt_meta_raise(struct glt_meta *m, struct glt_change *c)
{
	m->schema = GLT_SCHEMA;
	put_u64(c, "schema", GLT_SCHEMA);
	put_u64(c, "min_reader", GLT_SCHEMA);
	put_bytes(c, "made_by", PACKAGE_VERSION, strlen(PACKAGE_VERSION)); /* for who cannot read it */
}

void glt_meta_new(struct glt_txn *txn, struct glt_change *c)
{
	glt_meta_raise(&txn->meta, c);
	glt_change_kinds(txn);
	glt_change_epoch(c);
}

static enum glt_status too_new(struct glt_txn *txn, uint64_t schema, struct glt_err *err)
{
	struct glt_slice v = {NULL, 0};
	char made_by[32] = "a newer gltoken";

	if (glt_get(txn, GLT_META, glt_slice_str("made_by"), &v, NULL) == GLT_OK)
		(void)snprintf(made_by, sizeof(made_by), "gltoken %.*s", v.len < 20 ? (int)v.len : 20,
			       (const char *)v.data);
	return glt_fail(err, GLT_UNAVAILABLE,
			"the store is of schema %llu, as %s writes it; this is gltoken " PACKAGE_VERSION
			", which reads up to schema %u: install the newer version again, or restore the backup "
			"that its 'gltoken migrate' made",
			(unsigned long long)schema, made_by, GLT_SCHEMA);
}

enum glt_status glt_meta_schema(struct glt_txn *txn, uint64_t *out, struct glt_err *err)
{
	uint64_t schema = 0, min_reader = 0;
	enum glt_status st = get_u64(txn, "schema", &schema, err);

	if (st == GLT_OK)
		st = get_u64(txn, "min_reader", &min_reader, err);
	if (st == GLT_OK && min_reader > GLT_SCHEMA)
		return too_new(txn, schema, err);
	/* A newer version may say that what it added does no harm to this one. */
	*out = schema < GLT_SCHEMA ? schema : GLT_SCHEMA;
	return st;
}

unsigned glt_schema(struct glt_txn *txn)
{
	if (txn->meta.schema == 0) /* a reader; that it can be read was seen when the store was opened */
		(void)glt_meta_schema(txn, &txn->meta.schema, NULL);
	return (unsigned)txn->meta.schema;
}

enum glt_status glt_meta_load(struct glt_txn *txn, struct glt_meta *m, struct glt_err *err)
{
	enum glt_status st = glt_meta_schema(txn, &m->schema, err);

	if (st == GLT_OK)
		st = glt_store_head(txn, &m->head, err);
	for (int i = 0; st == GLT_OK && i < GLT_COUNTERS; i++)
		st = get_u64(txn, counters[i], &m->counter[i], err);
	m->kinds = st == GLT_OK && glt_kinds_known(txn);
	return st;
}

/* An earlier version that changes a token draws a generation, and knows nothing of the index. */
bool glt_kinds_known(struct glt_txn *txn)
{
	uint64_t then, now;

	return get_u64(txn, "kinds", &then, NULL) == GLT_OK &&
	       get_u64(txn, counters[GLT_NEXT_GENERATION], &now, NULL) == GLT_OK && then == now;
}

void glt_change_kinds(struct glt_txn *txn)
{
	txn->meta.kinds = true;
}

static void chain(struct glt_meta *m, struct glt_change *c, Glt__Event *ev)
{
	uint8_t key[GLT_KEY_U64], *bytes;
	size_t len;

	ev->seq = m->head.seq + 1;
	if (ev->at == 0)
		ev->at = glt_now();
	if (m->schema >= 2) {
		ev->link = m->head.link;
		ev->phrases = 1;
	} else {
		ev->previous = (ProtobufCBinaryData){sizeof(m->head.hash), m->head.hash};
	}
	bytes = glt_event_write(ev, &len);
	if (bytes) {
		glt_put_u64(key, ev->seq);
		glt_change_put(c, GLT_AUDIT, (struct glt_slice){key, sizeof(key)}, (struct glt_slice){bytes, len});
		glt_head_advance(&m->head, ev, (struct glt_slice){bytes, len});
		free(bytes);
	} else {
		glt_change_fail(c);
	}
	ev->previous = (ProtobufCBinaryData){0, NULL}; /* lent, not owned */
}

static void put_link(struct glt_change *c, const struct glt_head *head)
{
	const uint32_t little = htole32(head->link);
	uint8_t link[LINK_LEN];

	glt_put_u64(link, head->seq);
	memcpy(link + GLT_KEY_U64, &little, sizeof(little));
	put_bytes(c, "link", link, sizeof(link));
}

void glt_meta_finish(struct glt_meta *m, struct glt_change *c)
{
	for (size_t i = 0; i < c->n_events; i++)
		chain(m, c, c->events[i]);
	for (int i = 0; i < GLT_COUNTERS; i++)
		put_u64(c, counters[i], m->counter[i]);
	if (m->kinds)
		put_u64(c, "kinds", m->counter[GLT_NEXT_GENERATION]);
	put_u64(c, "seq", m->head.seq);
	put_bytes(c, "head", m->head.hash, sizeof(m->head.hash));
	if (m->schema >= 2)
		put_link(c, &m->head);
}

uint64_t glt_next(struct glt_txn *txn, enum glt_counter counter)
{
	return ++txn->meta.counter[counter];
}

uint64_t glt_counter(struct glt_txn *txn, enum glt_counter counter)
{
	return txn->meta.counter[counter];
}

void glt_skip(struct glt_txn *txn, enum glt_counter counter, uint64_t n)
{
	txn->meta.counter[counter] += n;
}

void glt_chain_from(struct glt_txn *txn, const struct glt_head *head)
{
	txn->meta.head = *head;
}

const uint8_t *glt_store_key(const struct glt_store *s)
{
	return s->key;
}

void glt_store_watch(struct glt_store *s, glt_changed *fn, void *arg)
{
	s->changed = fn;
	s->changed_arg = arg;
}
