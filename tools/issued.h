/* SPDX-License-Identifier: MIT */
/* Hand a new token to the caller: it alone on stdout, all about it on stderr. */
#ifndef GLT_ISSUED_H
#define GLT_ISSUED_H

#include "cli.h"
#include "record.pb-c.h"

/* Must be called before anything is issued: false, with a message, where stdout is closed; and a reader that
 * goes away is an error that can be told, not a signal. */
bool glt_issued_prepare(const struct glt_cli *cli);
/* text NULL: the record was there already. Wipes text. Exit status: 3 where the token could not be written. */
int glt_issued_print(const struct glt_cli *cli, const Glt__Token *t, uint64_t user_id, char *text);
/* "12 (personal, alice, read_repository)" and the like, for messages about one token. */
void glt_token_brief(const Glt__Token *t, char *out, size_t size);

#endif
