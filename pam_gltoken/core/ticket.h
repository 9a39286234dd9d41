/* SPDX-License-Identifier: MIT */
/*
 * The stateless session ticket that PAM puts into GLTOKEN_SESSION:
 *
 *     v1.kind.id.account.service.address.boottime.mac
 *
 * MAC: BLAKE2b under a key derived from the store's key, over the text, the boot id and the store's epoch:
 * nothing to store, to sweep or to forge, and worth nothing after a reboot or a restore. It says who logged
 * in; what that bearer may do is read from the record at each use, so a revocation counts at once.
 */
#ifndef GLT_TICKET_H
#define GLT_TICKET_H

#include "status.h"
#include "text.h"

#include <stdint.h>

#define GLT_TICKET_MAX 512

enum glt_ticket_kind {
	GLT_TICKET_TOKEN = 't',   /* id: token */
	GLT_TICKET_KEY = 'k',     /* id: public key */
	GLT_TICKET_ACCOUNT = 'a', /* the account is the identity (a person's own account) */
};

struct glt_ticket {
	enum glt_ticket_kind kind;
	uint64_t id;
	char account[GLT_ACCOUNT_MAX + 1]; /* the Unix account that was logged in to */
	char service[33];
	char address[64]; /* text; "local" where none is known */
	int64_t boottime; /* when it was made, CLOCK_BOOTTIME seconds */
};

/* GLT_INVALID: a field that cannot be written. */
enum glt_status glt_ticket_make(const uint8_t *store_key, const uint8_t epoch[16], const struct glt_ticket *t,
				char out[GLT_TICKET_MAX], struct glt_err *err);
#define GLT_SESSION_ID 13
/* What all log lines of one session have in common. The ticket cannot be told from it. */
void glt_ticket_session(const char *ticket, char out[GLT_SESSION_ID]);
/* GLT_REFUSED: malformed, forged, of another boot or epoch, from the future, or older than max_age. */
enum glt_status glt_ticket_check(const uint8_t *store_key, const uint8_t epoch[16], const char *text,
				 int64_t max_age, struct glt_ticket *out, struct glt_err *err);

#endif
