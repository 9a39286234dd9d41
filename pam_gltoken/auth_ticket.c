/* SPDX-License-Identifier: MIT */
/* Session tickets: make one for a bearer, and find the bearer of one again. */
#include "auth.h"

#include "account.h"
#include "people.h"
#include "tokens.h"
#include "when.h"

#include <string.h>

enum glt_status auth_epoch(struct auth *a, uint8_t epoch[16], struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(a->store, false, &txn, err);

	if (st == GLT_OK) {
		st = glt_store_epoch(txn, epoch, err);
		glt_txn_end(txn);
	}
	return st;
}

static void add_session(struct auth *a, const char *ticket)
{
	char id[GLT_SESSION_ID];

	glt_ticket_session(ticket, id);
	glt_message_add(&a->reply, "session", id);
}

bool auth_add_ticket(struct auth *a, enum glt_ticket_kind kind, uint64_t id, const char *account)
{
	struct glt_ticket t = {.kind = kind, .id = id, .boottime = glt_boottime()};
	char text[GLT_TICKET_MAX];
	uint8_t epoch[16];

	if (strlen(account) >= sizeof(t.account) || strlen(auth_service(a)) >= sizeof(t.service) ||
	    strlen(auth_address(a)) >= sizeof(t.address))
		return false;
	strcpy(t.account, account);
	strcpy(t.service, auth_service(a));
	strcpy(t.address, auth_address(a));
	if (auth_epoch(a, epoch, NULL) != GLT_OK ||
	    glt_ticket_make(glt_store_key(a->store), epoch, &t, text, NULL) != GLT_OK)
		return false;
	glt_message_add(&a->reply, "ticket", text);
	add_session(a, text);
	return true;
}

/* Another account's ticket is worth nothing. By default all bots have the uid of git, and no more than the uid is
 * known of a caller for sure: the account that it says it is logged in to can only narrow that. */
static enum glt_status is_callers(struct auth *a, const struct glt_ticket *t, bool *mine, struct glt_err *err)
{
	const char *account = glt_message_get(&a->request, "account");
	struct glt_account owner;
	enum glt_status st;

	*mine = false;
	if (account && strcmp(account, t->account) != 0)
		return GLT_OK;
	if (a->root) {
		*mine = true;
		return GLT_OK;
	}
	st = glt_account_by_name(t->account, &owner, err);
	*mine = st == GLT_OK && owner.uid == a->caller;
	return st == GLT_NOT_FOUND ? GLT_OK : st;
}

static enum glt_status open_ticket(struct auth *a, int64_t max_age, struct glt_ticket *t, struct glt_err *err)
{
	const char *text = glt_message_get(&a->request, "ticket");
	uint8_t epoch[16];
	bool mine;
	enum glt_status st;

	if (!text || strcmp(text, "none") == 0)
		return glt_fail(err, GLT_NOT_FOUND, "%s", glt_reason_text(GLT_WHY_NO_SESSION));
	st = auth_epoch(a, epoch, err);
	if (st == GLT_OK)
		st = glt_ticket_check(glt_store_key(a->store), epoch, text, max_age, t, err);
	if (st == GLT_OK)
		st = is_callers(a, t, &mine, err);
	if (st == GLT_OK && !mine)
		return glt_fail(err, GLT_REFUSED, "session ticket belongs to account '%s'", t->account);
	return st;
}

static enum glt_status load_bearer(struct auth *a, struct auth_bearer *b, struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(a->store, false, &txn, err);

	if (st != GLT_OK)
		return st;
	if (b->ticket.kind == GLT_TICKET_TOKEN)
		st = glt_token_load(txn, b->ticket.id, &b->token, err);
	else if (b->ticket.kind == GLT_TICKET_KEY)
		st = glt_key_load(txn, b->ticket.id, &b->key, err);
	glt_txn_end(txn);
	return st;
}

bool auth_bearer_open(struct auth *a, int64_t max_age, struct auth_bearer *b)
{
	struct glt_err err = {.text = ""};
	enum glt_status st;

	memset(b, 0, sizeof(*b));
	st = open_ticket(a, max_age, &b->ticket, &err);
	if (st == GLT_REFUSED || st == GLT_NOT_FOUND) {
		auth_deny(a, st == GLT_REFUSED ? GLT_WHY_BAD_TICKET : GLT_WHY_NO_SESSION, err.text);
		return false;
	}
	if (st == GLT_OK) {
		add_session(a, glt_message_get(&a->request, "ticket"));
		st = load_bearer(a, b, &err);
	}
	if (st == GLT_OK)
		return true;
	if (st == GLT_NOT_FOUND) /* reaped since the login, or the key was removed */
		auth_deny(a, b->ticket.kind == GLT_TICKET_KEY ? GLT_WHY_UNKNOWN_KEY : GLT_WHY_REVOKED, err.text);
	else
		auth_failed(a, st, &err);
	return false;
}

void auth_bearer_ask(const struct auth_bearer *b, struct glt_question *q)
{
	q->token = b->token;
	q->key = b->key;
	q->user = b->ticket.kind == GLT_TICKET_ACCOUNT ? b->ticket.account : NULL;
	q->account = b->ticket.account;
	q->service = b->ticket.service;
	q->address = b->ticket.address;
}

void auth_bearer_close(struct auth_bearer *b)
{
	glt_token_free(b->token);
	glt_key_free(b->key);
}
