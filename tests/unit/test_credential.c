/* SPDX-License-Identifier: MIT */
/* git-credential-gltoken as git starts it, up to where it needs a host. */
#include "tmpdir.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PROGRAM "tools/git-credential-gltoken" /* make check runs in the build directory */

static char out[16384];

static void conf(const char *text)
{
	tmpdir_file("gltoken/credentials", text, 0600);
}

/* request: attributes parted by blanks. */
static void run(const char *action, const char *request)
{
	char program[PATH_MAX], *line;

	assert_non_null(realpath(PROGRAM, program));
	assert_true(asprintf(&line,
			     "cd %s && printf '%%s\\n' %s '' | env -i PATH=/usr/bin:/bin HOME=%s XDG_CONFIG_HOME=%s "
			     "%s %s 2>&1; echo rc=$?",
			     tmpdir, request, tmpdir, tmpdir, program, action) > 0);
	FILE *f = popen(line, "r");
	assert_non_null(f);
	size_t n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	(void)pclose(f);
	free(line);
}

static void says(const char *text)
{
	if (!strstr(out, text))
		fail_msg("no <%s> in <%s>", text, out);
}

static void gives(const char *request, const char *token)
{
	char want[256];

	run("get", request);
	(void)snprintf(want, sizeof(want), "username=git\npassword=%s\nrc=0\n", token);
	assert_string_equal(out, want);
}

static void gives_nothing(const char *request)
{
	run("get", request);
	assert_string_equal(out, "rc=0\n");
}

#define SECTION(url, token) "[gltoken \"" url "\"]\n\ttokenCommand = echo " token "\n"
#define AT "protocol=https host=git.example.org "

static void longest_path_wins(void **state)
{
	(void)state;
	conf(SECTION("https://git.example.org/git/demo", "demo")
		     SECTION("https://git.example.org/git/demo/hello.git", "hello")
			     SECTION("https://git.example.org/", "rest")
				     SECTION("https://git.example.org:8443/git", "port"));
	gives(AT "path=git/demo/other.git", "demo");
	gives(AT "path=git/demo", "demo");
	gives(AT "path=git/demo.git", "demo");
	gives(AT "path=git/demo/hello", "hello");
	gives(AT "path=git/demo/hello.git", "hello");
	gives(AT "path=git/demo/hello.git/info/lfs", "hello");
	gives(AT "path=git/demo/hello2.git", "demo");
	gives(AT "path=git/demolition/x.git", "rest");
	gives(AT, "rest");
	gives("protocol=https host=GIT.example.org:443 path=git/demo/x", "demo");
	gives("protocol=https host=git.example.org:8443 path=git/x", "port");
	gives_nothing("protocol=https host=git.example.org:8443 path=other");
	gives_nothing("protocol=http host=git.example.org path=git/demo");
	gives_nothing("protocol=https host=git.example.org.evil.net path=git/demo");
	gives_nothing("protocol=https host=example.org path=git/demo");
	gives_nothing("protocol=https path=git/demo");
}

static void without_a_path(void **state)
{
	(void)state;
	conf(SECTION("https://git.example.org/demo", "demo"));
	gives(AT, "demo");
	gives_nothing(AT "path=other");
	conf(SECTION("https://git.example.org/demo", "demo") SECTION("https://git.example.org/other", "other"));
	run("get", AT);
	says("2 tokens for git.example.org");
	says("credential.https://git.example.org.useHttpPath true");
	says("\nrc=0");
	assert_null(strstr(out, "password="));
}

static void user_names(void **state)
{
	(void)state;
	conf(SECTION("https://git.example.org/", "robot") "\tusername = robot\n");
	run("get", AT);
	says("username=robot\npassword=robot\n");
	run("get", AT "username=robot");
	says("username=robot\npassword=robot\n");
	gives_nothing(AT "username=alice");
	conf(SECTION("https://git.example.org/", "any"));
	run("get", AT "username=alice");
	says("username=alice\npassword=any\n");
}

static void token_files(void **state)
{
	(void)state;
	conf("[gltoken \"https://git.example.org\"]\ntokenFile = ~/token\n");
	tmpdir_file("token", "glpat-AbCdEf0123456789abcd\n", 0600);
	gives(AT, "glpat-AbCdEf0123456789abcd");
	tmpdir_file("token", "glpat-AbCdEf0123456789abcd\n", 0644);
	run("get", AT);
	says("chmod 600");
	says("\nquit=1\n");
	assert_null(strstr(out, "glpat"));
	tmpdir_file("token", "two\nlines\n", 0600);
	run("get", AT);
	says("quit=1\nrc=1");
	conf("[gltoken \"https://git.example.org\"]\ntokenCommand = \"echo hidden; exit 1\"\n");
	run("get", AT);
	says("the command gave no token");
	says("quit=1\nrc=1");
	assert_null(strstr(out, "hidden"));
}

static void expiry(void **state)
{
	(void)state;
	tmpdir_file("token", "glpat-AbCdEf0123456789abcd\n", 0600);
	conf("[gltoken \"https://git.example.org\"]\ntokenFile = ~/token\n");
	tmpdir_file("token.expires", "glpat-AbCdEf 2999-01-31T00:00:00Z\n", 0600);
	run("get", AT);
	assert_string_equal(
		out, "username=git\npassword=glpat-AbCdEf0123456789abcd\npassword_expiry_utc=32474736000\nrc=0\n");
	tmpdir_file("token.expires", "glpat-Another 2999-01-31T00:00:00Z\n", 0600);
	gives(AT, "glpat-AbCdEf0123456789abcd");
	tmpdir_file("token.expires", "glpat-AbCdEf never\n", 0600);
	gives(AT, "glpat-AbCdEf0123456789abcd");
	/* It may have been given more time since: the host says. */
	tmpdir_file("token.expires", "glpat-AbCdEf 2020-01-31T00:00:00Z\n", 0600);
	run("get", AT);
	says("expired on 2020-01-31T00:00:00Z");
	says("\npassword=glpat-AbCdEf0123456789abcd\nrc=0\n");
	conf(SECTION("https://git.example.org", "x") "\texpires = 50h\n");
	run("get", AT);
	says("expires in 2 days, on 20");
	conf(SECTION("https://git.example.org", "x") "\texpires = 50m\n");
	run("get", AT);
	says("expires in 1 hours, on 20");
	conf(SECTION("https://git.example.org", "x") "\texpires = 8d\n");
	run("get", AT);
	assert_null(strstr(out, "warning"));
	says("password_expiry_utc=");
}

static void erased_and_stored(void **state)
{
	(void)state;
	tmpdir_file("token", "glpat-AbCdEf0123456789abcd\n", 0600);
	tmpdir_file("token.expires", "", 0600);
	conf("[gltoken \"https://git.example.org\"]\ntokenFile = ~/token\n");
	run("erase", AT "username=git password=glpat-AbCdEf0123456789abcd");
	says("https://git.example.org refused the token in ");
	run("erase", AT "username=git password=another");
	assert_string_equal(out, "rc=0\n");
	run("store", AT "username=git password=another");
	assert_string_equal(out, "rc=0\n");
	run("something-new", AT);
	assert_string_equal(out, "rc=0\n");
	gives(AT, "glpat-AbCdEf0123456789abcd");
}

static void bad_configuration(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"[gltoken]\nusername = x\n", "only sections [gltoken \"URL\"] are known"},
		{"[core]\nbare = true\n", "only sections [gltoken \"URL\"] are known"},
		{SECTION("https://git.example.org", "x") "colour = red\n", "unknown key 'colour'"},
		{SECTION("git.example.org", "x"), "must be named after a URL"},
		{SECTION("ssh://git.example.org", "x"), "must be named after a URL"},
		{SECTION("https:///x", "x"), "must be named after a URL"},
		{SECTION("https://me@git.example.org", "x"), "user name in its URL"},
		{SECTION("https://git.example.org", "x") "tokenFile = /x\n", "either tokenFile or tokenCommand"},
		{"[gltoken \"https://git.example.org\"]\nusername = x\n", "either tokenFile or tokenCommand"},
		{"[gltoken \"https://git.example.org\"]\ntokenFile = token\n", "must begin with / or ~/"},
		{SECTION("https://git.example.org", "x") "rotate = 7d\n", "needs tokenFile and ssh"},
		{SECTION("https://git.example.org", "x") "rotate = soon\n", "rotate 'soon'"},
		{SECTION("https://git.example.org", "x") "ssh = -oProxyCommand=x\n", "must be a host"},
		{SECTION("https://git.example.org", "x") "username = \"a\\npassword=b\"\n", "must be one line"},
		{"[gltoken \"https://git.example.org\n", "cannot be used"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		conf(bad[i].text);
		run("get", AT);
		says(bad[i].why);
		says("rc=1");
		assert_null(strstr(out, "password="));
	}
	conf(SECTION("https://git.example.org", "x"));
	tmpdir_file("gltoken/credentials", SECTION("https://git.example.org", "x"), 0622);
	run("get", AT);
	says("chmod go-w");
	assert_null(strstr(out, "password="));
}

static void usage(void **state)
{
	(void)state;
	run("", AT);
	says("usage: git-credential-gltoken");
	says("rc=2");
	run("--help", AT);
	says("rc=0");
	run("get", "nonsense");
	says("a line without =");
	says("rc=1");
}

static int setup(void **state)
{
	char path[64];

	if (tmpdir_setup(state) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/gltoken", tmpdir);
	return mkdir(path, 0700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_path_wins),
		cmocka_unit_test(without_a_path),
		cmocka_unit_test(user_names),
		cmocka_unit_test(token_files),
		cmocka_unit_test(expiry),
		cmocka_unit_test(erased_and_stored),
		cmocka_unit_test(bad_configuration),
		cmocka_unit_test(usage),
	};

	return cmocka_run_group_tests(tests, setup, tmpdir_teardown);
}
