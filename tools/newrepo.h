/* SPDX-License-Identifier: MIT */
/*
 * Make a bare repository below repo_root, as the account that will own it. That account may rename what it owns
 * at any moment, so nothing here is done with root's rights in a folder that it can write: every step is an *at
 * call on a descriptor, through no symbolic link, by a child that has become the account.
 */
#ifndef GLT_NEWREPO_H
#define GLT_NEWREPO_H

#include "account.h"
#include "cli.h"
#include "text.h"

struct glt_newrepo_made { /* in memory that the children share */
	unsigned from;    /* the first part of the path that was made, counted from 1; 0: none */
	bool by_root;     /* and root made it */
	bool repo;        /* the repository's folder */
	uint64_t id;      /* in the store; for the caller */
};

struct glt_newrepo {
	const struct glt_cli *cli;
	struct glt_account account;
	char path[GLT_PATH_MAX + 1]; /* demo/hello */
	const char *branch;
	bool protect;      /* its default branch */
	bool folders_only; /* those above the repository; its place must be free */
	int root;          /* repo_root */
	struct glt_newrepo_made *made;
};

/* Both run as root and are done by children. Exit status, after a message if not 0. */
int glt_newrepo_make(struct glt_newrepo *r);
/* Take away what was made: the repository, and the folders on the way if they are empty. */
void glt_newrepo_unmake(struct glt_newrepo *r);

#endif
