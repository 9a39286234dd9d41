/* SPDX-License-Identifier: MIT */
/*
 * Reuse of a rotated token: its right secret, presented after its overlap, shows that two hold what one should.
 * Noted in the record and in the audit log once an hour for each token, so that a job that was forgotten does not
 * fill the store.
 */
#ifndef GLT_REUSE_H
#define GLT_REUSE_H

#include "store.h"

/* Was it rotated, and was its overlap over at now? */
bool glt_reuse_possible(const Glt__Token *t, int64_t now);
/* Would a reuse of t change anything: not noted within the hour, or (revoke) some of its family lives? */
bool glt_reuse_news(struct glt_store *store, const Glt__Token *t, bool revoke, int64_t now);

struct glt_reuse {
	uint64_t id;
	bool revoke;         /* all of its family that is not revoked yet */
	const char *actor;   /* for both events */
	const char *sighted; /* from where and how, for people */
	int64_t now;
};
/* *revoked: how many were. GLT_REFUSED: it is no rotated token after its overlap. */
enum glt_status glt_reuse_note(struct glt_store *store, const struct glt_reuse *r, size_t *revoked,
			       struct glt_err *err);

#endif
