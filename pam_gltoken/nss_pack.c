/* SPDX-License-Identifier: MIT */
#include "nss_pack.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <time.h>

#define NOLOGIN "/usr/sbin/nologin"

struct room {
	char *at;
	size_t left;
};

/* NULL: no room. */
static char *take(struct room *r, size_t len)
{
	char *at = r->at;

	if (len > r->left)
		return NULL;
	r->at += len;
	r->left -= len;
	return at;
}

static char *copy(struct room *r, const char *text)
{
	size_t len = strlen(text) + 1;
	char *at = take(r, len);

	return at ? memcpy(at, text, len) : NULL;
}

static int read_user(const struct glt_nss_snap *s, const struct glt_nss_entry *e, struct glt_nss_user *u)
{
	int rc = glt_nss_check(s, e);

	if (rc == 0)
		rc = glt_nss_read(s, e, 0, u, sizeof(*u));
	if (rc == 0 && (u->gecos_len > GLT_NSS_GECOS_MAX || u->gecos_len != e->len - sizeof(*u)))
		rc = EIO;
	if (rc != 0)
		return rc;
	if (!glt_nss_name_fits(&s->limits, e->key + 1))
		return ENOENT;
	if (!s->limits.range)
		u->uid = s->limits.uid;
	else if (!glt_nss_number_fits(&s->limits, u->uid))
		return ENOENT;
	return 0;
}

int glt_nss_pack_user(const struct glt_nss_snap *s, const struct glt_nss_entry *e, struct passwd *out, char *buf,
		      size_t size)
{
	struct room r = {buf, size};
	struct glt_nss_user u;
	int rc = read_user(s, e, &u);
	char *gecos;

	if (rc != 0)
		return rc;
	out->pw_name = copy(&r, e->key + 1);
	out->pw_passwd = copy(&r, "x");
	gecos = take(&r, u.gecos_len + 1);
	out->pw_gecos = gecos;
	out->pw_dir = copy(&r, s->limits.home);
	out->pw_shell = copy(&r, time(NULL) < u.until ? GLT_SHELL_PATH : NOLOGIN);
	if (!out->pw_name || !out->pw_passwd || !gecos || !out->pw_dir || !out->pw_shell)
		return ERANGE;
	out->pw_uid = u.uid;
	out->pw_gid = s->limits.gid;
	gecos[u.gecos_len] = '\0';
	return glt_nss_read(s, e, sizeof(u), gecos, u.gecos_len);
}

int glt_nss_pack_shadow(const struct glt_nss_snap *s, const struct glt_nss_entry *e, struct spwd *out, char *buf,
			size_t size)
{
	struct room r = {buf, size};
	struct glt_nss_user u;
	int rc = read_user(s, e, &u);

	if (rc != 0)
		return rc;
	memset(out, 0, sizeof(*out));
	out->sp_namp = copy(&r, e->key + 1);
	out->sp_pwdp = copy(&r, "*"); /* no password fits, and it is not "locked" */
	if (!out->sp_namp || !out->sp_pwdp)
		return ERANGE;
	out->sp_lstchg = out->sp_min = out->sp_max = out->sp_warn = out->sp_inact = out->sp_expire = -1;
	out->sp_flag = ~0UL;
	return 0;
}

/* The names of members[len] become out->gr_mem. False: they are not n names. */
static bool point_at(char **list, char *members, uint32_t len, uint32_t n)
{
	char *p = members, *end = members + len;
	uint32_t i = 0;

	while (p < end && i < n) {
		size_t one = strnlen(p, (size_t)(end - p));

		if (one == 0 || p + one == end)
			return false;
		list[i++] = p;
		p += one + 1;
	}
	list[i] = NULL;
	return i == n && p == end;
}

static int read_group(const struct glt_nss_snap *s, const struct glt_nss_entry *e, struct glt_nss_group *g)
{
	int rc = glt_nss_check(s, e);

	if (rc == 0)
		rc = glt_nss_read(s, e, 0, g, sizeof(*g));
	if (rc == 0 && (g->len != e->len - sizeof(*g) || g->n > g->len))
		rc = EIO;
	if (rc == 0 && (!s->limits.groups || strncmp(e->key + 1, "gl_", 3) != 0 ||
			!glt_nss_name_fits(&s->limits, e->key + 1) || !glt_nss_number_fits(&s->limits, g->gid)))
		rc = ENOENT;
	return rc;
}

int glt_nss_pack_group(const struct glt_nss_snap *s, const struct glt_nss_entry *e, struct group *out, char *buf,
		       size_t size)
{
	struct room r = {buf, size};
	struct glt_nss_group g;
	int rc = read_group(s, e, &g);
	char *members, *list;

	if (rc != 0)
		return rc;
	/* The pointers first: they are what must be aligned. */
	if (!take(&r, -(uintptr_t)buf & (alignof(char *) - 1)))
		return ERANGE;
	list = take(&r, ((size_t)g.n + 1) * sizeof(char *));
	out->gr_name = copy(&r, e->key + 1);
	out->gr_passwd = copy(&r, "x");
	members = take(&r, g.len);
	if (!list || !out->gr_name || !out->gr_passwd || !members)
		return ERANGE;
	out->gr_gid = g.gid;
	out->gr_mem = (char **)(void *)list;
	rc = glt_nss_read(s, e, sizeof(g), members, g.len);
	if (rc == 0 && !point_at(out->gr_mem, members, g.len, g.n))
		rc = EIO;
	return rc;
}
