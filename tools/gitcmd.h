/* SPDX-License-Identifier: MIT */
/*
 * What a Git client asks for over SSH: one string, in, one of five kinds out. A pure function of its input;
 * nothing here opens, allocates or looks at the environment.
 */
#ifndef GLT_GITCMD_H
#define GLT_GITCMD_H

#include "status.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>

#define GLT_GITCMD_MAX 4096

enum glt_gitcmd_kind {
	GLT_GITCMD_OTHER, /* nothing that is served */
	GLT_GITCMD_EMPTY, /* no command */
	GLT_GITCMD_GIT,   /* program, push and path are set */
	GLT_GITCMD_LFS, /* Git LFS wants to talk to its server: as GIT, and lfs; where path is empty, err says why */
	GLT_GITCMD_INVALID, /* a Git command whose argument breaks a rule; err says which */
};

struct glt_gitcmd {
	enum glt_gitcmd_kind kind;
	const char *program; /* git's subcommand: "upload-pack", "receive-pack" or "upload-archive"; "lfs-transfer" or "lfs-authenticate" */
	bool push;                   /* the command changes the repository */
	char path[GLT_PATH_MAX + 1]; /* the project, as glt_path_normalise() gives it */
	const char *lfs;             /* "download", "upload" or "lock" */
	struct glt_err err;
};

/* text[len] needs no terminator; NULL is no command. */
void glt_gitcmd_parse(const char *text, size_t len, struct glt_gitcmd *out);

/* Is the command gltoken-shell itself, bare or by an absolute path, and nothing else? Then sshd started the
 * login shell for a ForceCommand, and what the client wants is in SSH_ORIGINAL_COMMAND. */
bool glt_gitcmd_is_shell(const char *text);

#endif
