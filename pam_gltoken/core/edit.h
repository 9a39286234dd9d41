/* SPDX-License-Identifier: MIT */
/* Changes of a token that exists: one transaction, a new generation and an audit event with before and after. */
#ifndef GLT_EDIT_H
#define GLT_EDIT_H

#include "conf.h"
#include "store.h"

enum glt_edit_what {
	GLT_EDIT_NAME,
	GLT_EDIT_DESCRIPTION,
	GLT_EDIT_SCOPES,
	GLT_EDIT_SCOPES_ADD,    /* to what it has when the change is made, not when the caller looked */
	GLT_EDIT_SCOPES_REMOVE, /* GLT_NOT_FOUND names those that it has not */
	GLT_EDIT_EXPIRY,
	GLT_EDIT_ALLOW_FROM,
	GLT_EDIT_ONLY_REPO,
	GLT_EDIT_SERVICES,
	GLT_EDIT_MAX_USES,
	GLT_EDIT_PAUSE,
	GLT_EDIT_RESUME,
	GLT_EDIT_REVOKE,
	GLT_EDIT_NOTIFIED, /* a notice was sent: of when (its expiry), number (days), text for the audit log */
};

struct glt_edit {
	enum glt_edit_what what;
	const char *text; /* name, description, reason of a revocation (or NULL) */
	uint64_t number;  /* scopes, max_uses */
	int64_t when;     /* expiry */
	char **list;      /* allow_from, only_repo, services */
	size_t n_list;
};

/* Apply n edits to one token. A revoked token can only be revoked again, which is GLT_REFUSED "Token already
 * revoked". Expiry in the past is GLT_INVALID, but "now" is allowed. What is widened must be allowed by the policy in
 * conf. *out (may be NULL) is the new record. */
enum glt_status glt_token_edit(struct glt_store *store, const struct glt_conf *conf, uint64_t id,
			       const struct glt_edit *edits, size_t n, const char *actor, int64_t now,
			       Glt__Token **out, struct glt_err *err);

#endif
