/* SPDX-License-Identifier: MIT */
/* Each restriction alone and all together, logins, and changes that a session makes: glt_decide() on facts. */
#include "decide.h"

#include "tmpstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(name) GLT_SCOPE_BIT(GLT_SCOPE_##name)

static char *ranges[] = {MUT("198.51.100.0/24"), MUT("192.0.2.0/24")}, *globs[] = {MUT("other/*"), MUT("demo/**")};
static char *services[] = {MUT("http"), MUT("sshd")};

/* A personal token of alice, maintainer of demo, that pushes to demo/hello from 192.0.2.7 by sshd. */
static void good(Glt__Token *t, struct glt_question *q, struct glt_facts *f)
{
	glt__token__init(t);
	t->id = 7;
	t->type = GLT__TYPE__PERSONAL;
	t->state = GLT__STATE__LIVE;
	t->owner = MUT("alice");
	t->scopes = BIT(API);
	t->created_at = NOW - 100;
	*q = (struct glt_question){
		.token = t, .op = GLT_OP_PUSH, .path = "demo/hello", .account = "git", .now = NOW};
	q->address = "192.0.2.7";
	q->service = "sshd";
	*f = (struct glt_facts){.owner = GLT_OWNER_OK, .account_shared = true, .shell = GLT_SHELL_GLTOKEN};
	f->member_role = GLT_MAINTAINER;
	strcpy(f->member_path, "demo");
	strcpy(f->member_principal, "alice");
}

static struct glt_answer decide(const struct glt_question *q, const struct glt_facts *f)
{
	struct glt_answer a = {.allow = true};

	glt_decide(q, f, &a);
	assert_int_equal(a.allow, a.reason == GLT_WHY_OK);
	assert_true(a.detail[0] != '\0');
	return a;
}

/* ---- states and restrictions ---- */

struct flaw {
	const char *name;
	void (*spoil)(Glt__Token *t, struct glt_question *q, struct glt_facts *f);
	enum glt_reason why;
};
#define SPOIL(name, ...)                                                             \
	static void name(Glt__Token *t, struct glt_question *q, struct glt_facts *f) \
	{                                                                            \
		(void)t;                                                             \
		(void)q;                                                             \
		(void)f;                                                             \
		__VA_ARGS__;                                                         \
	}
SPOIL(nothing, (void)0)
SPOIL(revoked, t->state = GLT__STATE__REVOKED)
SPOIL(stateless, t->state = GLT__STATE__STATE_NONE)
SPOIL(strange_state, t->state = (Glt__State)9)
SPOIL(expired, t->expires_at = NOW)
SPOIL(expires_soon, t->expires_at = NOW + 1)
SPOIL(too_early, t->not_before = NOW + 1)
SPOIL(just_in_time, t->not_before = NOW)
SPOIL(paused, t->paused = true)
SPOIL(rotated, t->next = 8)
SPOIL(overlap_over, t->next = 8; t->overlap_end = NOW)
SPOIL(in_overlap, t->next = 8; t->overlap_end = NOW + 1)
SPOIL(blocked, f->owner = GLT_OWNER_IS_BLOCKED)
SPOIL(gone, f->owner = GLT_OWNER_IS_GONE)
SPOIL(strange_owner, f->owner = (enum glt_owner_state)9)
SPOIL(allowed_from, t->allow_from = ranges; t->n_allow_from = 2)
SPOIL(elsewhere, t->allow_from = ranges; t->n_allow_from = 1)
SPOIL(from_nowhere, t->allow_from = ranges; t->n_allow_from = 2; q->address = NULL)
SPOIL(from_local, t->allow_from = ranges; t->n_allow_from = 2; q->address = "local")
SPOIL(from_name, t->allow_from = ranges; t->n_allow_from = 2; q->address = "git.example.org")
SPOIL(from_mapped, t->allow_from = ranges; t->n_allow_from = 2; q->address = "::ffff:192.0.2.7")
SPOIL(by_sshd, t->services = services; t->n_services = 2)
SPOIL(by_http_only, t->services = services; t->n_services = 1)
SPOIL(by_nothing, t->services = services; t->n_services = 2; q->service = NULL)
SPOIL(limited, t->max_uses = 3; t->uses_left = 1; q->begins = true)
SPOIL(used_up, t->max_uses = 3; t->uses_left = 0; q->begins = true)
SPOIL(last_session, t->max_uses = 3; t->uses_left = 0)
SPOIL(limited_by_http, t->max_uses = 3; t->uses_left = 1; q->service = "http")
SPOIL(scope_there, q->need_scope = true; q->scope = GLT_SCOPE_API)
SPOIL(scope_not_there, q->need_scope = true; q->scope = GLT_SCOPE_READ_REPOSITORY)

static const struct flaw flaws[] = {
	{"nothing", nothing, GLT_WHY_OK},
	{"revoked", revoked, GLT_WHY_REVOKED},
	{"stateless", stateless, GLT_WHY_DAMAGED},
	{"strange_state", strange_state, GLT_WHY_DAMAGED},
	{"expired", expired, GLT_WHY_EXPIRED},
	{"expires_soon", expires_soon, GLT_WHY_OK},
	{"too_early", too_early, GLT_WHY_NOT_YET_VALID},
	{"just_in_time", just_in_time, GLT_WHY_OK},
	{"paused", paused, GLT_WHY_PAUSED},
	{"rotated", rotated, GLT_WHY_REVOKED},
	{"overlap_over", overlap_over, GLT_WHY_REVOKED},
	{"in_overlap", in_overlap, GLT_WHY_OK},
	{"blocked", blocked, GLT_WHY_OWNER_BLOCKED},
	{"gone", gone, GLT_WHY_OWNER_GONE},
	{"strange_owner", strange_owner, GLT_WHY_OWNER_GONE},
	{"allowed_from", allowed_from, GLT_WHY_OK},
	{"elsewhere", elsewhere, GLT_WHY_ADDRESS},
	{"from_nowhere", from_nowhere, GLT_WHY_ADDRESS},
	{"from_local", from_local, GLT_WHY_ADDRESS},
	{"from_name", from_name, GLT_WHY_ADDRESS},
	{"from_mapped", from_mapped, GLT_WHY_OK},
	{"by_sshd", by_sshd, GLT_WHY_OK},
	{"by_http_only", by_http_only, GLT_WHY_SERVICE},
	{"by_nothing", by_nothing, GLT_WHY_SERVICE},
	{"limited", limited, GLT_WHY_OK},
	{"used_up", used_up, GLT_WHY_USED_UP},
	{"last_session", last_session, GLT_WHY_OK}, /* its use was taken when it began */
	{"limited_by_http", limited_by_http, GLT_WHY_SERVICE},
	{"scope_there", scope_there, GLT_WHY_OK},
	{"scope_not_there", scope_not_there, GLT_WHY_SCOPE},
};

/* Whatever a token is asked for, each restriction counts. */
static void each_flaw_alone(void **state)
{
	static const enum glt_op ops[] = {GLT_OP_LOGIN, GLT_OP_CHECK,  GLT_OP_PULL,  GLT_OP_PUSH,
					  GLT_OP_MINT,  GLT_OP_ROTATE, GLT_OP_REVOKE};

	(void)state;
	for (size_t o = 0; o < COUNT(ops); o++) {
		for (size_t i = 0; i < COUNT(flaws); i++) {
			struct glt_question q;
			struct glt_facts f;
			struct glt_answer a;
			Glt__Token t;

			good(&t, &q, &f);
			q.op = ops[o];
			q.account = ops[o] == GLT_OP_CHECK ? "alice" : "git";
			q.target = &t;
			flaws[i].spoil(&t, &q, &f);
			if ((ops[o] == GLT_OP_MINT || ops[o] == GLT_OP_ROTATE) && t.max_uses)
				continue; /* by a rule of its own, see mint() and a_use_limit_is_not_renewed() */
			a = decide(&q, &f);
			if (a.reason != flaws[i].why)
				fail_msg("operation %d, %s: %s (%s)", ops[o], flaws[i].name,
					 glt_reason_name(a.reason), a.detail);
		}
	}
}

/* Any mixture: allowed if no flaw is among them, else one of them is the reason. */
static void flaws_mixed(void **state)
{
	unsigned allowed = 0;

	(void)state;
	srandom(1);
	for (int n = 0; n < 30000; n++) {
		struct glt_question q;
		struct glt_facts f;
		struct glt_answer a;
		Glt__Token t;
		uint64_t why = 0;

		good(&t, &q, &f);
		for (int k = 0; k < 3; k++) {
			size_t i = (size_t)random() % COUNT(flaws);

			flaws[i].spoil(&t, &q, &f);
		}
		/* They overwrite each other's fields, so the oracle looks at what came out. */
		why |= t.state != GLT__STATE__LIVE
			       ? UINT64_C(1) << GLT_WHY_REVOKED | UINT64_C(1) << GLT_WHY_DAMAGED
			       : 0;
		why |= t.next && t.overlap_end <= NOW ? UINT64_C(1) << GLT_WHY_REVOKED : 0;
		why |= t.expires_at && t.expires_at <= NOW ? UINT64_C(1) << GLT_WHY_EXPIRED : 0;
		why |= t.not_before > NOW ? UINT64_C(1) << GLT_WHY_NOT_YET_VALID : 0;
		why |= t.paused ? UINT64_C(1) << GLT_WHY_PAUSED : 0;
		why |= f.owner == GLT_OWNER_IS_BLOCKED ? UINT64_C(1) << GLT_WHY_OWNER_BLOCKED : 0;
		why |= f.owner > GLT_OWNER_IS_BLOCKED ? UINT64_C(1) << GLT_WHY_OWNER_GONE : 0;
		why |= t.n_allow_from == 1 || (t.n_allow_from && (!q.address || !strchr("1:", q.address[0])))
			       ? UINT64_C(1) << GLT_WHY_ADDRESS
			       : 0;
		why |= (t.n_services && (!q.service || (t.n_services == 1 && strcmp(q.service, "http") != 0))) ||
				       (t.max_uses && (!q.service || strcmp(q.service, "sshd") != 0))
			       ? UINT64_C(1) << GLT_WHY_SERVICE
			       : 0;
		why |= t.max_uses && !t.uses_left && q.begins ? UINT64_C(1) << GLT_WHY_USED_UP : 0;
		why |= q.need_scope && q.scope != GLT_SCOPE_API ? UINT64_C(1) << GLT_WHY_SCOPE : 0;
		a = decide(&q, &f);
		allowed += a.allow;
		if (a.allow != (why == 0) || (!a.allow && !(why & UINT64_C(1) << a.reason)))
			fail_msg("round %d: %s (%s), flaws %llx", n, glt_reason_name(a.reason), a.detail,
				 (unsigned long long)why);
	}
	assert_true(allowed > 1000);
}

/* Repository limits, on paths and not on what begins like them; and they hide what they forbid. */
static void repository_limits(void **state)
{
	static const struct {
		const char *path;
		bool allow;
	} cases[] = {{"demo/hello", true},    {"demo/a/b", true},     {"other/x", true}, {"other/x/y", false},
		     {"demolition/x", false}, {"xdemo/hello", false}, {"demo", false}};
	struct glt_question q;
	struct glt_facts f;
	Glt__Token t;

	(void)state;
	for (int op = GLT_OP_PULL; op <= GLT_OP_PUSH; op++) {
		for (size_t i = 0; i < COUNT(cases); i++) {
			struct glt_answer a;

			good(&t, &q, &f);
			t.only_repo = globs;
			t.n_only_repo = 2;
			q.op = (enum glt_op)op;
			q.path = cases[i].path;
			a = decide(&q, &f);
			assert_int_equal(a.reason, cases[i].allow ? GLT_WHY_OK : GLT_WHY_REPO_NOT_ALLOWED);
			assert_int_equal(a.visible, cases[i].allow);
		}
	}
}

/* Exactly one bearer; an operation that is none, or a repository without a path, is denied. */
static void nobody_asks(void **state)
{
	struct glt_question q;
	struct glt_facts f;
	Glt__Key key = GLT__KEY__INIT;
	Glt__Token t;

	(void)state;
	good(&t, &q, &f);
	q.token = NULL;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NO_SESSION);
	q.user = "alice";
	assert_true(decide(&q, &f).allow);
	q.key = &key;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NO_SESSION);
	q.user = NULL;
	q.token = &t;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NO_SESSION);
	for (int op = GLT_OP_PULL; op <= GLT_OP_PUSH; op++) {
		struct glt_answer a = {.allow = true};

		good(&t, &q, &f);
		q.op = (enum glt_op)op;
		q.path = NULL;
		glt_decide(&q, &f, &a);
		assert_true(!a.allow && a.reason == GLT_WHY_UNAVAILABLE);
		good(&t, &q, &f);
		q.op = (enum glt_op)99;
		a.allow = true;
		glt_decide(&q, &f, &a);
		assert_false(a.allow);
	}
}

/* ---- logging in ---- */

enum holder { PERSONAL, PROJECT, DEPLOY, KEY, DEPLOY_KEY, PERSON };

struct login {
	enum holder holder;
	const char *account; /* "git" is shared, "alice" her own */
	enum glt_shell shell;
	uint64_t scopes;
	bool limited;
};

static uint64_t login_broken(const struct login *l)
{
	bool own = strcmp(l->account, "alice") == 0 &&
		   (l->holder == PERSONAL || l->holder == KEY || l->holder == PERSON);
	bool shared = strcmp(l->account, "git") == 0;
	bool writes = l->scopes & (BIT(WRITE_REPOSITORY) | BIT(API));
	uint64_t why = 0;

	if (!own && !shared)
		why |= UINT64_C(1) << GLT_WHY_WRONG_ACCOUNT;
	if (l->shell == GLT_SHELL_OTHER)
		why |= UINT64_C(1) << GLT_WHY_NOT_GIT_ACCOUNT;
	/* Plain git-shell: only its own owner's personal token that may write, without repository limits. */
	if (l->shell == GLT_SHELL_GIT && !(own && l->holder == PERSONAL && writes && !l->limited))
		why |= UINT64_C(1) << GLT_WHY_GIT_SHELL;
	return why;
}

static void login_one(const struct login *l)
{
	Glt__Key key = GLT__KEY__INIT;
	struct glt_question q;
	struct glt_answer a;
	struct glt_facts f;
	Glt__Token t;
	uint64_t why = login_broken(l);

	good(&t, &q, &f);
	q.op = GLT_OP_LOGIN;
	q.account = l->account;
	f.account_shared = strcmp(l->account, "git") == 0;
	f.shell = l->shell;
	t.scopes = l->scopes;
	t.only_repo = globs;
	t.n_only_repo = l->limited ? 1 : 0;
	t.type = l->holder == PROJECT  ? GLT__TYPE__PROJECT
		 : l->holder == DEPLOY ? GLT__TYPE__DEPLOY
				       : GLT__TYPE__PERSONAL;
	if (t.type != GLT__TYPE__PERSONAL)
		t.owner = MUT("project_1_bot_00000000");
	key.user = (char *)(l->holder == KEY ? "alice" : "");
	key.path = (char *)(l->holder == KEY ? "" : "demo/hello");
	if (l->holder >= KEY)
		q.token = NULL;
	if (l->holder == KEY || l->holder == DEPLOY_KEY)
		q.key = &key;
	if (l->holder == PERSON)
		q.user = "alice";
	a = decide(&q, &f);
	if (a.allow != (why == 0) || (why && !(why & UINT64_C(1) << a.reason)))
		fail_msg("holder %d, account %s, shell %d, scopes %llx, limited %d: %s (%s)", l->holder, l->account,
			 l->shell, (unsigned long long)l->scopes, l->limited, glt_reason_name(a.reason), a.detail);
}

static void logins(void **state)
{
	static const char *const accounts[] = {"git", "alice", "bob", "root", "alic", "alicea", ""};
	static const uint64_t scopes[] = {BIT(API),
					  BIT(WRITE_REPOSITORY),
					  BIT(READ_REPOSITORY),
					  BIT(READ_API),
					  BIT(SUDO),
					  BIT(READ_REPOSITORY) | BIT(WRITE_REPOSITORY)};

	(void)state;
	for (int holder = PERSONAL; holder <= PERSON; holder++)
		for (size_t i = 0; i < COUNT(accounts); i++)
			for (int shell = GLT_SHELL_OTHER; shell <= GLT_SHELL_GIT; shell++)
				for (size_t s = 0; s < COUNT(scopes); s++)
					for (int limited = 0; limited < 2; limited++)
						login_one(&(struct login){(enum holder)holder, accounts[i],
									  (enum glt_shell)shell, scopes[s],
									  limited});
}

static void login_nowhere(void **state)
{
	struct glt_question q;
	struct glt_facts f;
	Glt__Token t;

	(void)state;
	good(&t, &q, &f);
	q.op = GLT_OP_LOGIN;
	q.account = NULL;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_WRONG_ACCOUNT);
	q.account = "git";
	f.shell = (enum glt_shell)9;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NOT_GIT_ACCOUNT);
}

/* A web server takes the user name for the identity: it is the owner's, or none is given. */
static void user_names(void **state)
{
	static const struct {
		const char *name;
		bool allow;
	} cases[] = {{NULL, true}, {"alice", true}, {"bob", false}, {"", false}, {"Alice", false}, {"git", false}};
	struct glt_question q;
	struct glt_facts f;
	Glt__Token t;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		good(&t, &q, &f);
		q.op = GLT_OP_CHECK;
		q.account = cases[i].name;
		assert_int_equal(decide(&q, &f).reason, cases[i].allow ? GLT_WHY_OK : GLT_WHY_WRONG_ACCOUNT);
	}
}

/* A service that asks for a scope takes no key and no session without a token. */
static void scope_of_a_key(void **state)
{
	Glt__Key key = GLT__KEY__INIT;
	struct glt_question q;
	struct glt_facts f;
	Glt__Token t;

	(void)state;
	good(&t, &q, &f);
	key.user = MUT("alice");
	q.token = NULL;
	q.key = &key;
	assert_true(decide(&q, &f).allow);
	q.need_scope = true;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_SCOPE);
	q.key = NULL;
	q.user = "alice";
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_SCOPE);
}

/* ---- changes of tokens by a session ---- */

static void mint(void **state)
{
	static const struct {
		Glt__Type type;
		uint64_t own, wanted;
		enum glt_reason why;
	} cases[] = {
		{GLT__TYPE__PERSONAL, BIT(API), BIT(API), GLT_WHY_OK},
		{GLT__TYPE__PERSONAL, BIT(API), BIT(READ_API) | BIT(READ_REPOSITORY) | BIT(WRITE_REPOSITORY),
		 GLT_WHY_OK},
		{GLT__TYPE__PERSONAL, BIT(API), BIT(SUDO), GLT_WHY_SCOPE},
		{GLT__TYPE__PERSONAL, BIT(API), BIT(READ_REPOSITORY) | BIT(ADMIN_MODE), GLT_WHY_SCOPE},
		{GLT__TYPE__PERSONAL, BIT(API) | BIT(SUDO), BIT(SUDO), GLT_WHY_OK},
		{GLT__TYPE__PERSONAL, BIT(WRITE_REPOSITORY), BIT(READ_REPOSITORY), GLT_WHY_SCOPE},
		{GLT__TYPE__PERSONAL, BIT(SELF_ROTATE), BIT(SELF_ROTATE), GLT_WHY_SCOPE},
		{GLT__TYPE__PROJECT, BIT(API), BIT(READ_API), GLT_WHY_NOT_YOURS},
		{GLT__TYPE__GROUP, BIT(API), BIT(READ_API), GLT_WHY_NOT_YOURS},
		{GLT__TYPE__DEPLOY, BIT(READ_REPOSITORY), BIT(READ_REPOSITORY), GLT_WHY_NOT_YOURS},
	};
	Glt__Key key = GLT__KEY__INIT;
	struct glt_question q;
	struct glt_facts f;
	Glt__Token t;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		good(&t, &q, &f);
		q.op = GLT_OP_MINT;
		t.type = cases[i].type;
		t.scopes = cases[i].own;
		q.scopes = cases[i].wanted;
		if (decide(&q, &f).reason != cases[i].why)
			fail_msg("case %zu", i);
	}
	good(&t, &q, &f);
	q.op = GLT_OP_MINT;
	t.max_uses = t.uses_left = 5; /* uses would be had without end */
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NOT_YOURS);
	q.token = NULL;
	q.key = &key;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NOT_YOURS);
	key.user = MUT("alice");
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_OK);
	f.owner = GLT_OWNER_IS_BLOCKED;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_OWNER_BLOCKED);
}

enum target { SELF, OWN, BOBS, BOTS }; /* itself, another of alice's, bob's, a bot's */

static void rotate_and_revoke(void **state)
{
	static const struct {
		enum glt_op op;
		uint64_t own;
		int target;
		uint64_t theirs;
		enum glt_reason why;
	} cases[] = {
		{GLT_OP_ROTATE, BIT(SELF_ROTATE), SELF, 0, GLT_WHY_OK},
		{GLT_OP_ROTATE, BIT(API), SELF, 0, GLT_WHY_OK},
		{GLT_OP_ROTATE, BIT(READ_REPOSITORY), SELF, 0, GLT_WHY_SCOPE},
		{GLT_OP_ROTATE, BIT(WRITE_REPOSITORY) | BIT(SUDO), SELF, 0, GLT_WHY_SCOPE},
		{GLT_OP_REVOKE, BIT(READ_REPOSITORY), SELF, 0, GLT_WHY_OK},
		{GLT_OP_ROTATE, BIT(API), OWN, BIT(READ_REPOSITORY), GLT_WHY_OK},
		{GLT_OP_ROTATE, BIT(API), OWN, BIT(SUDO), GLT_WHY_SCOPE},
		{GLT_OP_REVOKE, BIT(API), OWN, BIT(SUDO), GLT_WHY_OK},
		{GLT_OP_ROTATE, BIT(SELF_ROTATE), OWN, BIT(READ_REPOSITORY), GLT_WHY_SCOPE},
		{GLT_OP_REVOKE, BIT(WRITE_REPOSITORY), OWN, BIT(READ_REPOSITORY), GLT_WHY_SCOPE},
		{GLT_OP_ROTATE, BIT(API), BOBS, BIT(READ_REPOSITORY), GLT_WHY_NOT_YOURS},
		{GLT_OP_REVOKE, BIT(API), BOBS, BIT(READ_REPOSITORY), GLT_WHY_NOT_YOURS},
		{GLT_OP_ROTATE, BIT(API), BOTS, BIT(READ_REPOSITORY), GLT_WHY_NOT_YOURS},
		{GLT_OP_REVOKE, BIT(API), BOTS, BIT(READ_REPOSITORY), GLT_WHY_NOT_YOURS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		Glt__Token t, target = GLT__TOKEN__INIT;
		struct glt_question q;
		struct glt_facts f;

		good(&t, &q, &f);
		q.op = cases[i].op;
		t.scopes = cases[i].own;
		target.id = 8;
		target.scopes = cases[i].theirs;
		target.type = cases[i].target == BOTS ? GLT__TYPE__PROJECT : GLT__TYPE__PERSONAL;
		target.owner = (char *)(cases[i].target == BOBS ? "bob" : "alice");
		if (cases[i].target == BOTS) /* of a project that is not hers to manage */
			f.member_role = GLT_DEVELOPER;
		q.target = cases[i].target == SELF ? &t : &target;
		if (decide(&q, &f).reason != cases[i].why)
			fail_msg("case %zu", i);
	}
}

/* A bot has itself and nothing else, and a token with limits makes none without them. */
static void rotate_no_more_than_held(void **state)
{
	Glt__Token t, target = GLT__TOKEN__INIT;
	struct glt_question q;
	struct glt_facts f;

	(void)state;
	target.id = 8;
	target.type = GLT__TYPE__PERSONAL;
	target.owner = MUT("alice");
	good(&t, &q, &f);
	q.op = GLT_OP_ROTATE;
	q.target = &target;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_OK);
	allowed_from(&t, &q, &f);
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NOT_YOURS);
	good(&t, &q, &f);
	q.op = GLT_OP_ROTATE;
	q.target = &target;
	t.only_repo = globs;
	t.n_only_repo = 1;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NOT_YOURS);
	good(&t, &q, &f);
	q.op = GLT_OP_ROTATE;
	q.target = &target;
	t.type = GLT__TYPE__PROJECT;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NOT_YOURS);
	q.target = &t;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_OK);
	q.target = NULL;
	struct glt_answer a = {.allow = true};
	glt_decide(&q, &f, &a);
	assert_false(a.allow);
}

/* The successor of a token has all its uses again, so the token itself must not make one; ending is free to it. */
static void a_use_limit_is_not_renewed(void **state)
{
	struct glt_question q;
	struct glt_facts f;
	Glt__Token t;

	(void)state;
	good(&t, &q, &f);
	q.target = &t;
	q.op = GLT_OP_ROTATE;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_OK);
	t.max_uses = 3;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_NOT_YOURS);
	q.op = GLT_OP_REVOKE;
	assert_int_equal(decide(&q, &f).reason, GLT_WHY_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_flaw_alone),
		cmocka_unit_test(flaws_mixed),
		cmocka_unit_test(repository_limits),
		cmocka_unit_test(nobody_asks),
		cmocka_unit_test(logins),
		cmocka_unit_test(login_nowhere),
		cmocka_unit_test(user_names),
		cmocka_unit_test(scope_of_a_key),
		cmocka_unit_test(mint),
		cmocka_unit_test(rotate_and_revoke),
		cmocka_unit_test(rotate_no_more_than_held),
		cmocka_unit_test(a_use_limit_is_not_renewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
