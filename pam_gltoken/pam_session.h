/* SPDX-License-Identifier: MIT */
/* What a login leaves behind: GLTOKEN_SESSION in PAM's environment, and a mark for services without sessions. */
#ifndef GLT_PAM_SESSION_H
#define GLT_PAM_SESSION_H

#include <security/pam_modules.h>
#include <stdbool.h>

/* A session that has no ticket and gets none. */
#define GLT_SESSION_NONE "none"

/* Ticket, GLT_SESSION_NONE, or NULL where no phase has set any; borrowed until the next set or forget. */
const char *glt_session_get(pam_handle_t *pamh);
bool glt_session_set(pam_handle_t *pamh, const char *ticket);
bool glt_session_forget(pam_handle_t *pamh);   /* the mark as well */
bool glt_session_is_ticket(const char *value); /* neither NULL, empty nor "none" */

/* With nosession: user was allowed by this very handle. sshd's keyboard-interactive loses the mark with the child
 * that made it, which denies. */
bool glt_session_mark(pam_handle_t *pamh, const char *user);
bool glt_session_marked(pam_handle_t *pamh, const char *user);

/* The first public key of SSH_AUTH_INFO_0 as "TYPE BASE64", or NULL: there is none, or (*broken) no memory.
 * Freed by the caller. */
char *glt_session_key(pam_handle_t *pamh, bool *broken);

#endif
