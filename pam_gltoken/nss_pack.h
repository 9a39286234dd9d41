/* SPDX-License-Identifier: MIT */
/* Size, check, copy: one entry of the snapshot into the buffer of whoever asked. 0 or an errno; ERANGE only where the
 * buffer is too small, and nothing is ever written behind it. */
#ifndef GLT_NSS_PACK_H
#define GLT_NSS_PACK_H

#include "nss_snap.h"

#include <grp.h>
#include <pwd.h>
#include <shadow.h>

/* ENOENT: the entry is one that may not be given. */
int glt_nss_pack_user(const struct glt_nss_snap *s, const struct glt_nss_entry *e, struct passwd *out, char *buf,
		      size_t size);
int glt_nss_pack_shadow(const struct glt_nss_snap *s, const struct glt_nss_entry *e, struct spwd *out, char *buf,
			size_t size);
int glt_nss_pack_group(const struct glt_nss_snap *s, const struct glt_nss_entry *e, struct group *out, char *buf,
		       size_t size);

#endif
