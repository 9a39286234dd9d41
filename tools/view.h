/* SPDX-License-Identifier: MIT */
/* A token record as people and programs see it, with its last use, which is read beside the store: the configuration
 * is loaded and privilege dropped. Neither secret nor hash is ever part of it. */
#ifndef GLT_VIEW_H
#define GLT_VIEW_H

#include "record.pb-c.h"
#include "table.h"

/* GitLab's "active", less what can never be used again: not revoked, not expired, uses left. */
bool glt_token_active(const Glt__Token *t, int64_t now);

/* GitLab's field names plus our own. user_id: number of the owner, 0 where it has none. */
json_t *glt_token_json(const struct glt_cli *cli, const Glt__Token *t, uint64_t user_id);

/* The columns of `list`; in CSV their titles are the names of the JSON fields. */
struct glt_out *glt_token_out(const struct glt_cli *cli);
void glt_token_row(const struct glt_cli *cli, struct glt_out *table, const Glt__Token *t, uint64_t user_id);

/* One line per field on stdout, for `show`. */
bool glt_token_print(const struct glt_cli *cli, const Glt__Token *t);

#endif
