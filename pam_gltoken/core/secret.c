/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include "hash.h"
#include "seckey.h"
#include "tokens.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static bool set_bytes(ProtobufCBinaryData *field, size_t len)
{
	uint8_t *p = realloc(field->data, len);

	if (!p)
		return false;
	field->data = p;
	field->len = len;
	return true;
}

enum glt_status glt_secret_draw(const struct glt_conf *conf, Glt__Type type, Glt__Token *t,
				struct glt_token_text *text, struct glt_err *err)
{
	const char *prefix = type == GLT__TYPE__DEPLOY ? conf->deploy_prefix : conf->prefix;

	glt_token_generate(prefix, text);
	if (!glt_token_set_text(&t->prefix, prefix))
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the record");
	return glt_secret_rehash(conf, t, text, err);
}

enum glt_status glt_secret_rehash(const struct glt_conf *conf, Glt__Token *t, const struct glt_token_text *text,
				  struct glt_err *err)
{
	if (!set_bytes(&t->salt, GLT_SALT_LEN) || !set_bytes(&t->tag, GLT_TAG_LEN))
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the record");
	randombytes_buf(t->salt.data, GLT_SALT_LEN);
	t->memory = conf->hash.memory;
	t->time = conf->hash.time;
	return glt_hash(&conf->hash, text->secret, GLT_SECRET_LEN, t->salt.data, t->tag.data, err);
}

enum glt_status glt_secret_bind(struct glt_store *store, struct glt_txn *txn, Glt__Token *t,
				struct glt_token_text *text, struct glt_err *err)
{
	for (int tries = 0; tries < 16; tries++) {
		struct glt_slice ignored;
		struct glt_token_text fresh;
		enum glt_status st = glt_get(txn, GLT_BY_SELECTOR, glt_slice_str(text->selector), &ignored, err);

		if (st == GLT_NOT_FOUND) {
			t->quick = glt_quick(glt_store_key(store), t->id, text->secret, GLT_SECRET_LEN);
			t->no_quick = false;
			if (!glt_token_set_text(&t->selector, text->selector))
				return glt_fail(err, GLT_UNAVAILABLE, "no memory for the record");
			return GLT_OK;
		}
		if (st != GLT_OK)
			return st;
		glt_token_generate(text->prefix, &fresh);
		memcpy(text->selector, fresh.selector, sizeof(text->selector));
		glt_token_wipe(&fresh);
	}
	return glt_fail(err, GLT_UNAVAILABLE, "no free selector found");
}

bool glt_secret_plausible(struct glt_store *store, const Glt__Token *t, const struct glt_token_text *text)
{
	return strcmp(t->prefix, text->prefix) == 0 &&
	       (t->no_quick || glt_quick(glt_store_key(store), t->id, text->secret, GLT_SECRET_LEN) == t->quick);
}

enum glt_status glt_secret_hash_matches(const Glt__Token *t, const struct glt_token_text *text, bool *match,
					struct glt_err *err)
{
	const struct glt_hash_params p = {t->memory, t->time};

	*match = false;
	if (t->salt.len != GLT_SALT_LEN || t->tag.len != GLT_TAG_LEN)
		return glt_fail(err, GLT_DAMAGED, "token %llu has no hash", (unsigned long long)t->id);
	return glt_hash_verify(&p, text->secret, GLT_SECRET_LEN, t->salt.data, t->tag.data, match, err);
}

enum glt_status glt_token_verify(struct glt_store *store, const struct glt_token_text *text, Glt__Token **out,
				 bool *match, struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	*match = false;
	*out = NULL;
	if (st != GLT_OK)
		return st;
	st = glt_token_by_selector(txn, text->selector, out, err);
	glt_txn_end(txn);
	if (st != GLT_OK || !glt_secret_plausible(store, *out, text))
		return st;
	return glt_secret_hash_matches(*out, text, match, err);
}
