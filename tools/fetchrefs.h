/* SPDX-License-Identifier: MIT */
/*
 * Which refs a fetch was for. A client asks for objects, and git hands their list to the command that makes the pack,
 * before it reads a byte of what that makes. What is named here are the refs that have one of those at their tip: read
 * from the repository's files, as a process would cost more than the whole rest of the hook.
 */
#ifndef GLT_FETCHREFS_H
#define GLT_FETCHREFS_H

#include "pam_log.h"

#include <stdbool.h>

/* Reads the list from standard input, where it is left again. False: it is lost, and no pack can be made. */
bool glt_fetchrefs_take(void);
/* Meanwhile git makes the pack: this costs the client no time. */
void glt_fetchrefs_find(void);
/* wants=, the number of objects asked for, and refs=, names parted by blanks; nothing where no list was taken. */
void glt_fetchrefs_add(struct glt_log_line *line);

#endif
