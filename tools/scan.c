/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include "secret.h"
#include "tokens.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WINDOW 65536

static bool word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

/* Bytes of buf[len] up to the last one that is no part of a word: a token does not cross it. */
static size_t whole_words(const char *buf, size_t len)
{
	while (len > 0 && word(buf[len - 1]))
		len--;
	return len;
}

/* Take the end of a word that filled the whole window, and so was no token, from the front. */
static size_t drop_word(char *buf, size_t len, bool *inside)
{
	size_t n = 0;

	while (n < len && word(buf[n]))
		n++;
	*inside = n == len;
	memmove(buf, buf + n, len - n);
	return len - n;
}

static bool find_all(const char *buf, size_t len, const char *const prefixes[], glt_scan_fn *fn, void *arg)
{
	struct glt_token_text text;
	size_t pos = 0;
	bool go_on = true;

	while (go_on && glt_token_find(buf, len, prefixes, &pos, &text)) {
		go_on = fn(arg, &text);
		glt_token_wipe(&text);
	}
	return go_on;
}

enum glt_status glt_scan(int fd, const char *const prefixes[], glt_scan_fn *fn, void *arg, struct glt_err *err)
{
	char *buf = glt_cli_alloc(NULL, WINDOW, 1);
	enum glt_status st = GLT_OK;
	bool inside = false; /* of such a word */
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, buf + len, WINDOW - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			st = glt_fail(err, GLT_UNAVAILABLE, "cannot read standard input: %s", strerror(errno));
			break;
		}
		len += (size_t)n;
		if (inside)
			len = drop_word(buf, len, &inside);
		size_t done = n == 0 ? len : whole_words(buf, len);

		if (!find_all(buf, done, prefixes, fn, arg) || n == 0)
			break;
		inside = inside || (done == 0 && len == WINDOW);
		len = inside ? 0 : len - done;
		memmove(buf, buf + done, len);
	}
	explicit_bzero(buf, WINDOW);
	free(buf);
	return st;
}

/* ---- verified against the store ---- */

struct verify {
	struct glt_cli *cli;
	struct glt_sightings *out;
	enum glt_status st;
	struct glt_err err;
};

static void digest_of(const struct glt_token_text *text, uint8_t out[32])
{
	_Static_assert(crypto_generichash_BYTES == 32, "BLAKE2b-256");
	char whole[GLT_TOKEN_MAX + 1];

	glt_token_format(text, whole);
	(void)crypto_generichash(out, crypto_generichash_BYTES, (const uint8_t *)whole, strlen(whole), NULL, 0);
	explicit_bzero(whole, sizeof(whole));
}

static struct glt_sighting *add(struct glt_sightings *s)
{
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 16;
		s->v = glt_cli_alloc(s->v, s->room, sizeof(*s->v));
	}
	s->v[s->n] = (struct glt_sighting){.state = GLT_PRESENTED_UNKNOWN, .times = 1};
	return &s->v[s->n++];
}

static bool verify_one(void *arg, const struct glt_token_text *text)
{
	struct glt_sighting *one;
	uint8_t digest[sizeof(one->digest)];
	struct verify *v = arg;
	bool match = false;

	digest_of(text, digest);
	for (size_t i = 0; i < v->out->n; i++)
		if (memcmp(v->out->v[i].digest, digest, sizeof(digest)) == 0) {
			v->out->v[i].times++;
			return true;
		}
	one = add(v->out);
	memcpy(one->digest, digest, sizeof(digest));
	(void)snprintf(one->shown, sizeof(one->shown), "%s%s", text->prefix, text->selector);
	v->st = glt_token_verify(v->cli->store, text, &one->record, &match, &v->err);
	if (v->st == GLT_DAMAGED) /* it is denied already; the others still count */
		glt_cli_warn(v->cli, "%s...: %s", one->shown, v->err.text);
	if (v->st == GLT_NOT_FOUND || v->st == GLT_DAMAGED)
		v->st = GLT_OK;
	else if (v->st == GLT_OK)
		one->state = match ? GLT_PRESENTED_REAL : GLT_PRESENTED_WRONG;
	return v->st == GLT_OK;
}

int glt_scan_verify(struct glt_cli *cli, struct glt_sightings *out)
{
	struct verify v = {.cli = cli, .out = out, .st = GLT_OK};
	enum glt_status st;
	struct glt_err err;

	*out = (struct glt_sightings){0};
	st = glt_scan(STDIN_FILENO, cli->conf.prefixes, verify_one, &v, &err);
	if (st != GLT_OK)
		return glt_cli_fail(cli, &err);
	if (v.st != GLT_OK)
		return glt_cli_fail(cli, &v.err);
	return GLT_EXIT_OK;
}

void glt_sightings_free(struct glt_sightings *s)
{
	for (size_t i = 0; i < s->n; i++)
		glt_token_free(s->v[i].record);
	free(s->v);
	*s = (struct glt_sightings){0};
}
