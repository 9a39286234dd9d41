/* SPDX-License-Identifier: MIT */
/*
 * [policy] of gltoken.conf: what this host allows tokens to be. Whatever makes or widens a token asks
 * glt_policy_allows(); what an older token breaks is a fact for decide.c. Every text names the rule and its value.
 */
#ifndef GLT_POLICY_H
#define GLT_POLICY_H

#include "conf.h"
#include "store.h"

#define GLT_EXPIRES_DEFAULT INT64_C(-1)
#define GLT_OVERLAP_DEFAULT INT64_C(-1)

#define GLT_BREACHES 5
struct glt_breach {
	const char *rule; /* the key in [policy]; NULL: none */
	int64_t from;     /* since when the token breaks it; 0: all its life */
	char text[400];
};

/* What a token breaks, sorted by from. Returns how many. */
size_t glt_policy_breaches(const struct glt_conf *conf, const Glt__Token *t, struct glt_breach out[GLT_BREACHES]);

/* A new token (old NULL), or what an edit makes of old: only what it changes must be allowed. */
enum glt_status glt_policy_allows(const struct glt_conf *conf, const Glt__Token *old, const Glt__Token *fresh,
				  int64_t now, struct glt_err *err);

/* One more active token for the holder? */
enum glt_status glt_policy_room(const struct glt_conf *conf, struct glt_txn *txn, Glt__Type type,
				const char *holder, int64_t now, struct glt_err *err);

/* The expiry that a new token gets: wanted may be GLT_EXPIRES_DEFAULT, then it is usual seconds from now. */
enum glt_status glt_policy_expiry(const struct glt_conf *conf, Glt__Type type, int64_t wanted, int64_t usual,
				  int64_t now, int64_t *out, struct glt_err *err);
/* How long the old one of a rotation works on: wanted may be GLT_OVERLAP_DEFAULT. */
enum glt_status glt_policy_overlap(const struct glt_conf *conf, int64_t wanted, int64_t *out, struct glt_err *err);

/* The key that counts for a type, and its value. */
int64_t glt_policy_max_lifetime(const struct glt_conf *conf, Glt__Type type, const char **key);
uint64_t glt_policy_scopes(const struct glt_conf *conf, Glt__Type type, const char **key);

#define GLT_SPAN_TEXT 32
void glt_span_format(int64_t seconds, char out[GLT_SPAN_TEXT]); /* "365d", "12h", "90s" */
#define GLT_TYPES_TEXT 40
void glt_types_format(unsigned types, char out[GLT_TYPES_TEXT]); /* "personal,project" */

#endif
