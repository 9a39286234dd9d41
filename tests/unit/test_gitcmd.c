/* SPDX-License-Identifier: MIT */
#include "tools/gitcmd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct glt_gitcmd parse(const char *text)
{
	struct glt_gitcmd cmd;
	/* An exact copy on the heap, so that a sanitizer sees a read beyond the length. */
	size_t len = strlen(text);
	char *copy = malloc(len + 1);
	assert_non_null(copy);
	memcpy(copy, text, len);
	glt_gitcmd_parse(copy, len, &cmd);
	free(copy);
	return cmd;
}

static void is_git(const char *text, const char *program, bool push, const char *path)
{
	struct glt_gitcmd cmd = parse(text);
	if (cmd.kind != GLT_GITCMD_GIT)
		fail_msg("<%s>: kind %d, %s", text, cmd.kind, cmd.err.text);
	assert_string_equal(cmd.program, program);
	assert_int_equal(cmd.push, push);
	assert_string_equal(cmd.path, path);
}

static void is_invalid(const char *text)
{
	struct glt_gitcmd cmd = parse(text);
	if (cmd.kind != GLT_GITCMD_INVALID)
		fail_msg("<%s>: kind %d", text, cmd.kind);
	assert_true(cmd.err.text[0]);
	for (const char *p = cmd.err.text; *p; p++)
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void is_kind(const char *text, enum glt_gitcmd_kind kind)
{
	struct glt_gitcmd cmd = parse(text);
	if (cmd.kind != kind)
		fail_msg("<%s>: kind %d", text, cmd.kind);
}

static void what_git_sends(void **state)
{
	(void)state;
	is_git("git-upload-pack 'demo/hello.git'", "upload-pack", false, "demo/hello");
	is_git("git-upload-pack '/demo/hello.git'", "upload-pack", false, "demo/hello");
	is_git("git-upload-pack 'demo/hello'", "upload-pack", false, "demo/hello");
	is_git("git-upload-pack 'demo/hello.git/'", "upload-pack", false, "demo/hello");
	is_git("git-receive-pack 'a/b/c.git'", "receive-pack", true, "a/b/c");
	is_git("git-upload-archive 'demo/hello.git'", "upload-archive", false, "demo/hello");
	is_git("git upload-pack 'demo/hello.git'", "upload-pack", false, "demo/hello");
	is_git("git receive-pack 'demo/hello.git'", "receive-pack", true, "demo/hello");
	is_git("git upload-archive 'demo/hello.git'", "upload-archive", false, "demo/hello");
	is_git("git-upload-pack demo/hello.git", "upload-pack", false, "demo/hello");
	is_git("git-upload-pack /demo/hello.git", "upload-pack", false, "demo/hello");
}

/* The escapes of git's sq_quote are understood, so it is the path that is refused, by its own rule. */
static void quoting(void **state)
{
	(void)state;
	struct glt_gitcmd cmd = parse("git-upload-pack 'it'\\''s'");
	assert_int_equal(cmd.kind, GLT_GITCMD_INVALID);
	assert_non_null(strstr(cmd.err.text, "it's"));
	cmd = parse("git-upload-pack 'hey'\\!'x'");
	assert_int_equal(cmd.kind, GLT_GITCMD_INVALID);
	assert_non_null(strstr(cmd.err.text, "hey!x"));

	is_invalid("git-upload-pack '");
	is_invalid("git-upload-pack 'demo");
	is_invalid("git-upload-pack demo'");
	is_invalid("git-upload-pack 'demo'\\'");
	is_invalid("git-upload-pack 'demo'\\x'y'");
	is_invalid("git-upload-pack 'demo'hello");
	is_invalid("git-upload-pack 'demo''hello'");
	is_invalid("git-upload-pack \"demo/hello\"");
	is_invalid("git-upload-pack demo\\ hello");
	is_invalid("git-upload-pack ''");
}

static void one_argument(void **state)
{
	(void)state;
	assert_non_null(strstr(parse("git-upload-pack a/b c/d").err.text, "one argument"));
	assert_non_null(strstr(parse("git-upload-pack a/b'c'").err.text, "one argument"));
	is_invalid("git-upload-pack");
	is_invalid("git-upload-pack ");
	is_invalid("git receive-pack");
	is_invalid("git-upload-pack 'a/b' 'c/d'");
	is_invalid("git-upload-pack a/b c/d");
	is_invalid("git-upload-pack 'a/b' ");
	is_invalid("git-upload-pack 'a/b';id");
	is_invalid("git-upload-pack a/b;id");
	is_invalid("git-upload-pack $(id)");
	is_invalid("git-upload-pack `id`");
}

static void paths(void **state)
{
	(void)state;
	is_invalid("git-upload-pack '--upload-pack=id'");
	is_invalid("git-upload-pack --help");
	is_invalid("git-upload-pack '-x'");
	is_invalid("git-upload-pack '/-x'");
	is_invalid("git-upload-pack '../x'");
	is_invalid("git-upload-pack '/../x'");
	is_invalid("git-upload-pack 'a/../b'");
	is_invalid("git-upload-pack 'a/..'");
	is_invalid("git-upload-pack '.'");
	is_invalid("git-upload-pack '/'");
	is_invalid("git-upload-pack '//a'");
	is_invalid("git-upload-pack 'a//b'");
	is_invalid("git-upload-pack '~'");
	is_invalid("git-upload-pack '~root/x'");
	is_invalid("git-upload-pack '/~root/x'");
	is_invalid("git-upload-pack 'a/~b'");
	is_invalid("git-upload-pack 'demo/hello.git/objects'");
	is_invalid("git-upload-pack 'demo/.git'");
	is_invalid("git-upload-pack 'demo\\hello'");
	is_invalid("git-upload-pack 'a\nb'");
	is_invalid("git-upload-pack 'a\x1b[2Jb'");
	is_invalid("git-upload-pack 'a\x7f'");
	/* not an absolute path, but the project of that name */
	is_git("git-upload-pack '/etc/passwd'", "upload-pack", false, "etc/passwd");

	struct glt_gitcmd cmd;
	glt_gitcmd_parse("git-upload-pack 'a\0b'", 21, &cmd);
	assert_int_equal(cmd.kind, GLT_GITCMD_INVALID);
}

static void others(void **state)
{
	(void)state;
	static const char *const commands[] = {
		"sh",
		"bash -i",
		"scp -t /tmp",
		"internal-sftp",
		"/usr/lib/openssh/sftp-server",
		"git",
		"git ",
		"git-",
		"git status",
		"git-shell",
		"git-upload-packx 'a'",
		"git-upload-pack\t'a'",
		"git-upload-pack\n'a'",
		" git-upload-pack 'a'",
		"GIT-UPLOAD-PACK 'a'",
		"git--upload-pack 'a'",
		"git  upload-pack 'a'",
		"git -c x=y upload-pack 'a'",
		"git-upload-archive--writer 'a'",
		"/usr/bin/git-upload-pack 'a'",
		"gltoken-shell --user alice",
		"/usr/bin/gltoken-shell --user alice",
		"git-cvsserver server",
		"git-lfs-authenticatex 'a'",
		"\x01",
	};
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		is_kind(commands[i], GLT_GITCMD_OTHER);

	is_kind("", GLT_GITCMD_EMPTY);
	is_kind("  ", GLT_GITCMD_EMPTY);
	struct glt_gitcmd cmd;
	glt_gitcmd_parse(NULL, 0, &cmd);
	assert_int_equal(cmd.kind, GLT_GITCMD_EMPTY);
}

static void lfs(void **state)
{
	static const struct {
		const char *text, *program, *operation; /* NULL: path is empty, and err says why */
		bool push;
	} commands[] = {
		{"git-lfs-authenticate demo/hello.git download", "lfs-authenticate", "download", false},
		{"git-lfs-transfer 'demo/hello.git' upload", "lfs-transfer", "upload", true},
		{"git-lfs-transfer /demo/hello upload ", "lfs-transfer", "upload", true},
		{"git-lfs-transfer demo/hello lock", "lfs-transfer", "lock", true},
		{"git-lfs-authenticate", "lfs-authenticate", NULL, false},
		{"git-lfs-transfer demo/hello", "lfs-transfer", NULL, false},
		{"git-lfs-transfer demo/hello 'upload'", "lfs-transfer", NULL, false},
		{"git-lfs-transfer demo/hello UPLOAD", "lfs-transfer", NULL, false},
		{"git-lfs-transfer demo/hello upload download", "lfs-transfer", NULL, false},
		{"git-lfs-transfer ../hello download", "lfs-transfer", NULL, false},
		{"git-lfs-transfer download", "lfs-transfer", NULL, false},
		{"git-lfs-transfer 'demo/hello download", "lfs-transfer", NULL, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct glt_gitcmd cmd;
		glt_gitcmd_parse(commands[i].text, strlen(commands[i].text), &cmd);
		assert_int_equal(cmd.kind, GLT_GITCMD_LFS);
		assert_string_equal(cmd.program, commands[i].program);
		assert_string_equal(cmd.path, commands[i].operation ? "demo/hello" : "");
		if (!commands[i].operation) {
			assert_string_not_equal(cmd.err.text, "");
			continue;
		}
		assert_string_equal(cmd.lfs, commands[i].operation);
		assert_int_equal(cmd.push, commands[i].push);
	}
}

static void long_ones(void **state)
{
	(void)state;
	static char text[GLT_GITCMD_MAX * 4];
	static const char start[] = "git-upload-pack '";
	for (size_t len = sizeof(start); len < sizeof(text) - 1; len += 61) {
		memset(text, 'a', len);
		memcpy(text, start, sizeof(start) - 1);
		text[len - 1] = '\'';
		text[len] = '\0';
		size_t path = len - sizeof(start);
		is_kind(text, path && path <= GLT_PATH_MAX ? GLT_GITCMD_GIT : GLT_GITCMD_INVALID);
	}
}

static void own_name(void **state)
{
	(void)state;
	assert_true(glt_gitcmd_is_shell("gltoken-shell"));
	assert_true(glt_gitcmd_is_shell("/usr/bin/gltoken-shell"));
	assert_false(glt_gitcmd_is_shell(""));
	assert_false(glt_gitcmd_is_shell("gltoken-shell "));
	assert_false(glt_gitcmd_is_shell("gltoken-shell --user alice"));
	assert_false(glt_gitcmd_is_shell("/usr/bin/gltoken-shell -c x"));
	assert_false(glt_gitcmd_is_shell("sh -c /usr/bin/gltoken-shell"));
	assert_false(glt_gitcmd_is_shell("/x y/gltoken-shell"));
	assert_false(glt_gitcmd_is_shell("bin/gltoken-shell"));
	assert_false(glt_gitcmd_is_shell("/usr/bin/gltoken-shell2"));
	assert_false(glt_gitcmd_is_shell("/usr/bin/mygltoken-shell"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_git_sends),
		cmocka_unit_test(quoting),
		cmocka_unit_test(one_argument),
		cmocka_unit_test(paths),
		cmocka_unit_test(others),
		cmocka_unit_test(long_ones),
		cmocka_unit_test(lfs),
		cmocka_unit_test(own_name),
	};
	return cmocka_run_group_tests_name("gitcmd", tests, NULL, NULL);
}
