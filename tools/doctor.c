/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include "safe.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	const char *name;
	enum glt_severity severity;
	bool mendable;
	const char *why;
} findings[] = {
#define GLT_X(id, severity, fix, why) [GLT_D_##id] = {#id, severity, fix, why},
	GLT_FINDINGS(GLT_X)
#undef GLT_X
};

const char *glt_finding_name(enum glt_finding_id id)
{
	return findings[id].name;
}

enum glt_severity glt_finding_severity(enum glt_finding_id id)
{
	return findings[id].severity;
}

const char *glt_finding_why(enum glt_finding_id id)
{
	return findings[id].why;
}

bool glt_finding_mendable(enum glt_finding_id id)
{
	return findings[id].mendable;
}

void glt_doctor_find(struct glt_doctor *d, enum glt_finding_id id, const char *command, const char *what, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, what);
	(void)vsnprintf(text, sizeof(text), what, ap);
	va_end(ap);
	d->v = glt_cli_alloc(d->v, d->n + 1, sizeof(*d->v));
	d->v[d->n++] = (struct glt_finding){id, glt_cli_strdup(text), glt_cli_strdup(command ? command : "")};
}

const char *glt_doctor_quote(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+:@=-";
	static char ring[4][1200];
	static unsigned next;
	char *out = ring[next++ % 4], *p = out;

	if (*text && strspn(text, plain) == strlen(text) && strlen(text) < sizeof(ring[0]))
		return strcpy(out, text);
	*p++ = '\'';
	for (; *text && p < out + sizeof(ring[0]) - 6; text++) {
		if (*text == '\'') {
			memcpy(p, "'\\''", 4);
			p += 4;
		} else {
			*p++ = *text;
		}
	}
	*p++ = '\'';
	*p = '\0';
	return out;
}

void glt_doctor_clear(struct glt_doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].what);
		free(d->v[i].command);
	}
	free(d->v);
	d->v = NULL;
	d->n = 0;
}

#define FILE_MAX 1000000

char *glt_doctor_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat sb;
	char *text = NULL;
	ssize_t n = -1;

	if (fd >= 0 && fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) && sb.st_size <= FILE_MAX) {
		text = glt_cli_alloc(NULL, (size_t)sb.st_size + 1, 1);
		n = read(fd, text, (size_t)sb.st_size);
	}
	if (fd >= 0)
		(void)close(fd);
	if (n < 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

char *glt_doctor_line(char **rest)
{
	char *line;

	while ((line = strsep(rest, "\n"))) {
		size_t len;

		line += strspn(line, " \t");
		line[strcspn(line, "#")] = '\0';
		len = strlen(line);
		while (len > 0 && strchr(" \t\r", line[len - 1]))
			line[--len] = '\0';
		if (len > 0)
			return line;
	}
	return NULL;
}

size_t glt_doctor_count(const struct glt_doctor *d, enum glt_severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += findings[d->v[i].id].severity == severity;
	return n;
}

/* ---- output ---- */

static const char *const severities[] = {[GLT_NOTE] = "note", [GLT_WARNING] = "warning", [GLT_ERROR] = "error"};

void glt_doctor_print(const struct glt_doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct glt_finding *f = &d->v[i];

		printf("%s: %s\n", severities[findings[f->id].severity], findings[f->id].name);
		(void)fflush(stdout);
		printf("  what  ");
		glt_safe_put(stdout, f->what);
		printf("\n  why   %s\n", findings[f->id].why);
		if (f->command[0]) {
			printf("  mend  ");
			glt_safe_put(stdout, f->command);
			printf("\n");
		}
	}
	printf("%s%zu errors, %zu warnings, %zu notes\n", d->n ? "\n" : "", glt_doctor_count(d, GLT_ERROR),
	       glt_doctor_count(d, GLT_WARNING), glt_doctor_count(d, GLT_NOTE));
}

bool glt_doctor_print_json(const struct glt_doctor *d)
{
	json_t *o = json_object(), *list = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct glt_finding *f = &d->v[i];
		json_t *one = json_object();

		(void)json_object_set_new(one, "id", json_string(findings[f->id].name));
		(void)json_object_set_new(one, "severity", json_string(severities[findings[f->id].severity]));
		(void)json_object_set_new(one, "what", glt_json_text(f->what));
		(void)json_object_set_new(one, "why", json_string(findings[f->id].why));
		(void)json_object_set_new(one, "command", glt_json_text(f->command));
		(void)json_object_set_new(one, "fixable", json_boolean(findings[f->id].mendable && f->command[0]));
		(void)json_array_append_new(list, one);
	}
	(void)json_object_set_new(o, "ok",
				  json_boolean(glt_doctor_count(d, GLT_ERROR) + glt_doctor_count(d, GLT_WARNING) ==
					       0));
	(void)json_object_set_new(o, "errors", json_integer((json_int_t)glt_doctor_count(d, GLT_ERROR)));
	(void)json_object_set_new(o, "warnings", json_integer((json_int_t)glt_doctor_count(d, GLT_WARNING)));
	(void)json_object_set_new(o, "notes", json_integer((json_int_t)glt_doctor_count(d, GLT_NOTE)));
	(void)json_object_set_new(o, "findings", list);
	return glt_json_print(o);
}

int glt_doctor_print_nagios(const struct glt_doctor *d)
{
	const size_t errors = glt_doctor_count(d, GLT_ERROR), warnings = glt_doctor_count(d, GLT_WARNING);
	const int status = errors ? 2 : warnings ? 1 : 0;
	static const char *const words[] = {"OK", "WARNING", "CRITICAL"};

	printf("GLTOKEN %s - %zu errors, %zu warnings", words[status], errors, warnings);
	for (size_t i = 0, shown = 0; i < d->n; i++)
		if (findings[d->v[i].id].severity > GLT_NOTE)
			printf("%s%s", shown++ ? ", " : ": ", findings[d->v[i].id].name);
	printf(" | errors=%zu;;1 warnings=%zu;1\n", errors, warnings);
	for (size_t i = 0; i < d->n; i++) {
		printf("%s: ", findings[d->v[i].id].name);
		glt_safe_put(stdout, d->v[i].what);
		printf("\n");
	}
	return status;
}
