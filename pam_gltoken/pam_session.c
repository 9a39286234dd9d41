/* SPDX-License-Identifier: MIT */
#include "pam_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE "GLTOKEN_SESSION"
#define MARK "gltoken_checked"

const char *glt_session_get(pam_handle_t *pamh)
{
	return pam_getenv(pamh, VARIABLE);
}

bool glt_session_is_ticket(const char *value)
{
	return value && *value && strcmp(value, GLT_SESSION_NONE) != 0;
}

bool glt_session_set(pam_handle_t *pamh, const char *ticket)
{
	char *pair;

	if (asprintf(&pair, VARIABLE "=%s", ticket) < 0)
		return false;
	bool ok = pam_putenv(pamh, pair) == PAM_SUCCESS;
	explicit_bzero(pair, strlen(pair));
	free(pair);
	return ok;
}

static void drop_mark(pam_handle_t *pamh, void *data, int status)
{
	(void)pamh;
	(void)status;
	free(data);
}

bool glt_session_forget(pam_handle_t *pamh)
{
	const void *mark = NULL;

	if (pam_get_data(pamh, MARK, &mark) == PAM_SUCCESS && mark &&
	    pam_set_data(pamh, MARK, NULL, NULL) != PAM_SUCCESS)
		return false;
	/* libpam complains in the log of what is not there to be deleted. */
	return !glt_session_get(pamh) || pam_putenv(pamh, VARIABLE) == PAM_SUCCESS;
}

bool glt_session_mark(pam_handle_t *pamh, const char *user)
{
	char *mark = strdup(user);

	if (mark && pam_set_data(pamh, MARK, mark, drop_mark) == PAM_SUCCESS)
		return true;
	free(mark);
	return false;
}

bool glt_session_marked(pam_handle_t *pamh, const char *user)
{
	const void *mark = NULL;

	return user && pam_get_data(pamh, MARK, &mark) == PAM_SUCCESS && mark && strcmp(mark, user) == 0;
}

char *glt_session_key(pam_handle_t *pamh, bool *broken)
{
	static const char method[] = "publickey ";
	const char *line = pam_getenv(pamh, "SSH_AUTH_INFO_0");

	*broken = false;
	while (line && strncmp(line, method, sizeof method - 1) != 0) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!line)
		return NULL;
	line += sizeof method - 1;
	char *key = strndup(line, strcspn(line, "\n"));
	*broken = !key;
	return key;
}
