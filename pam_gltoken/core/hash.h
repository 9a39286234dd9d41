/* SPDX-License-Identifier: MIT */
/*
 * Argon2id of a token's secret (RFC 9106), the only file that includes argon2.h.
 *
 * Parallelism is always 1: no threads in a helper. Parameters that come out of a record are checked
 * against floor and ceiling before any memory is asked for: a planted record that asks m=4194304 would
 * otherwise take 4 GiB and seconds.
 */
#ifndef GLT_HASH_H
#define GLT_HASH_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GLT_SALT_LEN 16
#define GLT_TAG_LEN 32
#ifndef GLT_HASH_M_MIN       /* tests/races hashes a hundred thousand times, and is not about the hash */
#define GLT_HASH_M_MIN 8192u /* KiB */
#endif
#define GLT_HASH_M_MAX 1048576u /* KiB */
#define GLT_HASH_T_MIN 1u
#define GLT_HASH_T_MAX 16u

struct glt_hash_params {
	uint32_t memory; /* KiB */
	uint32_t time;   /* passes */
};

bool glt_hash_params_valid(const struct glt_hash_params *p);

/* Hash secret[len] with salt into tag. GLT_INVALID: parameters out of bounds; GLT_UNAVAILABLE: no memory. */
enum glt_status glt_hash(const struct glt_hash_params *p, const void *secret, size_t len,
			 const uint8_t salt[GLT_SALT_LEN], uint8_t tag[GLT_TAG_LEN], struct glt_err *err);

/* From now on this thread keeps the memory of its last hash for the next one: for who makes many. false gives it back. */
void glt_hash_keep(bool keep);

/* *match is true only if the hash was computed and is equal, compared in constant time. */
enum glt_status glt_hash_verify(const struct glt_hash_params *p, const void *secret, size_t len,
				const uint8_t salt[GLT_SALT_LEN], const uint8_t tag[GLT_TAG_LEN], bool *match,
				struct glt_err *err);

#endif
