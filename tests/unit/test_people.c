/* SPDX-License-Identifier: MIT */
/* Users, memberships over levels, namespaces, protections and public keys. */
#include "tmpstore.h"

#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- users ---- */

static void users(void **state)
{
	struct tmpstore *t = *state;
	struct glt_txn *txn;
	struct glt_change *c;
	Glt__User *u;

	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	tmpstore_user(t, "bob", false, GLT__STATE__REVOKED);
	txn = tmpstore_begin(t, false);
	must(glt_user_load(txn, "alice", &u, &err));
	assert_true(u->virtual_user && u->state == GLT__STATE__LIVE && u->id == 1);
	assert_string_equal(u->name, "alice");
	glt_user_free(u);
	must(glt_user_load(txn, "bob", &u, &err));
	assert_true(!u->virtual_user && u->state == GLT__STATE__REVOKED && u->id == 2);
	glt_user_free(u);
	must_fail(GLT_NOT_FOUND, "'ali'", glt_user_load(txn, "ali", &u, &err));
	assert_null(u);
	glt_user_free(NULL);
	glt_txn_end(txn);
	c = glt_change_new();
	glt_user_drop(c, "alice");
	tmpstore_apply(tmpstore_begin(t, true), c);
	txn = tmpstore_begin(t, false);
	must_fail(GLT_NOT_FOUND, "'alice'", glt_user_load(txn, "alice", &u, &err));
	glt_txn_end(txn);
}

/* ---- memberships ---- */

static void member(void **state)
{
	struct tmpstore *t = *state;
	struct glt_txn *txn;
	Glt__Member *m;

	tmpstore_member(t, "demo", "alice", 30);
	tmpstore_member(t, "demo", "alice", 40); /* the later one counts */
	txn = tmpstore_begin(t, false);
	must(glt_member_load(txn, "demo", "alice", &m, &err));
	assert_int_equal(m->role, 40);
	glt_member_free(m);
	must_fail(GLT_NOT_FOUND, "no member of demo/x", glt_member_load(txn, "demo/x", "alice", &m, &err));
	must_fail(GLT_NOT_FOUND, "'@alice'", glt_member_load(txn, "demo", "@alice", &m, &err));
	assert_null(m);
	glt_txn_end(txn);
	tmpstore_member(t, "demo", "alice", 0);
	assert_int_equal(tmpstore_count(t, GLT_MEMBERS), 0);
}

/* "path:principal=role" of each, sorted as they come: the project first, then the groups above it. */
static void grants_are(struct tmpstore *t, const char *path, const char *user, const char *want)
{
	struct glt_grant *g = calloc(GLT_GRANTS_MAX, sizeof(*g));
	struct glt_txn *txn = tmpstore_begin(t, false);
	char got[1024] = "";
	size_t n = 99;

	assert_non_null(g);
	must(glt_grants(txn, path, user, g, GLT_GRANTS_MAX, &n, &err));
	glt_txn_end(txn);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s:%s=%d ", g[i].path,
			       g[i].principal, g[i].role);
	assert_string_equal(got, want);
	free(g);
}

static void grants(void **state)
{
	struct tmpstore *t = *state;

	grants_are(t, "demo/app/web", "alice", "");
	tmpstore_member(t, "demo", "alice", 20);
	tmpstore_member(t, "demo/app", "alice", 30);
	tmpstore_member(t, "demo/app/web", "alice", 40);
	tmpstore_member(t, "demo/app/web", "@devs", 10);
	tmpstore_member(t, "demo", "@ops", 50);
	tmpstore_member(t, "demo", "@all", 15);
	/* Not hers: others, longer and shorter names, what lies below and beside. */
	tmpstore_member(t, "demo", "alic", 50);
	tmpstore_member(t, "demo", "alicea", 50);
	tmpstore_member(t, "demo", "bob", 50);
	tmpstore_member(t, "demo/app/web/sub", "alice", 50);
	tmpstore_member(t, "demo/app/webx", "alice", 50);
	tmpstore_member(t, "demo/ap", "alice", 50);
	tmpstore_member(t, "demox", "alice", 50);
	tmpstore_member(t, "dem", "@ops", 50);
	tmpstore_member(t, "web", "alice", 50);
	grants_are(
		t, "demo/app/web", "alice",
		"demo/app/web:alice=40 demo/app/web:@devs=10 demo/app:alice=30 demo:alice=20 demo:@all=15 demo:@ops=50 ");
	grants_are(t, "demo/app", "alice", "demo/app:alice=30 demo:alice=20 demo:@all=15 demo:@ops=50 ");
	grants_are(t, "demo/other", "carol", "demo:@all=15 demo:@ops=50 ");
	grants_are(t, "demo/app/web", "carol", "demo/app/web:@devs=10 demo:@all=15 demo:@ops=50 ");
	grants_are(t, "elsewhere", "alice", "");
}

static void too_many_grants(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c = glt_change_new();
	struct glt_grant *g = calloc(5, sizeof(*g));
	struct glt_txn *txn;
	size_t n;

	for (int i = 0; i < 5; i++) {
		Glt__Member m = GLT__MEMBER__INIT;
		char who[16];

		(void)snprintf(who, sizeof(who), "@g%d", i);
		m.path = MUT("demo");
		m.principal = who;
		m.role = 10;
		glt_member_store(c, &m);
	}
	tmpstore_apply(tmpstore_begin(t, true), c);
	txn = tmpstore_begin(t, false);
	must(glt_grants(txn, "demo/a", "alice", g, 5, &n, &err));
	assert_int_equal(n, 5);
	/* More than fit: refused, for the one that is cut off may be the one that counts. */
	must_fail(GLT_REFUSED, "more than 4", glt_grants(txn, "demo/a", "alice", g, 4, &n, &err));
	glt_txn_end(txn);
	free(g);
}

static void damaged_grant(void **state)
{
	struct tmpstore *t = *state;
	struct glt_grant g[4];
	struct glt_txn *txn;
	size_t n;

	tmpstore_put(t, GLT_MEMBERS, (struct glt_slice){"demo\0alice", 10}, glt_slice_str("\xff\xff"));
	txn = tmpstore_begin(t, false);
	must_fail(GLT_DAMAGED, "demo", glt_grants(txn, "demo/a", "alice", g, 4, &n, &err));
	glt_txn_end(txn);
}

/* A path that is too long is refused: cut, it would be another project's. */
static void long_paths(void **state)
{
	struct tmpstore *t = *state;
	char path[GLT_PATH_MAX + 20], longest[GLT_PATH_MAX + 1];
	struct glt_grant *g = calloc(4, sizeof(*g));
	struct glt_txn *txn;
	size_t n;

	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	memcpy(longest, path, GLT_PATH_MAX);
	longest[GLT_PATH_MAX] = '\0';
	tmpstore_member(t, longest, "alice", 50);
	txn = tmpstore_begin(t, false);
	must(glt_grants(txn, longest, "alice", g, 4, &n, &err));
	assert_int_equal(n, 1);
	must_fail(GLT_INVALID, "too long", glt_grants(txn, path, "alice", g, 4, &n, &err));
	glt_txn_end(txn);
	free(g);
}

/* ---- namespaces and protections ---- */

static void namespaces(void **state)
{
	struct tmpstore *t = *state;
	struct glt_txn *txn = tmpstore_begin(t, true);
	struct glt_change *c = glt_change_new();
	Glt__Namespace *ns;
	uint64_t first = 0, again = 0, other = 0;

	must(glt_namespace_number(txn, c, "demo/a", &first, &err));
	tmpstore_apply(txn, c);
	txn = tmpstore_begin(t, true);
	c = glt_change_new();
	must(glt_namespace_number(txn, c, "demo/a", &again, &err));
	must(glt_namespace_number(txn, c, "demo/b", &other, &err));
	tmpstore_apply(txn, c);
	assert_true(first == 1 && again == first && other == 2);
	txn = tmpstore_begin(t, false);
	must(glt_namespace_load(txn, "demo/b", &ns, &err));
	assert_string_equal(ns->path, "demo/b");
	assert_int_equal(ns->id, 2);
	glt_namespace_free(ns);
	must_fail(GLT_NOT_FOUND, "'demo'", glt_namespace_load(txn, "demo", &ns, &err));
	glt_txn_end(txn);
}

static void protections(void **state)
{
	struct tmpstore *t = *state;
	struct glt_change *c = glt_change_new();
	Glt__Protection p = GLT__PROTECTION__INIT, *found;
	struct glt_txn *txn;

	p.path = MUT("demo/a");
	p.ref_glob = MUT("refs/heads/main");
	p.push = 40;
	p.force = 30;
	glt_protection_store(c, &p);
	tmpstore_apply(tmpstore_begin(t, true), c);
	txn = tmpstore_begin(t, false);
	must(glt_protection_load(txn, "demo/a", "refs/heads/main", &found, &err));
	assert_true(found->push == 40 && found->force == 30 && found->remove == 0);
	glt_protection_free(found);
	must_fail(GLT_NOT_FOUND, "demo", glt_protection_load(txn, "demo", "refs/heads/main", &found, &err));
	glt_txn_end(txn);
	c = glt_change_new();
	glt_protection_drop(c, "demo/a", "refs/heads/main");
	tmpstore_apply(tmpstore_begin(t, true), c);
	assert_int_equal(tmpstore_count(t, GLT_PROTECTIONS), 0);
}

/* ---- public keys ---- */

#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAIAdWFEV3WR2dgTUgbR7N2HQoTpSB2NGtPTBDNLmL7tqF"
/* ssh-keygen -lf */
#define ED25519_SHA256 "SHA256:mNn0WIdDVYiDR6gATzr90g8rQrfvqsc0rrb/LKmL3I4"

static void pubkey_good(void **state)
{
	static const struct {
		const char *line, *type, *comment;
	} cases[] = {
		{"ssh-ed25519 " ED25519, "ssh-ed25519", ""},
		{"ssh-ed25519 " ED25519 "\n", "ssh-ed25519", ""},
		{"ssh-ed25519 " ED25519 " alice@example.org\r\n", "ssh-ed25519", "alice@example.org"},
		{"ssh-ed25519 \t" ED25519 "  two words", "ssh-ed25519", "two words"},
		{"ssh-ed25519 " ED25519 " bad\x1b[2J", "ssh-ed25519", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char type[64], comment[GLT_NAME_MAX + 1], text[64], *line;
		uint8_t *blob, fp[GLT_FINGERPRINT_LEN];
		size_t len;
		Glt__Key k = GLT__KEY__INIT;

		must(glt_pubkey_parse(cases[i].line, type, &blob, &len, comment, &err));
		assert_string_equal(type, cases[i].type);
		assert_string_equal(comment, cases[i].comment);
		assert_int_equal(len, 51);
		glt_pubkey_fingerprint(blob, len, fp);
		glt_pubkey_fingerprint_text(fp, text);
		assert_string_equal(text, ED25519_SHA256);
		k.type = type;
		k.blob = (ProtobufCBinaryData){len, blob};
		line = glt_pubkey_format(&k);
		assert_string_equal(line, "ssh-ed25519 " ED25519);
		free(line);
		free(blob);
	}
}

static void pubkey_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"ssh-ed25519",
		"ssh-ed25519 ",
		ED25519,
		" ssh-ed25519 " ED25519,
		"no-pty ssh-ed25519 " ED25519,
		"command=\"x\" ssh-ed25519 " ED25519,
		"from=\"192.0.2.1\" ssh-ed25519 " ED25519,
		"ssh-dss " ED25519,
		"ssh-rsa " ED25519, /* another type than the blob's */
		"ssh-ed2551 " ED25519,
		"SSH-ED25519 " ED25519,
		"ssh-ed25519 !!!!",
		"ssh-ed25519 AAAA",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", /* the type and nothing behind it */
		"ssh-ed25519 " ED25519 "x",
		"ssh-ed25519-cert-v01@openssh.com " ED25519,
		/* whole blobs, of a type that is not the line's or not known */
		"ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAgAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"ssh-dss AAAAB3NzaC1kc3MAAAAgAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"ssh-ed448 AAAACXNzaC1lZDQ0OAAAACAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHw==",
		"-----BEGIN OPENSSH PRIVATE KEY-----",
		"0123456789012345678901234567890123456789012345678901234567890123456789 " ED25519,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char type[64], comment[GLT_NAME_MAX + 1];
		struct glt_err err;
		uint8_t *blob;
		size_t len;

		if (glt_pubkey_parse(bad[i], type, &blob, &len, comment, &err) != GLT_INVALID)
			fail_msg("'%s' is taken for a public key", bad[i]);
		assert_null(blob);
		assert_non_null(strstr(err.text, "public key"));
	}
}

static void store_key(struct tmpstore *t, uint64_t id, const char *user, uint8_t *blob, size_t len)
{
	struct glt_change *c = glt_change_new();
	Glt__Key k = GLT__KEY__INIT;
	char name[32];

	(void)snprintf(name, sizeof(name), "%s", user);
	k.id = id;
	k.user = name;
	k.type = MUT("ssh-ed25519");
	k.blob = (ProtobufCBinaryData){len, blob};
	glt_key_store(c, &k);
	tmpstore_apply(tmpstore_begin(t, true), c);
}

static void keys(void **state)
{
	struct tmpstore *t = *state;
	uint8_t one[51] = {1}, two[51] = {2}, fp[GLT_FINGERPRINT_LEN];
	struct glt_change *c = glt_change_new();
	struct glt_txn *txn;
	Glt__Key *k, *same;

	store_key(t, 7, "alice", one, sizeof(one));
	store_key(t, 8, "alice", two, sizeof(two));
	assert_int_equal(tmpstore_count(t, GLT_KEYS_OF), 2);
	glt_pubkey_fingerprint(one, sizeof(one), fp);
	txn = tmpstore_begin(t, false);
	must(glt_key_by_fingerprint(txn, fp, &k, &err));
	assert_true(k->id == 7 && k->blob.len == sizeof(one));
	must(glt_key_load(txn, 7, &same, &err));
	assert_string_equal(same->user, "alice");
	glt_key_free(same);
	must_fail(GLT_NOT_FOUND, "id 9", glt_key_load(txn, 9, &same, &err));
	fp[0] ^= 1;
	must_fail(GLT_NOT_FOUND, "no such public key", glt_key_by_fingerprint(txn, fp, &same, &err));
	assert_null(same);
	glt_txn_end(txn);
	glt_key_drop(c, k);
	tmpstore_apply(tmpstore_begin(t, true), c);
	glt_key_free(k);
	assert_int_equal(tmpstore_count(t, GLT_KEYS), 1);
	assert_int_equal(tmpstore_count(t, GLT_KEY_IDS), 1);
	assert_int_equal(tmpstore_count(t, GLT_KEYS_OF), 1);
}

static void key_index_lies(void **state)
{
	struct tmpstore *t = *state;
	uint8_t one[51] = {1}, two[51] = {2}, fp[GLT_FINGERPRINT_LEN], id[GLT_KEY_U64];
	struct glt_txn *txn;
	Glt__Key *k = NULL;

	store_key(t, 7, "alice", one, sizeof(one));
	store_key(t, 8, "bob", two, sizeof(two));
	glt_pubkey_fingerprint(two, sizeof(two), fp);
	glt_put_u64(id, 7);
	tmpstore_put(t, GLT_KEY_IDS, (struct glt_slice){id, sizeof(id)}, (struct glt_slice){fp, sizeof(fp)});
	txn = tmpstore_begin(t, false);
	must_fail(GLT_DAMAGED, "key_ids", glt_key_load(txn, 7, &k, &err));
	assert_null(k);
	glt_txn_end(txn);
	tmpstore_put(t, GLT_KEY_IDS, (struct glt_slice){id, sizeof(id)}, (struct glt_slice){fp, 5});
	txn = tmpstore_begin(t, false);
	must_fail(GLT_DAMAGED, "key_ids", glt_key_load(txn, 7, &k, &err));
	glt_txn_end(txn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(users),
		with_store(member),
		with_store(grants),
		with_store(too_many_grants),
		with_store(damaged_grant),
		with_store(long_paths),
		with_store(namespaces),
		with_store(protections),
		cmocka_unit_test(pubkey_good),
		cmocka_unit_test(pubkey_bad),
		with_store(keys),
		with_store(key_index_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
