/* SPDX-License-Identifier: MIT */
/* key: who is behind a public-key login? authorize: may the bearer of this ticket do that? */
#include "auth.h"

#include "account.h"
#include "ask.h"
#include "people.h"
#include "tokens.h"
#include "when.h"

#include <stdlib.h>
#include <string.h>

static enum glt_status find_key(struct auth *a, const char *line, Glt__Key **out, struct glt_err *err)
{
	uint8_t *blob, fp[GLT_FINGERPRINT_LEN];
	char type[64], comment[GLT_NAME_MAX + 1];
	struct glt_txn *txn;
	size_t len;
	enum glt_status st;

	*out = NULL;
	st = glt_pubkey_parse(line, type, &blob, &len, comment, err);
	if (st != GLT_OK) /* a kind of key that we do not know is an unknown key */
		return st == GLT_INVALID ? GLT_NOT_FOUND : st;
	glt_pubkey_fingerprint(blob, len, fp);
	free(blob);
	st = glt_txn_begin(a->store, false, &txn, err);
	if (st == GLT_OK) {
		st = glt_key_by_fingerprint(txn, fp, out, err);
		glt_txn_end(txn);
	}
	return st;
}

/* May the account itself be the identity: a person's own, neither shared nor a bot's. */
static enum glt_status is_own_account(struct auth *a, const char *account, bool *own, struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = GLT_OK;
	bool bot = false;

	*own = false;
	if (!account || glt_conf_is_shared(&a->conf, account))
		return GLT_OK;
	st = glt_txn_begin(a->store, false, &txn, err);
	if (st == GLT_OK) {
		st = glt_owner_is_bot(txn, account, &bot, err);
		glt_txn_end(txn);
	}
	*own = st == GLT_OK && !bot;
	return st;
}

void auth_key(struct auth *a)
{
	const char *line = glt_message_get(&a->request, "key"), *account = glt_message_get(&a->request, "account");
	struct glt_question q = {
		.op = GLT_OP_LOGIN,
		.account = account,
		.service = auth_service(a),
		.address = auth_address(a),
		.now = glt_now(),
	};
	struct glt_answer answer = {.reason = GLT_WHY_UNKNOWN_KEY};
	Glt__Key *key = NULL;
	struct glt_err err = {.text = ""};
	bool own;
	enum glt_status st = is_own_account(a, account, &own, &err);

	if (st == GLT_OK && own)
		q.user = account;
	else if (st == GLT_OK && line)
		st = find_key(a, line, &key, &err);
	q.key = key;
	if (st == GLT_OK && (q.user || q.key))
		st = glt_ask(a->store, &a->conf, &q, &answer, &err);
	if (st == GLT_NOT_FOUND)
		st = GLT_OK;
	if (st != GLT_OK)
		auth_failed(a, st, &err);
	else if (answer.allow && a->root &&
		 !auth_add_ticket(a, q.key ? GLT_TICKET_KEY : GLT_TICKET_ACCOUNT, q.key ? q.key->id : 0, account))
		auth_deny(a, GLT_WHY_UNAVAILABLE, "no session ticket can be made");
	else
		auth_answer(a, &q, &answer);
	glt_key_free(key);
}

/* Another account's ticket is worth nothing. Accounts of bots share a uid, so uids are what is compared. */
static enum glt_status is_callers(struct auth *a, const struct glt_ticket *t, bool *mine, struct glt_err *err)
{
	const char *account = glt_message_get(&a->request, "account");
	struct glt_account owner;
	enum glt_status st;

	*mine = false;
	if (a->root) {
		*mine = !account || strcmp(account, t->account) == 0;
		return GLT_OK;
	}
	st = glt_account_by_name(t->account, &owner, err);
	*mine = st == GLT_OK && owner.uid == a->caller;
	return st == GLT_NOT_FOUND ? GLT_OK : st;
}

static enum glt_status open_ticket(struct auth *a, struct glt_ticket *t, struct glt_err *err)
{
	const char *text = glt_message_get(&a->request, "ticket");
	uint8_t epoch[16];
	struct glt_txn *txn;
	bool mine;
	enum glt_status st;

	if (!text || strcmp(text, "none") == 0)
		return glt_fail(err, GLT_NOT_FOUND, "%s", glt_reason_text(GLT_WHY_NO_SESSION));
	st = glt_txn_begin(a->store, false, &txn, err);
	if (st != GLT_OK)
		return st;
	st = glt_store_epoch(txn, epoch, err);
	glt_txn_end(txn);
	if (st == GLT_OK)
		st = glt_ticket_check(glt_store_key(a->store), epoch, text, a->conf.session_lifetime, t, err);
	if (st == GLT_OK)
		st = is_callers(a, t, &mine, err);
	if (st == GLT_OK && !mine)
		return glt_fail(err, GLT_REFUSED, "session ticket belongs to account '%s'", t->account);
	return st;
}

static enum glt_status load_bearer(struct auth *a, const struct glt_ticket *t, Glt__Token **token, Glt__Key **key,
				   struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(a->store, false, &txn, err);

	if (st != GLT_OK)
		return st;
	if (t->kind == GLT_TICKET_TOKEN)
		st = glt_token_load(txn, t->id, token, err);
	else if (t->kind == GLT_TICKET_KEY)
		st = glt_key_load(txn, t->id, key, err);
	glt_txn_end(txn);
	return st;
}

void auth_authorize(struct auth *a)
{
	const char *repository = glt_message_get(&a->request, "repository");
	struct glt_ticket t = {.account = ""};
	struct glt_question q = {.op = GLT_OP_LOGIN, .now = glt_now(), .ref = glt_message_get(&a->request, "ref")};
	struct glt_answer answer;
	struct glt_err err = {.text = ""};
	char path[GLT_PATH_MAX + 1];
	Glt__Token *token = NULL;
	Glt__Key *key = NULL;
	enum glt_status st;
	bool given;

	if (!auth_operation(a, &q.op, &given) || !given || (q.op == GLT_OP_LOGIN) == (repository != NULL) ||
	    (repository && glt_path_normalise(repository, path, NULL) != GLT_OK)) {
		auth_deny(a, GLT_WHY_BAD_REQUEST, NULL);
		return;
	}
	q.path = repository ? path : NULL;
	st = open_ticket(a, &t, &err);
	if (st == GLT_REFUSED || st == GLT_NOT_FOUND) {
		auth_deny(a, st == GLT_REFUSED ? GLT_WHY_BAD_TICKET : GLT_WHY_NO_SESSION, err.text);
		return;
	}
	if (st == GLT_OK)
		st = load_bearer(a, &t, &token, &key, &err);
	q.token = token;
	q.key = key;
	q.user = t.kind == GLT_TICKET_ACCOUNT ? t.account : NULL;
	q.account = t.account;
	q.service = t.service;
	q.address = t.address;
	if (st == GLT_OK)
		st = glt_ask(a->store, &a->conf, &q, &answer, &err);
	if (st == GLT_NOT_FOUND) { /* reaped since the login, or the key was removed */
		auth_deny(a, t.kind == GLT_TICKET_KEY ? GLT_WHY_UNKNOWN_KEY : GLT_WHY_REVOKED, err.text);
	} else if (st != GLT_OK) {
		auth_failed(a, st, &err);
	} else {
		glt_message_add(&a->reply, "service", t.service);
		glt_message_add(&a->reply, "address", t.address);
		auth_answer(a, &q, &answer);
	}
	glt_token_free(token);
	glt_key_free(key);
}
