/* SPDX-License-Identifier: MIT */
/* What a person's session may do to the tokens of a project or group: every role x bearer x new role, and looking. */
#include "decide.h"

#include "tmpstore.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(name) GLT_SCOPE_BIT(GLT_SCOPE_##name)

static const int roles[] = {0, 5, 10, 15, 20, 25, 30, 40, 50, 60};

enum bearer { API_TOKEN, READ_TOKEN, BOT, KEY, DEPLOY_KEY, ACCOUNT, BEARERS };

struct scene {
	Glt__Token token, target;
	Glt__Key key;
	struct glt_question q;
	struct glt_facts f;
};

static void set(struct scene *s, enum bearer bearer, int role)
{
	memset(s, 0, sizeof(*s));
	glt__token__init(&s->token);
	glt__token__init(&s->target);
	glt__key__init(&s->key);
	s->token.id = 7;
	s->token.state = GLT__STATE__LIVE;
	s->token.type = bearer == BOT ? GLT__TYPE__PROJECT : GLT__TYPE__PERSONAL;
	s->token.owner = MUT("alice");
	s->token.scopes = bearer == READ_TOKEN ? BIT(READ_API) : BIT(API);
	s->target.id = 8;
	s->target.type = GLT__TYPE__PROJECT;
	s->target.path = MUT("demo/hello");
	s->target.owner = MUT("project_1_bot_00000000");
	s->target.scopes = BIT(READ_REPOSITORY);
	s->target.role = GLT_DEVELOPER;
	s->key.user = MUT("alice");
	s->q = (struct glt_question){.now = NOW, .address = "192.0.2.7", .service = "sshd", .target = &s->target};
	if (bearer == KEY || bearer == DEPLOY_KEY)
		s->q.key = &s->key;
	else if (bearer == ACCOUNT)
		s->q.user = "alice";
	else
		s->q.token = &s->token;
	if (bearer == DEPLOY_KEY) {
		s->key.user = MUT("");
		s->key.path = MUT("demo/hello");
		s->key.can_push = true;
	}
	s->f = (struct glt_facts){.owner = GLT_OWNER_OK, .member_role = role};
}

static struct glt_answer decide(const struct scene *s)
{
	struct glt_answer a = {.allow = true};

	glt_decide(&s->q, &s->f, &a);
	assert_int_equal(a.allow, a.reason == GLT_WHY_OK);
	assert_true(a.detail[0] != '\0');
	return a;
}

static void is(const struct scene *s, enum glt_reason why)
{
	struct glt_answer a = decide(s);

	if (a.reason != why)
		fail_msg("%s (%s), not %s", glt_reason_name(a.reason), a.detail, glt_reason_name(why));
}

static bool person(enum bearer b)
{
	return b == API_TOKEN || b == KEY || b == ACCOUNT;
}

/* The oracle: GitLab's maintainers and owners manage, and only an owner makes an owner. */
static bool may(enum bearer b, int role, int wanted)
{
	static const int real[] = {10, 15, 20, 25, 30, 40};
	bool below = false;

	for (size_t i = 0; i < COUNT(real); i++)
		below |= real[i] == wanted;
	return person(b) && ((role == 40 && below) || (role == 50 && (below || wanted == 50)));
}

static void every_role(void **state)
{
	static const Glt__Type types[] = {GLT__TYPE__PROJECT, GLT__TYPE__GROUP};
	unsigned allowed = 0, asked = 0;

	(void)state;
	for (int b = 0; b < BEARERS; b++)
		for (size_t r = 0; r < COUNT(roles); r++)
			for (size_t w = 0; w < COUNT(roles); w++)
				for (size_t t = 0; t < COUNT(types); t++) {
					struct scene s;

					set(&s, (enum bearer)b, roles[r]);
					s.q.op = GLT_OP_MINT;
					s.q.mint = types[t];
					s.q.path = "demo/hello";
					s.q.role = roles[w];
					s.q.scopes = BIT(READ_REPOSITORY);
					asked++;
					allowed += decide(&s).allow;
					assert_int_equal(decide(&s).allow, may((enum bearer)b, roles[r], roles[w]));
					s.q.op = GLT_OP_ROTATE;
					s.target.type = types[t];
					s.target.role = (uint32_t)roles[w];
					assert_int_equal(decide(&s).allow, may((enum bearer)b, roles[r], roles[w]));
					s.q.op = GLT_OP_REVOKE;
					assert_int_equal(decide(&s).allow, may((enum bearer)b, roles[r], roles[w]));
				}
	assert_int_equal(asked, BEARERS * 200);
	assert_int_equal(allowed, 3 * 2 * (6 + 7));
}

/* Whether the project exists is known to its members alone. */
static void hidden(void **state)
{
	struct scene s;

	(void)state;
	set(&s, KEY, 0);
	s.q.op = GLT_OP_LIST;
	s.q.path = "demo/hello";
	is(&s, GLT_WHY_NOT_A_MEMBER);
	assert_false(decide(&s).visible);
	s.f.member_role = GLT_REPORTER;
	is(&s, GLT_WHY_ROLE);
	assert_true(decide(&s).visible);
	s.q.op = GLT_OP_SHOW;
	is(&s, GLT_WHY_NOT_YOURS);
	assert_int_equal(decide(&s).role, GLT_NO_ROLE);
	s.q.op = GLT_OP_MINT;
	s.q.mint = GLT__TYPE__GROUP;
	s.q.path = NULL;
	s.f.member_role = GLT_OWNER;
	struct glt_answer a = {.allow = true};
	glt_decide(&s.q, &s.f, &a);
	assert_false(a.allow);
}

static void looking(void **state)
{
	static const enum glt_reason list[BEARERS] = {
		[BOT] = GLT_WHY_NOT_YOURS, [DEPLOY_KEY] = GLT_WHY_NOT_YOURS,
		[API_TOKEN] = GLT_WHY_OK,  [READ_TOKEN] = GLT_WHY_OK,
		[KEY] = GLT_WHY_OK,        [ACCOUNT] = GLT_WHY_OK,
	};
	struct scene s;

	(void)state;
	for (int b = 0; b < BEARERS; b++) {
		set(&s, (enum bearer)b, GLT_MAINTAINER);
		s.q.op = GLT_OP_LIST;
		is(&s, list[b]);
		s.q.path = "demo/hello";
		is(&s, list[b]);
		s.q.op = GLT_OP_SHOW;
		is(&s, list[b]);
		s.target.type = GLT__TYPE__PERSONAL; /* somebody's */
		is(&s, GLT_WHY_NOT_YOURS);
		s.target.owner = MUT("alice");
		is(&s, list[b]);
	}
	set(&s, API_TOKEN, 0);
	s.q.op = GLT_OP_SHOW;
	s.token.scopes = BIT(READ_REPOSITORY);
	is(&s, GLT_WHY_SCOPE);
	s.q.target = &s.token;
	is(&s, GLT_WHY_OK);
}

/* A bot is bounded by the token that makes it, as a personal token is. */
static void bounded(void **state)
{
	static char *globs[] = {MUT("demo/other")};
	struct scene s;

	(void)state;
	set(&s, API_TOKEN, GLT_MAINTAINER);
	s.q.op = GLT_OP_MINT;
	s.q.mint = GLT__TYPE__PROJECT;
	s.q.path = "demo/hello";
	s.q.role = GLT_REPORTER;
	s.q.scopes = BIT(WRITE_REPOSITORY);
	is(&s, GLT_WHY_OK);
	s.q.scopes |= BIT(WRITE_REGISTRY);
	is(&s, GLT_WHY_SCOPE);
	s.q.scopes = BIT(API);
	is(&s, GLT_WHY_OK);
	s.token.only_repo = globs;
	s.token.n_only_repo = 1;
	is(&s, GLT_WHY_REPO_NOT_ALLOWED);
	s.token.n_only_repo = 0;
	s.token.max_uses = s.token.uses_left = 3;
	is(&s, GLT_WHY_NOT_YOURS);
	s.token.max_uses = 0;
	s.q.op = GLT_OP_ROTATE;
	is(&s, GLT_WHY_OK);
	s.target.scopes |= BIT(READ_REGISTRY);
	is(&s, GLT_WHY_SCOPE);
}

/* Administrators' scopes are not for a person to take, however the person logged in. */
static void admin_scopes(void **state)
{
	static const uint64_t admins[] = {BIT(SUDO), BIT(ADMIN_MODE), BIT(READ_SERVICE_PING)};
	struct scene s;

	(void)state;
	for (int b = KEY; b <= ACCOUNT; b += ACCOUNT - KEY)
		for (size_t i = 0; i < COUNT(admins); i++) {
			set(&s, (enum bearer)b, GLT_OWNER);
			s.q.op = GLT_OP_MINT;
			s.q.scopes = BIT(API) | BIT(READ_USER);
			is(&s, GLT_WHY_OK);
			s.q.scopes |= admins[i];
			is(&s, GLT_WHY_SCOPE);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role), cmocka_unit_test(hidden),       cmocka_unit_test(looking),
		cmocka_unit_test(bounded),    cmocka_unit_test(admin_scopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
