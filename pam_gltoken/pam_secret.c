/* SPDX-License-Identifier: MIT */
#include "pam_secret.h"

#include <stdlib.h>
#include <string.h>

/* What glibc calls lazily saves the vector registers, and with them the end of a secret that was copied, below our frames. */
__attribute__((noinline)) static void wipe_dead_stack(void)
{
	unsigned char below[8192];

	explicit_bzero(below, sizeof below);
}

void glt_secret_free(char *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	wipe_dead_stack();
	free(secret);
}

/* libpam's own prompt functions log, and turn a missing answer into an empty one. */
static int prompt(pam_handle_t *pamh, const char *text, char **secret)
{
	const void *item = NULL;

	if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || !item)
		return PAM_CONV_ERR;
	const struct pam_conv *conv = item;
	if (!conv->conv)
		return PAM_CONV_ERR;

	const struct pam_message message = {.msg_style = PAM_PROMPT_ECHO_OFF, .msg = text};
	const struct pam_message *messages = &message;
	struct pam_response *response = NULL;
	int status = conv->conv(1, &messages, &response, conv->appdata_ptr);
	if (!response)
		return PAM_CONV_ERR;
	char *answer = response->resp;
	free(response);
	if (status != PAM_SUCCESS || !answer) {
		glt_secret_free(answer);
		return PAM_CONV_ERR;
	}
	*secret = answer;
	return PAM_SUCCESS;
}

int glt_secret_get(pam_handle_t *pamh, const struct glt_pam_args *args, char **secret)
{
	const void *first = NULL;

	*secret = NULL;
	if (args->use_first_pass || args->try_first_pass) {
		if (pam_get_item(pamh, PAM_AUTHTOK, &first) != PAM_SUCCESS)
			return PAM_AUTH_ERR;
		if (!first && args->use_first_pass)
			return PAM_AUTH_ERR;
	}
	if (first) {
		*secret = strdup(first);
		if (!*secret)
			return PAM_BUF_ERR;
	} else {
		int status = prompt(pamh, args->prompt, secret);
		if (status != PAM_SUCCESS)
			return status;
	}
	if (**secret)
		return PAM_SUCCESS;
	glt_secret_free(*secret);
	*secret = NULL;
	return PAM_AUTH_ERR;
}

/* sshd repeats the string up to the length of what the client sent. */
static bool sshd_junk(const char *secret)
{
	static const char junk[] = "\b\n\r\177INCORRECT";

	for (size_t i = 0; secret[i]; i++)
		if (secret[i] != junk[i % (sizeof junk - 1)])
			return false;
	return true;
}

enum glt_secret_kind glt_secret_kind(const char *secret)
{
	if (sshd_junk(secret))
		return GLT_SECRET_SSHD_JUNK;
	if (strnlen(secret, PAM_MAX_RESP_SIZE + 1) > PAM_MAX_RESP_SIZE)
		return GLT_SECRET_NO_TOKEN;
	for (const char *p = secret; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return GLT_SECRET_NO_TOKEN;
	return GLT_SECRET_MAYBE;
}

bool glt_secret_leave(pam_handle_t *pamh, const char *secret)
{
	return pam_set_item(pamh, PAM_AUTHTOK, secret) == PAM_SUCCESS;
}
