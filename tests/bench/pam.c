/* SPDX-License-Identifier: MIT */
/*
 * pam ROUNDS USER SECRETS NOTHING: pam_authenticate through libpam, in turn with the services bench-permit (and one
 * start of the program NOTHING, as the module starts one), bench-gltoken warm and cold, bench-unix. SECRETS is a file
 * with the token in its first line and USER's password in the second.
 */
#include "measure.h"

#include <security/pam_appl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int answer(int n, const struct pam_message **msg, struct pam_response **resp, void *secret)
{
	*resp = calloc((size_t)n, sizeof(**resp));
	if (!*resp)
		return PAM_BUF_ERR;
	for (int i = 0; i < n; i++)
		if (msg[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			(*resp)[i].resp = strdup(secret);
	return PAM_SUCCESS;
}

static void authenticate(const char *service, const char *user, char *secret)
{
	struct pam_conv conv = {answer, secret};
	pam_handle_t *h;
	int rc;

	if (pam_start(service, user, &conv, &h) != PAM_SUCCESS)
		abort();
	(void)pam_set_item(h, PAM_RHOST, "192.0.2.1");
	rc = pam_authenticate(h, 0);
	if (rc != PAM_SUCCESS) {
		fprintf(stderr, "%s: %s\n", service, pam_strerror(h, rc));
		exit(1);
	}
	(void)pam_end(h, rc);
}

static void start(char *program)
{
	char *const argv[] = {program, NULL}, *const envp[] = {NULL};
	pid_t pid;

	if (posix_spawn(&pid, program, NULL, NULL, argv, envp) != 0 || waitpid(pid, NULL, 0) != pid)
		abort();
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"permit", "warm", "cold", "unix"};
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	double *times = calloc(rounds * 4 + 1, sizeof(*times));
	char token[128] = "", password[128] = "";
	FILE *f = argc > 4 ? fopen(argv[3], "re") : NULL;

	if (!rounds || !times || !f || !fgets(token, sizeof(token), f) || !fgets(password, sizeof(password), f))
		return 2;
	(void)fclose(f);
	token[strcspn(token, "\n")] = password[strcspn(password, "\n")] = '\0';
	for (size_t i = 0; i < rounds; i++)
		for (int w = 0; w < 4; w++) {
			if (w == 1)
				authenticate("bench-gltoken", "git", token); /* into the cache */
			if (w == 2)
				(void)unlink("/run/gltoken/cache");
			double from = measure_now_us();

			if (w == 0) {
				authenticate("bench-permit", argv[2], password);
				start(argv[4]);
			} else if (w < 3) {
				authenticate("bench-gltoken", "git", token);
			} else {
				authenticate("bench-unix", argv[2], password);
			}
			times[i * 4 + (size_t)w] = measure_now_us() - from;
		}
	measure_print(times, rounds, names, 4);
	return 0;
}
