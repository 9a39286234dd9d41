/* SPDX-License-Identifier: MIT */
/*
 * No memory, and a disk that fails: each operation of the core with one call of libc failing, the first, the second,
 * ... until none is left. An error is said, nothing half is done, and what said that it is done is there.
 */
#include "tmpstore.h"

#include "ask.h"
#include "conf_files.h"
#include "edit.h"
#include "people.h"
#include "reap.h"
#include "reuse.h"
#include "role.h"
#include "roster.h"
#include "secret.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static long calls, failing = -1; /* since the operation began; which of them fails, -1: none is counted */
static int because;

static bool fails(void)
{
	if (failing < 0 || ++calls != failing)
		return false;
	errno = because;
	return true;
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/* AddressSanitizer's own are not to be put behind others; with it only the calls of the kernel fail. */
#ifdef SANITIZED
#define LEAST 1
#else
#define LEAST 3
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
#endif

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
	return fails() ? -1 : REAL(pread)(fd, buf, n, at);
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
	return fails() ? -1 : REAL(pwrite)(fd, buf, n, at);
}

ssize_t write(int fd, const void *buf, size_t n)
{
	return fails() ? -1 : REAL(write)(fd, buf, n);
}

/* Nobody pulls the plug here. */
int fsync(int fd)
{
	(void)fd;
	return fails() ? -1 : 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return fails() ? -1 : 0;
}

int fstat(int fd, struct stat *sb)
{
	return fails() ? -1 : REAL(fstat)(fd, sb);
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t at)
{
	return fails() ? MAP_FAILED : REAL(mmap)(addr, len, prot, flags, fd, at);
}

/* ---- the operations: what they say, and whether it is so ---- */

static char name[32]; /* of this attempt */
static uint64_t subject;
static bool answered; /* where nothing changes: what it came to */

static enum glt_status do_open(struct tmpstore *t, struct glt_err *err)
{
	struct glt_store *again = NULL;
	enum glt_status st;

	tmpstore_close(t);
	st = glt_store_open(t->dir, true, &again, err);
	t->store = again;
	return st;
}

static enum glt_status do_issue(struct tmpstore *t, struct glt_err *err)
{
	char *from[] = {MUT("192.0.2.0/24"), NULL}, *repos[] = {MUT("demo/*"), NULL}, text[GLT_TOKEN_MAX + 1];
	struct glt_issue r = tmpstore_project("demo/hello", name, READ_REPO);
	Glt__Token *record = NULL;
	enum glt_status st;

	r.allow_from = from;
	r.only_repo = repos;
	r.n_allow_from = r.n_only_repo = 1;
	st = glt_issue(t->store, &t->conf, &r, &record, text, err);
	glt_token_free(record);
	return st;
}

static bool is_issued(struct tmpstore *t)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	struct glt_err err;
	Glt__Token *found;
	bool is = glt_token_named(txn, GLT__TYPE__PROJECT, "demo/hello", name, NOW, &found, &err) == GLT_OK;

	glt_txn_end(txn);
	glt_token_free(found);
	return is;
}

static enum glt_status do_edit(struct tmpstore *t, struct glt_err *err)
{
	char *from[] = {MUT("192.0.2.0/24"), MUT("2001:db8::/32")};
	struct glt_edit edits[] = {{.what = GLT_EDIT_NAME, .text = name},
				   {.what = GLT_EDIT_ALLOW_FROM, .list = from, .n_list = 2}};
	Glt__Token *record = NULL;
	enum glt_status st = glt_token_edit(t->store, &t->conf, subject, edits, 2, "root", NOW, &record, err);

	glt_token_free(record);
	return st;
}

static bool is_edited(struct tmpstore *t)
{
	Glt__Token *now = tmpstore_load(t, subject);
	bool is = strcmp(now->name, name) == 0;

	glt_token_free(now);
	return is;
}

static enum glt_status do_rotate(struct tmpstore *t, struct glt_err *err)
{
	struct glt_rotate r = {
		.id = subject, .expires_at = GLT_EXPIRES_DEFAULT, .overlap = 3600, .actor = "root", .now = NOW};
	char text[GLT_TOKEN_MAX + 1];
	Glt__Token *record = NULL;
	enum glt_status st = glt_rotate(t->store, &t->conf, &r, &record, text, err);

	glt_token_free(record);
	return st;
}

static bool is_rotated(struct tmpstore *t)
{
	Glt__Token *now = tmpstore_load(t, subject);
	bool is = now->next != 0;

	if (is)
		subject = now->next;
	glt_token_free(now);
	return is;
}

static enum glt_status do_reuse(struct tmpstore *t, struct glt_err *err)
{
	struct glt_reuse r = {.id = subject, .revoke = true, .actor = "root", .sighted = "here", .now = NOW + DAY};
	size_t revoked;

	return glt_reuse_note(t->store, &r, &revoked, err);
}

static bool is_noted(struct tmpstore *t)
{
	Glt__Token *now = tmpstore_load(t, subject), *next = tmpstore_load(t, now->next);
	bool is = next->state != GLT__STATE__LIVE;

	glt_token_free(now);
	glt_token_free(next);
	return is;
}

static void reaped(void *arg, const Glt__Token *t, int64_t died, bool account_gone)
{
	(void)arg;
	(void)t;
	(void)died;
	(void)account_gone;
}

static enum glt_status do_reap(struct tmpstore *t, struct glt_err *err)
{
	struct glt_reap r = {.before = NOW + 100 * DAY, .now = NOW + 101 * DAY, .actor = "root", .fn = reaped};

	enum glt_status st = glt_reap(t->store, &r, err);

	return st == GLT_OK && r.damaged ? glt_fail(err, GLT_DAMAGED, "%zu were left alone", r.damaged) : st;
}

static bool is_reaped(struct tmpstore *t)
{
	return tmpstore_count(t, GLT_TOKENS) == 0;
}

static enum glt_status do_ask(struct tmpstore *t, struct glt_err *err)
{
	const struct glt_question q = {
		.user = "alice", .op = GLT_OP_PUSH, .path = "demo/hello", .ref = "refs/heads/main", .now = NOW};
	struct glt_answer a = {.allow = false};
	enum glt_status st = glt_ask(t->store, &t->conf, &q, &a, err);

	answered = st == GLT_OK && a.allow;
	return st;
}

static bool is_answered(struct tmpstore *t)
{
	(void)t;
	return answered;
}

static enum glt_status do_gather(struct tmpstore *t, struct glt_err *err)
{
	struct glt_roster r = {.limits = {.groups = true}};
	enum glt_status st = glt_roster_gather(t->store, &r, err);

	answered = st == GLT_OK && r.users == 2 && r.grants == 2 && r.spaces == 1;
	glt_roster_free(&r);
	return st;
}

static enum glt_status do_configure(struct tmpstore *t, struct glt_err *err)
{
	static struct glt_conf conf;
	char path[100], *text = NULL;
	enum glt_status st;

	(void)snprintf(path, sizeof(path), "%s/gltoken.conf", t->top);
	st = glt_conf_files(path, NULL, &conf, &text, err);
	answered = st == GLT_OK && conf.session_lifetime == 3600;
	if (st == GLT_OK)
		free(text);
	return st;
}

/* One of each kind of small record, in one change. */
static enum glt_status do_people(struct tmpstore *t, struct glt_err *err)
{
	uint8_t print[GLT_FINGERPRINT_LEN] = {1};
	Glt__Member m = GLT__MEMBER__INIT;
	Glt__Protection p = GLT__PROTECTION__INIT;
	Glt__Namespace n = GLT__NAMESPACE__INIT;
	Glt__Key k = GLT__KEY__INIT;
	struct glt_change *c;
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(t->store, true, &txn, err);

	if (st != GLT_OK)
		return st;
	m.path = p.path = n.path = name;
	m.principal = MUT("alice");
	m.role = GLT_DEVELOPER;
	p.ref_glob = MUT("refs/heads/main");
	n.id = glt_next(txn, GLT_NEXT_ACCOUNT);
	k.id = glt_next(txn, GLT_NEXT_ACCOUNT);
	k.user = MUT("alice");
	k.title = name;
	k.blob.data = print;
	k.blob.len = sizeof(print);
	c = glt_change_new();
	if (!c) {
		glt_txn_end(txn);
		return glt_fail(err, GLT_UNAVAILABLE, "no memory");
	}
	(void)snprintf((char *)print, sizeof(print), "%s", name);
	glt_key_store(c, &k);
	glt_namespace_store(c, &n);
	glt_protection_store(c, &p);
	glt_member_store(c, &m);
	st = glt_store_apply(txn, c, err);
	glt_change_free(c);
	return st;
}

static bool are_there(struct tmpstore *t)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	struct glt_err err;
	Glt__Protection *p;
	Glt__Namespace *n;
	Glt__Member *m;
	int found = (glt_member_load(txn, name, "alice", &m, &err) == GLT_OK) +
		    (glt_protection_load(txn, name, "refs/heads/main", &p, &err) == GLT_OK) +
		    (glt_namespace_load(txn, name, &n, &err) == GLT_OK);

	glt_txn_end(txn);
	glt_member_free(m);
	glt_protection_free(p);
	glt_namespace_free(n);
	assert_true(found == 0 || found == 3);
	return found == 3;
}

static char presented[GLT_TOKEN_MAX + 1];

static enum glt_status do_verify(struct tmpstore *t, struct glt_err *err)
{
	struct glt_token_text text;
	Glt__Token *record = NULL;
	bool match = false;
	enum glt_status st;

	assert_true(glt_token_parse(presented, strlen(presented), t->conf.prefixes, &text));
	st = glt_token_verify(t->store, &text, &record, &match, err);
	answered = st == GLT_OK && match;
	glt_token_free(record);
	return st;
}

/* ---- each with each of its calls failing ---- */

typedef enum glt_status operation(struct tmpstore *t, struct glt_err *err);

/* Where it changes nothing it may be tried on the same store; else each attempt finds what `prepare` made. */
static long attempts(struct tmpstore *t, operation *run, bool (*is)(struct tmpstore *), bool once)
{
	for (long n = 1;; n++) {
		struct glt_err err = {GLT_OK, ""};
		enum glt_status st;

		(void)snprintf(name, sizeof(name), "attempt-%d-%ld", because, n);
		calls = 0;
		failing = n;
		st = run(t, &err);
		failing = -1;
		const bool reached = calls >= n;

		if (st != GLT_OK && (!reached || err.text[0] == '\0'))
			fail_msg("call %ld: %s", n, err.text[0] ? err.text : "it failed without a word");
		if (run == do_open)
			answered = t->store != NULL;
		if (st != GLT_OK) { /* LMDB: what failed to be written may not be believed */
			tmpstore_close(t);
			tmpstore_open(t);
		}
		if ((st == GLT_OK) != is(t))
			fail_msg("call %ld: it said '%s', but it is %s", n, st == GLT_OK ? "done" : err.text,
				 st == GLT_OK ? "not" : "done");
		if (n % 16 == 0)
			tmpstore_check(t);
		if (!reached || (once && st == GLT_OK))
			return n;
	}
}

static void each(struct tmpstore *t, operation *run, bool (*is)(struct tmpstore *), bool once)
{
	static const int why[] = {ENOMEM, EIO};

	for (size_t i = 0; i < sizeof(why) / sizeof(*why); i++) {
		because = why[i];
		assert_true(attempts(t, run, is, once) >= LEAST);
		if (once)
			return;
	}
	tmpstore_check(t);
}

static int setup(void **state)
{
	struct tmpstore *t;
	struct glt_issue r;
	char path[100];
	FILE *f;

	if (tmpstore_setup_user(state) != 0)
		return -1;
	t = *state;
	tmpstore_member(t, "demo", "alice", GLT_DEVELOPER);
	r = tmpstore_personal("alice", "subject", READ_REPO);
	subject = tmpstore_issue(t, &r, NULL);
	r = tmpstore_project("demo/hello", "bot", READ_REPO);
	(void)tmpstore_issue(t, &r, NULL);
	(void)snprintf(path, sizeof(path), "%s/gltoken.conf", t->top);
	f = fopen(path, "we");
	if (!f)
		return -1;
	(void)fputs("[git]\nsession_lifetime = 1h\n", f);
	return fclose(f);
}

static void opening(void **state)
{
	each(*state, do_open, is_answered, false);
}

static void issuing(void **state)
{
	each(*state, do_issue, is_issued, false);
}

static void editing(void **state)
{
	each(*state, do_edit, is_edited, false);
}

static void rotating(void **state)
{
	each(*state, do_rotate, is_rotated, false);
}

static void noting_a_reuse(void **state)
{
	struct glt_err err;

	because = EIO;
	assert_int_equal(do_rotate(*state, &err), GLT_OK);
	each(*state, do_reuse, is_noted, true);
}

static void reaping(void **state)
{
	each(*state, do_reap, is_reaped, true);
}

static void asking(void **state)
{
	each(*state, do_ask, is_answered, false);
}

static void gathering(void **state)
{
	each(*state, do_gather, is_answered, false);
}

static void small_records(void **state)
{
	each(*state, do_people, are_there, false);
}

static void verifying(void **state)
{
	struct glt_issue r = tmpstore_personal("alice", "presented", READ_REPO);

	(void)tmpstore_issue(*state, &r, presented);
	each(*state, do_verify, is_answered, false);
}

static void configuring(void **state)
{
	each(*state, do_configure, is_answered, false);
}

#define with_all(test) cmocka_unit_test_setup_teardown(test, setup, tmpstore_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_all(opening),        with_all(issuing),       with_all(editing),   with_all(rotating),
		with_all(noting_a_reuse), with_all(reaping),       with_all(asking),    with_all(gathering),
		with_all(configuring),    with_all(small_records), with_all(verifying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
