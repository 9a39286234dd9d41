/* SPDX-License-Identifier: MIT */
/* The body of a Git LFS batch request, which says whether it is a download or an upload. */
#ifndef GLT_LFSBATCH_H
#define GLT_LFSBATCH_H

#include "status.h"

#include <stdbool.h>

#define GLT_LFS_BATCH_MAX (1 << 19) /* bytes; git-lfs asks for 100 objects at a time, some 12 KiB */

/* Read all of it from fd, within timeout_ms, and say what is asked for. *body is a file with the same bytes, at its
 * beginning, for the caller to close. What cannot be understood by every reader in one way is GLT_INVALID. */
enum glt_status glt_lfs_batch(int fd, const char *content_length, int timeout_ms, bool *upload, int *body,
			      struct glt_err *err);

#endif
