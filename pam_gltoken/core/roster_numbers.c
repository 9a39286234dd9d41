/* SPDX-License-Identifier: MIT */
/*
 * Which number belongs to whom, for ever: lines "NUMBER KEY" in a file that is only appended to. It stands outside of
 * the store, so that a restore cannot take a number back and give it to somebody else.
 */
#include "roster.h"

#include "account.h"
#include "grow.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBERS GLT_NSS_PUBLIC "/numbers"
#define TAKEN_MAX 1000 /* numbers in a row that somebody else has */
#define KEY_MAX (GLT_NSS_NAME_MAX + 32)

struct given {
	char *key;
	uint32_t number;
	size_t line; /* of two lines the later one counts */
};

struct numbers {
	struct glt_roster *r;
	struct given *v;
	size_t n, room;
	uint32_t next;
	FILE *f;
	bool grown, torn;
};

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct given *)a)->key, ((const struct given *)b)->key);
}

static int by_key_and_line(const void *a, const void *b)
{
	const struct given *x = a, *y = b;
	int c = by_key(a, b);

	return c ? c : (x->line > y->line) - (x->line < y->line);
}

static void sort(struct numbers *n)
{
	size_t kept = 0;

	if (n->n)
		qsort(n->v, n->n, sizeof(*n->v), by_key_and_line);
	for (size_t i = 0; i < n->n; i++) {
		if (kept && by_key(&n->v[kept - 1], &n->v[i]) == 0)
			free(n->v[--kept].key);
		n->v[kept++] = n->v[i];
	}
	n->n = kept;
}

static enum glt_status no_memory(struct glt_err *err)
{
	return glt_fail(err, GLT_UNAVAILABLE, "no memory for " NUMBERS);
}

static enum glt_status read_line(struct numbers *n, char *line, struct glt_err *err)
{
	void *v = n->v;
	unsigned long number;
	char *end, *newline;

	errno = 0;
	number = strtoul(line, &end, 10);
	if (line[0] < '1' || line[0] > '9' || errno || number >= UINT32_MAX)
		return glt_fail(err, GLT_DAMAGED, NUMBERS ": a line does not begin with a number");
	if (number >= n->next && number <= n->r->limits.last)
		n->next = (uint32_t)number + 1;
	newline = strchr(end, '\n');
	n->torn = !newline;
	if (*end != ' ' || !newline) /* cut short by a crash: the number is lost, and not given again */
		return GLT_OK;
	*newline = '\0';
	if (!glt_grow(&v, &n->room, n->n, sizeof(*n->v)))
		return no_memory(err);
	n->v = v;
	n->v[n->n].key = strdup(end + 1);
	n->v[n->n].number = (uint32_t)number;
	n->v[n->n].line = n->n;
	return n->v[n->n++].key ? GLT_OK : no_memory(err);
}

static enum glt_status load(struct numbers *n, struct glt_err *err)
{
	int fd = open(NUMBERS, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0644);
	enum glt_status st = GLT_OK;
	char line[KEY_MAX + 16];

	n->f = fd < 0 ? NULL : fdopen(fd, "r+");
	if (!n->f) {
		if (fd >= 0)
			(void)close(fd);
		return glt_fail(err, GLT_UNAVAILABLE, NUMBERS ": %s", strerror(errno));
	}
	while (st == GLT_OK && fgets(line, sizeof(line), n->f))
		st = line[0] == '\n' ? GLT_OK : read_line(n, line, err);
	if (st == GLT_OK && ferror(n->f))
		st = glt_fail(err, GLT_UNAVAILABLE, NUMBERS " cannot be read");
	sort(n);
	(void)fseek(n->f, 0, SEEK_END);
	return st;
}

/* A directory does not enumerate, so the number itself is asked for. */
static enum glt_status is_free(uint32_t number, bool *is, struct glt_err *err)
{
	struct glt_account a;
	bool group = false;
	enum glt_status st = glt_account_by_uid(number, &a, err);

	*is = false;
	if (st == GLT_OK)
		return st;
	if (st == GLT_NOT_FOUND)
		st = glt_gid_used(number, &group, err);
	*is = st == GLT_OK && !group;
	return st;
}

static enum glt_status fresh(struct numbers *n, const char *key, uint32_t *out, struct glt_err *err)
{
	enum glt_status st = GLT_OK;
	bool is = false;

	for (int i = 0; st == GLT_OK && !is && i < TAKEN_MAX && n->next <= n->r->limits.last; i++)
		st = is_free(*out = n->next++, &is, err);
	if (st != GLT_OK)
		return st;
	if (!is)
		return glt_fail(err, GLT_REFUSED, "no number is left in [nss] uid_min %u to uid_max %u",
				n->r->limits.first, n->r->limits.last);
	if (fprintf(n->f, "%s%" PRIu32 " %s\n", n->torn ? "\n" : "", *out, key) < 0)
		return glt_fail(err, GLT_UNAVAILABLE, NUMBERS " cannot be written");
	n->grown = true;
	n->torn = false;
	return GLT_OK;
}

static enum glt_status number(struct numbers *n, const char *key, uint32_t *out, struct glt_err *err)
{
	const struct given want = {.key = (char *)(uintptr_t)key}, *found;

	found = n->n ? bsearch(&want, n->v, n->n, sizeof(*n->v), by_key) : NULL;
	if (!found || !glt_nss_number_fits(&n->r->limits, found->number)) /* of another range, once */
		return fresh(n, key, out, err);
	*out = found->number;
	return GLT_OK;
}

static enum glt_status number_all(struct numbers *n, struct glt_err *err)
{
	struct glt_roster *r = n->r;
	enum glt_status st = GLT_OK;
	char key[KEY_MAX];

	for (size_t i = 0; st == GLT_OK && r->limits.range && i < r->users; i++) {
		(void)snprintf(key, sizeof(key), "%s %" PRIu64 " %s", r->user[i].bot ? "bot" : "user",
			       r->user[i].first, r->user[i].name);
		st = number(n, key, &r->user[i].number, err);
	}
	for (size_t i = 0; st == GLT_OK && i < r->spaces; i++) {
		(void)snprintf(key, sizeof(key), "path %" PRIu64, r->space[i].id);
		st = number(n, key, &r->space[i].number, err);
	}
	return st;
}

enum glt_status glt_roster_number(struct glt_roster *r, struct glt_err *err)
{
	struct numbers n = {.r = r, .next = r->limits.first};
	enum glt_status st;

	if (!r->limits.range && !r->limits.groups)
		return GLT_OK;
	st = load(&n, err);
	if (st == GLT_OK)
		st = number_all(&n, err);
	/* What was given is on the disk before anybody can be told. */
	if (n.f && n.grown && (fflush(n.f) != 0 || fsync(fileno(n.f)) != 0) && st == GLT_OK)
		st = glt_fail(err, GLT_UNAVAILABLE, NUMBERS " cannot be written: %s", strerror(errno));
	if (n.f)
		(void)fclose(n.f);
	for (size_t i = 0; i < n.n; i++)
		free(n.v[i].key);
	free(n.v);
	return st;
}
