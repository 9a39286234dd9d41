/* SPDX-License-Identifier: MIT */
/* Inside gltoken-auth: one request, who sent it, and the reply that is being written. */
#ifndef GLT_AUTH_H
#define GLT_AUTH_H

#include "conf.h"
#include "decide.h"
#include "store.h"
#include "ticket.h"
#include "wire.h"

#include <stdbool.h>
#include <sys/types.h>

struct auth {
	uid_t caller;                          /* the kernel's word, not the request's */
	bool root;                             /* may state account, address and service */
	bool http;                             /* gltoken-http's account: may state address and service */
	char caller_name[GLT_ACCOUNT_MAX + 1]; /* account of the caller's uid; empty for root */
	struct glt_conf conf;
	struct glt_store *store;
	struct glt_message request, reply;
	bool allow, replied;
	bool decided; /* reason is set */
	enum glt_reason reason;
	unsigned public_parts; /* changed, and not published yet */
	bool hashed, cached;   /* Argon2 ran, or the cache stood for it */
};

/* Each verb fills the reply and sets allow. reply.reason is always there. */
void auth_verify(struct auth *a);
void auth_key(struct auth *a);
void auth_authorize(struct auth *a);
void auth_change(struct auth *a);

/* A token that was verified by a hash of other parameters than [hash] now has is hashed anew. The reply is written by
 * then and stays as it is, whatever becomes of this. */
void auth_rehash(struct auth *a, const Glt__Token *t, const struct glt_token_text *text);

/* Whose connection is stdin? False: it is no socket. */
bool auth_peer(uid_t *uid);
/* Serve GLT_SOCKET. Returns 0 in a child that has one connection as stdin and stdout, -1 if that cannot be. */
int auth_listen(gid_t gid);

/* Change over to a store that can be written; each change goes to the log. */
enum glt_status auth_open_for_change(struct auth *a, struct glt_err *err);
/* The right secret of a token that was rotated was presented after its overlap: note it, and revoke the family where
 * the policy says so, or always. Denies. */
void auth_reused(struct auth *a, const struct glt_question *q, bool always_revoke);
/* Deny for reason, with who the bearer is. */
void auth_refuse(struct auth *a, const struct glt_question *q, enum glt_reason reason, const char *detail);
/* Deny with a reason; text may be NULL. */
void auth_deny(struct auth *a, enum glt_reason reason, const char *text);
/* Map a failure of core to a denial. */
void auth_failed(struct auth *a, enum glt_status st, const struct glt_err *err);
/* Reason, text, visibility, and who the bearer is. Sets allow. */
void auth_answer(struct auth *a, const struct glt_question *q, const struct glt_answer *answer);
/* What may be believed of the request. */
const char *auth_service(const struct auth *a);
const char *auth_address(const struct auth *a);
/* "pull", "push", "login" or absent (*given false); false: anything else. */
bool auth_operation(const struct auth *a, enum glt_op *op, bool *given);
/* "update" (or absent), "create", "force", "delete" */
bool auth_ref_change(const struct auth *a, enum glt_ref_change *change);
enum glt_status auth_epoch(struct auth *a, uint8_t epoch[16], struct glt_err *err);
/* Make a ticket and add it to the reply. */
bool auth_add_ticket(struct auth *a, enum glt_ticket_kind kind, uint64_t id, const char *account);

/* The bearer of the request's ticket. */
struct auth_bearer {
	struct glt_ticket ticket;
	Glt__Token *token; /* or */
	Glt__Key *key;     /* or neither: the account */
};
/* False: the reply says why, and there is nothing to close. */
bool auth_bearer_open(struct auth *a, int64_t max_age, struct auth_bearer *b);
void auth_bearer_ask(const struct auth_bearer *b, struct glt_question *q); /* fill in who asks, from where */
void auth_bearer_close(struct auth_bearer *b);

#endif
