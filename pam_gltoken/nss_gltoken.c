/* SPDX-License-Identifier: MIT */
/*
 * libnss_gltoken.so.2: accounts of bots and of users without an account of the system, from root's limits and the
 * published snapshot (nss_snap.h). Every entry point opens, looks up, packs and closes; between two calls nothing is
 * left but where getpwent and its like stand.
 *
 * Threat model. Any process of the machine, of any privilege, calls this with any buffer, descriptor table and
 * environment; none of them is looked at but the arguments. Who takes over uid gltoken can write any snapshot: it
 * gives accounts with names that the system does not have, the uid of the repositories' account or numbers of the
 * configured range, a home and one of two shells that are not in the snapshot; never uid 0, gid 0 or a system name.
 */
#include "nss_gltoken.h"

#include "nss_pack.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum nss_status status;

#define NOTHING_THERE ENODATA /* no limits or no snapshot: nothing is known of any account */

static int open_snap(struct glt_nss_snap *s)
{
	int rc = glt_nss_open(s);

	return rc == ENOENT ? NOTHING_THERE : rc;
}

/* What the caller of getpwnam() finds in errno after success is what was there before. */
static status result(int rc, int saved, int *errnop)
{
	errno = saved;
	if (rc == 0)
		return NSS_STATUS_SUCCESS;
	/* glibc hands this on, and "no such entry" is what a host without a snapshot says of every name */
	*errnop = rc == NOTHING_THERE ? ENOENT : rc;
	switch (rc) {
	case ERANGE:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EINTR:
	case EAGAIN:
		return NSS_STATUS_TRYAGAIN;
	case ENOENT:
		return NSS_STATUS_NOTFOUND;
	default:
		return NSS_STATUS_UNAVAIL;
	}
}

/* What every look-up does with one entry. */
typedef int pack_fn(const struct glt_nss_snap *s, const struct glt_nss_entry *e, void *out, char *buf, size_t size);

static int pack_user(const struct glt_nss_snap *s, const struct glt_nss_entry *e, void *out, char *buf, size_t size)
{
	return glt_nss_pack_user(s, e, out, buf, size);
}

static int pack_shadow(const struct glt_nss_snap *s, const struct glt_nss_entry *e, void *out, char *buf,
		       size_t size)
{
	return glt_nss_pack_shadow(s, e, out, buf, size);
}

static int pack_group(const struct glt_nss_snap *s, const struct glt_nss_entry *e, void *out, char *buf,
		      size_t size)
{
	return glt_nss_pack_group(s, e, out, buf, size);
}

static int by_name(char table, const char *name, pack_fn *pack, void *out, char *buf, size_t size)
{
	struct glt_nss_entry e;
	struct glt_nss_snap s;
	size_t len = strnlen(name, GLT_NSS_NAME_MAX + 1);
	int rc;

	if (len == 0 || len > GLT_NSS_NAME_MAX)
		return ENOENT;
	rc = open_snap(&s);
	if (rc != 0)
		return rc;
	rc = glt_nss_find(&s, table, name, len, &e);
	if (rc == 0)
		rc = pack(&s, &e, out, buf, size);
	glt_nss_close(&s);
	return rc;
}

/* A number names an entry, which is then looked up by that name. */
static int named_by(const struct glt_nss_snap *s, char index, char table, uint32_t number, struct glt_nss_entry *e)
{
	const uint8_t key[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
				(uint8_t)number};
	char name[GLT_NSS_NAME_MAX];
	uint32_t len;
	int rc = glt_nss_find(s, index, key, sizeof(key), e);

	if (rc == 0)
		rc = glt_nss_check(s, e);
	if (rc != 0)
		return rc;
	len = e->len - 8;
	if (len == 0 || len > sizeof(name))
		return EIO;
	rc = glt_nss_read(s, e, 8, name, len);
	if (rc == 0)
		rc = glt_nss_find(s, table, name, len, e);
	return rc;
}

status _nss_gltoken_getpwnam_r(const char *name, struct passwd *out, char *buf, size_t size, int *errnop)
{
	int saved = errno;

	return result(by_name(GLT_NSS_USER, name, pack_user, out, buf, size), saved, errnop);
}

status _nss_gltoken_getspnam_r(const char *name, struct spwd *out, char *buf, size_t size, int *errnop)
{
	int saved = errno;

	return result(geteuid() == 0 ? by_name(GLT_NSS_USER, name, pack_shadow, out, buf, size) : EACCES, saved,
		      errnop);
}

status _nss_gltoken_getgrnam_r(const char *name, struct group *out, char *buf, size_t size, int *errnop)
{
	int saved = errno;

	return result(by_name(GLT_NSS_GROUP, name, pack_group, out, buf, size), saved, errnop);
}

static int user_by_uid(uid_t uid, struct passwd *out, char *buf, size_t size)
{
	struct glt_nss_entry e;
	struct glt_nss_snap s;
	int rc;

	if (uid < GLT_NSS_SYSTEM)
		return ENOENT;
	rc = open_snap(&s);
	if (rc != 0)
		return rc;
	/* Shared: the uid's own entry is the system's. */
	rc = s.limits.range ? named_by(&s, GLT_NSS_BY_UID, GLT_NSS_USER, uid, &e) : ENOENT;
	if (rc == 0)
		rc = glt_nss_pack_user(&s, &e, out, buf, size);
	if (rc == 0 && out->pw_uid != uid)
		rc = EIO;
	glt_nss_close(&s);
	return rc;
}

status _nss_gltoken_getpwuid_r(uid_t uid, struct passwd *out, char *buf, size_t size, int *errnop)
{
	int saved = errno;

	return result(user_by_uid(uid, out, buf, size), saved, errnop);
}

static int group_by_gid(gid_t gid, struct group *out, char *buf, size_t size)
{
	struct glt_nss_entry e;
	struct glt_nss_snap s;
	int rc;

	if (gid < GLT_NSS_SYSTEM)
		return ENOENT;
	rc = open_snap(&s);
	if (rc != 0)
		return rc;
	rc = named_by(&s, GLT_NSS_BY_GID, GLT_NSS_GROUP, gid, &e);
	if (rc == 0)
		rc = glt_nss_pack_group(&s, &e, out, buf, size);
	if (rc == 0 && out->gr_gid != gid)
		rc = EIO;
	glt_nss_close(&s);
	return rc;
}

status _nss_gltoken_getgrgid_r(gid_t gid, struct group *out, char *buf, size_t size, int *errnop)
{
	int saved = errno;

	return result(group_by_gid(gid, out, buf, size), saved, errnop);
}

/* ---- the groups of a user ---- */

struct gids { /* what initgroups_dyn is given, and how far it is filled */
	gid_t **list;
	long *size, n, limit;
	gid_t skip;
};

static int add_gid(struct gids *g, gid_t gid)
{
	gid_t *bigger;
	long more;

	if (gid == g->skip || gid == 0 || (g->limit > 0 && g->n >= g->limit))
		return 0;
	if (g->n >= *g->size) {
		more = *g->size > 0 ? *g->size * 2 : 16;
		if (g->limit > 0 && more > g->limit)
			more = g->limit;
		bigger = more > g->n ? realloc(*g->list, (size_t)more * sizeof(**g->list)) : NULL;
		if (!bigger)
			return ENOMEM;
		*g->list = bigger;
		*g->size = more;
	}
	(*g->list)[g->n++] = gid;
	return 0;
}

static int add_memberships(const struct glt_nss_snap *s, const char *user, struct gids *g)
{
	struct glt_nss_entry e;
	uint32_t gids[64];
	int rc = glt_nss_find(s, GLT_NSS_MEMBER, user, strlen(user), &e);

	if (rc == 0)
		rc = glt_nss_check(s, &e);
	for (uint32_t from = 8, n; rc == 0 && from < e.len; from += n) {
		n = e.len - from < sizeof(gids) ? e.len - from : sizeof(gids);
		rc = n % sizeof(gids[0]) == 0 ? glt_nss_read(s, &e, from, gids, n) : EIO;
		for (uint32_t i = 0; rc == 0 && i < n / sizeof(gids[0]); i++)
			if (glt_nss_number_fits(&s->limits, gids[i]))
				rc = add_gid(g, gids[i]);
	}
	return rc;
}

/* Any account has its memberships, ours may ask the helper, too. ENOENT: nothing of either. */
static int groups_of(const char *user, struct gids *g)
{
	struct glt_nss_entry e;
	struct glt_nss_snap s;
	size_t len = strnlen(user, GLT_NSS_NAME_MAX + 1);
	int ours, rc;

	if (len == 0 || len > GLT_NSS_NAME_MAX || strcmp(user, "root") == 0)
		return ENOENT;
	rc = open_snap(&s);
	if (rc != 0)
		return rc;
	ours = glt_nss_name_fits(&s.limits, user) ? glt_nss_find(&s, GLT_NSS_USER, user, len, &e) : ENOENT;
	if (ours == 0)
		ours = add_gid(g, s.limits.ask_gid);
	rc = s.limits.groups ? add_memberships(&s, user, g) : ENOENT;
	glt_nss_close(&s);
	if (rc == ENOENT || (ours != 0 && ours != ENOENT))
		rc = ours;
	return rc;
}

status _nss_gltoken_initgroups_dyn(const char *user, gid_t group, long *start, long *size, gid_t **groupsp,
				   long limit, int *errnop)
{
	struct gids g = {.list = groupsp, .size = size, .n = *start, .limit = limit, .skip = group};
	int saved = errno, rc = groups_of(user, &g);

	if (rc == 0) /* all of them or none */
		*start = g.n;
	return result(rc, saved, errnop);
}

/* ---- reading through ---- */

struct cursor {
	pthread_mutex_t lock;
	uint64_t generation; /* of the snapshot that pos is in; another one is entered behind the last name */
	uint32_t pos;        /* 0: at the beginning */
	char last[GLT_NSS_NAME_MAX + 2];
};
static struct cursor users = {.lock = PTHREAD_MUTEX_INITIALIZER}, shadows = {.lock = PTHREAD_MUTEX_INITIALIZER},
		     groups = {.lock = PTHREAD_MUTEX_INITIALIZER};

static status rewind_cursor(struct cursor *c)
{
	(void)pthread_mutex_lock(&c->lock);
	c->pos = 0;
	c->last[0] = '\0';
	(void)pthread_mutex_unlock(&c->lock);
	return NSS_STATUS_SUCCESS;
}

/* Entries are sorted, so that of two snapshots none is given twice, and none is left out that is in both. */
static int enter(const struct glt_nss_snap *s, struct cursor *c, uint32_t start, uint32_t end,
		 struct glt_nss_entry *e)
{
	int rc;

	if (c->pos != 0 && c->generation == s->meta.file_sum)
		return glt_nss_at(s, c->pos, end, e);
	c->generation = s->meta.file_sum;
	c->pos = start;
	while ((rc = glt_nss_at(s, c->pos, end, e)) == 0 && strcmp(e->key, c->last) <= 0)
		c->pos = e->next;
	return rc;
}

static int next(struct cursor *c, char table, pack_fn *pack, void *out, char *buf, size_t size)
{
	struct glt_nss_entry e;
	struct glt_nss_snap s;
	uint32_t start, end;
	int rc = open_snap(&s);

	if (rc != 0)
		return rc;
	start = table == GLT_NSS_USER ? GLT_NSS_FIRST : s.meta.users_end;
	end = table == GLT_NSS_USER ? s.meta.users_end : s.meta.groups_end;
	do {
		rc = enter(&s, c, start, end, &e);
		if (rc != 0)
			break;
		rc = e.key[0] == table ? pack(&s, &e, out, buf, size) : EIO;
		if (rc == 0 || rc == ENOENT) { /* with a larger buffer the same entry is asked for again */
			c->pos = e.next;
			memcpy(c->last, e.key, sizeof(c->last));
		}
	} while (rc == ENOENT);
	glt_nss_close(&s);
	return rc;
}

static status step(struct cursor *c, char table, pack_fn *pack, void *out, char *buf, size_t size, int *errnop)
{
	int saved = errno, rc;

	(void)pthread_mutex_lock(&c->lock);
	rc = next(c, table, pack, out, buf, size);
	(void)pthread_mutex_unlock(&c->lock);
	return result(rc, saved, errnop);
}

status _nss_gltoken_setpwent(int stay)
{
	(void)stay;
	return rewind_cursor(&users);
}

status _nss_gltoken_endpwent(void)
{
	return rewind_cursor(&users);
}

status _nss_gltoken_getpwent_r(struct passwd *out, char *buf, size_t size, int *errnop)
{
	return step(&users, GLT_NSS_USER, pack_user, out, buf, size, errnop);
}

status _nss_gltoken_setspent(int stay)
{
	(void)stay;
	return rewind_cursor(&shadows);
}

status _nss_gltoken_endspent(void)
{
	return rewind_cursor(&shadows);
}

status _nss_gltoken_getspent_r(struct spwd *out, char *buf, size_t size, int *errnop)
{
	if (geteuid() != 0)
		return result(EACCES, errno, errnop);
	return step(&shadows, GLT_NSS_USER, pack_shadow, out, buf, size, errnop);
}

status _nss_gltoken_setgrent(int stay)
{
	(void)stay;
	return rewind_cursor(&groups);
}

status _nss_gltoken_endgrent(void)
{
	return rewind_cursor(&groups);
}

status _nss_gltoken_getgrent_r(struct group *out, char *buf, size_t size, int *errnop)
{
	return step(&groups, GLT_NSS_GROUP, pack_group, out, buf, size, errnop);
}
