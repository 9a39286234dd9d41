/* SPDX-License-Identifier: MIT */
/* Public keys in a file as ssh-keygen and authorized_keys have them, without options. */
#ifndef GLT_KEYFILE_H
#define GLT_KEYFILE_H

#include "people.h"

struct glt_keyline {
	char type[64], comment[GLT_NAME_MAX + 1];
	uint8_t *blob;
	size_t blob_len;
	uint8_t fingerprint[GLT_FINGERPRINT_LEN];
	uint64_t id; /* for the caller */
};

struct glt_keyfile {
	struct glt_keyline *v;
	size_t n;
};

/* path "-" is standard input. An error names the line; keys is empty then. A private key is refused. */
enum glt_status glt_keyfile_read(const char *path, struct glt_keyfile *keys, struct glt_err *err);
void glt_keyfile_free(struct glt_keyfile *keys);

#endif
