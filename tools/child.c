/* SPDX-License-Identifier: MIT */
#include "child.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int glt_child_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

pid_t glt_child_start(struct glt_cli *cli, int (*fn)(struct glt_cli *cli, void *arg), void *arg)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int rc = fn(cli, arg);

		glt_cli_close(cli);
		_exit(glt_cli_finish(cli, rc));
	}
	if (pid < 0)
		glt_cli_warn(cli, "cannot start a process: %s", strerror(errno));
	return pid;
}

int glt_child_wait(const struct glt_cli *cli, pid_t pid, int crashed)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			glt_cli_warn(cli, "cannot wait for a process: %s", strerror(errno));
			return GLT_EXIT_UNAVAILABLE;
		}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	glt_cli_warn(cli,
		     "the store is damaged so that reading it crashed (%s): restore a backup (gltoken restore)",
		     strsignal(WTERMSIG(status)));
	return crashed;
}
