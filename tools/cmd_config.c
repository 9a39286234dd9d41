/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "account.h"
#include "beside.h"
#include "conf_files.h"
#include "nss_limits.h"
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char intro[] = "The configuration, gltoken.conf(5).\n";

static const char check_help[] =
	"Usage: gltoken config check [FILE] [--json]\n"
	"\n"
	"Read the configuration, or FILE alone, and say what is wrong with it and with what it\n"
	"names on this host. Exit status 1 where something is.\n"
	"\n" GLT_HELP_JSON GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

static bool check_folder(const struct glt_cli *cli, const char *key, const char *path)
{
	struct stat sb;

	if (stat(path, &sb) != 0) {
		glt_cli_warn(cli, "%s %s: %s", key, path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(sb.st_mode)) {
		glt_cli_warn(cli, "%s %s is not a directory", key, path);
		return false;
	}
	return true;
}

static bool check_shared(const struct glt_cli *cli, const char *name)
{
	struct glt_account a;
	struct glt_err err;

	if (glt_account_of_system(name, &a, &err) != GLT_OK) {
		glt_cli_warn(cli, "[git] shared_accounts: %s", err.text);
		return false;
	}
	if (glt_account_shell(&a) == GLT_SHELL_GLTOKEN)
		return true;
	glt_cli_warn(cli,
		     "[git] shared_accounts: the login shell of %s is %s: run usermod --shell " GLT_SHELL_PATH
		     " %s",
		     name, a.shell, name);
	return false;
}

static bool check_programs(const struct glt_cli *cli)
{
	struct glt_beside v[GLT_BESIDE_MAX];
	size_t n = glt_beside(&cli->conf, v);
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		if (v[i].error)
			glt_cli_warn(cli, "[git] %s %s: %s", v[i].key, v[i].program, strerror(v[i].error));
		good &= !v[i].error;
	}
	return good;
}

bool glt_config_fits(const struct glt_cli *cli)
{
	struct glt_err err;
	bool good = check_folder(cli, "[store] dir", cli->conf.dir);

	good &= check_folder(cli, "[git] repo_root", cli->conf.repo_root);
	for (size_t i = 0; i < GLT_CONF_LIST && cli->conf.shared_accounts[i][0]; i++)
		good &= check_shared(cli, cli->conf.shared_accounts[i]);
	good &= check_programs(cli);
	if (glt_limits_range(&cli->conf, &err) != GLT_OK) {
		glt_cli_warn(cli, "%s", err.text);
		good = false;
	}
	return good;
}

static enum glt_status read_host(struct glt_cli *cli, struct glt_err *err)
{
	char *text;
	enum glt_status st = glt_conf_files(GLT_CONF_FILE, NULL, &cli->conf, &text, err);

	if (st == GLT_OK && geteuid() == 0)
		st = glt_conf_keep(GLT_CONF_VALID, text, err);
	if (st == GLT_OK)
		free(text);
	return st;
}

/* What does not fit the host is said on stderr, one line each. */
static bool print_json(const struct glt_cli *cli, bool good, const char *fault)
{
	json_t *files = json_array();

	for (unsigned i = 0; i < cli->conf.n_files; i++)
		(void)json_array_append_new(files, glt_json_text(cli->conf.files[i]));
	return glt_json_print(
		json_pack("{s:b,s:o,s:o}", "ok", (int)good, "fault", glt_json_text(fault), "files", files));
}

static int check(struct glt_cli *cli, int argc, char **argv)
{
	const char *file = NULL;
	struct glt_err err;
	enum glt_status st;
	bool good;

	while (glt_cli_option(cli, argc, argv, options, check_help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 1, "at most one FILE");
	if (optind < argc)
		file = argv[optind];
	if (file && access(file, F_OK) != 0) { /* only the usual place may be empty */
		glt_cli_warn(cli, "%s: %s", file, strerror(errno));
		return GLT_EXIT_DENIED;
	}
	st = file ? glt_conf_load(file, &cli->conf, &err) : read_host(cli, &err);
	if (st != GLT_OK)
		glt_cli_warn(cli, "%s", err.text);
	good = st == GLT_OK && glt_config_fits(cli);
	if (cli->format == GLT_FORMAT_JSON && !print_json(cli, good, st == GLT_OK ? NULL : err.text))
		return GLT_EXIT_UNAVAILABLE;
	if (!good)
		return GLT_EXIT_DENIED;
	if (cli->format == GLT_FORMAT_JSON)
		return GLT_EXIT_OK;
	for (unsigned i = 0; i < cli->conf.n_files; i++)
		printf("%s: no fault found\n", cli->conf.files[i]);
	if (!cli->conf.n_files)
		puts("there is no file: the defaults count");
	return GLT_EXIT_OK;
}

static const struct glt_command commands[] = {
	{"check", NULL, check, "read it and say what is wrong"},
	{"edit", NULL, glt_cmd_config_edit, "change it, checked before it counts"},
	{NULL, NULL, NULL, NULL},
};

int glt_cmd_config(struct glt_cli *cli, int argc, char **argv)
{
	return glt_cli_dispatch(cli, commands, intro, argc, argv);
}
