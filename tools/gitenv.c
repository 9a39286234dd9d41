/* SPDX-License-Identifier: MIT */
#include "gitenv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* sshd's own default. Fixed, so that no file of the account and no client chooses which git runs. */
#define GIT_PATH "/usr/local/bin:/usr/bin:/bin"

#define HOOKS GLT_LIBEXECDIR "/hooks"
#define PACK_HOOK HOOKS "/" GLT_PACK_HOOK

static void __attribute__((format(printf, 2, 3))) put(struct glt_gitenv *e, const char *fmt, ...)
{
	va_list ap;
	size_t room = sizeof(e->text) - e->used;
	va_start(ap, fmt);
	int n = vsnprintf(e->text + e->used, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room || e->n + 1 >= sizeof(e->var) / sizeof(*e->var)) {
		e->bad = true;
		return;
	}
	e->var[e->n++] = e->text + e->used;
	e->var[e->n] = NULL;
	e->used += (size_t)n + 1;
}

void glt_gitenv_add(struct glt_gitenv *e, const char *name, const char *value)
{
	if (value)
		put(e, "%s=%s", name, value);
}

void glt_gitenv_config(struct glt_gitenv *e, const char *key, const char *value)
{
	put(e, "GIT_CONFIG_KEY_%u=%s", e->configs, key);
	put(e, "GIT_CONFIG_VALUE_%u=%s", e->configs, value);
	e->configs++;
}

bool glt_gitenv_end(struct glt_gitenv *e)
{
	put(e, "GIT_CONFIG_COUNT=%u", e->configs);
	return !e->bad;
}

bool glt_git_protocol_valid(const char *value)
{
	static const char start[] = "version=", more[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_=:";
	size_t n = sizeof(start) - 1;
	if (strlen(value) > 256 || strncmp(value, start, n) || value[n] < '0' || value[n] > '2')
		return false;
	value += n + 1;
	return !*value || (*value == ':' && !value[strspn(value, more)]);
}

/* The bearer for hooks: information only, no decision reads it. */
static void add_bearer(struct glt_gitenv *e, const struct glt_message *answer)
{
	const char *type = glt_message_get(answer, "type");
	bool token = type && strcmp(type, "key") && strcmp(type, "account");
	const char *owner = glt_message_get(answer, "owner");
	glt_gitenv_add(e, "GL_ID", glt_message_get(answer, "gl_id"));
	glt_gitenv_add(e, "GLTOKEN_LOG_SESSION", glt_message_get(answer, "session"));
	glt_gitenv_add(e, GLT_LOG_VARIABLE, glt_message_get(answer, "log"));
	glt_gitenv_add(e, "GL_USERNAME", owner);
	glt_gitenv_add(e, "GL_USER", owner);
	/* A key's number is not a token's. */
	glt_gitenv_add(e, "GLTOKEN_ID", token ? glt_message_get(answer, "id") : NULL);
	glt_gitenv_add(e, "GLTOKEN_NAME", token ? glt_message_get(answer, "name") : NULL);
	glt_gitenv_add(e, "GLTOKEN_ROLE", glt_message_get(answer, "role"));
	glt_gitenv_add(e, "GLTOKEN_SCOPES", token ? glt_message_get(answer, "scopes") : NULL);
	const char *number = glt_message_get(answer, "project_id");
	if (number)
		put(e, "GL_REPOSITORY=project-%s", number);
}

void glt_gitenv_init(struct glt_gitenv *e, const struct glt_gitenv_from *from)
{
	e->n = e->used = 0;
	e->configs = 0;
	e->bad = false;
	e->directory = NULL;
	e->push = from->push;
	e->var[0] = NULL;

	glt_gitenv_add(e, "PATH", GIT_PATH);
	glt_gitenv_add(e, "LANG", "C.UTF-8");
	glt_gitenv_add(e, "HOME", from->home);
	glt_gitenv_add(e, "USER", from->account);
	glt_gitenv_add(e, "LOGNAME", from->account);
	if (from->git_protocol && glt_git_protocol_valid(from->git_protocol))
		glt_gitenv_add(e, "GIT_PROTOCOL", from->git_protocol);
	/* A pushed refs/replace/ID would otherwise change what `git archive --remote` serves. */
	if (!from->push)
		glt_gitenv_add(e, "GIT_NO_REPLACE_OBJECTS", "1");

	/* The decision is made, whoever owns the files. git knows the repository as "." up to 2.46, then by its path. */
	glt_gitenv_config(e, "safe.directory", ".");
	glt_gitenv_config(e, "safe.directory", from->repo->directory);

	if (from->push) {
		glt_gitenv_config(e, "core.hooksPath", HOOKS);
		glt_gitenv_add(e, "GLTOKEN_SESSION", from->ticket);
	}

	glt_gitenv_add(e, "GL_PROTOCOL", from->via);
	glt_gitenv_add(e, "GL_PROJECT_PATH", from->repo->project);
	glt_gitenv_add(e, "GL_REPO", from->repo->project);
	glt_gitenv_add(e, "GLTOKEN_ADDRESS",
		       from->address ? from->address : glt_message_get(from->answer, "address"));
	add_bearer(e, from->answer);
}

/* core.hooksPath of the repository, the account or the system, which our own setting will hide from git. */
static void add_own_hooks(struct glt_gitenv *e)
{
	const char *const args[] = {"git", "config", "--type=path", "--get", "core.hooksPath", NULL};
	char dir[PATH_MAX];
	size_t len = 0;
	int out[2];
	if (pipe2(out, O_CLOEXEC)) {
		e->bad = true;
		return;
	}
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		environ = e->var; /* not ended yet, so without GIT_CONFIG_COUNT and what it counts */
		execvp(args[0], (char *const *)args);
		_exit(127);
	}
	close(out[1]);
	for (ssize_t n = 1; n > 0 && len<sizeof(dir); len += n> 0 ? (size_t)n : 0)
		n = read(out[0], dir + len, sizeof(dir) - len);
	close(out[0]);
	int status = -1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* 1 is "not set"; whatever else is not known must not skip hooks that somebody relies on. */
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) > 1 || len == sizeof(dir)) {
		e->bad = true;
	} else if (WEXITSTATUS(status) == 0 && len > 1) {
		dir[len - 1] = '\0';
		glt_gitenv_add(e, GLT_HOOKS_VARIABLE, dir);
	}
}

void glt_gitenv_exec(struct glt_gitenv *e, const struct glt_repo *repo, mode_t umask_bits, char *const args[])
{
	if (!e->bad && repo->fd >= 0 && fchdir(repo->fd))
		return;
	/* git passes over a hook that it cannot run, and with it would pass over the check. */
	if (e->push && (access(HOOKS "/update", X_OK) || access(HOOKS "/proc-receive", X_OK)))
		return;
	if (e->push && !e->bad)
		add_own_hooks(e);
	if (!e->push && access(PACK_HOOK, X_OK) == 0) /* it counts only */
		glt_gitenv_config(e, "uploadpack.packObjectsHook", PACK_HOOK);
	if (!glt_gitenv_end(e)) {
		errno = E2BIG;
		return;
	}
	if (e->directory && chdir(e->directory))
		return;
	umask(umask_bits);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Ignored signals stay ignored over an exec; SIGPIPE must end a git whose client is gone. */
	for (int sig = 1; sig < SIGRTMIN; sig++)
		signal(sig, SIG_DFL);
	environ = e->var;
	execvp(args[0], args);
}
