/* SPDX-License-Identifier: MIT */
/* Changes of a token that exists. */
#include "tmpstore.h"

#include "edit.h"
#include "when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int with_alice(void **state)
{
	struct tmpstore *t;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);

	if (tmpstore_setup(state) != 0)
		return -1;
	t = *state;
	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	return tmpstore_issue(t, &r, NULL) == 1 ? 0 : -1;
}
#define with_token(test) cmocka_unit_test_setup_teardown(test, with_alice, tmpstore_teardown)

/* Of token 1, at NOW + 10. */
static Glt__Token *edit(struct tmpstore *t, struct glt_edit e)
{
	Glt__Token *out = NULL, *stored;
	uint64_t events = tmpstore_count(t, GLT_AUDIT), generation;

	stored = tmpstore_load(t, 1);
	generation = stored->generation;
	glt_token_free(stored);
	must(glt_token_edit(t->store, &t->conf, 1, &e, 1, "root", NOW + 10, &out, &err));
	stored = tmpstore_load(t, 1);
	assert_true(out->generation == stored->generation && stored->generation > generation);
	glt_token_free(out);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events + 1);
	tmpstore_check(t);
	return stored;
}

static void refused_at(struct tmpstore *t, uint64_t id, struct glt_edit e, int64_t now, enum glt_status want,
		       const char *words)
{
	uint64_t events = tmpstore_count(t, GLT_AUDIT);
	Glt__Token *before = tmpstore_load(t, id), *after, *out = NULL;
	uint8_t a[1024], b[1024];
	size_t len = glt__token__get_packed_size(before);

	must_fail(want, words, glt_token_edit(t->store, &t->conf, id, &e, 1, "root", now, &out, &err));
	assert_null(out);
	after = tmpstore_load(t, id);
	assert_true(len <= sizeof(a) && len == glt__token__get_packed_size(after));
	(void)glt__token__pack(before, a);
	(void)glt__token__pack(after, b);
	assert_memory_equal(a, b, len);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events);
	glt_token_free(before);
	glt_token_free(after);
}

static void refused(struct tmpstore *t, struct glt_edit e, enum glt_status want, const char *words)
{
	refused_at(t, 1, e, NOW + 10, want, words);
}

/* ---- each field ---- */

static void name_and_description(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token *p = edit(t, (struct glt_edit){.what = GLT_EDIT_NAME, .text = "build"});

	assert_string_equal(p->name, "build");
	glt_token_free(p);
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_DESCRIPTION, .text = "of the night"});
	assert_string_equal(p->description, "of the night");
	glt_token_free(p);
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_DESCRIPTION, .text = ""});
	assert_string_equal(p->description, "");
	glt_token_free(p);
	refused(t, (struct glt_edit){.what = GLT_EDIT_NAME, .text = ""}, GLT_INVALID, "name is empty");
	refused(t, (struct glt_edit){.what = GLT_EDIT_NAME, .text = "a\x07"}, GLT_INVALID, "control");
	refused(t, (struct glt_edit){.what = GLT_EDIT_DESCRIPTION, .text = "\xc0\x80"}, GLT_INVALID, "UTF-8");
}

static void scopes(void **state)
{
	const uint64_t api = GLT_SCOPE_BIT(GLT_SCOPE_API);
	struct tmpstore *t = *state;
	Glt__Token *p = edit(t, (struct glt_edit){.what = GLT_EDIT_SCOPES, .number = WRITE_REPO});

	assert_true(p->scopes == WRITE_REPO);
	glt_token_free(p);
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_SCOPES_ADD, .number = api | READ_REPO});
	assert_true(p->scopes == (WRITE_REPO | READ_REPO | api));
	glt_token_free(p);
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_SCOPES_REMOVE, .number = api | WRITE_REPO});
	assert_true(p->scopes == READ_REPO);
	glt_token_free(p);
	refused(t, (struct glt_edit){.what = GLT_EDIT_SCOPES_REMOVE, .number = READ_REPO}, GLT_INVALID,
		"at least one");
	refused(t, (struct glt_edit){.what = GLT_EDIT_SCOPES_REMOVE, .number = READ_REPO | api}, GLT_NOT_FOUND,
		"the token has no scope api");
	refused(t, (struct glt_edit){.what = GLT_EDIT_SCOPES, .number = 0}, GLT_INVALID, "at least one");
	refused(t, (struct glt_edit){.what = GLT_EDIT_SCOPES_ADD, .number = GLT_SCOPE_BIT(GLT_SCOPES)},
		GLT_INVALID, "personal token");
}

static void scopes_of_the_type(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_project("demo/a", "ci", READ_REPO);
	const struct glt_edit e = {.what = GLT_EDIT_SCOPES_ADD, .number = GLT_SCOPE_BIT(GLT_SCOPE_SUDO)};

	refused_at(t, tmpstore_issue(t, &r, NULL), e, NOW, GLT_INVALID, "project token");
}

static void lists(void **state)
{
	struct tmpstore *t = *state;
	char *ranges[] = {MUT("192.0.2.0/24"), MUT("2001:db8::/32")}, *globs[] = {MUT("demo/**")},
	     *services[] = {MUT("sshd"), MUT("http")};
	char *bad[] = {MUT("sshd"), MUT("no such thing!")};
	Glt__Token *p = edit(t, (struct glt_edit){.what = GLT_EDIT_ALLOW_FROM, .list = ranges, .n_list = 2});

	assert_true(p->n_allow_from == 2);
	assert_string_equal(p->allow_from[1], "2001:db8::/32");
	glt_token_free(p);
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_ONLY_REPO, .list = globs, .n_list = 1});
	assert_true(p->n_only_repo == 1 && p->n_allow_from == 2);
	glt_token_free(p);
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_SERVICES, .list = services, .n_list = 2});
	assert_true(p->n_services == 2);
	assert_string_equal(p->services[0], "sshd");
	glt_token_free(p);
	refused(t, (struct glt_edit){.what = GLT_EDIT_ALLOW_FROM, .list = bad, .n_list = 2}, GLT_INVALID,
		"address range");
	refused(t, (struct glt_edit){.what = GLT_EDIT_ONLY_REPO, .list = bad, .n_list = 2}, GLT_INVALID, "pattern");
	refused(t, (struct glt_edit){.what = GLT_EDIT_SERVICES, .list = bad, .n_list = 2}, GLT_INVALID, "service");
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_ALLOW_FROM});
	assert_true(p->n_allow_from == 0 && p->n_services == 2);
	glt_token_free(p);
}

static void uses(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token *p = edit(t, (struct glt_edit){.what = GLT_EDIT_MAX_USES, .number = 5});

	assert_true(p->max_uses == 5 && p->uses_left == 5);
	glt_token_free(p);
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_MAX_USES, .number = 0});
	assert_true(p->max_uses == 0);
	glt_token_free(p);
	refused(t, (struct glt_edit){.what = GLT_EDIT_MAX_USES, .number = UINT64_C(1) << 32}, GLT_INVALID,
		"use limit");
}

static void pause_and_resume(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token *p = edit(t, (struct glt_edit){.what = GLT_EDIT_PAUSE});

	assert_true(p->paused);
	assert_string_equal(glt_token_state(p, NOW + 10), "paused");
	glt_token_free(p);
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_RESUME});
	assert_false(p->paused);
	assert_string_equal(glt_token_state(p, NOW + 10), "active");
	glt_token_free(p);
}

static void expiry(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token *p = edit(t, (struct glt_edit){.what = GLT_EDIT_EXPIRY, .when = NOW + 5 * DAY});

	assert_true(p->expires_at == NOW + 5 * DAY && p->expiry_set_at == NOW + 10);
	glt_token_free(p);
	t->conf.require_expiry = false;
	t->conf.max_lifetime = 0;
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_EXPIRY, .when = GLT_WHEN_NEVER});
	assert_true(p->expires_at == 0);
	glt_token_free(p);
	refused(t, (struct glt_edit){.what = GLT_EDIT_EXPIRY, .when = NOW + 9}, GLT_INVALID, "in the past");
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_EXPIRY, .when = NOW + 10}); /* now */
	assert_string_equal(glt_token_state(p, NOW + 10), "expired");
	glt_token_free(p);
}

static void expiry_and_not_before(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "later", READ_REPO);
	uint64_t id;

	r.not_before = NOW + DAY / 2;
	id = tmpstore_issue(t, &r, NULL);
	refused_at(t, id, (struct glt_edit){.what = GLT_EDIT_EXPIRY, .when = NOW + DAY / 4}, NOW, GLT_INVALID,
		   "not-before");
}

/* ---- revoke ---- */

static void revoke(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token *p = edit(t, (struct glt_edit){.what = GLT_EDIT_REVOKE, .text = "leaked"});
	static const enum glt_edit_what all[] = {
		GLT_EDIT_NAME,       GLT_EDIT_DESCRIPTION, GLT_EDIT_SCOPES,   GLT_EDIT_EXPIRY,
		GLT_EDIT_ALLOW_FROM, GLT_EDIT_ONLY_REPO,   GLT_EDIT_SERVICES, GLT_EDIT_MAX_USES,
		GLT_EDIT_PAUSE,      GLT_EDIT_RESUME,      GLT_EDIT_REVOKE,
	};

	assert_int_equal(p->state, GLT__STATE__REVOKED);
	assert_true(p->revoked_at == NOW + 10);
	assert_string_equal(p->revoked_by, "root");
	assert_string_equal(p->revoked_why, "leaked");
	assert_string_equal(glt_token_state(p, NOW), "revoked");
	glt_token_free(p);
	for (size_t i = 0; i < COUNT(all); i++)
		refused(t, (struct glt_edit){.what = all[i], .text = "x", .number = READ_REPO, .when = NOW + DAY},
			GLT_REFUSED, "Token already revoked");
}

static void revoke_without_reason(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token *p;

	refused(t, (struct glt_edit){.what = GLT_EDIT_REVOKE, .text = "a\nb"}, GLT_INVALID, "reason");
	p = edit(t, (struct glt_edit){.what = GLT_EDIT_REVOKE});
	assert_string_equal(p->revoked_why, "");
	glt_token_free(p);
}

/* An expired or paused token can be revoked like any other. */
static void revoke_the_dead(void **state)
{
	struct tmpstore *t = *state;
	const struct glt_edit e = {.what = GLT_EDIT_REVOKE};
	Glt__Token *p;

	glt_token_free(edit(t, (struct glt_edit){.what = GLT_EDIT_PAUSE}));
	must(glt_token_edit(t->store, &t->conf, 1, &e, 1, "root", NOW + 10 * DAY, &p, &err));
	assert_int_equal(p->state, GLT__STATE__REVOKED);
	glt_token_free(p);
}

/* ---- several at once, and none ---- */

static void all_or_nothing(void **state)
{
	struct tmpstore *t = *state;
	const struct glt_edit good[] = {{.what = GLT_EDIT_NAME, .text = "n"}, {.what = GLT_EDIT_PAUSE}};
	const struct glt_edit bad[] = {{.what = GLT_EDIT_NAME, .text = "m"},
				       {.what = GLT_EDIT_SCOPES, .number = 0}};
	uint64_t events = tmpstore_count(t, GLT_AUDIT);
	Glt__Token *p;

	must(glt_token_edit(t->store, &t->conf, 1, good, 2, "root", NOW, &p, &err));
	assert_true(p->paused && strcmp(p->name, "n") == 0);
	glt_token_free(p);
	must_fail(GLT_INVALID, NULL, glt_token_edit(t->store, &t->conf, 1, bad, 2, "root", NOW, NULL, &err));
	p = tmpstore_load(t, 1);
	assert_string_equal(p->name, "n");
	glt_token_free(p);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events + 1);
	must_fail(GLT_NOT_FOUND, "no token with id 77",
		  glt_token_edit(t->store, &t->conf, 77, good, 1, "root", NOW, NULL, &err));
	must_fail(GLT_UNAVAILABLE, NULL, glt_token_edit(t->store, &t->conf, 1, good, 0, "root", NOW, NULL, &err));
	tmpstore_check(t);
}

/* ---- one active token of a name ---- */

static void names_stay_unique(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "other", READ_REPO);
	uint64_t other = tmpstore_issue(t, &r, NULL);

	refused_at(t, other, (struct glt_edit){.what = GLT_EDIT_NAME, .text = "ci"}, NOW, GLT_EXISTS, "id 1");
	must(glt_token_edit(t->store, &t->conf, other, &(struct glt_edit){.what = GLT_EDIT_NAME, .text = "other"},
			    1, "root", NOW, NULL, &err));
	glt_token_free(edit(t, (struct glt_edit){.what = GLT_EDIT_REVOKE}));
	must(glt_token_edit(t->store, &t->conf, other, &(struct glt_edit){.what = GLT_EDIT_NAME, .text = "ci"}, 1,
			    "root", NOW, NULL, &err));
	tmpstore_check(t);
}

/* A later expiry must not bring an expired token back beside its replacement of the same name. */
static void no_return_beside_another(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);
	const struct glt_edit later = {.what = GLT_EDIT_EXPIRY, .when = NOW + 9 * DAY};
	Glt__Token *p;

	/* While there is no other it may come back. */
	must(glt_token_edit(t->store, &t->conf, 1, &later, 1, "root", NOW + 2 * DAY, &p, &err));
	assert_string_equal(glt_token_state(p, NOW + 3 * DAY), "active");
	glt_token_free(p);
	r.now = NOW + 9 * DAY;
	r.expires_at = NOW + 20 * DAY;
	(void)tmpstore_issue(t, &r, NULL);
	refused_at(t, 1, (struct glt_edit){.what = GLT_EDIT_EXPIRY, .when = NOW + 15 * DAY}, NOW + 10 * DAY,
		   GLT_EXISTS, "active token 'ci'");
	/* What does not bring it back is no matter of names. */
	must(glt_token_edit(t->store, &t->conf, 1, &(struct glt_edit){.what = GLT_EDIT_DESCRIPTION, .text = "old"},
			    1, "root", NOW + 10 * DAY, NULL, &err));
}

/* ---- what a newer version added ---- */

static const uint8_t newer[] = {0xa2, 0x1f, 5, 'n', 'e', 'w', 'e', 'r', 0xa8, 0x1f, 0x2a}; /* fields 500 and 501 */

static bool has_newer(struct tmpstore *t, uint64_t id)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	uint8_t key[GLT_KEY_U64];
	struct glt_slice v;
	bool has;

	glt_put_u64(key, id);
	must(glt_get(txn, GLT_TOKENS, (struct glt_slice){key, sizeof(key)}, &v, &err));
	has = memmem(v.data, v.len, newer, 8) && memmem(v.data, v.len, newer + 8, 3);
	glt_txn_end(txn);
	return has;
}

static void unknown_fields_survive(void **state)
{
	struct tmpstore *t = *state;
	struct glt_rotate rot = {.id = 1, .expires_at = GLT_EXPIRES_DEFAULT, .actor = "root", .now = NOW};
	Glt__Token *p = tmpstore_load(t, 1);
	size_t len = glt__token__get_packed_size(p);
	char text[GLT_TOKEN_MAX + 1];
	uint8_t bytes[1024], key[GLT_KEY_U64];

	assert_true(len + sizeof(newer) <= sizeof(bytes));
	(void)glt__token__pack(p, bytes);
	glt_token_free(p);
	memcpy(bytes + len, newer, sizeof(newer));
	glt_put_u64(key, 1);
	tmpstore_put(t, GLT_TOKENS, (struct glt_slice){key, sizeof(key)},
		     (struct glt_slice){bytes, len + sizeof(newer)});
	assert_true(has_newer(t, 1));
	glt_token_free(edit(t, (struct glt_edit){.what = GLT_EDIT_NAME, .text = "n"}));
	assert_true(has_newer(t, 1));
	glt_token_free(edit(t, (struct glt_edit){.what = GLT_EDIT_PAUSE}));
	assert_true(has_newer(t, 1));
	must(glt_rotate(t->store, &t->conf, &rot, &p, text, &err));
	assert_true(has_newer(t, 1) && has_newer(t, p->id));
	glt_token_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_token(name_and_description),
		with_token(scopes),
		with_token(scopes_of_the_type),
		with_token(lists),
		with_token(uses),
		with_token(pause_and_resume),
		with_token(expiry),
		with_token(expiry_and_not_before),
		with_token(revoke),
		with_token(revoke_without_reason),
		with_token(revoke_the_dead),
		with_token(all_or_nothing),
		with_token(names_stay_unique),
		with_token(no_return_beside_another),
		with_token(unknown_fields_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
