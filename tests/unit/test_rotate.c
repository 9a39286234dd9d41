/* SPDX-License-Identifier: MIT */
/* Rotation: what the successor has, what becomes of the old one, and rotations at once. */
#include "tmpstore.h"

#include "edit.h"
#include "secret.h"
#include "when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct glt_rotate request(uint64_t id)
{
	return (struct glt_rotate){.id = id,
				   .expires_at = GLT_EXPIRES_DEFAULT,
				   .overlap = GLT_OVERLAP_DEFAULT,
				   .actor = "root",
				   .now = NOW + 100};
}

static uint64_t rotate(struct tmpstore *t, const struct glt_rotate *r, char text[GLT_TOKEN_MAX + 1])
{
	char ignored[GLT_TOKEN_MAX + 1] = "";
	Glt__Token *record;
	uint64_t id;

	must(glt_rotate(t->store, &t->conf, r, &record, text ? text : ignored, &err));
	id = record->id;
	glt_token_free(record);
	return id;
}

static void refused(struct tmpstore *t, const struct glt_rotate *r, enum glt_status want, const char *words)
{
	uint64_t before = tmpstore_count(t, GLT_TOKENS), events = tmpstore_count(t, GLT_AUDIT);
	char text[GLT_TOKEN_MAX + 1] = "left over";
	Glt__Token *record = NULL;

	must_fail(want, words, glt_rotate(t->store, &t->conf, r, &record, text, &err));
	assert_null(record);
	assert_string_equal(text, "");
	assert_int_equal(tmpstore_count(t, GLT_TOKENS), before);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), events);
}

static void edit(struct tmpstore *t, uint64_t id, struct glt_edit e)
{
	must(glt_token_edit(t->store, &t->conf, id, &e, 1, "root", NOW, NULL, &err));
}

static bool verifies(struct tmpstore *t, const char *text)
{
	struct glt_token_text tt;
	Glt__Token *record;
	bool match;

	assert_true(glt_token_parse(text, strlen(text), t->conf.prefixes, &tt));
	must(glt_token_verify(t->store, &tt, &record, &match, &err));
	glt_token_free(record);
	return match;
}

/* ---- successor and predecessor ---- */

static uint64_t issue_limited(struct tmpstore *t, char text[GLT_TOKEN_MAX + 1])
{
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO | WRITE_REPO);
	char *ranges[] = {MUT("192.0.2.0/24")}, *globs[] = {MUT("demo/**")}, *services[] = {MUT("sshd")};

	r.description = "build";
	r.not_before = NOW + 5;
	r.allow_from = ranges;
	r.only_repo = globs;
	r.services = services;
	r.n_allow_from = r.n_only_repo = r.n_services = 1;
	r.max_uses = 7;
	return tmpstore_issue(t, &r, text);
}

static void successor_has_the_same_grants(void **state)
{
	struct tmpstore *t = *state;
	char first[GLT_TOKEN_MAX + 1], second[GLT_TOKEN_MAX + 1];
	uint64_t id = issue_limited(t, first), next;
	struct glt_rotate r = request(id);
	Glt__Token *old = tmpstore_load(t, id), *fresh;

	r.actor = "alice";
	next = rotate(t, &r, second);
	fresh = tmpstore_load(t, next);
	assert_true(next == id + 1 && fresh->previous == id && fresh->family == id && fresh->next == 0);
	assert_string_equal(fresh->name, "ci");
	assert_string_equal(fresh->description, "build");
	assert_string_equal(fresh->owner, "alice");
	assert_true(fresh->type == old->type && fresh->scopes == old->scopes && fresh->role == old->role);
	assert_true(fresh->n_allow_from == 1 && fresh->n_only_repo == 1 && fresh->n_services == 1);
	assert_string_equal(fresh->allow_from[0], "192.0.2.0/24");
	assert_string_equal(fresh->only_repo[0], "demo/**");
	assert_string_equal(fresh->services[0], "sshd");
	assert_true(fresh->max_uses == 7 && fresh->uses_left == 7 && fresh->not_before == 0);
	assert_true(fresh->created_at == NOW + 100);
	assert_string_equal(fresh->created_by, "alice");
	assert_true(fresh->state == GLT__STATE__LIVE && fresh->generation > old->generation);
	assert_string_not_equal(fresh->selector, old->selector);
	assert_memory_not_equal(fresh->salt.data, old->salt.data, GLT_SALT_LEN);
	assert_memory_not_equal(fresh->tag.data, old->tag.data, GLT_TAG_LEN);
	assert_string_not_equal(first, second);
	assert_true(verifies(t, second));
	glt_token_free(old);
	glt_token_free(fresh);
	tmpstore_check(t);
}

static void predecessor_is_revoked(void **state)
{
	struct tmpstore *t = *state;
	char first[GLT_TOKEN_MAX + 1];
	uint64_t id = issue_limited(t, first), next;
	struct glt_rotate r = request(id);
	Glt__Token *old;

	next = rotate(t, &r, NULL);
	old = tmpstore_load(t, id);
	assert_int_equal(old->state, GLT__STATE__REVOKED);
	assert_true(old->next == next && old->revoked_at == NOW + 100 && old->overlap_end == 0);
	assert_string_equal(old->revoked_by, "root");
	assert_string_equal(old->revoked_why, "rotated");
	assert_string_equal(glt_token_state(old, NOW + 100), "revoked");
	assert_true(old->generation > 1);
	/* The record stays, so that the reuse of a rotated token is seen. */
	assert_true(verifies(t, first));
	glt_token_free(old);
}

static void overlap(void **state)
{
	struct tmpstore *t = *state;
	char first[GLT_TOKEN_MAX + 1], second[GLT_TOKEN_MAX + 1];
	uint64_t id = issue_limited(t, first), next;
	struct glt_rotate r = request(id);
	Glt__Token *old;

	r.overlap = 3600;
	next = rotate(t, &r, second);
	old = tmpstore_load(t, id);
	assert_true(old->state == GLT__STATE__LIVE && old->next == next && old->overlap_end == NOW + 100 + 3600);
	assert_string_equal(glt_token_state(old, NOW + 100), "active");
	assert_string_equal(glt_token_state(old, NOW + 3699), "active");
	assert_string_equal(glt_token_state(old, NOW + 3700), "revoked");
	glt_token_free(old);
	assert_true(verifies(t, first) && verifies(t, second));
	/* It has its successor already; that one is rotated on. */
	refused(t, &r, GLT_REFUSED, "Token already revoked");
	r.id = next;
	assert_int_equal(rotate(t, &r, NULL), next + 1);
	tmpstore_check(t);
}

static void family(void **state)
{
	struct tmpstore *t = *state;
	uint64_t id = issue_limited(t, NULL), first = id;
	char selector[5][GLT_SELECTOR_LEN + 1];
	uint64_t generation = 0;

	for (int n = 0; n < 5; n++) {
		struct glt_rotate r = request(id);
		Glt__Token *p = tmpstore_load(t, rotate(t, &r, NULL));

		assert_true(p->family == first && p->previous == id && p->generation > generation);
		generation = p->generation;
		strcpy(selector[n], p->selector);
		for (int k = 0; k < n; k++)
			assert_string_not_equal(selector[k], p->selector);
		id = p->id;
		glt_token_free(p);
		tmpstore_check(t);
	}
	assert_int_equal(tmpstore_count(t, GLT_TOKENS), 6);
	assert_int_equal(tmpstore_count(t, GLT_AUDIT), 6);
}

static void every_type_keeps_its_bot(void **state)
{
	static const Glt__Type types[] = {GLT__TYPE__PROJECT, GLT__TYPE__GROUP, GLT__TYPE__DEPLOY};
	struct tmpstore *t = *state;

	for (size_t i = 0; i < 3; i++) {
		struct glt_issue req = tmpstore_project("demo/a", "ci", READ_REPO);
		char text[GLT_TOKEN_MAX + 1];
		struct glt_rotate r;
		Glt__Token *old, *fresh;

		req.type = types[i];
		req.role = types[i] == GLT__TYPE__DEPLOY ? 0 : 30;
		r = request(tmpstore_issue(t, &req, NULL));
		old = tmpstore_load(t, r.id);
		fresh = tmpstore_load(t, rotate(t, &r, text));
		assert_string_equal(old->owner, fresh->owner);
		assert_string_equal(old->path, fresh->path);
		assert_true(old->role == fresh->role && old->type == fresh->type);
		assert_int_equal(strncmp(text, old->prefix, strlen(old->prefix)), 0);
		glt_token_free(old);
		glt_token_free(fresh);
		tmpstore_check(t);
	}
}

/* ---- expiry ---- */

static void expires(struct tmpstore *t, const struct glt_rotate *r, int64_t want)
{
	Glt__Token *p = tmpstore_load(t, rotate(t, r, NULL));

	assert_true(p->expires_at == want);
	glt_token_free(p);
}

static uint64_t issue_until(struct tmpstore *t, const char *name, int64_t at)
{
	struct glt_issue r = tmpstore_personal("alice", name, READ_REPO);

	r.expires_at = at;
	return tmpstore_issue(t, &r, NULL);
}

static void expiry(void **state)
{
	struct tmpstore *t = *state;
	struct glt_rotate r = request(issue_until(t, "default", NOW + 30 * DAY));

	expires(t, &r, r.now + 7 * DAY); /* GitLab's week, where expiry is required */
	r = request(issue_until(t, "kept", NOW + 30 * DAY));
	r.keep_lifetime = true;
	expires(t, &r, r.now + 30 * DAY);
	r = request(issue_until(t, "chosen", NOW + 30 * DAY));
	r.expires_at = NOW + 200 * DAY;
	expires(t, &r, NOW + 200 * DAY);
	/* At the limit: users of GitLab cannot rotate there. */
	r = request(issue_until(t, "limit", NOW + 365 * DAY));
	r.keep_lifetime = true;
	expires(t, &r, r.now + 365 * DAY);
	r = request(issue_until(t, "shorter", NOW + 365 * DAY));
	r.keep_lifetime = true;
	t->conf.max_lifetime = 3 * DAY;
	expires(t, &r, r.now + 3 * DAY);
	t->conf.require_expiry = false;
	t->conf.max_lifetime = 0;
	r = request(issue_until(t, "free", NOW + 30 * DAY));
	expires(t, &r, 0);
	r = request(issue_until(t, "never", 0));
	r.keep_lifetime = true;
	expires(t, &r, 0);
	tmpstore_check(t);
}

static void expiry_refused(void **state)
{
	struct tmpstore *t = *state;
	struct glt_rotate r = request(issue_until(t, "ci", NOW + DAY));

	r.expires_at = GLT_WHEN_NEVER;
	refused(t, &r, GLT_REFUSED, "[policy] require_expiry = yes");
	r.expires_at = r.now + 366 * DAY;
	refused(t, &r, GLT_REFUSED, "[policy] max_lifetime = 365d");
	r.expires_at = r.now;
	refused(t, &r, GLT_INVALID, "in the past");
}

/* ---- dead tokens ---- */

static void dead_tokens(void **state)
{
	struct tmpstore *t = *state;
	struct glt_rotate r = request(99);

	refused(t, &r, GLT_NOT_FOUND, "no token with id 99");
	r = request(issue_until(t, "revoked", NOW + DAY));
	edit(t, r.id, (struct glt_edit){.what = GLT_EDIT_REVOKE});
	refused(t, &r, GLT_REFUSED, "Token already revoked");
	r = request(issue_until(t, "expired", NOW + DAY));
	r.now = NOW + DAY;
	refused(t, &r, GLT_REFUSED, "expired");
	/* A paused one stays paused under its new secret: rotating does not resume. */
	r = request(issue_until(t, "paused", NOW + DAY));
	edit(t, r.id, (struct glt_edit){.what = GLT_EDIT_PAUSE});
	Glt__Token *p = tmpstore_load(t, rotate(t, &r, NULL));
	assert_true(p->paused);
	glt_token_free(p);
}

/* Nor does it make a token valid earlier than it was to be. */
static void not_before_stays(void **state)
{
	struct tmpstore *t = *state;
	struct glt_issue req = tmpstore_personal("alice", "later", READ_REPO);
	struct glt_rotate r;
	Glt__Token *p;

	req.not_before = NOW + DAY;
	req.expires_at = NOW + 30 * DAY;
	r = request(tmpstore_issue(t, &req, NULL));
	r.expires_at = NOW + DAY;
	refused(t, &r, GLT_INVALID, "not-before");
	r.expires_at = GLT_EXPIRES_DEFAULT;
	p = tmpstore_load(t, rotate(t, &r, NULL));
	assert_true(p->not_before == NOW + DAY);
	glt_token_free(p);
}

/* ---- at once ---- */

#define ROTATORS 6

/* Exit status 0: this one won; 1: refused as it should be; 2: anything else. */
static bool rotate_once(struct tmpstore *t, void *arg)
{
	struct glt_rotate r = request(*(uint64_t *)arg);
	char text[GLT_TOKEN_MAX + 1];
	Glt__Token *record;
	struct glt_err err;
	enum glt_status st;

	if (glt_store_open(t->dir, true, &t->store, &err) != GLT_OK)
		_exit(2);
	st = glt_rotate(t->store, &t->conf, &r, &record, text, &err);
	glt_token_free(record);
	glt_store_close(t->store);
	if (st != GLT_OK && (st != GLT_REFUSED || strcmp(err.text, "Token already revoked") != 0))
		_exit(2);
	return st == GLT_OK;
}

static void one_of_many_wins(void **state)
{
	struct tmpstore *t = *state;

	for (int round = 0; round < 5; round++) {
		char name[16];
		pid_t pid[ROTATORS];
		uint64_t id, tokens;
		int won = 0;

		(void)snprintf(name, sizeof(name), "t%d", round);
		id = issue_until(t, name, NOW + DAY);
		tokens = tmpstore_count(t, GLT_TOKENS);
		tmpstore_close(t);
		for (int n = 0; n < ROTATORS; n++)
			pid[n] = child_start(t, rotate_once, &id);
		for (int n = 0; n < ROTATORS; n++) {
			int status = child_wait(pid[n]);

			assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
			won += WEXITSTATUS(status) == 0;
		}
		assert_int_equal(won, 1);
		tmpstore_open(t);
		assert_int_equal(tmpstore_count(t, GLT_TOKENS), tokens + 1);
		tmpstore_check(t);
	}
}

static bool rotate_slowly(struct tmpstore *t, void *arg)
{
	t->conf.hash = (struct glt_hash_params){.memory = 131072, .time = 12};
	return rotate_once(t, arg);
}

/* Edit while the successor's secret is being hashed. False: the machine was so busy that the edit came too late. */
static bool edit_in_time(struct tmpstore *t, uint64_t id)
{
	const struct timespec nap = {0, 150 * 1000 * 1000};
	char *ranges[] = {MUT("192.0.2.0/24")};
	const struct glt_edit edits[] = {
		{.what = GLT_EDIT_SCOPES_REMOVE, .number = WRITE_REPO},
		{.what = GLT_EDIT_ALLOW_FROM, .list = ranges, .n_list = 1},
		{.what = GLT_EDIT_PAUSE},
	};
	struct glt_err err;
	enum glt_status st;
	pid_t pid;

	tmpstore_close(t);
	pid = child_start(t, rotate_slowly, &id);
	(void)nanosleep(&nap, NULL);
	tmpstore_open(t);
	st = glt_token_edit(t->store, &t->conf, id, edits, 3, "root", NOW, NULL, &err);
	child_ok(pid);
	return st == GLT_OK;
}

/* What is taken from a token meanwhile is not in its successor. */
static void edit_during_the_hash(void **state)
{
	struct tmpstore *t = *state;
	bool in_time = false;

	for (int round = 0; round < 10 && !in_time; round++) {
		char name[16];
		struct glt_issue req = tmpstore_personal("alice", name, READ_REPO | WRITE_REPO);
		Glt__Token *old, *fresh;
		uint64_t id;

		(void)snprintf(name, sizeof(name), "t%d", round);
		id = tmpstore_issue(t, &req, NULL);
		in_time = edit_in_time(t, id);
		if (!in_time)
			continue;
		old = tmpstore_load(t, id);
		fresh = tmpstore_load(t, id + 1);
		assert_true(old->scopes == READ_REPO && old->next == fresh->id);
		assert_true(fresh->scopes == READ_REPO && fresh->n_allow_from == 1 && fresh->paused);
		assert_true(fresh->memory == 131072 && fresh->time == 12 && fresh->created_at == NOW + 100);
		glt_token_free(old);
		glt_token_free(fresh);
	}
	assert_true(in_time);
	tmpstore_check(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_user(successor_has_the_same_grants),
		with_user(predecessor_is_revoked),
		with_user(overlap),
		with_user(family),
		with_user(every_type_keeps_its_bot),
		with_user(expiry),
		with_user(expiry_refused),
		with_user(dead_tokens),
		with_user(not_before_stays),
		with_user(one_of_many_wins),
		with_user(edit_during_the_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
