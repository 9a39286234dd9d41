/* SPDX-License-Identifier: MIT */
/*
 * A module that stands beside the one under test. authtok=TEXT sets PAM_AUTHTOK, which only a module can; show
 * puts what it finds there into PAM's environment as SEEN. It never has an opinion.
 */
#include <security/pam_modules.h>
#include <stdio.h>
#include <string.h>

int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	char seen[1024];

	(void)flags;
	for (int i = 0; i < argc; i++) {
		const void *item = NULL;
		if (strncmp(argv[i], "authtok=", 8) == 0 &&
		    pam_set_item(pamh, PAM_AUTHTOK, argv[i] + 8) != PAM_SUCCESS)
			return PAM_SYSTEM_ERR;
		if (strcmp(argv[i], "show") != 0)
			continue;
		if (pam_get_item(pamh, PAM_AUTHTOK, &item) != PAM_SUCCESS)
			return PAM_SYSTEM_ERR;
		snprintf(seen, sizeof seen, "SEEN=%s", item ? (const char *)item : "(nothing)");
		if (pam_putenv(pamh, seen) != PAM_SUCCESS)
			return PAM_SYSTEM_ERR;
	}
	return PAM_IGNORE;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_IGNORE;
}
