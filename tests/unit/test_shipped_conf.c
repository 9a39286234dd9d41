/* SPDX-License-Identifier: MIT */
/* The gltoken.conf that is installed: taken out of its comments, each line must be valid and say the default. */
#include "conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* make check runs in the build folder. */
#define SHIPPED "conf/gltoken.conf"

static bool is_key(const char *line)
{
	if (*line++ != '#')
		return false;
	size_t n = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	return n > 0 && strncmp(line + n, " =", 2) == 0;
}

static unsigned uncomment(FILE *in, FILE *out)
{
	char line[512];
	unsigned keys = 0;

	while (fgets(line, sizeof line, in)) {
		bool key = is_key(line);

		keys += key;
		assert_true(fputs(key ? line + 1 : line, out) >= 0);
	}
	return keys;
}

#define SAME(field) assert_memory_equal(&shipped->field, &defaults->field, sizeof shipped->field)
#define SAME_TEXT(field) assert_string_equal(shipped->field, defaults->field)

static void assert_same(const struct glt_conf *shipped, const struct glt_conf *defaults)
{
	SAME_TEXT(dir);
	SAME_TEXT(run_dir);
	SAME_TEXT(store_dir);
	SAME_TEXT(prefix);
	SAME_TEXT(deploy_prefix);
	SAME_TEXT(repo_root);
	for (size_t i = 0; i < GLT_CONF_LIST; i++) {
		SAME_TEXT(shared_accounts[i]);
		SAME_TEXT(trusted_proxies[i]);
	}
	SAME(umask_bits);
	SAME(session_lifetime);
	SAME(gitolite);
	SAME_TEXT(gitolite_shell);
	SAME_TEXT(lfs_transfer);
	SAME_TEXT(lfs_backend);
	SAME_TEXT(lfs_url);
	SAME_TEXT(http_realm);
	SAME_TEXT(http_account);
	SAME(http_insecure);
	SAME(http_username_owner);
	SAME(http_anonymous_read);
	SAME(hash.memory);
	SAME(hash.time);
	SAME(slots);
	SAME(hash_wait);
	SAME(cache_ttl);
	SAME(cache_enabled);
	SAME(observe);
	SAME(require_expiry);
	SAME(reuse_revokes);
	SAME(default_lifetime);
	SAME(max_lifetime);
	SAME(max_lifetime_of);
	SAME(scopes_of);
	SAME(token_types);
	SAME(max_role);
	SAME_TEXT(policy_allow_from[0]);
	SAME(min_overlap);
	SAME(max_overlap);
	SAME(max_active);
	SAME(retention_days);
	SAME(retroactive_from);
	SAME(nss_range);
	SAME(nss_groups);
	SAME(uid_min);
	SAME(uid_max);
	SAME(group_role);
	SAME(log_json);
	SAME_TEXT(backup_dir);
	SAME(backup_keep);
	SAME_TEXT(notify_command);
	SAME_TEXT(notify_user);
	SAME(notify_timeout);
	SAME(notify_days);
}

static void test_each_line_is_the_default(void **state)
{
	(void)state;
	struct glt_conf shipped, defaults;
	struct glt_err err = {.text = ""};
	char path[] = "/tmp/gltoken-conf-XXXXXX";

	int fd = mkstemp(path);
	assert_true(fd >= 0);
	FILE *in = fopen(SHIPPED, "re"), *out = fdopen(fd, "w");
	assert_non_null(in);
	assert_non_null(out);
	assert_int_equal(uncomment(in, out), 58); /* so that none is lost to a slip of the pen */
	assert_int_equal(fclose(out), 0);
	assert_int_equal(fclose(in), 0);

	enum glt_status st = glt_conf_load(path, &shipped, &err);
	(void)unlink(path);
	assert_string_equal(err.text, "");
	assert_int_equal(st, GLT_OK);
	assert_int_equal(glt_conf_load("/nonexistent/gltoken.conf", &defaults, &err), GLT_OK);
	assert_same(&shipped, &defaults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_line_is_the_default)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
