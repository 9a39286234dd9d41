/* SPDX-License-Identifier: MIT */
/* The secret of a rotated token in use: when that counts, and what becomes of record, family and audit log. */
#include "tmpstore.h"

#include "edit.h"
#include "reuse.h"

#include <string.h>

static uint64_t issue(struct tmpstore *t, const char *name)
{
	struct glt_issue r = tmpstore_personal("alice", name, READ_REPO);

	return tmpstore_issue(t, &r, NULL);
}

static uint64_t rotate(struct tmpstore *t, uint64_t id, int64_t overlap)
{
	struct glt_rotate r = {.id = id, .expires_at = NOW + DAY, .overlap = overlap, .actor = "root", .now = NOW};
	char text[GLT_TOKEN_MAX + 1];
	Glt__Token *p;
	uint64_t next;

	must(glt_rotate(t->store, &t->conf, &r, &p, text, &err));
	next = p->id;
	glt_token_free(p);
	return next;
}

static size_t note(struct tmpstore *t, uint64_t id, bool revoke, int64_t now)
{
	const struct glt_reuse r = {
		.id = id, .revoke = revoke, .actor = "gltoken-auth", .sighted = "there", .now = now};
	size_t revoked = 99;

	must(glt_reuse_note(t->store, &r, &revoked, &err));
	return revoked;
}

static void refused(struct tmpstore *t, uint64_t id, int64_t now)
{
	const struct glt_reuse r = {.id = id, .revoke = true, .actor = "x", .sighted = "there", .now = now};
	uint64_t events = tmpstore_count(t, GLT_AUDIT);
	size_t revoked = 99;

	must_fail(GLT_REFUSED, "was not rotated", glt_reuse_note(t->store, &r, &revoked, &err));
	assert_int_equal(revoked, 0);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events);
}

static void state_is(struct tmpstore *t, uint64_t id, Glt__State state, const char *why)
{
	Glt__Token *p = tmpstore_load(t, id);

	assert_int_equal(p->state, state);
	assert_string_equal(p->revoked_why, why);
	glt_token_free(p);
}

static bool news(struct tmpstore *t, uint64_t id, bool revoke, int64_t now)
{
	Glt__Token *p = tmpstore_load(t, id);
	bool is = glt_reuse_news(t->store, p, revoke, now);

	glt_token_free(p);
	return is;
}

static void when_it_counts(void **state)
{
	struct tmpstore *t = *state;
	uint64_t live = issue(t, "live"), old = issue(t, "old"), slow = issue(t, "slow"), ended = issue(t, "ended");
	const struct glt_edit end = {.what = GLT_EDIT_REVOKE};

	(void)rotate(t, old, 0);
	(void)rotate(t, slow, 3600);
	must(glt_token_edit(t->store, &t->conf, ended, &end, 1, "root", NOW, NULL, &err));
	refused(t, live, NOW);
	refused(t, ended, NOW);
	refused(t, slow, NOW);
	refused(t, slow, NOW + 3599);
	assert_int_equal(note(t, slow, false, NOW + 3600), 0);
	assert_int_equal(note(t, old, false, NOW), 0);
	tmpstore_check(t);
}

static void once_an_hour(void **state)
{
	struct tmpstore *t = *state;
	uint64_t old = issue(t, "old"), next = rotate(t, old, 0);
	const struct glt_edit end = {.what = GLT_EDIT_REVOKE};
	uint64_t events;

	assert_true(news(t, old, false, NOW));
	(void)note(t, old, false, NOW);
	assert_false(news(t, old, false, NOW));
	events = tmpstore_count(t, GLT_AUDIT);
	(void)note(t, old, false, NOW + 1); /* of two at once, one is written down */
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events);
	assert_false(news(t, old, false, NOW + 3599));
	assert_true(news(t, old, false, NOW + 3600));
	assert_true(news(t, old, false, NOW - 1)); /* a clock set back hides nothing */
	/* Where it revokes, it is news as long as somebody lives. */
	assert_true(news(t, old, true, NOW + 1));
	must(glt_token_edit(t->store, &t->conf, next, &end, 1, "root", NOW, NULL, &err));
	assert_false(news(t, old, true, NOW + 1));
}

static void alert_changes_nothing_else(void **state)
{
	struct tmpstore *t = *state;
	uint64_t old = issue(t, "old"), next = rotate(t, old, 0), events = tmpstore_count(t, GLT_AUDIT);
	Glt__Token *p;

	assert_int_equal(note(t, old, false, NOW + 5), 0);
	p = tmpstore_load(t, old);
	assert_true(p->reuse_at == NOW + 5 && p->revoked_at == NOW);
	glt_token_free(p);
	state_is(t, old, GLT__STATE__REVOKED, "rotated");
	state_is(t, next, GLT__STATE__LIVE, "");
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events + 1);
}

/* Of a chain with overlaps all that lives goes, and nothing of another family. */
static void family(void **state)
{
	struct tmpstore *t = *state;
	uint64_t other = issue(t, "other"), first = issue(t, "ci"), second = rotate(t, first, 0),
		 third = rotate(t, second, 3600), fourth = rotate(t, third, 3600);
	uint64_t stranger = rotate(t, other, 3600), events = tmpstore_count(t, GLT_AUDIT);

	assert_int_equal(note(t, first, true, NOW + 10), 3);
	state_is(t, first, GLT__STATE__REVOKED, "rotated");
	state_is(t, second, GLT__STATE__REVOKED, "reuse of token 2");
	state_is(t, third, GLT__STATE__REVOKED, "reuse of token 2");
	state_is(t, fourth, GLT__STATE__REVOKED, "reuse of token 2");
	state_is(t, other, GLT__STATE__LIVE, "");
	state_is(t, stranger, GLT__STATE__LIVE, "");
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events + 4);
	tmpstore_check(t);
	/* A second time there is nobody left, and the token's own overlap is closed with it. */
	assert_int_equal(note(t, other, true, NOW + 3600), 1);
	state_is(t, other, GLT__STATE__REVOKED, "reuse of token 1");
	tmpstore_check(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_user(when_it_counts),
		with_user(once_an_hour),
		with_user(alert_changes_nothing_else),
		with_user(family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
