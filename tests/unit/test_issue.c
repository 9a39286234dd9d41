/* SPDX-License-Identifier: MIT */
/* Issuing: the rules of the input, names that are unique, bots, and what is stored. */
#include "tmpstore.h"

#include "people.h"
#include "policy.h"
#include "role.h"
#include "when.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void refused(struct tmpstore *t, const struct glt_issue *r, enum glt_status want, const char *words)
{
	char text[GLT_TOKEN_MAX + 1] = "left over";
	uint64_t before = tmpstore_count(t, GLT_TOKENS), events = tmpstore_count(t, GLT_AUDIT);
	Glt__Token *record = NULL;

	must_fail(want, words, glt_issue(t->store, &t->conf, r, &record, text, &err));
	assert_string_equal(text, "");
	if (!r->if_absent)
		assert_null(record);
	glt_token_free(record);
	assert_int_equal(tmpstore_count(t, GLT_TOKENS), before);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events);
}

/* ---- what is stored ---- */

static void personal_record(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO | WRITE_REPO);
	char *ranges[] = {MUT("192.0.2.0/24"), MUT("::1")}, *globs[] = {MUT("demo/**")},
	     *services[] = {MUT("sshd")};
	char text[GLT_TOKEN_MAX + 1];
	Glt__Token *p;

	r.description = "for the build \xe2\x82\xac";
	r.not_before = NOW + 10;
	r.allow_from = ranges;
	r.n_allow_from = 2;
	r.only_repo = globs;
	r.n_only_repo = 1;
	r.services = services;
	r.n_services = 1;
	r.max_uses = 3;
	p = tmpstore_load(t, tmpstore_issue(t, &r, text));
	assert_int_equal(p->id, 1);
	assert_int_equal(p->type, GLT__TYPE__PERSONAL);
	assert_int_equal(p->state, GLT__STATE__LIVE);
	assert_string_equal(p->name, "ci");
	assert_string_equal(p->description, "for the build \xe2\x82\xac");
	assert_string_equal(p->owner, "alice");
	assert_string_equal(p->path, "");
	assert_true(p->role == 0 && p->owner_uid_plus1 == 0);
	assert_true(p->scopes == (READ_REPO | WRITE_REPO));
	assert_true(p->created_at == NOW && p->not_before == NOW + 10 && p->expires_at == NOW + DAY);
	assert_string_equal(p->created_by, "root");
	assert_true(p->n_allow_from == 2 && p->n_only_repo == 1 && p->n_services == 1);
	assert_string_equal(p->allow_from[1], "::1");
	assert_string_equal(p->only_repo[0], "demo/**");
	assert_true(p->max_uses == 3 && p->uses_left == 3 && !p->paused);
	assert_true(p->family == p->id && p->previous == 0 && p->next == 0 && p->generation == 1);
	assert_string_equal(p->prefix, "glpat-");
	assert_int_equal(strncmp(text, "glpat-", 6), 0);
	assert_int_equal(strncmp(text + 6, p->selector, GLT_SELECTOR_LEN), 0);
	assert_true(p->salt.len == GLT_SALT_LEN && p->tag.len == GLT_TAG_LEN);
	assert_true(p->memory == GLT_HASH_M_MIN && p->time == 1);
	glt_token_free(p);
	tmpstore_check(t);
}

static void every_type(void **state)
{
	static const struct {
		Glt__Type type;
		const char *target, *owner, *prefix;
		int role;
	} cases[] = {
		{GLT__TYPE__PERSONAL, "alice", "alice", "glpat-", 0},
		{GLT__TYPE__PROJECT, "demo/hello", "project_", "glpat-", GLT_MAINTAINER},
		{GLT__TYPE__GROUP, "demo", "group_", "glpat-", GLT_REPORTER},
		{GLT__TYPE__DEPLOY, "demo/hello", "gitlab+deploy-token-", "gldt-", 0},
	};
	struct tmpstore *t = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct glt_issue r = tmpstore_personal(cases[i].target, "ci", READ_REPO);
		char text[GLT_TOKEN_MAX + 1];
		Glt__Token *p;

		r.type = cases[i].type;
		r.role = cases[i].role;
		p = tmpstore_load(t, tmpstore_issue(t, &r, text));
		assert_int_equal(p->type, cases[i].type);
		assert_int_equal(strncmp(p->owner, cases[i].owner, strlen(cases[i].owner)), 0);
		assert_string_equal(p->path, cases[i].type == GLT__TYPE__PERSONAL ? "" : cases[i].target);
		assert_int_equal(p->role, cases[i].type == GLT__TYPE__DEPLOY ? GLT_DEVELOPER : cases[i].role);
		assert_int_equal(strncmp(text, cases[i].prefix, strlen(cases[i].prefix)), 0);
		assert_string_equal(p->prefix, cases[i].prefix);
		assert_string_equal(glt_token_holder(p), cases[i].target);
		glt_token_free(p);
		tmpstore_check(t);
	}
	assert_int_equal(tmpstore_count(t, GLT_TOKENS), 4);
}

/* project_<n>_bot_<hex>: one number for one path, another for another, and a bot of its own for each token. */
static void bots(void **state)
{
	struct tmpstore *t = *state;
	static const char *const paths[] = {"demo/a", "demo/a", "demo/b", "demo"};
	unsigned long long number[4];
	char owner[4][GLT_ACCOUNT_MAX + 1];

	for (int i = 0; i < 4; i++) {
		char name[16], hex[16];
		int end = 0;
		struct glt_issue r = tmpstore_project(paths[i], name, READ_REPO);
		Glt__Token *p;
		struct glt_err err;

		(void)snprintf(name, sizeof(name), "t%d", i);
		if (i == 3)
			r.type = GLT__TYPE__GROUP;
		p = tmpstore_load(t, tmpstore_issue(t, &r, NULL));
		assert_int_equal(sscanf(p->owner,
					i == 3 ? "group_%llu_bot_%15[0-9a-f]%n" : "project_%llu_bot_%15[0-9a-f]%n",
					&number[i], hex, &end),
				 2);
		assert_true(strlen(hex) == 8 && p->owner[end] == '\0');
		assert_int_equal(glt_account_name_check(p->owner, &err), GLT_OK);
		(void)snprintf(owner[i], sizeof(owner[i]), "%s", p->owner);
		glt_token_free(p);
	}
	assert_true(number[0] == number[1] && number[0] != number[2] && number[0] != number[3] &&
		    number[2] != number[3]);
	assert_string_not_equal(owner[0], owner[1]);
	assert_int_equal(tmpstore_count(t, GLT_NAMESPACES), 3);
}

static uint64_t deploy(struct tmpstore *t, const char *name, const char *username, char owner[GLT_ACCOUNT_MAX + 1])
{
	struct glt_issue r = tmpstore_personal("demo/a", name, READ_REPO);
	Glt__Token *p;
	uint64_t id;

	r.type = GLT__TYPE__DEPLOY;
	r.username = username;
	id = tmpstore_issue(t, &r, NULL);
	p = tmpstore_load(t, id);
	(void)snprintf(owner, GLT_ACCOUNT_MAX + 1, "%s", p->owner);
	glt_token_free(p);
	return id;
}

static void robots(void **state)
{
	struct tmpstore *t = *state;
	char a[GLT_ACCOUNT_MAX + 1], b[GLT_ACCOUNT_MAX + 1], c[GLT_ACCOUNT_MAX + 1];
	struct glt_issue r = tmpstore_personal("demo/b", "x", READ_REPO);

	(void)deploy(t, "one", NULL, a);
	(void)deploy(t, "two", NULL, b);
	(void)deploy(t, "three", "robot", c);
	assert_string_not_equal(a, b);
	assert_string_equal(c, "robot");
	r.type = GLT__TYPE__DEPLOY;
	r.username = "robot";
	refused(t, &r, GLT_EXISTS, "'robot' is taken");
	r.username = "alice"; /* a user of ours */
	refused(t, &r, GLT_EXISTS, "'alice' is taken");
	r.username = "nobody"; /* an account of the system: the robot must not open it */
	refused(t, &r, GLT_EXISTS, "'nobody' is taken");
}

/* An administrator may choose the name that would be drawn next: the next robot gets another one. */
static void robots_with_chosen_names(void **state)
{
	struct tmpstore *t = *state;
	char drawn[GLT_ACCOUNT_MAX + 1], chosen[GLT_ACCOUNT_MAX + 1], next[GLT_ACCOUNT_MAX + 1],
		want[GLT_ACCOUNT_MAX + 1];
	unsigned long long n;

	(void)deploy(t, "one", NULL, drawn);
	assert_int_equal(sscanf(drawn, "gitlab+deploy-token-%llu", &n), 1);
	(void)snprintf(want, sizeof(want), "gitlab+deploy-token-%llu", n + 1);
	(void)deploy(t, "two", want, chosen);
	assert_string_equal(chosen, want);
	(void)deploy(t, "three", NULL, next);
	assert_string_not_equal(next, chosen);
}

/* ---- rules ---- */

static void text_rules(void **state)
{
	struct tmpstore *t = *state;
	const struct glt_issue good = tmpstore_personal("alice", "ci", READ_REPO);
	struct glt_issue r;
	char longest[GLT_NAME_MAX + 2];

	memset(longest, 'n', sizeof(longest));
	longest[GLT_NAME_MAX + 1] = '\0';
	static const struct {
		const char *name, *words;
	} names[] = {{NULL, "name is empty"},
		     {"", "name is empty"},
		     {"a\nb", "name holds a control"},
		     {"\xff", "UTF-8"}};

	for (size_t i = 0; i < COUNT(names); i++) {
		r = good;
		r.name = names[i].name;
		refused(t, &r, GLT_INVALID, names[i].words);
	}
	r = good;
	r.name = longest;
	refused(t, &r, GLT_INVALID, "256 bytes");
	r = good;
	r.description = longest;
	refused(t, &r, GLT_INVALID, "description has 256 bytes");
	r.description = "a\x1b[0m";
	refused(t, &r, GLT_INVALID, "description holds a control");
	longest[GLT_NAME_MAX] = '\0';
	r.name = r.description = longest;
	(void)tmpstore_issue(t, &r, NULL);
}

static void target_rules(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("nosuchuser", "ci", READ_REPO);

	refused(t, &r, GLT_NOT_FOUND, "unknown user 'nosuchuser'");
	r.target = "1000";
	refused(t, &r, GLT_INVALID, "all digits");
	r.target = "root";
	refused(t, &r, GLT_REFUSED, "uid 0");
	r.target = "../etc";
	refused(t, &r, GLT_INVALID, "account name");
	tmpstore_user(t, "mallory", true, GLT__STATE__REVOKED);
	r.target = "mallory";
	refused(t, &r, GLT_REFUSED, "'mallory' is blocked");
	r = tmpstore_project("demo/../x", "ci", READ_REPO);
	refused(t, &r, GLT_INVALID, "path 'demo/../x'");
	r.target = "demo/x.git";
	refused(t, &r, GLT_INVALID, "path 'demo/x.git'");
}

/* An account of the system: its uid goes into the record, so that a recycled name inherits nothing. */
static void system_accounts(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("nobody", "ci", READ_REPO);
	struct passwd *pw = getpwnam("nobody");
	Glt__Token *p;

	if (!pw || pw->pw_uid == 0)
		skip();
	p = tmpstore_load(t, tmpstore_issue(t, &r, NULL));
	assert_int_equal(p->owner_uid_plus1, pw->pw_uid + 1);
	glt_token_free(p);
	tmpstore_user(t, "nobody", false, GLT__STATE__REVOKED);
	r.name = "more";
	refused(t, &r, GLT_REFUSED, "blocked");
	tmpstore_user(t, "nobody", false, GLT__STATE__LIVE);
	p = tmpstore_load(t, tmpstore_issue(t, &r, NULL));
	assert_int_equal(p->owner_uid_plus1, pw->pw_uid + 1);
	glt_token_free(p);
}

static void role_rules(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);

	r.role = GLT_DEVELOPER;
	refused(t, &r, GLT_INVALID, "memberships decide");
	r = tmpstore_project("demo/a", "ci", READ_REPO);
	r.role = 0;
	refused(t, &r, GLT_INVALID, "project token needs a role");
	r.type = GLT__TYPE__GROUP;
	refused(t, &r, GLT_INVALID, "group token needs a role");
	for (int role = -1; role < 70; role++) {
		r.role = role;
		if (role != 0 && !glt_role_name(role))
			refused(t, &r, GLT_INVALID, "unknown role");
	}
	r.type = GLT__TYPE__DEPLOY;
	r.role = GLT_DEVELOPER;
	refused(t, &r, GLT_INVALID, "scopes decide");
}

static void scope_rules(void **state)
{
	static const Glt__Type types[] = {GLT__TYPE__PERSONAL, GLT__TYPE__PROJECT, GLT__TYPE__GROUP,
					  GLT__TYPE__DEPLOY};
	struct tmpstore *t = *state;

	for (size_t i = 0; i < COUNT(types); i++) {
		struct glt_issue r = tmpstore_project("demo/a", "ci", 0);

		r.type = types[i];
		r.role = types[i] == GLT__TYPE__PROJECT || types[i] == GLT__TYPE__GROUP ? GLT_GUEST : 0;
		if (types[i] == GLT__TYPE__PERSONAL)
			r.target = "alice";
		refused(t, &r, GLT_INVALID, "at least one scope");
		for (unsigned bit = 0; bit < 64; bit++) {
			r.scopes = GLT_SCOPE_BIT(bit) | (types[i] == GLT__TYPE__DEPLOY ? READ_REPO : 0);
			if (!(glt_scopes_of_type(types[i]) & GLT_SCOPE_BIT(bit)))
				refused(t, &r, GLT_INVALID, "scope of its type");
		}
		r.scopes = glt_scopes_of_type(types[i]);
		(void)tmpstore_issue(t, &r, NULL);
	}
}

static void list_rules(void **state)
{
	struct tmpstore *t = *state;
	const struct glt_issue good = tmpstore_personal("alice", "ci", READ_REPO);
	char *ranges[] = {MUT("192.0.2.0/24"), MUT("192.0.2.1/24")}, *globs[] = {MUT("demo/*"), MUT("a b")};
	char *services[][1] = {{MUT("SSHD")},
			       {MUT("")},
			       {MUT("a b")},
			       {MUT("sshd\n")},
			       {MUT("123456789012345678901234567890123")}};
	struct glt_issue r = good;

	r.allow_from = ranges;
	r.n_allow_from = 2;
	refused(t, &r, GLT_INVALID, "192.0.2.1/24");
	r = good;
	r.only_repo = globs;
	r.n_only_repo = 2;
	refused(t, &r, GLT_INVALID, "a b");
	r = good;
	r.n_services = 1;
	for (size_t i = 0; i < COUNT(services); i++) {
		r.services = services[i];
		refused(t, &r, GLT_INVALID, "service");
	}
}

/* ---- expiry ---- */

static void expiry_policy(void **state)
{
	static const struct {
		bool require;
		int64_t max, wanted, usual, want; /* all but want from NOW; want -1: refused, -2: invalid */
		const char *words;
	} cases[] = {
		{true, 365 * DAY, GLT_EXPIRES_DEFAULT, 90 * DAY, 90 * DAY, NULL},
		{true, 30 * DAY, GLT_EXPIRES_DEFAULT, 90 * DAY, 30 * DAY, NULL}, /* the usual, as far as it may be */
		{true, 0, GLT_EXPIRES_DEFAULT, 90 * DAY, 90 * DAY, NULL},
		{true, 0, GLT_EXPIRES_DEFAULT, 0, -1, "require_expiry = yes"},
		{true, 365 * DAY, 0, 90 * DAY, -1, "require_expiry = yes"},
		{false, 0, 0, 90 * DAY, 0, NULL},
		{false, 0, GLT_EXPIRES_DEFAULT, 0, 0, NULL},
		{false, 365 * DAY, 0, 90 * DAY, -1, "max_lifetime = 365d"},
		{true, 365 * DAY, 365 * DAY, 90 * DAY, 365 * DAY, NULL},
		{true, 365 * DAY, 365 * DAY + 1, 90 * DAY, -1, "max_lifetime = 365d"},
		{true, 0, 10000 * DAY, 90 * DAY, 10000 * DAY, NULL},
		{true, 365 * DAY, 1, 90 * DAY, 1, NULL},
		{true, 365 * DAY, INT64_MIN, 90 * DAY, -2, "in the past"}, /* NOW itself */
		{true, 365 * DAY, -5 * DAY, 90 * DAY, -2, "in the past"},
	};
	struct glt_conf conf = {.max_lifetime_of = {[GLT__TYPE__PERSONAL] = GLT_CONF_UNSET}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t wanted = cases[i].wanted, out = 42;
		enum glt_status want = cases[i].want == -1   ? GLT_REFUSED
				       : cases[i].want == -2 ? GLT_INVALID
							     : GLT_OK;

		conf.require_expiry = cases[i].require;
		conf.max_lifetime = cases[i].max;
		if (wanted == INT64_MIN)
			wanted = NOW;
		else if (wanted != GLT_EXPIRES_DEFAULT && wanted != GLT_WHEN_NEVER)
			wanted += NOW;
		must_fail(want, cases[i].words,
			  glt_policy_expiry(&conf, GLT__TYPE__PERSONAL, wanted, cases[i].usual, NOW, &out, &err));
		if (want == GLT_OK)
			assert_true(out == (cases[i].want ? NOW + cases[i].want : 0));
		else
			assert_true(out == 42);
	}
}

static void expiry_of_tokens(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);
	Glt__Token *p;

	r.expires_at = NOW - 1;
	refused(t, &r, GLT_INVALID, "in the past");
	r.expires_at = GLT_WHEN_NEVER;
	refused(t, &r, GLT_REFUSED, "expiry 'never': refused by [policy] require_expiry = yes");
	r.expires_at = NOW + 366 * DAY;
	refused(t, &r, GLT_REFUSED, "[policy] max_lifetime = 365d");
	r.expires_at = NOW + DAY;
	r.not_before = NOW + DAY;
	refused(t, &r, GLT_INVALID, "not-before");
	r.not_before = 0;
	r.expires_at = GLT_EXPIRES_DEFAULT;
	p = tmpstore_load(t, tmpstore_issue(t, &r, NULL));
	assert_true(p->expires_at == NOW + 90 * DAY);
	glt_token_free(p);
	t->conf.require_expiry = false;
	t->conf.max_lifetime = 0;
	r.name = "forever";
	r.expires_at = GLT_WHEN_NEVER;
	p = tmpstore_load(t, tmpstore_issue(t, &r, NULL));
	assert_true(p->expires_at == 0);
	glt_token_free(p);
	tmpstore_check(t);
}

/* ---- one active token of a name ---- */

static void unique_names(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO), other = r;
	struct glt_issue p = tmpstore_project("demo/a", "ci", READ_REPO);
	uint64_t first = tmpstore_issue(t, &r, NULL);
	char id[32];

	(void)snprintf(id, sizeof(id), "id %llu", (unsigned long long)first);
	refused(t, &r, GLT_EXISTS, id);
	tmpstore_user(t, "bob", true, GLT__STATE__LIVE);
	other.target = "bob";
	(void)tmpstore_issue(t, &other, NULL);
	other = r;
	other.name = "CI";
	(void)tmpstore_issue(t, &other, NULL);
	/* The same name on a project, in its group and as a deploy token there: each a holder or a type of its own. */
	(void)tmpstore_issue(t, &p, NULL);
	refused(t, &p, GLT_EXISTS, "demo/a has an active token 'ci'");
	p.type = GLT__TYPE__GROUP;
	(void)tmpstore_issue(t, &p, NULL);
	p.target = "demo";
	(void)tmpstore_issue(t, &p, NULL);
	/* An expired one is in nobody's way. */
	r.now = NOW + DAY;
	r.expires_at = NOW + 2 * DAY;
	(void)tmpstore_issue(t, &r, NULL);
	refused(t, &r, GLT_EXISTS, "active token 'ci'");
	tmpstore_check(t);
}

static void if_absent(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);
	char text[GLT_TOKEN_MAX + 1];
	Glt__Token *record = NULL;
	uint64_t first;

	r.if_absent = true;
	first = tmpstore_issue(t, &r, NULL);
	must_fail(GLT_EXISTS, NULL, glt_issue(t->store, &t->conf, &r, &record, text, &err));
	assert_non_null(record);
	assert_true(record->id == first);
	assert_string_equal(text, "");
	glt_token_free(record);
	assert_int_equal(tmpstore_count(t, GLT_TOKENS), 1);
	r.name = "a\n";
	refused(t, &r, GLT_INVALID, "control");
}

static void generations_and_numbers(void **state)
{
	struct tmpstore *t = *state;

	for (uint64_t n = 1; n <= 10; n++) {
		char name[16];
		struct glt_issue r = tmpstore_personal("alice", name, READ_REPO);
		Glt__Token *p;

		(void)snprintf(name, sizeof(name), "t%llu", (unsigned long long)n);
		p = tmpstore_load(t, tmpstore_issue(t, &r, NULL));
		assert_true(p->id == n && p->generation == n);
		glt_token_free(p);
	}
}

/* ---- the secret is nowhere but in the text ---- */

static bool file_holds(const char *path, const char *what)
{
	int fd = open(path, O_RDONLY);
	struct stat sb;
	uint8_t *bytes;
	bool found;

	assert_true(fd >= 0 && fstat(fd, &sb) == 0);
	bytes = malloc((size_t)sb.st_size);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, (size_t)sb.st_size), sb.st_size);
	(void)close(fd);
	found = memmem(bytes, (size_t)sb.st_size, what, strlen(what)) != NULL;
	free(bytes);
	return found;
}

static void secret_is_not_stored(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue r = tmpstore_personal("alice", "needle in the file", READ_REPO);
	char text[GLT_TOKEN_MAX + 1], path[128], part[8];

	(void)tmpstore_issue(t, &r, text);
	(void)snprintf(path, sizeof(path), "%s/store.mdb", t->dir);
	tmpstore_close(t);
	assert_true(file_holds(path, "needle in the file"));
	for (size_t at = 6 + GLT_SELECTOR_LEN; at + 7 <= strlen(text); at++) {
		(void)snprintf(part, sizeof(part), "%.7s", text + at);
		assert_false(file_holds(path, part));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_user(personal_record),
		with_user(every_type),
		with_user(bots),
		with_user(robots),
		with_user(robots_with_chosen_names),
		with_user(text_rules),
		with_user(target_rules),
		with_user(system_accounts),
		with_user(role_rules),
		with_user(scope_rules),
		with_user(list_rules),
		cmocka_unit_test(expiry_policy),
		with_user(expiry_of_tokens),
		with_user(unique_names),
		with_user(if_absent),
		with_user(generations_and_numbers),
		with_user(secret_is_not_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
