/* SPDX-License-Identifier: MIT */
/* A record's secret: drawn and hashed outside of any transaction, bound to id and selector inside one. */
#ifndef GLT_SECRET_H
#define GLT_SECRET_H

#include "conf.h"
#include "store.h"
#include "token.h"

/* Draw text, and set prefix, salt, tag and Argon2 parameters of t. Slow. */
enum glt_status glt_secret_draw(const struct glt_conf *conf, Glt__Type type, Glt__Token *t,
				struct glt_token_text *text, struct glt_err *err);
/* A new salt and tag, by [hash] as it is now, for the secret that t has; prefix and selector stay. Slow. */
enum glt_status glt_secret_rehash(const struct glt_conf *conf, Glt__Token *t, const struct glt_token_text *text,
				  struct glt_err *err);
/* Set selector (drawn again where taken) and quick of t, whose id is set. */
enum glt_status glt_secret_bind(struct glt_store *store, struct glt_txn *txn, Glt__Token *t,
				struct glt_token_text *text, struct glt_err *err);

/* Could this be the record's secret, by its 16 quick bits? False costs no Argon2, 65,535 times in 65,536. */
bool glt_secret_plausible(struct glt_store *store, const Glt__Token *t, const struct glt_token_text *text);
/* Argon2. Slow. */
enum glt_status glt_secret_hash_matches(const Glt__Token *t, const struct glt_token_text *text, bool *match,
					struct glt_err *err);

/* Verify presented text against its record: GLT_OK and *match, the record in *out (caller's) where the
 * selector is known. GLT_NOT_FOUND: unknown selector. No state is looked at. */
enum glt_status glt_token_verify(struct glt_store *store, const struct glt_token_text *text, Glt__Token **out,
				 bool *match, struct glt_err *err);

#endif
