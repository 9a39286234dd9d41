/* SPDX-License-Identifier: MIT */
/* gltoken check and the selections of list and revoke, on a real store that is broken on purpose. */
#include "kinds.h"
#include "people.h"
#include "tokens.h"
#include "tools/checks.h"
#include "tools/select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(2000000000)
#define MANY 1300 /* more than two pieces of select.c */

static char dir[] = "/tmp/gltoken-checks.XXXXXX";
static struct glt_store *store;

static struct glt_slice u64(uint8_t bytes[GLT_KEY_U64], uint64_t v)
{
	glt_put_u64(bytes, v);
	return (struct glt_slice){bytes, GLT_KEY_U64};
}

static void add_token(struct glt_txn *txn, struct glt_change *c, uint64_t id)
{
	char selector[8], name[16], owner[] = "alice", other[] = "bob", path[] = "demo/hello",
				    longer[] = "demo/hello-2", none[] = "";
	Glt__Token t = GLT__TOKEN__INIT;

	(void)snprintf(selector, sizeof(selector), "S%05u", (unsigned)id);
	(void)snprintf(name, sizeof(name), "t%u", (unsigned)id);
	t.id = id;
	t.family = id < 4 ? id : id - id % 4;
	t.type = id % 2 ? GLT__TYPE__PERSONAL : GLT__TYPE__PROJECT;
	t.state = id % 5 ? GLT__STATE__LIVE : GLT__STATE__REVOKED;
	t.selector = selector;
	t.name = name;
	t.owner = id % 3 ? owner : other;
	t.path = id % 2 ? none : id % 4 ? path : longer;
	t.scopes = id;
	t.created_at = NOW - (int64_t)id;
	t.expires_at = id % 7 ? NOW + (int64_t)(id * 37 % MANY) * 10 : 0; /* in another order than the ids */
	glt_token_store(txn, c, NULL, &t);
}

static void add_others(struct glt_change *c)
{
	char path[] = "demo", principal[] = "alice", type[] = "ssh-ed25519", user[] = "alice";
	uint8_t blob[] = "blob";
	Glt__Member m = GLT__MEMBER__INIT;
	Glt__Namespace n = GLT__NAMESPACE__INIT;
	Glt__User u = GLT__USER__INIT;
	Glt__Key k = GLT__KEY__INIT;

	m.path = n.path = path;
	m.principal = principal;
	m.role = 30;
	u.name = k.user = user;
	u.id = 77;
	u.state = GLT__STATE__LIVE;
	k.id = 5000;
	k.type = type;
	k.blob = (ProtobufCBinaryData){sizeof(blob), blob};
	glt_member_store(c, &m);
	glt_namespace_store(c, &n);
	glt_user_store(c, &u);
	glt_key_store(c, &k);
}

static void apply(struct glt_txn *txn, struct glt_change *c)
{
	struct glt_err err;

	if (glt_store_apply(txn, c, &err) != GLT_OK)
		fail_msg("%s", err.text);
	glt_change_free(c);
}

static struct glt_change *begin(struct glt_txn **txn)
{
	struct glt_change *c = glt_change_new();
	struct glt_err err;

	assert_non_null(c);
	if (glt_txn_begin(store, true, txn, &err) != GLT_OK)
		fail_msg("%s", err.text);
	return c;
}

/* ---- a store with MANY tokens, made anew for each test ---- */

static int make(void **state)
{
	struct glt_change *c;
	struct glt_txn *txn;

	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (!mkdtemp(dir) || glt_store_create(dir, NULL) != GLT_OK ||
	    glt_store_open(dir, true, &store, NULL) != GLT_OK)
		return -1;
	c = begin(&txn);
	for (uint64_t id = 1; id <= MANY; id++)
		add_token(txn, c, id);
	add_others(c);
	apply(txn, c);
	return 0;
}

static int unmake(void **state)
{
	static const char *const files[] = {"store.mdb", "store.mdb-lock", "writer.lock", "key"};
	char path[128];

	(void)state;
	glt_store_close(store);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

/* ---- check ---- */

/* Exactly these problems, in order; NULL ends them. */
static void finds(const char *const problems[])
{
	struct glt_checks found;
	struct glt_err err;
	size_t n = 0;

	assert_int_equal(glt_checks_run(store, &found, &err), GLT_OK);
	for (; n < found.n; n++) {
		if (!problems[n] || strcmp(found.problem[n], problems[n]) != 0)
			fail_msg("found '%s', expected '%s'", found.problem[n],
				 problems[n] ? problems[n] : "nothing");
	}
	if (problems[n])
		fail_msg("did not find '%s'", problems[n]);
	glt_checks_free(&found);
}
#define FINDS(...) finds((const char *const[]){__VA_ARGS__, NULL})

static void sound_store(void **state)
{
	struct glt_checks found;
	struct glt_err err;

	(void)state;
	assert_int_equal(glt_checks_run(store, &found, &err), GLT_OK);
	assert_int_equal(found.total, 0);
	assert_int_equal(found.entries[GLT_TOKENS], MANY);
	assert_int_equal(found.entries[GLT_BY_SELECTOR], MANY);
	assert_int_equal(found.entries[GLT_BY_OWNER], MANY);
	assert_int_equal(found.entries[GLT_BY_PATH], MANY / 2);
	assert_int_equal(found.entries[GLT_BY_EXPIRY], MANY - MANY / 7);
	assert_int_equal(found.entries[GLT_BY_FAMILY], MANY - MANY / 4 - 3);
	assert_int_equal(found.entries[GLT_BY_KIND], MANY);
	assert_int_equal(found.entries[GLT_KEYS_OF], 1);
	glt_checks_free(&found);
}

static void missing_in_an_index(void **state)
{
	uint8_t b[GLT_KEY_U64], kind[GLT_KIND_LEN] = {GLT__TYPE__PROJECT, 0, [9] = 8};
	struct glt_txn *txn;
	struct glt_change *c = begin(&txn);

	(void)state;
	glt_change_unlink(c, GLT_BY_OWNER, glt_slice_str("alice"), 8);
	glt_change_unlink(c, GLT_BY_PATH, glt_slice_str("demo/hello-2"), 8);
	glt_change_unlink(c, GLT_BY_EXPIRY, u64(b, NOW + 2960), 8);
	glt_change_unlink(c, GLT_BY_FAMILY, u64(b, 8), 9);
	glt_change_unlink(c, GLT_BY_KIND, (struct glt_slice){kind, sizeof(kind)}, 8);
	glt_change_del(c, GLT_BY_SELECTOR, glt_slice_str("S00008"));
	glt_change_del(c, GLT_KEY_IDS, u64(b, 5000));
	apply(txn, c);
	FINDS("by_selector: token 8 is missing", "by_owner: token 8 is missing", "by_path: token 8 is missing",
	      "by_expiry: token 8 is missing", "by_family: token 9 is missing", "by_kind: token 8 is missing",
	      "key_ids: key 5000 is missing", "keys_of: alice leads to no such key",
	      "keys_of: key 5000 is missing");
}

static void too_much_in_an_index(void **state)
{
	uint8_t b[GLT_KEY_U64];
	struct glt_txn *txn;
	struct glt_change *c = begin(&txn);

	(void)state;
	glt_change_link(c, GLT_BY_OWNER, glt_slice_str("mallory"), 8);
	glt_change_link(c, GLT_BY_PATH, glt_slice_str("demo"), 9); /* a personal token has no path */
	glt_change_link(c, GLT_BY_FAMILY, u64(b, 8), 999999);
	glt_change_link(c, GLT_BY_KIND, u64(b, 8), 8);
	glt_change_link(c, GLT_KEYS_OF, glt_slice_str("bob"), 5000);
	glt_change_put(c, GLT_BY_SELECTOR, glt_slice_str("S00009"), u64(b, 8));
	apply(txn, c);
	FINDS("by_selector: S00009 leads to token 8, which does not say so", "by_selector: token 9 is missing",
	      "by_owner: mallory leads to token 8, which does not say so",
	      "by_path: demo leads to token 9, which does not say so",
	      "by_family: 8 leads to token 999999, which does not exist",
	      "by_kind:        ? leads to token 8, which does not say so", "keys_of: bob leads to no such key");
}

static void record_is_gone(void **state)
{
	uint8_t b[GLT_KEY_U64];
	struct glt_txn *txn;
	struct glt_change *c = begin(&txn);

	(void)state;
	glt_change_del(c, GLT_TOKENS, u64(b, 9));
	apply(txn, c);
	FINDS("by_selector: S00009 leads to token 9, which does not exist",
	      "by_owner: bob leads to token 9, which does not exist",
	      "by_expiry: 2000003330 leads to token 9, which does not exist",
	      "by_family: 8 leads to token 9, which does not exist",
	      "by_kind: type 1, flags 0, scopes 9 leads to token 9, which does not exist");
}

static void record_contradicts_its_key(void **state)
{
	uint8_t b[GLT_KEY_U64];
	struct glt_txn *txn;
	struct glt_slice v, copy = {NULL, 0};
	struct glt_change *c = begin(&txn);

	(void)state;
	assert_int_equal(glt_get(txn, GLT_USERS, glt_slice_str("alice"), &copy, NULL), GLT_OK);
	glt_change_put(c, GLT_USERS, glt_slice_str("bob"), copy);
	assert_int_equal(glt_get(txn, GLT_TOKENS, u64(b, 9), &v, NULL), GLT_OK);
	glt_change_put(c, GLT_TOKENS, u64(b, 2 * MANY), v);
	glt_change_put(c, GLT_MEMBERS, glt_slice_str("demo"), glt_slice_str("\xff\xff"));
	apply(txn, c);
	FINDS("tokens: the record under 2600 says that it is 9", "members: demo is no record",
	      "users: bob: the record contradicts its key");
}

/* Bytes that changed on disk: the value is told of, the rest is read on. */
static void damaged_bytes(void **state)
{
	struct glt_select all = {.now = NOW};
	char path[128], buf[4096];
	struct glt_found found;
	struct glt_err err;
	size_t hits = 0, n;
	long at = 0;
	FILE *f;

	(void)state;
	glt_store_close(store);
	store = NULL;
	(void)snprintf(path, sizeof(path), "%s/store.mdb", dir);
	f = fopen(path, "r+");
	assert_non_null(f);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0) {
		for (size_t i = 0; i + 4 <= n; i++) {
			if (memcmp(buf + i, "t700", 4) != 0)
				continue;
			assert_int_equal(fseek(f, at + (long)i, SEEK_SET), 0);
			assert_int_equal(fputc('T', f), 'T');
			hits++;
		}
		at += (long)n;
		assert_int_equal(fseek(f, at, SEEK_SET), 0);
	}
	assert_int_equal(fclose(f), 0);
	assert_true(hits > 0);
	assert_int_equal(glt_store_open(dir, true, &store, &err), GLT_OK);

	FINDS("tokens: 700 fails its checksum");
	assert_int_equal(glt_select(store, &all, &found, &err), GLT_OK);
	assert_int_equal(found.n, MANY - 1);
	assert_int_equal(found.damaged, 1);
	glt_found_free(&found);
}

/* ---- select ---- */

static bool wanted(const Glt__Token *t, const struct glt_select *w)
{
	const char *s = glt_token_state(t, w->now);
	bool dead = !strcmp(s, "revoked") || !strcmp(s, "expired");

	if (w->which == GLT_WHICH_ACTIVE && dead)
		return false;
	if (w->which == GLT_WHICH_INACTIVE && !dead)
		return false;
	if (w->which == GLT_WHICH_REVOKED && strcmp(s, "revoked") != 0)
		return false;
	if (w->which == GLT_WHICH_EXPIRED && strcmp(s, "expired") != 0)
		return false;
	if (w->owner && strcmp(w->owner, t->owner) != 0)
		return false;
	if (w->path && strcmp(w->path, t->path) != 0)
		return false;
	if (w->types && !(w->types & 1u << t->type))
		return false;
	if ((w->scopes & ~t->scopes) != 0 || t->id <= w->after)
		return false;
	if (w->issued_before && t->created_at >= w->issued_before)
		return false;
	if (w->expires_by && (t->expires_at <= w->now || t->expires_at > w->expires_by))
		return false;
	return !w->family || t->family == w->family;
}

/* Against every record, loaded one by one. */
static size_t compare(struct glt_select what)
{
	struct glt_found found;
	struct glt_txn *txn;
	struct glt_err err;
	size_t k = 0;

	assert_int_equal(glt_select(store, &what, &found, &err), GLT_OK);
	assert_int_equal(glt_txn_begin(store, false, &txn, &err), GLT_OK);
	for (uint64_t id = 1; id <= MANY; id++) {
		Glt__Token *t;

		assert_int_equal(glt_token_load(txn, id, &t, &err), GLT_OK);
		if (wanted(t, &what) && (!what.limit || k < what.limit)) {
			assert_true(k < found.n);
			assert_int_equal(found.token[k]->id, id);
			assert_int_equal(found.user_id[k],
					 t->type == GLT__TYPE__PERSONAL && !strcmp(t->owner, "alice") ? 77 : 0);
			k++;
		}
		glt_token_free(t);
	}
	glt_txn_end(txn);
	assert_int_equal(k, found.n);
	assert_int_equal(found.damaged, 0);
	glt_found_free(&found);
	return k;
}

static void selects(struct glt_select what)
{
	assert_true(compare(what) > 0);
}

static void selections(void **state)
{
	(void)state;
	selects((struct glt_select){.now = NOW});
	selects((struct glt_select){.now = NOW, .which = GLT_WHICH_ACTIVE});
	selects((struct glt_select){.now = NOW + 5000, .which = GLT_WHICH_ACTIVE});
	selects((struct glt_select){.now = NOW + 5000, .which = GLT_WHICH_INACTIVE});
	selects((struct glt_select){.now = NOW + 5000, .which = GLT_WHICH_EXPIRED});
	selects((struct glt_select){.now = NOW + 5000, .which = GLT_WHICH_REVOKED});
	selects((struct glt_select){.now = NOW, .owner = "alice"});
	selects((struct glt_select){.now = NOW, .owner = "bob", .which = GLT_WHICH_ACTIVE, .limit = 20});
	selects((struct glt_select){.now = NOW, .owner = "alice", .after = 700});
	selects((struct glt_select){.now = NOW, .path = "demo/hello"});
	selects((struct glt_select){.now = NOW, .path = "demo/hello-2", .types = 1u << GLT__TYPE__PROJECT});
	selects((struct glt_select){.now = NOW, .types = 1u << GLT__TYPE__PERSONAL, .scopes = 5});
	selects((struct glt_select){.now = NOW, .family = 12});
	selects((struct glt_select){.now = NOW, .family = 12, .limit = 2});
	selects((struct glt_select){.now = NOW, .family = 12, .after = 12});
	selects((struct glt_select){.now = NOW, .family = 2});
	selects((struct glt_select){.now = NOW, .issued_before = NOW - 1000});
	selects((struct glt_select){.now = NOW + 100, .expires_by = NOW + 2000});
	selects((struct glt_select){.now = NOW, .expires_by = NOW + 9000, .owner = "alice"});
}

/* Which had the first of each family there, too. */
static void index_of_an_earlier_version(void **state)
{
	uint8_t b[GLT_KEY_U64];
	struct glt_txn *txn;
	struct glt_change *c = begin(&txn);

	(void)state;
	glt_change_link(c, GLT_BY_FAMILY, u64(b, 12), 12);
	apply(txn, c);
	FINDS("by_family: 12 leads to token 12, which does not say so"); /* it was to be migrated */
	selects((struct glt_select){.now = NOW, .family = 12});
}

static void pages(void **state)
{
	(void)state;
	for (size_t limit = 1; limit < MANY; limit = limit * 3 + 1)
		selects((struct glt_select){.now = NOW, .limit = limit});
	for (uint64_t after = 0; after < MANY; after += 511)
		selects((struct glt_select){.now = NOW, .after = after, .limit = 600});
	selects((struct glt_select){.now = NOW, .after = MANY - 1});
}

static void alter(uint64_t id, void (*how)(Glt__Token *))
{
	struct glt_txn *txn;
	struct glt_change *c = begin(&txn);
	Glt__Token *old, *fresh;

	assert_int_equal(glt_token_load(txn, id, &old, NULL), GLT_OK);
	fresh = glt_token_copy(old);
	how(fresh);
	glt_token_store(txn, c, old, fresh);
	glt_token_free(old);
	glt_token_free(fresh);
	apply(txn, c);
}

static void make_deploy(Glt__Token *t)
{
	t->type = GLT__TYPE__DEPLOY;
	t->scopes |= UINT64_C(1) << 40;
}

static void rotate_away(Glt__Token *t)
{
	t->next = MANY + 7;
}

static void end_early(Glt__Token *t)
{
	t->expires_at = NOW - 5;
}

static void go_on(Glt__Token *t)
{
	t->expires_at = 0;
	t->state = GLT__STATE__LIVE;
}

/* A first page whose tokens stand behind those that are read in any case: an index must have them. */
static void rare(void **state)
{
	static const enum glt_which whichs[] = {GLT_WHICH_ALL, GLT_WHICH_ACTIVE, GLT_WHICH_INACTIVE,
						GLT_WHICH_REVOKED, GLT_WHICH_EXPIRED};
	static const unsigned types[] = {0, 1u << GLT__TYPE__DEPLOY, 1u << GLT__TYPE__GROUP,
					 1u << GLT__TYPE__DEPLOY | 1u << GLT__TYPE__PERSONAL};
	static const uint64_t scopes[] = {0, 1024, UINT64_C(1) << 40, UINT64_C(1) << 41};
	static const int64_t nows[] = {NOW, NOW + 5000, NOW + (int64_t)MANY * 10};
	size_t n = 0;

	(void)state;
	alter(1201, make_deploy);
	alter(1150, make_deploy);
	alter(1202, rotate_away);
	alter(1203, end_early);
	alter(1204, go_on);
	for (size_t w = 0; w < sizeof(whichs) / sizeof(whichs[0]); w++)
		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
			for (size_t s = 0; s < sizeof(scopes) / sizeof(scopes[0]); s++)
				for (size_t k = 0; k < sizeof(nows) / sizeof(nows[0]); k++) {
					struct glt_select what = {.which = whichs[w],
								  .types = types[t],
								  .scopes = scopes[s],
								  .now = nows[k],
								  .limit = 3};

					n += compare(what) > 0;
					what.after = 1150;
					n += compare(what) > 0;
				}
	assert_true(n > 100);
}

static void nothing(void **state)
{
	const struct glt_select none[] = {{.now = NOW, .owner = "ali"},      {.now = NOW, .owner = "mallory"},
					  {.now = NOW, .path = "demo"},      {.now = NOW, .after = MANY},
					  {.now = NOW, .after = UINT64_MAX}, {.now = NOW, .family = MANY + 1}};
	struct glt_found found;
	struct glt_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(glt_select(store, &none[i], &found, &err), GLT_OK);
		assert_int_equal(found.n, 0);
		glt_found_free(&found);
	}
}

#define FRESH(fn) cmocka_unit_test_setup_teardown(fn, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FRESH(sound_store),
		FRESH(missing_in_an_index),
		FRESH(too_much_in_an_index),
		FRESH(record_is_gone),
		FRESH(record_contradicts_its_key),
		FRESH(damaged_bytes),
		FRESH(selections),
		FRESH(index_of_an_earlier_version),
		FRESH(pages),
		FRESH(rare),
		FRESH(nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
