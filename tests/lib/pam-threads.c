/* SPDX-License-Identifier: MIT */
/*
 * pam-threads SERVICE ACCOUNT THREADS: whole logins, from pam_start to pam_end, by the real libpam and the installed
 * stack in so many threads at once. A line of standard input is "SECRET CODE ID": what is presented, what authenticate
 * must return, and whose ticket the session must then have. Each thread tries each line, each begins with another.
 * Prints how many logins there were and what was wrong; exit status 1 if anything was.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>

enum { LINES = 64, THREADS = 256 };

static struct line {
	char secret[200];
	int code;
	char id[24];
} lines[LINES];
static int n_lines;
static const char *service, *account;
static pthread_barrier_t barrier;
static atomic_int logins, wrong;

static int converse(int n, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	const struct line *line = data;

	*responses = calloc((size_t)n, sizeof **responses);
	for (int i = 0; *responses && i < n; i++)
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			(*responses)[i].resp = strdup(line->secret);
	return *responses ? PAM_SUCCESS : PAM_BUF_ERR;
}

static void complain(const struct line *line, const char *what, int code)
{
	atomic_fetch_add(&wrong, 1);
	(void)fprintf(stderr, "token %s: %s: %d\n", line->id, what, code);
}

static int is_ticket_of(const char *ticket, const char *id)
{
	size_t len = strlen(id);

	return ticket && strncmp(ticket, "v1.t.", 5) == 0 && strncmp(ticket + 5, id, len) == 0 &&
	       ticket[5 + len] == '.';
}

static void go_in(pam_handle_t *pamh, const struct line *line)
{
	int code;

	if (!is_ticket_of(pam_getenv(pamh, "GLTOKEN_SESSION"), line->id))
		complain(line, "the ticket is another's", 0);
	if ((code = pam_acct_mgmt(pamh, 0)) != PAM_SUCCESS)
		complain(line, "account", code);
	if ((code = pam_open_session(pamh, 0)) != PAM_SUCCESS)
		complain(line, "open_session", code);
	if (!is_ticket_of(pam_getenv(pamh, "GLTOKEN_SESSION"), line->id))
		complain(line, "the session is another's", 0);
	if ((code = pam_close_session(pamh, 0)) != PAM_SUCCESS)
		complain(line, "close_session", code);
}

static void login(struct line *line)
{
	const struct pam_conv conv = {.conv = converse, .appdata_ptr = line};
	pam_handle_t *pamh;

	if (pam_start(service, account, &conv, &pamh) != PAM_SUCCESS ||
	    pam_set_item(pamh, PAM_RHOST, "192.0.2.1") != PAM_SUCCESS)
		abort();
	int code = pam_authenticate(pamh, 0);
	if (code != line->code)
		complain(line, "authenticate", code);
	else if (code == PAM_SUCCESS)
		go_in(pamh, line);
	else if (pam_getenv(pamh, "GLTOKEN_SESSION"))
		complain(line, "refused, with a session", code);
	if (pam_end(pamh, code) != PAM_SUCCESS)
		abort();
	atomic_fetch_add(&logins, 1);
}

static void *thread(void *first)
{
	(void)pthread_barrier_wait(&barrier);
	for (int i = 0; i < n_lines; i++)
		login(&lines[((int)(size_t)first + i) % n_lines]);
	return NULL;
}

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	static pthread_t threads[THREADS];
	int n = argc > 3 ? atoi(argv[3]) : 0;

	openlog(NULL, LOG_NDELAY, LOG_AUTHPRIV); /* libc keeps that one */
	int before = open_fds();

	while (n_lines < LINES &&
	       scanf("%199s %d %23s", lines[n_lines].secret, &lines[n_lines].code, lines[n_lines].id) == 3)
		n_lines++;
	if (n < 1 || n > THREADS || n_lines == 0)
		return 2;
	service = argv[1];
	account = argv[2];
	if (pthread_barrier_init(&barrier, NULL, (unsigned)n) != 0)
		return 2;
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, thread, (void *)(size_t)i) != 0)
			abort();
	for (int i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	int left = open_fds() - before, child = waitpid(-1, NULL, WNOHANG);
	printf("%d logins, %d wrong, %d descriptors left, %s child left\n", logins, wrong, left,
	       child == -1 && errno == ECHILD ? "no" : "a");
	return wrong == 0 && left == 0 && child == -1 ? 0 : 1;
}
