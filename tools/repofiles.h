/* SPDX-License-Identifier: MIT */
/*
 * Rename and delete whole repositories below repo_root, as root. Those who own what is in them may rename it at any
 * moment. So every step is an *at call on a descriptor that was reached beneath repo_root through no symbolic link,
 * and neither renameat() nor unlinkat() follows one.
 */
#ifndef GLT_REPOFILES_H
#define GLT_REPOFILES_H

#include "account.h"
#include "cli.h"

#include <limits.h>

/* The account that owns the repositories: the first of shared_accounts. Exit status, after a message if not 0. */
int glt_repo_account(const struct glt_cli *cli, struct glt_account *out);
/* repo_root as it really is. The same. */
int glt_repo_root_open(const struct glt_cli *cli, char real[PATH_MAX], int *fd);

/* The folder path below root, reached through no link. -1: errno. */
int glt_repo_beneath(int root, const char *path);

/* Both relative to root; `to` must not exist. Both are on disk when it returns. False: errno. */
bool glt_repo_rename(int root, const char *from, const char *to);
/* Put the folder aside as .removed/TIME/PATH, which is for root alone; out gets that name. False: errno. */
bool glt_repo_set_aside(int root, const char *from, int64_t now, char out[PATH_MAX]);
/* A folder with all that is in it. False: something could not be deleted. */
bool glt_repo_delete(int root, const char *path);

#endif
