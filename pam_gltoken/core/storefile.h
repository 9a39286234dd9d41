/* SPDX-License-Identifier: MIT */
/* The store's folder and the files beside LMDB's: what is checked before LMDB may touch anything. */
#ifndef GLT_STOREFILE_H
#define GLT_STOREFILE_H

#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/* Folder: ours, mode 0700, local file system; store.mdb: regular, both meta pages sane, not cut short.
 * LMDB maps the file: reading past the end of a truncated one is SIGBUS. */
enum glt_status glt_storefile_check(const char *dir, struct glt_err *err);
/* The same of a copy that has no folder: regular file, both meta pages sane, not cut short. */
enum glt_status glt_storefile_check_copy(int fd, struct glt_err *err);
uint64_t glt_storefile_size(const char *path); /* of a file, 0 where there is none */

/* Is fd the store.mdb that stands in dir now? A restore puts another folder in its place while it holds the gate. */
bool glt_storefile_is_current(const char *dir, int fd);

/* GLT_EXISTS where there is a store already. */
enum glt_status glt_storefile_create_key(const char *dir, struct glt_err *err);
enum glt_status glt_storefile_write_key(const char *dir, const uint8_t key[32], struct glt_err *err);
enum glt_status glt_storefile_read_key(const char *dir, uint8_t key[32], struct glt_err *err);
enum glt_status glt_storefile_sync_dir(const char *dir, struct glt_err *err);
void glt_storefile_remove(const char *dir); /* an init that failed: take back what it made */

/*
 * One process at a time opens the store. The first process that opens an LMDB environment
 * sets up its lock file, with 0 as the number of the last transaction until the right one is known; whoever waits
 * for LMDB's lock meanwhile takes the file as it stands if the first one is killed. The next commit would then be
 * acknowledged and lost, with one before it. Waits as long as the holder lives: see glt_stale_watch().
 */
enum glt_status glt_storefile_turn(const char *dir, int *fd, struct glt_err *err);
void glt_storefile_turn_end(int fd); /* -1: there was none */

/* The writers' lock, with a bounded wait (GLT_BUSY); close *fd to give it back. The kernel frees it whatever kills
 * the holder. */
enum glt_status glt_storefile_gate(const char *dir, int *fd, struct glt_err *err);

#endif
