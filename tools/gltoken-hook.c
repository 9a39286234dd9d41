/* SPDX-License-Identifier: MIT */
/*
 * Stands in for every hook of a push (core.hooksPath, set by gltoken-shell and gltoken-http): decides each ref,
 * writes down each ref that was changed, then becomes the repository's own hook of that name. In a fetch it counts.
 *
 * git gives core.hooksPath from the environment more weight than any file, so nothing that a pusher or a
 * repository's configuration says takes this program out. Refs that receive.procReceiveRefs hands to proc-receive
 * pass by the update hook, so a proc-receive here refuses.
 */
#include "client.h"
#include "gitenv.h"
#include "pam_log.h"
#include "safe.h"
#include "texts.h"
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#define ALIAS_DEPTH 5
#define REF_MAX 4096

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value ? value : "";
}

/* ---- update: may this ref be changed? ---- */

static bool is_zero(const char *oid)
{
	return *oid && strspn(oid, "0") == strlen(oid);
}

/* Run git, quietly; its exit status, or -1. */
static int run_git(const char *const args[])
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
			_exit(127);
		execvp("git", (char *const *)args);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What cannot be shown to be a fast-forward counts as forced. */
static const char *kind_of(const char *ref, const char *old, const char *new)
{
	const char *const args[] = {"git", "merge-base", "--is-ancestor", old, new, NULL};
	if (is_zero(new))
		return "delete";
	if (is_zero(old))
		return "create";
	if (!strncmp(ref, "refs/tags/", 10))
		return "force";
	return run_git(args) == 0 ? "update" : "force";
}

static void log_decision(const char *decision, const char *reason, const char *would, const char *kind,
			 const char *ref, const char *detail)
{
	struct glt_log_line line;
	glt_log_begin(&line, getenv(GLT_LOG_VARIABLE), "ref");
	glt_log_add(&line, "decision", decision);
	glt_log_add(&line, "reason", reason);
	glt_log_add(&line, "would_deny", would);
	glt_log_add(&line, "change", kind);
	glt_log_add(&line, "ref", ref);
	glt_transfer_log(&line, LOG_NOTICE, detail);
}

/* GLT_ALLOW, or a sentence on stderr, which git passes on as "remote:". */
static enum glt_outcome ask(const char *ref, const char *kind)
{
	static struct glt_message request, reply;
	char why[256];
	glt_message_init(&request);
	glt_message_add(&request, "verb", "authorize");
	glt_message_add(&request, "ticket", variable("GLTOKEN_SESSION"));
	glt_message_add(&request, "account", variable("LOGNAME"));
	glt_message_add(&request, "operation", "push");
	glt_message_add(&request, "repository", variable("GL_PROJECT_PATH"));
	glt_message_add(&request, "ref", ref);
	glt_message_add(&request, "change", kind);
	enum glt_outcome outcome = glt_client_ask(&request, &reply, why, sizeof(why));
	const char *would = outcome == GLT_ALLOW ? glt_message_get(&reply, "would_deny") : NULL;
	if (outcome == GLT_ALLOW && !would)
		return outcome;
	if (outcome == GLT_ALLOW) {
		log_decision("allow", "ok", would, kind, ref, glt_message_get(&reply, "text"));
		return outcome;
	}

	const char *reason = outcome == GLT_DENY ? glt_message_get(&reply, "reason") : "unavailable";
	const char *detail = outcome == GLT_DENY ? glt_message_get(&reply, "text") : why;
	fprintf(stderr, "%s (", glt_text_of(reason, true, true).text);
	glt_safe_put(stderr, ref);
	fputs(")\n", stderr);
	log_decision("deny", reason, NULL, kind, ref, detail);
	return outcome;
}

/* Is a ref another name of one? UNREADABLE: perhaps, and of which cannot be told. */
enum alias { NO_ALIAS, ALIAS, UNREADABLE };

static int open_ref(const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_NO_SYMLINKS};
	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

static enum alias alias_to(char *name, char target[REF_MAX])
{
	name[strcspn(name, "\r\n")] = '\0';
	name += strspn(name, " \t");
	for (size_t len = strlen(name); len > 0 && strchr(" \t", name[len - 1]); len--)
		name[len - 1] = '\0';
	strcpy(target, name);
	return ALIAS;
}

/* Before it had symbolic refs, git made a link whose text is a ref, and follows that by name still. Other links it
 * follows as the kernel does, to wherever they lead. */
static enum alias alias_by_link(const char *ref, char target[REF_MAX])
{
	char folder[REF_MAX], text[REF_MAX];
	strcpy(folder, ref);
	*strrchr(folder, '/') = '\0';
	int dir = open_ref(folder, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return UNREADABLE;
	ssize_t n = readlinkat(dir, ref + strlen(folder) + 1, text, sizeof(text) - 1);
	close(dir);
	if (n <= 0 || (size_t)n >= sizeof(text) - 1)
		return UNREADABLE;
	text[n] = '\0';
	return strncmp(text, "refs/", 5) ? UNREADABLE : alias_to(text, target);
}

/* As git reads a ref that has a file of its own. */
static enum alias alias_of(const char *ref, char target[REF_MAX])
{
	char text[REF_MAX];
	int fd = open_ref(ref, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ELOOP)
		return alias_by_link(ref, target);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? NO_ALIAS : UNREADABLE;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	bool folder = n < 0 && errno == EISDIR;
	close(fd);
	if (folder)
		return NO_ALIAS;
	if (n <= 0 || (size_t)n >= sizeof(text) - 1)
		return UNREADABLE;
	text[n] = '\0';
	return strncmp(text, "ref:", 4) ? NO_ALIAS : alias_to(text + 4, target);
}

/* git moves the target of a symref that is pushed to, while it names the symref: both must be allowed. */
static bool may_update(const char *ref, const char *old, const char *new)
{
	char now[REF_MAX], target[REF_MAX];
	const char *kind = kind_of(ref, old, new);
	/* In a reftable a symref is no file, and what cannot be read cannot be decided. */
	if (access("reftable", F_OK) == 0) {
		fputs("Repositories in the reftable format are not served.\n", stderr);
		return false;
	}
	if (strlen(ref) >= sizeof(now) || strncmp(ref, "refs/", 5) || strstr(ref, "..")) {
		fputs("Strange ref name.\n", stderr);
		return false;
	}
	strcpy(now, ref);
	for (int depth = 0; depth <= ALIAS_DEPTH; depth++) {
		if (ask(now, kind) != GLT_ALLOW)
			return false;
		enum alias alias = alias_of(now, target);
		if (alias == NO_ALIAS)
			return true;
		if (alias == UNREADABLE) {
			fputs("This ref cannot be read, so what it stands for cannot be decided.\n", stderr);
			return false;
		}
		if (strncmp(target, "refs/", 5) || strstr(target, ".."))
			break;
		strcpy(now, target);
	}
	fputs("This ref is an alias that leads too far or out of refs/.\n", stderr);
	return false;
}

/* ---- post-receive: write down what was changed ---- */

static void log_change(char *text)
{
	char *save = NULL;
	const char *old = strtok_r(text, " ", &save), *new = strtok_r(NULL, " ", &save);
	const char *ref = strtok_r(NULL, "\n", &save);
	struct glt_log_line line;
	glt_log_begin(&line, getenv(GLT_LOG_VARIABLE), "ref");
	glt_log_add(&line, "decision", "allow");
	glt_log_add(&line, "ref", ref);
	glt_log_add(&line, "old", old);
	glt_log_add(&line, "new", new);
	glt_transfer_log(&line, LOG_INFO, NULL);
}

/* Read the list, log it, and leave it on stdin again for the repository's own hook. */
static bool log_changes(void)
{
	int fd = memfd_create("post-receive", MFD_CLOEXEC);
	FILE *copy = fd < 0 ? NULL : fdopen(fd, "w+");
	char *line = NULL;
	size_t room = 0;
	if (!copy)
		return false;
	while (getline(&line, &room, stdin) > 0) {
		fputs(line, copy);
		log_change(line);
	}
	free(line);
	return !fflush(copy) && lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) == 0;
}

/* ---- the repository's own hook ---- */

/* It gets what git gives hooks, without what is ours: not the ticket, and not the settings that led here. */
static void forget(void)
{
	char name[64];
	unsigned long n = strtoul(variable("GIT_CONFIG_COUNT"), NULL, 10);
	for (unsigned long i = 0; i < n && i < 64; i++) {
		snprintf(name, sizeof(name), "GIT_CONFIG_KEY_%lu", i);
		unsetenv(name);
		snprintf(name, sizeof(name), "GIT_CONFIG_VALUE_%lu", i);
		unsetenv(name);
	}
	unsetenv("GIT_CONFIG_COUNT");
	unsetenv("GIT_CONFIG_PARAMETERS");
	char *ticket = getenv("GLTOKEN_SESSION");
	if (ticket)
		explicit_bzero(ticket, strlen(ticket));
	unsetenv("GLTOKEN_SESSION");
}

static int become_own_hook(const char *name, char **argv)
{
	char path[4096];
	const char *dir = getenv(GLT_HOOKS_VARIABLE);
	int n = snprintf(path, sizeof(path), "%s/%s", dir && *dir ? dir : "hooks", name);
	forget();
	unsetenv(GLT_HOOKS_VARIABLE);
	if (n < 0 || (size_t)n >= sizeof(path))
		return 1;
	/* git runs a hook only if it may be executed, and is silent about one that is absent. */
	if (access(path, X_OK) != 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : 1;
	argv[0] = path;
	execv(path, argv);
	fprintf(stderr, "cannot run the hook %s: %m\n", name);
	return 1;
}

int main(int argc, char **argv)
{
	const char *base = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = base ? base + 1 : argc > 0 ? argv[0] : "";
	openlog("gltoken-hook", LOG_PID, LOG_AUTHPRIV);

	if (!strcmp(name, GLT_PACK_HOOK))
		return glt_transfer_pack(argv + 1);
	if (!strcmp(name, "pre-receive"))
		glt_transfer_pushed();
	if (!strcmp(name, "proc-receive")) {
		fputs("receive.procReceiveRefs is not served here: such refs would pass by the check.\n", stderr);
		return 1;
	}
	if (!strcmp(name, "update") && (argc != 4 || !may_update(argv[1], argv[2], argv[3])))
		return 1;
	if (!strcmp(name, "post-receive") && !log_changes()) {
		fputs("The list of changed refs cannot be kept: its hook is not run.\n", stderr);
		return 1;
	}
	return become_own_hook(name, argv);
}
