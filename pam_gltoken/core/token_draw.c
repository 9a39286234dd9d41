/* SPDX-License-Identifier: MIT */
/* Apart from token.c, so that programs which only read token texts (gltoken-shell, through conf.c) load no
 * libsodium. */
#include "token.h"

#include <sodium.h>
#include <string.h>

static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void draw(char *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[randombytes_uniform(sizeof(alphabet) - 1)];
	out[n] = '\0';
}

void glt_token_generate(const char *prefix, struct glt_token_text *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->prefix, prefix, strnlen(prefix, GLT_PREFIX_MAX));
	draw(out->selector, GLT_SELECTOR_LEN);
	draw(out->secret, GLT_SECRET_LEN);
}
