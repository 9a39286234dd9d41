/* SPDX-License-Identifier: MIT */
#include "nss_snap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS 32
#define CHUNK 512

uint64_t glt_nss_sum(uint64_t seed, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = seed ^ 0x9e3779b97f4a7c15ULL;

	for (uint64_t w; len > 0; p += 8, len -= len < 8 ? len : 8) {
		w = 0;
		memcpy(&w, p, len < 8 ? len : 8);
		h = (h ^ w ^ (len < 8 ? (uint64_t)len << 56 : 0)) * 0xff51afd7ed558ccdULL;
		h ^= h >> 32;
	}
	return h;
}

uint64_t glt_nss_spread(char table, const void *key, size_t len)
{
	return glt_nss_sum((uint8_t)table, key, len);
}

uint64_t glt_nss_value_sum(const void *key, size_t key_len, const void *value, size_t len)
{
	const uint8_t *p = value;
	uint64_t h = glt_nss_sum(len, key, key_len);

	for (size_t from = 8; from < len; from += CHUNK)
		h = glt_nss_sum(h, p + from, len - from < CHUNK ? len - from : CHUNK);
	return h;
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int pread_all(int fd, void *out, size_t len, uint64_t pos)
{
	ssize_t n = pread(fd, out, len, (off_t)pos);

	if (n < 0)
		return errno;
	return (size_t)n == len ? 0 : EIO;
}

/* ---- limits ---- */

static bool limits_sane(const struct glt_nss_limits *l, size_t size)
{
	const size_t covered = offsetof(struct glt_nss_limits, owner);

	if (size < GLT_NSS_LIMITS_HEAD || l->magic != GLT_NSS_LIMITS_MAGIC ||
	    l->names_len != size - GLT_NSS_LIMITS_HEAD || l->home[sizeof(l->home) - 1] ||
	    (l->names_len && l->names[l->names_len - 1]))
		return false;
	if (l->sum != glt_nss_sum(l->magic, (const char *)l + covered, size - covered))
		return false;
	return l->owner && l->uid && l->gid && l->ask_gid && l->first >= GLT_NSS_SYSTEM && l->first <= l->last;
}

/* The folder is root's, so only root can have put the file there; whose it is is looked at nevertheless. */
int glt_nss_limits_read(struct glt_nss_limits *out)
{
	struct stat sb;
	ssize_t n;
	int rc = 0, fd = open(GLT_NSS_LIMITS, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return errno;
	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || sb.st_uid != 0 || (sb.st_mode & 022) != 0)
		rc = EIO;
	n = rc == 0 ? pread(fd, out, sizeof(*out), 0) : -1;
	(void)close(fd);
	if (rc == 0 && (n < 0 || n != sb.st_size || !limits_sane(out, (size_t)n)))
		rc = EIO;
	return rc;
}

bool glt_nss_number_fits(const struct glt_nss_limits *l, uint32_t number)
{
	return number >= GLT_NSS_SYSTEM && number >= l->first && number <= l->last && number != GLT_NSS_NOBODY &&
	       number != GLT_NSS_NOBODY + 1 && number < UINT32_MAX - 1;
}

/* As glt_account_name_check(): what core lets in, and nothing that a program could take for a number. */
static bool name_formed(const char *name)
{
	size_t len = strnlen(name, GLT_NSS_NAME_MAX + 1);
	bool digits = true;

	if (len == 0 || len > GLT_NSS_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool digit = c >= '0' && c <= '9';
		bool word = digit || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!word && (i == 0 || (c != '.' && c != '+' && c != '-')))
			return false;
		digits = digits && digit;
	}
	return !digits;
}

bool glt_nss_name_fits(const struct glt_nss_limits *l, const char *name)
{
	const char *end = l->names + l->names_len;

	if (!name_formed(name) || strcmp(name, "root") == 0)
		return false;
	for (const char *p = l->names; p < end; p += strlen(p) + 1)
		if (strcmp(p, name) == 0)
			return false;
	return true;
}

/* ---- snapshot ---- */

static bool meta_sane(const struct glt_nss_meta *t, uint64_t size)
{
	return t->magic == GLT_NSS_META_MAGIC && t->size == size &&
	       t->sum == glt_nss_sum(t->magic, t, offsetof(struct glt_nss_meta, sum)) &&
	       t->users_end >= GLT_NSS_FIRST && t->groups_end >= t->users_end && t->data_end >= t->groups_end &&
	       t->data_end <= size;
}

static int open_checked(struct glt_nss_snap *s)
{
	struct stat sb;
	int rc;

	if (fstat(s->fd, &sb) != 0)
		return errno;
	if (!S_ISREG(sb.st_mode) || (sb.st_uid != s->limits.owner && sb.st_uid != 0) || (sb.st_mode & 022) != 0 ||
	    sb.st_size < (off_t)GLT_NSS_FIRST || (uint64_t)sb.st_size > UINT32_MAX)
		return EIO;
	rc = pread_all(s->fd, s->head, sizeof(s->head), 0);
	if (rc != 0)
		return rc;
	memcpy(&s->meta, s->head + GLT_NSS_META_AT, sizeof(s->meta));
	if (!meta_sane(&s->meta, (uint64_t)sb.st_size) || glt_nss_sum(0, s->head, GLT_NSS_HEAD) != s->meta.head_sum)
		return EIO;
	return 0;
}

int glt_nss_open(struct glt_nss_snap *s)
{
	int rc = glt_nss_limits_read(&s->limits);

	s->fd = -1;
	if (rc != 0)
		return rc;
	s->fd = open(GLT_NSS_SNAPSHOT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (s->fd < 0)
		return errno;
	rc = open_checked(s);
	if (rc != 0)
		glt_nss_close(s);
	return rc;
}

void glt_nss_close(struct glt_nss_snap *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

int glt_nss_at(const struct glt_nss_snap *s, uint32_t pos, uint32_t end, struct glt_nss_entry *out)
{
	uint8_t buf[512], *value;
	uint32_t room;
	uint64_t next;
	int rc;

	if (pos >= end)
		return ENOENT;
	if (pos < GLT_NSS_HEAD || end > s->meta.data_end || end - pos < 8)
		return EIO;
	room = end - pos < sizeof(buf) ? end - pos : (uint32_t)sizeof(buf);
	rc = pread_all(s->fd, buf, room, pos);
	if (rc != 0)
		return rc;
	out->key_len = le32(buf);
	out->len = le32(buf + 4);
	next = (uint64_t)pos + 8 + out->key_len + out->len;
	if (out->key_len < 1 + GLT_NSS_SPREAD || out->key_len - GLT_NSS_SPREAD >= sizeof(out->key) || next > end)
		return EIO;
	out->pos = pos + 8 + out->key_len;
	out->next = (uint32_t)next;
	value = buf + 8 + out->key_len;
	room -= 8 + out->key_len; /* next <= end, and the buffer holds the longest key */
	out->key_len -= GLT_NSS_SPREAD;
	memcpy(out->key, buf + 8, out->key_len);
	out->key[out->key_len] = '\0';
	out->near_len = out->len < room ? out->len : room;
	if (out->near_len > sizeof(out->near))
		out->near_len = sizeof(out->near);
	memcpy(out->near, value, out->near_len);
	return 0;
}

/* ENOENT: another key that has the same hash. */
static int match(const struct glt_nss_snap *s, uint32_t pos, char table, const void *key, size_t len,
		 struct glt_nss_entry *out)
{
	int rc = glt_nss_at(s, pos, s->meta.data_end, out);

	if (rc != 0)
		return EIO; /* what the index points to must be there */
	if (out->key_len != len + 1 || out->key[0] != table || memcmp(out->key + 1, key, len) != 0)
		return ENOENT;
	return 0;
}

static uint32_t hash_on(uint32_t h, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h * 33) ^ p[i];
	return h;
}

static uint32_t hash_of(char table, const void *key, size_t len)
{
	const uint64_t spread = glt_nss_spread(table, key, len);

	return hash_on(hash_on(hash_on(5381, &table, 1), key, len), &spread, sizeof(spread));
}

int glt_nss_find(const struct glt_nss_snap *s, char table, const void *key, size_t len, struct glt_nss_entry *out)
{
	const uint32_t h = hash_of(table, key, len);
	const uint32_t at = le32(s->head + (h & 255) * 8), n = le32(s->head + (h & 255) * 8 + 4);
	uint8_t slots[SLOTS * 8];

	if (n == 0)
		return ENOENT;
	if (at < s->meta.data_end || (uint64_t)at + (uint64_t)n * 8 > s->meta.size)
		return EIO;
	for (uint32_t seen = 0, i = (h >> 8) % n, got; seen < n; seen += got, i = (i + got) % n) {
		int rc;

		got = n - i < SLOTS ? n - i : SLOTS;
		rc = pread_all(s->fd, slots, (size_t)got * 8, (uint64_t)at + (uint64_t)i * 8);
		if (rc != 0)
			return rc;
		for (uint32_t k = 0; k < got; k++) {
			uint32_t pos = le32(slots + k * 8 + 4);

			if (pos == 0)
				return ENOENT;
			if (le32(slots + k * 8) != h)
				continue;
			rc = match(s, pos, table, key, len, out);
			if (rc != ENOENT)
				return rc;
		}
	}
	return ENOENT;
}

int glt_nss_read(const struct glt_nss_snap *s, const struct glt_nss_entry *e, uint32_t from, void *out,
		 uint32_t len)
{
	if (from > e->len || len > e->len - from)
		return EIO;
	if (from + len > e->near_len)
		return pread_all(s->fd, out, len, (uint64_t)e->pos + from);
	memcpy(out, e->near + from, len);
	return 0;
}

int glt_nss_check(const struct glt_nss_snap *s, const struct glt_nss_entry *e)
{
	uint8_t buf[CHUNK];
	uint64_t want, h;
	int rc;

	if (e->len < 8)
		return EIO;
	rc = glt_nss_read(s, e, 0, &want, 8);
	h = glt_nss_sum(e->len, e->key, e->key_len);
	for (uint32_t from = 8, n; rc == 0 && from < e->len; from += n) {
		n = e->len - from < sizeof(buf) ? e->len - from : sizeof(buf);
		rc = glt_nss_read(s, e, from, buf, n);
		if (rc == 0)
			h = glt_nss_sum(h, buf, n);
	}
	if (rc == 0 && h != want)
		rc = EIO;
	return rc;
}
