/* SPDX-License-Identifier: MIT */
/*
 * The token text:  glpat-  SSSSSS  KKKKKKKKKKKKKK
 *                  prefix  selector(6) secret(14), both [0-9A-Za-z] from the CSPRNG.
 *
 * The shape is GitLab's classic one, so that secret scanners find a leaked token with no configuration.
 * The selector is public and indexes the record; the secret is what Argon2id hashes.
 */
#ifndef GLT_TOKEN_H
#define GLT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define GLT_SELECTOR_LEN 6
#define GLT_SECRET_LEN 14
#define GLT_PREFIX_MAX 32
#define GLT_TOKEN_MAX (GLT_PREFIX_MAX + GLT_SELECTOR_LEN + GLT_SECRET_LEN)

struct glt_token_text {
	char prefix[GLT_PREFIX_MAX + 1];
	char selector[GLT_SELECTOR_LEN + 1];
	char secret[GLT_SECRET_LEN + 1];
};

/* A prefix is 1 to GLT_PREFIX_MAX of [0-9A-Za-z_-] and ends with '-'. */
bool glt_token_prefix_valid(const char *prefix);

/* Split text[len] if it is a token with one of the NULL-terminated prefixes; false: not token-shaped. */
bool glt_token_parse(const char *text, size_t len, const char *const prefixes[], struct glt_token_text *out);

/* Find the first token in text[len] at or after *pos; advances *pos past it. Whole words only. */
bool glt_token_find(const char *text, size_t len, const char *const prefixes[], size_t *pos,
		    struct glt_token_text *out);

/* Draw selector and secret; prefix must be valid. sodium_init() has been called. */
void glt_token_generate(const char *prefix, struct glt_token_text *out);

/* Write the whole string; out holds GLT_TOKEN_MAX + 1 bytes. The caller wipes it. */
void glt_token_format(const struct glt_token_text *t, char out[GLT_TOKEN_MAX + 1]);

void glt_token_wipe(struct glt_token_text *t);

#endif
