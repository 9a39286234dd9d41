/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "backupdir.h"
#include "child.h"
#include "doctor.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken doctor [--json | --nagios] [--fix]\n"
	"\n"
	"Look whether this host is set up right: programs, accounts, PAM, sshd as it effectively\n"
	"is, repositories, store, backups. Each finding says what it is, why it matters and what\n"
	"mends it. Exit status 1 if there are warnings or errors. See gltoken-doctor(8).\n"
	"\n"
	"      --nagios             one line, and the exit status of a monitoring plugin\n"
	"      --fix                run the commands of those findings that are safe to mend:\n"
	"                           owners and modes of gltoken's own files\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_NAGIOS = GLT_OPT_OWN, OPT_FIX };

static const struct option options[] = {
	{"nagios", no_argument, NULL, OPT_NAGIOS},
	{"fix", no_argument, NULL, OPT_FIX},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

/* ---- the child that asks the store, and hands over what it finds ---- */

struct hand_over {
	struct glt_doctor *d;
	int fd;
};

static void write_text(FILE *f, const char *text)
{
	(void)fwrite(text, 1, strlen(text) + 1, f);
}

static int ask_store(struct glt_cli *cli, void *arg)
{
	const struct hand_over *h = arg;
	struct glt_doctor found = {.cli = cli, .backup_at = h->d->backup_at};
	FILE *f = fdopen(h->fd, "w");
	int rc = f ? glt_cli_drop(cli) : GLT_EXIT_UNAVAILABLE;

	if (rc != GLT_EXIT_OK)
		return rc;
	glt_doctor_store(&found);
	glt_cli_close(cli);
	for (size_t i = 0; i < found.n; i++) {
		(void)fprintf(f, "%d", (int)found.v[i].id);
		(void)fputc('\0', f);
		write_text(f, found.v[i].what);
		write_text(f, found.v[i].command);
	}
	glt_doctor_clear(&found);
	return fclose(f) == 0 ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
}

/* The child is less than we are: its numbers are not believed. */
static bool take_over(struct glt_doctor *d, FILE *f)
{
	char *part[3] = {NULL, NULL, NULL};
	size_t size[3] = {0, 0, 0};
	bool more = true;

	while (more) {
		char *end;
		uintmax_t id;

		for (int i = 0; i < 3 && more; i++)
			more = getdelim(&part[i], &size[i], '\0', f) > 0;
		if (!more)
			break;
		id = strtoumax(part[0], &end, 10);
		if (*end == '\0' && id < GLT_FINDING_IDS)
			glt_doctor_find(d, (enum glt_finding_id)id, part[2], "%s", part[1]);
	}
	for (int i = 0; i < 3; i++)
		free(part[i]);
	return ferror(f) == 0;
}

static int store_part(struct glt_doctor *d)
{
	struct hand_over h = {.d = d};
	int fd[2], rc;
	pid_t pid;
	FILE *f;

	d->backup_at = glt_backupdir_newest(d->cli->conf.backup_dir);
	if (pipe2(fd, O_CLOEXEC) != 0) {
		glt_cli_warn(d->cli, "cannot make a pipe: %s", strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	h.fd = fd[1];
	pid = glt_child_start(d->cli, ask_store, &h);
	(void)close(fd[1]);
	f = fdopen(fd[0], "r");
	if (pid < 0 || !f || !take_over(d, f))
		rc = GLT_EXIT_UNAVAILABLE;
	else
		rc = GLT_EXIT_OK;
	if (f)
		(void)fclose(f);
	else
		(void)close(fd[0]);
	if (pid > 0 && glt_child_wait(d->cli, pid, GLT_EXIT_DENIED) == GLT_EXIT_DENIED)
		glt_doctor_find(d, GLT_D_store_unusable, "gltoken restore", "reading the store crashed");
	return rc;
}

/* ---- all of it ---- */

static bool has(const struct glt_doctor *d, enum glt_finding_id id)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].id == id)
			return true;
	return false;
}

static int examine(struct glt_doctor *d)
{
	glt_doctor_check *const *const areas[] = {glt_doctor_files, glt_doctor_accounts, glt_doctor_pam,
						  glt_doctor_sshd,  glt_doctor_host,     glt_doctor_repos,
						  glt_doctor_beside};

	d->cli->conf_loaded = false;
	glt_doctor_config(d);
	if (!d->cli->conf_loaded)
		return GLT_EXIT_OK; /* what else is right or wrong depends on it */
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		for (size_t k = 0; areas[i][k]; k++)
			areas[i][k](d);
	if (has(d, GLT_D_store_missing) || has(d, GLT_D_store_mode) || has(d, GLT_D_state_writable))
		return GLT_EXIT_OK;
	return store_part(d);
}

/* Runs what it would have printed. False: nothing was to be mended. */
static bool mend(const struct glt_doctor *d)
{
	bool did = false;

	for (size_t i = 0; i < d->n; i++) {
		char out[400], *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, d->v[i].command, NULL};
		const struct glt_run run = {
			.argv = argv, .out = out, .out_size = sizeof(out), .merge = true, .timeout = 60};

		if (!glt_finding_mendable(d->v[i].id) || !d->v[i].command[0])
			continue;
		did = true;
		glt_cli_say("# %s", d->v[i].command);
		if (glt_run(&run) != 0)
			glt_cli_warn(d->cli, "that failed: %s", out);
	}
	return did;
}

int glt_cmd_doctor(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_doctor d = {.cli = cli};
	bool nagios = false, fix = false;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		nagios |= c == OPT_NAGIOS;
		fix |= c == OPT_FIX;
	}
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	if (nagios && cli->format == GLT_FORMAT_JSON)
		glt_cli_usage(cli, "only one of --json and --nagios may be given");
	if (!glt_cli_is_root(cli, "do this"))
		return GLT_EXIT_UNAVAILABLE;
	rc = examine(&d);
	if (fix && mend(&d)) {
		glt_doctor_clear(&d);
		rc = examine(&d);
	}
	if (nagios) {
		c = glt_doctor_print_nagios(&d);
		rc = rc == GLT_EXIT_OK ? c : GLT_EXIT_UNAVAILABLE;
	} else {
		if (cli->format == GLT_FORMAT_JSON)
			(void)glt_doctor_print_json(&d);
		else
			glt_doctor_print(&d);
		if (rc == GLT_EXIT_OK && glt_doctor_count(&d, GLT_ERROR) + glt_doctor_count(&d, GLT_WARNING) > 0)
			rc = GLT_EXIT_DENIED;
	}
	glt_doctor_clear(&d);
	return rc;
}
