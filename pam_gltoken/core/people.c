/* SPDX-License-Identifier: MIT */
#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "path NUL principal": NUL sorts before every other byte, so that one path's entries stand together. */
struct pair {
	char text[GLT_KEY_TEXT_MAX];
	size_t len;
};

static bool pair_make(struct pair *k, const char *path, const char *second)
{
	int n = snprintf(k->text, sizeof(k->text), "%s%c%s", path, '\0', second);

	k->len = n < 0 ? 0 : (size_t)n;
	return n > 0 && k->len < sizeof(k->text);
}

static struct glt_slice slice(const struct pair *k)
{
	return (struct glt_slice){k->text, k->len};
}

static void put_packed(struct glt_change *c, enum glt_table table, struct glt_slice key, const ProtobufCMessage *m)
{
	size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *bytes = malloc(len ? len : 1);

	if (!bytes) {
		glt_change_fail(c);
		return;
	}
	(void)protobuf_c_message_pack(m, bytes);
	glt_change_put(c, table, key, (struct glt_slice){bytes, len});
	free(bytes);
}

/* GLT_NOT_FOUND leaves err for the caller, who can name what was looked for. */
static enum glt_status get_unpacked(struct glt_txn *txn, enum glt_table table, struct glt_slice key,
				    const ProtobufCMessageDescriptor *type, ProtobufCMessage **out,
				    struct glt_err *err)
{
	struct glt_slice v;
	enum glt_status st;

	*out = NULL;
	st = glt_get(txn, table, key, &v, err);
	if (st != GLT_OK)
		return st;
	*out = protobuf_c_message_unpack(type, NULL, v.len, v.data);
	return *out ? GLT_OK : glt_fail(err, GLT_DAMAGED, "a record of type %s is damaged", type->short_name);
}

static void free_unpacked(ProtobufCMessage *m)
{
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
}

/* ---- users ---- */

enum glt_status glt_user_load(struct glt_txn *txn, const char *name, Glt__User **out, struct glt_err *err)
{
	ProtobufCMessage *m;
	enum glt_status st = get_unpacked(txn, GLT_USERS, glt_slice_str(name), &glt__user__descriptor, &m, err);

	*out = (Glt__User *)m;
	return st == GLT_NOT_FOUND ? glt_fail(err, st, "no user '%.64s': run gltoken user add", name) : st;
}

void glt_user_store(struct glt_change *c, Glt__User *u)
{
	put_packed(c, GLT_USERS, glt_slice_str(u->name), &u->base);
}

void glt_user_drop(struct glt_change *c, const char *name)
{
	glt_change_del(c, GLT_USERS, glt_slice_str(name));
}

void glt_user_free(Glt__User *u)
{
	free_unpacked((ProtobufCMessage *)u);
}

/* ---- memberships ---- */

void glt_member_store(struct glt_change *c, Glt__Member *m)
{
	struct pair k;

	if (pair_make(&k, m->path, m->principal))
		put_packed(c, GLT_MEMBERS, slice(&k), &m->base);
	else
		glt_change_fail(c);
}

void glt_member_drop(struct glt_change *c, const char *path, const char *principal)
{
	struct pair k;

	if (pair_make(&k, path, principal))
		glt_change_del(c, GLT_MEMBERS, slice(&k));
	else
		glt_change_fail(c);
}

enum glt_status glt_member_load(struct glt_txn *txn, const char *path, const char *principal, Glt__Member **out,
				struct glt_err *err)
{
	ProtobufCMessage *m = NULL;
	struct pair k;
	enum glt_status st = GLT_NOT_FOUND;

	if (pair_make(&k, path, principal))
		st = get_unpacked(txn, GLT_MEMBERS, slice(&k), &glt__member__descriptor, &m, err);
	*out = (Glt__Member *)m;
	return st == GLT_NOT_FOUND ? glt_fail(err, st, "'%.64s' is no member of %s itself", principal, path) : st;
}

void glt_member_free(Glt__Member *m)
{
	free_unpacked((ProtobufCMessage *)m);
}

struct gather {
	struct glt_grant *out;
	size_t max, n;
	bool full, damaged;
};

static bool add_grant(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct gather *g = arg;
	Glt__Member *m = glt__member__unpack(NULL, value.len, value.data);

	(void)key;
	if (!m || strlen(m->path) > GLT_PATH_MAX || strlen(m->principal) > GLT_NAME_MAX) {
		g->damaged = true;
	} else if (g->n == g->max) {
		g->full = true;
	} else {
		struct glt_grant *one = &g->out[g->n++];

		one->role = (int)m->role;
		strcpy(one->path, m->path);
		strcpy(one->principal, m->principal);
	}
	glt_member_free(m);
	return !g->full && !g->damaged;
}

/* One level: the user's own entry by look-up, the groups' by walking "path NUL @". */
static enum glt_status grants_at(struct glt_txn *txn, const char *level, const char *user, struct gather *g,
				 struct glt_err *err)
{
	struct pair own, groups;
	struct glt_slice v;
	enum glt_status st;

	if (!pair_make(&own, level, user) || !pair_make(&groups, level, "@"))
		return glt_fail(err, GLT_INVALID, "path '%s' or user '%s' is too long", level, user);
	st = glt_get(txn, GLT_MEMBERS, slice(&own), &v, err);
	if (st == GLT_OK)
		(void)add_grant(g, slice(&own), v);
	if (st == GLT_OK || st == GLT_NOT_FOUND)
		st = glt_walk(txn, GLT_MEMBERS, slice(&groups), slice(&groups), add_grant, g, err);
	if (st == GLT_OK && g->damaged)
		return glt_fail(err, GLT_DAMAGED, "a membership of %s is damaged", level);
	if (st == GLT_OK && g->full)
		return glt_fail(err, GLT_REFUSED, "more than %zu memberships of groups reach %s", g->max, level);
	return st;
}

enum glt_status glt_grants(struct glt_txn *txn, const char *path, const char *user, struct glt_grant *out,
			   size_t max, size_t *n, struct glt_err *err)
{
	struct gather g = {.out = out, .max = max};
	char level[GLT_PATH_MAX + 1];
	enum glt_status st;
	char *slash;

	*n = 0;
	if (strlen(path) >= sizeof(level))
		return glt_fail(err, GLT_INVALID, "path is too long: must have at most %d bytes", GLT_PATH_MAX);
	strcpy(level, path);
	for (;;) { /* the path itself, then each group above it */
		st = grants_at(txn, level, user, &g, err);
		slash = strrchr(level, '/');
		if (st != GLT_OK || !slash)
			break;
		*slash = '\0';
	}
	*n = g.n;
	return st;
}

/* ---- namespaces ---- */

enum glt_status glt_namespace_load(struct glt_txn *txn, const char *path, Glt__Namespace **out, struct glt_err *err)
{
	ProtobufCMessage *m;
	enum glt_status st =
		get_unpacked(txn, GLT_NAMESPACES, glt_slice_str(path), &glt__namespace__descriptor, &m, err);

	*out = (Glt__Namespace *)m;
	return st == GLT_NOT_FOUND ? glt_fail(err, st, "no project or group '%s'", path) : st;
}

void glt_namespace_store(struct glt_change *c, Glt__Namespace *n)
{
	put_packed(c, GLT_NAMESPACES, glt_slice_str(n->path), &n->base);
}

void glt_namespace_free(Glt__Namespace *n)
{
	free_unpacked((ProtobufCMessage *)n);
}

enum glt_status glt_namespace_number(struct glt_txn *txn, struct glt_change *c, const char *path, uint64_t *out,
				     struct glt_err *err)
{
	Glt__Namespace *found, fresh = GLT__NAMESPACE__INIT;
	char copy[GLT_PATH_MAX + 1];
	enum glt_status st = glt_namespace_load(txn, path, &found, err);

	if (st == GLT_OK)
		*out = found->id;
	glt_namespace_free(found);
	if (st != GLT_NOT_FOUND)
		return st;
	(void)snprintf(copy, sizeof(copy), "%s", path);
	fresh.id = *out = glt_next(txn, GLT_NEXT_ACCOUNT);
	fresh.path = copy;
	glt_namespace_store(c, &fresh);
	return GLT_OK;
}

/* ---- protected refs ---- */

void glt_protection_store(struct glt_change *c, Glt__Protection *p)
{
	struct pair k;

	if (pair_make(&k, p->path, p->ref_glob))
		put_packed(c, GLT_PROTECTIONS, slice(&k), &p->base);
	else
		glt_change_fail(c);
}

void glt_protection_drop(struct glt_change *c, const char *path, const char *ref_glob)
{
	struct pair k;

	if (pair_make(&k, path, ref_glob))
		glt_change_del(c, GLT_PROTECTIONS, slice(&k));
	else
		glt_change_fail(c);
}

enum glt_status glt_protection_load(struct glt_txn *txn, const char *path, const char *ref_glob,
				    Glt__Protection **out, struct glt_err *err)
{
	ProtobufCMessage *m = NULL;
	struct pair k;
	enum glt_status st = GLT_NOT_FOUND;

	if (pair_make(&k, path, ref_glob))
		st = get_unpacked(txn, GLT_PROTECTIONS, slice(&k), &glt__protection__descriptor, &m, err);
	*out = (Glt__Protection *)m;
	return st == GLT_NOT_FOUND ? glt_fail(err, st, "%s of %s is not protected", ref_glob, path) : st;
}

void glt_protection_free(Glt__Protection *p)
{
	free_unpacked((ProtobufCMessage *)p);
}

/* ---- public keys ---- */

enum glt_status glt_key_by_fingerprint(struct glt_txn *txn, const uint8_t fp[GLT_FINGERPRINT_LEN], Glt__Key **out,
				       struct glt_err *err)
{
	ProtobufCMessage *m;
	enum glt_status st = get_unpacked(txn, GLT_KEYS, (struct glt_slice){fp, GLT_FINGERPRINT_LEN},
					  &glt__key__descriptor, &m, err);

	*out = (Glt__Key *)m;
	return st == GLT_NOT_FOUND ? glt_fail(err, st, "no such public key") : st;
}

enum glt_status glt_key_load(struct glt_txn *txn, uint64_t id, Glt__Key **out, struct glt_err *err)
{
	uint8_t key[GLT_KEY_U64], fp[GLT_FINGERPRINT_LEN];
	struct glt_slice v;
	enum glt_status st;

	*out = NULL;
	glt_put_u64(key, id);
	st = glt_get(txn, GLT_KEY_IDS, (struct glt_slice){key, sizeof(key)}, &v, err);
	if (st == GLT_NOT_FOUND)
		return glt_fail(err, st, "no public key with id %llu", (unsigned long long)id);
	if (st == GLT_OK && v.len != sizeof(fp))
		return glt_fail(err, GLT_DAMAGED, "index key_ids is damaged");
	if (st != GLT_OK)
		return st;
	memcpy(fp, v.data, sizeof(fp));
	st = glt_key_by_fingerprint(txn, fp, out, err);
	if (st == GLT_NOT_FOUND || (st == GLT_OK && (*out)->id != id)) {
		glt_key_free(*out);
		*out = NULL;
		return glt_fail(err, GLT_DAMAGED, "index key_ids and the key disagree");
	}
	return st;
}

struct glt_slice glt_key_holder(const Glt__Key *k, char buf[GLT_KEY_HOLDER_MAX])
{
	(void)snprintf(buf, GLT_KEY_HOLDER_MAX, "%s%s", k->user[0] ? "" : "/", k->user[0] ? k->user : k->path);
	return glt_slice_str(buf);
}

void glt_key_store(struct glt_change *c, Glt__Key *k)
{
	uint8_t fp[GLT_FINGERPRINT_LEN], id[GLT_KEY_U64];
	char holder[GLT_KEY_HOLDER_MAX];

	glt_pubkey_fingerprint(k->blob.data, k->blob.len, fp);
	glt_put_u64(id, k->id);
	put_packed(c, GLT_KEYS, (struct glt_slice){fp, sizeof(fp)}, &k->base);
	glt_change_put(c, GLT_KEY_IDS, (struct glt_slice){id, sizeof(id)}, (struct glt_slice){fp, sizeof(fp)});
	glt_change_link(c, GLT_KEYS_OF, glt_key_holder(k, holder), k->id);
}

void glt_key_drop(struct glt_change *c, const Glt__Key *k)
{
	uint8_t fp[GLT_FINGERPRINT_LEN], id[GLT_KEY_U64];
	char holder[GLT_KEY_HOLDER_MAX];

	glt_pubkey_fingerprint(k->blob.data, k->blob.len, fp);
	glt_put_u64(id, k->id);
	glt_change_del(c, GLT_KEYS, (struct glt_slice){fp, sizeof(fp)});
	glt_change_del(c, GLT_KEY_IDS, (struct glt_slice){id, sizeof(id)});
	glt_change_unlink(c, GLT_KEYS_OF, glt_key_holder(k, holder), k->id);
}

void glt_key_free(Glt__Key *k)
{
	free_unpacked((ProtobufCMessage *)k);
}
