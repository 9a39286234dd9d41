/* SPDX-License-Identifier: MIT */
#include "backupfile.h"

#include "chain.h"
#include "checks.h"
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 1
#define HASH_LEN 32
#define HASHED (GLT_BACKUP_TRAILER - HASH_LEN) /* of the trailer */

static const char magic[16] = "gltoken backup\n";

static enum glt_status io_failed(const char *doing, struct glt_err *err)
{
	return glt_fail(err, GLT_UNAVAILABLE, "cannot %s the backup: %s", doing,
			errno ? strerror(errno) : "it ends too early");
}

static bool read_at(int fd, void *buffer, size_t len, uint64_t at)
{
	uint8_t *p = buffer;

	while (len > 0) {
		ssize_t n;

		errno = 0;
		n = pread(fd, p, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

static bool write_out(int fd, const void *buffer, size_t len)
{
	const uint8_t *p = buffer;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* BLAKE2b of the first len bytes, which go to another file meanwhile if to is one. */
static enum glt_status hash_file(int fd, uint64_t len, int to, crypto_generichash_state *h, struct glt_err *err)
{
	static uint8_t block[65536];

	for (uint64_t at = 0; at < len;) {
		size_t n = len - at < sizeof(block) ? (size_t)(len - at) : sizeof(block);

		if (!read_at(fd, block, n, at))
			return io_failed("read", err);
		if (to >= 0 && !write_out(to, block, n))
			return glt_fail(err, GLT_UNAVAILABLE, "cannot write the store: %s", strerror(errno));
		(void)crypto_generichash_update(h, block, n);
		at += n;
	}
	return GLT_OK;
}

static bool get_trailer(int fd, uint8_t trailer[GLT_BACKUP_TRAILER], uint64_t *length)
{
	struct stat sb;

	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || sb.st_size < GLT_BACKUP_TRAILER)
		return false;
	*length = (uint64_t)sb.st_size - GLT_BACKUP_TRAILER;
	return read_at(fd, trailer, GLT_BACKUP_TRAILER, *length) && memcmp(trailer, magic, sizeof(magic)) == 0;
}

bool glt_backup_is(int fd)
{
	uint8_t trailer[GLT_BACKUP_TRAILER];
	uint64_t length;
	bool is = get_trailer(fd, trailer, &length);

	sodium_memzero(trailer, sizeof(trailer));
	return is;
}

static enum glt_status check_hash(int fd, int to, const uint8_t trailer[GLT_BACKUP_TRAILER], uint64_t length,
				  struct glt_err *err)
{
	crypto_generichash_state h;
	uint8_t hash[HASH_LEN];
	enum glt_status st;

	(void)crypto_generichash_init(&h, NULL, 0, sizeof(hash));
	st = hash_file(fd, length, to, &h, err);
	(void)crypto_generichash_update(&h, trailer, HASHED);
	(void)crypto_generichash_final(&h, hash, sizeof(hash));
	if (st == GLT_OK && memcmp(hash, trailer + HASHED, sizeof(hash)) != 0)
		return glt_fail(err, GLT_DAMAGED, "the backup is damaged: its hash is not right");
	return st;
}

enum glt_status glt_backup_read(int fd, int to, struct glt_backup *out, struct glt_err *err)
{
	uint8_t trailer[GLT_BACKUP_TRAILER];
	uint64_t length = 0;
	enum glt_status st = GLT_OK;

	memset(out, 0, sizeof(*out));
	if (!get_trailer(fd, trailer, &length))
		return glt_fail(err, GLT_DAMAGED, "this is no backup of gltoken, or it was cut short");
	if (glt_get_u64(trailer + 16) > FORMAT)
		st = glt_fail(err, GLT_REFUSED,
			      "the backup was made by a newer gltoken: restore it with that version");
	else if (glt_get_u64(trailer + 32) != length)
		st = glt_fail(err, GLT_DAMAGED, "the backup is damaged: its length is not right");
	if (st == GLT_OK)
		st = check_hash(fd, to, trailer, length, err);
	if (st == GLT_OK) {
		out->made_at = (int64_t)glt_get_u64(trailer + 24);
		out->length = length;
		out->head.seq = glt_get_u64(trailer + 40);
		memcpy(out->head.hash, trailer + 48, sizeof(out->head.hash));
		memcpy(out->key, trailer + 80, sizeof(out->key));
	}
	sodium_memzero(trailer, sizeof(trailer));
	return st;
}

enum glt_status glt_backup_check(struct glt_store *copy, struct glt_err *err)
{
	struct glt_checks checks;
	struct glt_chain chain;
	enum glt_status st = glt_checks_run(copy, &checks, err);

	if (st != GLT_OK)
		return st;
	if (checks.total > 0)
		st = glt_fail(err, GLT_DAMAGED, "%zu problems, the first: %s", checks.total, checks.problem[0]);
	glt_checks_free(&checks);
	if (st != GLT_OK)
		return st;
	st = glt_chain_verify(copy, NULL, 0, &chain, err);
	if (st != GLT_OK)
		return st;
	if (chain.n > 0)
		st = glt_fail(err, GLT_DAMAGED, "audit log: %s", chain.problem[0]);
	glt_chain_free(&chain);
	return st;
}

/* The copy that stands in fd so far: is it good, and where does its audit log end? */
static enum glt_status look_at_copy(int fd, struct glt_head *head, struct glt_err *err)
{
	struct glt_store *copy;
	struct glt_txn *txn;
	enum glt_status st = glt_store_open_copy(fd, &copy, err);

	if (st != GLT_OK)
		return st;
	st = glt_backup_check(copy, err);
	if (st == GLT_OK)
		st = glt_txn_begin(copy, false, &txn, err);
	if (st == GLT_OK) {
		st = glt_store_head(txn, head, err);
		glt_txn_end(txn);
	}
	glt_store_close(copy);
	return st;
}

static enum glt_status add_trailer(int fd, const struct glt_backup *b, struct glt_err *err)
{
	uint8_t trailer[GLT_BACKUP_TRAILER] = {0};
	crypto_generichash_state h;
	enum glt_status st;

	memcpy(trailer, magic, sizeof(magic));
	glt_put_u64(trailer + 16, FORMAT);
	glt_put_u64(trailer + 24, (uint64_t)b->made_at);
	glt_put_u64(trailer + 32, b->length);
	glt_put_u64(trailer + 40, b->head.seq);
	memcpy(trailer + 48, b->head.hash, sizeof(b->head.hash));
	memcpy(trailer + 80, b->key, sizeof(b->key));
	(void)crypto_generichash_init(&h, NULL, 0, HASH_LEN);
	st = hash_file(fd, b->length, -1, &h, err);
	(void)crypto_generichash_update(&h, trailer, HASHED);
	(void)crypto_generichash_final(&h, trailer + HASHED, HASH_LEN);
	if (st == GLT_OK && (lseek(fd, (off_t)b->length, SEEK_SET) < 0 ||
			     !write_out(fd, trailer, sizeof(trailer)) || fsync(fd) != 0))
		st = io_failed("write", err);
	sodium_memzero(trailer, sizeof(trailer));
	return st;
}

static enum glt_status copy(struct glt_store *store, int fd, struct glt_err *err)
{
	struct glt_store_stats stats = {.used_bytes = 0};
	struct glt_progress_file *watch;
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	if (st != GLT_OK)
		return st;
	(void)glt_store_stat(txn, &stats);
	glt_txn_end(txn);
	watch = glt_progress_watch(fd, stats.used_bytes - stats.free_bytes);
	st = glt_store_copy(store, fd, err);
	glt_progress_watched(watch);
	return st;
}

/* The copy is not read before the source is closed: LMDB takes one environment a process. */
enum glt_status glt_backup_write(struct glt_store *store, int fd, int64_t now, struct glt_backup *out,
				 struct glt_err *err)
{
	struct glt_backup again;
	struct stat sb;
	enum glt_status st = copy(store, fd, err);

	memset(out, 0, sizeof(*out));
	memcpy(out->key, glt_store_key(store), sizeof(out->key));
	glt_store_close(store);
	if (st == GLT_OK && (fsync(fd) != 0 || fstat(fd, &sb) != 0))
		st = io_failed("write", err);
	if (st == GLT_OK) {
		out->made_at = now;
		out->length = (uint64_t)sb.st_size;
		st = look_at_copy(fd, &out->head, err);
	}
	if (st == GLT_OK)
		st = add_trailer(fd, out, err);
	if (st == GLT_OK) {
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* what the disk has, not the cache */
		st = glt_backup_read(fd, -1, &again, err);
		if (st == GLT_OK && memcmp(again.key, out->key, sizeof(again.key)) != 0)
			st = glt_fail(err, GLT_DAMAGED, "the backup was not written as it should be");
		sodium_memzero(&again, sizeof(again));
	}
	sodium_memzero(out->key, sizeof(out->key));
	return st;
}
