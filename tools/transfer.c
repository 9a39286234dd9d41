/* SPDX-License-Identifier: MIT */
/*
 * A fetch: git hands uploadpack.packObjectsHook the command that makes the pack. Its output is moved from one pipe to
 * the next by splice(2): nothing is copied, and no request that carries no pack costs anything. A push: its objects
 * lie in a folder of their own until the hook pre-receive has ended.
 */
#include "transfer.h"

#include "fetchrefs.h"
#include "gitenv.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#define SETTING "uploadpack.packObjectsHook"

void glt_transfer_log(struct glt_log_line *line, int priority, const char *text)
{
	const char *id = getenv("GL_ID");

	glt_log_add(line, "repository", getenv("GL_PROJECT_PATH"));
	glt_log_add(line, "token", getenv("GLTOKEN_ID"));
	if (id && !strncmp(id, "key-", 4))
		glt_log_add(line, "key", id + 4);
	glt_log_add(line, "owner", getenv("GL_USERNAME"));
	glt_log_add(line, "via", getenv("GL_PROTOCOL"));
	glt_log_add(line, "rhost", getenv("GLTOKEN_ADDRESS"));
	glt_log_add(line, "text", text);
	glt_log_add(line, "session", getenv("GLTOKEN_LOG_SESSION"));
	syslog(LOG_AUTHPRIV | priority, "%s", line->text);
}

static void log_bytes(const char *operation, uint64_t bytes, bool whole)
{
	struct glt_log_line line;
	char number[24];

	(void)snprintf(number, sizeof(number), "%" PRIu64, bytes);
	glt_log_begin(&line, getenv(GLT_LOG_VARIABLE), "transfer");
	glt_log_add(&line, "operation", operation);
	glt_log_add(&line, "bytes", number);
	glt_log_add(&line, "complete", whole ? "yes" : "no");
	glt_fetchrefs_add(&line);
	glt_transfer_log(&line, LOG_INFO, NULL);
}

/* ---- fetch ---- */

/* Ours hides what the system or the account may have set: "SCOPE\tVALUE" a line, the last one counts. A repository's
 * own setting git does not obey. False: not known. */
static bool find_own_hook(char text[4096], const char **hook)
{
	char git[] = "git", config[] = "config", scope[] = "--show-scope", all[] = "--get-all", name[] = SETTING;
	char *argv[] = {git, config, scope, all, name, NULL}, *rest = text, *line;
	const char *const env[] = {"GIT_CONFIG_COUNT=0", NULL};
	const struct glt_run r = {
		.argv = argv, .ours = true, .env = env, .out = text, .out_size = 4096, .whole = true, .timeout = 30};
	const int rc = glt_run(&r);

	while (rc == 0 && (line = strsep(&rest, "\n")))
		if (strncmp(line, "system\t", 7) == 0 || strncmp(line, "global\t", 7) == 0)
			*hook = line + 7;
	return rc == 0 || rc == 1; /* 1: there is none */
}

/* Whether a file of git's configuration may set it; one that is not there does not. */
static bool may_set(const char *path)
{
	char text[16384];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return errno != ENOENT && errno != ENOTDIR;
	n = read(fd, text, sizeof(text));
	(void)close(fd);
	if (n < 0 || n == (ssize_t)sizeof(text))
		return true;
	text[n] = '\0';
	return strlen(text) != (size_t)n || strcasestr(text, "packobjectshook") || strcasestr(text, "include");
}

/* Mostly no file does, and a process is saved. */
static bool may_have_own_hook(void)
{
	static const char *const files[] = {"/etc/gitconfig", "/usr/local/etc/gitconfig", "%s/.gitconfig",
					    "%s/.config/git/config"};
	const char *home = getenv("HOME");
	char path[4096];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int n = snprintf(path, sizeof(path), files[i][0] == '%' ? "%s%s" : "%.0s%s", home ? home : "",
				 files[i][0] == '%' ? files[i] + 2 : files[i]);

		if (n < 0 || (size_t)n >= sizeof(path) || may_set(path))
			return true;
	}
	return false;
}

/* Start args with its output in out: by way of the host's hook as git does it, with itself as $0. False: not started. */
static bool start(char *const args[], const char *hook, int out, pid_t *pid)
{
	char name[4096], command[4096 + 8], shell[] = "sh", option[] = "-c",
					    *sh[256] = {shell, option, command, name};
	posix_spawn_file_actions_t actions;
	size_t i = 0;

	if (hook) {
		(void)snprintf(name, sizeof(name), "%s", hook);
		(void)snprintf(command, sizeof(command), "%s \"$@\"", hook);
		for (; args[i] && i + 5 < sizeof(sh) / sizeof(sh[0]); i++)
			sh[i + 4] = args[i];
		if (args[i])
			return false;
	}
	if (posix_spawn_file_actions_init(&actions) != 0)
		return false;
	bool ok = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) == 0 &&
		  posix_spawnp(pid, hook ? shell : args[0], &actions, NULL, hook ? sh : args, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	return ok;
}

int glt_transfer_pack(char *const args[])
{
	uint64_t bytes = 0;
	const char *hook = NULL;
	char text[4096];
	int out[2], status = -1;
	ssize_t n = 0;
	pid_t pid = -1;

	if (!args[0] || !glt_fetchrefs_take() || (may_have_own_hook() && !find_own_hook(text, &hook)) ||
	    pipe2(out, O_CLOEXEC) != 0)
		return 1;
	if (!start(args, hook, out[1], &pid))
		pid = -1;
	(void)close(out[1]);
	glt_fetchrefs_find();
	(void)signal(SIGPIPE, SIG_IGN); /* a client that goes away: what it had is logged all the same */
	while (pid > 0 && ((n = splice(out[0], NULL, STDOUT_FILENO, NULL, 1 << 20, SPLICE_F_MOVE)) > 0 ||
			   (n < 0 && errno == EINTR)))
		bytes += n > 0 ? (uint64_t)n : 0;
	(void)close(out[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	log_bytes("pull", bytes, n == 0 && pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (pid < 0 || n < 0 || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}

/* ---- push ---- */

static uint64_t pushed;

static int add_size(const char *path, const struct stat *sb, int type, struct FTW *where)
{
	const char *dot = strrchr(path + where->base, '.');

	/* A pack's index is made here and was not sent. */
	if (type == FTW_F && (!dot || strcmp(dot, ".pack") == 0))
		pushed += (uint64_t)sb->st_size;
	return 0;
}

void glt_transfer_pushed(void)
{
	const char *dir = getenv("GIT_QUARANTINE_PATH");

	pushed = 0;
	if (dir)
		(void)nftw(dir, add_size, 8, FTW_PHYS);
	log_bytes("push", pushed, true);
}
