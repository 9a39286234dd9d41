/* SPDX-License-Identifier: MIT */
/* Against vectors of the argon2 program and against libsodium's own Argon2id. */
#include "hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#define SECRET "xWvUtSrQpOnM5k"
static const struct glt_hash_params cheap = {GLT_HASH_M_MIN, GLT_HASH_T_MIN};

static const uint8_t *salt_of(const char *text)
{
	assert_int_equal(strlen(text), GLT_SALT_LEN);
	return (const uint8_t *)text;
}

/* printf SECRET | argon2 SALT -id -t TIME -k MEMORY -p 1 -l 32 -r */
static void known_answers(void **state)
{
	static const struct {
		struct glt_hash_params p;
		const char *secret, *salt, *tag;
	} cases[] = {
		{{8192, 1},
		 SECRET,
		 "0123456789abcdef",
		 "ee700bb5e8b8d53b3c8ac5b2826c69e4745406e9ed0c72b1b1041abb44914b81"},
		{{19456, 2},
		 SECRET,
		 "0123456789abcdef",
		 "61764771e6113ac46cdc5208d387cb2aa7894b277d9fe7ba3a0dd3dcb8a62cf0"},
		{{8193, 3},
		 "a",
		 "saltsaltsaltsalt",
		 "39ca0c241831a48122ca48d89158ae7ba2e80141120187372173cad94a72b4d4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t tag[GLT_TAG_LEN];
		char hex[2 * GLT_TAG_LEN + 1];
		struct glt_err err;

		assert_int_equal(glt_hash(&cases[i].p, cases[i].secret, strlen(cases[i].secret),
					  salt_of(cases[i].salt), tag, &err),
				 GLT_OK);
		sodium_bin2hex(hex, sizeof(hex), tag, sizeof(tag));
		assert_string_equal(hex, cases[i].tag);
	}
}

static void as_libsodium(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 12; n++) {
		struct glt_hash_params p = {GLT_HASH_M_MIN + 1000 * n, 1 + n % 3};
		uint8_t salt[GLT_SALT_LEN], ours[GLT_TAG_LEN], theirs[GLT_TAG_LEN];
		char secret[256];
		size_t len = 1 + (size_t)n * 23;
		struct glt_err err;

		randombytes_buf(salt, sizeof(salt));
		randombytes_buf(secret, sizeof(secret));
		assert_int_equal(glt_hash(&p, secret, len, salt, ours, &err), GLT_OK);
		assert_int_equal(crypto_pwhash(theirs, sizeof(theirs), secret, len, salt, p.time,
					       (size_t)p.memory * 1024, crypto_pwhash_ALG_ARGON2ID13),
				 0);
		assert_memory_equal(ours, theirs, sizeof(ours));
	}
}

static void verify_matches_only_the_same(void **state)
{
	const uint8_t *salt = salt_of("0123456789abcdef"), *other = salt_of("0123456789abcdeF");
	const struct glt_hash_params slower = {GLT_HASH_M_MIN, GLT_HASH_T_MIN + 1};
	uint8_t tag[GLT_TAG_LEN];
	struct glt_err err;
	bool match;

	(void)state;
	assert_int_equal(glt_hash(&cheap, SECRET, 14, salt, tag, &err), GLT_OK);
	assert_int_equal(glt_hash_verify(&cheap, SECRET, 14, salt, tag, &match, &err), GLT_OK);
	assert_true(match);
	assert_int_equal(glt_hash_verify(&cheap, SECRET, 13, salt, tag, &match, &err), GLT_OK);
	assert_false(match);
	assert_int_equal(glt_hash_verify(&cheap, SECRET, 14, other, tag, &match, &err), GLT_OK);
	assert_false(match);
	assert_int_equal(glt_hash_verify(&slower, SECRET, 14, salt, tag, &match, &err), GLT_OK);
	assert_false(match);
	for (int i = 0; i < GLT_TAG_LEN; i += 31) {
		tag[i] ^= 0x80;
		match = true;
		assert_int_equal(glt_hash_verify(&cheap, SECRET, 14, salt, tag, &match, &err), GLT_OK);
		assert_false(match);
		tag[i] ^= 0x80;
	}
}

/* ---- out of bounds: refused, without the memory and without the time that they ask for ---- */

static long peak_kib(void)
{
	struct rusage ru;

	assert_int_equal(getrusage(RUSAGE_SELF, &ru), 0);
	return ru.ru_maxrss;
}

static void bounds(void **state)
{
	static const struct {
		struct glt_hash_params p;
		bool valid;
	} cases[] = {
		{{GLT_HASH_M_MIN, 1}, true},
		{{GLT_HASH_M_MIN - 1, 1}, false},
		{{0, 1}, false},
		{{1048576, 16}, true},
		{{1048577, 1}, false},
		{{4194304, 1}, false},
		{{UINT32_MAX, 1}, false},
		{{GLT_HASH_M_MIN, 0}, false},
		{{GLT_HASH_M_MIN, 16}, true},
		{{GLT_HASH_M_MIN, 17}, false},
		{{GLT_HASH_M_MIN, UINT32_MAX}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(glt_hash_params_valid(&cases[i].p), cases[i].valid);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t tag[GLT_TAG_LEN] = {0};
		struct glt_err err;
		bool match = true;
		long before = peak_kib();

		if (cases[i].valid)
			continue;
		assert_int_equal(glt_hash_verify(&cases[i].p, SECRET, 14, salt_of("0123456789abcdef"), tag, &match,
						 &err),
				 GLT_INVALID);
		assert_false(match);
		assert_non_null(strstr(err.text, "8192..1048576 KiB and 1..16"));
		assert_true(peak_kib() - before < 1024);
	}
}

static void secret_length(void **state)
{
	uint8_t tag[GLT_TAG_LEN];
	char secret[257];
	struct glt_err err;

	(void)state;
	memset(secret, 'x', sizeof(secret));
	assert_int_equal(glt_hash(&cheap, secret, 0, salt_of("0123456789abcdef"), tag, &err), GLT_INVALID);
	assert_int_equal(glt_hash(&cheap, secret, 257, salt_of("0123456789abcdef"), tag, &err), GLT_INVALID);
	assert_non_null(strstr(err.text, "257"));
	assert_null(strstr(err.text, "xxx"));
	assert_int_equal(glt_hash(&cheap, secret, 256, salt_of("0123456789abcdef"), tag, &err), GLT_OK);
}

/* No memory is trouble, not a wrong secret: another status, and never a match. */
static void no_memory(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__)
	skip(); /* the sanitizer's shadow does not fit under RLIMIT_AS */
#else
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct glt_hash_params big = {GLT_HASH_M_MAX, 1};
		const struct rlimit low = {UINT64_C(256) << 20, UINT64_C(256) << 20};
		uint8_t tag[GLT_TAG_LEN] = {0};
		struct glt_err err = {GLT_OK, ""};
		bool match = true;

		_exit(setrlimit(RLIMIT_AS, &low) != 0 ||
		      glt_hash_verify(&big, SECRET, 14, (const uint8_t *)"0123456789abcdef", tag, &match, &err) !=
			      GLT_UNAVAILABLE ||
		      match || !err.text[0]);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(as_libsodium),
		cmocka_unit_test(verify_matches_only_the_same),
		cmocka_unit_test(bounds),
		cmocka_unit_test(secret_length),
		cmocka_unit_test(no_memory),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
