/* SPDX-License-Identifier: MIT */
#include "import.h"

#include "progress.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 16384 /* lines that are read, and then parsed on all CPUs */
#define CPUS_MAX 16

struct line {
	char *text;
	size_t size, len;
	struct glt_import_record r; /* none: of the first line, and of the last */
	json_int_t count;           /* the last line's */
	bool end;
};

/* What one thread parses: up to its first error. */
struct share {
	struct line *line;
	size_t n;
	unsigned long first; /* its number */
	size_t parsed;
	enum glt_status st;
	bool no_json;
	struct glt_err why;
};

void glt_import_free(struct glt_import *in)
{
	for (size_t i = 0; i < in->n; i++)
		protobuf_c_message_free_unpacked(in->v[i].m, NULL);
	free(in->v);
	*in = (struct glt_import){NULL, 0, 0};
}

static bool is_record(const json_t *o, const char *name)
{
	const char *record = json_string_value(json_object_get(o, "record"));

	return record && strcmp(record, name) == 0;
}

/* The first line says what it is, the last one that nothing was cut off. */
static enum glt_status parse_object(struct line *l, const json_t *o, unsigned long number, struct glt_err *err)
{
	enum glt_status st;

	if (number == 1 && !is_record(o, "export"))
		return glt_fail(err, GLT_INVALID, "this is not what gltoken export writes");
	if (number == 1)
		return json_integer_value(json_object_get(o, "version")) == 1
			       ? GLT_OK
			       : glt_fail(err, GLT_REFUSED, "the export is of another version of gltoken");
	l->end = is_record(o, "end");
	if (l->end) {
		l->count = json_integer_value(json_object_get(o, "count"));
		return GLT_OK;
	}
	l->r.line = number;
	st = glt_record_parse(o, &l->r.kind, &l->r.m, err);
	return st == GLT_OK ? glt_import_valid(&l->r, err) : st;
}

static void *parse_share(void *arg)
{
	struct share *s = arg;

	for (s->parsed = 0; s->st == GLT_OK && s->parsed < s->n; s->parsed++) {
		struct line *l = &s->line[s->parsed];
		json_t *o = json_loadb(l->text, l->len, JSON_REJECT_DUPLICATES, NULL);

		l->r = (struct glt_import_record){.m = NULL};
		l->end = false;
		s->no_json = !json_is_object(o);
		s->st = s->no_json ? glt_fail(&s->why, GLT_INVALID, "this is no JSON object")
				   : parse_object(l, o, s->first + s->parsed, &s->why);
		json_decref(o);
	}
	return NULL;
}

/* Parsing is half of an import; each thread has as many lines. */
static size_t parse_all(struct line *line, size_t n, unsigned long first, struct share share[CPUS_MAX])
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	const size_t shares = cpus < 1 || n < 256 ? 1 : cpus > CPUS_MAX ? CPUS_MAX : (size_t)cpus;
	pthread_t thread[CPUS_MAX];
	bool started[CPUS_MAX] = {false};

	for (size_t i = 0; i < shares; i++) {
		const size_t from = n * i / shares;

		share[i] = (struct share){.line = line + from,
					  .n = n * (i + 1) / shares - from,
					  .first = first + from,
					  .st = GLT_OK};
		if (i > 0)
			started[i] = pthread_create(&thread[i], NULL, parse_share, &share[i]) == 0;
	}
	for (size_t i = 0; i < shares; i++)
		if (!started[i])
			(void)parse_share(&share[i]);
		else
			(void)pthread_join(thread[i], NULL);
	return shares;
}

/* In the order of the lines. A share's error belongs to the last line that it parsed. */
static enum glt_status take_share(struct glt_import *in, struct share *s, bool *end, unsigned long *number,
				  struct glt_err *err)
{
	for (size_t i = 0; i < s->parsed; i++) {
		struct line *l = &s->line[i];
		const bool bad = s->st != GLT_OK && i + 1 == s->parsed;

		*number = s->first + i;
		if (*end && !(bad && s->no_json))
			return glt_fail(err, GLT_INVALID, "something stands behind the end");
		if (bad)
			return glt_fail(err, s->st, "%s", s->why.text);
		if (l->end && (size_t)l->count != in->n)
			return glt_fail(err, GLT_INVALID,
					"the number of records is not right: some were taken out or put in");
		*end = *end || l->end;
		if (!l->r.m)
			continue;
		if (in->n == in->room) {
			in->room = in->room ? in->room * 2 : 256;
			in->v = glt_cli_alloc(in->v, in->room, sizeof(*in->v));
		}
		in->v[in->n++] = l->r;
		l->r.m = NULL;
	}
	return GLT_OK;
}

static enum glt_status take_piece(struct glt_import *in, struct line *line, size_t n, unsigned long first,
				  bool *end, unsigned long *number, struct glt_err *err)
{
	struct share share[CPUS_MAX];
	const size_t shares = parse_all(line, n, first, share);
	enum glt_status st = GLT_OK;

	for (size_t i = 0; st == GLT_OK && i < shares; i++)
		st = take_share(in, &share[i], end, number, err);
	for (size_t i = 0; i < shares; i++)
		for (size_t k = 0; k < share[i].parsed; k++)
			if (share[i].line[k].r.m)
				protobuf_c_message_free_unpacked(share[i].line[k].r.m, NULL);
	return st;
}

static size_t read_piece(FILE *f, struct line *line, uint64_t *bytes, struct glt_progress *progress)
{
	size_t n = 0;
	ssize_t len;

	while (n < PIECE && (len = getline(&line[n].text, &line[n].size, f)) > 0) {
		*bytes += (uint64_t)len;
		line[n++].len = (size_t)len;
		glt_progress_show(progress, *bytes >> 10);
	}
	return n;
}

/* 0: of a pipe. */
static uint64_t size_of(FILE *f)
{
	struct stat st;

	return fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

enum glt_status glt_import_read(FILE *f, struct glt_import *in, struct glt_err *err)
{
	struct line *line = glt_cli_alloc(NULL, PIECE, sizeof(*line));
	struct glt_progress progress;
	unsigned long first = 1, number = 0;
	enum glt_status st = GLT_OK;
	uint64_t bytes = 0;
	bool end = false;
	struct glt_err why;
	size_t n;

	memset(line, 0, PIECE * sizeof(*line));
	json_object_seed(0); /* jansson's manual: before there are threads */
	*in = (struct glt_import){NULL, 0, 0};
	glt_progress_begin(&progress, size_of(f) >> 10, "KiB read");
	while (st == GLT_OK && (n = read_piece(f, line, &bytes, &progress)) > 0) {
		st = take_piece(in, line, n, first, &end, &number, &why);
		first += n;
	}
	glt_progress_end(&progress);
	for (size_t i = 0; i < PIECE; i++) {
		if (line[i].text)
			explicit_bzero(line[i].text, line[i].size);
		free(line[i].text);
	}
	free(line);
	if (st != GLT_OK)
		(void)glt_fail(err, st, "line %lu: %s", number, why.text);
	else if (ferror(f))
		st = glt_fail(err, GLT_UNAVAILABLE, "cannot read the export");
	else if (!end)
		st = glt_fail(err, GLT_INVALID, "the export was cut short: its last line is missing");
	if (st != GLT_OK)
		glt_import_free(in);
	return st;
}
