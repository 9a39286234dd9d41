/* SPDX-License-Identifier: MIT */
#include "auth.h"

#include "audit_log.h"
#include "people.h"
#include "role.h"
#include "scope.h"
#include "tokens.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void changed(void *arg, const struct glt_head *head, unsigned parts)
{
	struct auth *a = arg;

	a->public_parts |= parts;
	glt_log_head(a->conf.log_json, head->seq, head->hash);
}

enum glt_status auth_open_for_change(struct auth *a, struct glt_err *err)
{
	enum glt_status st;

	/* LMDB takes one environment a process, so the reader's is given up for a writer's. */
	glt_store_close(a->store);
	st = glt_store_open(a->conf.store_dir, true, &a->store, err);
	if (st == GLT_OK)
		glt_store_watch(a->store, changed, a);
	return st;
}

void auth_deny(struct auth *a, enum glt_reason reason, const char *text)
{
	a->allow = false;
	a->decided = true;
	a->reason = reason;
	glt_message_add(&a->reply, "reason", glt_reason_name(reason));
	glt_message_add(&a->reply, "text", text && text[0] ? text : glt_reason_text(reason));
}

void auth_failed(struct auth *a, enum glt_status st, const struct glt_err *err)
{
	auth_deny(a,
		  st == GLT_DAMAGED ? GLT_WHY_DAMAGED
		  : st == GLT_BUSY  ? GLT_WHY_BUSY
				    : GLT_WHY_UNAVAILABLE,
		  err->text);
}

const char *auth_service(const struct auth *a)
{
	const char *s = glt_message_get(&a->request, "service");

	return (a->root || a->http) && s && s[0] ? s : "local";
}

const char *auth_address(const struct auth *a)
{
	const char *s = glt_message_get(&a->request, "rhost");

	return (a->root || a->http) && s && s[0] ? s : "local";
}

bool auth_operation(const struct auth *a, enum glt_op *op, bool *given)
{
	static const struct {
		const char *name;
		enum glt_op op;
	} ops[] = {{"login", GLT_OP_LOGIN}, {"pull", GLT_OP_PULL}, {"push", GLT_OP_PUSH}};
	const char *s = glt_message_get(&a->request, "operation");

	*given = s != NULL;
	for (size_t i = 0; s && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(s, ops[i].name) == 0) {
			*op = ops[i].op;
			return true;
		}
	return !s;
}

bool auth_ref_change(const struct auth *a, enum glt_ref_change *change)
{
	static const char *const names[] = {"update", "create", "force", "delete"};
	const char *s = glt_message_get(&a->request, "change");

	*change = GLT_REF_UPDATE;
	for (size_t i = 0; s && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(s, names[i]) == 0) {
			*change = (enum glt_ref_change)i;
			return true;
		}
	return !s;
}

static void add_token(struct auth *a, const Glt__Token *t)
{
	char scopes[GLT_SCOPES_TEXT_MAX], expires[GLT_WHEN_TEXT];

	glt_scopes_format(t->scopes, scopes);
	glt_when_rfc3339(glt_token_ends(t), expires);
	glt_message_addf(&a->reply, "id", "%" PRIu64, t->id);
	glt_message_add(&a->reply, "type", glt_type_name(t->type));
	glt_message_add(&a->reply, "name", t->name);
	glt_message_add(&a->reply, "owner", t->owner);
	glt_message_add(&a->reply, "scopes", scopes);
	glt_message_add(&a->reply, "expires_at", expires[0] ? expires : NULL);
	/* GitLab's hooks read "user-N"; a person's number is the Unix uid where there is one */
	glt_message_addf(&a->reply, "gl_id", "user-%" PRIu64,
			 t->owner_uid_plus1 ? (uint64_t)t->owner_uid_plus1 - 1 : t->family);
}

static void add_bearer(struct auth *a, const struct glt_question *q)
{
	if (q->token) {
		add_token(a, q->token);
	} else if (q->key) {
		glt_message_addf(&a->reply, "id", "%" PRIu64, q->key->id);
		glt_message_add(&a->reply, "type", "key");
		glt_message_add(&a->reply, "name", q->key->title);
		glt_message_add(&a->reply, "owner", q->key->user);
		glt_message_addf(&a->reply, "gl_id", "key-%" PRIu64, q->key->id);
	} else if (q->user) {
		glt_message_add(&a->reply, "type", "account");
		glt_message_add(&a->reply, "owner", q->user);
		glt_message_addf(&a->reply, "gl_id", "user-%s", q->user);
	}
}

/* The project's number, for hooks that want one. */
static void add_project(struct auth *a, const char *path)
{
	Glt__Namespace *n;
	struct glt_txn *txn;

	if (!path || glt_txn_begin(a->store, false, &txn, NULL) != GLT_OK)
		return;
	if (glt_namespace_load(txn, path, &n, NULL) == GLT_OK)
		glt_message_addf(&a->reply, "project_id", "%" PRIu64, n->id);
	glt_txn_end(txn);
	glt_namespace_free(n);
}

void auth_answer(struct auth *a, const struct glt_question *q, const struct glt_answer *answer)
{
	const char *role = glt_role_name(answer->role);

	add_bearer(a, q);
	if (answer->role)
		glt_message_add(&a->reply, "role", role);
	if (q->path)
		glt_message_add(&a->reply, "visible", answer->visible ? "yes" : "no");
	add_project(a, answer->allow ? q->path : NULL);
	glt_message_add(&a->reply, "reason", glt_reason_name(answer->reason));
	if (answer->allow && answer->would != GLT_WHY_OK) {
		glt_message_add(&a->reply, "would_deny", glt_reason_name(answer->would));
		glt_message_addf(&a->reply, "text", "%s: %s", glt_reason_text(answer->would), answer->detail);
	} else if (answer->allow)
		glt_message_add(&a->reply, "text", answer->detail);
	else
		glt_message_addf(&a->reply, "text", "%s: %s", glt_reason_text(answer->reason), answer->detail);
	a->allow = answer->allow;
	a->decided = true;
	a->reason = answer->reason;
}

void auth_refuse(struct auth *a, const struct glt_question *q, enum glt_reason reason, const char *detail)
{
	struct glt_answer no = {.allow = false, .reason = reason};

	strncpy(no.detail, detail, sizeof(no.detail) - 1);
	auth_answer(a, q, &no);
}
