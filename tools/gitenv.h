/* SPDX-License-Identifier: MIT */
/*
 * Run git behind a decision: the same environment, umask and signals whether the client came by SSH or HTTP.
 * Nothing of the caller's own environment is passed on but what is put in here by name.
 */
#ifndef GLT_GITENV_H
#define GLT_GITENV_H

#include "repo.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct glt_gitenv {
	char *var[64]; /* NULL-terminated, for execve */
	size_t n;
	char text[16384];
	size_t used;
	unsigned configs;
	const char *directory; /* where args is run; NULL: in the repository */
	bool push;
	bool bad; /* something did not fit; sticky */
};

struct glt_gitenv_from {
	const char *via;                  /* "ssh" or "http" */
	const char *account, *home;       /* the account git runs as */
	const char *git_protocol;         /* the client's, or NULL; kept only if it is well formed */
	const struct glt_repo *repo;      /* what was opened */
	const struct glt_message *answer; /* the reply that allowed it */
	bool push;
	const char *address; /* the client's, where the answer does not have it, or NULL */
	const char *ticket;  /* for the hooks of a push; NULL otherwise */
};

/* Where the repository's own hooks are, for gltoken-hook; absent: its hooks/. */
#define GLT_HOOKS_VARIABLE "GLTOKEN_HOOKS"

/* The name under which gltoken-hook stands in for git pack-objects. */
#define GLT_PACK_HOOK "pack-objects"

/* "json" or absent, for gltoken-hook. */
#define GLT_LOG_VARIABLE "GLTOKEN_LOG"

/* What git, the hooks of GitLab and those of gitolite read. A push also gets our dispatcher as every hook, and the
 * ticket with which it asks about each ref. */
void glt_gitenv_init(struct glt_gitenv *e, const struct glt_gitenv_from *from);
/* One more variable; a NULL value adds nothing. */
void glt_gitenv_add(struct glt_gitenv *e, const char *name, const char *value);
/* One more setting for git, stronger than any file (GIT_CONFIG_COUNT). Call glt_gitenv_end() after the last. */
void glt_gitenv_config(struct glt_gitenv *e, const char *key, const char *value);
/* False: bad. */
bool glt_gitenv_end(struct glt_gitenv *e);

/* End e, enter the repository and become args: "git", found in a fixed PATH, or a program by its absolute path.
 * Returns only where that failed, with errno. */
void glt_gitenv_exec(struct glt_gitenv *e, const struct glt_repo *repo, mode_t umask_bits, char *const args[]);

/* "version=0|1|2", perhaps with more of ":key=value". */
bool glt_git_protocol_valid(const char *value);

#endif
