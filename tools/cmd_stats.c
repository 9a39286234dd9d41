/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "backupdir.h"
#include "stats.h"

static const char help[] =
	"Usage: gltoken stats [--quick] [--json | --prometheus]\n"
	"\n"
	"Print figures of the store, and of the requests since boot. To count tokens by state\n"
	"every token is read, about a second for a million.\n"
	"\n"
	"      --quick              do not count tokens by state\n"
	"      --prometheus         for node_exporter's textfile collector\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_QUICK = GLT_OPT_OWN, OPT_PROMETHEUS };

static const struct option options[] = {
	{"quick", no_argument, NULL, OPT_QUICK},
	{"prometheus", no_argument, NULL, OPT_PROMETHEUS},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

int glt_cmd_stats(struct glt_cli *cli, int argc, char **argv)
{
	bool quick = false, prometheus = false;
	struct glt_stats stats = {.backup_at = 0};
	struct glt_err err;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		quick = quick || c == OPT_QUICK;
		prometheus = prometheus || c == OPT_PROMETHEUS;
	}
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	if (prometheus && cli->format == GLT_FORMAT_JSON)
		glt_cli_usage(cli, "only one of --json and --prometheus may be given");
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK)
		stats.backup_at = glt_backupdir_newest(cli->conf.backup_dir);
	if (rc == GLT_EXIT_OK)
		rc = glt_cli_open(cli, false);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (glt_stats_gather(cli, quick, &stats, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	if (cli->format == GLT_FORMAT_JSON)
		return glt_stats_json(&stats) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
	if (prometheus)
		glt_stats_prometheus(&stats);
	else
		glt_stats_text(&stats);
	return GLT_EXIT_OK;
}
