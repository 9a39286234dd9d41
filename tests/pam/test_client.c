/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "leftover.h"
#include "sandbox.h"

#include <cmocka.h>

static struct glt_message request, reply;
static char why[256];

static enum glt_outcome ask_as(const char *order, const char *account)
{
	glt_message_init(&request);
	glt_message_add(&request, "verb", "test");
	glt_message_add(&request, "do", order);
	glt_message_add(&request, "account", account);
	return glt_client_ask(&request, &reply, why, sizeof why);
}

static enum glt_outcome ask(const char *order)
{
	return ask_as(order, "git");
}

static bool slow_host;    /* comes back from posix_spawn only when the child has ended */
static bool forking_host; /* forks while the child starts */
static pid_t forked[8];   /* those live on, with all that was open */
static unsigned long n_forked;

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	__typeof__(&posix_spawn) real = dlsym(RTLD_NEXT, "posix_spawn");
	siginfo_t info;

	if (forking_host) {
		assert_true(n_forked < sizeof forked / sizeof *forked);
		forked[n_forked] = fork();
		if (forked[n_forked] == 0) {
			alarm(60);
			pause();
			_exit(1);
		}
		assert_true(forked[n_forked++] > 0);
	}
	int err = real(pid, path, actions, attributes, argv, envp);
	if (!err && slow_host)
		waitid(P_PID, (id_t)*pid, &info, WEXITED | WNOWAIT);
	return err;
}

static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void allow_and_deny(void **state)
{
	(void)state;
	assert_int_equal(ask("allow:v1.ticket"), GLT_ALLOW);
	assert_string_equal(why, "");
	assert_string_equal(glt_message_get(&reply, "ticket"), "v1.ticket");
	assert_string_equal(glt_message_get(&reply, "account"), "git");
	assert_wiped(&request);

	assert_int_equal(ask("deny:revoked"), GLT_DENY);
	assert_string_equal(why, "");
	assert_string_equal(glt_message_get(&reply, "reason"), "revoked");
	assert_wiped(&request);
	assert_no_child();
}

static void anything_but_a_whole_answer_is_a_failure(void **state)
{
	static const char *const orders[] = {
		"nothing",   "half-line",    "no-newline",      "no-verdict",     "after-line", "after-byte",
		"twice",     "deny-allow",   "unknown-verdict", "verdict-prefix", "upper-key",  "no-equals",
		"empty-key", "repeated-key", "control",         "carriage",       "prose",
	};

	(void)state;
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		if (ask(orders[i]) != GLT_FAILED)
			fail_msg("%s was taken for an answer", orders[i]);
		assert_string_equal(why, "gltoken-auth gave no complete answer");
		assert_wiped(&request);
		assert_wiped(&reply);
	}
	assert_no_child();
}

static void size_of_an_answer(void **state)
{
	(void)state;
	assert_int_equal(ask("length:32768"), GLT_ALLOW);
	assert_int_equal(reply.len, GLT_WIRE_REPLY_MAX);
	assert_int_equal(ask("length:32769"), GLT_FAILED);
	assert_non_null(strstr(why, "too long"));
	assert_wiped(&reply);
	assert_int_equal(ask("megabyte"), GLT_FAILED);
	assert_non_null(strstr(why, "too long"));
	assert_wiped(&reply);
}

static void size_of_a_request(void **state)
{
	static char big[GLT_WIRE_REQUEST_MAX];

	(void)state;
	memset(big, 'a', sizeof big);
	for (int over = 0; over < 2; over++) {
		glt_message_init(&request);
		glt_message_add(&request, "do", "allow");
		/* one byte is the empty line's */
		big[GLT_WIRE_REQUEST_MAX - 1 + (size_t)over - request.len - strlen("pad=\n")] = '\0';
		glt_message_add(&request, "pad", big);
		assert_int_equal(request.len, GLT_WIRE_REQUEST_MAX - 1 + over);
		assert_int_equal(glt_client_ask(&request, &reply, why, sizeof why), over ? GLT_FAILED : GLT_ALLOW);
		assert_wiped(&request);
		memset(big, 'a', sizeof big);
	}
	assert_non_null(strstr(why, "too long"));
}

static void unusable_requests_reach_nobody(void **state)
{
	(void)state;
	assert_int_equal(close(open("asked", O_CREAT | O_WRONLY, 0600)), 0);

	glt_message_init(&request);
	assert_int_equal(glt_client_ask(&request, &reply, why, sizeof why), GLT_FAILED);
	assert_int_equal(ask_as("allow", "a\nverdict=allow"), GLT_FAILED);
	assert_non_null(strstr(why, "control character"));

	struct stat st;
	assert_int_equal(stat("asked", &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(ask("allow"), GLT_ALLOW);
	assert_int_equal(stat("asked", &st), 0);
	assert_true(st.st_size > 0);
	assert_int_equal(unlink("asked"), 0);
}

static void why_may_be_short_or_absent(void **state)
{
	char small[8];

	(void)state;
	glt_message_init(&request);
	glt_message_add(&request, "do", "nothing");
	assert_int_equal(glt_client_ask(&request, &reply, small, sizeof small), GLT_FAILED);
	assert_string_equal(small, "gltoken");
	glt_message_init(&request);
	glt_message_add(&request, "do", "nothing");
	assert_int_equal(glt_client_ask(&request, &reply, NULL, 0), GLT_FAILED);
}

static void missing_or_not_permitted(void **state)
{
	int before = open_fds();

	(void)state;
	assert_int_equal(rename("gltoken-auth", "away"), 0);
	assert_int_equal(ask("allow"), GLT_FAILED);
	assert_string_equal(why, GLT_HELPER " is missing");
	assert_wiped(&request);

	int fd = open("gltoken-auth", O_CREAT | O_WRONLY, 0644);
	assert_true(fd >= 0);
	assert_int_equal(ask("allow"), GLT_FAILED);
	assert_string_equal(why, "not permitted to run " GLT_HELPER ": is the caller in group gltoken?");

	assert_int_equal(write(fd, "rubbish\n", 8), 8);
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
	assert_int_equal(ask("allow"), GLT_FAILED);
	assert_string_equal(why, "cannot run " GLT_HELPER ": Exec format error");

	assert_int_equal(rename("away", "gltoken-auth"), 0);
	assert_int_equal(ask("allow"), GLT_ALLOW);
	assert_int_equal(open_fds(), before);
	assert_no_child();
}

static void ended_by_a_signal(void **state)
{
	(void)state;
	assert_int_equal(ask("killed-before"), GLT_FAILED);
	assert_string_equal(why, "gltoken-auth was ended by signal 9");
	assert_int_equal(ask("killed-after"), GLT_FAILED);
	assert_string_equal(why, "gltoken-auth was ended by signal 9");
	assert_wiped(&reply);
	assert_no_child();
}

static void an_answer_counts_though_its_process_lingers(void **state)
{
	(void)state;
	assert_int_equal(ask("linger"), GLT_ALLOW);
	assert_no_child();
}

/* As one without privilege does; the host's SIGPIPE is at its default. */
static void an_answer_counts_though_nothing_was_read(void **state)
{
	struct sigaction pipe_action;

	(void)state;
	assert_int_equal(sigaction(SIGPIPE, NULL, &pipe_action), 0);
	assert_ptr_equal(pipe_action.sa_handler, SIG_DFL);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(ask("early"), GLT_DENY);
		assert_string_equal(glt_message_get(&reply, "reason"), "no_privilege");
	}
}

static void a_helper_that_is_gone_does_not_kill_its_host(void **state)
{
	(void)state;
	assert_int_equal(rename("gltoken-auth", "away"), 0);
	assert_int_equal(symlink("/bin/true", "gltoken-auth"), 0);
	slow_host = true;
	enum glt_outcome outcome = ask("allow");
	slow_host = false;
	assert_int_equal(rename("away", "gltoken-auth"), 0);
	assert_int_equal(outcome, GLT_FAILED);
	assert_string_equal(why, "gltoken-auth gave no complete answer");
}

static void the_child_starts_clean(void **state)
{
	int extra[20];
	sigset_t all, before, after;
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old_term, old_pipe;

	(void)state;
	setenv("LD_PRELOAD_NOT", "x", 1);
	for (int i = 0; i < 20; i++)
		extra[i] = open("/dev/null", O_RDONLY); /* not CLOEXEC, as a host may have them */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	sigaction(SIGTERM, &ignore, &old_term);
	sigaction(SIGPIPE, &ignore, &old_pipe);
	enum glt_outcome outcome = ask("report");
	sigaction(SIGTERM, &old_term, NULL);
	sigaction(SIGPIPE, &old_pipe, NULL);
	sigprocmask(SIG_SETMASK, &before, &after);
	for (int i = 0; i < 20; i++)
		close(extra[i]);

	assert_int_equal(outcome, GLT_ALLOW);
	assert_true(sigismember(&after, SIGTERM));
	assert_string_equal(glt_message_get(&reply, "argc"), "1");
	assert_string_equal(glt_message_get(&reply, "name"), "gltoken-auth");
	assert_string_equal(glt_message_get(&reply, "vars"), "0");
	assert_string_equal(glt_message_get(&reply, "high"), "0");
	assert_string_equal(glt_message_get(&reply, "err"), "/dev/null");
	assert_string_equal(glt_message_get(&reply, "blocked"), "0000000000000000");
	/* 32 and 33 are libc's own: posix_spawn leaves them so, and nobody can send them for a purpose. */
	uint64_t ignored = strtoull(glt_message_get(&reply, "ignored"), NULL, 16);
	assert_int_equal(ignored & ~UINT64_C(0x180000000), 0);
}

static void the_host_is_as_before(void **state)
{
	static const char *const orders[] = {"allow", "deny:x", "prose", "killed-after", "megabyte"};
	int before = open_fds();

	(void)state;
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		errno = EDOM;
		ask(orders[i]);
		assert_int_equal(errno, EDOM);
	}
	assert_int_equal(open_fds(), before);
	assert_no_child();
}

static void host_ignores_its_children(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old, now_set;

	(void)state;
	sigaction(SIGCHLD, &ignore, &old);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask("allow"), GLT_ALLOW);
		assert_int_equal(ask("deny:revoked"), GLT_DENY);
		assert_int_equal(ask("killed-before"), GLT_FAILED);
		assert_int_equal(ask("nothing"), GLT_FAILED);
	}
	sigaction(SIGCHLD, &old, &now_set);
	assert_ptr_equal(now_set.sa_handler, SIG_IGN);
}

static void reap_all(int sig)
{
	int saved = errno;

	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	errno = saved;
}

static void host_reaps_every_child(void **state)
{
	struct sigaction reaper = {.sa_handler = reap_all}, old;

	(void)state;
	sigaction(SIGCHLD, &reaper, &old);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask("allow"), GLT_ALLOW);
		assert_int_equal(ask("deny:revoked"), GLT_DENY);
		assert_int_equal(ask("killed-before"), GLT_FAILED);
	}
	assert_int_equal(ask("linger"), GLT_ALLOW);
	sigaction(SIGCHLD, &old, NULL);
}

/* The forked children hold both ends of the helper's stream, which therefore has no end. */
static void host_forks_while_a_helper_starts(void **state)
{
	static const struct {
		const char *order, *why;
		enum glt_outcome outcome;
	} asked[] = {
		{"allow", "", GLT_ALLOW},
		{"deny:revoked", "", GLT_DENY},
		{"length:32768", "", GLT_ALLOW},
		{"no-newline", "gltoken-auth gave no complete answer", GLT_FAILED},
		{"killed-before", "gltoken-auth was ended by signal 9", GLT_FAILED},
		{"killed-after", "gltoken-auth was ended by signal 9", GLT_FAILED},
	};
	int before = open_fds();

	(void)state;
	forking_host = true;
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		if (ask(asked[i].order) != asked[i].outcome || strcmp(why, asked[i].why) != 0)
			fail_msg("%s: %s", asked[i].order, why);
	}
	forking_host = false;
	while (n_forked > 0) {
		kill(forked[--n_forked], SIGKILL);
		assert_int_equal(waitpid(forked[n_forked], NULL, 0), forked[n_forked]);
	}
	assert_int_equal(open_fds(), before);
	assert_no_child();
}

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	(void)sig;
	ticks++;
}

static void signals_interrupt_every_call(void **state)
{
	struct sigaction action = {.sa_handler = tick}, old; /* no SA_RESTART */
	struct itimerval storm = {{0, 300}, {0, 300}}, calm = {{0, 0}, {0, 0}};

	(void)state;
	sigaction(SIGALRM, &action, &old);
	setitimer(ITIMER_REAL, &storm, NULL);
	for (int i = 0; i < 30; i++) {
		assert_int_equal(ask(i % 15 ? "allow" : "linger"), GLT_ALLOW);
		assert_int_equal(ask("length:32768"), GLT_ALLOW);
	}
	setitimer(ITIMER_REAL, &calm, NULL);
	sigaction(SIGALRM, &old, NULL);
	assert_true(ticks > 100);
	assert_no_child();
}

static void thousands_of_descriptors(void **state)
{
	enum { COUNT = 3000 };
	static int fd[COUNT];
	struct rlimit limit, more;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	more = (struct rlimit){.rlim_cur = COUNT + 100, .rlim_max = limit.rlim_max};
	if (limit.rlim_cur < more.rlim_cur)
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &more), 0);
	for (int i = 0; i < COUNT; i++)
		assert_true((fd[i] = open("/dev/null", O_RDONLY)) >= 0);
	assert_true(fd[COUNT - 1] > 1024);
	enum glt_outcome outcome = ask("report");
	for (int i = 0; i < COUNT; i++)
		close(fd[i]);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(outcome, GLT_ALLOW);
	assert_string_equal(glt_message_get(&reply, "high"), "0");
}

static void no_descriptor_left(void **state)
{
	struct rlimit limit, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	int before = open_fds();
	/* Room for none, one, two and three: each step of the set-up fails once. */
	int next = dup(0);
	close(next);
	for (int room = 0; room < 3; room++) {
		none = (struct rlimit){.rlim_cur = (rlim_t)(next + room), .rlim_max = limit.rlim_max};
		setrlimit(RLIMIT_NOFILE, &none);
		enum glt_outcome outcome = ask("allow");
		setrlimit(RLIMIT_NOFILE, &limit);
		assert_int_equal(outcome, GLT_FAILED);
		assert_non_null(strstr(why, "Too many open files"));
	}
	assert_int_equal(open_fds(), before);
	assert_int_equal(ask("allow"), GLT_ALLOW);
}

/* In a child each, because the test's own output needs its descriptors. */
static void host_has_closed_0_to_2(void **state)
{
	(void)state;
	for (int closed = 0; closed < 8; closed++) {
		pid_t pid = fork();
		if (pid == 0) {
			for (int fd = 0; fd < 3; fd++)
				if (closed & 1 << fd)
					close(fd);
			if (ask("report") != GLT_ALLOW || strcmp(glt_message_get(&reply, "high"), "0") != 0 ||
			    strcmp(glt_message_get(&reply, "err"), "/dev/null") != 0)
				_exit(1);
			for (int fd = 0; fd < 3; fd++)
				if ((fcntl(fd, F_GETFD) != -1) == (closed >> fd & 1))
					_exit(2);
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			fail_msg("with set %d closed: status %#x", closed, status);
	}
}

static void *thread(void *arg)
{
	struct glt_message *in = malloc(sizeof *in), *out = malloc(sizeof *out);
	char account[32], text[128];
	intptr_t wrong = 0;

	snprintf(account, sizeof account, "user-%d", (int)(intptr_t)arg);
	for (int i = 0; i < 6; i++) {
		bool allow = i % 2 == 0;
		glt_message_init(in);
		glt_message_add(in, "do", allow ? "allow" : "deny:busy");
		glt_message_add(in, "account", account);
		enum glt_outcome got = glt_client_ask(in, out, text, sizeof text);
		if (got == (allow ? GLT_ALLOW : GLT_DENY) && strcmp(glt_message_get(out, "account"), account) == 0)
			continue;
		fprintf(stderr, "%s: outcome %d, %s\n", account, got, text);
		wrong++;
	}
	free(in);
	free(out);
	return (void *)wrong;
}

static void many_threads_with_small_stacks(void **state)
{
	enum { THREADS = 64 };
	pthread_t threads[THREADS];
	pthread_attr_t attr;
	int before = open_fds();
#ifdef SANITIZED
	size_t stack = 1024 * 1024;
#else
	size_t stack = 64 * 1024;
#endif

	(void)state;
	pthread_attr_init(&attr);
	assert_int_equal(pthread_attr_setstacksize(&attr, stack), 0);
	for (intptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], &attr, thread, (void *)i), 0);
	for (int i = 0; i < THREADS; i++) {
		void *wrong;
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	pthread_attr_destroy(&attr);
	assert_int_equal(open_fds(), before);
	assert_no_child();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allow_and_deny),
		cmocka_unit_test(anything_but_a_whole_answer_is_a_failure),
		cmocka_unit_test(size_of_an_answer),
		cmocka_unit_test(size_of_a_request),
		cmocka_unit_test(unusable_requests_reach_nobody),
		cmocka_unit_test(why_may_be_short_or_absent),
		cmocka_unit_test(missing_or_not_permitted),
		cmocka_unit_test(ended_by_a_signal),
		cmocka_unit_test(an_answer_counts_though_its_process_lingers),
		cmocka_unit_test(an_answer_counts_though_nothing_was_read),
		cmocka_unit_test(a_helper_that_is_gone_does_not_kill_its_host),
		cmocka_unit_test(the_child_starts_clean),
		cmocka_unit_test(the_host_is_as_before),
		cmocka_unit_test(host_ignores_its_children),
		cmocka_unit_test(host_reaps_every_child),
		cmocka_unit_test(host_forks_while_a_helper_starts),
		cmocka_unit_test(signals_interrupt_every_call),
		cmocka_unit_test(thousands_of_descriptors),
		cmocka_unit_test(no_descriptor_left),
		cmocka_unit_test(host_has_closed_0_to_2),
		cmocka_unit_test(many_threads_with_small_stacks),
	};

	return cmocka_run_group_tests_name("client", tests, sandbox_open, sandbox_close);
}
