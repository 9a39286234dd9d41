/* SPDX-License-Identifier: MIT */
/* Several files, and what counts when one of them cannot be used. */
#include "conf_files.h"
#include "tmpdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char main_file[100], copy[100];
static struct glt_conf conf;
static struct glt_err err;

static enum glt_status files(void)
{
	return glt_conf_files(main_file, NULL, &conf, NULL, &err);
}

static enum glt_status conf_read(void)
{
	return glt_conf_read(main_file, copy, &conf, &err);
}

static void refused(enum glt_status want, const char *words)
{
	assert_int_equal(files(), want);
	if (!strstr(err.text, words))
		fail_msg("no <%s> in <%s>", words, err.text);
}

static int fresh(void **state)
{
	char line[200];

	(void)state;
	(void)snprintf(line, sizeof(line), "rm -rf %s && mkdir -p -m 755 %s/conf.d %s/store && chmod 755 %s/conf.d",
		       tmpdir, tmpdir, tmpdir, tmpdir);
	return system(line);
}

static void later_names_win(void **state)
{
	const char *file;

	(void)state;
	tmpdir_file("gltoken.conf", "[policy]\nmode = observe\nmax_role = owner\n[hash]\ntime = 5\n", 0644);
	tmpdir_file("conf.d/50-b.conf", "\n[policy]\nmax_role = developer\n", 0644);
	tmpdir_file("conf.d/10-a.conf", "[policy]\nmax_role = maintainer\n[git]\nshared_accounts = a b\n", 0644);
	tmpdir_file("conf.d/90-z.conf", "[git]\nshared_accounts = c\n", 0644);
	tmpdir_file("conf.d/.95-hidden.conf", "[nonsense]\n", 0644);
	tmpdir_file("conf.d/99-old.conf.bak", "[nonsense]\n", 0644);
	tmpdir_file("conf.d/99-empty.conf", "", 0644);
	tmpdir_file("conf.d/99-edit.conf.AbCdEf", "[nonsense]\n", 0666);
	if (files() != GLT_OK)
		fail_msg("%s", err.text);
	assert_true(conf.observe);
	assert_int_equal(conf.max_role, 30);
	assert_int_equal(conf.hash.time, 5);
	assert_string_equal(conf.shared_accounts[0], "c");
	assert_string_equal(conf.shared_accounts[1], "");
	assert_int_equal(glt_conf_line(&conf, "policy", "max_role", &file), 3);
	assert_non_null(strstr(file, "/conf.d/50-b.conf"));
	assert_int_equal(glt_conf_line(&conf, "policy", "mode", &file), 2);
	assert_string_equal(file, main_file);
	assert_int_equal(glt_conf_line(&conf, "policy", "reuse", &file), 0);
	assert_null(file);
}

static void absent_main_file(void **state)
{
	(void)state;
	tmpdir_file("conf.d/a.conf", "[hash]\ntime = 7\n", 0644);
	assert_int_equal(files(), GLT_OK);
	assert_int_equal(conf.hash.time, 7);
	fresh(NULL);
	assert_int_equal(files(), GLT_OK);
	assert_int_equal(conf.hash.time, 2);
}

static void each_fault_names_its_file(void **state)
{
	char path[160];

	(void)state;
	tmpdir_file("gltoken.conf", "[policy]\n", 0644);
	tmpdir_file("conf.d/a.conf", "[policy]\n\nmode = off\n", 0644);
	refused(GLT_INVALID, "/conf.d/a.conf line 3: [policy] mode");
	tmpdir_file("conf.d/a.conf", "mode = observe\n", 0644); /* the section of another file does not go on */
	refused(GLT_INVALID, "/conf.d/a.conf line 1: unknown section []");
	tmpdir_file("conf.d/a.conf", "[policy]\n", 0664);
	refused(GLT_UNAVAILABLE, "/conf.d/a.conf: must be a regular file of root");
	tmpdir_file("conf.d/a.conf", "[nss]\nuid_min = 99999\nuid_max = 70000\n", 0644);
	refused(GLT_INVALID, "uid_min 99999 is above uid_max 70000");
	(void)snprintf(path, sizeof(path), "%s/conf.d/a.conf", tmpdir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	refused(GLT_UNAVAILABLE, "/conf.d/a.conf: must be a regular file");
	assert_int_equal(rmdir(path), 0);
	(void)snprintf(path, sizeof(path), "%s/conf.d", tmpdir);
	assert_int_equal(chmod(path, 0775), 0);
	refused(GLT_UNAVAILABLE, "/conf.d: must be a folder of root");
	if (geteuid() == 0) {
		assert_int_equal(chmod(path, 0755), 0);
		assert_int_equal(chown(path, 65534, 0), 0);
		refused(GLT_UNAVAILABLE, "/conf.d: must be a folder of root");
	}
}

static void not_without_end(void **state)
{
	char name[64];
	char *large = calloc(1, GLT_CONF_SIZE + 8);

	(void)state;
	assert_non_null(large);
	memset(large, '\n', GLT_CONF_SIZE);
	tmpdir_file("conf.d/a.conf", large, 0644);
	assert_int_equal(files(), GLT_OK);
	memset(large, '\n', GLT_CONF_SIZE + 1);
	tmpdir_file("conf.d/a.conf", large, 0644);
	refused(GLT_INVALID, "has over 262144 bytes");
	free(large);
	for (int i = 0; i < GLT_CONF_FILES; i++) {
		(void)snprintf(name, sizeof(name), "conf.d/%02d.conf", i);
		tmpdir_file(name, "[policy]\n", 0644);
	}
	tmpdir_file("conf.d/a.conf", "", 0644);
	refused(GLT_INVALID, "more than 32 files");
}

/* ---- the copy ---- */

static void keep(void)
{
	char *text;

	assert_int_equal(glt_conf_files(main_file, NULL, &conf, &text, &err), GLT_OK);
	assert_int_equal(glt_conf_keep(copy, text, &err), GLT_OK);
	free(text);
}

static void copy_counts_where_a_file_is_broken(void **state)
{
	uint8_t was[sizeof(conf.digest)];
	struct stat sb, again;

	(void)state;
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = developer", 0644); /* without its line's end */
	tmpdir_file("conf.d/a.conf", "[hash]\ntime = 9\n", 0644);
	keep();
	assert_int_equal(stat(copy, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0644);
	keep(); /* the same: not written again */
	assert_int_equal(stat(copy, &again), 0);
	assert_true(sb.st_ino == again.st_ino);
	assert_int_equal(conf_read(), GLT_OK);
	assert_false(conf.is_copy);
	memcpy(was, conf.digest, sizeof(was));

	tmpdir_file("conf.d/a.conf", "[hash]\ntime = many\n", 0644);
	assert_int_equal(conf_read(), GLT_OK);
	assert_true(conf.is_copy && conf.kept.tv_sec == again.st_mtim.tv_sec);
	assert_non_null(strstr(conf.fault, "/conf.d/a.conf line 2: [hash] time"));
	assert_true(conf.hash.time == 9 && conf.max_role == 30);
	assert_memory_equal(conf.digest, was, sizeof(was));

	tmpdir_file("conf.d/a.conf", "[hash]\ntime = 3\n", 0644);
	assert_int_equal(conf_read(), GLT_OK);
	assert_true(!conf.is_copy && conf.hash.time == 3);
	assert_memory_not_equal(conf.digest, was, sizeof(was));
}

/* Where there was no file, the defaults are what was validated. */
static void copy_of_nothing(void **state)
{
	(void)state;
	keep();
	tmpdir_file("gltoken.conf", "[policy]\nmode = off\n", 0644);
	assert_int_equal(conf_read(), GLT_OK);
	assert_true(conf.is_copy && conf.hash.time == 2);
}

static void copy_that_is_no_better(void **state)
{
	(void)state;
	tmpdir_file("gltoken.conf", "[policy]\nmode = off\n", 0644);
	assert_int_equal(conf_read(), GLT_INVALID);
	assert_non_null(strstr(err.text, "gltoken.conf line 2"));
	tmpdir_file("valid", "[policy]\nmode = off\n", 0644);
	assert_int_equal(conf_read(), GLT_INVALID);
	tmpdir_file("valid", "[policy]\nmode = observe\n", 0666);
	assert_int_equal(conf_read(), GLT_INVALID);
	tmpdir_file("valid", "[policy]\nmode = observe\n", 0644);
	assert_int_equal(conf_read(), GLT_OK);
	assert_true(conf.is_copy && conf.observe);
	if (geteuid() == 0) {
		assert_int_equal(chown(copy, 65534, 0), 0);
		assert_int_equal(conf_read(), GLT_INVALID);
	}
}

static bool counts(void)
{
	assert_int_equal(conf_read(), GLT_OK);
	(void)snprintf(conf.store_dir, sizeof(conf.store_dir), "%s/store", tmpdir);
	return glt_conf_counted(&conf);
}

/* What was stricter, and counted last, must not give way to an older copy. */
static void only_what_counted_last(void **state)
{
	(void)state;
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = owner\n", 0644);
	keep();
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = nobody\n", 0644);
	assert_false(counts()); /* nothing is known to have counted */
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = owner\n", 0644);
	assert_true(counts());
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = nobody\n", 0644);
	assert_true(counts());
	assert_true(conf.is_copy);
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = developer\n", 0644);
	assert_true(counts());
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = nobody\n", 0644);
	assert_false(counts());
	assert_true(conf.is_copy && conf.max_role == 50);
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = developer\n", 0644);
	keep();
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = nobody\n", 0644);
	assert_true(counts());
	assert_int_equal(conf.max_role, 30);
	/* Validated, and broken before there was a request. File systems tell moments of some milliseconds apart. */
	const struct timespec tick = {0, 50 * 1000 * 1000};
	(void)nanosleep(&tick, NULL);
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = maintainer\n", 0644);
	keep();
	tmpdir_file("gltoken.conf", "[policy]\nmax_role = nobody\n", 0644);
	assert_true(counts());
	assert_int_equal(conf.max_role, 40);
}

static void edited_file_is_read_elsewhere(void **state)
{
	char file[160], from[160];
	const struct glt_conf_edited edited = {file, from};

	(void)state;
	tmpdir_file("gltoken.conf", "[hash]\ntime = 3\n", 0644);
	tmpdir_file("conf.d/b.conf", "[hash]\ntime = 4\n", 0644);
	tmpdir_file("draft", "[hash]\ntime = 5\n", 0600);
	(void)snprintf(from, sizeof(from), "%s/draft", tmpdir);
	static const struct {
		const char *name;
		unsigned time;
	} places[] = {{"gltoken.conf", 4}, {"conf.d/a.conf", 4}, {"conf.d/b.conf", 5}, {"conf.d/c.conf", 5}};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", tmpdir, places[i].name);
		if (glt_conf_files(main_file, &edited, &conf, NULL, &err) != GLT_OK)
			fail_msg("%s: %s", places[i].name, err.text);
		assert_int_equal(conf.hash.time, places[i].time);
		tmpdir_file("draft", "[hash]\ntime = x\n", 0600);
		assert_int_equal(glt_conf_files(main_file, &edited, &conf, NULL, &err), GLT_INVALID);
		assert_non_null(strstr(err.text, places[i].name));
		tmpdir_file("draft", "[hash]\ntime = 5\n", 0600);
	}
}

static int setup(void **state)
{
	if (tmpdir_setup(state) != 0)
		return -1;
	(void)snprintf(main_file, sizeof(main_file), "%s/gltoken.conf", tmpdir);
	(void)snprintf(copy, sizeof(copy), "%s/valid", tmpdir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(later_names_win, fresh),
		cmocka_unit_test_setup(absent_main_file, fresh),
		cmocka_unit_test_setup(each_fault_names_its_file, fresh),
		cmocka_unit_test_setup(not_without_end, fresh),
		cmocka_unit_test_setup(copy_counts_where_a_file_is_broken, fresh),
		cmocka_unit_test_setup(copy_of_nothing, fresh),
		cmocka_unit_test_setup(copy_that_is_no_better, fresh),
		cmocka_unit_test_setup(only_what_counted_last, fresh),
		cmocka_unit_test_setup(edited_file_is_read_elsewhere, fresh),
	};

	return cmocka_run_group_tests(tests, setup, tmpdir_teardown);
}
