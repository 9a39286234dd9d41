/* SPDX-License-Identifier: MIT */
/* The module's arguments, as the service file gives them. */
#ifndef GLT_PAM_ARGS_H
#define GLT_PAM_ARGS_H

#include <security/pam_modules.h>
#include <stdbool.h>

/* All strings are borrowed from argv. */
struct glt_pam_args {
	const char *services; /* comma list: PAM services for which tokens count */
	const char *service;  /* the name that gltoken-auth is told; NULL: derived from PAM's */
	const char *scope;    /* NULL: none asked for by name */
	const char *prompt;
	bool nosession;
	bool use_first_pass;
	bool try_first_pass;
	bool require_token;
	bool debug;
};

/* False: an argument is unknown or empty; it has been logged. *args is then as far as it was read. */
bool glt_pam_args_parse(pam_handle_t *pamh, int argc, const char **argv, struct glt_pam_args *args);

/* Is service (PAM_SERVICE) one of args->services? */
bool glt_pam_args_serve(const struct glt_pam_args *args, const char *service);

/* What gltoken-auth is told for PAM_SERVICE service. */
const char *glt_pam_args_label(const struct glt_pam_args *args, const char *service);

#endif
