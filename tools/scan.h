/* SPDX-License-Identifier: MIT */
/* Tokens on standard input: one, or all that stand somewhere in a text of any length. */
#ifndef GLT_SCAN_H
#define GLT_SCAN_H

#include "cli.h"
#include "record.pb-c.h"
#include "token.h"

/* Called once for each token text, in order; the text is wiped afterwards. False stops. */
typedef bool glt_scan_fn(void *arg, const struct glt_token_text *text);
/* Read fd to its end, in bounded memory that is wiped. GLT_UNAVAILABLE: it cannot be read. */
enum glt_status glt_scan(int fd, const char *const prefixes[], glt_scan_fn *fn, void *arg, struct glt_err *err);

enum glt_presented { GLT_PRESENTED_REAL, GLT_PRESENTED_WRONG, GLT_PRESENTED_UNKNOWN };

struct glt_sighting {                                      /* one token that was read, checked against the store */
	char shown[GLT_PREFIX_MAX + GLT_SELECTOR_LEN + 1]; /* prefix and selector: no secret */
	enum glt_presented state;
	Glt__Token *record; /* NULL when unknown */
	size_t times;
	uint8_t digest[32]; /* of the whole text: a second look costs no Argon2 */
};

struct glt_sightings {
	struct glt_sighting *v;
	size_t n, room;
};

/* Read standard input and verify what is found there, each secret once. Exit status, after a message if not 0. */
int glt_scan_verify(struct glt_cli *cli, struct glt_sightings *out);
void glt_sightings_free(struct glt_sightings *s);

#endif
