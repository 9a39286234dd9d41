/* SPDX-License-Identifier: MIT */
/* [git] backend = gitolite: what is decided here, where another program decides about people. */
#include "decide.h"

#include "tmpstore.h"

#include <string.h>

#define BIT(name) GLT_SCOPE_BIT(GLT_SCOPE_##name)

static struct glt_answer decide(const struct glt_question *q, const struct glt_facts *f)
{
	struct glt_answer a = {.allow = true};

	glt_decide(q, f, &a);
	assert_int_equal(a.allow, a.reason == GLT_WHY_OK);
	return a;
}

/* gitolite.conf decides about people: their membership is not asked, all that is the token's own is. */
static void people_are_anothers_business(void **state)
{
	Glt__Key key = GLT__KEY__INIT;
	Glt__Token t = GLT__TOKEN__INIT;
	struct glt_facts f = {.owner = GLT_OWNER_OK};
	struct glt_question q = {.token = &t, .op = GLT_OP_PUSH, .path = "demo/hello", .account = "git", .now = 100};

	(void)state;
	t.id = 7;
	t.type = GLT__TYPE__PERSONAL;
	t.state = GLT__STATE__LIVE;
	t.owner = MUT("alice");
	t.scopes = BIT(API);
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NOT_A_MEMBER);
	f.roles_elsewhere = true;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_OK);
	assert_non_null(strstr(decide(&q, &f).detail, "gitolite.conf"));
	t.scopes = BIT(READ_REPOSITORY);
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_SCOPE);
	t.scopes = BIT(API);
	t.only_repo = (char *[]){MUT("other/*")};
	t.n_only_repo = 1;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_REPO_NOT_ALLOWED);
	t.n_only_repo = 0;
	f.owner = GLT_OWNER_IS_BLOCKED;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_OWNER_BLOCKED);
	f.owner = GLT_OWNER_OK;

	/* What nobody may push stays so, and a role of a bot is its token's. */
	q.ref = "refs/heads/main";
	f.has_protection = true;
	f.ref_role = GLT_MAINTAINER;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_OK);
	f.ref_role = GLT_NO_ROLE;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_REF_PROTECTED);
	f.has_protection = false;
	t.type = GLT__TYPE__PROJECT;
	t.path = MUT("demo/hello");
	t.role = GLT_REPORTER;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_ROLE);
	t.role = GLT_DEVELOPER;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_OK);
	q.path = "demo/other";
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_WRONG_PROJECT);

	/* A deploy key is for its project; who manages tokens is no question to gitolite. */
	q.token = NULL;
	q.key = &key;
	key.user = MUT("");
	key.path = MUT("demo/hello");
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_WRONG_PROJECT);
	q.path = "demo/hello";
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_ROLE);
	key.user = MUT("alice");
	key.path = MUT("");
	q.op = GLT_OP_MINT;
	q.mint = GLT__TYPE__PROJECT;
	q.role = GLT_REPORTER;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NOT_A_MEMBER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(people_are_anothers_business)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
