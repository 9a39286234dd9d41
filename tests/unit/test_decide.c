/* SPDX-License-Identifier: MIT */
/*
 * Every kind of bearer x role x place x scope x operation x ref x change, asked of the real code over a real store,
 * against rules written down here a second time from GitLab's documentation. The oracle names every rule that a
 * question breaks: the answer must be "allow" exactly if there is none, and its reason must be one of them.
 */
#include "tmpstore.h"

#include "ask.h"
#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define REPO "demo/app/web"

/* ---- what may be varied ---- */

enum bearer { PERSONAL, PROJECT, GROUP, DEPLOY, USER_KEY, READ_KEY, WRITE_KEY, ACCOUNT };

/* Where a membership is, or what a token or deploy key is for. */
static const char *const places[] = {
	"demo/app/web", "demo/app", "demo", "demo/app/web/sub", "demo/app/we", "demo/app/webx",
	"demo/ap",      "other",    "web",
};

static const int roles[] = {0, 5, 10, 15, 20, 25, 30, 40, 50, 60};

static const struct {
	const char *names; /* comma separated */
	bool pull, push;
} scope_sets[] = {
	{"api", 1, 1},
	{"read_api", 1, 0},
	{"read_repository", 1, 0},
	{"write_repository", 1, 1},
	{"read_registry", 0, 0},
	{"write_registry", 0, 0},
	{"self_rotate", 0, 0},
	{"create_runner", 0, 0},
	{"manage_runner", 0, 0},
	{"ai_features", 0, 0},
	{"k8s_proxy", 0, 0},
	{"read_virtual_registry", 0, 0},
	{"write_virtual_registry", 0, 0},
	{"read_user", 0, 0},
	{"sudo", 0, 0},
	{"admin_mode", 0, 0},
	{"read_service_ping", 0, 0},
	{"", 0, 0},
	{"read_repository,write_registry", 1, 0},
	{"sudo,admin_mode,read_user,write_registry,self_rotate", 0, 0},
	{"read_api,write_repository", 1, 1},
};

#define NOBODY_AT_ALL 0
#define UNPROTECTED (-1)

/* Least role for update and create, for force, for delete; the patterns that say so are in protect_refs(). */
static const struct {
	const char *name;
	bool outside; /* of refs/heads and refs/tags */
	int push, force, remove;
} refs[] = {
	{"refs/heads/free", 0, UNPROTECTED, UNPROTECTED, UNPROTECTED},
	{"refs/heads/main", 0, 40, NOBODY_AT_ALL, 40},
	{"refs/heads/main/x", 0, UNPROTECTED, UNPROTECTED, UNPROTECTED},
	{"refs/heads/dev/x", 0, 30, 40, NOBODY_AT_ALL},
	{"refs/heads/frozen/x/y", 0, NOBODY_AT_ALL, NOBODY_AT_ALL, NOBODY_AT_ALL},
	{"refs/heads/both-open", 0, 30, 40, NOBODY_AT_ALL}, /* two patterns: the more permissive of each */
	{"refs/heads/both-shut", 0, 40, NOBODY_AT_ALL, 30},
	{"refs/heads/owners", 0, 50, 50, 50},
	{"refs/heads/admins", 0, 60, 60, 60}, /* GitLab's level of administrators: no role here has it */
	{"refs/tags/free", 0, UNPROTECTED, UNPROTECTED, UNPROTECTED},
	{"refs/tags/v1.0", 0, 40, NOBODY_AT_ALL, 40},
	{"refs/notes/commits", 1, UNPROTECTED, UNPROTECTED, UNPROTECTED},
	{"refs/notes/dev", 1, 30, 30, 30},
	{"refs/notes/frozen", 1, NOBODY_AT_ALL, NOBODY_AT_ALL, NOBODY_AT_ALL},
	{"refs/replace/0123456789abcdef0123456789abcdef01234567", 1, UNPROTECTED, UNPROTECTED, UNPROTECTED},
	{"refs/heads", 1, UNPROTECTED, UNPROTECTED, UNPROTECTED},
	{"refs/headsx/main", 1, UNPROTECTED, UNPROTECTED, UNPROTECTED},
	{"HEAD", 1, UNPROTECTED, UNPROTECTED, UNPROTECTED},
};

static const struct {
	const char *path, *glob;
	unsigned push, force, remove;
} patterns[] = {
	{REPO, "refs/heads/main", 40, 0, 40},
	{REPO, "refs/heads/dev/*", 30, 40, 0},
	{REPO, "refs/heads/frozen/**", 0, 0, 0},
	{REPO, "refs/heads/both-*", 40, 0, 0},
	{REPO, "refs/heads/both-open", 30, 40, 0},
	{REPO, "refs/heads/both-shut", 0, 0, 30},
	{REPO, "refs/heads/owners", 50, 50, 50},
	{REPO, "refs/heads/admins", 60, 60, 60},
	{REPO, "refs/tags/v*", 40, 0, 40},
	{REPO, "refs/notes/dev", 30, 30, 30},
	{REPO, "refs/notes/frozen", 0, 0, 0},
	/* Of other projects: none of these counts. */
	{"demo/app/webx", "refs/heads/**", 0, 0, 0},
	{"demo/app/we", "refs/heads/**", 0, 0, 0},
	{"web", "refs/heads/**", 0, 0, 0},
};

static void protect_refs(struct tmpstore *t)
{
	struct glt_change *c = glt_change_new();

	for (size_t i = 0; i < COUNT(patterns); i++) {
		Glt__Protection p = GLT__PROTECTION__INIT;
		char path[64], glob[64];

		(void)snprintf(path, sizeof(path), "%s", patterns[i].path);
		(void)snprintf(glob, sizeof(glob), "%s", patterns[i].glob);
		p.path = path;
		p.ref_glob = glob;
		p.push = patterns[i].push;
		p.force = patterns[i].force;
		p.remove = patterns[i].remove;
		glt_protection_store(c, &p);
	}
	tmpstore_apply(tmpstore_begin(t, true), c);
}

/* ---- one question ---- */

struct scene {
	enum bearer bearer;
	size_t place, scopes;
	int role; /* the member's, or the token's own */
	bool push;
	int ref; /* index, -1: none */
	enum glt_ref_change change;
};

/* ---- the oracle ---- */

#define BROKEN(why) (UINT64_C(1) << (why))

/* By whole components, "a/b" being "a/b/" for this. */
static bool beneath(const char *outer, const char *inner)
{
	char a[80], b[80];

	(void)snprintf(a, sizeof(a), "%s/", outer);
	(void)snprintf(b, sizeof(b), "%s/", inner);
	return strstr(b, a) == b;
}

static bool any_of(int role, int a, int b, int c, int d)
{
	return role == a || role == b || role == c || role == d;
}

static int effective_role(const struct scene *s)
{
	switch (s->bearer) {
	case PERSONAL:
	case USER_KEY:
	case ACCOUNT:
		return beneath(places[s->place], REPO) ? s->role : 0;
	case READ_KEY:
		return 20;
	case DEPLOY: /* scopes decide; it is never more than a developer */
	case WRITE_KEY:
		return 30;
	default:
		return s->role;
	}
}

static bool covers_repo(const struct scene *s)
{
	switch (s->bearer) {
	case PROJECT:
	case READ_KEY:
	case WRITE_KEY:
		return strcmp(places[s->place], REPO) == 0;
	case GROUP:
	case DEPLOY:
		return beneath(places[s->place], REPO);
	default:
		return true;
	}
}

static int least_role(const struct scene *s)
{
	switch (s->change) {
	case GLT_REF_FORCE:
		return refs[s->ref].force;
	case GLT_REF_DELETE:
		return refs[s->ref].remove;
	default:
		return refs[s->ref].push;
	}
}

static bool ref_forbidden(const struct scene *s, int role)
{
	bool maintainer = role == 40 || role == 50;

	if (s->ref < 0)
		return false;
	if (refs[s->ref].outside && !maintainer)
		return true;
	switch (least_role(s)) {
	case UNPROTECTED:
		return false;
	case 30:
		return !any_of(role, 30, 40, 50, 50);
	case 40:
		return !maintainer;
	case 50:
		return role != 50;
	default:
		return true;
	}
}

static uint64_t broken_rules(const struct scene *s)
{
	bool scoped = s->bearer <= DEPLOY; /* keys and accounts have no scopes */
	int role = effective_role(s);
	uint64_t why = 0;

	if (!covers_repo(s))
		why |= BROKEN(GLT_WHY_WRONG_PROJECT);
	if (role == 0)
		why |= BROKEN(GLT_WHY_NOT_A_MEMBER);
	if (scoped && !(s->push ? scope_sets[s->scopes].push : scope_sets[s->scopes].pull))
		why |= BROKEN(GLT_WHY_SCOPE);
	if (s->push ? !any_of(role, 30, 40, 50, 50) : !any_of(role, 20, 30, 40, 50) && role != 25)
		why |= BROKEN(GLT_WHY_ROLE);
	if (s->push && ref_forbidden(s, role))
		why |= BROKEN(GLT_WHY_REF_PROTECTED);
	return why;
}

/* ---- asking ---- */

struct bench {
	struct tmpstore *t;
	Glt__Token token;
	Glt__Key key;
	char place[64];
	uint64_t bits[COUNT(scope_sets)];
	unsigned long asked, allowed;
};

static void bearer_of(struct bench *b, const struct scene *s, struct glt_question *q)
{
	static const Glt__Type types[] = {GLT__TYPE__PERSONAL, GLT__TYPE__PROJECT, GLT__TYPE__GROUP,
					  GLT__TYPE__DEPLOY};

	(void)snprintf(b->place, sizeof(b->place), "%s", places[s->place]);
	switch (s->bearer) {
	case USER_KEY:
	case READ_KEY:
	case WRITE_KEY:
		b->key.user = (char *)(s->bearer == USER_KEY ? "alice" : "");
		b->key.path = (char *)(s->bearer == USER_KEY ? "" : b->place);
		b->key.can_push = s->bearer == WRITE_KEY;
		q->key = &b->key;
		return;
	case ACCOUNT:
		q->user = "alice";
		return;
	default:
		break;
	}
	b->token.type = types[s->bearer];
	b->token.owner = (char *)(s->bearer == PERSONAL ? "alice" : "project_1_bot_0a1b2c3d");
	b->token.path = (char *)(s->bearer == PERSONAL ? "" : b->place);
	b->token.role = (uint32_t)(s->bearer == PERSONAL ? 0 : s->bearer == DEPLOY ? 30 : s->role);
	b->token.scopes = b->bits[s->scopes];
	q->token = &b->token;
}

static void fault(const struct scene *s, const struct glt_answer *a, const char *what)
{
	fail_msg("bearer %d, role %d on %s, scopes '%s', %s %s, change %d: %s (%s %s: %s)", s->bearer, s->role,
		 places[s->place], scope_sets[s->scopes].names, s->push ? "push" : "pull",
		 s->ref < 0 ? "" : refs[s->ref].name, s->change, what, a->allow ? "allow" : "deny",
		 glt_reason_name(a->reason), a->detail);
}

static void ask(struct bench *b, const struct scene *s)
{
	struct glt_question q = {.op = s->push ? GLT_OP_PUSH : GLT_OP_PULL,
				 .path = REPO,
				 .now = NOW,
				 .service = "sshd"};
	struct glt_answer a = {.allow = true};
	uint64_t broken = broken_rules(s);
	bool hidden = broken & (BROKEN(GLT_WHY_WRONG_PROJECT) | BROKEN(GLT_WHY_NOT_A_MEMBER));

	bearer_of(b, s, &q);
	if (s->ref >= 0) {
		q.ref = refs[s->ref].name;
		q.change = s->change;
	}
	must(glt_ask(b->t->store, &b->t->conf, &q, &a, &err));
	b->asked++;
	b->allowed += a.allow;
	if (a.allow != (broken == 0))
		fault(s, &a, broken ? "must be denied" : "must be allowed");
	if (a.allow != (a.reason == GLT_WHY_OK) || (broken && !(broken & BROKEN(a.reason))))
		fault(s, &a, "wrong reason");
	if (a.visible == hidden)
		fault(s, &a,
		      hidden ? "must not show that the project exists" : "its member may know that it exists");
	if (!hidden && a.role != effective_role(s))
		fault(s, &a, "wrong role");
	if (a.detail[0] == '\0')
		fault(s, &a, "says nothing");
}

/* All operations and refs; the changes of a ref other than plain updates with three scope sets only. */
static void ask_all_operations(struct bench *b, struct scene s)
{
	bool deep = s.bearer > DEPLOY || s.scopes == 0 || s.scopes == 2 || s.scopes == 3;

	s.ref = -1;
	s.push = false;
	ask(b, &s);
	s.push = true;
	ask(b, &s);
	for (s.ref = 0; s.ref < (int)COUNT(refs); s.ref++)
		for (int change = GLT_REF_UPDATE; change <= (deep ? GLT_REF_DELETE : GLT_REF_UPDATE); change++) {
			s.change = (enum glt_ref_change)change;
			ask(b, &s);
		}
}

static void ask_all_scopes(struct bench *b, struct scene s)
{
	for (s.scopes = 0; s.scopes < COUNT(scope_sets); s.scopes++)
		ask_all_operations(b, s);
}

/* ---- the tests ---- */

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	void *t = NULL;

	*state = b;
	if (!b || tmpstore_setup(&t) != 0)
		return -1;
	b->t = t;
	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	protect_refs(t);
	glt__token__init(&b->token);
	glt__key__init(&b->key);
	b->token.id = 1;
	b->token.state = GLT__STATE__LIVE;
	b->key.id = 2;
	for (size_t i = 0; i < COUNT(scope_sets); i++) {
		char names[80], *rest = names, *name;

		(void)snprintf(names, sizeof(names), "%s", scope_sets[i].names);
		while ((name = strsep(&rest, ",")) && *name) {
			enum glt_scope scope = GLT_SCOPES;

			must(glt_scope_parse_one(name, &scope, &err));
			b->bits[i] |= GLT_SCOPE_BIT(scope);
		}
	}
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	void *t = b->t;
	int rc = tmpstore_teardown(&t);

	free(b);
	return rc;
}
#define with_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* The table is worth its name only if both answers are frequent. */
static void enough(const struct bench *b, unsigned long least)
{
	assert_true(b->asked >= least);
	assert_true(b->allowed > b->asked / 100 && b->allowed < b->asked);
}

/* Bearers whose role is a membership: put it in the store, at each place, and ask. */
static void members(void **state)
{
	struct bench *b = *state;

	for (size_t place = 0; place < COUNT(places); place++) {
		for (size_t r = 0; r < COUNT(roles); r++) {
			struct scene s = {.bearer = PERSONAL, .place = place, .role = roles[r]};

			tmpstore_member(b->t, places[place], "alice", roles[r]);
			ask_all_scopes(b, s);
			s.scopes = 0;
			s.bearer = USER_KEY;
			ask_all_operations(b, s);
			s.bearer = ACCOUNT;
			ask_all_operations(b, s);
		}
		tmpstore_member(b->t, places[place], "alice", 0);
	}
	enough(b, 40000);
}

static void bearers_of_a_role(void **state)
{
	static const enum bearer own[] = {PROJECT, GROUP};
	static const enum bearer fixed[] = {DEPLOY, READ_KEY, WRITE_KEY};
	struct bench *b = *state;

	/* A membership must not help a bot. */
	tmpstore_member(b->t, "demo", "project_1_bot_0a1b2c3d", 50);
	tmpstore_member(b->t, "demo", "alice", 50);
	for (size_t place = 0; place < COUNT(places); place++) {
		for (size_t i = 0; i < COUNT(own); i++)
			for (size_t r = 0; r < COUNT(roles); r++)
				ask_all_scopes(b,
					       (struct scene){.bearer = own[i], .place = place, .role = roles[r]});
		for (size_t i = 0; i < COUNT(fixed); i++)
			ask_all_scopes(b, (struct scene){.bearer = fixed[i], .place = place});
	}
	enough(b, 40000);
}

static void two_memberships(struct bench *b, size_t place1, int role1, size_t place2, int role2)
{
	static const size_t scopes[] = {0, 2, 3};
	struct scene s = {.bearer = PERSONAL, .role = role1 > role2 ? role1 : role2};

	tmpstore_member(b->t, places[place1], "alice", role1);
	tmpstore_member(b->t, places[place2], "alice", role2);
	for (size_t i = 0; i < COUNT(scopes); i++) {
		s.scopes = scopes[i];
		ask_all_operations(b, s);
	}
}

/* On the project, the group and the group above: the highest role wins, wherever it is. */
static void highest_role_wins(void **state)
{
	struct bench *b = *state;
	static const int real[] = {10, 15, 20, 25, 30, 40, 50};

	for (size_t place1 = 0; place1 < 3; place1++) {
		size_t place2 = (place1 + 1) % 3;

		for (size_t i = 0; i < COUNT(real); i++)
			for (size_t k = 0; k < COUNT(real); k++)
				two_memberships(b, place1, real[i], place2, real[k]);
		tmpstore_member(b->t, places[place1], "alice", 0);
		tmpstore_member(b->t, places[place2], "alice", 0);
	}
	enough(b, 10000);
}

/* ---- names of reasons ---- */

static void reasons(void **state)
{
	(void)state;
	for (int r = 0; r < GLT_REASON_COUNT; r++) {
		const char *name = glt_reason_name((enum glt_reason)r);

		assert_true(name[0] && glt_reason_text((enum glt_reason)r)[0]);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
		for (int k = 0; k < r; k++)
			assert_string_not_equal(name, glt_reason_name((enum glt_reason)k));
	}
	assert_string_equal(glt_reason_name((enum glt_reason)999), "unknown");
	/* What holds whatever is asked needs no hash; what depends on the question must not skip it. */
	assert_true(glt_reason_is_state(GLT_WHY_REVOKED) && glt_reason_is_state(GLT_WHY_EXPIRED));
	assert_true(glt_reason_is_state(GLT_WHY_PAUSED) && glt_reason_is_state(GLT_WHY_ADDRESS));
	assert_true(glt_reason_is_state(GLT_WHY_OWNER_GONE) && glt_reason_is_state(GLT_WHY_DAMAGED));
	assert_false(glt_reason_is_state(GLT_WHY_OK) || glt_reason_is_state(GLT_WHY_WRONG_ACCOUNT));
	assert_false(glt_reason_is_state(GLT_WHY_SCOPE) || glt_reason_is_state(GLT_WHY_ROLE));
	assert_false(glt_reason_is_state(GLT_WHY_WRONG_SECRET) || glt_reason_is_state(GLT_WHY_NOT_GIT_ACCOUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_bench(members),
		with_bench(bearers_of_a_role),
		with_bench(highest_role_wins),
		cmocka_unit_test(reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
