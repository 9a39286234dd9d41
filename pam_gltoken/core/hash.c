/* SPDX-License-Identifier: MIT */
#include "hash.h"

#include <argon2.h>
#include <sodium.h>
#include <sys/mman.h>

bool glt_hash_params_valid(const struct glt_hash_params *p)
{
	return p->memory >= GLT_HASH_M_MIN && p->memory <= GLT_HASH_M_MAX && p->time >= GLT_HASH_T_MIN &&
	       p->time <= GLT_HASH_T_MAX;
}

static _Thread_local struct {
	bool on;
	uint8_t *memory;
	size_t bytes;
} kept;

/*
 * A fresh process pays a page fault for each 4 KiB of malloc'd memory, some 10 ms at 19 MiB. Huge pages where
 * there are any, and one call that populates the rest, take them away. Both are advice: failing is fine.
 */
static int take(uint8_t **memory, size_t bytes)
{
	void *p;

	if (kept.memory && kept.bytes == bytes) {
		*memory = kept.memory;
		return ARGON2_OK;
	}
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return ARGON2_MEMORY_ALLOCATION_ERROR;
	(void)madvise(p, bytes, MADV_DONTDUMP);
	(void)madvise(p, bytes, MADV_HUGEPAGE);
#ifdef MADV_POPULATE_WRITE
	(void)madvise(p, bytes, MADV_POPULATE_WRITE);
#endif
	*memory = p;
	return ARGON2_OK;
}

/* libargon2 has wiped it already (FLAG_clear_internal_memory). */
static void give(uint8_t *memory, size_t bytes)
{
	if (kept.memory == memory)
		return;
	if (!kept.on) {
		(void)munmap(memory, bytes);
		return;
	}
	if (kept.memory)
		(void)munmap(kept.memory, kept.bytes);
	kept.memory = memory;
	kept.bytes = bytes;
}

void glt_hash_keep(bool keep)
{
	kept.on = keep;
	if (!keep && kept.memory) {
		(void)munmap(kept.memory, kept.bytes);
		kept.memory = NULL;
	}
}

enum glt_status glt_hash(const struct glt_hash_params *p, const void *secret, size_t len,
			 const uint8_t salt[GLT_SALT_LEN], uint8_t tag[GLT_TAG_LEN], struct glt_err *err)
{
	union { /* the interface takes non-const pointers and writes only where told to */
		const void *in;
		uint8_t *out;
	} pwd = {.in = secret}, slt = {.in = salt};
	argon2_context ctx = {
		.out = tag,
		.outlen = GLT_TAG_LEN,
		.pwd = pwd.out,
		.pwdlen = (uint32_t)len,
		.salt = slt.out,
		.saltlen = GLT_SALT_LEN,
		.t_cost = p->time,
		.m_cost = p->memory,
		.lanes = 1,
		.threads = 1,
		.version = ARGON2_VERSION_13,
		.allocate_cbk = take,
		.free_cbk = give,
		.flags = ARGON2_DEFAULT_FLAGS,
	};

	if (!glt_hash_params_valid(p))
		return glt_fail(err, GLT_INVALID, "Argon2 memory %u KiB, time %u: must be %u..%u KiB and %u..%u",
				p->memory, p->time, GLT_HASH_M_MIN, GLT_HASH_M_MAX, GLT_HASH_T_MIN, GLT_HASH_T_MAX);
	if (len == 0 || len > 256)
		return glt_fail(err, GLT_INVALID, "secret to hash has %zu bytes, must be 1 to 256", len);

	int rc = argon2_ctx(&ctx, Argon2_id);

	if (rc != ARGON2_OK)
		return glt_fail(err, GLT_UNAVAILABLE, "Argon2 failed: %s", argon2_error_message(rc));
	return GLT_OK;
}

enum glt_status glt_hash_verify(const struct glt_hash_params *p, const void *secret, size_t len,
				const uint8_t salt[GLT_SALT_LEN], const uint8_t tag[GLT_TAG_LEN], bool *match,
				struct glt_err *err)
{
	uint8_t got[GLT_TAG_LEN];
	enum glt_status st;

	*match = false;
	st = glt_hash(p, secret, len, salt, got, err);
	if (st == GLT_OK)
		*match = sodium_memcmp(got, tag, sizeof(got)) == 0;
	sodium_memzero(got, sizeof(got));
	return st;
}
