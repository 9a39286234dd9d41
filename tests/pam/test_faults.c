/* SPDX-License-Identifier: MIT */
/*
 * CVE-2025-23013 (pam-u2f): where memory or a privilege was missing, the module was ignored and the stack let people
 * in. Here the whole of each entry point runs with one call of libc and libpam failing, the first, the second, ...
 * until none is left: no refused token succeeds, nothing is ever ignored, no failure leaves a session, a descriptor, a
 * child or memory, and each refusal is said.
 */
#include "pam_host.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "leftover.h"
#include "sanitized.h"

static int calls, failing; /* since the attempt began; which of them fails */
static int because;        /* with this errno */
static const char *failed; /* what that was */
static bool in_pieces;

static bool may_pass(const char *name)
{
	if (++calls != failing)
		return true;
	failed = name;
	errno = because;
	return false;
}

#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))
#define FAILS_NOW (host_call && !host_call(__func__))

int socket(int domain, int type, int protocol)
{
	return FAILS_NOW ? -1 : REAL(socket)(domain, type, protocol);
}

int socketpair(int domain, int type, int protocol, int fds[2])
{
	return FAILS_NOW ? -1 : REAL(socketpair)(domain, type, protocol, fds);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return FAILS_NOW ? -1 : REAL(poll)(fds, n, timeout);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	return FAILS_NOW ? -1 : REAL(send)(fd, data, in_pieces ? 1 : len, flags);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
	return FAILS_NOW ? -1 : REAL(recv)(fd, data, in_pieces ? 1 : len, flags);
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	return FAILS_NOW ? -1 : REAL(waitpid)(pid, status, options);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *fa, const posix_spawnattr_t *attr,
		char *const argv[], char *const envp[])
{
	return FAILS_NOW ? because : REAL(posix_spawn)(pid, path, fa, attr, argv, envp);
}

/* pidfd_open is all that is called in this way. */
long syscall(long number, ...)
{
	va_list ap;

	va_start(ap, number);
	long a = va_arg(ap, int), b = va_arg(ap, int);
	va_end(ap);
	return FAILS_NOW ? -1 : REAL(syscall)(number, a, b);
}

int open(const char *path, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	return FAILS_NOW ? -1 : REAL(open)(path, flags, mode);
}

int shutdown(int fd, int how)
{
	return FAILS_NOW ? -1 : REAL(shutdown)(fd, how);
}

int nanosleep(const struct timespec *want, struct timespec *left)
{
	return FAILS_NOW ? -1 : REAL(nanosleep)(want, left);
}

int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *fa, int from)
{
	return FAILS_NOW ? because : REAL(posix_spawn_file_actions_addclosefrom_np)(fa, from);
}

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *fa, int from, int to)
{
	return FAILS_NOW ? because : REAL(posix_spawn_file_actions_adddup2)(fa, from, to);
}

int posix_spawnattr_init(posix_spawnattr_t *attr)
{
	return FAILS_NOW ? because : REAL(posix_spawnattr_init)(attr);
}

char *strdup(const char *text)
{
	char *(*real)(const char *) = dlsym(RTLD_NEXT, "strdup");

	return FAILS_NOW ? NULL : real(text);
}

char *strndup(const char *text, size_t n)
{
	char *(*real)(const char *, size_t) = dlsym(RTLD_NEXT, "strndup");

	return FAILS_NOW ? NULL : real(text, n);
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
	return FAILS_NOW ? -1 : REAL(connect)(fd, address, len);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	return FAILS_NOW ? -1 : REAL(getsockopt)(fd, level, name, value, len);
}

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *fa)
{
	return FAILS_NOW ? because : REAL(posix_spawn_file_actions_init)(fa);
}

int posix_spawnattr_setflags(posix_spawnattr_t *attr, short flags)
{
	return FAILS_NOW ? because : REAL(posix_spawnattr_setflags)(attr, flags);
}

int posix_spawnattr_setsigmask(posix_spawnattr_t *attr, const sigset_t *set)
{
	return FAILS_NOW ? because : REAL(posix_spawnattr_setsigmask)(attr, set);
}

int posix_spawnattr_setsigdefault(posix_spawnattr_t *attr, const sigset_t *set)
{
	return FAILS_NOW ? because : REAL(posix_spawnattr_setsigdefault)(attr, set);
}

int pam_set_item(pam_handle_t *pamh, int type, const void *item)
{
	return FAILS_NOW ? PAM_BUF_ERR : REAL(pam_set_item)(pamh, type, item);
}

int pam_get_item(const pam_handle_t *pamh, int type, const void **item)
{
	return FAILS_NOW ? PAM_SYSTEM_ERR : REAL(pam_get_item)(pamh, type, item);
}

int pam_get_data(const pam_handle_t *pamh, const char *name, const void **data);
int pam_get_data(const pam_handle_t *pamh, const char *name, const void **data)
{
	return FAILS_NOW ? PAM_SYSTEM_ERR : REAL(pam_get_data)(pamh, name, data);
}

/* AddressSanitizer's own are not to be put behind others. */
#ifndef SANITIZED
void *__libc_malloc(size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *block);

void *malloc(size_t size)
{
	void *block = FAILS_NOW ? NULL : __libc_malloc(size);

	host_blocks += block != NULL;
	return block;
}

void *realloc(void *old, size_t size)
{
	void *block = FAILS_NOW ? NULL : __libc_realloc(old, size);

	host_blocks += block && !old;
	return block;
}

void free(void *block)
{
	host_blocks -= block != NULL;
	__libc_free(block);
}
#endif

/* ---- the attempts ---- */

typedef int entry(pam_handle_t *pamh, int flags);

/* Where the call that fails is the one that takes the helper away, it stays; nothing else may. */
static void take_children(void)
{
	bool left = false;

	while (waitpid(-1, NULL, 0) > 0)
		left = true;
	if (left && strcmp(failed, "waitpid") != 0)
		fail_msg("a child is left where call %d, %s, fails", failing, failed);
}

/* A refusal is said, and nothing that was refused is said to be allowed. PAM_SYSTEM_ERR is libpam's own, whose audit
 * record is written behind the module. */
static void check_log(int code)
{
	const char *last = NULL;

	for (const char *p = host_log; (p = strstr(p, "decision=")); p++)
		last = p;
	if (code != PAM_SUCCESS && host_log_lines() == 0)
		fail_msg("nothing is said where call %d, %s, fails", failing, failed);
	if (code != PAM_SUCCESS && code != PAM_SYSTEM_ERR && last && strncmp(last, "decision=allow", 14) == 0)
		fail_msg("code %d, said to be allowed, where call %d, %s, fails", code, failing, failed);
}

static int attempt(const char *service, entry *run, const char *answer, const char *session, char held[64])
{
	struct host h;
	long blocks = host_blocks;
	int fds = open_fds();

	failed = "none";
	host_open(&h, service, "git");
	h.answer = answer;
	if (session)
		host_preset(&h, session);
	calls = 0;
	host_call = may_pass;
	int code = run(h.pamh, 0);
	host_call = NULL;
	const char *now = host_session(&h);
	snprintf(held, 64, "%s", now ? now : "");
	host_close(&h);
	take_children();
	check_log(code);
	if (open_fds() != fds)
		fail_msg("%d descriptors are left where call %d, %s, fails", open_fds() - fds, failing, failed);
	if (failing > 0 && host_blocks != blocks) /* the first loads the module, for good */
		fail_msg("%ld blocks of memory are left where call %d, %s, fails", host_blocks - blocks, failing,
			 failed);
	return code;
}

/* With each call failing in turn. The last attempt, in which none did, must have this code. */
static void each_call_fails(const char *service, entry *run, const char *answer, const char *session, int last)
{
	static const int errors[] = {ENOMEM, EMFILE, EPERM, EINTR, EAGAIN};
	char held[64];

	failing = 0;
	attempt(service, run, answer, session, held);

	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		int code = PAM_SYSTEM_ERR;

		because = errors[i];
		for (failing = 1; failing < 400; failing++) {
			code = attempt(service, run, answer, session, held);
			if (calls < failing)
				break;
			if (code == PAM_CRED_EXPIRED) /* what stands behind a module that ignores */
				fail_msg("ignored where call %d, %s, fails: %s", failing, failed,
					 strerror(because));
			if (last != PAM_SUCCESS && code == PAM_SUCCESS)
				fail_msg("success where call %d, %s, fails: %s", failing, failed,
					 strerror(because));
			/* PAM_SYSTEM_ERR is libpam's own, whose audit record is written behind the module. */
			if (run == pam_authenticate && code != PAM_SYSTEM_ERR && code != PAM_SUCCESS && held[0] &&
			    strcmp(held, "stale") != 0)
				fail_msg("code %d and session '%s' where call %d, %s, fails", code, held, failing,
					 failed);
			if (run == pam_open_session && code == PAM_SUCCESS && strcmp(held, "stale") == 0)
				fail_msg("the client's own session counts where call %d, %s, fails", failing,
					 failed);
		}
		assert_true(failing > 8 && failing < 400);
		assert_int_equal(code, last);
	}
}

static void cve_2025_23013_authenticate(void **state)
{
	(void)state;
	each_call_fails("sshd-git", pam_authenticate, "deny:revoked", "GLTOKEN_SESSION=stale", PAM_AUTH_ERR);
	each_call_fails("sshd-git", pam_authenticate, "no-verdict", "GLTOKEN_SESSION=stale", PAM_AUTHINFO_UNAVAIL);
	each_call_fails("sshd-git", pam_authenticate, "allow:v1.ticket", "GLTOKEN_SESSION=stale", PAM_SUCCESS);
	each_call_fails("web", pam_authenticate, "deny:wrong_secret", NULL, PAM_AUTH_ERR);
	each_call_fails("web", pam_authenticate, "allow", NULL, PAM_SUCCESS);
}

/* As much as a call may do is a byte. */
static void answers_in_small_pieces(void **state)
{
	char held[64];

	(void)state;
	failing = 0;
	in_pieces = true;
	assert_int_equal(attempt("sshd-git", pam_authenticate, "allow:v1.ticket", NULL, held), PAM_SUCCESS);
	assert_string_equal(held, "v1.ticket");
	assert_int_equal(attempt("sshd-git", pam_authenticate, "deny:revoked", NULL, held), PAM_AUTH_ERR);
	assert_int_equal(attempt("sshd-git", pam_authenticate, "half-line", NULL, held), PAM_AUTHINFO_UNAVAIL);
	in_pieces = false;
}

static void cve_2025_23013_account(void **state)
{
	(void)state;
	each_call_fails("sshd-git", pam_acct_mgmt, "", "GLTOKEN_SESSION=v1.ticket", PAM_PERM_DENIED);
}

static void cve_2025_23013_session(void **state)
{
	(void)state;
	each_call_fails("sshd-git", pam_open_session, "", "GLTOKEN_SESSION=stale", PAM_SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cve_2025_23013_authenticate),
		cmocka_unit_test(cve_2025_23013_account),
		cmocka_unit_test(cve_2025_23013_session),
		cmocka_unit_test(answers_in_small_pieces),
	};

	return cmocka_run_group_tests_name("faults", tests, host_begin, host_end);
}
