/* SPDX-License-Identifier: MIT */
#include "tools/gitenv.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void read_answer(struct glt_message *m, const char *pairs)
{
	bool allow;
	glt_message_init(m);
	m->len = (size_t)snprintf(m->text, sizeof(m->text), "%sverdict=allow\n", pairs);
	assert_true(glt_message_parse_reply(m, &allow));
	assert_true(allow);
}

static const char *value(const struct glt_gitenv *e, const char *name)
{
	size_t n = strlen(name);
	const char *found = NULL;
	for (size_t i = 0; e->var[i]; i++) {
		if (strncmp(e->var[i], name, n) || e->var[i][n] != '=')
			continue;
		assert_null(found); /* never twice */
		found = e->var[i] + n + 1;
	}
	return found;
}

#define assert_value(e, name, want) assert_string_equal(value(e, name), want)

static struct glt_repo repo = {.fd = -1, .project = "demo/hello", .directory = "/srv/git/demo/hello.git"};

static void build(struct glt_gitenv *e, struct glt_message *answer, const char *git_protocol, bool push)
{
	struct glt_gitenv_from from = {.via = "ssh",
				       .account = "git",
				       .home = "/var/lib/git",
				       .repo = &repo,
				       .git_protocol = git_protocol,
				       .answer = answer,
				       .push = push,
				       .ticket = push ? "v1.ticket" : NULL};
	glt_gitenv_init(e, &from);
}

static void token_session(void **state)
{
	(void)state;
	struct glt_message answer;
	struct glt_gitenv e;
	read_answer(&answer,
		    "reason=ok\nid=12\ntype=project\nname=deploy bot\nowner=project_1_bot_ab\nrole=developer\n"
		    "scopes=read_repository,write_repository\ngl_id=user-7\nproject_id=1\n"
		    "ticket=v1.t.12.secret\nvisible=yes\n");
	build(&e, &answer, "version=2", true);
	assert_true(glt_gitenv_end(&e));

	assert_value(&e, "GL_ID", "user-7");
	assert_value(&e, "GL_USERNAME", "project_1_bot_ab");
	assert_value(&e, "GL_USER", "project_1_bot_ab");
	assert_value(&e, "GL_PROJECT_PATH", "demo/hello");
	assert_value(&e, "GL_REPO", "demo/hello");
	assert_value(&e, "GL_REPOSITORY", "project-1");
	assert_value(&e, "GL_PROTOCOL", "ssh");
	assert_value(&e, "GLTOKEN_ID", "12");
	assert_value(&e, "GLTOKEN_NAME", "deploy bot");
	assert_value(&e, "GLTOKEN_ROLE", "developer");
	assert_value(&e, "GLTOKEN_SCOPES", "read_repository,write_repository");
	assert_value(&e, "HOME", "/var/lib/git");
	assert_value(&e, "USER", "git");
	assert_value(&e, "GIT_PROTOCOL", "version=2");
	assert_value(&e, "GIT_CONFIG_COUNT", "3");
	assert_value(&e, "GIT_CONFIG_KEY_0", "safe.directory");
	assert_value(&e, "GIT_CONFIG_VALUE_0", ".");
	assert_value(&e, "GIT_CONFIG_KEY_1", "safe.directory");
	assert_value(&e, "GIT_CONFIG_VALUE_1", "/srv/git/demo/hello.git");
	assert_value(&e, "GIT_CONFIG_KEY_2", "core.hooksPath");
	assert_value(&e, "GIT_CONFIG_VALUE_2", GLT_LIBEXECDIR "/hooks");
	assert_null(value(&e, "GIT_NO_REPLACE_OBJECTS"));
	assert_value(&e, "GLTOKEN_SESSION", "v1.ticket"); /* for the dispatcher of hooks, which keeps it */
	for (size_t i = 0; e.var[i]; i++)
		assert_null(strstr(e.var[i], "secret"));
}

static void key_session(void **state)
{
	(void)state;
	struct glt_message answer;
	struct glt_gitenv e;
	read_answer(&answer, "reason=ok\nid=3\ntype=key\nname=laptop\nowner=alice\nrole=maintainer\ngl_id=key-3\n");
	build(&e, &answer, NULL, false);
	assert_true(glt_gitenv_end(&e));
	assert_value(&e, "GL_ID", "key-3");
	assert_value(&e, "GLTOKEN_ROLE", "maintainer");
	assert_null(value(&e, "GLTOKEN_ID"));
	assert_null(value(&e, "GLTOKEN_SESSION"));
	assert_null(value(&e, "GLTOKEN_NAME"));
	assert_null(value(&e, "GLTOKEN_SCOPES"));
	assert_null(value(&e, "GL_REPOSITORY"));
	assert_null(value(&e, "GIT_PROTOCOL"));
	assert_value(&e, "GIT_NO_REPLACE_OBJECTS", "1");
}

static void protocols(void **state)
{
	(void)state;
	static const char *const good[] = {"version=0", "version=1", "version=2", "version=2:x=y",
					   "version=1:a:b=c-d"};
	static const char *const bad[] = {
		"",          "version=",    "version=3",   "version=22",  "version=2 ",     "version=2;x",
		"Version=2", "x=version=2", "version=2:X", "version=2\n", "version=2:$(id)"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(glt_git_protocol_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(glt_git_protocol_valid(bad[i]));
	char text[400] = "version=2:";
	memset(text + 10, 'a', 246);
	assert_true(glt_git_protocol_valid(text));
	text[256] = 'a';
	assert_false(glt_git_protocol_valid(text));

	struct glt_message answer;
	struct glt_gitenv e;
	read_answer(&answer, "reason=ok\n");
	build(&e, &answer, "version=2;id", false);
	assert_null(value(&e, "GIT_PROTOCOL"));
}

static void too_much(void **state)
{
	(void)state;
	struct glt_message answer;
	struct glt_gitenv e;
	static char big[sizeof(e.text)];
	read_answer(&answer, "reason=ok\n");

	build(&e, &answer, NULL, false);
	memset(big, 'x', sizeof(big) - 1);
	glt_gitenv_add(&e, "BIG", big);
	assert_false(glt_gitenv_end(&e));

	build(&e, &answer, NULL, false);
	for (int i = 0; i < 100; i++)
		glt_gitenv_add(&e, "X", "y");
	assert_false(glt_gitenv_end(&e));
	assert_null(e.var[e.n]);

	/* and git is not run then */
	char git[] = "git";
	char *const args[] = {git, NULL};
	glt_gitenv_exec(&e, &repo, 022, args);
	assert_int_equal(errno, E2BIG);
}

static size_t slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n = read(fd, buf, size - 1);
	close(fd);
	assert_true(n > 0);
	buf[n] = '\0';
	return (size_t)n;
}

/* Real git, of a caller with a hostile environment, ignored signals and an open umask, in a repository of another
 * owner. An alias shows what it got. */
static void runs_git(void **state)
{
	(void)state;
	char top[] = "/tmp/test_gitenv.XXXXXX", path[128], out[128], text[16384];
	assert_non_null(mkdtemp(top));
	assert_int_equal(chmod(top, 0777), 0);
	snprintf(text, sizeof(text),
		 "cd %s && git init -q --bare x.git && git -C x.git config alias.told "
		 "'!{ env; umask; echo cwd=$(pwd); grep SigIgn /proc/self/status; } >%s/out' && %s",
		 top, top, geteuid() ? "true" : "chown -R 65533 x.git");
	assert_int_equal(system(text), 0);
	snprintf(path, sizeof(path), "%s/x.git", top);
	snprintf(out, sizeof(out), "%s/out", top);

	pid_t pid = fork();
	if (!pid) {
		struct glt_message answer;
		struct glt_gitenv e;
		struct glt_repo r = {.project = "x"};
		read_answer(&answer, "reason=ok\nid=1\ntype=personal\nowner=alice\n");
		strcpy(r.directory, path);
		r.fd = open(path, O_PATH | O_CLOEXEC);
		static const char *const hostile[] = {"LD_PRELOAD",     "BASH_ENV",        "ENV",
						      "GIT_DIR",        "GIT_EXEC_PATH",   "GIT_CONFIG_GLOBAL",
						      "GIT_TRACE",      "GIT_SSH_COMMAND", "TZ",
						      "GIT_NAMESPACE",  "GLTOKEN_SESSION", "GL_ID",
						      "XDG_CONFIG_HOME"};
		for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++)
			setenv(hostile[i], "hostile", 1);
		setenv("PATH", "/nonexistent", 1);
		signal(SIGPIPE, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		umask(0);
		struct glt_gitenv_from from = {
			.via = "http", .account = "git", .home = "/nonexistent", .repo = &r, .answer = &answer};
		glt_gitenv_init(&e, &from);
		char git[] = "git", told[] = "told", *const args[] = {git, told, NULL};
		if (!geteuid() && (setgid(65534) || setuid(65534)))
			_exit(98);
		glt_gitenv_exec(&e, &r, 027, args);
		_exit(99);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
	slurp(out, text, sizeof(text));
	assert_null(strstr(text, "hostile"));
	assert_non_null(strstr(text, "GL_PROTOCOL=http\n"));
	assert_non_null(strstr(text, "\n0027\n"));
	assert_non_null(strstr(text, "x.git\n"));
	/* 32 and 33 are the C library's own, which it lets nobody set. */
	const char *ignored = strstr(text, "SigIgn:\t");
	assert_non_null(ignored);
	assert_int_equal(strtoull(ignored + 8, NULL, 16) & ~UINT64_C(0x180000000), 0);
	snprintf(text, sizeof(text), "rm -rf %s", top);
	assert_int_equal(system(text), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token_session), cmocka_unit_test(key_session), cmocka_unit_test(protocols),
		cmocka_unit_test(too_much),      cmocka_unit_test(runs_git),
	};
	return cmocka_run_group_tests_name("gitenv", tests, NULL, NULL);
}
