/* SPDX-License-Identifier: MIT */
#include "tokens.h"

#include "kinds.h"
#include "token.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct ids { /* of one index key; grown as needed */
	uint64_t *id;
	size_t n, room;
	bool no_memory;
};

void glt_token_free(Glt__Token *t)
{
	if (t)
		glt__token__free_unpacked(t, NULL);
}

const char *glt_type_name(Glt__Type t)
{
	static const char *const names[] = {"none", "personal", "project", "group", "deploy"};

	return (unsigned)t < sizeof(names) / sizeof(names[0]) ? names[t] : "unknown";
}

Glt__Type glt_type_parse(const char *name)
{
	for (int t = GLT__TYPE__PERSONAL; t <= GLT__TYPE__DEPLOY; t++)
		if (strcmp(name, glt_type_name((Glt__Type)t)) == 0)
			return (Glt__Type)t;
	return GLT__TYPE__TYPE_NONE;
}

const char *glt_token_holder(const Glt__Token *t)
{
	return t->type == GLT__TYPE__PERSONAL ? t->owner : t->path;
}

const char *glt_token_state(const Glt__Token *t, int64_t now)
{
	if (t->state != GLT__STATE__LIVE)
		return "revoked";
	if (t->next && now >= t->overlap_end)
		return "revoked";
	if (t->expires_at && now >= t->expires_at)
		return "expired";
	if (t->paused)
		return "paused";
	if (t->not_before && now < t->not_before)
		return "not yet valid";
	if (t->max_uses && t->uses_left == 0)
		return "used up";
	return "active";
}

static enum glt_status unpack(struct glt_slice v, uint64_t id, Glt__Token **out, struct glt_err *err)
{
	Glt__Token *t = glt__token__unpack(NULL, v.len, v.data);

	if (t && t->id == id && t->selector && strlen(t->selector) == GLT_SELECTOR_LEN) {
		*out = t;
		return GLT_OK;
	}
	glt_token_free(t);
	return glt_fail(err, GLT_DAMAGED, "record of token %" PRIu64 " is damaged", id);
}

enum glt_status glt_token_load(struct glt_txn *txn, uint64_t id, Glt__Token **out, struct glt_err *err)
{
	uint8_t key[GLT_KEY_U64];
	struct glt_slice v;
	enum glt_status st;

	*out = NULL;
	glt_put_u64(key, id);
	st = glt_get(txn, GLT_TOKENS, (struct glt_slice){key, sizeof(key)}, &v, err);
	if (st == GLT_NOT_FOUND)
		return glt_fail(err, st, "no token with id %" PRIu64, id);
	return st == GLT_OK ? unpack(v, id, out, err) : st;
}

enum glt_status glt_token_by_selector(struct glt_txn *txn, const char *selector, Glt__Token **out,
				      struct glt_err *err)
{
	struct glt_slice v;
	enum glt_status st;

	*out = NULL;
	st = glt_get(txn, GLT_BY_SELECTOR, glt_slice_str(selector), &v, err);
	if (st == GLT_NOT_FOUND)
		return glt_fail(err, st, "no token with this selector");
	if (st == GLT_OK && v.len != GLT_KEY_U64)
		return glt_fail(err, GLT_DAMAGED, "index by_selector is damaged");
	if (st == GLT_OK) {
		uint64_t id = glt_get_u64(v.data);

		st = glt_token_load(txn, id, out, err);
		if (st == GLT_NOT_FOUND || (st == GLT_OK && strcmp((*out)->selector, selector) != 0)) {
			glt_token_free(*out);
			*out = NULL;
			st = glt_fail(err, GLT_DAMAGED, "index by_selector and token %" PRIu64 " disagree", id);
		}
	}
	return st;
}

static bool collect(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct ids *ids = arg;

	(void)key;
	if (ids->n == ids->room) {
		size_t room = ids->room ? ids->room * 2 : 16;
		uint64_t *more = realloc(ids->id, room * sizeof(*more));

		if (!more) {
			ids->no_memory = true;
			return false;
		}
		ids->id = more;
		ids->room = room;
	}
	ids->id[ids->n++] = glt_get_u64(value.data);
	return true;
}

/* The walk goes by prefix; only the key itself is wanted ("demo", not "demolition"). */
struct exact {
	struct glt_slice key;
	struct ids *ids;
};

static bool collect_exact(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct exact *e = arg;

	return key.len == e->key.len && collect(e->ids, key, value);
}

static enum glt_status ids_of(struct glt_txn *txn, enum glt_table table, struct glt_slice key, struct ids *ids,
			      struct glt_err *err)
{
	struct exact e = {key, ids};
	enum glt_status st = glt_walk(txn, table, e.key, e.key, collect_exact, &e, err);

	if (st == GLT_OK && ids->no_memory)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for a list of tokens");
	return st;
}

/* A live token called name among those of one index key. */
static enum glt_status find_named(struct glt_txn *txn, enum glt_table table, const char *holder, const char *name,
				  Glt__Token **out, struct glt_err *err)
{
	struct ids ids = {0};
	enum glt_status st = ids_of(txn, table, glt_slice_str(holder), &ids, err);

	for (size_t i = ids.n; st == GLT_OK && i-- > 0;) { /* the youngest first */
		Glt__Token *t;

		st = glt_token_load(txn, ids.id[i], &t, err);
		if (st != GLT_OK)
			break;
		if (t->state == GLT__STATE__LIVE && strcmp(t->name, name) == 0 &&
		    strcmp(glt_token_holder(t), holder) == 0) {
			*out = t;
			break;
		}
		glt_token_free(t);
	}
	free(ids.id);
	return st;
}

int64_t glt_token_ends(const Glt__Token *t)
{
	bool overlap_first = t->next && t->overlap_end && (!t->expires_at || t->overlap_end < t->expires_at);

	return overlap_first ? t->overlap_end : t->expires_at;
}

bool glt_token_dead(const Glt__Token *t, int64_t now)
{
	int64_t end = glt_token_ends(t);

	return t->state != GLT__STATE__LIVE || (t->next && now >= t->overlap_end) || (end && now >= end);
}

bool glt_token_current(const Glt__Token *t, int64_t now)
{
	return t->state == GLT__STATE__LIVE && !t->next && (!t->expires_at || now < t->expires_at);
}

/* Of the tokens of one index key: see() returns true for the one that is to be *out, which ends the walk. */
static enum glt_status pick(struct glt_txn *txn, enum glt_table table, struct glt_slice key, glt_see_token *see,
			    void *arg, Glt__Token **out, struct glt_err *err)
{
	struct ids ids = {0};
	enum glt_status st = ids_of(txn, table, key, &ids, err);

	*out = NULL;
	for (size_t i = 0; st == GLT_OK && i < ids.n && !*out; i++) {
		Glt__Token *t;

		st = glt_token_load(txn, ids.id[i], &t, err);
		if (st == GLT_OK && see(arg, t))
			*out = t;
		else
			glt_token_free(t);
	}
	free(ids.id);
	return st;
}

struct later {
	uint64_t family;
	glt_see_token *see;
	void *arg;
};

/* A store of an earlier version has the first of a family in the index, too. */
static bool see_successor(void *arg, const Glt__Token *t)
{
	const struct later *later = arg;

	return t->id != later->family && later->see(later->arg, t);
}

enum glt_status glt_token_family(struct glt_txn *txn, uint64_t family, glt_see_token *see, void *arg,
				 struct glt_err *err)
{
	struct later later = {family, see, arg};
	struct glt_err why;
	uint8_t key[GLT_KEY_U64];
	Glt__Token *last;
	enum glt_status st;

	glt_put_u64(key, family);
	st = glt_token_load(txn, family, &last, &why);
	if (st != GLT_OK && st != GLT_NOT_FOUND) /* the first may have been reaped */
		return glt_fail(err, st, "%s", why.text);
	if (last && see(arg, last)) {
		glt_token_free(last);
		return GLT_OK;
	}
	glt_token_free(last);
	st = pick(txn, GLT_BY_FAMILY, (struct glt_slice){key, sizeof(key)}, see_successor, &later, &last, err);
	glt_token_free(last);
	return st;
}

struct wanted { /* of one holder's current tokens */
	Glt__Type type;
	const char *name;
	int64_t now;
	size_t n;
};

static enum glt_status pick_of_holder(struct glt_txn *txn, const char *holder, glt_see_token *see,
				      struct wanted *w, Glt__Token **out, struct glt_err *err)
{
	enum glt_table table = w->type == GLT__TYPE__PERSONAL ? GLT_BY_OWNER : GLT_BY_PATH;

	return pick(txn, table, glt_slice_str(holder), see, w, out, err);
}

static bool is_named(void *arg, const Glt__Token *t)
{
	const struct wanted *w = arg;

	return glt_token_current(t, w->now) && t->type == w->type && strcmp(t->name, w->name) == 0;
}

enum glt_status glt_token_named(struct glt_txn *txn, Glt__Type type, const char *holder, const char *name,
				int64_t now, Glt__Token **out, struct glt_err *err)
{
	struct wanted w = {.type = type, .name = name, .now = now};
	enum glt_status st = pick_of_holder(txn, holder, is_named, &w, out, err);

	return st == GLT_OK && !*out ? GLT_NOT_FOUND : st;
}

static bool count(void *arg, const Glt__Token *t)
{
	struct wanted *w = arg;

	w->n += glt_token_current(t, w->now) &&
		(t->type == GLT__TYPE__PERSONAL) == (w->type == GLT__TYPE__PERSONAL);
	return false;
}

enum glt_status glt_token_count_active(struct glt_txn *txn, Glt__Type type, const char *holder, int64_t now,
				       size_t *n, struct glt_err *err)
{
	struct wanted w = {.type = type, .now = now};
	Glt__Token *none;
	enum glt_status st = pick_of_holder(txn, holder, count, &w, &none, err);

	*n = w.n;
	return st;
}

bool glt_owner_used(struct glt_txn *txn, const char *owner)
{
	struct ids ids = {0};
	bool used = ids_of(txn, GLT_BY_OWNER, glt_slice_str(owner), &ids, NULL) != GLT_OK || ids.n > 0;

	free(ids.id);
	return used;
}

enum glt_status glt_owner_is_bot(struct glt_txn *txn, const char *owner, bool *bot, struct glt_err *err)
{
	struct ids ids = {0};
	enum glt_status st = ids_of(txn, GLT_BY_OWNER, glt_slice_str(owner), &ids, err);
	Glt__Token *t = NULL;

	*bot = false;
	if (st == GLT_OK && ids.n > 0)
		st = glt_token_load(txn, ids.id[0], &t, err);
	if (t)
		*bot = t->type != GLT__TYPE__PERSONAL;
	glt_token_free(t);
	free(ids.id);
	return st;
}

bool glt_token_set_text(char **field, const char *value)
{
	char *copy = strdup(value ? value : "");

	if (!copy)
		return false;
	if (*field != protobuf_c_empty_string) /* a default is not ours to free */
		free(*field);
	*field = copy;
	return true;
}

Glt__Token *glt_token_copy(const Glt__Token *t)
{
	size_t len = glt__token__get_packed_size(t);
	uint8_t *bytes = malloc(len);
	Glt__Token *copy;

	if (!bytes)
		return NULL;
	(void)glt__token__pack(t, bytes);
	copy = glt__token__unpack(NULL, len, bytes);
	free(bytes);
	return copy;
}

static bool parse_id(const char *text, uint64_t *id)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*id = strtoumax(text, &end, 10);
	return errno == 0 && *end == '\0';
}

enum glt_status glt_token_resolve(struct glt_txn *txn, const char *text, Glt__Token **out, struct glt_err *err)
{
	char holder[GLT_KEY_TEXT_MAX];
	uint64_t id;

	*out = NULL;
	if (parse_id(text, &id))
		return glt_token_load(txn, id, out, err);
	/* A name may hold '/' and so may a path: every split is tried, the longest holder first. */
	for (size_t i = strlen(text); i-- > 1;) {
		enum glt_status st;

		if (text[i] != '/' || i >= sizeof(holder))
			continue;
		memcpy(holder, text, i);
		holder[i] = '\0';
		st = find_named(txn, GLT_BY_OWNER, holder, text + i + 1, out, err);
		if (st == GLT_OK && !*out)
			st = find_named(txn, GLT_BY_PATH, holder, text + i + 1, out, err);
		if (st != GLT_OK || *out)
			return st;
	}
	return glt_fail(err, GLT_NOT_FOUND,
			"no token '%.128s': give its id, or OWNER/NAME of a token that is not revoked", text);
}

/* ---- writing ---- */

static void index_token(struct glt_change *c, const Glt__Token *t, bool first_in_family,
			void (*link)(struct glt_change *, enum glt_table, struct glt_slice, uint64_t))
{
	uint8_t when[GLT_KEY_U64], family[GLT_KEY_U64], kind[GLT_KIND_LEN];

	link(c, GLT_BY_KIND, glt_kind_key(t, kind), t->id);
	link(c, GLT_BY_OWNER, glt_slice_str(t->owner), t->id);
	if (t->path[0])
		link(c, GLT_BY_PATH, glt_slice_str(t->path), t->id);
	if (t->expires_at) {
		glt_put_u64(when, (uint64_t)t->expires_at);
		link(c, GLT_BY_EXPIRY, (struct glt_slice){when, sizeof(when)}, t->id);
	}
	if (t->family != t->id || first_in_family) {
		glt_put_u64(family, t->family);
		link(c, GLT_BY_FAMILY, (struct glt_slice){family, sizeof(family)}, t->id);
	}
}

static void put_record(struct glt_change *c, const Glt__Token *t)
{
	uint8_t key[GLT_KEY_U64];
	size_t len = glt__token__get_packed_size(t);
	uint8_t *bytes = malloc(len);

	if (!bytes) {
		glt_change_fail(c);
		return;
	}
	(void)glt__token__pack(t, bytes);
	glt_put_u64(key, t->id);
	glt_change_put(c, GLT_TOKENS, (struct glt_slice){key, sizeof(key)}, (struct glt_slice){bytes, len});
	glt_change_put(c, GLT_BY_SELECTOR, glt_slice_str(t->selector), (struct glt_slice){key, sizeof(key)});
	free(bytes);
}

/* What roster.c reads of a token. To publish walks the whole store, so the other fields are no reason to. */
static unsigned public_parts(const Glt__Token *old, const Glt__Token *fresh)
{
	unsigned parts = 0;

	if ((fresh ? fresh : old)->type == GLT__TYPE__PERSONAL)
		return 0;
	if (!old || !fresh || old->state != fresh->state || strcmp(old->owner, fresh->owner) != 0)
		return GLT_PUBLIC_USERS | GLT_PUBLIC_GROUPS;
	if (strcmp(old->name, fresh->name) != 0 || old->expires_at != fresh->expires_at ||
	    old->next != fresh->next || old->overlap_end != fresh->overlap_end || old->family != fresh->family)
		parts |= GLT_PUBLIC_USERS;
	if (strcmp(old->path, fresh->path) != 0 || old->role != fresh->role || old->scopes != fresh->scopes)
		parts |= GLT_PUBLIC_GROUPS;
	return parts;
}

void glt_token_store(struct glt_txn *txn, struct glt_change *c, const Glt__Token *old, Glt__Token *fresh)
{
	const unsigned schema = glt_schema(txn);

	glt_change_public(c, public_parts(old, fresh));
	if (old) {
		uint8_t key[GLT_KEY_U64];

		glt_put_u64(key, old->id);
		index_token(c, old, schema < 2, glt_change_unlink);
		if (!fresh) {
			glt_change_del(c, GLT_TOKENS, (struct glt_slice){key, sizeof(key)});
			glt_change_del(c, GLT_BY_SELECTOR, glt_slice_str(old->selector));
		}
	}
	if (fresh) {
		fresh->generation = glt_next(txn, GLT_NEXT_GENERATION);
		index_token(c, fresh, schema < 2, glt_change_link);
		put_record(c, fresh);
	}
}
