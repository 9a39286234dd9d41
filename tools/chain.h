/* SPDX-License-Identifier: MIT */
/* The audit log as a chain, see record.proto: the store has the hash of the last event, which covers all before it. */
#ifndef GLT_CHAIN_H
#define GLT_CHAIN_H

#include "store.h"

struct glt_chain {
	uint64_t events;
	struct glt_head head; /* the last event that is there */
	char **problem;       /* a sentence each, which names the event */
	size_t n;
	uint64_t restores; /* gaps that a restore left */
};

/* Read all events in one snapshot. known are heads that were kept elsewhere, in any order. GLT_OK: done, whatever
 * was found; glt_chain_free() then. */
enum glt_status glt_chain_verify(struct glt_store *store, const struct glt_head *known, size_t n_known,
				 struct glt_chain *out, struct glt_err *err);
void glt_chain_free(struct glt_chain *c);

#define GLT_HASH_HEX (2 * GLT_EVENT_HASH + 1)
void glt_hash_format(const uint8_t hash[GLT_EVENT_HASH], char out[GLT_HASH_HEX]);
bool glt_hash_parse(const char *hex, uint8_t out[GLT_EVENT_HASH]);
/* "SEQ:HASH" */
enum glt_status glt_head_parse(const char *text, struct glt_head *out, struct glt_err *err);

#endif
