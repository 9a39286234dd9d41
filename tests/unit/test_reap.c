/* SPDX-License-Identifier: MIT */
/* Removing what is dead: which tokens go and which stay, what becomes of links, names and numbers, and a kill. */
#include "tmpstore.h"

#include "edit.h"
#include "reap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define KEEP (30 * DAY)

struct seen {
	uint64_t id[1024];
	int64_t died[1024];
	size_t n, accounts;
};

static void note(void *arg, const Glt__Token *t, int64_t died, bool account_gone)
{
	struct seen *s = arg;

	s->id[s->n] = t->id;
	s->died[s->n++] = died;
	s->accounts += account_gone;
}

static struct seen reap(struct tmpstore *t, int64_t now, bool dry_run)
{
	struct seen seen = {.n = 0};
	struct glt_reap r = {
		.before = now - KEEP, .now = now, .dry_run = dry_run, .actor = "root", .fn = note, .arg = &seen};

	must(glt_reap(t->store, &r, &err));
	assert_int_equal(r.removed, seen.n);
	assert_int_equal(r.damaged, 0);
	tmpstore_check(t);
	return seen;
}

static uint64_t issue(struct tmpstore *t, const char *name, int64_t expires_at)
{
	struct glt_issue r = tmpstore_personal("alice", name, READ_REPO);

	r.expires_at = expires_at;
	return tmpstore_issue(t, &r, NULL);
}

static void end(struct tmpstore *t, uint64_t id, int64_t at)
{
	const struct glt_edit e = {.what = GLT_EDIT_REVOKE, .text = "test"};

	must(glt_token_edit(t->store, &t->conf, id, &e, 1, "root", at, NULL, &err));
}

static uint64_t rotate(struct tmpstore *t, uint64_t id, int64_t at, int64_t overlap)
{
	struct glt_rotate r = {
		.id = id, .expires_at = GLT_EXPIRES_DEFAULT, .overlap = overlap, .actor = "root", .now = at};
	char text[GLT_TOKEN_MAX + 1];
	Glt__Token *record;
	uint64_t next;

	must(glt_rotate(t->store, &t->conf, &r, &record, text, &err));
	next = record->id;
	glt_token_free(record);
	return next;
}

static bool there(struct tmpstore *t, uint64_t id)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	Glt__Token *record;
	enum glt_status st = glt_token_load(txn, id, &record, NULL);

	glt_token_free(record);
	glt_txn_end(txn);
	return st == GLT_OK;
}

static void the_dead_of_long_ago_go(void **state)
{
	struct tmpstore *t = *state;
	uint64_t alive = issue(t, "alive", NOW + 300 * DAY), expired = issue(t, "expired", NOW + DAY),
		 revoked = issue(t, "revoked", NOW + 300 * DAY), recent = issue(t, "recent", NOW + 10 * DAY),
		 events;
	struct seen s;

	end(t, revoked, NOW + 2 * DAY);
	events = tmpstore_count(t, GLT_AUDIT);
	assert_int_equal(reap(t, NOW + DAY + KEEP, false).n, 0); /* to the second */
	s = reap(t, NOW + DAY + KEEP + 1, false);
	assert_true(s.n == 1 && s.id[0] == expired && s.died[0] == NOW + DAY && s.accounts == 0);
	s = reap(t, NOW + 5 * DAY + KEEP, false);
	assert_true(s.n == 1 && s.id[0] == revoked && s.died[0] == NOW + 2 * DAY);
	assert_true(there(t, alive) && there(t, recent) && !there(t, expired) && !there(t, revoked));
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events + 2);
	assert_int_equal(tmpstore_count(t, GLT_TOKENS), 2);
	assert_int_equal(tmpstore_count(t, GLT_BY_SELECTOR), 2);
}

static void what_died_first_counts(void **state)
{
	struct tmpstore *t = *state;
	uint64_t id = issue(t, "x", NOW + DAY);
	Glt__Token *record;

	end(t, id, NOW + 20 * DAY);
	record = tmpstore_load(t, id);
	assert_true(glt_token_died(record, NOW + 20 * DAY) == NOW + DAY);
	assert_true(glt_token_died(record, NOW) == NOW + 20 * DAY);
	record->state = GLT__STATE__LIVE;
	assert_true(glt_token_died(record, NOW + DAY - 1) == 0 && glt_token_died(record, NOW + DAY) == NOW + DAY);
	record->expires_at = 0;
	record->paused = true;
	record->max_uses = 1;
	record->uses_left = 0;
	assert_true(glt_token_died(record, NOW + 1000 * DAY) == 0);
	record->state = GLT__STATE__STATE_NONE; /* damage is no death: somebody should look at it */
	assert_true(glt_token_died(record, NOW + 1000 * DAY) == 0);
	glt_token_free(record);
}

static void a_dry_run_changes_nothing(void **state)
{
	struct tmpstore *t = *state;
	uint64_t id = issue(t, "x", NOW + DAY), events;
	struct seen s;

	(void)rotate(t, id, NOW + 10, 0);
	events = tmpstore_count(t, GLT_AUDIT);
	s = reap(t, NOW + 100 * DAY, true);
	assert_true(s.n == 2 && there(t, id) && tmpstore_count(t, GLT_AUDIT) == events);
	assert_int_equal(reap(t, NOW + 100 * DAY, false).n, 2);
}

/* first is alive in its overlap for long, second was revoked at once: first must go on naming one that is there. */
static void an_overlap_keeps_what_it_leads_to(void **state)
{
	struct tmpstore *t = *state;
	uint64_t first = issue(t, "x", NOW + 300 * DAY), second;
	struct seen s;

	t->conf.max_overlap = 100 * DAY;
	second = rotate(t, first, NOW + 10, 100 * DAY);
	end(t, second, NOW + 20);
	for (int dry = 1; dry >= 0; dry--)
		assert_int_equal(reap(t, NOW + 90 * DAY, dry).n, 0);
	assert_true(there(t, first) && there(t, second));
	s = reap(t, NOW + 101 * DAY + KEEP, true);
	assert_int_equal(s.n, 2);
	s = reap(t, NOW + 101 * DAY + KEEP, false);
	assert_true(s.n == 2 && s.id[0] == first && s.id[1] == second && s.died[0] == NOW + 10 + 100 * DAY);
}

static void links_and_family_stay_true(void **state)
{
	struct tmpstore *t = *state;
	uint64_t first = issue(t, "x", NOW + 300 * DAY), second = rotate(t, first, NOW + 10, 0),
		 third = rotate(t, second, NOW + 5 * DAY, 0);
	Glt__Token *before = tmpstore_load(t, second), *after;
	struct seen s = reap(t, NOW + 4 * DAY + KEEP, false);

	assert_true(s.n == 1 && s.id[0] == first);
	after = tmpstore_load(t, second);
	assert_true(after->previous == 0 && after->next == third && after->family == first);
	assert_true(after->state == GLT__STATE__REVOKED && after->generation > before->generation);
	glt_token_free(before);
	glt_token_free(after);
	s = reap(t, NOW + 6 * DAY + KEEP, false);
	assert_true(s.n == 1 && s.id[0] == second);
	after = tmpstore_load(t, third);
	assert_true(after->previous == 0 && after->family == first);
	glt_token_free(after);
}

static void numbers_are_not_used_again(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = {.type = GLT__TYPE__DEPLOY,
			      .name = "robot",
			      .target = "demo/hello",
			      .scopes = READ_REPO,
			      .expires_at = NOW + DAY,
			      .actor = "root",
			      .now = NOW};
	uint64_t first = tmpstore_issue(t, &r, NULL), second;
	Glt__Token *a = tmpstore_load(t, first), *b;
	struct seen s;

	s = reap(t, NOW + 2 * DAY + KEEP, false);
	assert_true(s.n == 1 && s.accounts == 1);
	r.now = NOW + 2 * DAY + KEEP;
	r.expires_at = r.now + DAY;
	second = tmpstore_issue(t, &r, NULL);
	b = tmpstore_load(t, second);
	assert_true(second > first);
	assert_string_not_equal(a->owner, b->owner);
	glt_token_free(a);
	glt_token_free(b);
}

/* Two tokens of one bot, as a rotation leaves them: it goes with the last of them, and is counted once. */
static void a_bot_goes_with_its_last_token(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_project("demo/hello", "bot", READ_REPO);
	uint64_t first, second;
	Glt__Token *record;
	struct seen s;

	r.expires_at = NOW + 300 * DAY;
	first = tmpstore_issue(t, &r, NULL);
	second = rotate(t, first, NOW + 1, 0);
	s = reap(t, NOW + 4 * DAY + KEEP, false);
	assert_true(s.n == 1 && s.id[0] == first && s.accounts == 0);
	record = tmpstore_load(t, second);
	assert_true(record->previous == 0);
	glt_token_free(record);
	s = reap(t, NOW + 40 * DAY + KEEP, false);
	assert_true(s.n == 1 && s.id[0] == second && s.accounts == 1);
	first = tmpstore_issue(t, &r, NULL);
	second = rotate(t, first, NOW + 1, 0);
	s = reap(t, NOW + 400 * DAY, false);
	assert_true(s.n == 2 && s.accounts == 1);
}

/* ---- more than one batch ---- */

#define MANY 300

/* Copies of one record: hashing so many secrets would take long. */
static void fill(struct tmpstore *t)
{
	uint64_t id = issue(t, "many", NOW + DAY);
	Glt__Token *one = tmpstore_load(t, id);

	for (int i = 1; i < MANY; i++) {
		struct glt_txn *txn = tmpstore_begin(t, true);
		struct glt_change *c = glt_change_new();
		char selector[GLT_SELECTOR_LEN + 1];

		(void)snprintf(selector, sizeof(selector), "x%05u", (unsigned)i % 100000);
		one->id = one->family = glt_next(txn, GLT_NEXT_ID);
		assert_true(glt_token_set_text(&one->selector, selector));
		glt_token_store(txn, c, NULL, one);
		tmpstore_apply(txn, c);
	}
	glt_token_free(one);
}

static void many_go_in_pieces(void **state)
{
	struct tmpstore *t = *state;
	uint64_t before;
	struct seen s;

	fill(t);
	before = tmpstore_count(t, GLT_AUDIT);
	s = reap(t, NOW + 2 * DAY + KEEP, false);
	assert_int_equal(s.n, MANY);
	assert_int_equal(tmpstore_count(t, GLT_TOKENS), 0);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), before + MANY);
}

static void die_after_first(void *arg, const Glt__Token *t, int64_t died, bool account_gone)
{
	(void)arg;
	(void)t;
	(void)died;
	(void)account_gone;
	(void)raise(SIGKILL);
}

static bool reap_and_die(struct tmpstore *t, void *arg)
{
	struct glt_reap r = {.before = NOW + DAY + 1, .now = NOW + 40 * DAY, .actor = "root", .fn = die_after_first};

	(void)arg;
	tmpstore_open(t);
	return glt_reap(t->store, &r, NULL) == GLT_OK;
}

static void a_kill_between_batches_is_no_harm(void **state)
{
	struct tmpstore *t = *state;
	uint64_t left;
	int status;

	fill(t);
	tmpstore_close(t);
	status = child_wait(child_start(t, reap_and_die, NULL));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	tmpstore_open(t);
	left = tmpstore_count(t, GLT_TOKENS);
	assert_true(left > 0 && left < MANY); /* so it is more than one transaction */
	tmpstore_check(t);
	assert_int_equal(reap(t, NOW + 2 * DAY + KEEP, false).n, left);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_user(the_dead_of_long_ago_go),           with_user(what_died_first_counts),
		with_user(a_dry_run_changes_nothing),         with_user(an_overlap_keeps_what_it_leads_to),
		with_user(links_and_family_stay_true),        with_user(numbers_are_not_used_again),
		with_user(a_bot_goes_with_its_last_token),    with_user(many_go_in_pieces),
		with_user(a_kill_between_batches_is_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
