/* SPDX-License-Identifier: MIT */
/* Files that disk, editor or copying have damaged: an error or nothing, never another value. */
#include "tmpstore.h"

#include "people.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALL ((struct glt_slice){NULL, 0})
#define S(text) glt_slice_str(text)
#define SEAL 8 /* bytes of checksum before each value */

/* ---- the file as bytes, while nobody has it open ---- */

struct file {
	char path[128];
	uint8_t *bytes;
	size_t len;
};

static void file_read(struct tmpstore *t, struct file *f)
{
	struct stat sb;
	int fd;

	tmpstore_close(t);
	(void)snprintf(f->path, sizeof(f->path), "%s/store.mdb", t->dir);
	fd = open(f->path, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &sb) == 0);
	f->len = (size_t)sb.st_size;
	f->bytes = malloc(f->len);
	assert_non_null(f->bytes);
	assert_int_equal(read(fd, f->bytes, f->len), (ssize_t)f->len);
	(void)close(fd);
}

static void file_write(const struct file *f, size_t len)
{
	int fd = open(f->path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, f->bytes, len), (ssize_t)len);
	(void)close(fd);
}

/* The next place of text behind p, or NULL. */
static uint8_t *find(const struct file *f, const uint8_t *p, const char *text)
{
	return memmem(p, f->len - (size_t)(p - f->bytes), text, strlen(text));
}

static void opens(struct tmpstore *t, enum glt_status want)
{
	struct glt_store *s = NULL;
	struct glt_err err = {GLT_OK, ""};
	enum glt_status got = glt_store_open(t->dir, false, &s, &err);

	glt_store_close(s);
	expect_status(got, want, &err, want == GLT_DAMAGED ? "gltoken restore" : NULL, __FILE__, __LINE__);
}

static void fill(struct tmpstore *t)
{
	struct glt_change *c = glt_change_new();

	for (int n = 0; n < 200; n++) {
		char key[32], value[64];

		(void)snprintf(key, sizeof(key), "user%03d", n);
		(void)snprintf(value, sizeof(value), "value of user%03d is here", n);
		glt_change_put(c, GLT_USERS, S(key), S(value));
		glt_change_put(c, GLT_NAMESPACES, S(key), S("value of a namespace here"));
		glt_change_link(c, GLT_BY_OWNER, S(key), (uint64_t)n);
	}
	tmpstore_apply(tmpstore_begin(t, true), c);
}

/* ---- the file as a whole ---- */

static void cut_short(void **state)
{
	struct tmpstore *t = *state;
	struct file f;

	fill(t);
	file_read(t, &f);
	for (size_t len = 0; len < f.len; len += len < 16384 ? 509 : 4096) {
		file_write(&f, len);
		opens(t, GLT_DAMAGED);
	}
	file_write(&f, f.len - 1);
	opens(t, GLT_DAMAGED);
	file_write(&f, f.len);
	opens(t, GLT_OK);
	free(f.bytes);
}

static void zeroed(void **state)
{
	struct tmpstore *t = *state;
	struct file f;
	uint8_t *good;
	static const struct {
		size_t from, len;
	} holes[] = {{0, 4096}, {4096, 4096}, {0, 8192}, {0, 64}, {4096, 64}, {0, SIZE_MAX}};

	fill(t);
	file_read(t, &f);
	good = malloc(f.len);
	assert_non_null(good);
	memcpy(good, f.bytes, f.len);
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		memset(f.bytes + holes[i].from, 0, holes[i].len > f.len ? f.len : holes[i].len);
		file_write(&f, f.len);
		opens(t, GLT_DAMAGED);
		memcpy(f.bytes, good, f.len);
	}
	free(good);
	free(f.bytes);
}

static void foreign(void **state)
{
	struct tmpstore *t = *state;
	static const char *const heads[] = {"SQLite format 3", "glpat- is no store\n", "\177ELF\x02\x01\x01",
					    "PK\x03\x04"};
	struct file f;

	file_read(t, &f);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		randombytes_buf(f.bytes, f.len);
		memcpy(f.bytes, heads[i], strlen(heads[i]));
		file_write(&f, f.len);
		opens(t, GLT_DAMAGED);
	}
	free(f.bytes);
}

/* An LMDB file of somebody else: it opens, but our tables are not in it. */
static void foreign_lmdb(void **state)
{
	struct tmpstore *t = *state;
	struct file f;
	unsigned n = 0;

	fill(t);
	file_read(t, &f);
	for (uint8_t *p = find(&f, f.bytes, "protections"); p; p = find(&f, p, "protections"), n++)
		memcpy(p, "prxtections", 11);
	assert_true(n > 0);
	file_write(&f, f.len);
	opens(t, GLT_DAMAGED);
	free(f.bytes);
}

static void meta_fields(void **state)
{
	struct tmpstore *t = *state;
	/* Offsets in a page: magic, version, page size. */
	static const size_t at[] = {16, 20, 40};
	struct file f;

	file_read(t, &f);
	for (size_t page = 0; page < 2; page++) {
		for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
			uint8_t *p = f.bytes + page * 4096 + at[i];

			*p ^= 0x01;
			file_write(&f, f.len);
			opens(t, GLT_DAMAGED);
			*p ^= 0x01;
		}
	}
	file_write(&f, f.len);
	opens(t, GLT_OK);
	free(f.bytes);
}

/* ---- one value ---- */

static enum glt_status get(struct tmpstore *t, enum glt_table table, const char *key)
{
	struct glt_txn *txn = tmpstore_begin(t, false);
	struct glt_err err = {GLT_OK, ""};
	struct glt_slice v;
	enum glt_status st = glt_get(txn, table, S(key), &v, &err);

	if (st == GLT_DAMAGED)
		assert_non_null(strstr(err.text, "checksum"));
	glt_txn_end(txn);
	return st;
}

/* Write the file as it is now, look the key up, and close again. */
static enum glt_status get_after(struct tmpstore *t, const struct file *f, enum glt_table table, const char *key)
{
	enum glt_status st;

	file_write(f, f->len);
	tmpstore_open(t);
	st = get(t, table, key);
	tmpstore_close(t);
	return st;
}

static void each_byte_of_a_value(void **state)
{
	static const char value[] = "value of user100 is here";
	struct tmpstore *t = *state;
	struct file f;
	uint8_t *p;

	fill(t);
	file_read(t, &f);
	p = find(&f, f.bytes, value);
	assert_non_null(p);
	assert_null(find(&f, p + 1, value));
	for (uint8_t *q = p - SEAL; q < p + sizeof(value) - 1; q++) {
		*q ^= 0x04;
		assert_int_equal(get_after(t, &f, GLT_USERS, "user100"), GLT_DAMAGED);
		*q ^= 0x04;
	}
	assert_int_equal(get_after(t, &f, GLT_USERS, "user100"), GLT_OK);
	free(f.bytes);
}

struct counted {
	unsigned good, null;
};

static bool count(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct counted *c = arg;

	(void)key;
	c->good += value.data != NULL;
	c->null += value.data == NULL;
	return true;
}

/* For a decision a walk stops at damage; what lists and checks the store goes past it. */
static void walks_over_damage(void **state)
{
	struct tmpstore *t = *state;
	struct counted c = {0, 0}, all = {0, 0}, back = {0, 0};
	struct glt_txn *txn;
	struct file f;

	fill(t);
	file_read(t, &f);
	*find(&f, f.bytes, "value of user100") = 'V';
	file_write(&f, f.len);
	free(f.bytes);
	tmpstore_open(t);
	txn = tmpstore_begin(t, false);
	must_fail(GLT_DAMAGED, "checksum", glt_walk(txn, GLT_USERS, ALL, ALL, count, &c, &err));
	assert_int_equal(c.good, 100);
	must_fail(GLT_DAMAGED, "checksum", glt_walk_back(txn, GLT_USERS, ALL, count, &back, &err));
	assert_int_equal(back.good, 99);
	must(glt_walk_all(txn, GLT_USERS, ALL, count, &all, &err));
	assert_true(all.good == 199 && all.null == 1 && c.null == 0 && back.null == 0);
	glt_txn_end(txn);
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t keep = a[i];

		a[i] = b[i];
		b[i] = keep;
	}
}

/* Whole values, checksums with them, change places: between two keys, and between two tables with one key. */
static void moved_values(void **state)
{
	static const char mine[] = "value of user100 is here", other[] = "value of user101 is here";
	struct tmpstore *t = *state;
	struct file f;
	uint8_t *a, *b;

	fill(t);
	tmpstore_put(t, GLT_NAMESPACES, S("user100"), S("VALUE OF USER100 IS HERE"));
	file_read(t, &f);
	a = find(&f, f.bytes, mine);
	b = find(&f, f.bytes, other);
	assert_true(a && b);
	swap(a - SEAL, b - SEAL, SEAL + sizeof(mine) - 1);
	assert_int_equal(get_after(t, &f, GLT_USERS, "user100"), GLT_DAMAGED);
	assert_int_equal(get_after(t, &f, GLT_USERS, "user101"), GLT_DAMAGED);
	swap(a - SEAL, b - SEAL, SEAL + sizeof(mine) - 1);
	b = find(&f, f.bytes, "VALUE OF USER100 IS HERE");
	swap(a - SEAL, b - SEAL, SEAL + sizeof(mine) - 1);
	assert_int_equal(get_after(t, &f, GLT_USERS, "user100"), GLT_DAMAGED);
	assert_int_equal(get_after(t, &f, GLT_NAMESPACES, "user100"), GLT_DAMAGED);
	free(f.bytes);
}

/* A store whose counters cannot be trusted takes no change, and the next process does not wait for a lock. */
static void damaged_counters(void **state)
{
	static const char *const names[] = {"generation", "account", "seq", "head"};
	struct tmpstore *t = *state;
	struct glt_txn *txn;
	struct file f;

	file_read(t, &f);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint8_t *p = find(&f, f.bytes, names[i]);

		assert_non_null(p);
		/* The value stands behind its key; a flipped checksum does as well as a flipped number. */
		p[strlen(names[i]) + 1] ^= 0x10;
		file_write(&f, f.len);
		tmpstore_open(t);
		for (int twice = 0; twice < 2; twice++)
			must_fail(GLT_DAMAGED, "meta", glt_txn_begin(t->store, true, &txn, &err));
		tmpstore_close(t);
		p[strlen(names[i]) + 1] ^= 0x10;
	}
	free(f.bytes);
}

/* ---- anywhere ---- */

#define FLIPS 250

/* Exit status 1: a value that never was. The child may die of a signal, as gltoken-auth may. */
static bool look_up_all(struct tmpstore *t, void *arg)
{
	struct glt_store *s;
	struct glt_txn *txn;
	int null = open("/dev/null", O_WRONLY);

	(void)arg;
	(void)dup2(null, STDERR_FILENO);
	(void)alarm(10);
	if (glt_store_open(t->dir, false, &s, NULL) != GLT_OK || glt_txn_begin(s, false, &txn, NULL) != GLT_OK)
		return true;
	for (int n = 0; n < 200; n++) {
		char key[32], value[64];
		struct glt_slice v;

		(void)snprintf(key, sizeof(key), "user%03d", n);
		(void)snprintf(value, sizeof(value), "value of user%03d is here", n);
		if (glt_get(txn, GLT_USERS, S(key), &v, NULL) == GLT_OK &&
		    (v.len != strlen(value) || memcmp(v.data, value, v.len) != 0))
			_exit(2);
	}
	return true;
}

static void a_bit_anywhere(void **state)
{
	struct tmpstore *t = *state;
	struct file f;

	fill(t);
	file_read(t, &f);
	for (int n = 0; n < FLIPS; n++) {
		size_t at = randombytes_uniform((uint32_t)f.len);
		uint8_t bit = (uint8_t)(1u << randombytes_uniform(8));
		int status;

		f.bytes[at] ^= bit;
		file_write(&f, f.len);
		status = child_wait(child_start(t, look_up_all, NULL));
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			fail_msg("bit %u of byte %zu gives a value that never was", bit, at);
		f.bytes[at] ^= bit;
	}
	file_write(&f, f.len);
	opens(t, GLT_OK);
	free(f.bytes);
}

/* ---- records that are whole but no records ---- */

static void no_protobuf(void **state)
{
	struct tmpstore *t = *state;
	uint8_t id[GLT_KEY_U64];
	struct glt_txn *txn;
	Glt__Token *token = NULL;
	Glt__User *user = NULL;
	struct glt_issue r = tmpstore_personal("alice", "ci", READ_REPO);
	uint64_t first, second;
	struct glt_slice v;

	tmpstore_user(t, "alice", true, GLT__STATE__LIVE);
	first = tmpstore_issue(t, &r, NULL);
	r.name = "other";
	second = tmpstore_issue(t, &r, NULL);
	/* The record of the second under the number of the first: its own id says no. */
	glt_put_u64(id, second);
	txn = tmpstore_begin(t, false);
	must(glt_get(txn, GLT_TOKENS, (struct glt_slice){id, sizeof(id)}, &v, &err));
	uint8_t copy[1024];
	size_t len = v.len;
	assert_true(len <= sizeof(copy));
	memcpy(copy, v.data, len);
	glt_txn_end(txn);
	glt_put_u64(id, first);
	tmpstore_put(t, GLT_TOKENS, (struct glt_slice){id, sizeof(id)}, (struct glt_slice){copy, len});
	txn = tmpstore_begin(t, false);
	must_fail(GLT_DAMAGED, "token 1 is damaged", glt_token_load(txn, first, &token, &err));
	assert_null(token);
	glt_txn_end(txn);
	tmpstore_put(t, GLT_TOKENS, (struct glt_slice){id, sizeof(id)}, S("no protobuf"));
	tmpstore_put(t, GLT_USERS, S("alice"), S("\xff\xff\xff"));
	txn = tmpstore_begin(t, false);
	must_fail(GLT_DAMAGED, "token 1 is damaged", glt_token_load(txn, first, &token, &err));
	must_fail(GLT_DAMAGED, "User", glt_user_load(txn, "alice", &user, &err));
	assert_null(user);
	glt_txn_end(txn);
}

/* A record without a selector, or with one that is too long, is none. */
static void no_selector(void **state)
{
	static const char *const selectors[] = {"", "abcde", "abcdefg"};
	struct tmpstore *t = *state;

	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
		Glt__Token p = GLT__TOKEN__INIT, *token;
		uint8_t bytes[64], id[GLT_KEY_U64];
		struct glt_txn *txn;

		p.id = 1;
		p.selector = (char *)selectors[i];
		assert_true(glt__token__get_packed_size(&p) <= sizeof(bytes));
		glt_put_u64(id, 1);
		tmpstore_put(t, GLT_TOKENS, (struct glt_slice){id, sizeof(id)},
			     (struct glt_slice){bytes, glt__token__pack(&p, bytes)});
		txn = tmpstore_begin(t, false);
		must_fail(GLT_DAMAGED, "token 1 is damaged", glt_token_load(txn, 1, &token, &err));
		glt_txn_end(txn);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(cut_short),         with_store(zeroed),       with_store(foreign),
		with_store(foreign_lmdb),      with_store(meta_fields),  with_store(each_byte_of_a_value),
		with_store(walks_over_damage), with_store(moved_values), with_store(damaged_counters),
		with_store(a_bit_anywhere),    with_store(no_protobuf),  with_store(no_selector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
