/* SPDX-License-Identifier: MIT */
/* [hash] was changed since a token was issued: its next good verification brings it up to date. */
#include "auth.h"

#include "event.h"
#include "rundir.h"
#include "seckey.h"
#include "secret.h"
#include "tokens.h"

#include <sodium.h>

static bool is_up_to_date(const struct auth *a, const Glt__Token *t)
{
	return t->memory == a->conf.hash.memory && t->time == a->conf.hash.time && !t->no_quick;
}

/* In no transaction, for it is slow; and only in a slot of its own that is free now. */
static bool hash(struct auth *a, Glt__Token *fresh, const struct glt_token_text *text)
{
	enum glt_slot_class class = a->root ? GLT_SLOT_ROOT : a->http ? GLT_SLOT_HTTP : GLT_SLOT_OTHER;
	struct glt_conf conf = a->conf;
	struct glt_slot slot;
	bool ok;

	conf.hash_wait = 0;
	if (glt_slot_take(&conf, class, a->caller, &slot, NULL) != GLT_OK)
		return false;
	ok = glt_secret_rehash(&conf, fresh, text, NULL) == GLT_OK;
	glt_slot_give(&slot);
	fresh->no_quick = false;
	fresh->quick = glt_quick(glt_store_key(a->store), fresh->id, text->secret, GLT_SECRET_LEN);
	return ok;
}

static bool has_hash_of(const Glt__Token *now, const Glt__Token *then)
{
	return now->state == GLT__STATE__LIVE && now->tag.len == then->tag.len &&
	       sodium_memcmp(now->tag.data, then->tag.data, then->tag.len) == 0;
}

/* Into what the record is by now: it may have been changed, or revoked, since it was read. */
static Glt__Token *carry_over(const Glt__Token *now, Glt__Token *fresh)
{
	Glt__Token *t = glt_token_copy(now);
	ProtobufCBinaryData salt, tag;

	if (!t)
		return NULL;
	salt = t->salt;
	tag = t->tag;
	t->salt = fresh->salt;
	t->tag = fresh->tag;
	fresh->salt = salt;
	fresh->tag = tag;
	t->memory = fresh->memory;
	t->time = fresh->time;
	t->quick = fresh->quick;
	t->no_quick = false;
	return t;
}

static bool put(struct auth *a, const Glt__Token *then, Glt__Token *fresh, Glt__Token **out)
{
	struct glt_change *c = glt_change_new();
	Glt__Token *now = NULL;
	struct glt_txn *txn = NULL;
	bool ok = c && auth_open_for_change(a, NULL) == GLT_OK &&
		  glt_txn_begin(a->store, true, &txn, NULL) == GLT_OK &&
		  glt_token_load(txn, then->id, &now, NULL) == GLT_OK && has_hash_of(now, then);

	*out = ok ? carry_over(now, fresh) : NULL;
	if (*out) {
		glt_token_store(txn, c, now, *out);
		glt_event_token(c, then->owner, "token.rehash", now, *out, NULL);
		ok = glt_store_apply(txn, c, NULL) == GLT_OK;
		txn = NULL;
	}
	glt_txn_end(txn);
	glt_token_free(now);
	glt_change_free(c);
	return ok && *out;
}

void auth_rehash(struct auth *a, const Glt__Token *t, const struct glt_token_text *text)
{
	Glt__Token *fresh, *stored = NULL;
	struct glt_cache_key key = {.secret = text->secret, .secret_len = GLT_SECRET_LEN};

	if (is_up_to_date(a, t))
		return;
	fresh = glt_token_copy(t);
	if (fresh && hash(a, fresh, text) && put(a, t, fresh, &stored) && auth_epoch(a, key.epoch, NULL) == GLT_OK) {
		key.store_key = glt_store_key(a->store);
		key.token = stored; /* the cached entry was of the old record */
		glt_cache_put(&a->conf, &key);
	}
	glt_token_free(fresh);
	glt_token_free(stored);
}
