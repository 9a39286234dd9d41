/* SPDX-License-Identifier: MIT */
/* The folder of backups that `gltoken backup` rotates: DIR/gltoken-20270131T120000Z.backup. */
#ifndef GLT_BACKUPDIR_H
#define GLT_BACKUPDIR_H

#include "cli.h"

/* Make it if it is missing; refuse one that others can write. Exit status, after a message if not 0. */
int glt_backupdir_prepare(const struct glt_cli *cli, const char *dir);
/* Path of the backup of that moment; one with a label, such as "schema-1-", is none of those that are rotated. False: too
 * long. */
bool glt_backupdir_name(const char *dir, const char *label, int64_t when, char *out, size_t size);
/* Remove all backups but the newest keep, and what backups that were killed left over a day ago. Files of other names,
 * and what is no backup, stay. */
int glt_backupdir_prune(const struct glt_cli *cli, const char *dir, unsigned keep);
/* When the newest one was made; 0: there is none, or the folder cannot be read. */
int64_t glt_backupdir_newest(const char *dir);

#endif
