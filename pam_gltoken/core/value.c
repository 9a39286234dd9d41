/* SPDX-License-Identifier: MIT */
#include "value.h"

#include <sodium.h>
#include <string.h>

/*
 * SipHash over table, key and bytes, so that a value that turns up under another key fails too. It is a
 * checksum against damage, not a MAC: who can write the file owns the store anyway.
 */
static void checksum(enum glt_table table, struct glt_slice key, struct glt_slice payload,
		     uint8_t out[GLT_CHECKSUM])
{
	static const uint8_t fixed[crypto_shorthash_KEYBYTES] = "gltoken.checksum";
	uint8_t inner[crypto_shorthash_KEYBYTES] = {0};

	_Static_assert(crypto_shorthash_BYTES == GLT_CHECKSUM, "SipHash-2-4");
	(void)crypto_shorthash(inner, key.data, key.len, fixed);
	inner[GLT_CHECKSUM] = (uint8_t)table;
	(void)crypto_shorthash(out, payload.data, payload.len, inner);
}

void glt_value_seal(enum glt_table table, struct glt_slice key, struct glt_slice payload, uint8_t *out)
{
	checksum(table, key, payload, out);
	if (payload.len)
		memcpy(out + GLT_CHECKSUM, payload.data, payload.len);
}

bool glt_value_open(enum glt_table table, struct glt_slice key, struct glt_slice *value)
{
	const uint8_t *bytes = value->data;
	struct glt_slice payload;
	uint8_t sum[GLT_CHECKSUM];

	if (value->len < GLT_CHECKSUM)
		return false;
	payload = (struct glt_slice){bytes + GLT_CHECKSUM, value->len - GLT_CHECKSUM};
	checksum(table, key, payload, sum);
	if (memcmp(sum, bytes, GLT_CHECKSUM) != 0)
		return false;
	*value = payload;
	return true;
}

enum glt_status glt_value_check(enum glt_table table, struct glt_slice key, struct glt_slice *value,
				struct glt_err *err)
{
	if (glt_table_is_many(table))
		return value->len == GLT_KEY_U64
			       ? GLT_OK
			       : glt_fail(err, GLT_DAMAGED, "table %s: an index entry is damaged",
					  glt_table_name(table));
	if (glt_value_open(table, key, value))
		return GLT_OK;
	return glt_fail(err, GLT_DAMAGED,
			"table %s: a value fails its checksum: run gltoken check, then gltoken restore",
			glt_table_name(table));
}

bool glt_key_behind(struct glt_slice prefix, uint8_t out[GLT_KEY_TEXT_MAX], size_t *len)
{
	if (prefix.len >= GLT_KEY_TEXT_MAX || prefix.len == 0)
		return false;
	memcpy(out, prefix.data, prefix.len);
	for (*len = prefix.len; *len > 0; --*len)
		if (out[*len - 1] != 0xff) {
			out[*len - 1]++;
			return true;
		}
	return false;
}
