/* SPDX-License-Identifier: MIT */
#include "people.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOB_MAX 4096 /* an RSA key of 16,384 bits has 2 KiB */

static bool type_known(const char *type)
{
	static const char *const types[] = {
		"ssh-ed25519",
		"ssh-rsa",
		"ecdsa-sha2-nistp256",
		"ecdsa-sha2-nistp384",
		"ecdsa-sha2-nistp521",
		"sk-ssh-ed25519@openssh.com",
		"sk-ecdsa-sha2-nistp256@openssh.com",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* RFC 4253, 6.6: the blob begins with its own type as a counted string, and both must agree. */
static bool blob_says(const uint8_t *blob, size_t len, const char *type)
{
	size_t n = strlen(type);

	return len > 4 + n && blob[0] == 0 && blob[1] == 0 && blob[2] == 0 && blob[3] == n &&
	       memcmp(blob + 4, type, n) == 0;
}

enum glt_status glt_pubkey_parse(const char *line, char type[64], uint8_t **blob, size_t *blob_len,
				 char comment[GLT_NAME_MAX + 1], struct glt_err *err)
{
	size_t n = strcspn(line, " \t"), b64, rest;
	const char *p;

	*blob = NULL;
	comment[0] = '\0';
	if (n == 0 || n >= 64)
		return glt_fail(err, GLT_INVALID,
				"public key: must be a line 'TYPE BASE64 [COMMENT]' as in id_ed25519.pub");
	memcpy(type, line, n);
	type[n] = '\0';
	if (!type_known(type))
		return glt_fail(err, GLT_INVALID,
				"public key: must begin with its type (ssh-ed25519, ssh-rsa, ecdsa-sha2-..., sk-...), "
				"without options");
	p = line + n + strspn(line + n, " \t");
	b64 = strcspn(p, " \t\r\n");
	*blob = malloc(BLOB_MAX);
	if (!*blob)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for a public key");
	if (b64 == 0 ||
	    sodium_base642bin(*blob, BLOB_MAX, p, b64, NULL, blob_len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    !blob_says(*blob, *blob_len, type)) {
		free(*blob);
		*blob = NULL;
		return glt_fail(err, GLT_INVALID, "public key: the part behind %s is no such key in base64", type);
	}
	p += b64;
	p += strspn(p, " \t");
	rest = strcspn(p, "\r\n");
	if (rest <= GLT_NAME_MAX) {
		memcpy(comment, p, rest);
		comment[rest] = '\0';
	}
	if (comment[0] && glt_name_check("comment", comment, true, NULL) != GLT_OK)
		comment[0] = '\0';
	return GLT_OK;
}

void glt_pubkey_fingerprint(const uint8_t *blob, size_t len, uint8_t out[GLT_FINGERPRINT_LEN])
{
	_Static_assert(GLT_FINGERPRINT_LEN == crypto_hash_sha256_BYTES, "SHA-256, as ssh-keygen -l");
	(void)crypto_hash_sha256(out, blob, len);
}

void glt_pubkey_fingerprint_text(const uint8_t fp[GLT_FINGERPRINT_LEN], char out[64])
{
	memcpy(out, "SHA256:", 7);
	(void)sodium_bin2base64(out + 7, 57, fp, GLT_FINGERPRINT_LEN, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

char *glt_pubkey_format(const Glt__Key *k)
{
	size_t head = strlen(k->type) + 1;
	size_t room = sodium_base64_ENCODED_LEN(k->blob.len, sodium_base64_VARIANT_ORIGINAL);
	char *line = malloc(head + room);

	if (line) {
		(void)snprintf(line, head + 1, "%s ", k->type);
		(void)sodium_bin2base64(line + head, room, k->blob.data, k->blob.len,
					sodium_base64_VARIANT_ORIGINAL);
	}
	return line;
}
