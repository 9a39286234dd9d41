/* SPDX-License-Identifier: MIT */
#include "checks.h"

#include "cli.h"
#include "kinds.h"
#include "people.h"
#include "progress.h"
#include "role.h"
#include "tokens.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ids {
	uint64_t *id;
	size_t n, room;
};

/* One walk over one table. */
struct walk {
	struct glt_checks *out;
	struct glt_txn *txn;
	enum glt_table table;
	struct ids seen;
	struct glt_progress *progress;
	uint64_t *done; /* entries of all tables */
};

static void __attribute__((format(printf, 3, 4)))
problem(struct glt_checks *c, enum glt_table table, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	char *line;

	if (c->total++ >= GLT_PROBLEMS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (asprintf(&line, "%s: %s", glt_table_name(table), text) < 0)
		return;
	c->problem = glt_cli_alloc(c->problem, c->n + 1, sizeof(*c->problem));
	c->problem[c->n++] = line;
}

static void count_one(const struct walk *w)
{
	w->out->entries[w->table]++;
	glt_progress_show(w->progress, ++*w->done);
}

/* A key as text for a message: numbers as such, NUL between two parts as a blank. */
struct key_text {
	char text[96];
};

static const char *show(struct key_text *out, enum glt_table table, struct glt_slice key)
{
	const bool number = table == GLT_TOKENS || table == GLT_AUDIT || table == GLT_KEY_IDS ||
			    table == GLT_BY_EXPIRY || table == GLT_BY_FAMILY;
	const unsigned char *p = key.data;
	size_t n = key.len < sizeof(out->text) ? key.len : sizeof(out->text) - 1;

	if (number && key.len == GLT_KEY_U64) {
		(void)snprintf(out->text, sizeof(out->text), "%" PRIu64, glt_get_u64(key.data));
		return out->text;
	}
	if (table == GLT_BY_KIND && key.len == GLT_KIND_LEN) {
		(void)snprintf(out->text, sizeof(out->text), "type %u, flags %u, scopes %" PRIu64, p[0], p[1],
			       glt_get_u64(p + 2));
		return out->text;
	}
	if (table == GLT_KEYS && key.len == GLT_FINGERPRINT_LEN) {
		glt_pubkey_fingerprint_text(key.data, out->text);
		return out->text;
	}
	for (size_t i = 0; i < n; i++) {
		if (p[i] >= 0x20 && p[i] < 0x7f)
			out->text[i] = (char)p[i];
		else
			out->text[i] = p[i] == 0 ? ' ' : '?';
	}
	out->text[n] = '\0';
	return out->text;
}

static bool is_str(struct glt_slice key, const char *s)
{
	return key.len == strlen(s) && memcmp(key.data, s, key.len) == 0;
}

static bool is_u64(struct glt_slice key, uint64_t v)
{
	return key.len == GLT_KEY_U64 && glt_get_u64(key.data) == v;
}

static bool is_pair(struct glt_slice key, const char *first, const char *second)
{
	size_t n = strlen(first);

	return key.len == n + 1 + strlen(second) && memcmp(key.data, first, n + 1) == 0 &&
	       memcmp((const char *)key.data + n + 1, second, strlen(second)) == 0;
}

static void note(struct ids *ids, uint64_t id)
{
	if (ids->n == ids->room) {
		ids->room = ids->room ? ids->room * 2 : 1024;
		ids->id = glt_cli_alloc(ids->id, ids->room, sizeof(*ids->id));
	}
	ids->id[ids->n++] = id;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static bool has(const struct ids *ids, uint64_t id)
{
	return ids->n > 0 && bsearch(&id, ids->id, ids->n, sizeof(id), by_number) != NULL;
}

static void *unpack(const ProtobufCMessageDescriptor *type, struct glt_slice v)
{
	return protobuf_c_message_unpack(type, NULL, v.len, v.data);
}

static void drop(void *m)
{
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
}

/* ---- records ---- */

static void check_token(struct walk *w, struct glt_slice key, const Glt__Token *t)
{
	if (!is_u64(key, t->id))
		problem(w->out, w->table, "the record under %" PRIu64 " says that it is %" PRIu64,
			key.len == GLT_KEY_U64 ? glt_get_u64(key.data) : 0, t->id);
	else if (t->state != GLT__STATE__LIVE && t->state != GLT__STATE__REVOKED)
		problem(w->out, w->table, "%" PRIu64 " has no state: it is denied", t->id);
	else if (t->type < GLT__TYPE__PERSONAL || t->type > GLT__TYPE__DEPLOY)
		problem(w->out, w->table, "%" PRIu64 " has no type: it is denied", t->id);
	else
		note(&w->seen, t->id);
}

static void check_key(struct walk *w, struct glt_slice key, const Glt__Key *k)
{
	uint8_t fp[GLT_FINGERPRINT_LEN];
	struct key_text text;

	glt_pubkey_fingerprint(k->blob.data, k->blob.len, fp);
	if (key.len != sizeof(fp) || memcmp(key.data, fp, sizeof(fp)) != 0)
		problem(w->out, w->table, "%s does not match its key's fingerprint", show(&text, w->table, key));
	else
		note(&w->seen, k->id);
}

static bool check_other(const struct walk *w, struct glt_slice key, const ProtobufCMessage *m)
{
	const Glt__Member *member = (const Glt__Member *)m;
	const Glt__Protection *protection = (const Glt__Protection *)m;
	const Glt__User *user = (const Glt__User *)m;

	switch (w->table) {
	case GLT_NAMESPACES:
		return is_str(key, ((const Glt__Namespace *)m)->path);
	case GLT_MEMBERS:
		return is_pair(key, member->path, member->principal) && glt_role_name((int)member->role) != NULL;
	case GLT_USERS:
		return is_str(key, user->name) &&
		       (user->state == GLT__STATE__LIVE || user->state == GLT__STATE__REVOKED);
	case GLT_PROTECTIONS:
		return is_pair(key, protection->path, protection->ref_glob);
	case GLT_AUDIT:
		return is_u64(key, ((const Glt__Event *)m)->seq);
	default:
		return true;
	}
}

static const ProtobufCMessageDescriptor *type_of(enum glt_table table)
{
	switch (table) {
	case GLT_TOKENS:
		return &glt__token__descriptor;
	case GLT_NAMESPACES:
		return &glt__namespace__descriptor;
	case GLT_MEMBERS:
		return &glt__member__descriptor;
	case GLT_USERS:
		return &glt__user__descriptor;
	case GLT_KEYS:
		return &glt__key__descriptor;
	case GLT_PROTECTIONS:
		return &glt__protection__descriptor;
	case GLT_AUDIT:
		return &glt__event__descriptor;
	default:
		return NULL;
	}
}

static bool visit_record(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct walk *w = arg;
	struct key_text text;
	ProtobufCMessage *m;

	count_one(w);
	if (!value.data) {
		problem(w->out, w->table, "%s fails its checksum", show(&text, w->table, key));
		return true;
	}
	if (!type_of(w->table)) /* meta: the checksum is all */
		return true;
	m = unpack(type_of(w->table), value);
	if (!m)
		problem(w->out, w->table, "%s is no record", show(&text, w->table, key));
	else if (w->table == GLT_TOKENS)
		check_token(w, key, (const Glt__Token *)m);
	else if (w->table == GLT_KEYS)
		check_key(w, key, (const Glt__Key *)m);
	else if (!check_other(w, key, m))
		problem(w->out, w->table, "%s: the record contradicts its key", show(&text, w->table, key));
	drop(m);
	return true;
}

/* ---- indexes: each entry against its record ---- */

/* Should a token stand in that index, and if key is given: under that key? */
static bool indexed(const struct walk *w, const Glt__Token *t, const struct glt_slice *key)
{
	uint8_t kind[GLT_KIND_LEN];

	switch (w->table) {
	case GLT_BY_SELECTOR:
		return !key || is_str(*key, t->selector);
	case GLT_BY_OWNER:
		return !key || is_str(*key, t->owner);
	case GLT_BY_PATH:
		return t->path[0] && (!key || is_str(*key, t->path));
	case GLT_BY_EXPIRY:
		return t->expires_at && (!key || is_u64(*key, (uint64_t)t->expires_at));
	case GLT_BY_KIND:
		return !key || (key->len == GLT_KIND_LEN &&
				memcmp(key->data, glt_kind_key(t, kind).data, GLT_KIND_LEN) == 0);
	case GLT_BY_FAMILY:
		return (t->family != t->id || glt_schema(w->txn) < 2) && (!key || is_u64(*key, t->family));
	default:
		return false;
	}
}

static bool visit_index(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct walk *w = arg;
	struct key_text text;
	Glt__Token *t = NULL;
	uint64_t id;

	count_one(w);
	if (!value.data || value.len != GLT_KEY_U64) {
		problem(w->out, w->table, "%s fails its checksum", show(&text, w->table, key));
		return true;
	}
	id = glt_get_u64(value.data);
	switch (glt_token_load(w->txn, id, &t, NULL)) {
	case GLT_OK:
		if (indexed(w, t, &key))
			note(&w->seen, id);
		else
			problem(w->out, w->table, "%s leads to token %" PRIu64 ", which does not say so",
				show(&text, w->table, key), id);
		break;
	case GLT_NOT_FOUND:
		problem(w->out, w->table, "%s leads to token %" PRIu64 ", which does not exist",
			show(&text, w->table, key), id);
		break;
	default: /* the damaged record was told of already */
		break;
	}
	glt_token_free(t);
	return true;
}

static bool visit_key_index(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct walk *w = arg;
	char holder[GLT_KEY_HOLDER_MAX];
	struct key_text text;
	Glt__Key *k = NULL;
	bool good = false;
	uint64_t id;

	count_one(w);
	if (!value.data) {
		problem(w->out, w->table, "%s fails its checksum", show(&text, w->table, key));
		return true;
	}
	if (w->table == GLT_KEY_IDS) {
		id = key.len == GLT_KEY_U64 ? glt_get_u64(key.data) : 0;
		good = value.len == GLT_FINGERPRINT_LEN &&
		       glt_key_by_fingerprint(w->txn, value.data, &k, NULL) == GLT_OK && k->id == id;
	} else {
		id = glt_get_u64(value.data);
		good = glt_key_load(w->txn, id, &k, NULL) == GLT_OK;
		if (good)
			(void)glt_key_holder(k, holder);
		good = good && is_str(key, holder);
	}
	if (good)
		note(&w->seen, id);
	else
		problem(w->out, w->table, "%s leads to no such key", show(&text, w->table, key));
	glt_key_free(k);
	return true;
}

/* ---- what is missing in an index ---- */

static void expect_all(struct walk *index, const struct ids *records)
{
	for (size_t i = 0; i < records->n; i++) {
		const uint64_t id = records->id[i];
		Glt__Token *t = NULL;

		if (has(&index->seen, id))
			continue;
		if (index->table == GLT_KEY_IDS || index->table == GLT_KEYS_OF)
			problem(index->out, index->table, "key %" PRIu64 " is missing", id);
		else if (glt_token_load(index->txn, id, &t, NULL) == GLT_OK && indexed(index, t, NULL))
			problem(index->out, index->table, "token %" PRIu64 " is missing", id);
		glt_token_free(t);
	}
}

static void run(struct walk *w, glt_visit *fn)
{
	struct glt_err err;

	if (glt_walk_all(w->txn, w->table, (struct glt_slice){NULL, 0}, fn, w, &err) != GLT_OK)
		problem(w->out, w->table, "%s", err.text);
	if (w->seen.n > 0)
		qsort(w->seen.id, w->seen.n, sizeof(*w->seen.id), by_number);
}

/* A table of records and the indexes that lead to it. */
static void check_group(const struct walk *all, enum glt_table table, glt_visit *fn, const enum glt_table *indexes,
			size_t n)
{
	struct walk records = *all;

	records.table = table;
	run(&records, visit_record);
	for (size_t i = 0; i < n; i++) {
		struct walk index = *all;

		index.table = indexes[i];
		run(&index, fn);
		expect_all(&index, &records.seen);
		free(index.seen.id);
	}
	free(records.seen.id);
}

enum glt_status glt_checks_run(struct glt_store *store, struct glt_checks *out, struct glt_err *err)
{
	static const enum glt_table of_tokens[] = {GLT_BY_SELECTOR, GLT_BY_OWNER,  GLT_BY_PATH,
						   GLT_BY_EXPIRY,   GLT_BY_FAMILY, GLT_BY_KIND};
	static const enum glt_table of_keys[] = {GLT_KEY_IDS, GLT_KEYS_OF};
	static const enum glt_table others[] = {GLT_NAMESPACES,  GLT_MEMBERS, GLT_USERS,
						GLT_PROTECTIONS, GLT_AUDIT,   GLT_META};
	struct glt_progress progress;
	uint64_t total = 0, done = 0;
	struct walk all = {.out = out, .progress = &progress, .done = &done};
	enum glt_status st = glt_txn_begin(store, false, &all.txn, err);

	*out = (struct glt_checks){.total = 0};
	if (st != GLT_OK)
		return st;
	for (int t = 0; t < GLT_TABLES; t++)
		total += glt_count(all.txn, (enum glt_table)t);
	glt_progress_begin(&progress, total, "entries");
	/* The last one, of a store that an earlier version changed, is not used until it is made anew. */
	check_group(&all, GLT_TOKENS, visit_index, of_tokens,
		    sizeof(of_tokens) / sizeof(of_tokens[0]) - !glt_kinds_known(all.txn));
	check_group(&all, GLT_KEYS, visit_key_index, of_keys, sizeof(of_keys) / sizeof(of_keys[0]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		check_group(&all, others[i], NULL, NULL, 0);
	glt_progress_end(&progress);
	glt_txn_end(all.txn);
	return GLT_OK;
}

void glt_checks_free(struct glt_checks *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->problem[i]);
	free(c->problem);
	*c = (struct glt_checks){.total = 0};
}
