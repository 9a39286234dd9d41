/* SPDX-License-Identifier: MIT */
/* [policy] mode = observe: what decide lets pass, and the file that counts it and never grows. */
#include "observed.h"
#include "tmpdir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct glt_observed list[GLT_OBSERVED_MAX];

static const char *file(void)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "%s/observed", tmpdir);
	return path;
}

static int remove_file(void **state)
{
	(void)state;
	(void)unlink(file());
	return 0;
}

static void note(const char *user, const char *path, const char *ref, int64_t now)
{
	const struct glt_question q = {.op = ref ? GLT_OP_PUSH : GLT_OP_PULL, .path = path, .ref = ref, .now = now};

	glt_observed_note(tmpdir, &q, user, ref ? GLT_WHY_REF_PROTECTED : GLT_WHY_NOT_A_MEMBER);
}

static void test_counts(void **state)
{
	(void)state;
	assert_int_equal(glt_observed_read(tmpdir, list, GLT_OBSERVED_MAX), 0);
	note("alice", "demo/hello", NULL, 1000);
	note("alice", "demo/hello", NULL, 2000);
	note("alice", "demo/hello", "refs/heads/main", 3000);
	note("bob", "demo/hello", NULL, 4000);
	assert_int_equal(glt_observed_read(tmpdir, list, GLT_OBSERVED_MAX), 3);
	for (size_t i = 0; i < 3; i++) {
		const struct glt_observed *o = &list[i];
		const bool twice = strcmp(o->user, "alice") == 0 && !o->ref[0];

		assert_string_equal(o->path, "demo/hello");
		assert_int_equal(o->count, twice ? 2 : 1);
		assert_int_equal(o->op, o->ref[0] ? GLT_OP_PUSH : GLT_OP_PULL);
		assert_int_equal(o->reason, o->ref[0] ? GLT_WHY_REF_PROTECTED : GLT_WHY_NOT_A_MEMBER);
		if (twice)
			assert_true(o->first == 1000 && o->last == 2000);
	}
	assert_int_equal(glt_observed_read(tmpdir, list, 2), 2);
}

static void test_never_grows(void **state)
{
	struct stat sb;
	char path[32];
	size_t n;

	(void)state;
	for (int i = 0; i < 3 * GLT_OBSERVED_MAX; i++) {
		(void)snprintf(path, sizeof(path), "flood/%d", i);
		note("mallory", path, NULL, 1000 + i);
	}
	assert_int_equal(stat(file(), &sb), 0);
	assert_true(sb.st_size <= (off_t)GLT_OBSERVED_MAX * 1024);
	n = glt_observed_read(tmpdir, list, GLT_OBSERVED_MAX);
	assert_true(n > GLT_OBSERVED_MAX / 2 && n <= GLT_OBSERVED_MAX);
	/* what came last is there */
	bool last = false;
	for (size_t i = 0; i < n; i++)
		last |= strcmp(list[i].path, path) == 0;
	assert_true(last);
}

static void test_damage(void **state)
{
	int fd;

	(void)state;
	note("alice", "demo/hello", NULL, 1000);
	fd = open(file(), O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "x", 1, lseek(fd, 0, SEEK_END) - 9), 1);
	assert_int_equal(glt_observed_read(tmpdir, list, GLT_OBSERVED_MAX), 0);
	note("alice", "demo/hello", NULL, 2000);
	assert_int_equal(glt_observed_read(tmpdir, list, GLT_OBSERVED_MAX), 1);
	assert_int_equal(list[0].count, 1);
	(void)close(fd);
}

/* Who passes, and for which reasons. */
static void test_decide(void **state)
{
	char user[] = "alice", none[] = "", path[] = "demo/hello";
	Glt__Key key = GLT__KEY__INIT, deploy = GLT__KEY__INIT;
	Glt__Token token = GLT__TOKEN__INIT;
	struct glt_answer a;

	(void)state;
	key.user = user;
	deploy.user = none;
	deploy.path = path;
	token.type = GLT__TYPE__PERSONAL;
	token.state = GLT__STATE__LIVE;
	token.owner = user;
	token.scopes = GLT_SCOPE_BIT(GLT_SCOPE_API);
	for (int who = 0; who < 4; who++)
		for (int owner = GLT_OWNER_OK; owner <= GLT_OWNER_IS_GONE; owner++)
			for (int role = GLT_NO_ROLE; role <= GLT_DEVELOPER; role += GLT_DEVELOPER) {
				struct glt_question q = {.key = who == 0   ? &key
								: who == 1 ? &deploy
									   : NULL,
							 .token = who == 2 ? &token : NULL,
							 .user = who == 3 ? user : NULL,
							 .op = GLT_OP_PUSH,
							 .path = path,
							 .ref = "refs/heads/main",
							 .service = "sshd"};
				struct glt_facts f = {.owner = (enum glt_owner_state)owner,
						      .member_role = role,
						      .has_protection = true,
						      .ref_role = GLT_MAINTAINER};
				const bool person = who == 0 || who == 3;

				glt_decide(&q, &f, &a);
				assert_false(a.allow);
				enum glt_reason enforced = a.reason;
				f.observe = true;
				glt_decide(&q, &f, &a);
				assert_int_equal(a.allow, person && owner == GLT_OWNER_OK);
				assert_int_equal(a.reason, a.allow ? GLT_WHY_OK : enforced);
				assert_int_equal(a.would, a.allow ? enforced : GLT_WHY_OK);
				q.op = GLT_OP_MINT;
				q.mint = GLT__TYPE__PROJECT;
				q.role = GLT_MAINTAINER;
				glt_decide(&q, &f, &a);
				assert_false(a.allow);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_counts, remove_file),
		cmocka_unit_test_teardown(test_never_grows, remove_file),
		cmocka_unit_test_teardown(test_damage, remove_file),
		cmocka_unit_test(test_decide),
	};

	return cmocka_run_group_tests(tests, tmpdir_setup, tmpdir_teardown);
}
