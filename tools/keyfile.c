/* SPDX-License-Identifier: MIT */
#include "keyfile.h"

#include "cli.h"
#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 16384
#define KEYS_MAX 1000

static enum glt_status add(struct glt_keyfile *keys, const char *text, unsigned number, struct glt_err *err)
{
	struct glt_keyline line = {.blob = NULL};
	struct glt_err why;
	enum glt_status st = glt_pubkey_parse(text, line.type, &line.blob, &line.blob_len, line.comment, &why);

	if (st != GLT_OK)
		return glt_fail(err, st, "line %u: %s", number, why.text);
	glt_pubkey_fingerprint(line.blob, line.blob_len, line.fingerprint);
	for (size_t i = 0; i < keys->n; i++)
		if (memcmp(keys->v[i].fingerprint, line.fingerprint, sizeof(line.fingerprint)) == 0)
			st = glt_fail(err, GLT_INVALID, "line %u: the same key stands there twice", number);
	if (st == GLT_OK && keys->n == KEYS_MAX)
		st = glt_fail(err, GLT_INVALID, "line %u: at most %d keys at a time", number, KEYS_MAX);
	if (st != GLT_OK) {
		free(line.blob);
		return st;
	}
	keys->v = glt_cli_alloc(keys->v, keys->n + 1, sizeof(*keys->v));
	keys->v[keys->n++] = line;
	return GLT_OK;
}

static enum glt_status read_lines(FILE *f, struct glt_keyfile *keys, struct glt_err *err)
{
	char text[LINE_MAX_BYTES];
	enum glt_status st = GLT_OK;

	for (unsigned number = 1; st == GLT_OK && fgets(text, sizeof(text), f); number++) {
		size_t len = strlen(text);
		const char *p = text + strspn(text, " \t");

		if (len == sizeof(text) - 1 && text[len - 1] != '\n')
			st = glt_fail(err, GLT_INVALID, "line %u: over %d bytes", number, LINE_MAX_BYTES - 2);
		else if (strstr(text, "PRIVATE KEY"))
			st = glt_fail(err, GLT_INVALID, "line %u: this is a PRIVATE key: give the .pub file",
				      number);
		else if (*p != '#' && *p != '\n' && *p != '\r' && *p != '\0')
			st = add(keys, p, number, err);
	}
	explicit_bzero(text, sizeof(text));
	if (st == GLT_OK && ferror(f))
		st = glt_fail(err, GLT_UNAVAILABLE, "cannot read the keys: %s", strerror(errno));
	if (st == GLT_OK && keys->n == 0)
		st = glt_fail(err, GLT_INVALID, "no public key was given");
	return st;
}

enum glt_status glt_keyfile_read(const char *path, struct glt_keyfile *keys, struct glt_err *err)
{
	FILE *f = glt_input_open(path, err);
	enum glt_status st;

	*keys = (struct glt_keyfile){0};
	if (!f)
		return err->status;
	st = read_lines(f, keys, err);
	glt_input_close(f);
	if (st != GLT_OK)
		glt_keyfile_free(keys);
	return st;
}

void glt_keyfile_free(struct glt_keyfile *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		free(keys->v[i].blob);
	free(keys->v);
	*keys = (struct glt_keyfile){0};
}
