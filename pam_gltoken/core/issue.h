/* SPDX-License-Identifier: MIT */
/* Make tokens: the rules of issue and rotate, each one transaction. */
#ifndef GLT_ISSUE_H
#define GLT_ISSUE_H

#include "policy.h"
#include "token.h"

struct glt_issue {
	Glt__Type type;
	const char *name;        /* required */
	const char *description; /* or NULL */
	const char *target;      /* user (personal), or project/group path */
	const char *username;    /* deploy: robot's name, NULL for gitlab+deploy-token-N */
	int role;                /* project and group; 0 otherwise */
	uint64_t scopes;
	int64_t not_before; /* 0: at once */
	int64_t expires_at; /* GLT_WHEN_NEVER, GLT_EXPIRES_DEFAULT or a moment */
	char **allow_from;  /* CIDRs; NULL or n_* = 0: no restriction */
	size_t n_allow_from;
	char **only_repo; /* globs */
	size_t n_only_repo;
	char **services;
	size_t n_services;
	uint32_t max_uses; /* 0: no limit */
	const char *actor; /* for created_by and audit */
	bool name_is_free; /* glt_issue_put(): known already, so that the holder's tokens need not be read */
	bool if_absent;    /* a live token of that name and holder: GLT_EXISTS and *record is it */
	int64_t now;
};

/* Check every rule (names, scopes of the type, expiry policy, the user exists, CIDRs, globs), make record,
 * bot, indexes and event. text gets the token; the caller wipes it. *record belongs to the caller.
 * A live token with the same name and holder is GLT_EXISTS. Must not be called with a transaction open. */
enum glt_status glt_issue(struct glt_store *store, const struct glt_conf *conf, const struct glt_issue *req,
			  Glt__Token **record, char text[GLT_TOKEN_MAX + 1], struct glt_err *err);

/* The same in steps, for many in one transaction: the record without its secret, then glt_secret_draw(), then what is
 * to be changed. */
enum glt_status glt_issue_prepare(struct glt_store *store, const struct glt_conf *conf,
				  const struct glt_issue *req, Glt__Token **record, struct glt_err *err);
enum glt_status glt_issue_put(struct glt_store *store, const struct glt_conf *conf, struct glt_txn *txn,
			      struct glt_change *c, const struct glt_issue *req, Glt__Token *t,
			      struct glt_token_text *text, struct glt_err *err);

enum glt_status glt_service_check(const char *service, struct glt_err *err);

struct glt_rotate {
	uint64_t id;
	int64_t expires_at; /* GLT_EXPIRES_DEFAULT: a week where expiry is required, else never */
	int64_t not_after;  /* where expires_at is the default: no later than this; 0: no such bound */
	bool keep_lifetime; /* as long as the old one's whole lifetime */
	int64_t overlap; /* seconds for which the old one goes on working; GLT_OVERLAP_DEFAULT: [policy] min_overlap */
	bool again;      /* rotated before, in its overlap: replace the successor, if that was never used */
	const char *actor;
	int64_t now;
};
/* New secret, same grants; the old one revoked (or ending with the overlap) and linked.
 * A dead token: GLT_REFUSED "Token already revoked". */
enum glt_status glt_rotate(struct glt_store *store, const struct glt_conf *conf, const struct glt_rotate *req,
			   Glt__Token **record, char text[GLT_TOKEN_MAX + 1], struct glt_err *err);

#endif
