/* SPDX-License-Identifier: MIT */
/* A public key's line, and a ticket: no ticket that was not made with the key counts. */
#include "people.h"
#include "ticket.h"

#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ticket(const char *text)
{
	static uint8_t key[32], epoch[16];
	struct glt_ticket out;
	struct glt_err err;

	if (!key[0]) {
		randombytes_buf(key, sizeof(key));
		randombytes_buf(epoch, sizeof(epoch));
		key[0] = 1;
	}
	assert(glt_ticket_check(key, epoch, text, 1000, &out, &err) == GLT_REFUSED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), type[64], comment[GLT_NAME_MAX + 1], print[64];
	uint8_t *blob = NULL, fp[GLT_FINGERPRINT_LEN];
	struct glt_err err;
	size_t len = 0;

	if (!text || sodium_init() < 0)
		return -1;
	memcpy(text, data, size);
	text[size] = '\0';
	ticket(text);
	if (glt_pubkey_parse(text, type, &blob, &len, comment, &err) == GLT_OK) {
		assert(blob && len > 0 && strstr(text, type));
		glt_pubkey_fingerprint(blob, len, fp);
		glt_pubkey_fingerprint_text(fp, print);
		free(blob);
	}
	free(text);
	return 0;
}
