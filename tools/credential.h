/* SPDX-License-Identifier: MIT */
/* What git-credential-gltoken is made of: its configuration, and how a token renews itself. */
#ifndef GLT_CREDENTIAL_H
#define GLT_CREDENTIAL_H

#include "tokenfile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What git asks about; absent ones are NULL. */
struct glt_cred_request {
	const char *protocol, *host, *path, *username, *password;
};

#define GLT_CRED_UNKNOWN INT64_C(-1)

/* A section [gltoken "URL"]. Strings point into the buffer that was read. */
struct glt_cred {
	const char *url;
	const char *username;      /* or NULL */
	const char *token_file;    /* one of these two */
	const char *token_command; /* for sh */
	const char *ssh;           /* where it may rotate itself, or NULL */
	int64_t rotate;            /* that long before it expires; 0: never */
	int64_t overlap, warn;
	int64_t expires; /* when that is written down, else GLT_CRED_UNKNOWN */
};

#define GLT_CRED_SECTIONS 256
struct glt_creds {
	struct glt_cred section[GLT_CRED_SECTIONS];
	size_t n;
	char text[65536];
	char expanded[8192]; /* paths below the home */
	size_t expanded_len;
};

/* Read $XDG_CONFIG_HOME/gltoken/credentials, checked as a whole. False: absent, or not to be used, and standard
 * error says why. */
bool glt_creds_read(struct glt_creds *out);
/* The section for a request: the longest path that covers it. NULL: none, or several without a path to choose by,
 * which is said. */
const struct glt_cred *glt_creds_find(const struct glt_creds *creds, const struct glt_cred_request *r);

/* The token as it lies there. The caller wipes it. */
bool glt_cred_token(const struct glt_cred *cred, char token[GLT_TOKENFILE_SIZE]);
/* Learn when the token expires, and have a new one in its place if that is near and the section says so. Trouble is
 * said and leaves the token that there is. *expires: a moment, GLT_WHEN_NEVER or GLT_CRED_UNKNOWN. */
void glt_cred_renew(const struct glt_cred *cred, char token[GLT_TOKENFILE_SIZE], int64_t now, int64_t *expires);

#endif
