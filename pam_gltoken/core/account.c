/* SPDX-License-Identifier: MIT */
#include "account.h"

#include "nss_snap.h"
#include "passwd.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_MAX (1u << 20) /* a group may have thousands of members */
#define GROUPS_MAX 65536

static enum glt_status copy(const struct passwd *pw, struct glt_account *out, struct glt_err *err)
{
	memset(out, 0, sizeof(*out));
	if (strlen(pw->pw_name) >= sizeof(out->name) || strlen(pw->pw_dir) >= sizeof(out->home) ||
	    strlen(pw->pw_shell) >= sizeof(out->shell))
		return glt_fail(err, GLT_REFUSED, "account of uid %lu: a field is too long",
				(unsigned long)pw->pw_uid);
	strcpy(out->name, pw->pw_name);
	strcpy(out->home, pw->pw_dir);
	strcpy(out->shell, pw->pw_shell);
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	return GLT_OK;
}

/* POSIX leaves open how a look-up says "not found"; these are what glibc's modules return for it. */
static bool means_absent(int rc)
{
	return rc == 0 || rc == ENOENT || rc == ESRCH;
}

static enum glt_status look_up(const char *name, uid_t uid, struct glt_account *out, struct glt_err *err)
{
	struct passwd pw, *found = NULL;
	enum glt_status st;
	char *buf = NULL, local[1024];
	size_t size = sizeof(local);
	int rc;

	if (glt_passwd_find(name, uid, &pw, local, sizeof(local)))
		return copy(&pw, out, err);
	do {
		char *bigger = realloc(buf, size);

		if (!bigger) {
			free(buf);
			return glt_fail(err, GLT_UNAVAILABLE, "no memory to look up an account");
		}
		buf = bigger;
		rc = name ? getpwnam_r(name, &pw, buf, size, &found) : getpwuid_r(uid, &pw, buf, size, &found);
		size *= 2;
	} while (rc == EINTR || (rc == ERANGE && size <= BUFFER_MAX));

	if (found)
		st = copy(found, out, err);
	else if (!means_absent(rc))
		st = glt_fail(err, GLT_UNAVAILABLE, "cannot look up account '%.64s' now: %s",
			      name ? name : "(uid)", strerror(rc));
	else if (name)
		st = glt_fail(err, GLT_NOT_FOUND, "no account '%.64s' on this system", name);
	else
		st = glt_fail(err, GLT_NOT_FOUND, "no account with uid %lu", (unsigned long)uid);
	free(buf);
	return st;
}

enum glt_status glt_account_by_name(const char *name, struct glt_account *out, struct glt_err *err)
{
	enum glt_status st = look_up(name, 0, out, err);

	/* A directory may fold case or spaces: another spelling is another principal. */
	if (st == GLT_OK && strcmp(out->name, name) != 0)
		return glt_fail(err, GLT_NOT_FOUND, "no account '%.64s' (the directory calls it '%.64s')", name,
				out->name);
	return st;
}

/* The system's own entry wins where both have the name, and then it has neither our uid nor one of our numbers. */
static bool is_published(const struct glt_account *a)
{
	struct glt_nss_entry e;
	struct glt_nss_snap s;
	bool found;

	if (glt_nss_open(&s) != 0)
		return false;
	found = glt_nss_name_fits(&s.limits, a->name) &&
		(s.limits.range ? glt_nss_number_fits(&s.limits, a->uid) : a->uid == s.limits.uid) &&
		glt_nss_find(&s, GLT_NSS_USER, a->name, strlen(a->name), &e) == 0;
	glt_nss_close(&s);
	return found;
}

enum glt_status glt_account_of_system(const char *name, struct glt_account *out, struct glt_err *err)
{
	enum glt_status st = glt_account_by_name(name, out, err);

	if (st == GLT_OK && is_published(out))
		return glt_fail(err, GLT_NOT_FOUND, "'%.64s' is no account of this system, but one of gltoken's",
				name);
	return st;
}

enum glt_status glt_account_by_uid(uid_t uid, struct glt_account *out, struct glt_err *err)
{
	return look_up(NULL, uid, out, err);
}

enum glt_shell glt_account_shell(const struct glt_account *a)
{
	const char *base = strrchr(a->shell, '/');

	if (strcmp(a->shell, GLT_SHELL_PATH) == 0)
		return GLT_SHELL_GLTOKEN;
	return base && strcmp(base, "/git-shell") == 0 ? GLT_SHELL_GIT : GLT_SHELL_OTHER;
}

/* By name, or where that is NULL by gid. *found is NULL or gr, which points into *buf; the caller frees that. */
static enum glt_status find_group(const char *name, gid_t gid, struct group *gr, struct group **found, char **buf,
				  struct glt_err *err)
{
	size_t size = 4096;
	int rc;

	*buf = NULL;
	*found = NULL;
	do {
		char *bigger = realloc(*buf, size);

		if (!bigger)
			return glt_fail(err, GLT_UNAVAILABLE, "no memory to look up a group");
		*buf = bigger;
		rc = name ? getgrnam_r(name, gr, *buf, size, found) : getgrgid_r(gid, gr, *buf, size, found);
		size *= 2;
	} while (rc == EINTR || (rc == ERANGE && size <= 16 * BUFFER_MAX));
	if (!*found && !means_absent(rc))
		return glt_fail(err, GLT_UNAVAILABLE, "cannot look up group '%.64s' now: %s",
				name ? name : "(gid)", strerror(rc));
	return GLT_OK;
}

static enum glt_status gid_of(const char *group, bool *exists, gid_t *gid, struct glt_err *err)
{
	struct group gr, *found;
	char *buf;
	enum glt_status st = find_group(group, 0, &gr, &found, &buf, err);

	*exists = found != NULL;
	if (found)
		*gid = gr.gr_gid;
	free(buf);
	return st;
}

enum glt_status glt_gid_used(gid_t gid, bool *used, struct glt_err *err)
{
	struct group gr, *found;
	char *buf;
	enum glt_status st = find_group(NULL, gid, &gr, &found, &buf, err);

	*used = found != NULL;
	free(buf);
	return st;
}

enum glt_status glt_group_members(const char *group, char ***names, size_t *n, struct glt_err *err)
{
	struct group gr, *found;
	size_t count = 0;
	char *buf;
	enum glt_status st = find_group(group, 0, &gr, &found, &buf, err);

	*n = 0;
	*names = NULL;
	while (found && gr.gr_mem[count])
		count++;
	if (count) {
		*names = calloc(count, sizeof(**names));
		while (*names && *n < count && ((*names)[*n] = strdup(gr.gr_mem[*n])))
			++*n;
		if (*n < count)
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the members of group '%.64s'", group);
	}
	free(buf);
	return st;
}

enum glt_status glt_account_in_group(const struct glt_account *a, const char *group, bool *in, struct glt_err *err)
{
	enum glt_status st;
	bool exists = false;
	gid_t want = 0, *list = NULL;
	int n = 64, room;

	*in = false;
	st = gid_of(group, &exists, &want, err);
	if (st != GLT_OK || !exists)
		return st;
	do {
		gid_t *bigger = realloc(list, (size_t)n * sizeof(*list));

		if (!bigger) {
			free(list);
			return glt_fail(err, GLT_UNAVAILABLE, "no memory to list the groups of '%s'", a->name);
		}
		list = bigger;
		room = n;
		if (getgrouplist(a->name, a->gid, list, &n) >= 0)
			break;
		if (n <= room) /* failed, but not for want of room */
			n = room * 2;
	} while (n <= GROUPS_MAX);
	if (n > GROUPS_MAX) {
		free(list);
		return glt_fail(err, GLT_UNAVAILABLE, "cannot list the groups of '%s'", a->name);
	}
	for (int i = 0; i < n && !*in; i++)
		*in = list[i] == want;
	free(list);
	return GLT_OK;
}
