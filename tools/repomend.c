/* SPDX-License-Identifier: MIT */
#include "repocheck.h"

#include "child.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GIT_PATH "/usr/local/bin:/usr/bin:/bin"

/* Become the account and run git, with these as standard input and output. Never returns. */
static void exec_git(const struct glt_account *a, int dir, int in, int out, char **argv)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (setgroups(1, &a->gid) != 0 || setresgid(a->gid, a->gid, a->gid) != 0 ||
	    setresuid(a->uid, a->uid, a->uid) != 0 || setuid(0) == 0)
		_exit(127);
	if (null < 0 || (dir >= 0 ? fchdir(dir) : chdir("/")) != 0 || dup2(in >= 0 ? in : null, STDIN_FILENO) < 0 ||
	    dup2(out >= 0 ? out : null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(127);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)clearenv();
	(void)setenv("PATH", GIT_PATH, 1);
	(void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	(void)setenv("GIT_DIR", "/nonexistent", 1); /* only the file that is named */
	(void)execvp("git", argv);
	_exit(127);
}

bool glt_repo_config_get(const struct glt_account *a, int config, const char *key, char *out, size_t size)
{
	char name[64], git[] = "git", cmd[] = "config", file[] = "--file", from[] = "-", get[] = "--get";
	char *argv[] = {git, cmd, file, from, get, name, NULL};
	size_t len = 0;
	ssize_t n;
	int ends[2], rc;
	pid_t pid;

	(void)snprintf(name, sizeof(name), "%s", key);
	if (lseek(config, 0, SEEK_SET) != 0 || pipe2(ends, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		exec_git(a, -1, config, ends[1], argv);
	(void)close(ends[1]);
	while (pid > 0 && len + 1 < size && (n = read(ends[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(ends[0]);
	rc = pid > 0 ? glt_child_status(pid) : -1;
	out[len] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return rc == 0 || (rc == 1 && len == 0); /* 1: no such key */
}

bool glt_repo_config_set(const struct glt_account *a, int dir, const char *key, const char *value)
{
	char name[64], text[64], git[] = "git", cmd[] = "config", file[] = "--file", path[] = "config",
				 unset[] = "--unset-all";
	char *set_argv[] = {git, cmd, file, path, name, text, NULL};
	char *unset_argv[] = {git, cmd, file, path, unset, name, NULL};
	pid_t pid;

	(void)snprintf(name, sizeof(name), "%s", key);
	(void)snprintf(text, sizeof(text), "%s", value ? value : "");
	pid = fork();
	if (pid == 0)
		exec_git(a, dir, -1, -1, value ? set_argv : unset_argv);
	return pid > 0 && glt_child_status(pid) == 0;
}
