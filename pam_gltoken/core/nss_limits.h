/* SPDX-License-Identifier: MIT */
/* Root's word to libnss_gltoken: see nss_snap.h. */
#ifndef GLT_NSS_LIMITS_H
#define GLT_NSS_LIMITS_H

#include "conf.h"

/* As root, before the drop: make the public folder, and write the limits where they are not what the configuration
 * and the system's accounts ask for. GLT_NOT_FOUND: the folder above does not exist, nothing was done. GLT_REFUSED:
 * the configured range is in use, the limits stay as they were. */
enum glt_status glt_limits_refresh(const struct glt_conf *conf, uid_t owner, gid_t group, struct glt_err *err);
/* GLT_REFUSED: the configured range may not be, or is in use. Whoever asks, nothing is changed. */
enum glt_status glt_limits_range(const struct glt_conf *conf, struct glt_err *err);

#endif
