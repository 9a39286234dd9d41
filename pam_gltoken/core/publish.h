/* SPDX-License-Identifier: MIT */
/*
 * The snapshot of accounts that libnss_gltoken reads, as uid gltoken. It is made aside as a whole and renamed over the
 * old one, which is never changed; a reader sees the one or the other.
 */
#ifndef GLT_PUBLISH_H
#define GLT_PUBLISH_H

#include "conf.h"
#include "store.h"

struct glt_published {
	size_t users, groups;
};

/* Publish what the store says now. out may be NULL. GLT_NOT_FOUND: this host has no limits (nss_snap.h), so nothing
 * reads a snapshot. Must not be called with a transaction open: accounts of the system are looked up. */
enum glt_status glt_publish(struct glt_store *store, const struct glt_conf *conf, struct glt_published *out,
			    struct glt_err *err);
/* The same, if parts (of the glt_changed calls since the last time) are published here; GLT_NOT_FOUND counts as done. */
enum glt_status glt_publish_if_due(struct glt_store *store, const struct glt_conf *conf, unsigned parts,
				   struct glt_err *err);

#endif
