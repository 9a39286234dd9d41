/* SPDX-License-Identifier: MIT */
/* gltoken import --gitolite and its like: read as the caller, put in as uid gltoken. */
#include "cmds.h"

#include "apply.h"
#include "input.h"
#include "intake.h"
#include "safe.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

static int load_file(const struct glt_cli *cli, const struct glt_import_from *from, struct glt_intake *in)
{
	struct glt_err err;
	FILE *f = glt_input_open(from->file, &err);
	enum glt_status st;

	if (!f)
		return glt_cli_fail(cli, &err);
	if (from->source == GLT_IMPORT_GITOLITE)
		st = glt_intake_gitolite(f, in, &err);
	else if (from->source == GLT_IMPORT_HTPASSWD)
		st = glt_intake_htpasswd(f, in, &err);
	else
		st = glt_intake_authorized_keys(f, from->user, in, &err);
	glt_input_close(f);
	if (st == GLT_OK)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "%s: %s", strcmp(from->file, "-") == 0 ? "standard input" : from->file, err.text);
	return st == GLT_INVALID ? GLT_EXIT_DENIED : glt_cli_exit(st);
}

static int load(const struct glt_cli *cli, const struct glt_import_from *from, struct glt_intake *in)
{
	struct glt_err err;
	enum glt_status st;

	if (from->source != GLT_IMPORT_KEYDIR)
		return load_file(cli, from, in);
	st = glt_intake_keydir(from->file, in, &err);
	if (st == GLT_OK)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "%s: %s", from->file, err.text);
	return glt_cli_exit(st);
}

static void print_text(const struct glt_intake *in, const struct glt_apply *a, bool dry_run)
{
	size_t made = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct glt_difference *d = &a->v[i];

		made += d->sign == '+';
		(void)printf("%c ", d->sign);
		glt_safe_put(stdout, d->text);
		if (d->was) {
			(void)fputs("  (there: ", stdout);
			glt_safe_put(stdout, d->was);
			(void)putchar(')');
		}
		(void)putchar('\n');
	}
	for (size_t i = 0; i < in->n; i++) {
		(void)fputs("! ", stdout);
		if (in->v[i].where) {
			glt_safe_put(stdout, in->v[i].where);
			(void)fputs(": ", stdout);
		}
		if (in->v[i].line)
			(void)printf("line %u: ", in->v[i].line);
		glt_safe_put(stdout, in->v[i].text);
		(void)putchar('\n');
	}
	(void)printf("%s%zu added, %zu not taken over as they stand\n", dry_run ? "would be: " : "", made,
		     a->n - made + in->n);
}

static void print_json(const struct glt_intake *in, const struct glt_apply *a, bool dry_run)
{
	json_t *o = json_object(), *added = json_array(), *kept = json_array(), *notes = json_array();

	for (size_t i = 0; i < a->n; i++) {
		json_t *one = json_object();

		(void)json_object_set_new(one, "what", glt_json_text(a->v[i].text));
		if (a->v[i].sign != '+')
			(void)json_object_set_new(one, "there", glt_json_text(a->v[i].was));
		(void)json_array_append_new(a->v[i].sign == '+' ? added : kept, one);
	}
	for (size_t i = 0; i < in->n; i++) {
		json_t *one = json_object();

		(void)json_object_set_new(one, "file", glt_json_text(in->v[i].where));
		(void)json_object_set_new(one, "line", glt_json_number(in->v[i].line));
		(void)json_object_set_new(one, "why", glt_json_text(in->v[i].text));
		(void)json_array_append_new(notes, one);
	}
	(void)json_object_set_new(o, "changed", json_boolean(!dry_run && json_array_size(added) > 0));
	(void)json_object_set_new(o, "added", added);
	(void)json_object_set_new(o, "kept", kept);
	(void)json_object_set_new(o, "not_taken", notes);
	(void)glt_json_print(o);
}

static int put(struct glt_cli *cli, const struct glt_intake *in, bool dry_run)
{
	struct glt_apply a = {.cli = cli, .file = &in->file, .keep = true};
	int rc = glt_apply_put(cli, &a, dry_run);

	if (rc != GLT_EXIT_OK)
		return rc;
	if (cli->format == GLT_FORMAT_JSON)
		print_json(in, &a, dry_run);
	else
		print_text(in, &a, dry_run);
	glt_apply_free(&a);
	/* Of a file of another kind nothing is understood, and that is no success. */
	return in->file.n == 0 && in->n > 0 ? GLT_EXIT_DENIED : rc;
}

/* Whose file it is was typed, and not read: a mistyped name is nobody that should be made, and another file no list. */
static int keys_alone(const struct glt_cli *cli, const struct glt_import_from *from, const struct glt_intake *in)
{
	if (in->file.n > 0)
		return GLT_EXIT_OK;
	if (in->n > 0)
		glt_cli_warn(cli, "%s has no public key that can be taken; line %u: %s", from->file, in->v[0].line,
			     in->v[0].text);
	else
		glt_cli_warn(cli, "%s has no public key", from->file);
	return GLT_EXIT_DENIED;
}

int glt_import_from(struct glt_cli *cli, const struct glt_import_from *from, bool dry_run)
{
	struct glt_intake in = {.rw_as_developer = from->rw_as_developer};
	struct glt_err err;
	int rc = load(cli, from, &in);

	if (rc == GLT_EXIT_OK && from->source == GLT_IMPORT_KEYS)
		rc = keys_alone(cli, from, &in);
	else if (rc == GLT_EXIT_OK && glt_intake_users(&in, &err) != GLT_OK)
		rc = glt_cli_fail(cli, &err);
	if (rc == GLT_EXIT_OK)
		rc = put(cli, &in, dry_run);
	glt_intake_free(&in);
	return rc;
}
