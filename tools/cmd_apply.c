/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "apply.h"
#include "input.h"
#include "safe.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken apply FILE [--check] [--diff] [--prune] [--json]\n"
	"\n"
	"Bring users, memberships, protected refs and public keys to what FILE, or standard input (-),\n"
	"says; all of it or nothing. A statement a line:\n"
	"\n"
	"  user NAME [DISPLAY]\n"
	"  member PATH PRINCIPAL ROLE\n"
	"  protect PATH REFGLOB push=ROLE [force=ROLE] [delete=ROLE]\n"
	"  key USER TYPE BASE64 [TITLE]\n"
	"  deploy-key PATH read|write TYPE BASE64 [TITLE]\n"
	"\n"
	"      --check              change nothing; status 1 if there is a difference\n"
	"      --diff               list what is added (+), changed (~) and removed (-)\n"
	"      --prune              remove what the file does not have, of the kinds that it has;\n"
	"                           always listed\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_CHECK = GLT_OPT_OWN, OPT_DIFF, OPT_PRUNE };

static const struct option options[] = {
	{"check", no_argument, NULL, OPT_CHECK},
	{"dry-run", no_argument, NULL, OPT_CHECK},
	{"diff", no_argument, NULL, OPT_DIFF},
	{"prune", no_argument, NULL, OPT_PRUNE},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct args {
	const char *file;
	bool check, diff, prune;
};

static int read_input(const struct glt_cli *cli, const char *path, struct glt_applyfile *out)
{
	struct glt_err err;
	FILE *f = glt_input_open(path, &err);
	enum glt_status st;

	if (!f)
		return glt_cli_fail(cli, &err);
	st = glt_applyfile_read(f, out, &err);
	glt_input_close(f);
	if (st == GLT_OK)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "%s: %s", f == stdin ? "standard input" : path, err.text);
	return glt_cli_exit(st);
}

static void print_json(const struct args *args, const struct glt_apply *a)
{
	json_t *o = json_object(), *list = json_array();

	for (size_t i = 0; i < a->n; i++) {
		const struct glt_difference *d = &a->v[i];
		json_t *one = json_object();

		(void)json_object_set_new(one, "change",
					  json_string(d->sign == '+'   ? "add"
						      : d->sign == '-' ? "remove"
								       : "change"));
		(void)json_object_set_new(one, "what", glt_json_text(d->text));
		(void)json_object_set_new(one, "was", glt_json_text(d->was));
		(void)json_array_append_new(list, one);
	}
	(void)json_object_set_new(o, "changed", json_boolean(a->n > 0 && !args->check));
	(void)json_object_set_new(o, "differs", json_boolean(a->n > 0));
	(void)json_object_set_new(o, "differences", list);
	(void)glt_json_print(o);
}

static void print_text(const struct args *args, const struct glt_apply *a)
{
	size_t added = 0, changed = 0, removed = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct glt_difference *d = &a->v[i];

		added += d->sign == '+';
		changed += d->sign == '~';
		removed += d->sign == '-';
		if (!args->diff && d->sign != '-')
			continue;
		(void)printf("%c ", d->sign);
		glt_safe_put(stdout, d->text);
		if (d->was) {
			(void)fputs("  (was ", stdout);
			glt_safe_put(stdout, d->was);
			(void)putchar(')');
		}
		(void)putchar('\n');
	}
	if (a->n == 0)
		puts("unchanged");
	else
		(void)printf("%s%zu added, %zu changed, %zu removed\n", args->check ? "would be: " : "", added,
			     changed, removed);
}

static int apply(struct glt_cli *cli, const struct args *args, const struct glt_applyfile *file)
{
	struct glt_apply a = {.cli = cli, .file = file, .prune = args->prune};
	int rc = glt_apply_put(cli, &a, args->check);

	if (rc == GLT_EXIT_OK && cli->format == GLT_FORMAT_JSON)
		print_json(args, &a);
	else if (rc == GLT_EXIT_OK)
		print_text(args, &a);
	if (rc == GLT_EXIT_OK && args->check && a.n > 0)
		rc = GLT_EXIT_DENIED;
	glt_apply_free(&a);
	return rc;
}

int glt_cmd_apply(struct glt_cli *cli, int argc, char **argv)
{
	struct args args = {.check = false};
	struct glt_applyfile file;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		args.check |= c == OPT_CHECK;
		args.diff |= c == OPT_DIFF;
		args.prune |= c == OPT_PRUNE;
	}
	glt_cli_operands(cli, argc, argv, 1, 1, "one FILE");
	rc = read_input(cli, argv[optind], &file);
	if (rc != GLT_EXIT_OK)
		return rc;
	rc = apply(cli, &args, &file);
	glt_applyfile_free(&file);
	return rc;
}
