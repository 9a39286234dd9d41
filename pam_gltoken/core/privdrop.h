/* SPDX-License-Identifier: MIT */
/* Become the account that owns the store, for good. */
#ifndef GLT_PRIVDROP_H
#define GLT_PRIVDROP_H

#include "status.h"

#include <sys/types.h>

/* Look the account up (before any drop). GLT_NOT_FOUND says how to make it. */
enum glt_status glt_privdrop_lookup(uid_t *uid, gid_t *gid, struct glt_err *err);
/* setgroups, setresgid, setresuid, then try to get root back and abort() if that works. If the process is that
 * uid already, only the proof is done. GLT_REFUSED: neither root nor that uid. */
enum glt_status glt_privdrop(uid_t uid, gid_t gid, struct glt_err *err);

#endif
