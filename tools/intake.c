/* SPDX-License-Identifier: MIT */
#include "intake.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void glt_intake_free(struct glt_intake *in)
{
	for (size_t i = 0; i < in->n; i++) {
		free(in->v[i].where);
		free(in->v[i].text);
	}
	free(in->v);
	in->v = NULL;
	in->n = in->room = 0;
	glt_applyfile_free(&in->file);
}

void glt_intake_note(struct glt_intake *in, unsigned line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (size_t i = in->n; i-- > 0 && in->v[i].line == line;)
		if (!in->where && strcmp(in->v[i].text, text) == 0)
			return;
	if (in->n == in->room) {
		in->room = in->room ? in->room * 2 : 64;
		in->v = glt_cli_alloc(in->v, in->room, sizeof(*in->v));
	}
	in->v[in->n++] = (struct glt_intake_note){.where = in->where ? glt_cli_strdup(in->where) : NULL,
						  .line = line,
						  .text = glt_cli_strdup(text)};
}

enum glt_status glt_intake_state(struct glt_intake *in, unsigned line, const char *text, struct glt_err *err)
{
	struct glt_err why;
	enum glt_status st;

	if (in->file.n == GLT_INTAKE_MAX || in->n == GLT_INTAKE_MAX)
		return glt_fail(err, GLT_INVALID,
				"line %u: more than %d users, memberships and keys: part the file", line,
				GLT_INTAKE_MAX);
	st = glt_applyfile_add(&in->file, text, line, &why);
	if (st == GLT_UNAVAILABLE)
		return glt_fail(err, st, "%s", why.text);
	if (st != GLT_OK) {
		const char *behind = strstr(why.text, ": "); /* of "line 7: " */

		glt_intake_note(in, line, "%s",
				behind && strncmp(why.text, "line ", 5) == 0 ? behind + 2 : why.text);
	}
	return GLT_OK;
}

static bool has_user(const struct glt_applyfile *file, const char *name)
{
	for (size_t i = 0; i < file->n; i++)
		if (file->v[i].kind == GLT_WANT_USER && strcmp(file->v[i].name, name) == 0)
			return true;
	return false;
}

/* Take out what belongs to a name that no user may have. */
static void drop_name(struct glt_applyfile *file, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < file->n; i++) {
		if (strcmp(file->v[i].name, name) == 0)
			free(file->v[i].blob);
		else
			file->v[kept++] = file->v[i];
	}
	file->n = kept;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whoever is in the file and not in the system, each once, sorted. */
static char **unknown_names(const struct glt_applyfile *file, size_t *n)
{
	char **names = glt_cli_alloc(NULL, file->n + 1, sizeof(*names));
	size_t all = 0;

	*n = 0;
	for (size_t i = 0; i < file->n; i++)
		if (!file->v[i].system && file->v[i].kind != GLT_WANT_USER)
			names[all++] = glt_cli_strdup(file->v[i].name);
	qsort(names, all, sizeof(*names), by_name);
	for (size_t i = 0; i < all; i++) {
		if (*n > 0 && strcmp(names[*n - 1], names[i]) == 0)
			free(names[i]);
		else
			names[(*n)++] = names[i];
	}
	return names;
}

/* apply asks for the users of the others, each time from the front. */
static void users_first(struct glt_applyfile *file)
{
	struct glt_wanted *v = glt_cli_alloc(NULL, file->n + 1, sizeof(*v));
	size_t n = 0;

	for (int others = 0; others < 2; others++)
		for (size_t i = 0; i < file->n; i++)
			if ((file->v[i].kind != GLT_WANT_USER) == others)
				v[n++] = file->v[i];
	free(file->v);
	file->v = v;
	file->room = file->n + 1;
}

static unsigned line_of(const struct glt_applyfile *file, const char *name)
{
	for (size_t i = 0; i < file->n; i++)
		if (strcmp(file->v[i].name, name) == 0)
			return file->v[i].line;
	return 0;
}

enum glt_status glt_intake_users(struct glt_intake *in, struct glt_err *err)
{
	enum glt_status st = GLT_OK;
	size_t n;
	char **names = unknown_names(&in->file, &n);

	for (size_t i = 0; i < n; i++) {
		char text[GLT_NAME_MAX + 16];
		size_t notes = in->n;

		(void)snprintf(text, sizeof(text), "user %s", names[i]);
		if (st == GLT_OK && !has_user(&in->file, names[i]))
			st = glt_intake_state(in, line_of(&in->file, names[i]), text, err);
		if (in->n > notes)
			drop_name(&in->file, names[i]);
		free(names[i]);
	}
	free(names);
	users_first(&in->file);
	return st;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return true;
	return false;
}

char *glt_intake_line(FILE *f, char buf[GLT_INTAKE_LINE], unsigned *number, enum glt_status *st,
		      struct glt_err *err)
{
	size_t len;

	*st = GLT_OK;
	memset(buf, 0, 2);
	buf[GLT_INTAKE_LINE - 1] = 1;
	if (!fgets(buf, GLT_INTAKE_LINE, f)) {
		if (ferror(f))
			*st = glt_fail(err, GLT_UNAVAILABLE, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	++*number;
	len = strlen(buf);
	if (len == GLT_INTAKE_LINE - 1) {
		*st = glt_fail(err, GLT_INVALID, "line %u: over %d bytes", *number, GLT_INTAKE_LINE - 2);
		return NULL;
	}
	/* fgets ends a line at its end or at that of the file; anything else is a NUL byte. */
	if (len == 0 || (buf[len - 1] != '\n' && !feof(f))) {
		*st = glt_fail(err, GLT_INVALID, "line %u: has a NUL byte", *number);
		return NULL;
	}
	while (len > 0 && (buf[len - 1] == '\n' || buf[len - 1] == '\r'))
		buf[--len] = '\0';
	if (has_control(buf)) {
		*st = glt_fail(err, GLT_INVALID, "line %u: has control characters", *number);
		return NULL;
	}
	return buf;
}
