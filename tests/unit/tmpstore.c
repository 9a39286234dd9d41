/* SPDX-License-Identifier: MIT */
#include "tmpstore.h"

#include "people.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void expect_status(enum glt_status got, enum glt_status want, const struct glt_err *err, const char *words,
		   const char *file, int line)
{
	if (got != want) {
		print_error("status %d where %d is wanted: %s\n", (int)got, (int)want, err->text);
		_fail(file, line);
	}
	if (words && !strstr(err->text, words)) {
		print_error("'%s' does not say '%s'\n", err->text, words);
		_fail(file, line);
	}
}

/* ---- set-up ---- */

static int make_folder(struct tmpstore *t)
{
	const char *tmp = getenv("TMPDIR");

	if (!tmp || strlen(tmp) > 32)
		tmp = "/tmp";
	(void)snprintf(t->top, sizeof(t->top), "%s/glt-unit.XXXXXX", tmp);
	if (!mkdtemp(t->top))
		return -1;
	(void)snprintf(t->dir, sizeof(t->dir), "%s/store", t->top);
	return mkdir(t->dir, 0700);
}

int tmpstore_setup_empty(void **state)
{
	struct tmpstore *t = calloc(1, sizeof(*t));
	struct glt_err err;

	*state = t;
	if (!t || sodium_init() < 0 || make_folder(t) != 0)
		return -1;
	if (glt_conf_load("/nonexistent/gltoken.conf", &t->conf, &err) != GLT_OK)
		return -1;
	t->conf.hash = (struct glt_hash_params){.memory = GLT_HASH_M_MIN, .time = GLT_HASH_T_MIN};
	return 0;
}

int tmpstore_setup(void **state)
{
	struct glt_err err = {GLT_OK, ""};
	struct tmpstore *t;

	if (tmpstore_setup_empty(state) != 0)
		return -1;
	t = *state;
	if (glt_store_create(t->dir, &err) != GLT_OK || glt_store_open(t->dir, true, &t->store, &err) != GLT_OK) {
		print_error("%s\n", err.text);
		return -1;
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *where)
{
	(void)sb;
	(void)type;
	(void)where;
	return remove(path);
}

int tmpstore_teardown(void **state)
{
	struct tmpstore *t = *state;
	int rc;

	glt_store_close(t->store);
	(void)chmod(t->dir, 0700);
	rc = nftw(t->top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(t);
	return rc;
}

void tmpstore_open(struct tmpstore *t)
{
	must(glt_store_open(t->dir, true, &t->store, &err));
}

void tmpstore_close(struct tmpstore *t)
{
	glt_store_close(t->store);
	t->store = NULL;
}

/* ---- one transaction each ---- */

struct glt_txn *tmpstore_begin(struct tmpstore *t, bool write)
{
	struct glt_txn *txn = NULL;

	must(glt_txn_begin(t->store, write, &txn, &err));
	return txn;
}

void tmpstore_apply(struct glt_txn *txn, struct glt_change *c)
{
	must(glt_store_apply(txn, c, &err));
	glt_change_free(c);
}

void tmpstore_put(struct tmpstore *t, enum glt_table table, struct glt_slice key, struct glt_slice value)
{
	struct glt_txn *txn = tmpstore_begin(t, true);
	struct glt_change *c = glt_change_new();

	glt_change_put(c, table, key, value);
	tmpstore_apply(txn, c);
}

void tmpstore_schema(struct tmpstore *t, uint64_t schema, uint64_t min_reader)
{
	uint8_t a[GLT_KEY_U64], b[GLT_KEY_U64];

	glt_put_u64(a, schema);
	glt_put_u64(b, min_reader);
	tmpstore_put(t, GLT_META, glt_slice_str("schema"), (struct glt_slice){a, sizeof(a)});
	tmpstore_put(t, GLT_META, glt_slice_str("min_reader"), (struct glt_slice){b, sizeof(b)});
	tmpstore_close(t);
}

uint64_t tmpstore_count(struct tmpstore *t, enum glt_table table)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	uint64_t n = glt_count(txn, table);

	glt_txn_end(txn);
	return n;
}

void tmpstore_user(struct tmpstore *t, const char *name, bool virtual_user, Glt__State state)
{
	struct glt_txn *txn = tmpstore_begin(t, true);
	struct glt_change *c = glt_change_new();
	Glt__User u = GLT__USER__INIT;
	char copy[GLT_ACCOUNT_MAX + 1];

	(void)snprintf(copy, sizeof(copy), "%s", name);
	u.name = copy;
	u.id = glt_next(txn, GLT_NEXT_ACCOUNT);
	u.state = state;
	u.virtual_user = virtual_user;
	glt_user_store(c, &u);
	tmpstore_apply(txn, c);
}

int tmpstore_setup_user(void **state)
{
	if (tmpstore_setup(state) != 0)
		return -1;
	tmpstore_user(*state, "alice", true, GLT__STATE__LIVE);
	return 0;
}

void tmpstore_member(struct tmpstore *t, const char *path, const char *principal, int role)
{
	struct glt_txn *txn = tmpstore_begin(t, true);
	struct glt_change *c = glt_change_new();
	Glt__Member m = GLT__MEMBER__INIT;
	char p[GLT_PATH_MAX + 1], who[GLT_NAME_MAX + 1];

	(void)snprintf(p, sizeof(p), "%s", path);
	(void)snprintf(who, sizeof(who), "%s", principal);
	m.path = p;
	m.principal = who;
	m.role = (uint32_t)role;
	if (role)
		glt_member_store(c, &m);
	else
		glt_member_drop(c, path, principal);
	tmpstore_apply(txn, c);
}

Glt__Token *tmpstore_load(struct tmpstore *t, uint64_t id)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	Glt__Token *token = NULL;

	must(glt_token_load(txn, id, &token, &err));
	glt_txn_end(txn);
	return token;
}

struct glt_issue tmpstore_personal(const char *user, const char *name, uint64_t scopes)
{
	return (struct glt_issue){.type = GLT__TYPE__PERSONAL,
				  .name = name,
				  .target = user,
				  .scopes = scopes,
				  .expires_at = NOW + DAY,
				  .actor = "root",
				  .now = NOW};
}

struct glt_issue tmpstore_project(const char *path, const char *name, uint64_t scopes)
{
	struct glt_issue r = tmpstore_personal(path, name, scopes);

	r.type = GLT__TYPE__PROJECT;
	r.role = 30;
	return r;
}

uint64_t tmpstore_issue(struct tmpstore *t, const struct glt_issue *req, char text[GLT_TOKEN_MAX + 1])
{
	char ignored[GLT_TOKEN_MAX + 1] = "";
	Glt__Token *record;
	uint64_t id;

	must(glt_issue(t->store, &t->conf, req, &record, text ? text : ignored, &err));
	id = record->id;
	glt_token_free(record);
	return id;
}

/* ---- other processes ---- */

pid_t child_start(struct tmpstore *t, child_fn *fn, void *arg)
{
	pid_t pid;

	assert_null(t->store);
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* cmocka's handlers would go on with the parent's tests here. */
		static const int deadly[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS, SIGABRT};

		for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
			(void)signal(deadly[i], SIG_DFL);
		_exit(fn(t, arg) ? 0 : 1);
	}
	return pid;
}

int child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		assert_int_equal(errno, EINTR);
	return status;
}

void child_ok(pid_t pid)
{
	assert_int_equal(child_wait(pid), 0);
}
