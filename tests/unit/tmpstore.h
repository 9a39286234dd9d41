/* SPDX-License-Identifier: MIT */
/* A real store in a fresh folder for each test, and what many tests do with one. cmocka.h is included here, with
 * what it needs. */
#ifndef TMPSTORE_H
#define TMPSTORE_H

#include "issue.h"
#include "scope.h"
#include "store.h"
#include "tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#define NOW INT64_C(1800000000) /* 2027-01-15T08:00:00Z */
#define DAY INT64_C(86400)
/* A literal for what takes char * and only reads it, as protobuf-c's records do. */
#define MUT(literal) ((char *)(literal))
#define READ_REPO GLT_SCOPE_BIT(GLT_SCOPE_READ_REPOSITORY)
#define WRITE_REPO GLT_SCOPE_BIT(GLT_SCOPE_WRITE_REPOSITORY)

struct tmpstore {
	char top[64];            /* the temporary folder, removed by the teardown */
	char dir[80];            /* top/store, owned by us, 0700 */
	struct glt_store *store; /* open for writing, NULL while closed */
	struct glt_conf conf;    /* defaults, but with the cheapest hash */
};

/* For cmocka_unit_test_setup_teardown(): *state is a struct tmpstore with an empty store. */
int tmpstore_setup(void **state);
int tmpstore_teardown(void **state);
/* The same, with alice in it, a user without an account. */
int tmpstore_setup_user(void **state);
/* The folder alone, no store in it. */
int tmpstore_setup_empty(void **state);
void tmpstore_open(struct tmpstore *t);
void tmpstore_close(struct tmpstore *t);
#define with_store(test) cmocka_unit_test_setup_teardown(test, tmpstore_setup, tmpstore_teardown)
#define with_user(test) cmocka_unit_test_setup_teardown(test, tmpstore_setup_user, tmpstore_teardown)
#define with_folder(test) cmocka_unit_test_setup_teardown(test, tmpstore_setup_empty, tmpstore_teardown)

/* Fails the test with the text of *err unless got is want; words, if any, must stand in the text. */
void expect_status(enum glt_status got, enum glt_status want, const struct glt_err *err, const char *words,
		   const char *file, int line);
/* call uses &err, which the macros declare. */
#define must(call)                                                             \
	do {                                                                   \
		struct glt_err err = {GLT_OK, ""};                             \
		expect_status((call), GLT_OK, &err, NULL, __FILE__, __LINE__); \
	} while (0)
#define must_fail(want, words, call)                                              \
	do {                                                                      \
		struct glt_err err = {GLT_OK, ""};                                \
		expect_status((call), (want), &err, (words), __FILE__, __LINE__); \
	} while (0)

/* ---- one transaction each ---- */
struct glt_txn *tmpstore_begin(struct tmpstore *t, bool write);
void tmpstore_apply(struct glt_txn *txn, struct glt_change *c); /* frees c too */
void tmpstore_put(struct tmpstore *t, enum glt_table table, struct glt_slice key, struct glt_slice value);
/* A store of another schema, with nothing else that is of it. */
void tmpstore_schema(struct tmpstore *t, uint64_t schema, uint64_t min_reader);
uint64_t tmpstore_count(struct tmpstore *t, enum glt_table table);
void tmpstore_user(struct tmpstore *t, const char *name, bool virtual_user, Glt__State state);
void tmpstore_member(struct tmpstore *t, const char *path, const char *principal, int role); /* 0: remove */
Glt__Token *tmpstore_load(struct tmpstore *t, uint64_t id);

/* Request for a personal token of user, good for a day. */
struct glt_issue tmpstore_personal(const char *user, const char *name, uint64_t scopes);
/* Request for a project token of a developer; change type, role and target as needed. */
struct glt_issue tmpstore_project(const char *path, const char *name, uint64_t scopes);
/* Issue and return the id; text (may be NULL) gets the token. */
uint64_t tmpstore_issue(struct tmpstore *t, const struct glt_issue *req, char text[GLT_TOKEN_MAX + 1]);

/* All indexes hold exactly what the records say, generations differ, and the audit chain is whole. */
void tmpstore_check(struct tmpstore *t);

/* Fails unless ev says that it is behind the event with these hashes, of the chain and of its own bytes, and makes them
 * those of ev, by the definition in record.proto. */
void tmpstore_link(const Glt__Event *ev, struct glt_slice stored, uint8_t head[32], uint8_t own[32]);

/* ---- other processes: the parent's store must be closed, for LMDB does not survive a fork ---- */
typedef bool child_fn(struct tmpstore *t, void *arg);
pid_t child_start(struct tmpstore *t, child_fn *fn, void *arg); /* false from fn is exit status 1 */
int child_wait(pid_t pid);                                      /* the wait status */
void child_ok(pid_t pid);                                       /* ended with status 0 */

#endif
