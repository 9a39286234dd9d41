/* SPDX-License-Identifier: MIT */
#include "seckey.h"

#include <sodium.h>

void glt_seckey_derive(const uint8_t *store_key, enum glt_purpose purpose, uint8_t out[GLT_SECKEY_LEN])
{
	_Static_assert(crypto_kdf_KEYBYTES == 32, "the store key is a kdf key");
	(void)crypto_kdf_derive_from_key(out, GLT_SECKEY_LEN, purpose, "gltoken", store_key);
}

uint16_t glt_quick(const uint8_t *store_key, uint64_t id, const char *secret, size_t len)
{
	uint8_t key[GLT_SECKEY_LEN], mac[crypto_generichash_BYTES_MIN], id_bytes[8];
	crypto_generichash_state st;

	for (int i = 0; i < 8; i++)
		id_bytes[i] = (uint8_t)(id >> (56 - 8 * i));
	glt_seckey_derive(store_key, GLT_FOR_QUICK, key);
	(void)crypto_generichash_init(&st, key, sizeof(key), sizeof(mac));
	(void)crypto_generichash_update(&st, id_bytes, sizeof(id_bytes));
	(void)crypto_generichash_update(&st, (const uint8_t *)secret, len);
	(void)crypto_generichash_final(&st, mac, sizeof(mac));
	sodium_memzero(key, sizeof(key));
	sodium_memzero(&st, sizeof(st));
	return (uint16_t)(mac[0] << 8 | mac[1]);
}
