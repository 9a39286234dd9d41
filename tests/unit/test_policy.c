/* SPDX-License-Identifier: MIT */
/* The host's policy: each rule where tokens are issued, edited and rotated, and for those that were issued before. */
#include "tmpstore.h"

#include "ask.h"
#include "edit.h"
#include "policy.h"
#include "role.h"
#include "when.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define API GLT_SCOPE_BIT(GLT_SCOPE_API)

static void refused(struct tmpstore *t, const struct glt_issue *r, const char *words)
{
	uint64_t tokens = tmpstore_count(t, GLT_TOKENS), events = tmpstore_count(t, GLT_AUDIT);
	char text[GLT_TOKEN_MAX + 1];
	Glt__Token *p;

	must_fail(GLT_REFUSED, words, glt_issue(t->store, &t->conf, r, &p, text, &err));
	assert_null(p);
	assert_string_equal(text, "");
	assert_int_equal(tmpstore_count(t, GLT_TOKENS), tokens);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events);
}

/* ---- rules of what is issued ---- */

static void types(void **state)
{
	static const Glt__Type all[] = {GLT__TYPE__PERSONAL, GLT__TYPE__PROJECT, GLT__TYPE__GROUP,
					GLT__TYPE__DEPLOY};
	struct tmpstore *t = *state;
	char name[16], words[64];

	for (unsigned allowed = 0; allowed < 16; allowed++)
		for (size_t i = 0; i < COUNT(all); i++) {
			struct glt_issue r = all[i] == GLT__TYPE__PERSONAL
						     ? tmpstore_personal("alice", name, READ_REPO)
						     : tmpstore_project("demo/a", name, READ_REPO);

			(void)snprintf(name, sizeof(name), "%u-%zu", allowed, i);
			(void)snprintf(words, sizeof(words),
				       "%s token: refused by [policy] token_types = ", glt_type_name(all[i]));
			r.type = all[i];
			r.role = all[i] == GLT__TYPE__DEPLOY ? 0 : r.role;
			t->conf.token_types = allowed << 1; /* bit 1 << PERSONAL is the second */
			if (allowed & 1u << i)
				(void)tmpstore_issue(t, &r, NULL);
			else
				refused(t, &r, words);
		}
}

static void scopes(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO | API);

	t->conf.scopes_of[GLT__TYPE__PERSONAL] = READ_REPO | WRITE_REPO;
	refused(t, &r, "scope api: refused by [policy] allowed_scopes_personal = read_repository,write_repository");
	r.scopes = READ_REPO;
	(void)tmpstore_issue(t, &r, NULL);
	/* another type has a list of its own */
	r = tmpstore_project("demo/a", "ci", READ_REPO | API);
	(void)tmpstore_issue(t, &r, NULL);
	t->conf.scopes_of[GLT__TYPE__PROJECT] = READ_REPO;
	r.name = "second";
	refused(t, &r, "scope api: refused by [policy] allowed_scopes_project = read_repository");
}

static void role(void **state)
{
	static const int roles[] = {GLT_GUEST,     GLT_PLANNER,    GLT_REPORTER, GLT_SECURITY_MANAGER,
				    GLT_DEVELOPER, GLT_MAINTAINER, GLT_OWNER};
	struct tmpstore *t = *state;
	struct glt_issue r;
	char name[16];

	for (size_t max = 0; max < COUNT(roles); max++)
		for (size_t i = 0; i < COUNT(roles); i++) {
			(void)snprintf(name, sizeof(name), "%zu-%zu", max, i);
			r = tmpstore_project("demo/a", name, READ_REPO);
			r.role = roles[i];
			t->conf.max_role = roles[max];
			if (i <= max)
				(void)tmpstore_issue(t, &r, NULL);
			else
				refused(t, &r, "refused by [policy] max_role = ");
		}
	/* Neither a person's nor a deploy token has a role of its own. */
	t->conf.max_role = GLT_GUEST;
	r = tmpstore_personal("alice", "ci", API);
	(void)tmpstore_issue(t, &r, NULL);
	r = tmpstore_project("demo/a", "robot", WRITE_REPO);
	r.type = GLT__TYPE__DEPLOY;
	r.role = 0;
	(void)tmpstore_issue(t, &r, NULL);
}

static void lifetime_by_type(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);
	Glt__Token *p;

	t->conf.max_lifetime_of[GLT__TYPE__PERSONAL] = 10 * DAY;
	t->conf.max_lifetime_of[GLT__TYPE__PROJECT] = 0;
	r.expires_at = NOW + 10 * DAY + 1;
	refused(t, &r, "expiry 2027-01-25T08:00:01Z: refused by [policy] max_lifetime_personal = 10d");
	r.expires_at = NOW + 10 * DAY;
	(void)tmpstore_issue(t, &r, NULL);
	r.name = "default";
	r.expires_at = GLT_EXPIRES_DEFAULT; /* cut, as by max_lifetime */
	p = tmpstore_load(t, tmpstore_issue(t, &r, NULL));
	assert_true(p->expires_at == NOW + 10 * DAY);
	glt_token_free(p);
	r = tmpstore_project("demo/a", "ci", READ_REPO);
	r.expires_at = NOW + 4000 * DAY;
	(void)tmpstore_issue(t, &r, NULL);
	r.type = GLT__TYPE__GROUP; /* has no limit of its own */
	refused(t, &r, "refused by [policy] max_lifetime = 365d");
}

static void active_tokens(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "one", READ_REPO), bot;
	struct glt_edit later = {.what = GLT_EDIT_EXPIRY, .when = NOW + 9 * DAY};
	const struct glt_edit end = {.what = GLT_EDIT_REVOKE};
	struct glt_rotate rot = {.overlap = 3600, .expires_at = GLT_EXPIRES_DEFAULT, .actor = "root", .now = NOW};
	uint64_t first;

	t->conf.max_active = 2;
	first = tmpstore_issue(t, &r, NULL);
	r.name = "two";
	rot.id = tmpstore_issue(t, &r, NULL);
	r.name = "three";
	refused(t, &r, "alice has 2 active tokens: refused by [policy] max_active = 2");
	/* A rotation needs no room, and the old one in its overlap takes none. */
	{
		char text[GLT_TOKEN_MAX + 1];
		Glt__Token *p;

		must(glt_rotate(t->store, &t->conf, &rot, &p, text, &err));
		glt_token_free(p);
	}
	refused(t, &r, "max_active = 2");
	/* A path's tokens are others, and all its types count together. */
	bot = tmpstore_project("demo/a", "one", READ_REPO);
	(void)tmpstore_issue(t, &bot, NULL);
	bot.type = GLT__TYPE__DEPLOY;
	bot.role = 0;
	(void)tmpstore_issue(t, &bot, NULL);
	bot.name = "two";
	refused(t, &bot, "demo/a has 2 active tokens");
	/* What is dead makes room, and comes back while there is some. */
	must(glt_token_edit(t->store, &t->conf, first, &later, 1, "root", NOW + 2 * DAY, NULL, &err));
	r.now = NOW + 2 * DAY;
	r.expires_at = NOW + 3 * DAY;
	refused(t, &r, "max_active = 2");
	must(glt_token_edit(t->store, &t->conf, first, &end, 1, "root", NOW + 2 * DAY, NULL, &err));
	(void)tmpstore_issue(t, &r, NULL);
}

static void no_way_back(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "one", READ_REPO);
	const struct glt_edit later = {.what = GLT_EDIT_EXPIRY, .when = NOW + 9 * DAY};
	uint64_t first = tmpstore_issue(t, &r, NULL);

	t->conf.max_active = 1;
	r.name = "two";
	r.now = NOW + 2 * DAY;
	r.expires_at = NOW + 5 * DAY;
	(void)tmpstore_issue(t, &r, NULL);
	must_fail(GLT_REFUSED, "alice has 1 active tokens: refused by [policy] max_active = 1",
		  glt_token_edit(t->store, &t->conf, first, &later, 1, "root", NOW + 2 * DAY, NULL, &err));
}

/* ---- edit and rotate ---- */

static void edit_is(struct tmpstore *t, uint64_t id, struct glt_edit e, enum glt_status want, const char *words)
{
	must_fail(want, words, glt_token_edit(t->store, &t->conf, id, &e, 1, "root", NOW, NULL, &err));
}

/* A token from before the policy may be narrowed, renamed and ended, but gets nothing more that is not allowed. */
static void edits(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", API | READ_REPO);
	uint64_t id;

	r.expires_at = NOW + 300 * DAY;
	id = tmpstore_issue(t, &r, NULL);
	t->conf.scopes_of[GLT__TYPE__PERSONAL] = READ_REPO | WRITE_REPO;
	t->conf.max_lifetime = 30 * DAY;
	t->conf.token_types = 1u << GLT__TYPE__DEPLOY;
	edit_is(t, id, (struct glt_edit){.what = GLT_EDIT_NAME, .text = "new"}, GLT_OK, NULL);
	edit_is(t, id, (struct glt_edit){.what = GLT_EDIT_PAUSE}, GLT_OK, NULL);
	edit_is(t, id, (struct glt_edit){.what = GLT_EDIT_SCOPES_ADD, .number = WRITE_REPO}, GLT_OK, NULL);
	edit_is(t, id, (struct glt_edit){.what = GLT_EDIT_SCOPES_ADD, .number = GLT_SCOPE_BIT(GLT_SCOPE_READ_API)},
		GLT_REFUSED, "scope read_api: refused by [policy] allowed_scopes_personal = ");
	edit_is(t, id, (struct glt_edit){.what = GLT_EDIT_EXPIRY, .when = NOW + 31 * DAY}, GLT_REFUSED,
		"expiry 2027-02-15T08:00:00Z: refused by [policy] max_lifetime = 30d");
	edit_is(t, id, (struct glt_edit){.what = GLT_EDIT_EXPIRY, .when = GLT_WHEN_NEVER}, GLT_REFUSED,
		"refused by [policy] require_expiry = yes");
	edit_is(t, id, (struct glt_edit){.what = GLT_EDIT_SCOPES_REMOVE, .number = API}, GLT_OK, NULL);
	edit_is(t, id, (struct glt_edit){.what = GLT_EDIT_SCOPES_ADD, .number = API}, GLT_REFUSED, "scope api");
	edit_is(t, id, (struct glt_edit){.what = GLT_EDIT_EXPIRY, .when = NOW}, GLT_OK, NULL);
	edit_is(t, id, (struct glt_edit){.what = GLT_EDIT_REVOKE}, GLT_OK, NULL);
}

static void rotation(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", API);
	struct glt_rotate rot = {.overlap = GLT_OVERLAP_DEFAULT,
				 .expires_at = GLT_EXPIRES_DEFAULT,
				 .actor = "root",
				 .now = NOW};
	char text[GLT_TOKEN_MAX + 1];
	Glt__Token *p;

	rot.id = tmpstore_issue(t, &r, NULL);
	t->conf.scopes_of[GLT__TYPE__PERSONAL] = READ_REPO;
	must_fail(GLT_REFUSED, "scope api: refused by [policy] allowed_scopes_personal = read_repository",
		  glt_rotate(t->store, &t->conf, &rot, &p, text, &err));
	t->conf.scopes_of[GLT__TYPE__PERSONAL] = 0;
	t->conf.max_lifetime_of[GLT__TYPE__PERSONAL] = DAY; /* cuts GitLab's week */
	rot.expires_at = NOW + 2 * DAY;
	must_fail(GLT_REFUSED, "max_lifetime_personal = 1d", glt_rotate(t->store, &t->conf, &rot, &p, text, &err));
	rot.expires_at = GLT_EXPIRES_DEFAULT;
	must(glt_rotate(t->store, &t->conf, &rot, &p, text, &err));
	assert_true(p->expires_at == NOW + DAY);
	glt_token_free(p);
	p = tmpstore_load(t, rot.id);
	assert_true(p->overlap_end == 0);
	glt_token_free(p);
}

static void overlaps(void **state)
{
	static const struct {
		int64_t min, max, asked, want; /* want -1: refused */
		const char *words;
	} cases[] = {
		{0, 30 * DAY, GLT_OVERLAP_DEFAULT, 0, NULL},
		{0, 30 * DAY, 0, 0, NULL},
		{0, 30 * DAY, 30 * DAY, 30 * DAY, NULL},
		{0, 30 * DAY, 30 * DAY + 1, -1, "overlap 2592001s: refused by [policy] max_overlap = 30d"},
		{0, 0, 0, 0, NULL},
		{0, 0, 1, -1, "overlap 1s: refused by [policy] max_overlap = 0s"},
		{3600, DAY, GLT_OVERLAP_DEFAULT, 3600, NULL},
		{3600, DAY, 3600, 3600, NULL},
		{3600, DAY, 0, -1, "overlap 0s: refused by [policy] min_overlap = 1h"},
		{3600, DAY, 3599, -1, "overlap 3599s: refused by [policy] min_overlap = 1h"},
		{3600, 3600, 3601, -1, "max_overlap = 1h"},
	};
	struct tmpstore *t = *state;
	char name[16], text[GLT_TOKEN_MAX + 1];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct glt_issue r = tmpstore_personal("alice", name, READ_REPO);
		struct glt_rotate rot = {.overlap = cases[i].asked, .actor = "root", .now = NOW + 5};
		Glt__Token *p = NULL;

		(void)snprintf(name, sizeof(name), "n%zu", i);
		rot.expires_at = GLT_EXPIRES_DEFAULT;
		rot.id = tmpstore_issue(t, &r, NULL);
		t->conf.min_overlap = cases[i].min;
		t->conf.max_overlap = cases[i].max;
		must_fail(cases[i].want < 0 ? GLT_REFUSED : GLT_OK, cases[i].words,
			  glt_rotate(t->store, &t->conf, &rot, &p, text, &err));
		glt_token_free(p);
		p = tmpstore_load(t, rot.id);
		assert_true(p->overlap_end == (cases[i].want > 0 ? NOW + 5 + cases[i].want : 0));
		assert_int_equal(p->state, cases[i].want == 0 ? GLT__STATE__REVOKED : GLT__STATE__LIVE);
		glt_token_free(p);
	}
}

/* ---- tokens from before ---- */

static struct glt_answer ask(struct tmpstore *t, uint64_t id, int64_t now, const char *address)
{
	Glt__Token *p = tmpstore_load(t, id);
	struct glt_question q = {.token = p, .op = GLT_OP_CHECK, .service = "sshd", .address = address, .now = now};
	struct glt_answer a;

	must(glt_ask(t->store, &t->conf, &q, &a, &err));
	assert_int_equal(a.allow, a.reason == GLT_WHY_OK);
	glt_token_free(p);
	return a;
}

static void is(struct tmpstore *t, uint64_t id, int64_t now, enum glt_reason why, const char *words)
{
	struct glt_answer a = ask(t, id, now, "192.0.2.7");

	if (a.reason != why || (words && !strstr(a.detail, words)))
		fail_msg("at NOW%+lld: %s (%s)", (long long)(now - NOW), glt_reason_name(a.reason), a.detail);
}

static void stricter_policy(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", API);
	uint64_t id;

	r.expires_at = NOW + 100 * DAY;
	id = tmpstore_issue(t, &r, NULL);
	t->conf.scopes_of[GLT__TYPE__PERSONAL] = READ_REPO;
	is(t, id, NOW, GLT_WHY_OK, NULL); /* retroactive = no */
	t->conf.retroactive_from = 1;
	is(t, id, NOW, GLT_WHY_POLICY, "scope api: refused by [policy] allowed_scopes_personal");
	t->conf.retroactive_from = NOW + 10;
	is(t, id, NOW + 9, GLT_WHY_OK, NULL);
	is(t, id, NOW + 10, GLT_WHY_POLICY, "allowed_scopes_personal");
	t->conf.scopes_of[GLT__TYPE__PERSONAL] = 0;
	is(t, id, NOW + 10, GLT_WHY_OK, NULL);
	t->conf.token_types = 0;
	is(t, id, NOW + 10, GLT_WHY_POLICY, "personal token: refused by [policy] token_types = ");
	t->conf.token_types = 1u << GLT__TYPE__PERSONAL;
	/* Too long a life ends when it could have ended. */
	t->conf.max_lifetime = 5 * DAY;
	is(t, id, NOW + 5 * DAY - 1, GLT_WHY_OK, NULL);
	is(t, id, NOW + 5 * DAY, GLT_WHY_POLICY,
	   "expiry 2027-04-25T08:00:00Z: refused by [policy] max_lifetime = 5d");
	t->conf.max_lifetime_of[GLT__TYPE__PERSONAL] = 200 * DAY;
	is(t, id, NOW + 5 * DAY, GLT_WHY_OK, NULL);
	is(t, id, NOW + 100 * DAY, GLT_WHY_EXPIRED, NULL);
}

static void stricter_for_bots_and_the_endless(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_project("demo/a", "ci", READ_REPO);
	uint64_t id;

	t->conf.require_expiry = false;
	t->conf.max_lifetime = 0;
	r.role = GLT_MAINTAINER;
	r.expires_at = GLT_WHEN_NEVER;
	id = tmpstore_issue(t, &r, NULL);
	t->conf.retroactive_from = 1;
	is(t, id, NOW + 900 * DAY, GLT_WHY_OK, NULL);
	t->conf.max_role = GLT_DEVELOPER;
	is(t, id, NOW, GLT_WHY_POLICY, "role maintainer: refused by [policy] max_role = developer");
	t->conf.max_role = GLT_OWNER;
	t->conf.max_lifetime = 5 * DAY;
	is(t, id, NOW + 5 * DAY - 1, GLT_WHY_OK, NULL);
	is(t, id, NOW + 5 * DAY, GLT_WHY_POLICY, "expiry 'never': refused by [policy] max_lifetime = 5d");
	t->conf.require_expiry = true; /* broken from its first second */
	is(t, id, NOW, GLT_WHY_POLICY, "expiry 'never': refused by [policy] require_expiry = yes");
}

/* An edit of the expiry that the policy allowed is not broken by the token's age. */
static void a_life_begins_anew(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);
	const struct glt_edit later = {.what = GLT_EDIT_EXPIRY, .when = NOW + 20 * DAY};
	uint64_t id;

	t->conf.max_lifetime = 12 * DAY;
	t->conf.retroactive_from = 1;
	r.expires_at = NOW + 10 * DAY;
	id = tmpstore_issue(t, &r, NULL);
	must_fail(GLT_REFUSED, "max_lifetime = 12d",
		  glt_token_edit(t->store, &t->conf, id, &later, 1, "root", NOW, NULL, &err));
	must(glt_token_edit(t->store, &t->conf, id, &later, 1, "root", NOW + 9 * DAY, NULL, &err));
	is(t, id, NOW + 19 * DAY, GLT_WHY_OK, NULL);
}

static void host_addresses(void **state)
{
	static const struct {
		const char *address;
		bool in;
	} cases[] = {
		{"192.0.2.7", true},
		{"::ffff:192.0.2.7", true},
		{"2001:db8::1", true},
		{"192.0.3.7", false},
		{"2001:db9::1", false},
		{"local", false},
		{"", false},
		{NULL, false},
		{"git.example.org", false},
		{"2001:db8::1%eth0", false},
	};
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);
	char *own[] = {MUT("192.0.2.0/28")};
	struct glt_question person = {.user = "alice", .op = GLT_OP_LIST, .service = "sshd", .now = NOW};
	struct glt_answer a;
	uint64_t id = tmpstore_issue(t, &r, NULL), narrow;

	r.name = "narrow";
	r.allow_from = own;
	r.n_allow_from = 1;
	narrow = tmpstore_issue(t, &r, NULL);
	assert_true(ask(t, id, NOW, "198.51.100.1").allow);
	strcpy(t->conf.policy_allow_from[0], "192.0.2.0/24");
	strcpy(t->conf.policy_allow_from[1], "2001:db8::/32");
	for (size_t i = 0; i < COUNT(cases); i++) {
		a = ask(t, id, NOW, cases[i].address);
		assert_int_equal(a.allow, cases[i].in);
		if (!cases[i].in)
			assert_true(a.reason == GLT_WHY_ADDRESS && strstr(a.detail, "[policy] allow_from"));
		person.address = cases[i].address; /* whoever comes without a token, too */
		must(glt_ask(t->store, &t->conf, &person, &a, &err));
		assert_int_equal(a.reason == GLT_WHY_ADDRESS, !cases[i].in);
	}
	/* Both lists count. */
	assert_true(ask(t, narrow, NOW, "192.0.2.7").allow);
	assert_int_equal(ask(t, narrow, NOW, "192.0.2.77").reason, GLT_WHY_ADDRESS);
	assert_true(glt_reason_is_state(GLT_WHY_ADDRESS) && glt_reason_is_state(GLT_WHY_POLICY));
}

/* With any other flaw, one of the two is the reason, and never "ok". */
static void in_pairs(void **state)
{
	for (int flaw = 0; flaw < 6; flaw++)
		for (int policy = 0; policy < 4; policy++) {
			Glt__Token t = GLT__TOKEN__INIT;
			struct glt_question q = {.token = &t, .op = GLT_OP_CHECK, .service = "sshd", .now = NOW};
			struct glt_facts f = {.owner = GLT_OWNER_OK, .retroactive_from = 1};
			struct glt_answer a;

			t.state = flaw == 1 ? GLT__STATE__REVOKED : GLT__STATE__LIVE;
			t.expires_at = flaw == 2 ? NOW : 0;
			t.paused = flaw == 3;
			t.not_before = flaw == 4 ? NOW + 1 : 0;
			f.owner = flaw == 5 ? GLT_OWNER_IS_BLOCKED : GLT_OWNER_OK;
			f.host_refuses = policy & 1;
			f.breach.rule = policy & 2 ? "max_role" : NULL;
			glt_decide(&q, &f, &a);
			assert_int_equal(a.allow, flaw == 0 && policy == 0);
			/* state first: who comes with a dead token learns no more than that */
			if (flaw)
				assert_true(a.reason != GLT_WHY_POLICY && a.reason != GLT_WHY_ADDRESS);
			else if (policy)
				assert_int_equal(a.reason, policy & 1 ? GLT_WHY_ADDRESS : GLT_WHY_POLICY);
		}
	(void)state;
}

static void texts(void **state)
{
	char span[GLT_SPAN_TEXT], list[GLT_TYPES_TEXT];

	(void)state;
	glt_span_format(0, span);
	assert_string_equal(span, "0s");
	glt_span_format(365 * DAY, span);
	assert_string_equal(span, "365d");
	glt_span_format(36 * 3600, span);
	assert_string_equal(span, "36h");
	glt_span_format(90, span);
	assert_string_equal(span, "90s");
	glt_span_format(120, span);
	assert_string_equal(span, "2m");
	glt_types_format(~0u, list);
	assert_string_equal(list, "personal,project,group,deploy");
	glt_types_format(0, list);
	assert_string_equal(list, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_user(types),
		with_user(scopes),
		with_user(role),
		with_user(lifetime_by_type),
		with_user(active_tokens),
		with_user(no_way_back),
		with_user(edits),
		with_user(rotation),
		with_user(overlaps),
		with_user(stricter_policy),
		with_user(stricter_for_bots_and_the_endless),
		with_user(a_life_begins_anew),
		with_user(host_addresses),
		cmocka_unit_test(in_pairs),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
