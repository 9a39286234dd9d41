/* SPDX-License-Identifier: MIT */
/*
 * A backup is one file: a compact copy of store.mdb, so that LMDB can read the file as it is, and 256 bytes behind:
 *
 *      0  "gltoken backup\n\0"
 *     16  version, 1          (numbers: 8 bytes, big-endian)
 *     24  when it was made
 *     32  length of the copy
 *     40  the last event's number, 48 its hash (32 bytes)
 *     80  the file key (32 bytes)
 *    112  zeros
 *    224  BLAKE2b-256 of all before it
 */
#ifndef GLT_BACKUPFILE_H
#define GLT_BACKUPFILE_H

#include "store.h"

#define GLT_BACKUP_TRAILER 256

struct glt_backup {
	int64_t made_at;
	uint64_t length; /* of the copy of store.mdb */
	struct glt_head head;
	uint8_t key[32]; /* wipe it */
};

/* Is there such a trailer at all? No hash is looked at. */
bool glt_backup_is(int fd);
/* Write a backup into the empty regular file fd, sync it and verify what was written. Closes the store. out has
 * no key. */
enum glt_status glt_backup_write(struct glt_store *store, int fd, int64_t now, struct glt_backup *out,
				 struct glt_err *err);
/* Trailer and hash; with to >= 0 the copy is written there meanwhile. GLT_DAMAGED, or GLT_REFUSED: of a newer
 * version. */
enum glt_status glt_backup_read(int fd, int to, struct glt_backup *out, struct glt_err *err);
/* Every checksum, every index, the whole audit chain. */
enum glt_status glt_backup_check(struct glt_store *copy, struct glt_err *err);

#endif
