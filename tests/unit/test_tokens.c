/* SPDX-License-Identifier: MIT */
/* Finding records: by number, selector, name and holder; states; verifying a secret; what the audit log says. */
#include "tmpstore.h"

#include "edit.h"
#include "event.h"
#include "secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ALL ((struct glt_slice){NULL, 0})

static int with_users(void **state)
{
	if (tmpstore_setup(state) != 0)
		return -1;
	tmpstore_user(*state, "alice", true, GLT__STATE__LIVE);
	tmpstore_user(*state, "alic", true, GLT__STATE__LIVE);
	return 0;
}
#define with_two(test) cmocka_unit_test_setup_teardown(test, with_users, tmpstore_teardown)

static uint64_t issue(struct tmpstore *t, Glt__Type type, const char *target, const char *name)
{
	struct glt_issue r = tmpstore_project(target, name, READ_REPO);

	r.type = type;
	r.role = type == GLT__TYPE__PROJECT || type == GLT__TYPE__GROUP ? 30 : 0;
	return tmpstore_issue(t, &r, NULL);
}

static void edit(struct tmpstore *t, uint64_t id, struct glt_edit e)
{
	must(glt_token_edit(t->store, &t->conf, id, &e, 1, "root", NOW, NULL, &err));
}

/* ---- look-ups ---- */

static void by_selector(void **state)
{
	struct tmpstore *t = *state;
	uint64_t id = issue(t, GLT__TYPE__PERSONAL, "alice", "ci");
	Glt__Token *p = tmpstore_load(t, id), *found;
	struct glt_txn *txn = tmpstore_begin(t, false);

	must(glt_token_by_selector(txn, p->selector, &found, &err));
	assert_true(found->id == id);
	glt_token_free(found);
	must_fail(GLT_NOT_FOUND, "no token", glt_token_by_selector(txn, "zzzzzz", &found, &err));
	assert_null(found);
	must_fail(GLT_NOT_FOUND, "id 9", glt_token_load(txn, 9, &found, &err));
	glt_txn_end(txn);
	glt_token_free(p);
	glt_token_free(NULL);
}

/* An index that names another token's record is damage, not an answer. */
static void index_lies(void **state)
{
	struct tmpstore *t = *state;
	uint64_t a = issue(t, GLT__TYPE__PERSONAL, "alice", "a"), b = issue(t, GLT__TYPE__PERSONAL, "alice", "b");
	Glt__Token *p = tmpstore_load(t, a), *found = NULL;
	uint8_t id[GLT_KEY_U64];
	struct glt_txn *txn;

	static const uint64_t wrong[] = {0, 99};

	for (size_t i = 0; i <= COUNT(wrong); i++) {
		glt_put_u64(id, i < COUNT(wrong) ? wrong[i] : b);
		tmpstore_put(t, GLT_BY_SELECTOR, glt_slice_str(p->selector), (struct glt_slice){id, sizeof(id)});
		txn = tmpstore_begin(t, false);
		must_fail(GLT_DAMAGED, "by_selector", glt_token_by_selector(txn, p->selector, &found, &err));
		assert_null(found);
		glt_txn_end(txn);
	}
	tmpstore_put(t, GLT_BY_SELECTOR, glt_slice_str(p->selector), glt_slice_str("short"));
	txn = tmpstore_begin(t, false);
	must_fail(GLT_DAMAGED, "by_selector", glt_token_by_selector(txn, p->selector, &found, &err));
	glt_txn_end(txn);
	glt_token_free(p);
}

static void resolves(struct tmpstore *t, const char *text, uint64_t want)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	struct glt_err err = {GLT_OK, ""};
	Glt__Token *p = NULL;
	enum glt_status st = glt_token_resolve(txn, text, &p, &err);

	if (st != (want ? GLT_OK : GLT_NOT_FOUND) || (p ? p->id : 0) != want)
		fail_msg("'%s' is token %llu, not %llu (%s)", text, p ? (unsigned long long)p->id : 0,
			 (unsigned long long)want, err.text);
	if (!want)
		assert_true(err.text[0] != '\0');
	glt_token_free(p);
	glt_txn_end(txn);
}

static void resolve(void **state)
{
	struct tmpstore *t = *state;
	uint64_t ci = issue(t, GLT__TYPE__PERSONAL, "alice", "ci"),
		 slash = issue(t, GLT__TYPE__PERSONAL, "alice", "a/b");
	uint64_t project = issue(t, GLT__TYPE__PROJECT, "demo/hello", "ci"),
		 group = issue(t, GLT__TYPE__GROUP, "demo", "ci");
	struct glt_rotate r = {
		.id = ci, .expires_at = GLT_EXPIRES_DEFAULT, .overlap = 60, .actor = "root", .now = NOW};
	char number[32], text[GLT_TOKEN_MAX + 1];
	Glt__Token *fresh;

	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)group);
	resolves(t, number, group);
	resolves(t, "alice/ci", ci);
	resolves(t, "alice/a/b", slash);
	resolves(t, "demo/hello/ci", project);
	resolves(t, "demo/ci", group);
	/* Read in two ways: the longest holder counts. */
	(void)issue(t, GLT__TYPE__GROUP, "demo", "hello/ci");
	resolves(t, "demo/hello/ci", project);
	static const char *const none[] = {"",    "0",        "99",         "-1",
					   "+1",  "1x",       " 1",         "18446744073709551617",
					   "ci",  "alice",    "alice/",     "alic/ci",
					   "/ci", "alice/CI", "demo/hello", "hello/ci"};
	for (size_t i = 0; i < COUNT(none); i++)
		resolves(t, none[i], 0);
	/* Of a token and its successor it is the successor, even while both work. */
	must(glt_rotate(t->store, &t->conf, &r, &fresh, text, &err));
	resolves(t, "alice/ci", fresh->id);
	edit(t, fresh->id, (struct glt_edit){.what = GLT_EDIT_REVOKE});
	edit(t, ci, (struct glt_edit){.what = GLT_EDIT_REVOKE});
	resolves(t, "alice/ci", 0);
	glt_token_free(fresh);
}

static void owners(void **state)
{
	struct tmpstore *t = *state;
	uint64_t id = issue(t, GLT__TYPE__PROJECT, "demo/a", "ci");
	Glt__Token *p = tmpstore_load(t, id);
	struct glt_txn *txn;
	bool bot = false;

	(void)issue(t, GLT__TYPE__PERSONAL, "alice", "ci");
	txn = tmpstore_begin(t, false);
	assert_true(glt_owner_used(txn, "alice") && glt_owner_used(txn, p->owner));
	assert_false(glt_owner_used(txn, "alic") || glt_owner_used(txn, "alicea") || glt_owner_used(txn, "demo/a"));
	must(glt_owner_is_bot(txn, p->owner, &bot, &err));
	assert_true(bot);
	must(glt_owner_is_bot(txn, "alice", &bot, &err));
	assert_false(bot);
	bot = true;
	must(glt_owner_is_bot(txn, "carol", &bot, &err));
	assert_false(bot);
	glt_txn_end(txn);
	glt_token_free(p);
}

static void state_names(void **state)
{
	static const struct {
		Glt__Token t;
		const char *want;
	} cases[] = {
#define TOKEN(...) \
	{.base = PROTOBUF_C_MESSAGE_INIT(&glt__token__descriptor), .state = GLT__STATE__LIVE, __VA_ARGS__}
		{TOKEN(.paused = false), "active"},
		{TOKEN(.paused = true), "paused"},
		{TOKEN(.expires_at = NOW), "expired"},
		{TOKEN(.expires_at = NOW + 1), "active"},
		{TOKEN(.not_before = NOW), "active"},
		{TOKEN(.not_before = NOW + 1), "not yet valid"},
		{TOKEN(.max_uses = 3, .uses_left = 1), "active"},
		{TOKEN(.max_uses = 3), "used up"},
		{TOKEN(.next = 5), "revoked"},
		{TOKEN(.next = 5, .overlap_end = NOW), "revoked"},
		{TOKEN(.next = 5, .overlap_end = NOW + 1), "active"},
		{TOKEN(.next = 5, .overlap_end = NOW + 9, .expires_at = NOW), "expired"},
		{{.state = GLT__STATE__REVOKED}, "revoked"},
		{{.state = GLT__STATE__STATE_NONE}, "revoked"},
		{{.state = (Glt__State)77}, "revoked"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(glt_token_state(&cases[i].t, NOW), cases[i].want);
	assert_string_equal(glt_type_name(GLT__TYPE__GROUP), "group");
	assert_string_equal(glt_type_name((Glt__Type)77), "unknown");
}

/* ---- the secret ---- */

static enum glt_status verify(struct tmpstore *t, const char *text, bool *match)
{
	struct glt_token_text tt;
	Glt__Token *p = NULL;
	enum glt_status st;
	struct glt_err err;

	assert_true(glt_token_parse(text, strlen(text), t->conf.prefixes, &tt));
	*match = true;
	st = glt_token_verify(t->store, &tt, &p, match, &err);
	assert_true(st == GLT_NOT_FOUND ? !p : p != NULL);
	assert_true(st == GLT_OK || !*match);
	glt_token_free(p);
	return st;
}

static void verify_secret(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);
	char text[GLT_TOKEN_MAX + 1];
	bool match;

	(void)tmpstore_issue(t, &r, text);
	assert_int_equal(verify(t, text, &match), GLT_OK);
	assert_true(match);
	for (size_t i = 6; i < 26; i++) {
		char wrong[GLT_TOKEN_MAX + 1];

		strcpy(wrong, text);
		wrong[i] = wrong[i] == 'x' ? 'y' : 'x';
		assert_int_equal(verify(t, wrong, &match), i < 6 + GLT_SELECTOR_LEN ? GLT_NOT_FOUND : GLT_OK);
		assert_false(match);
	}
	/* The same selector and secret under the prefix of deploy tokens is another text. */
	char other[GLT_TOKEN_MAX + 1];
	(void)snprintf(other, sizeof(other), "gldt-%s", text + 6);
	assert_int_equal(verify(t, other, &match), GLT_OK);
	assert_false(match);
}

/* The 16 bits alone let nobody in: the hash decides. */
static void quick_is_not_enough(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);
	struct glt_token_text tt;
	char text[GLT_TOKEN_MAX + 1];
	Glt__Token *p = tmpstore_load(t, tmpstore_issue(t, &r, text));
	bool match = true;

	assert_true(glt_token_parse(text, strlen(text), t->conf.prefixes, &tt));
	must(glt_secret_hash_matches(p, &tt, &match, &err));
	assert_true(match && glt_secret_plausible(t->store, p, &tt));
	p->quick ^= 1;
	assert_false(glt_secret_plausible(t->store, p, &tt));
	p->no_quick = true; /* imported: not this store's key */
	assert_true(glt_secret_plausible(t->store, p, &tt));
	p->no_quick = false;
	p->quick ^= 1;
	p->tag.data[31] ^= 1;
	must(glt_secret_hash_matches(p, &tt, &match, &err));
	assert_false(match);
	p->tag.data[31] ^= 1;
	p->tag.len--;
	match = true;
	must_fail(GLT_DAMAGED, "has no hash", glt_secret_hash_matches(p, &tt, &match, &err));
	assert_false(match);
	p->tag.len++;
	p->salt.len = 0;
	must_fail(GLT_DAMAGED, "has no hash", glt_secret_hash_matches(p, &tt, &match, &err));
	p->salt.len = GLT_SALT_LEN;
	p->memory = 4194304; /* a planted record must not take the memory */
	match = true;
	must_fail(GLT_INVALID, "8192..1048576", glt_secret_hash_matches(p, &tt, &match, &err));
	assert_false(match);
	glt_token_free(p);
}

/* ---- what is written down ---- */

static bool newest(void *arg, struct glt_slice key, struct glt_slice value)
{
	(void)key;
	*(Glt__Event **)arg = glt_event_read(value);
	return false;
}

static void event_is(struct tmpstore *t, const char *action, const char *before, const char *after,
		     const char *secret)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	Glt__Event *ev = NULL;

	must(glt_walk_back(txn, GLT_AUDIT, ALL, newest, &ev, &err));
	glt_txn_end(txn);
	assert_non_null(ev);
	assert_string_equal(ev->action, action);
	assert_string_equal(ev->actor, "root");
	assert_string_equal(ev->object, "alice");
	assert_true(ev->token != 0);
	if (!strstr(ev->before, before) || !strstr(ev->after, after))
		fail_msg("%s: '%s' -> '%s'", action, ev->before, ev->after);
	assert_null(strstr(ev->before, secret));
	assert_null(strstr(ev->after, secret));
	glt__event__free_unpacked(ev, NULL);
}

static void audit_before_and_after(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);
	struct glt_rotate rot = {.expires_at = GLT_EXPIRES_DEFAULT, .actor = "root", .now = NOW};
	char text[GLT_TOKEN_MAX + 1], next[GLT_TOKEN_MAX + 1];
	const char *secret = text + 6 + GLT_SELECTOR_LEN;
	Glt__Token *fresh;

	rot.id = tmpstore_issue(t, &r, text);
	event_is(t, "token.issue", "", "name='ci' owner=alice scopes=read_repository expires=2027-01-16T08:00:00Z",
		 secret);
	edit(t, rot.id, (struct glt_edit){.what = GLT_EDIT_SCOPES_ADD, .number = WRITE_REPO});
	event_is(t, "token.scope", "scopes=read_repository ", "scopes=read_repository,write_repository ", secret);
	t->conf.require_expiry = false;
	t->conf.max_lifetime = 0;
	edit(t, rot.id, (struct glt_edit){.what = GLT_EDIT_EXPIRY, .when = 0});
	event_is(t, "token.expire", "expires=2027-01-16T08:00:00Z", "expires=never", secret);
	edit(t, rot.id, (struct glt_edit){.what = GLT_EDIT_PAUSE});
	event_is(t, "token.pause", "state=live", "state=paused", secret);
	edit(t, rot.id, (struct glt_edit){.what = GLT_EDIT_RESUME});
	event_is(t, "token.resume", "state=paused", "state=live", secret);
	edit(t, rot.id, (struct glt_edit){.what = GLT_EDIT_DESCRIPTION, .text = "d"});
	event_is(t, "token.edit", "name='ci'", "description='d'", secret);
	must(glt_rotate(t->store, &t->conf, &rot, &fresh, next, &err));
	event_is(t, "token.rotate", "state=revoked", "state=live", next + 6 + GLT_SELECTOR_LEN);
	edit(t, fresh->id, (struct glt_edit){.what = GLT_EDIT_REVOKE, .text = "leaked"});
	event_is(t, "token.revoke", "state=live", "state=revoked", secret);
	glt_token_free(fresh);
	tmpstore_check(t);
}

/* A record can be dropped with all that points to it. */
static void drop(void **state)
{
	struct tmpstore *t = *state;
	uint64_t id = issue(t, GLT__TYPE__PROJECT, "demo/a", "ci");
	Glt__Token *p = tmpstore_load(t, id);
	struct glt_change *c = glt_change_new();
	struct glt_txn *txn = tmpstore_begin(t, true);

	glt_token_store(txn, c, p, NULL);
	glt_event_token(c, "root", "token.drop", p, NULL, NULL);
	tmpstore_apply(txn, c);
	assert_int_equal(tmpstore_count(t, GLT_TOKENS), 0);
	assert_int_equal(tmpstore_count(t, GLT_BY_EXPIRY), 0);
	tmpstore_check(t);
	glt_token_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_two(by_selector),
		with_two(index_lies),
		with_two(resolve),
		with_two(owners),
		cmocka_unit_test(state_names),
		with_two(verify_secret),
		with_two(quick_is_not_enough),
		with_two(audit_before_and_after),
		with_two(drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
