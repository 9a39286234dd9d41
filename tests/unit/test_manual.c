/* SPDX-License-Identifier: MIT */
/* The manual pages have every reason, option, command and key that the programs have, and no reason beyond. */
#include "decide.h"
#include "tools/doctor.h"
#include "tools/repo.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define WORD LOWER "0123456789_-"

/* A page has the paths of a plain ./configure. */
#define BUILT_STATE "@localstatedir@"
#define PAGE_STATE "/var"

static char *read_file(const char *folder, const char *name)
{
	char path[4096], *text = NULL;
	size_t room = 0;

	(void)snprintf(path, sizeof path, "%s%s%s", *name == '/' ? "" : folder, *name == '/' ? "" : "/", name);
	FILE *f = fopen(path, "r");
	if (!f)
		fail_msg("%s cannot be opened", path);
	if (getdelim(&text, &room, '\0', f) <= 0)
		fail_msg("%s cannot be read", path);
	(void)fclose(f);
	return text;
}

/* make check runs in the build folder and says where the source is. */
static const char *source(void)
{
	const char *srcdir = getenv("srcdir");

	return srcdir ? srcdir : ".";
}

/* The text of one section, without its title. */
static char *section(const char *page, const char *title)
{
	char *text = read_file(source(), page), start[64];

	(void)snprintf(start, sizeof start, "\n# %s\n", title);
	char *from = strstr(text, start);
	if (!from)
		fail_msg("%s has no section %s", page, title);
	from += strlen(start);
	char *end = strstr(from, "\n# ");
	char *part = strndup(from, end ? (size_t)(end - from) : strlen(from));
	assert_non_null(part);
	free(text);
	return part;
}

/* "|  name" or, in the first row, "[[ name" stands on a line of its own. */
static bool has_row(const char *table, const char *name)
{
	char row[128], first[128];

	(void)snprintf(row, sizeof row, "\n|  %s\n", name);
	(void)snprintf(first, sizeof first, "\n[[ %s\n", name);
	return strstr(table, row) || strstr(table, first);
}

static void test_reasons(void **state)
{
	char *table = section("conf/man/gltoken.7.scd", "REASONS");
	unsigned rows = 0;

	(void)state;
	for (int r = 0; r < GLT_REASON_COUNT; r++)
		if (!has_row(table, glt_reason_name((enum glt_reason)r)))
			fail_msg("gltoken(7) lacks the reason %s", glt_reason_name((enum glt_reason)r));
	for (const char *p = table; (p = strstr(p, "\n|  ")); p++)
		rows++;
	assert_int_equal(rows, GLT_REASON_COUNT);
	free(table);
}

static void test_repository_statuses(void **state)
{
	static const char *const names[] = {
#define GLT_X(sym, name, text) name,
		GLT_REPO_STATUSES(GLT_X)
#undef GLT_X
	};
	char *table = section("conf/man/gltoken-shell.1.scd", "LOG");

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], "ok") != 0 && !has_row(table, names[i]))
			fail_msg("gltoken-shell(1) lacks the reason %s", names[i]);
	free(table);
}

static void test_findings(void **state)
{
	static const char *const severity[] = {"note", "warning", "error"};
	char *table = section("conf/man/gltoken-doctor.8.scd", "FINDINGS"), row[80];

	(void)state;
	for (int i = 0; i < GLT_FINDING_IDS; i++) {
		const enum glt_finding_id id = (enum glt_finding_id)i;

		(void)snprintf(row, sizeof row, "\n|  %s\n:  %s%s\n", glt_finding_name(id),
			       severity[glt_finding_severity(id)], glt_finding_mendable(id) ? ", mended" : "");
		if (!strstr(table, row))
			fail_msg("gltoken-doctor(8) lacks the finding, or its severity: %s", row);
	}
	free(table);
}

/* text with something behind it that cannot belong to the same word. */
static bool has_word(const char *page, const char *text)
{
	size_t len = strlen(text);

	for (const char *p = page; (p = strstr(p, text)); p++)
		if (!strchr(WORD, p[len]))
			return true;
	return false;
}

/* The first string of `{"name", behind`, for each such line; NULL at the end. */
static const char *next_entry(const char *p, const char *behind, char name[32])
{
	while ((p = strstr(p, "{\""))) {
		p += 2;
		size_t len = strspn(p, WORD);
		if (len == 0 || len >= 32 || strncmp(p + len, "\", ", 3) != 0)
			continue;
		size_t line = strcspn(p, "\n");
		const char *found = strstr(p, behind);
		if (!found || found > p + line)
			continue;
		memcpy(name, p, len);
		name[len] = '\0';
		return p + line;
	}
	return NULL;
}

static unsigned check_options(const char *page, const char *path)
{
	char *text = read_file(".", path), name[32], option[40];
	unsigned n = 0;

	for (const char *p = text; (p = next_entry(p, "_argument, NULL", name)); n++) {
		(void)snprintf(option, sizeof option, "--%s", name);
		if (!has_word(page, option))
			fail_msg("gltoken(1) lacks the option %s of %s", option, path);
	}
	free(text);
	return n;
}

static void test_options(void **state)
{
	char *page = read_file(source(), "conf/man/gltoken.1.scd"), pattern[4096];
	unsigned n = 0;
	glob_t files;

	(void)state;
	(void)snprintf(pattern, sizeof pattern, "%s/tools/cmd_*.c", source());
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		n += check_options(page, files.gl_pathv[i]);
	assert_true(n > 50); /* the tables were found */
	globfree(&files);
	free(page);
}

static void test_commands(void **state)
{
	char *page = read_file(source(), "conf/man/gltoken.1.scd");
	char *text = read_file(source(), "tools/gltoken.c"), name[32], title[64];
	unsigned n = 0;

	(void)state;
	for (const char *p = text; (p = next_entry(p, "glt_cmd_", name)); n++) {
		(void)snprintf(title, sizeof title, "\n## gltoken %s", name);
		if (!has_word(page, title))
			fail_msg("gltoken(1) lacks the command %s", name);
	}
	assert_true(n > 15);
	free(text);
	free(page);
}

/* "#key = value" of the file that is shipped: key and default stand in the page's section. */
static void check_key(const char *part, const char *title, const char *line)
{
	char key[64], value[128], text[160];
	size_t len = strspn(line, LOWER "_"), built = strlen(BUILT_STATE);

	(void)snprintf(key, sizeof key, "*%.*s*", (int)len, line);
	line += len;
	line += strspn(line, " =");
	if (!strstr(part, key))
		fail_msg("gltoken.conf(5) lacks %s of [%s]", key, title);
	bool state = strncmp(line, BUILT_STATE, built) == 0;
	(void)snprintf(value, sizeof value, "%s%s", state ? PAGE_STATE : "", line + (state ? built : 0));
	(void)snprintf(text, sizeof text, *value ? "_%s_" : "Default: empty", value);
	if (!strstr(part, text))
		fail_msg("gltoken.conf(5) lacks the default %s of %s in [%s]", text, key, title);
}

static void test_conf_keys(void **state)
{
	char *shipped = read_file(source(), "conf/gltoken.conf.in"), *rest = shipped, *line, *part = NULL;
	char title[32] = "", heading[40];
	unsigned n = 0;

	(void)state;
	while ((line = strsep(&rest, "\n"))) {
		if (*line == '[') {
			(void)snprintf(title, sizeof title, "%.*s", (int)strcspn(line + 1, "]"), line + 1);
			(void)snprintf(heading, sizeof heading, "[%s]", title);
			free(part);
			part = section("conf/man/gltoken.conf.5.scd", heading);
		}
		size_t len = *line == '#' ? strspn(line + 1, LOWER "_") : 0;
		if (len == 0 || strncmp(line + 1 + len, " =", 2) != 0)
			continue;
		assert_non_null(part);
		check_key(part, title, line + 1);
		n++;
	}
	assert_true(n > 25);
	free(part);
	free(shipped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),   cmocka_unit_test(test_repository_statuses),
		cmocka_unit_test(test_options),   cmocka_unit_test(test_commands),
		cmocka_unit_test(test_conf_keys), cmocka_unit_test(test_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
