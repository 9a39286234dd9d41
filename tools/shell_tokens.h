/* SPDX-License-Identifier: MIT */
/*
 * The commands of gltoken-shell that are about tokens: personal_access_token, as gitlab-shell has it, and its
 * relatives. Each is one or two questions to gltoken-auth, which decides, does and keeps the record; here
 * arguments are read and replies are printed.
 */
#ifndef GLT_SHELL_TOKENS_H
#define GLT_SHELL_TOKENS_H

#include <stdbool.h>

struct glt_shell_session {
	const char *ticket;
	const char *account; /* whose process this is */
	const char *repo_root;
};

/* Is the command one of these, whatever follows its name? */
bool glt_shell_tokens_knows(const char *command);
/* Run one that is. Returns the exit status. */
int glt_shell_tokens(const struct glt_shell_session *session, const char *command);

#endif
