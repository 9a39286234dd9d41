/* SPDX-License-Identifier: MIT */
/*
 * pam-login SERVICE ACCOUNT [hold]: log in as sshd does, by the real libpam and the installed stack, with the secret on
 * standard input. Exit status: 0 in, 1 refused, 2 trouble. With "hold" it waits behind authenticate, so that somebody
 * can look at its memory; the secret itself is wiped as sshd wipes its own.
 */
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char secret[1024];

static int converse(int n, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	(void)data;
	*responses = calloc((size_t)n, sizeof **responses);
	for (int i = 0; *responses && i < n; i++)
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			(*responses)[i].resp = strdup(secret);
	return *responses ? PAM_SUCCESS : PAM_BUF_ERR;
}

int main(int argc, char **argv)
{
	const struct pam_conv conv = {.conv = converse};
	pam_handle_t *pamh;
	ssize_t n = read(STDIN_FILENO, secret, sizeof secret - 1);

	if (argc < 3 || n < 0 || pam_start(argv[1], argv[2], &conv, &pamh) != PAM_SUCCESS)
		return 2;
	secret[strcspn(secret, "\n")] = '\0';
	int code = pam_set_item(pamh, PAM_RHOST, "192.0.2.1");
	if (code == PAM_SUCCESS)
		code = pam_authenticate(pamh, 0);
	explicit_bzero(secret, sizeof secret);
	if (argc > 3) {
		(void)dprintf(STDOUT_FILENO, "%s\n", code == PAM_SUCCESS ? "in" : "refused");
		(void)pause();
	}
	if (code == PAM_SUCCESS)
		code = pam_acct_mgmt(pamh, 0);
	puts(pam_strerror(pamh, code));
	(void)pam_end(pamh, code);
	return code == PAM_SUCCESS ? 0 : code == PAM_AUTHINFO_UNAVAIL || code == PAM_SYSTEM_ERR ? 2 : 1;
}
