/* SPDX-License-Identifier: MIT */
#include "change.h"

#include "grow.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

struct glt_change *glt_change_new(void)
{
	return calloc(1, sizeof(struct glt_change));
}

void glt_change_clear(struct glt_change *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->ops[i].key);
	for (size_t i = 0; i < c->n_events; i++)
		glt__event__free_unpacked(c->events[i], NULL);
	c->n = c->n_events = 0;
}

void glt_change_free(struct glt_change *c)
{
	if (!c)
		return;
	glt_change_clear(c);
	free(c->ops);
	free(c->events);
	free(c);
}

void glt_change_fail(struct glt_change *c)
{
	c->no_memory = true;
}

void glt_change_public(struct glt_change *c, unsigned parts)
{
	c->touches |= parts;
}

static unsigned public_parts(enum glt_table table)
{
	if (table == GLT_USERS)
		return GLT_PUBLIC_USERS;
	return table == GLT_MEMBERS || table == GLT_NAMESPACES ? GLT_PUBLIC_GROUPS : 0;
}

static void add(struct glt_change *c, int kind, enum glt_table table, struct glt_slice key, struct glt_slice value)
{
	void *ops = c->ops;
	struct glt_op *op;

	if (c->no_memory || !glt_grow(&ops, &c->room, c->n, sizeof(*c->ops))) {
		c->no_memory = true;
		return;
	}
	c->ops = ops;
	op = &c->ops[c->n];
	memset(op, 0, sizeof(*op));
	op->key = malloc(key.len + value.len + 1);
	if (!op->key) {
		c->no_memory = true;
		return;
	}
	c->n++;
	c->touches |= public_parts(table);
	op->kind = kind;
	op->table = table;
	op->key_len = key.len;
	op->value = op->key + key.len;
	op->value_len = value.len;
	if (key.len)
		memcpy(op->key, key.data, key.len);
	if (value.len)
		memcpy(op->value, value.data, value.len);
}

void glt_change_put(struct glt_change *c, enum glt_table table, struct glt_slice key, struct glt_slice value)
{
	add(c, GLT_PUT, table, key, value);
}

void glt_change_del(struct glt_change *c, enum glt_table table, struct glt_slice key)
{
	add(c, GLT_DEL, table, key, (struct glt_slice){NULL, 0});
}

static void add_id(struct glt_change *c, int kind, enum glt_table table, struct glt_slice key, uint64_t id)
{
	uint8_t bytes[GLT_KEY_U64];

	glt_put_u64(bytes, id);
	add(c, kind, table, key, (struct glt_slice){bytes, sizeof(bytes)});
}

void glt_change_link(struct glt_change *c, enum glt_table table, struct glt_slice key, uint64_t id)
{
	add_id(c, GLT_LINK, table, key, id);
}

void glt_change_unlink(struct glt_change *c, enum glt_table table, struct glt_slice key, uint64_t id)
{
	add_id(c, GLT_UNLINK, table, key, id);
}

/* Deep copy by way of the wire: protobuf-c has no other. */
static Glt__Event *copy_event(const Glt__Event *ev)
{
	size_t len = glt__event__get_packed_size(ev);
	uint8_t *bytes = malloc(len ? len : 1);
	Glt__Event *copy = NULL;

	if (bytes) {
		(void)glt__event__pack(ev, bytes);
		copy = glt__event__unpack(NULL, len, bytes);
		free(bytes);
	}
	return copy;
}

void glt_change_event(struct glt_change *c, const Glt__Event *ev)
{
	void *events = c->events;
	Glt__Event *copy = NULL;

	if (!c->no_memory && glt_grow(&events, &c->events_room, c->n_events, sizeof(*c->events))) {
		c->events = events;
		copy = copy_event(ev);
	}
	if (copy)
		c->events[c->n_events++] = copy;
	else
		c->no_memory = true;
}

void glt_put_u64(uint8_t out[GLT_KEY_U64], uint64_t v)
{
	for (int i = 0; i < GLT_KEY_U64; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

uint64_t glt_get_u64(const void *in)
{
	const uint8_t *p = in;
	uint64_t v = 0;

	for (int i = 0; i < GLT_KEY_U64; i++)
		v = v << 8 | p[i];
	return v;
}

struct glt_slice glt_slice_str(const char *s)
{
	return (struct glt_slice){s, strlen(s)};
}

enum glt_status glt_change_begin(struct glt_store *store, struct glt_change **c, struct glt_txn **txn,
				 struct glt_err *err)
{
	enum glt_status st;

	*c = glt_change_new();
	st = *c ? glt_txn_begin(store, true, txn, err) : glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
	if (st != GLT_OK) {
		glt_change_free(*c);
		*c = NULL;
	}
	return st;
}

enum glt_status glt_change_end(struct glt_txn *txn, struct glt_change *c, enum glt_status st, struct glt_err *err)
{
	if (st == GLT_OK)
		st = glt_store_apply(txn, c, err);
	else
		glt_txn_end(txn);
	glt_change_free(c);
	return st;
}
