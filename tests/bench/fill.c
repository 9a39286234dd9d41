/* SPDX-License-Identifier: MIT */
/*
 * fill STORE N [SEED]: put N tokens into a store as issue would, but for the hash, which is drawn. Prints the bytes
 * that the store's file has grown by, a token. Run it as the store's owner.
 */
#include "event.h"
#include "scope.h"
#include "secret.h"
#include "tokens.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY INT64_C(86400)

/* In libc's place, for LMDB: this store is thrown away, and with a wait for the disk after each batch, ten million
 * tokens would take an hour. */
int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

static uint64_t rounds; /* of a small generator: the same store for the same seed */

static uint32_t draw(uint32_t below)
{
	rounds = rounds * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(((rounds >> 33) * below) >> 31);
}

static void die(const char *what)
{
	fprintf(stderr, "fill: %s\n", what);
	exit(1);
}

static void __attribute__((format(printf, 2, 3))) text(char **field, const char *fmt, ...)
{
	char s[128];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s, sizeof(s), fmt, ap);
	va_end(ap);
	if (!glt_token_set_text(field, s))
		die("no memory");
}

/* Seven in ten personal, of a hundred tokens a user; the others of projects and groups. One in ten is revoked. */
static Glt__Token *make(uint64_t n, uint64_t total, int64_t now)
{
	Glt__Token *t = malloc(sizeof(*t));
	unsigned kind = draw(100), users = (unsigned)(total / 100 + 1), user = draw(users);

	if (!t)
		die("no memory");
	glt__token__init(t);
	t->type = kind < 70   ? GLT__TYPE__PERSONAL
		  : kind < 90 ? GLT__TYPE__PROJECT
		  : kind < 95 ? GLT__TYPE__GROUP
			      : GLT__TYPE__DEPLOY;
	t->state = draw(10) ? GLT__STATE__LIVE : GLT__STATE__REVOKED;
	text(&t->name, "laptop-%06u", (unsigned)(n % 1000000));
	text(&t->prefix, "glpat-");
	text(&t->created_by, "root(admin)");
	if (t->type == GLT__TYPE__PERSONAL) {
		text(&t->owner, "user%06u", user);
		t->owner_uid_plus1 = 10000 + user;
	} else {
		if (t->type == GLT__TYPE__GROUP)
			text(&t->path, "group%u", user % 997);
		else
			text(&t->path, "group%u/project%04u", user % 997, user);
		text(&t->owner, "project_%u_bot_%08x", user, draw(1u << 30));
		t->role = 30;
	}
	t->scopes = GLT_SCOPE_BIT(GLT_SCOPE_READ_REPOSITORY) |
		    (draw(2) ? GLT_SCOPE_BIT(GLT_SCOPE_WRITE_REPOSITORY) : 0);
	t->created_at = now - (int64_t)draw(365) * DAY;
	t->expires_at = now + (int64_t)draw(365 * 24) * 3600 - 30 * DAY;
	t->memory = 19456;
	t->time = 2;
	t->salt = (ProtobufCBinaryData){GLT_SALT_LEN, malloc(GLT_SALT_LEN)};
	t->tag = (ProtobufCBinaryData){GLT_TAG_LEN, malloc(GLT_TAG_LEN)};
	if (!t->salt.data || !t->tag.data)
		die("no memory");
	randombytes_buf(t->salt.data, GLT_SALT_LEN);
	randombytes_buf(t->tag.data, GLT_TAG_LEN);
	return t;
}

static void put(struct glt_store *store, struct glt_txn *txn, uint64_t n, uint64_t total, int64_t now, bool last)
{
	struct glt_change *c = glt_change_new();
	Glt__Token *t = make(n, total, now);
	struct glt_token_text secret;
	struct glt_err err = {.text = "no memory"};
	enum glt_status st;

	glt_token_generate(t->prefix, &secret);
	t->family = t->id = glt_next(txn, GLT_NEXT_ID);
	st = c ? glt_secret_bind(store, txn, t, &secret, &err) : GLT_UNAVAILABLE;
	if (st != GLT_OK)
		die(err.text);
	glt_token_store(txn, c, NULL, t);
	glt_event_token(c, "root(admin)", "token.issue", NULL, t, NULL);
	st = last ? glt_store_apply(txn, c, &err) : glt_store_stage(txn, c, &err);
	if (st != GLT_OK)
		die(err.text);
	glt_change_free(c);
	glt_token_free(t);
}

static uint64_t used(struct glt_store *store)
{
	struct glt_store_stats stats;
	struct glt_txn *txn;

	if (glt_txn_begin(store, false, &txn, NULL) != GLT_OK || glt_store_stat(txn, &stats) != GLT_OK)
		die("no figures");
	glt_txn_end(txn);
	return stats.used_bytes - stats.free_bytes;
}

int main(int argc, char **argv)
{
	uint64_t total = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, before, batch;
	struct glt_store *store;
	struct glt_err err;
	int64_t now = (int64_t)time(NULL);

	if (argc < 3 || total == 0 || total > INT32_MAX) /* "-1" is a number to strtoull() */
		die("usage: fill STORE N [SEED]");
	rounds = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	/* Twenty calls of getrandom() a token were a fifth of the time. */
	(void)randombytes_set_implementation(&randombytes_internal_implementation);
	if (sodium_init() < 0)
		die("no randomness");
	if (glt_store_open(argv[1], true, &store, &err) != GLT_OK)
		die(err.text);
	before = used(store);
	batch = before > (64u << 20) ? 20000 : 2000; /* what is staged must fit the map's reserve */
	for (uint64_t n = 0; n < total;) {
		struct glt_txn *txn;
		uint64_t end = n + batch < total ? n + batch : total;

		if (glt_txn_begin(store, true, &txn, &err) != GLT_OK)
			die(err.text);
		for (; n < end; n++)
			put(store, txn, n, total, now, n + 1 == end);
	}
	printf("%.1f\n", (double)(used(store) - before) / (double)total);
	glt_store_close(store);
	return 0;
}
