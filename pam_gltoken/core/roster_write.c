/* SPDX-License-Identifier: MIT */
#include "roster.h"

#include <cdb.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct writer {
	const struct glt_roster *r;
	struct cdb_make *cdb;
	struct glt_nss_meta meta;
	uint8_t *value; /* room for one value */
	size_t room;
	int error;
};

/* value has room for len bytes; the first 8 are the sum's. */
static void put(struct writer *w, char table, const void *key, size_t key_len, size_t len)
{
	const uint64_t spread = glt_nss_spread(table, key, key_len);
	char full[1 + GLT_NSS_NAME_MAX + GLT_NSS_SPREAD];
	uint64_t sum;

	if (w->error || key_len > GLT_NSS_NAME_MAX)
		return;
	full[0] = table;
	memcpy(full + 1, key, key_len);
	memcpy(full + 1 + key_len, &spread, sizeof(spread));
	sum = glt_nss_value_sum(full, key_len + 1, w->value, len);
	memcpy(w->value, &sum, sizeof(sum));
	if (cdb_make_add(w->cdb, full, (unsigned)(1 + key_len + sizeof(spread)), w->value, (unsigned)len) < 0)
		w->error = errno ? errno : EFBIG;
}

static bool make_room(struct writer *w, size_t len)
{
	uint8_t *bigger;

	if (w->value && len <= w->room)
		return true;
	bigger = realloc(w->value, len * 2);
	if (!bigger || len > UINT32_MAX / 4) {
		free(bigger ? bigger : w->value);
		w->value = NULL;
		w->room = 0;
		w->error = ENOMEM;
		return false;
	}
	w->value = bigger;
	w->room = len * 2;
	return true;
}

static bool shown(const struct writer *w, const struct glt_roster_user *u)
{
	return glt_nss_name_fits(&w->r->limits, u->name) && strlen(u->gecos) <= GLT_NSS_GECOS_MAX;
}

static void put_user(struct writer *w, const struct glt_roster_user *u)
{
	struct glt_nss_user head = {.until = u->until, .uid = w->r->limits.range ? u->number : 0};
	char *gecos;

	if (!shown(w, u) || !make_room(w, sizeof(head) + GLT_NSS_GECOS_MAX))
		return;
	head.gecos_len = (uint32_t)strlen(u->gecos);
	memcpy(w->value, &head, sizeof(head));
	gecos = (char *)w->value + sizeof(head);
	memcpy(gecos, u->gecos, head.gecos_len);
	for (uint32_t i = 0; i < head.gecos_len;
	     i++) /* what parts the fields of passwd(5), and of the gecos itself */
		if (gecos[i] == ':' || gecos[i] == ',' || gecos[i] == '\n')
			gecos[i] = ' ';
	put(w, GLT_NSS_USER, u->name, strlen(u->name), sizeof(head) + head.gecos_len);
	w->meta.users++;
}

static void put_index(struct writer *w, char table, uint32_t number, const char *name)
{
	const uint8_t key[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
				(uint8_t)number};
	size_t len = strlen(name);

	if (!make_room(w, 8 + len))
		return;
	memcpy(w->value + 8, name, len);
	put(w, table, key, sizeof(key), 8 + len);
}

static void put_group(struct writer *w, const struct glt_roster_space *s)
{
	const struct glt_roster_member *m = w->r->member + s->from;
	struct glt_nss_group head = {.gid = s->number, .n = (uint32_t)s->n};
	size_t len = 0;

	for (size_t i = 0; i < s->n; i++)
		len += strlen(m[i].user) + 1;
	if (!make_room(w, sizeof(head) + len))
		return;
	head.len = (uint32_t)len;
	memcpy(w->value, &head, sizeof(head));
	len = sizeof(head);
	for (size_t i = 0; i < s->n; i++) {
		size_t one = strlen(m[i].user) + 1;

		memcpy(w->value + len, m[i].user, one);
		len += one;
	}
	put(w, GLT_NSS_GROUP, s->name, strlen(s->name), len);
	w->meta.groups++;
}

static int by_user(const void *a, const void *b)
{
	const struct glt_roster_member *x = a, *y = b;
	int c = strcmp(x->user, y->user);

	return c ? c : (x->gid > y->gid) - (x->gid < y->gid);
}

/* Turned round: of each user the groups. */
static void put_memberships(struct writer *w)
{
	const size_t n = w->r->members;
	struct glt_roster_member *m = n ? malloc(n * sizeof(*m)) : NULL;

	if (n && !m)
		w->error = ENOMEM;
	if (!m)
		return;
	memcpy(m, w->r->member, n * sizeof(*m));
	qsort(m, n, sizeof(*m), by_user);
	for (size_t i = 0, end; i < n && !w->error; i = end) {
		for (end = i; end < n && strcmp(m[end].user, m[i].user) == 0; end++)
			;
		if (!make_room(w, 8 + (end - i) * sizeof(uint32_t)))
			break;
		for (size_t k = i; k < end; k++)
			memcpy(w->value + 8 + (k - i) * sizeof(uint32_t), &m[k].gid, sizeof(uint32_t));
		put(w, GLT_NSS_MEMBER, m[i].user, strlen(m[i].user), 8 + (end - i) * sizeof(uint32_t));
	}
	free(m);
}

static void put_all(struct writer *w)
{
	const struct glt_nss_meta empty = {.magic = 0};
	const struct glt_roster *r = w->r;
	const char key = GLT_NSS_META;

	if (cdb_make_add(w->cdb, &key, 1, &empty, sizeof(empty)) < 0)
		w->error = errno ? errno : EFBIG;

	for (size_t i = 0; i < r->users; i++)
		put_user(w, &r->user[i]);
	w->meta.users_end = w->cdb->cdb_dpos;
	for (size_t i = 0; i < r->spaces; i++)
		put_group(w, &r->space[i]);
	w->meta.groups_end = w->cdb->cdb_dpos;
	for (size_t i = 0; r->limits.range && i < r->users; i++)
		if (shown(w, &r->user[i]))
			put_index(w, GLT_NSS_BY_UID, r->user[i].number, r->user[i].name);
	for (size_t i = 0; i < r->spaces; i++)
		put_index(w, GLT_NSS_BY_GID, r->space[i].number, r->space[i].name);
	put_memberships(w);
	w->meta.data_end = w->cdb->cdb_dpos;
}

/* Of the whole file, its meta record yet empty, and of its index of indexes, which every look-up reads. */
static int sum_file(const struct writer *w, int fd)
{
	struct glt_nss_meta meta = w->meta;
	uint8_t buf[65536];
	uint64_t h = 0;
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		if (at == 0)
			meta.head_sum = glt_nss_sum(0, buf, GLT_NSS_HEAD);
		h = glt_nss_sum(h, buf, (size_t)n);
		at += n;
	}
	if (n < 0)
		return errno;
	meta.magic = GLT_NSS_META_MAGIC;
	meta.generation = w->r->generation;
	meta.file_sum = h;
	meta.size = (uint64_t)at;
	meta.sum = glt_nss_sum(meta.magic, &meta, offsetof(struct glt_nss_meta, sum));
	return pwrite(fd, &meta, sizeof(meta), GLT_NSS_META_AT) == (ssize_t)sizeof(meta) ? 0 : errno;
}

enum glt_status glt_roster_write(const struct glt_roster *r, int fd, struct glt_err *err)
{
	struct cdb_make cdb;
	struct writer w = {.r = r, .cdb = &cdb};

	errno = 0;
	if (cdb_make_start(&cdb, fd) < 0)
		return glt_fail(err, GLT_UNAVAILABLE, "the snapshot of accounts: %s", strerror(errno));
	put_all(&w);
	if (cdb_make_finish(&cdb) < 0 && !w.error)
		w.error = errno ? errno : EFBIG;
	if (!w.error)
		w.error = sum_file(&w, fd);
	free(w.value);
	return w.error ? glt_fail(err, GLT_UNAVAILABLE, "the snapshot of accounts: %s", strerror(w.error)) : GLT_OK;
}
