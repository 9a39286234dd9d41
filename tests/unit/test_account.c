/* SPDX-License-Identifier: MIT */
/* Unix accounts: what is not there, against what cannot be asked now. And becoming another account for good. */
#include "account.h"
#include "passwd.h"
#include "privdrop.h"

#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void found(void **state)
{
	struct glt_account a, b;
	struct passwd *pw;
	struct glt_err err;

	(void)state;
	pw = getpwnam("nobody");
	if (!pw)
		skip();
	assert_int_equal(glt_account_by_name("nobody", &a, &err), GLT_OK);
	assert_string_equal(a.name, "nobody");
	assert_true(a.uid == pw->pw_uid && a.gid == pw->pw_gid);
	assert_string_equal(a.home, pw->pw_dir);
	assert_string_equal(a.shell, pw->pw_shell);
	assert_int_equal(glt_account_by_uid(a.uid, &b, &err), GLT_OK);
	assert_int_equal(b.uid, a.uid);
	assert_int_equal(glt_account_by_uid(0, &b, &err), GLT_OK);
	assert_string_equal(b.name, "root");
}

/* What is read directly is what NSS finds, for every account there is. */
static void the_same_as_nss(void **state)
{
	struct passwd *pw;
	size_t n = 0;

	(void)state;
	setpwent();
	while ((pw = getpwent())) {
		struct glt_account a;
		struct glt_err err;
		struct passwd *first;
		uid_t uid = pw->pw_uid;

		assert_int_equal(glt_account_by_name(pw->pw_name, &a, &err), GLT_OK);
		assert_int_equal(a.uid, uid);
		assert_int_equal(a.gid, pw->pw_gid);
		assert_string_equal(a.home, pw->pw_dir);
		assert_string_equal(a.shell, pw->pw_shell);
		assert_int_equal(glt_account_by_uid(uid, &a, &err), GLT_OK);
		first = getpwuid(uid);
		assert_non_null(first);
		assert_string_equal(a.name, first->pw_name);
		n++;
	}
	endpwent();
	assert_true(n > 0);
}

static void order_of_the_sources(void **state)
{
	static const struct {
		const char *text;
		bool first;
	} t[] = {
		{"passwd: files\n", true},
		{"passwd:files systemd\n", true},
		{"# passwd: ldap\n\n \tpasswd:\tfiles ldap # x\ngroup: ldap\n", true},
		{"passwd: files", true},
		{"passwd: ldap\npasswd: files\n", true},
		{"passwd: files\npasswd: ldap\n", false},
		{"passwd: ldap files\n", false},
		{"passwd: files [SUCCESS=merge] ldap\n", false},
		{"passwd: files[SUCCESS=continue] ldap\n", false},
		{"passwd: filesystem\n", false},
		{"passwd: compat\n", false},
		{"passwd:\n", false},
		{"passwd: # files\n", false},
		{"passwd_compat: files\n", false},
		{"group: files\n", false},
		{"\n", false},
	};
	char line[1200];
	FILE *f;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		strcpy(line, t[i].text);
		f = fmemopen(line, strlen(line), "r");
		assert_non_null(f);
		if (glt_passwd_files_first(f) != t[i].first)
			fail_msg("'%s'", t[i].text);
		fclose(f);
	}
	/* a line too long to be read whole may go on with anything */
	memset(line, ' ', sizeof(line));
	memcpy(line, "passwd: files", 13);
	strcpy(line + 1100, "[SUCCESS=continue] ldap\n");
	f = fmemopen(line, strlen(line), "r");
	assert_non_null(f);
	assert_false(glt_passwd_files_first(f));
	fclose(f);
}

static void not_found(void **state)
{
	static const char *const names[] = {"no-such-account", "NOBODY", "nobody ", "",
					    "nobody:x",        "nobod",  "nobody\n"};
	struct glt_account a;
	struct glt_err err;
	uid_t uid = 3999999999u;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (glt_account_by_name(names[i], &a, &err) != GLT_NOT_FOUND)
			fail_msg("account '%s'", names[i]);
		assert_non_null(strstr(err.text, "no account"));
	}
	assert_int_equal(glt_account_by_uid(uid, &a, &err), GLT_NOT_FOUND);
	assert_non_null(strstr(err.text, "3999999999"));
}

/* Without file descriptors NSS cannot read its files: that is no proof that an account is gone. */
static int ask_without_fds(const char *name)
{
	const struct rlimit none = {0, 0};
	struct glt_account a;
	struct glt_err err;
	bool in = true;

	if (setrlimit(RLIMIT_NOFILE, &none) != 0)
		return 2;
	if (glt_account_by_name(name, &a, &err) != GLT_UNAVAILABLE || !strstr(err.text, "now"))
		return 3;
	if (glt_account_by_uid(0, &a, &err) != GLT_UNAVAILABLE)
		return 4;
	in = true;
	strcpy(a.name, "nobody");
	return glt_account_in_group(&a, "nogroup", &in, &err) == GLT_UNAVAILABLE && !in ? 0 : 5;
}

static void cannot_ask(void **state)
{
	static const char *const names[] = {"nobody", "no-such-account"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(ask_without_fds(names[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static void shells(void **state)
{
	static const struct {
		const char *shell;
		enum glt_shell want;
	} cases[] = {
		{GLT_SHELL_PATH, GLT_SHELL_GLTOKEN},
		{"/usr/bin/git-shell", GLT_SHELL_GIT},
		{"/opt/git/bin/git-shell", GLT_SHELL_GIT},
		{"/bin/bash", GLT_SHELL_OTHER},
		{"", GLT_SHELL_OTHER},
		{"git-shell", GLT_SHELL_OTHER},
		{"/tmp/gltoken-shell", GLT_SHELL_OTHER}, /* only the installed one */
		{GLT_SHELL_PATH "x", GLT_SHELL_OTHER},
		{"/usr/bin/not-git-shell", GLT_SHELL_OTHER},
		{"/usr/bin/git-shell ", GLT_SHELL_OTHER},
		{"/usr/sbin/nologin", GLT_SHELL_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct glt_account a = {.name = "x"};

		strcpy(a.shell, cases[i].shell);
		if (glt_account_shell(&a) != cases[i].want)
			fail_msg("shell '%s'", cases[i].shell);
	}
}

static void groups(void **state)
{
	struct glt_account root;
	struct glt_err err;
	struct group *gr;
	char own[64];
	bool in = true;

	(void)state;
	assert_int_equal(glt_account_by_name("root", &root, &err), GLT_OK);
	gr = getgrgid(root.gid);
	assert_non_null(gr);
	assert_true(strlen(gr->gr_name) < sizeof(own));
	strcpy(own, gr->gr_name);
	assert_int_equal(glt_account_in_group(&root, own, &in, &err), GLT_OK);
	assert_true(in);
	/* A group that does not exist has no members; that is no error. */
	assert_int_equal(glt_account_in_group(&root, "no-such-group", &in, &err), GLT_OK);
	assert_false(in);
	in = true;
	gr = getgrnam("nogroup") ? getgrnam("nogroup") : getgrnam("nobody");
	if (!gr)
		skip();
	strcpy(own, gr->gr_name);
	assert_int_equal(glt_account_in_group(&root, own, &in, &err), GLT_OK);
	assert_false(in);
}

/* ---- privdrop ---- */

static int drop_to(uid_t uid, gid_t gid)
{
	const gid_t supplementary[] = {1, 2, 4244};
	struct glt_err err;
	gid_t list[8];
	uid_t r, e, s;

	if (setgroups(3, supplementary) != 0 || glt_privdrop(uid, gid, &err) != GLT_OK)
		return 2;
	if (getresuid(&r, &e, &s) != 0 || r != uid || e != uid || s != uid)
		return 3;
	if (getgid() != gid || getegid() != gid || getgroups(8, list) != 0)
		return 4;
	if (setuid(0) == 0 || seteuid(0) == 0 || setresuid(0, 0, 0) == 0 || setgid(0) == 0)
		return 5;
	if (prctl(PR_GET_DUMPABLE) != 0)
		return 6;
	/* Being that account already, it is only proved; another one cannot be reached. */
	if (prctl(PR_SET_DUMPABLE, 1) != 0 || glt_privdrop(uid, gid, &err) != GLT_OK || prctl(PR_GET_DUMPABLE) != 0)
		return 7;
	return glt_privdrop(uid + 1, gid, &err) == GLT_REFUSED && strstr(err.text, "root") ? 0 : 8;
}

static void drop(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(drop_to(4242, 4243));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Half a drop is worse than none: a way back is noticed and ends the process. */
static void way_back(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit no_core = {0, 0};
		struct glt_err err;

		(void)signal(SIGABRT, SIG_DFL);
		(void)setrlimit(RLIMIT_CORE, &no_core);
		if (setresgid(4243, 4243, 4243) != 0 || setresuid(4242, 4242, 0) != 0)
			_exit(2);
		(void)glt_privdrop(4242, 4243, &err);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First, for an NSS module that is loaded already may answer for those that fail. */
		cmocka_unit_test(cannot_ask),      cmocka_unit_test(found),
		cmocka_unit_test(the_same_as_nss), cmocka_unit_test(order_of_the_sources),
		cmocka_unit_test(not_found),       cmocka_unit_test(shells),
		cmocka_unit_test(groups),          cmocka_unit_test(drop),
		cmocka_unit_test(way_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
