/* SPDX-License-Identifier: MIT */
/* The secret of a login: where it comes from, and what can be said of it without asking anybody. */
#ifndef GLT_PAM_SECRET_H
#define GLT_PAM_SECRET_H

#include "pam_args.h"

enum glt_secret_kind {
	GLT_SECRET_MAYBE,     /* only gltoken-auth can tell */
	GLT_SECRET_NO_TOKEN,  /* too long, or holds a control character */
	GLT_SECRET_SSHD_JUNK, /* what sshd sends in place of the password for an account that it does not admit */
};

/* PAM_AUTHTOK or one prompt, as the arguments say. PAM_SUCCESS: *secret is a copy for glt_secret_free().
 * PAM_AUTH_ERR: none or an empty one was given. PAM_CONV_ERR: the prompt was not answered. */
int glt_secret_get(pam_handle_t *pamh, const struct glt_pam_args *args, char **secret);

enum glt_secret_kind glt_secret_kind(const char *secret);

/* Leave secret (NULL: nothing) to the modules that follow. */
bool glt_secret_leave(pam_handle_t *pamh, const char *secret);

void glt_secret_free(char *secret); /* wipes; NULL is allowed */

#endif
