/* SPDX-License-Identifier: MIT */
#include "run.h"

#include "tokenfile.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct running {
	const struct glt_run *r;
	pid_t pid;
	int out; /* our end, -1 once closed */
	size_t read;
	int64_t deadline;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool become(const struct glt_run_as *as)
{
	if (!as)
		return true;
	return initgroups(as->name, as->gid) == 0 && setresgid(as->gid, as->gid, as->gid) == 0 &&
	       setresuid(as->uid, as->uid, as->uid) == 0 && (as->uid == 0 || setuid(0) != 0);
}

/* As the person whose command this is: what it asks or says goes to their terminal. */
static void __attribute__((noreturn)) exec_ours(const struct glt_run *r, int in, int out)
{
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(127);
	for (const char *const *env = r->env; env && *env; env++)
		if (putenv((char *)(uintptr_t)*env) != 0)
			_exit(127);
	(void)execvp(r->argv[0], r->argv);
	glt_complain("%s: %s", r->argv[0], strerror(errno));
	_exit(127);
}

static void __attribute__((noreturn)) exec_apart(const struct glt_run *r, int in, int out)
{
	char home[300], user[100], logname[100];
	char *env[] = {(char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		       (char[]){"LC_ALL=C.UTF-8"},
		       home,
		       user,
		       logname,
		       NULL};
	const char *name = r->as ? r->as->name : "root";
	sigset_t none;

	(void)snprintf(home, sizeof(home), "HOME=%s", r->as ? r->as->home : "/");
	(void)snprintf(user, sizeof(user), "USER=%s", name);
	(void)snprintf(logname, sizeof(logname), "LOGNAME=%s", name);
	(void)setsid();
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(127);
	if (r->merge ? dup2(out, STDERR_FILENO) < 0
		     : dup2(open("/dev/null", O_WRONLY | O_NOCTTY), STDERR_FILENO) < 0)
		_exit(127);
	if (close_range(STDERR_FILENO + 1, ~0U, 0) != 0 || chdir("/") != 0 || !become(r->as))
		_exit(127);
	(void)execve(r->argv[0], r->argv, env);
	_exit(127);
}

static void shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* All of the input stands in the pipe before anybody reads: it fits (or is refused), and writing needs no loop and
 * meets no reader that went away. */
static int input_pipe(const char *input)
{
	size_t len = input ? strlen(input) : 0;
	int in[2];

	if (pipe2(in, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	if ((len > 0 && write(in[1], input, len) != (ssize_t)len) || fcntl(in[0], F_SETFL, 0) != 0)
		shut(&in[0]);
	(void)close(in[1]);
	return in[0];
}

static bool start(struct running *p)
{
	int in = input_pipe(p->r->input), out[2] = {-1, -1};
	bool good = in >= 0 && pipe2(out, O_CLOEXEC) == 0;

	if (good) {
		p->pid = fork();
		if (p->pid == 0)
			(p->r->ours ? exec_ours : exec_apart)(p->r, in, out[1]);
		good = p->pid > 0;
	}
	shut(&in);
	shut(&out[1]);
	p->out = out[0];
	return good;
}

/* What fits stands in the caller's buffer and nowhere else: it may be a secret. False: it must fit, and does not. */
static bool take(struct running *p)
{
	char spare[4096];
	size_t room = p->r->out_size ? p->r->out_size - 1 - p->read : 0;
	ssize_t n = read(p->out, room ? p->r->out + p->read : spare, room ? room : sizeof(spare));

	if (n == 0 || (n < 0 && errno != EINTR))
		shut(&p->out);
	if (n > 0 && room > 0)
		p->read += (size_t)n;
	return n <= 0 || room > 0 || !p->r->whole;
}

/* Until its output is closed. 0, or why it is to be ended. */
static int talk(struct running *p)
{
	while (p->out >= 0) {
		struct pollfd fd = {.fd = p->out, .events = POLLIN};
		int64_t left = p->deadline - now_ms();
		int n = left > 0 ? poll(&fd, 1, (int)left) : 0;

		if (n == 0 || (n < 0 && errno != EINTR))
			return GLT_RUN_TIMEOUT;
		if (n > 0 && !take(p))
			return GLT_RUN_TOO_LONG;
	}
	return 0;
}

/* It may have closed its output and go on. False: out of time. */
static bool reap(struct running *p, int *status)
{
	for (;;) {
		const struct timespec tick = {0, 10000000};
		pid_t got = waitpid(p->pid, status, WNOHANG);

		if (got == p->pid || (got < 0 && errno != EINTR))
			return got == p->pid;
		if (now_ms() >= p->deadline)
			return false;
		(void)nanosleep(&tick, NULL);
	}
}

int glt_run(const struct glt_run *r)
{
	struct running p = {.r = r, .pid = -1, .deadline = now_ms() + (int64_t)r->timeout * 1000};
	int status = 0, why;

	if (r->out_size)
		r->out[0] = '\0';
	if (!start(&p)) {
		shut(&p.out);
		return GLT_RUN_FAILED;
	}
	why = talk(&p);
	if (why == 0 && !reap(&p, &status))
		why = GLT_RUN_TIMEOUT;
	if (!r->ours)
		(void)kill(-p.pid, SIGKILL); /* and what it left behind */
	if (why != 0) {
		(void)kill(p.pid, SIGKILL);
		while (waitpid(p.pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	shut(&p.out);
	if (r->out_size)
		r->out[p.read] = '\0';
	if (r->out_len)
		*r->out_len = p.read;
	if (why != 0)
		return why;
	return WIFEXITED(status) ? WEXITSTATUS(status) : GLT_RUN_SIGNAL;
}

size_t glt_run_split(char *text, char **argv, size_t max)
{
	size_t n = 0;
	char *save = NULL;

	for (char *word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (n + 1 >= max)
			return 0;
		argv[n++] = word;
	}
	argv[n] = NULL;
	return n;
}
