/* SPDX-License-Identifier: MIT */
#include "publish.h"

#include "roster.h"
#include "storefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPT GLT_NSS_SNAPSHOT ".new"

static enum glt_status put_in_place(const struct glt_roster *r, struct glt_err *err)
{
	enum glt_status st;
	int fd;

	(void)unlink(ATTEMPT);
	fd = open(ATTEMPT, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return glt_fail(err, GLT_UNAVAILABLE, "%s: %s", ATTEMPT, strerror(errno));
	st = glt_roster_write(r, fd, err);
	if (st == GLT_OK && (fchmod(fd, 0644) != 0 || fsync(fd) != 0))
		st = glt_fail(err, GLT_UNAVAILABLE, "%s: %s", ATTEMPT, strerror(errno));
	if (close(fd) != 0 && st == GLT_OK)
		st = glt_fail(err, GLT_UNAVAILABLE, "%s: %s", ATTEMPT, strerror(errno));
	if (st == GLT_OK && rename(ATTEMPT, GLT_NSS_SNAPSHOT) != 0)
		st = glt_fail(err, GLT_UNAVAILABLE, "%s: %s", GLT_NSS_SNAPSHOT, strerror(errno));
	if (st != GLT_OK)
		(void)unlink(ATTEMPT);
	return st == GLT_OK ? glt_storefile_sync_dir(GLT_NSS_PUBLIC, err) : st;
}

static enum glt_status make(struct glt_store *store, struct glt_roster *r, struct glt_err *err)
{
	enum glt_status st = glt_roster_gather(store, r, err);

	if (st == GLT_OK)
		st = glt_roster_number(r, err);
	if (st == GLT_OK)
		st = glt_roster_expand(r, err);
	return st == GLT_OK ? put_in_place(r, err) : st;
}

enum glt_status glt_publish(struct glt_store *store, const struct glt_conf *conf, struct glt_published *out,
			    struct glt_err *err)
{
	struct glt_roster r = {.group_role = conf->group_role};
	enum glt_status st;
	int gate, rc = glt_nss_limits_read(&r.limits);

	if (rc == ENOENT)
		return glt_fail(err, GLT_NOT_FOUND, "%s does not exist: run 'gltoken publish' as root",
				GLT_NSS_LIMITS);
	if (rc != 0)
		return glt_fail(err, GLT_UNAVAILABLE, "%s: %s", GLT_NSS_LIMITS,
				rc == EIO ? "damaged, or not root's" : strerror(rc));
	/* Whoever comes last reads the store last, so that no older state stands over a newer one. */
	st = glt_storefile_gate(GLT_NSS_PUBLIC, &gate, err);
	if (st != GLT_OK)
		return st;
	st = make(store, &r, err);
	(void)close(gate);
	if (st == GLT_OK && out)
		*out = (struct glt_published){r.users, r.spaces};
	glt_roster_free(&r);
	return st;
}

enum glt_status glt_publish_if_due(struct glt_store *store, const struct glt_conf *conf, unsigned parts,
				   struct glt_err *err)
{
	enum glt_status st;

	if (!(parts & GLT_PUBLIC_USERS) && !(conf->nss_groups && parts))
		return GLT_OK;
	st = glt_publish(store, conf, NULL, err);
	return st == GLT_NOT_FOUND ? GLT_OK : st;
}
