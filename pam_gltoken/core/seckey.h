/* SPDX-License-Identifier: MIT */
/* What is derived from the store's 32 secret bytes (BLAKE2b key derivation, libsodium crypto_kdf). */
#ifndef GLT_SECKEY_H
#define GLT_SECKEY_H

#include <stddef.h>
#include <stdint.h>

#define GLT_SECKEY_LEN 32
#define GLT_MAC_LEN 16

enum glt_purpose { GLT_FOR_TICKET = 1, GLT_FOR_CACHE = 2, GLT_FOR_QUICK = 3 };

void glt_seckey_derive(const uint8_t *store_key, enum glt_purpose purpose, uint8_t out[GLT_SECKEY_LEN]);

/* The 16 bits of a record's `quick`: denies junk and known selectors without Argon2. */
uint16_t glt_quick(const uint8_t *store_key, uint64_t id, const char *secret, size_t len);

#endif
