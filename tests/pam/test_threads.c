/* SPDX-License-Identifier: MIT */
/*
 * A host with threads, as web servers with a PAM module are: whole logins in 64 of them at once, whatever the host does
 * with its children, and one that forks while others are in the middle of a login.
 */
#include "pam_host.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "leftover.h"

enum { THREADS = 64, HELD = 24 };

static pthread_barrier_t barrier;
static atomic_int wrong, running;

/* What is presented, what authenticate returns, and what its one line in the log has. */
static const struct attempt {
	const char *secret;
	int code;
	const char *logged;
} attempts[] = {
	{"allow:allow:v1", PAM_SUCCESS, "decision=allow reason=ok"},
	{"deny:wrong_secret", PAM_AUTH_ERR, "decision=deny reason=wrong_secret"},
	{"deny:expired", PAM_AUTH_ERR, "decision=deny reason=expired"},
	{"allow:allow:v1", PAM_SUCCESS, "decision=allow reason=ok"},
	{"deny:busy", PAM_AUTHINFO_UNAVAIL, "decision=deny reason=busy"},
	{"password", PAM_USER_UNKNOWN, "decision=deny reason=not_a_token"},
	{"no-verdict", PAM_AUTHINFO_UNAVAIL, "decision=deny reason=no_answer"},
	{"killed-before", PAM_AUTHINFO_UNAVAIL, "decision=deny reason=no_answer"},
	{"length:32768", PAM_AUTHINFO_UNAVAIL, "decision=deny reason=no_ticket"},
	{"", PAM_AUTH_ERR, "decision=deny reason=no_secret"},
};

static void complain(const char *secret, const char *what, int code)
{
	atomic_fetch_add(&wrong, 1);
	fprintf(stderr, "%s: %s: %d\n%s", secret, what, code, host_log);
}

/* The rest of a login that authenticate let in, which must have this ticket from beginning to end. */
static void go_in(struct host *h, const char *secret, const char *ticket)
{
	const char *held = host_session(h);
	int code;

	if (!held || strcmp(held, ticket) != 0)
		complain(secret, held ? held : "no ticket", 0);
	if ((code = pam_acct_mgmt(h->pamh, 0)) != PAM_SUCCESS)
		complain(secret, "account", code);
	if ((code = pam_open_session(h->pamh, 0)) != PAM_SUCCESS)
		complain(secret, "session", code);
	held = host_session(h);
	if (!held || strcmp(held, ticket) != 0)
		complain(secret, held ? held : "no session", 0);
}

/* name is this login's own: its account, and the end of its ticket. */
static void finish(struct host *h, const struct attempt *a, const char *name, const char *prefix)
{
	char secret[96], account[32];

	snprintf(secret, sizeof secret, "%s%s%s", prefix, a->secret, a->code == PAM_SUCCESS ? name : "");
	snprintf(account, sizeof account, "account=%s ", name);
	h->answer = secret;
	int code = pam_authenticate(h->pamh, 0);
	if (code != a->code)
		complain(secret, "authenticate", code);
	if (host_log_lines() != 1 || !strstr(host_log, a->logged) || !strstr(host_log, account))
		complain(secret, "not one line in the log, of its own", host_log_lines());
	if (code == PAM_SUCCESS)
		go_in(h, secret, secret + strlen(prefix) + strlen("allow:"));
	else if (host_session(h))
		complain(secret, "a refused login has a session", code);
	host_close(h);
}

static void *log_in(void *arg)
{
	const size_t n = sizeof attempts / sizeof *attempts, first = (size_t)arg;
	struct host h;
	char name[16];

	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof name, "u%zu-%zu", first, i);
		host_open(&h, "sshd-git", name);
		finish(&h, &attempts[(first + i) % n], name, "");
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static pthread_t threads[THREADS];

static void start(int n, void *(*run)(void *))
{
	atomic_store(&wrong, 0);
	atomic_store(&running, n);
	assert_int_equal(pthread_barrier_init(&barrier, NULL, (unsigned)n), 0);
	for (intptr_t i = 0; i < n; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, (void *)i), 0);
}

static void join(int n)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	pthread_barrier_destroy(&barrier);
	assert_int_equal(atomic_load(&wrong), 0);
}

static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void reap_all(int sig)
{
	int saved = errno;

	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = saved;
}

static void all_at_once(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old, now;
	int before = open_fds();

	sigaction(SIGCHLD, &action, &old);
	start(THREADS, log_in);
	join(THREADS);
	sigaction(SIGCHLD, &old, &now);
	assert_true(now.sa_handler == handler);
	assert_int_equal(open_fds(), before);
	assert_no_child();
}

static void logins_in_64_threads(void **state)
{
	(void)state;
	all_at_once(SIG_DFL);
}

static void logins_in_64_threads_of_a_host_that_ignores_its_children(void **state)
{
	(void)state;
	all_at_once(SIG_IGN);
}

static void logins_in_64_threads_of_a_host_that_reaps_every_child(void **state)
{
	(void)state;
	all_at_once(reap_all);
}

/* ---- fork ---- */

static bool is_ours(int fd, const char *target)
{
	int domain;
	socklen_t len = sizeof domain;

	if (strncmp(target, "socket:", 7) == 0) /* libaudit's, behind libpam, are of another domain, and inherited */
		return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
	return strcmp(target, "anon_inode:[pidfd]") == 0 || strcmp(target, "/dev/null") == 0;
}

/* Descriptors such as the module opens, which a program that the host starts must not have. */
static int inherited(void)
{
	char path[32], target[64];
	int n = 0;

	for (int fd = 3; fd < 1024; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t len = readlink(path, target, sizeof target - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		n += is_ours(fd, target);
	}
	return n;
}

static pid_t fork_and_exec(void)
{
	static char self[] = "/proc/self/exe", name[] = "inherited";
	char *const argv[] = {name, NULL};
	pid_t pid = fork();

	if (pid == 0) {
		execv(self, argv);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

static int exit_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* At whatever moment the threads are in. */
static void host_forks_all_the_time(void **state)
{
	int before = open_fds(), usual = exit_of(fork_and_exec()), forks = 0;

	(void)state;
	start(THREADS, log_in);
	while (atomic_load(&running) > 0) {
		assert_int_equal(exit_of(fork_and_exec()), usual);
		forks++;
	}
	join(THREADS);
	assert_true(forks > 0);
	assert_int_equal(open_fds(), before);
	assert_no_child();
}

static void *log_in_held(void *arg)
{
	struct host h;
	char name[16];

	snprintf(name, sizeof name, "u%d", (int)(intptr_t)arg);
	host_open(&h, "sshd-git", name);
	pthread_barrier_wait(&barrier);
	finish(&h, &attempts[(intptr_t)arg % 5], name, "hold:");
	return NULL;
}

static void await_questions(int n)
{
	int seen = 0;

	for (int i = 0; i < 30000 && seen < n; i++) {
		seen = 0;
		for (const char *p = host_asked(); (p = strstr(p, "verb=verify")); p++)
			seen++;
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
	assert_int_equal(seen, n);
}

/* In a child of a host whose threads are all in the middle of a login: 0, or what was wrong. */
static int log_in_once(void)
{
	struct host h;

	atomic_store(&wrong, 0);
	host_open(&h, "sshd-git", "child");
	finish(&h, &attempts[0], "child", "");
	host_open(&h, "sshd-git", "child");
	finish(&h, &attempts[1], "child", "");
	return atomic_load(&wrong);
}

static pid_t fork_and(bool logs_in)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	alarm(60);
	if (logs_in)
		_exit(log_in_once());
	pause();
	_exit(1);
}

static void host_forks_in_the_middle_of_logins(void **state)
{
	int before = open_fds(), usual = exit_of(fork_and_exec());

	(void)state;
	start(HELD, log_in_held);
	await_questions(HELD);
	pid_t stays = fork_and(false);
	assert_int_equal(exit_of(fork_and(true)), 0);
	assert_int_equal(exit_of(fork_and_exec()), usual);
	assert_int_equal(close(open("go", O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
	join(HELD);
	assert_int_equal(unlink("go"), 0);
	kill(stays, SIGKILL);
	assert_int_equal(waitpid(stays, NULL, 0), stays);
	assert_int_equal(open_fds(), before);
	assert_no_child();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logins_in_64_threads),
		cmocka_unit_test(logins_in_64_threads_of_a_host_that_ignores_its_children),
		cmocka_unit_test(logins_in_64_threads_of_a_host_that_reaps_every_child),
		cmocka_unit_test(host_forks_in_the_middle_of_logins),
		cmocka_unit_test(host_forks_all_the_time),
	};

	if (argc > 0 && strcmp(argv[0], "inherited") == 0)
		return inherited();
	return cmocka_run_group_tests_name("threads", tests, host_begin, host_end);
}
