/* SPDX-License-Identifier: MIT */
/* key: who is behind a public-key login? authorize: may the bearer of this ticket do that? */
#include "auth.h"

#include "account.h"
#include "ask.h"
#include "observed.h"
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

/* A key that the store knows names its bearer; but on a person's own account nobody else's key is looked at, and
 * the account itself is the identity, however the login was made. */
static enum glt_status identify(struct auth *a, struct glt_question *q, Glt__Key **key, struct glt_err *err)
{
	const char *line = glt_message_get(&a->request, "key");
	bool own;
	enum glt_status st = is_own_account(a, q->account, &own, err);

	if (st == GLT_OK && line)
		st = find_key(a, line, key, err);
	if (st != GLT_OK && st != GLT_NOT_FOUND)
		return st;
	if (*key && (!own || strcmp((*key)->user, q->account) == 0))
		q->key = *key;
	else if (own)
		q->user = q->account;
	return GLT_OK;
}

void auth_key(struct auth *a)
{
	struct glt_question q = {
		.op = GLT_OP_LOGIN,
		.account = glt_message_get(&a->request, "account"),
		.service = auth_service(a),
		.address = auth_address(a),
		.now = glt_now(),
	};
	struct glt_answer answer = {.reason = GLT_WHY_UNKNOWN_KEY};
	Glt__Key *key = NULL;
	struct glt_err err = {.text = ""};
	enum glt_status st = identify(a, &q, &key, &err);

	if (st == GLT_OK && (q.user || q.key))
		st = glt_ask(a->store, &a->conf, &q, &answer, &err);
	if (st != GLT_OK)
		auth_failed(a, st, &err);
	else if (answer.allow && a->root &&
		 !auth_add_ticket(a, q.key ? GLT_TICKET_KEY : GLT_TICKET_ACCOUNT, q.key ? q.key->id : 0, q.account))
		auth_deny(a, GLT_WHY_UNAVAILABLE, "no session ticket can be made");
	else
		auth_answer(a, &q, &answer);
	glt_key_free(key);
}

void auth_authorize(struct auth *a)
{
	const char *repository = glt_message_get(&a->request, "repository");
	struct glt_question q = {.op = GLT_OP_LOGIN, .now = glt_now(), .ref = glt_message_get(&a->request, "ref")};
	struct glt_answer answer;
	struct auth_bearer bearer;
	struct glt_err err = {.text = ""};
	char path[GLT_PATH_MAX + 1];
	enum glt_status st;
	bool given;

	if (!auth_operation(a, &q.op, &given) || !given || !auth_ref_change(a, &q.change) ||
	    (q.op == GLT_OP_LOGIN) == (repository != NULL) ||
	    (repository && glt_path_normalise(repository, path, NULL) != GLT_OK)) {
		auth_deny(a, GLT_WHY_BAD_REQUEST, NULL);
		return;
	}
	q.path = repository ? path : NULL;
	if (!auth_bearer_open(a, a->conf.session_lifetime, &bearer))
		return;
	auth_bearer_ask(&bearer, &q);
	st = glt_ask(a->store, &a->conf, &q, &answer, &err);
	if (st == GLT_OK) {
		glt_message_add(&a->reply, "service", q.service);
		glt_message_add(&a->reply, "address", q.address);
		auth_answer(a, &q, &answer);
		if (answer.allow && answer.would != GLT_WHY_OK)
			glt_observed_note(a->conf.store_dir, &q, glt_question_person(&q), answer.would);
	} else {
		auth_failed(a, st, &err);
	}
	auth_bearer_close(&bearer);
}
