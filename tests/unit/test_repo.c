/* SPDX-License-Identifier: MIT */
/* Against real folders and, where git's own view matters, real git. */
#include "tools/repo.h"

#include <fcntl.h>
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

static char top[64], root[128];

static void __attribute__((format(printf, 1, 2))) sh(const char *fmt, ...)
{
	char text[2048], line[2304];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_true(n > 0 && (size_t)n < sizeof(text));
	snprintf(line, sizeof(line), "cd %s/git && { %s; } >/dev/null 2>&1", top, text);
	if (system(line))
		fail_msg("failed: %s", text);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/test_repo.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(root, sizeof(root), "%s/git", top);
	mkdir(root, 0755);
	sh("git init -q --bare demo/hello.git && git init -q --bare demo/plain && git init -q --bare demo/base.git");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	char line[128];
	snprintf(line, sizeof(line), "rm -rf %s", top);
	return system(line);
}

static void expect(enum glt_repo_status want, const char *project)
{
	struct glt_repo repo = {.fd = -1};
	enum glt_repo_status got = glt_repo_open(root, project, &repo);
	if (got == GLT_REPO_OK)
		close(repo.fd);
	if (got != want)
		fail_msg("%s: %s, not %s", project, glt_repo_name(got), glt_repo_name(want));
}

static void opens(void **state)
{
	(void)state;
	struct glt_repo repo;
	struct stat a, b;
	char path[256];
	assert_int_equal(glt_repo_open(root, "demo/hello", &repo), GLT_REPO_OK);
	assert_string_equal(repo.project, "demo/hello");
	snprintf(path, sizeof(path), "%s/demo/hello.git", root);
	assert_string_equal(repo.directory, path);
	assert_int_equal(fstat(repo.fd, &a), 0);
	assert_int_equal(stat(path, &b), 0);
	assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	assert_true(fcntl(repo.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fchdir(repo.fd), 0);
	close(repo.fd);
	assert_int_equal(chdir("/"), 0);

	assert_int_equal(glt_repo_open(root, "demo/plain", &repo), GLT_REPO_OK);
	snprintf(path, sizeof(path), "%s/demo/plain", root);
	assert_string_equal(repo.directory, path);
	close(repo.fd);
}

static void root_is_a_link(void **state)
{
	(void)state;
	struct glt_repo repo;
	char link[256], path[256];
	snprintf(link, sizeof(link), "%s/link", top);
	assert_int_equal(symlink(root, link), 0);
	assert_int_equal(glt_repo_open(link, "demo/hello", &repo), GLT_REPO_OK);
	close(repo.fd);
	snprintf(path, sizeof(path), "%s/demo/hello.git", root);
	assert_string_equal(repo.directory, path);
	assert_int_equal(glt_repo_open("/nonexistent", "demo/hello", &repo), GLT_REPO_UNAVAILABLE);
	unlink(link);
}

static void absent(void **state)
{
	(void)state;
	expect(GLT_REPO_ABSENT, "demo/none");
	expect(GLT_REPO_ABSENT, "none/hello");
	sh("mkdir group && touch file.git");
	expect(GLT_REPO_NOT_A_REPO, "group");
	expect(GLT_REPO_NOT_A_REPO, "file");
	expect(GLT_REPO_ABSENT, "file.git/x");
	char part[300];
	memset(part, 'a', sizeof(part));
	part[299] = '\0';
	expect(GLT_REPO_ABSENT, part);
}

/* What git takes for a repository is one, what it does not is none. */
static void bare_only(void **state)
{
	(void)state;
	sh("git init -q work && git init -q --bare sub.git && mkdir sub.git/.git");
	expect(GLT_REPO_NOT_BARE, "work");
	expect(GLT_REPO_NOT_BARE, "sub");
	sh("git init -q --bare file2.git && echo 'gitdir: ../demo/hello.git' >file2.git/.git");
	expect(GLT_REPO_NOT_BARE, "file2");
	sh("git init -q --bare common.git && echo ../demo/hello.git >common.git/commondir");
	expect(GLT_REPO_NOT_BARE, "common");

	sh("git init -q --bare nohead.git && rm nohead.git/HEAD");
	expect(GLT_REPO_NOT_A_REPO, "nohead");
	sh("git init -q --bare norefs.git && rm -r norefs.git/refs");
	expect(GLT_REPO_NOT_A_REPO, "norefs");
	sh("git init -q --bare noobj.git && rm -r noobj.git/objects");
	expect(GLT_REPO_NOT_A_REPO, "noobj");
	sh("git init -q --bare bad.git && echo 'ref: ../../x' >bad.git/HEAD");
	expect(GLT_REPO_NOT_A_REPO, "bad");
	sh("echo 1234567 >bad.git/HEAD");
	expect(GLT_REPO_NOT_A_REPO, "bad");
	sh("printf '%%040d\\n' 0 >bad.git/HEAD");
	expect(GLT_REPO_OK, "bad");
	sh("rm bad.git/HEAD && mkfifo bad.git/HEAD");
	expect(GLT_REPO_NOT_A_REPO, "bad");
}

static void no_links(void **state)
{
	(void)state;
	sh("ln -s demo/hello.git link.git && ln -s demo linked && ln -s / slash && ln -s . demo/dot");
	expect(GLT_REPO_SYMLINK, "link");
	expect(GLT_REPO_SYMLINK, "linked/hello");
	expect(GLT_REPO_SYMLINK, "slash/etc");
	expect(GLT_REPO_SYMLINK, "demo/dot/hello");
	sh("ln -s /proc/self/root magic");
	expect(GLT_REPO_SYMLINK, "magic/etc");
	sh("for d in HEAD objects refs; do git init -q --bare l$d.git; mv l$d.git/$d l$d.git/real; "
	   "ln -s real l$d.git/$d; done");
	expect(GLT_REPO_NOT_A_REPO, "lHEAD");
	expect(GLT_REPO_NOT_A_REPO, "lobjects");
	expect(GLT_REPO_NOT_A_REPO, "lrefs");
}

static void ambiguous(void **state)
{
	(void)state;
	sh("git init -q --bare two.git && git init -q --bare two");
	expect(GLT_REPO_AMBIGUOUS, "two");
	sh("rm -r two && mkdir two");
	expect(GLT_REPO_AMBIGUOUS, "two");
	sh("rmdir two && ln -s two.git two");
	expect(GLT_REPO_AMBIGUOUS, "two");
	sh("rm two");
	expect(GLT_REPO_OK, "two");
	sh("ln -s nowhere demo/plain.git");
	expect(GLT_REPO_AMBIGUOUS, "demo/plain");
	sh("rm demo/plain.git");
}

/* Branches that together look like a repository, pushed with real git. */
static void nested(void **state)
{
	(void)state;
	sh("git init -q w && cd w && git -c user.name=x -c user.email=x commit -q --allow-empty -m x && "
	   "git push -q ../demo/plain HEAD:refs/heads/evil/HEAD HEAD:refs/heads/evil/objects/x "
	   "HEAD:refs/heads/evil/refs/x");
	sh("git --git-dir=demo/plain/refs/heads/evil rev-parse --git-dir");
	expect(GLT_REPO_NESTED, "demo/plain/refs/heads/evil");
	sh("git init -q --bare w/inside.git");
	expect(GLT_REPO_NESTED, "w/inside");
}

static void unreadable(void **state)
{
	(void)state;
	sh("git init -q --bare closed.git && chmod 0 closed.git && mkdir shut && git init -q --bare shut/x.git && "
	   "chmod 0 shut");
	sh("chmod 755 %s", top);
	bool root_runs = geteuid() == 0;
	assert_int_equal(root_runs ? seteuid(65534) : 0, 0);
	expect(GLT_REPO_UNREADABLE, "closed");
	expect(GLT_REPO_UNREADABLE, "shut/x");
	assert_int_equal(root_runs ? seteuid(0) : 0, 0);
	sh("chmod 755 closed.git shut");
}

/* ---- alternates ---- */

struct asked {
	char list[1024];
	const char *denied;
};

static bool record(void *arg, const char *project)
{
	struct asked *a = arg;
	strcat(strcat(a->list, project), ",");
	return !a->denied || strcmp(a->denied, project);
}

static enum glt_repo_status alternates_of(const char *from, const char *project, const char *denied,
					  char list[1024], char culprit[GLT_PATH_MAX + 1])
{
	struct asked a = {.denied = denied};
	struct glt_repo repo;
	assert_int_equal(glt_repo_open(from, project, &repo), GLT_REPO_OK);
	enum glt_repo_status status = glt_repo_alternates(from, &repo, record, &a, culprit);
	close(repo.fd);
	strcpy(list, a.list);
	return status;
}

static void expect_alternates(enum glt_repo_status want, const char *asked, const char *line)
{
	char list[1024];
	sh("printf '%%s\\n' '%s' >demo/hello.git/objects/info/alternates", line);
	enum glt_repo_status got = alternates_of(root, "demo/hello", NULL, list, NULL);
	if (got != want)
		fail_msg("%s: %s, not %s", line, glt_repo_name(got), glt_repo_name(want));
	assert_string_equal(list, asked);
}

static void alternates_asked(void **state)
{
	(void)state;
	char list[1024], culprit[GLT_PATH_MAX + 1], line[256];
	assert_int_equal(alternates_of(root, "demo/base", NULL, list, culprit), GLT_REPO_OK);
	assert_string_equal(list, "");

	/* as git itself writes it */
	sh("git clone -q --bare --shared %s/demo/base.git demo/fork.git && test -s demo/fork.git/objects/info/alternates",
	   root);
	assert_int_equal(alternates_of(root, "demo/fork", NULL, list, culprit), GLT_REPO_OK);
	assert_string_equal(list, "demo/base,");
	assert_string_equal(culprit, "");
	assert_int_equal(alternates_of(root, "demo/fork", "demo/base", list, culprit), GLT_REPO_ALTERNATE_DENIED);
	assert_string_equal(culprit, "demo/base");

	expect_alternates(GLT_REPO_OK, "demo/base,", "../../base.git/objects");
	expect_alternates(GLT_REPO_OK, "demo/plain,", "../../plain/objects/");
	expect_alternates(GLT_REPO_OK, "demo/base,", "./..//../base.git/./objects");
	expect_alternates(GLT_REPO_OK, "", "# ../../base.git/objects");
	expect_alternates(GLT_REPO_OK, "", "../../hello.git/objects");
	expect_alternates(GLT_REPO_OK, "", ".");
	snprintf(line, sizeof(line), "%s/demo/base.git/objects", root);
	expect_alternates(GLT_REPO_OK, "demo/base,", line);
	sh("printf '../../base.git/objects\\n../../plain/objects\\n../../base.git/objects' "
	   ">demo/hello.git/objects/info/alternates");
	assert_int_equal(alternates_of(root, "demo/hello", NULL, list, culprit), GLT_REPO_OK);
	assert_string_equal(list, "demo/base,demo/plain,");
}

static void alternates_refused(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"/etc",
		"/tmp/objects",
		"http://host/x.git/objects",
		"../../../../outside.git/objects",
		"../../objects",
		"../../base.git",
		"../../none.git/objects",
		"../../base/objects",
		"../../base.git/objects/info",
		"../../base.git/objectx",
		"\"/../../../base.git/objects",
		"../../../../../../../../../../../objects",
		"\"../../base.git/objects\"",
		"../../dot/base.git/objects",
		" ../../base.git/objects",
		"../../../work/.git/objects",
		"objects",
		"..",
	};
	sh("git init -q --bare ../outside.git && test -d work/.git");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		expect_alternates(GLT_REPO_ALTERNATE_OUTSIDE, "", lines[i]);

	char list[1024];
	sh("printf '../../base.git/objects\\0x\\n' >demo/hello.git/objects/info/alternates");
	assert_int_equal(alternates_of(root, "demo/hello", NULL, list, NULL), GLT_REPO_ALTERNATE_OUTSIDE);
	sh("cd demo/hello.git/objects/info && rm alternates && mkfifo alternates");
	assert_int_equal(alternates_of(root, "demo/hello", NULL, list, NULL), GLT_REPO_ALTERNATE_OUTSIDE);
	sh("cd demo/hello.git/objects/info && rm alternates && ln -s ../../HEAD alternates");
	assert_int_equal(alternates_of(root, "demo/hello", NULL, list, NULL), GLT_REPO_SYMLINK);
	sh("cd demo/hello.git/objects && mv info i && ln -s i info");
	assert_int_equal(alternates_of(root, "demo/hello", NULL, list, NULL), GLT_REPO_SYMLINK);
	sh("cd demo/hello.git/objects && rm info && mv i info && cd info && rm alternates && "
	   "yes '#' | head -c 20000 >alternates");
	assert_int_equal(alternates_of(root, "demo/hello", NULL, list, NULL), GLT_REPO_ALTERNATE_DEEP);
	sh("rm demo/hello.git/objects/info/alternates");
}

/* A root that is a link: a relative line starts at the real place, as git has it. */
static void alternates_from_the_real_place(void **state)
{
	(void)state;
	char list[1024], link[256];
	sh("mkdir -p ../else/git && git init -q --bare ../else/git/base.git && git init -q --bare base.git && "
	   "ln -sfn %s ../else/lnk",
	   root);
	snprintf(link, sizeof(link), "%s/else/lnk", top);
	sh("echo ../../../../git/base.git/objects >demo/hello.git/objects/info/alternates");
	assert_int_equal(alternates_of(link, "demo/hello", NULL, list, NULL), GLT_REPO_OK);
	assert_string_equal(list, "base,");
	sh("echo ../../../../lnk/base.git/objects >demo/hello.git/objects/info/alternates");
	assert_int_equal(alternates_of(link, "demo/hello", NULL, list, NULL), GLT_REPO_ALTERNATE_OUTSIDE);
	sh("echo %s/demo/base.git/objects >demo/hello.git/objects/info/alternates", link);
	assert_int_equal(alternates_of(link, "demo/hello", NULL, list, NULL), GLT_REPO_OK);
	assert_string_equal(list, "demo/base,");
	sh("rm demo/hello.git/objects/info/alternates");
}

static void alternates_chain(void **state)
{
	(void)state;
	char list[1024], culprit[GLT_PATH_MAX + 1];
	sh("for i in 0 1 2 3 4 5 6; do git init -q --bare chain/$i.git; "
	   "test $i = 6 || echo ../../$((i + 1)).git/objects >chain/$i.git/objects/info/alternates; done");
	assert_int_equal(alternates_of(root, "chain/1", NULL, list, culprit), GLT_REPO_OK);
	assert_string_equal(list, "chain/2,chain/3,chain/4,chain/5,chain/6,");
	assert_int_equal(alternates_of(root, "chain/1", "chain/4", list, culprit), GLT_REPO_ALTERNATE_DENIED);
	assert_string_equal(culprit, "chain/4");
	assert_int_equal(alternates_of(root, "chain/0", NULL, list, culprit), GLT_REPO_ALTERNATE_DEEP);

	/* a ring ends */
	sh("echo ../../1.git/objects >chain/3.git/objects/info/alternates");
	assert_int_equal(alternates_of(root, "chain/1", NULL, list, culprit), GLT_REPO_OK);
	assert_string_equal(list, "chain/2,chain/3,");

	sh("for i in $(seq 40); do git init -q --bare many/$i.git; echo ../../../many/$i.git/objects; done "
	   ">chain/6.git/objects/info/alternates");
	assert_int_equal(alternates_of(root, "chain/6", NULL, list, culprit), GLT_REPO_ALTERNATE_DEEP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens),
		cmocka_unit_test(root_is_a_link),
		cmocka_unit_test(absent),
		cmocka_unit_test(bare_only),
		cmocka_unit_test(no_links),
		cmocka_unit_test(ambiguous),
		cmocka_unit_test(nested),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(alternates_asked),
		cmocka_unit_test(alternates_refused),
		cmocka_unit_test(alternates_from_the_real_place),
		cmocka_unit_test(alternates_chain),
	};
	return cmocka_run_group_tests_name("repo", tests, setup, teardown);
}
