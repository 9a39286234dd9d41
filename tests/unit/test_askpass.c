/* SPDX-License-Identifier: MIT */
/* The program as ssh and git start it. A shell stands for the one that asks: what it starts has it for a parent. */
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

#define PROGRAM "tools/gltoken-askpass" /* make check runs in the build directory */
#define TOKEN "glpat-AbCdEf0123456789abcd"

static char top[64], out[16384];

/* Run a script with nothing in its environment but what it exports; `ask PROMPT...` asks. out is both outputs. */
static void run(const char *script)
{
	char program[PATH_MAX], *line;
	assert_non_null(realpath(PROGRAM, program));
	assert_true(asprintf(&line,
			     "cd %s && rm -rf note && mkdir -m 700 note && env -i PATH=/usr/bin:/bin P=%s sh -c '"
			     "export XDG_RUNTIME_DIR=$PWD/note GLTOKEN_TOKEN_FILE=$PWD/token; "
			     "ask() { \"$P\" \"$*\"; echo rc=$?; }; %s' 2>&1",
			     top, program, script) > 0);
	FILE *f = popen(line, "r");
	assert_non_null(f);
	size_t n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	pclose(f);
	free(line);
}

static void says(const char *text)
{
	if (!strstr(out, text))
		fail_msg("no <%s> in <%s>", text, out);
}

static void hides(const char *text)
{
	if (strstr(out, text))
		fail_msg("<%s> in <%s>", text, out);
}

static void write_token(const char *text, mode_t mode)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/token", top);
	unlink(path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int fresh(void **state)
{
	(void)state;
	write_token(TOKEN "\n", 0600);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/test_askpass.XXXXXX");
	return !mkdtemp(top);
}

static int teardown(void **state)
{
	(void)state;
	char line[128];
	snprintf(line, sizeof(line), "rm -rf %s", top);
	return system(line);
}

static void prompts(void **state)
{
	(void)state;
	static const char *const answered[] = {"\"git@host'\\''s password: \"",
					       "\"(git@host) Password (access token): \"",
					       "\"(git@host) Password: \"", "\"Password for https://git@host: \""};
	static const char *const refused[] = {
		"\"Are you sure you want to continue connecting (yes/no/[fingerprint])? \"",
		"\"The authenticity of host password.host cannot be established. (yes/no)? \"",
		"\"Enter passphrase for key /home/a/password: \"",
		"\"Enter PIN for key: \"",
		"\"New password: \"",
		"\"Retype new password: \"",
		"\"Enter git@host old password: \"",
		"\"Current password: \"",
		"\"\"",
		"\"Verification code: \"",
	};
	char line[512];
	for (size_t i = 0; i < sizeof(answered) / sizeof(*answered); i++) {
		snprintf(line, sizeof(line), "ask %s", answered[i]);
		run(line);
		assert_string_equal(out, TOKEN "\nrc=0\n");
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		snprintf(line, sizeof(line), "ask %s", refused[i]);
		run(line);
		hides(TOKEN);
		says("rc=1");
	}
	run("export SSH_ASKPASS_PROMPT=confirm; ask \"Allow use of key password? \"");
	assert_string_equal(out, "rc=1\n");
}

static void user_name(void **state)
{
	(void)state;
	run("ask \"Username for https://host: \"; ask \"Username for https://host: \"");
	assert_string_equal(out, "git\nrc=0\ngit\nrc=0\n");
	run("export GLTOKEN_USERNAME=gitlab+deploy-token-1; ask \"Username for https://host: \"");
	assert_string_equal(out, "gitlab+deploy-token-1\nrc=0\n");
	/* and the one answer for a password is still there */
	run("ask \"Username for https://host: \"; ask \"Password for https://git@host: \"");
	assert_string_equal(out, "git\nrc=0\n" TOKEN "\nrc=0\n");
}

static void once_for_each_who_asks(void **state)
{
	(void)state;
	run("ask password:; ask password:; ask password:");
	char *first = strstr(out, TOKEN);
	assert_non_null(first);
	assert_null(strstr(first + 1, TOKEN));
	says("rc=0\ngltoken-askpass: the token was refused");
	says("rc=1\ngltoken-askpass: the token was refused");

	/* another process is another login */
	run("ask password:; sh -c \"\\$P password:; :\"; ls note/gltoken-askpass");
	first = strstr(out, TOKEN);
	assert_non_null(first);
	assert_non_null(strstr(first + 1, TOKEN));

	/* the note is empty, of nobody else, and gone with the process it stands for */
	run("sh -c \"\\$P password:; :\"; sh -c \"\\$P password:; stat -c %a:%s note/*/* note/gltoken-askpass\"");
	says("\n600:0\n700:");
	assert_null(strstr(strstr(out, "600:0") + 1, "600:0"));
}

static void an_unreadable_token_uses_up_nothing(void **state)
{
	(void)state;
	run("mv token t; ask password:; mv t token; ask password:");
	says("No such file");
	says(TOKEN "\nrc=0\n");
}

static void where_it_notes(void **state)
{
	(void)state;
	run("XDG_RUNTIME_DIR=/nonexistent; export TMPDIR=$PWD; ask password:; ask password:; "
	    "stat -c %a gltoken-askpass-*; rm -r gltoken-askpass-*");
	says(TOKEN "\nrc=0\n");
	says("given once\nrc=1\n700\n");
	/* a folder that others may write to, or a link that somebody laid out, is not used */
	run("XDG_RUNTIME_DIR=; export TMPDIR=$PWD; mkdir -m 700 d; ln -s d gltoken-askpass-$(id -u); "
	    "ask password:; rm gltoken-askpass-*; mv d gltoken-askpass-$(id -u); chmod 777 gltoken-askpass-*; ask password:; "
	    "rm -r gltoken-askpass-*");
	hides(TOKEN);
	says("rc=1\ngltoken-askpass: cannot note");
	run("XDG_RUNTIME_DIR=; export TMPDIR=/nonexistent; ask password:");
	hides(TOKEN);
	says("rc=1");
}

static void files(void **state)
{
	(void)state;
	static const mode_t open_to_others[] = {0640, 0604, 0660, 0666, 0610};
	for (size_t i = 0; i < sizeof(open_to_others) / sizeof(*open_to_others); i++) {
		write_token(TOKEN "\n", open_to_others[i]);
		run("ask password:");
		hides(TOKEN);
		says("chmod 600");
		says("rc=1");
	}
	write_token(TOKEN "\n", 0400);
	run("ask password:");
	assert_string_equal(out, TOKEN "\nrc=0\n");

	run("ln -sf token link; GLTOKEN_TOKEN_FILE=link ask password:; rm link");
	hides(TOKEN);
	says("symbolic link");
	run("mkfifo -m 600 fifo; GLTOKEN_TOKEN_FILE=fifo ask password:; rm fifo");
	says("regular file");
	run("GLTOKEN_TOKEN_FILE=/dev/zero ask password:");
	says("regular file");
	run("GLTOKEN_TOKEN_FILE=. ask password:");
	says("rc=1");
	run("unset GLTOKEN_TOKEN_FILE; ask password:");
	says("set GLTOKEN_TOKEN_FILE");
	says("rc=1");
}

static void other_owner(void **state)
{
	(void)state;
	char path[128];
	snprintf(path, sizeof(path), "%s/token", top);
	/* Only root can give a file away. To anybody else a file that is none of theirs is at hand. */
	if (geteuid()) {
		run("GLTOKEN_TOKEN_FILE=/proc/1/environ ask password:");
	} else {
		assert_int_equal(chown(path, 65534, 65534), 0);
		run("ask password:");
	}
	hides(TOKEN);
	says("rc=1");
}

static void contents(void **state)
{
	(void)state;
	static const char *const bad[] = {"",      "\n",   "two words\n",   "a\nb\n",
					  "a\n\n", " a\n", "caf\xc3\xa9\n", "a\tb"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		write_token(bad[i], 0600);
		run("ask password:");
		says("on one line");
		says("rc=1");
	}
	write_token(TOKEN, 0600);
	run("ask password:");
	assert_string_equal(out, TOKEN "\nrc=0\n");
	write_token(TOKEN "\r\n", 0600);
	run("ask password:");
	assert_string_equal(out, TOKEN "\nrc=0\n");
	char big[600];
	for (size_t len = 510; len < 520; len++) {
		memset(big, 'a', len);
		strcpy(big + len, "\r\n");
		write_token(big, 0600);
		run("ask password:");
		says(len <= 512 ? "rc=0" : "rc=1");
	}
}

static void descriptors(void **state)
{
	(void)state;
	/* a file serves every process that asks, a pipe the first */
	run("unset GLTOKEN_TOKEN_FILE; export GLTOKEN_TOKEN_FD=9; exec 9<token; ask password:; sh -c \"\\$P password:; :\"");
	assert_string_equal(out, TOKEN "\nrc=0\n" TOKEN "\n");
	run("unset GLTOKEN_TOKEN_FILE; export GLTOKEN_TOKEN_FD=0; cat token | ask password:");
	assert_string_equal(out, TOKEN "\nrc=0\n");
	static const char *const bad[] = {"7",          "x",  "-1", "9x", "4294967305", "99999999999999999999",
					  "2147483648", " 9", "+9"};
	char line[256];
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(line, sizeof(line),
			 "unset GLTOKEN_TOKEN_FILE; exec 9<token; export GLTOKEN_TOKEN_FD=\"%s\"; ask password:",
			 bad[i]);
		run(line);
		hides(TOKEN);
		says("GLTOKEN_TOKEN_FD must be");
	}
}

static void credentials(void **state)
{
	(void)state;
	run("unset GLTOKEN_TOKEN_FILE; export CREDENTIALS_DIRECTORY=$PWD/c; mkdir c; cp token c/gltoken-token; "
	    "chmod 400 c/gltoken-token; ask password:");
	assert_string_equal(out, TOKEN "\nrc=0\n");
	run("unset GLTOKEN_TOKEN_FILE; export CREDENTIALS_DIRECTORY=$PWD/c; chmod 444 c/gltoken-token; ask password:");
	hides(TOKEN);
	run("unset GLTOKEN_TOKEN_FILE; export CREDENTIALS_DIRECTORY=$PWD; ask password:");
	says("gltoken-token: No such file");
	if (geteuid())
		return;
	/* root's file with an access list for the unit's user looks like this */
	run("unset GLTOKEN_TOKEN_FILE; export CREDENTIALS_DIRECTORY=$PWD/c; chmod 440 c/gltoken-token; ask password:");
	assert_string_equal(out, TOKEN "\nrc=0\n");
	run("unset GLTOKEN_TOKEN_FILE; export CREDENTIALS_DIRECTORY=$PWD/c; chgrp 65534 c/gltoken-token; ask password:");
	hides(TOKEN);
}

static void usage(void **state)
{
	(void)state;
	run("\"$P\"; echo rc=$?; \"$P\" a b; echo rc=$?; ask --help; ask --version");
	says("usage: gltoken-askpass PROMPT");
	says("rc=2");
	says("gltoken-askpass (gltoken) ");
	says("rc=0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(prompts, fresh),
		cmocka_unit_test_setup(user_name, fresh),
		cmocka_unit_test_setup(once_for_each_who_asks, fresh),
		cmocka_unit_test_setup(an_unreadable_token_uses_up_nothing, fresh),
		cmocka_unit_test_setup(where_it_notes, fresh),
		cmocka_unit_test_setup(files, fresh),
		cmocka_unit_test_setup(other_owner, fresh),
		cmocka_unit_test_setup(contents, fresh),
		cmocka_unit_test_setup(descriptors, fresh),
		cmocka_unit_test_setup(credentials, fresh),
		cmocka_unit_test_setup(usage, fresh),
	};
	return cmocka_run_group_tests_name("askpass", tests, setup, teardown);
}
