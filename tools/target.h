/* SPDX-License-Identifier: MIT */
/* The projects and groups that a command line names, as they stand below repo_root. */
#ifndef GLT_TARGET_H
#define GLT_TARGET_H

#include "cli.h"
#include "text.h"

enum glt_target { GLT_TARGET_PROJECT, GLT_TARGET_GROUP, GLT_TARGET_EITHER };

/* Normalise text as the caller typed it; exit 2 if it breaks a rule. */
void glt_target_path(const struct glt_cli *cli, const char *text, char out[GLT_PATH_MAX + 1]);
/* For commands that take at most one operand: the path, in out, or NULL for all. */
const char *glt_target_optional(const struct glt_cli *cli, int argc, char **argv, char out[GLT_PATH_MAX + 1]);
/* A note on stderr where there is none of that path: a typo shows, and a token may still be issued before its
 * repository is made. Before privilege is dropped. */
void glt_target_note(const struct glt_cli *cli, const char *path, enum glt_target kind);
/* Is it a folder with repositories in it, and none itself? */
bool glt_target_is_group(const struct glt_cli *cli, const char *path);

#endif
