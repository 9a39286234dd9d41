/* SPDX-License-Identifier: MIT */
/* Token records and their indexes. Loaded records belong to the caller: glt_token_free(). */
#ifndef GLT_TOKENS_H
#define GLT_TOKENS_H

#include "store.h"

void glt_token_free(Glt__Token *t); /* NULL is fine */

/* GLT_NOT_FOUND fills err. A record that does not unpack or names another id is GLT_DAMAGED. */
enum glt_status glt_token_load(struct glt_txn *txn, uint64_t id, Glt__Token **out, struct glt_err *err);
enum glt_status glt_token_by_selector(struct glt_txn *txn, const char *selector, Glt__Token **out,
				      struct glt_err *err);
/* ID as people write it: a number, or OWNER/NAME of a live token (the part after the last '/' that leaves an
 * owner or path with such a token). */
enum glt_status glt_token_resolve(struct glt_txn *txn, const char *text, Glt__Token **out, struct glt_err *err);

/* A token of that type, holder and name that is neither revoked, rotated nor expired; GLT_NOT_FOUND leaves err. */
enum glt_status glt_token_named(struct glt_txn *txn, Glt__Type type, const char *holder, const char *name,
				int64_t now, Glt__Token **out, struct glt_err *err);

/* How many such tokens the holder has: of a person the personal ones, of a path all on it. */
enum glt_status glt_token_count_active(struct glt_txn *txn, Glt__Type type, const char *holder, int64_t now,
				       size_t *n, struct glt_err *err);
/* Show each token of a family, dead ones too, to see() until it returns true. */
typedef bool glt_see_token(void *arg, const Glt__Token *t);
enum glt_status glt_token_family(struct glt_txn *txn, uint64_t family, glt_see_token *see, void *arg,
				 struct glt_err *err);
/* Its expiry, or the end of its overlap where that comes first; 0: never. */
int64_t glt_token_ends(const Glt__Token *t);
/* Revoked, rotated with its overlap over, or expired. */
bool glt_token_dead(const Glt__Token *t, int64_t now);
/* Neither revoked, rotated nor expired. */
bool glt_token_current(const Glt__Token *t, int64_t now);

/* Does any token, dead or alive, act as owner? */
bool glt_owner_used(struct glt_txn *txn, const char *owner);
/* *bot: owner is the name of a bot or robot, so no person's. */
enum glt_status glt_owner_is_bot(struct glt_txn *txn, const char *owner, bool *bot, struct glt_err *err);
/* Replace one of a record's strings by a copy of value (NULL: ""). False: no memory, and nothing changed. */
bool glt_token_set_text(char **field, const char *value);
/* Copy of a record, also of fields of a newer version; NULL: no memory. */
Glt__Token *glt_token_copy(const Glt__Token *t);

/* Add new record (old NULL), replace (both) or drop (fresh NULL) in the change, with all indexes. The fresh
 * record gets a new generation. */
void glt_token_store(struct glt_txn *txn, struct glt_change *c, const Glt__Token *old, Glt__Token *fresh);

/* Whom or what a token belongs to, as people write it: owner of a personal token, else the path. */
const char *glt_token_holder(const Glt__Token *t);
const char *glt_type_name(Glt__Type t);     /* "personal" ... */
Glt__Type glt_type_parse(const char *name); /* GLT__TYPE__TYPE_NONE: no such type */
/* "active", "expired", "revoked", "paused", "not yet valid", "used up" */
const char *glt_token_state(const Glt__Token *t, int64_t now);

#endif
