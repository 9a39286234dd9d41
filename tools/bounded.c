/* SPDX-License-Identifier: MIT */
#include "bounded.h"

#include "tokenfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static _Noreturn void become(const char *const argv[], const char *const env[], int out)
{
	int null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	if (null > STDERR_FILENO)
		close(null);
	for (; env && *env; env++)
		if (putenv((char *)(uintptr_t)*env))
			_exit(126);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	glt_complain("%s: %s", argv[0], strerror(errno));
	_exit(127);
}

/* Up to the end of the output. False: too much of it, or too late. */
static bool collect(int fd, int64_t end, char *out, size_t size, size_t *len)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	for (*len = 0; *len < size;) {
		int64_t left = end - now_ms();
		int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		ssize_t n = read(fd, out + *len, size - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return !n;
		*len += (size_t)n;
	}
	return false;
}

/* The output may end before the process. */
static bool succeeded(pid_t pid, int64_t end)
{
	const struct timespec nap = {0, 10 * 1000 * 1000};
	int status = 0;
	pid_t done;
	while (!(done = waitpid(pid, &status, WNOHANG)) && now_ms() < end)
		nanosleep(&nap, NULL);
	if (!done) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return false;
	}
	return done == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

ssize_t glt_run_bounded(const char *const argv[], const char *const env[], int seconds, char *out, size_t size)
{
	int64_t end = now_ms() + (int64_t)seconds * 1000;
	size_t len = 0;
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC)) {
		glt_complain("%s: %s", argv[0], strerror(errno));
		return -1;
	}
	pid_t pid = fork();
	if (!pid)
		become(argv, env, pipes[1]);
	close(pipes[1]);
	bool whole = pid > 0 && collect(pipes[0], end, out, size, &len);
	bool late = now_ms() >= end;
	close(pipes[0]);
	if (pid < 0) {
		glt_complain("%s: %s", argv[0], strerror(errno));
		return -1;
	}
	if (!whole) {
		kill(pid, SIGKILL);
		glt_complain(late ? "%s took longer than %d seconds" : "%s printed too much within %d seconds",
			     argv[0], seconds);
	}
	if (!succeeded(pid, end) || !whole) {
		explicit_bzero(out, size);
		return -1;
	}
	out[len] = '\0';
	return (ssize_t)len;
}
