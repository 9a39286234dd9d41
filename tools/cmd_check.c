/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "checks.h"
#include "child.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] =
	"Usage: gltoken check [--json]\n"
	"\n"
	"Read the whole store: the checksum of every value, every record against its indexes and\n"
	"every index against its records. What is wrong is listed and the exit status is 1. It\n"
	"changes nothing.\n"
	"\n" GLT_HELP_JSON GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

static void print_json(const struct glt_checks *found)
{
	json_t *o = json_object(), *entries = json_object(), *problems = json_array();

	for (int t = 0; t < GLT_TABLES; t++)
		(void)json_object_set_new(entries, glt_table_name((enum glt_table)t),
					  json_integer((json_int_t)found->entries[t]));
	for (size_t i = 0; i < found->n; i++)
		(void)json_array_append_new(problems, glt_json_text(found->problem[i]));
	(void)json_object_set_new(o, "ok", json_boolean(found->total == 0));
	(void)json_object_set_new(o, "entries", entries);
	(void)json_object_set_new(o, "problem_count", json_integer((json_int_t)found->total));
	(void)json_object_set_new(o, "problems", problems);
	(void)glt_json_print(o);
}

static void print_text(const struct glt_cli *cli, const struct glt_checks *found)
{
	static const struct glt_column columns[] = {{"TABLE", 0}, {"ENTRIES", GLT_COLUMN_RIGHT}};
	struct glt_out *out = glt_out_new(cli, columns, 2);

	for (int t = 0; t < GLT_TABLES; t++) {
		char n[24];

		(void)snprintf(n, sizeof(n), "%" PRIu64, found->entries[t]);
		glt_out_row(out, (const char *const[]){glt_table_name((enum glt_table)t), n});
	}
	(void)glt_out_print(out);
	for (size_t i = 0; i < found->n; i++)
		glt_cli_warn(cli, "%s", found->problem[i]);
	if (found->total > found->n)
		glt_cli_warn(cli, "and %zu more", found->total - found->n);
	if (found->total)
		glt_cli_warn(cli, "%zu problems: restore a backup (gltoken restore)", found->total);
}

static int check(struct glt_cli *cli, void *unused)
{
	struct glt_checks found;
	struct glt_err err;
	int rc = glt_cli_open(cli, false);

	(void)unused;
	if (rc != GLT_EXIT_OK)
		return rc;
	if (glt_checks_run(cli->store, &found, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	glt_cli_close(cli);
	if (cli->format == GLT_FORMAT_JSON)
		print_json(&found);
	else
		print_text(cli, &found);
	rc = found.total ? GLT_EXIT_DENIED : GLT_EXIT_OK;
	glt_checks_free(&found);
	return rc;
}

int glt_cmd_check(struct glt_cli *cli, int argc, char **argv)
{
	pid_t pid;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	/* A file that is cut short kills whoever reads its map (SIGBUS): a child does, so that it can be told. */
	pid = glt_child_start(cli, check, NULL);
	return pid < 0 ? GLT_EXIT_UNAVAILABLE : glt_child_wait(cli, pid, GLT_EXIT_DENIED);
}
