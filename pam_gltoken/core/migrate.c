/* SPDX-License-Identifier: MIT */
#include "migrate.h"

#include "event.h"
#include "meta.h"

#include <stdio.h>
#include <string.h>

#define PIECE 4096 /* entries that are held in memory at once */

struct firsts {
	struct glt_change *c;
	uint64_t last;
	size_t n;
};

static bool drop_first(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct firsts *f = arg;
	uint64_t family = glt_get_u64(key.data);

	if (glt_get_u64(value.data) != family)
		return true;
	glt_change_unlink(f->c, GLT_BY_FAMILY, key, family);
	f->last = family;
	return ++f->n < PIECE;
}

static enum glt_status drop_firsts(struct glt_txn *txn, uint64_t *changed, struct glt_err *err)
{
	struct firsts f = {.n = PIECE};
	enum glt_status st = GLT_OK;

	while (st == GLT_OK && f.n == PIECE) {
		uint8_t from[GLT_KEY_U64];

		f.n = 0;
		f.c = glt_change_new();
		if (!f.c)
			return glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
		glt_put_u64(from, f.last + 1);
		st = glt_walk(txn, GLT_BY_FAMILY, (struct glt_slice){from, sizeof(from)},
			      (struct glt_slice){NULL, 0}, drop_first, &f, err);
		if (st == GLT_OK)
			st = glt_store_stage(txn, f.c, err);
		glt_change_free(f.c);
		*changed += f.n;
	}
	return st;
}

static const struct {
	const char *what;
	enum glt_status (*run)(struct glt_txn *txn, uint64_t *changed, struct glt_err *err);
} steps[] = {
	{"the index of families without what was never rotated; audit events of half the size from now on",
	 drop_firsts},
};

_Static_assert(sizeof(steps) / sizeof(steps[0]) == GLT_MIGRATION_STEPS, "a step to each schema");

static enum glt_status raise_schema(struct glt_txn *txn, struct glt_err *err)
{
	struct glt_change *c = glt_change_new();
	enum glt_status st;

	if (!c)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");
	glt_meta_raise(&txn->meta, c);
	st = glt_store_stage(txn, c, err);
	glt_change_free(c);
	return st;
}

enum glt_status glt_migrate_in(struct glt_txn *txn, struct glt_migration *out, struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	*out = (struct glt_migration){.from = glt_schema(txn), .to = GLT_SCHEMA};
	if (out->from < 1) /* no release has made one, and there is no step from it */
		return glt_fail(err, GLT_DAMAGED, "the store is of schema 0: run gltoken restore with a backup");
	for (unsigned i = out->from - 1; st == GLT_OK && i < GLT_MIGRATION_STEPS; i++) {
		out->step[i].what = steps[i].what;
		st = steps[i].run(txn, &out->step[i].changed, err);
	}
	return st == GLT_OK && out->from < out->to ? raise_schema(txn, err) : st;
}

static enum glt_status migrate(struct glt_txn *txn, struct glt_change *c, const struct glt_head *want,
			       const char *actor, const char *backup, struct glt_migration *out,
			       struct glt_err *err)
{
	char was[24], is[24];
	struct glt_head head;
	enum glt_status st = glt_store_head(txn, &head, err);

	if (st == GLT_OK && memcmp(head.hash, want->hash, sizeof(head.hash)) != 0)
		st = glt_fail(err, GLT_BUSY, "the store was changed since the backup was made");
	if (st == GLT_OK)
		st = glt_migrate_in(txn, out, err);
	if (st != GLT_OK || out->from == out->to)
		return st;
	(void)snprintf(was, sizeof(was), "schema %u", out->from);
	(void)snprintf(is, sizeof(is), "schema %u", out->to);
	glt_event_object(c, actor, "store.migrate", backup, was, is, NULL);
	return GLT_OK;
}

enum glt_status glt_migrate(struct glt_store *store, const struct glt_head *head, const char *actor,
			    const char *backup, struct glt_migration *out, struct glt_err *err)
{
	struct glt_change *c;
	struct glt_txn *txn;
	enum glt_status st = glt_change_begin(store, &c, &txn, err);

	if (st != GLT_OK)
		return st;
	return glt_change_end(txn, c, migrate(txn, c, head, actor, backup, out, err), err);
}
