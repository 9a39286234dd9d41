/* SPDX-License-Identifier: MIT */
/* A child that is uid gltoken reads the store and prints; root puts what it printed where it belongs. */
#include "cmds.h"

#include "child.h"
#include "report.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken report [OPTION...] [FILE]\n"
	"\n"
	"Draw a picture of all tokens, as one HTML file without scripts and without anything to\n"
	"load: by type, state, scope and age, when they expire, which are unused, may too much or\n"
	"break the policy, who may push where, and what was changed lately. To standard output,\n"
	"unless FILE is given, which is replaced in one step.\n"
	"\n"
	"      --json               the same numbers as JSON\n"
	"      --csv                the same numbers as CSV: section, row, field, value\n" GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_JSON,
	{"csv", no_argument, NULL, GLT_OPT_CSV},
	GLT_OPTIONS_END,
};

static enum glt_status gather(struct glt_cli *cli, struct glt_report *r, struct glt_err *err)
{
	const struct glt_select all = {.which = GLT_WHICH_ALL, .now = cli->now};
	enum glt_status st = glt_select(cli->store, &all, &r->tokens, err);

	if (st != GLT_OK)
		return st;
	r->usage = glt_cli_alloc(NULL, r->tokens.n + 1, sizeof(*r->usage));
	for (size_t i = 0; i < r->tokens.n; i++)
		(void)glt_usage_read(cli->conf.store_dir, r->tokens.token[i]->id, &r->usage[i]);
	glt_report_tokens(r);
	st = glt_report_activity(r, cli->store, err);
	glt_report_answers(r, &cli->conf);
	if (st == GLT_OK)
		st = glt_report_pushers(r, cli->store, err);
	if (st == GLT_OK)
		glt_report_findings(r, &cli->conf);
	return st;
}

static bool print(const struct glt_cli *cli, const struct glt_report *r)
{
	if (cli->format == GLT_FORMAT_JSON)
		return glt_json_print(glt_report_json(r));
	return cli->format == GLT_FORMAT_CSV ? glt_report_csv(cli, r) : glt_report_html(r);
}

/* arg: the descriptor that stands for standard output. */
static int fill(struct glt_cli *cli, void *arg)
{
	struct glt_report r = {.now = cli->now};
	struct glt_err err;
	enum glt_status st;
	int rc = dup2(*(int *)arg, STDOUT_FILENO) < 0 ? GLT_EXIT_UNAVAILABLE : glt_cli_open(cli, false);

	if (rc != GLT_EXIT_OK)
		return rc;
	st = gather(cli, &r, &err);
	glt_cli_close(cli);
	if (st != GLT_OK)
		rc = glt_cli_fail(cli, &err);
	else if (!print(cli, &r) || fflush(stdout) != 0) {
		glt_cli_warn(cli, "cannot write the output: %s", strerror(errno));
		rc = GLT_EXIT_UNAVAILABLE;
	}
	if (r.tokens.damaged) {
		glt_cli_warn(cli, "%zu damaged records were left out: run gltoken check", r.tokens.damaged);
		rc = GLT_EXIT_UNAVAILABLE;
	}
	glt_report_free(&r);
	return rc;
}

static bool copy(int from, int to)
{
	struct stat st;
	off_t at = 0;

	if (fstat(from, &st) != 0)
		return false;
	while (at < st.st_size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
	}
	return true;
}

/* Names of people and projects are in it: 0600, for whoever runs this to hand on. */
static int place(const struct glt_cli *cli, int from, const char *path)
{
	struct stat old;
	char *fresh;
	bool ok;
	int fd;

	if (lstat(path, &old) == 0 && !S_ISREG(old.st_mode)) {
		glt_cli_warn(cli, "%s is there and is no regular file: nothing was written", path);
		return GLT_EXIT_DENIED;
	}
	if (asprintf(&fresh, "%s.XXXXXX", path) < 0)
		return GLT_EXIT_UNAVAILABLE;
	fd = mkostemp(fresh, O_CLOEXEC);
	ok = fd >= 0 && copy(from, fd) && fsync(fd) == 0 && rename(fresh, path) == 0;
	if (!ok) {
		glt_cli_warn(cli, "cannot write %s: %s", path, strerror(errno));
		if (fd >= 0)
			(void)unlink(fresh);
	}
	if (fd >= 0)
		(void)close(fd);
	free(fresh);
	return ok ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
}

int glt_cmd_report(struct glt_cli *cli, int argc, char **argv)
{
	int rc, out = STDOUT_FILENO;
	pid_t pid;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 1, "one FILE");
	rc = glt_cli_config(cli);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (argv[optind])
		out = memfd_create("report", MFD_CLOEXEC);
	if (out < 0) {
		glt_cli_warn(cli, "no memory for the report: %s", strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	pid = glt_child_start(cli, fill, &out);
	rc = pid < 0 ? GLT_EXIT_UNAVAILABLE : glt_child_wait(cli, pid, GLT_EXIT_UNAVAILABLE);
	return argv[optind] && rc == GLT_EXIT_OK ? place(cli, out, argv[optind]) : rc;
}
