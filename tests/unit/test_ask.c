/* SPDX-License-Identifier: MIT */
/* Gathering the facts: who the person is, memberships of Unix groups, and records that are damaged. */
#include "tmpstore.h"

#include "ask.h"
#include "people.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static Glt__Token token_of(const char *owner, uint32_t uid_plus1)
{
	Glt__Token t = GLT__TOKEN__INIT;

	t.id = 1;
	t.type = GLT__TYPE__PERSONAL;
	t.state = GLT__STATE__LIVE;
	t.owner = (char *)owner;
	t.owner_uid_plus1 = uid_plus1;
	t.scopes = READ_REPO | WRITE_REPO;
	return t;
}

static struct glt_answer pull(struct tmpstore *t, struct glt_question q)
{
	struct glt_answer a = {.allow = true};

	q.op = GLT_OP_PULL;
	q.path = q.path ? q.path : "demo/a";
	q.now = NOW;
	must(glt_ask(t->store, &t->conf, &q, &a, &err));
	return a;
}

static void pull_is(struct tmpstore *t, struct glt_question q, enum glt_reason want)
{
	struct glt_answer a = pull(t, q);

	if (a.reason != want)
		fail_msg("%s (%s), not %s", glt_reason_name(a.reason), a.detail, glt_reason_name(want));
}

/* nobody: an account of every system that is not root. */
static struct passwd *account(void)
{
	struct passwd *pw = getpwnam("nobody");

	if (!pw || pw->pw_uid == 0)
		skip();
	return pw;
}

/* ---- the person ---- */

static void users_of_ours(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token token = token_of("alice", 0);
	struct glt_question q = {.token = &token};

	pull_is(t, q, GLT_WHY_OWNER_GONE);
	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	pull_is(t, q, GLT_WHY_NOT_A_MEMBER);
	tmpstore_member(t, "demo", "alice", 20);
	pull_is(t, q, GLT_WHY_OK);
	tmpstore_user(t, "alice", true, GLT__STATE__REVOKED);
	pull_is(t, q, GLT_WHY_OWNER_BLOCKED);
	tmpstore_user(t, "alice", true, GLT__STATE__STATE_NONE);
	pull_is(t, q, GLT_WHY_OWNER_BLOCKED);
}

static void system_accounts(void **state)
{
	struct tmpstore *t = *state;
	struct passwd *pw = account();
	Glt__Token token = token_of("nobody", pw->pw_uid + 1);
	struct glt_question q = {.token = &token};

	tmpstore_member(t, "demo", "nobody", 20);
	pull_is(t, q, GLT_WHY_OK);
	token.owner_uid_plus1 += 7; /* the name belongs to another uid now */
	pull_is(t, q, GLT_WHY_OWNER_GONE);
	token = token_of("no-such-account", pw->pw_uid + 1);
	tmpstore_member(t, "demo", "no-such-account", 50);
	pull_is(t, q, GLT_WHY_OWNER_GONE);
	token = token_of("nobody", pw->pw_uid + 1);
	tmpstore_user(t, "nobody", false, GLT__STATE__LIVE);
	pull_is(t, q, GLT_WHY_OK);
	tmpstore_user(t, "nobody", false, GLT__STATE__REVOKED);
	pull_is(t, q, GLT_WHY_OWNER_BLOCKED);
}

/* A token of a system account, whose name is a user of ours now: another person, who inherits nothing. */
static void recycled_as_virtual(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token token = token_of("alice", 4242);
	Glt__Key key = GLT__KEY__INIT;

	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	tmpstore_member(t, "demo", "alice", 50);
	pull_is(t, (struct glt_question){.token = &token}, GLT_WHY_OWNER_GONE);
	key.user = MUT("alice");
	key.user_uid_plus1 = 4242;
	pull_is(t, (struct glt_question){.key = &key}, GLT_WHY_OWNER_GONE);
	key.user_uid_plus1 = 0;
	pull_is(t, (struct glt_question){.key = &key}, GLT_WHY_OK);
}

static void people_without_a_token(void **state)
{
	struct tmpstore *t = *state;

	(void)account();
	pull_is(t, (struct glt_question){.user = "nobody"}, GLT_WHY_NOT_A_MEMBER);
	tmpstore_member(t, "demo", "nobody", 20);
	pull_is(t, (struct glt_question){.user = "nobody"}, GLT_WHY_OK);
	pull_is(t, (struct glt_question){.user = "no-such-account"}, GLT_WHY_OWNER_GONE);
	tmpstore_user(t, "nobody", false, GLT__STATE__REVOKED);
	pull_is(t, (struct glt_question){.user = "nobody"}, GLT_WHY_OWNER_BLOCKED);
}

static void whose_question(void **state)
{
	Glt__Token token = token_of("alice", 0);
	Glt__Key key = GLT__KEY__INIT;
	struct glt_question q = {.token = &token};

	(void)state;
	assert_string_equal(glt_question_person(&q), "alice");
	token.type = GLT__TYPE__PROJECT;
	assert_null(glt_question_person(&q));
	token.type = GLT__TYPE__DEPLOY;
	assert_null(glt_question_person(&q));
	q = (struct glt_question){.key = &key};
	assert_null(glt_question_person(&q));
	key.user = MUT("bob");
	assert_string_equal(glt_question_person(&q), "bob");
	q = (struct glt_question){.user = "carol"};
	assert_string_equal(glt_question_person(&q), "carol");
}

/* ---- memberships of Unix groups ---- */

static void unix_groups(void **state)
{
	struct tmpstore *t = *state;
	struct passwd *pw = account();
	struct group *gr = getgrgid(pw->pw_gid);
	Glt__Token token = token_of("nobody", pw->pw_uid + 1), ours = token_of("alice", 0);
	char principal[80];
	struct glt_answer a;

	if (!gr)
		skip();
	(void)snprintf(principal, sizeof(principal), "@%s", gr->gr_name);
	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	tmpstore_member(t, "demo", principal, 30);
	tmpstore_member(t, "demo", "@root", 50);
	tmpstore_member(t, "demo/a", "@no-such-group", 50);
	tmpstore_member(t, "demo/a", "nobody", 20);
	a = pull(t, (struct glt_question){.token = &token});
	assert_true(a.allow && a.role == 30);
	assert_non_null(strstr(a.detail, principal));
	/* A user of ours is in no Unix group, whatever it is called. */
	pull_is(t, (struct glt_question){.token = &ours}, GLT_WHY_NOT_A_MEMBER);
	tmpstore_member(t, "demo", principal, 10);
	a = pull(t, (struct glt_question){.token = &token});
	assert_true(a.allow && a.role == 20);
}

/* ---- logins ---- */

static void logins(void **state)
{
	struct tmpstore *t = *state;
	struct passwd *pw = account();
	Glt__Token token = token_of("nobody", pw->pw_uid + 1);
	struct glt_question q = {.token = &token, .op = GLT_OP_LOGIN, .account = "nobody", .now = NOW};
	static const struct {
		const char *account;
		enum glt_reason why;
	} cases[] = {
		{"nobody", GLT_WHY_NOT_GIT_ACCOUNT}, /* her own, but its shell is another */
		{"root", GLT_WHY_WRONG_ACCOUNT},     /* somebody else's */
		{"git", GLT_WHY_NOT_GIT_ACCOUNT},    /* shared, if there is one */
		{"no-such-account", GLT_WHY_WRONG_ACCOUNT},
	};

	(void)snprintf(t->conf.shared_accounts[0], sizeof(t->conf.shared_accounts[0]), "daemon");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct glt_answer a = {.allow = true};

		q.account = strcmp(cases[i].account, "git") == 0 ? "daemon" : cases[i].account;
		must(glt_ask(t->store, &t->conf, &q, &a, &err));
		if (a.reason != cases[i].why)
			fail_msg("account %s: %s", q.account, glt_reason_name(a.reason));
	}
}

/* ---- what cannot be trusted denies ---- */

static void damaged(struct tmpstore *t, struct glt_question q)
{
	struct glt_answer a = {.allow = true};

	q.now = NOW;
	q.path = "demo/a";
	must_fail(GLT_DAMAGED, NULL, glt_ask(t->store, &t->conf, &q, &a, &err));
	assert_true(!a.allow && !a.visible && a.reason == GLT_WHY_DAMAGED);
	assert_true(a.detail[0] != '\0');
}

static void damaged_member(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token token = token_of("alice", 0);

	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	tmpstore_member(t, "demo/a", "alice", 50);
	tmpstore_put(t, GLT_MEMBERS, (struct glt_slice){"demo\0@x", 7}, glt_slice_str("\xff"));
	damaged(t, (struct glt_question){.token = &token, .op = GLT_OP_PULL});
}

static void damaged_user(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token token = token_of("alice", 0);

	tmpstore_put(t, GLT_USERS, glt_slice_str("alice"), glt_slice_str("\xff"));
	damaged(t, (struct glt_question){.token = &token, .op = GLT_OP_PULL});
	damaged(t, (struct glt_question){.user = "alice", .op = GLT_OP_LOGIN, .account = "alice"});
}

/* A protection that cannot be read protects: nobody pushes past it. */
static void damaged_protection(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token token = token_of("alice", 0);
	struct glt_question q = {.token = &token, .op = GLT_OP_PUSH, .ref = "refs/heads/x"};

	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	tmpstore_member(t, "demo/a", "alice", 50);
	tmpstore_put(t, GLT_PROTECTIONS, (struct glt_slice){"demo/a\0refs/heads/main", 22}, glt_slice_str("\xff"));
	damaged(t, q);
	/* That of another project is no matter. */
	q.path = "demo/b";
	tmpstore_member(t, "demo/b", "alice", 50);
	pull_is(t, q, GLT_WHY_OK);
}

static void many_groups(void **state)
{
	struct tmpstore *t = *state;
	Glt__Token token = token_of("alice", 0);
	struct glt_question q = {.token = &token, .op = GLT_OP_PULL, .path = "demo/a", .now = NOW};
	struct glt_answer a = {.allow = true};
	struct glt_change *c = glt_change_new();

	for (int i = 0; i <= GLT_GRANTS_MAX; i++) {
		Glt__Member m = GLT__MEMBER__INIT;
		char who[16];

		(void)snprintf(who, sizeof(who), "@g%d", i);
		m.path = MUT("demo");
		m.principal = who;
		m.role = 50;
		glt_member_store(c, &m);
	}
	tmpstore_apply(tmpstore_begin(t, true), c);
	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	must_fail(GLT_REFUSED, "memberships", glt_ask(t->store, &t->conf, &q, &a, &err));
	assert_true(!a.allow && a.reason == GLT_WHY_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(users_of_ours),
		with_store(system_accounts),
		with_store(recycled_as_virtual),
		with_store(people_without_a_token),
		cmocka_unit_test(whose_question),
		with_store(unix_groups),
		with_store(logins),
		with_store(damaged_member),
		with_store(damaged_user),
		with_store(damaged_protection),
		with_store(many_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
