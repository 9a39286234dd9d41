/* SPDX-License-Identifier: MIT */
/* What a web server tells a CGI (RFC 3875), read once into a struct. A pure function of the environment. */
#ifndef GLT_HTTP_REQUEST_H
#define GLT_HTTP_REQUEST_H

#include "conf.h"
#include "text.h"

#include <netinet/in.h>
#include <stdbool.h>

enum glt_http_parse {
	GLT_HTTP_OK,
	GLT_HTTP_NOT_FOUND,         /* no request that git's smart protocol makes */
	GLT_HTTP_METHOD,            /* a path of ours, by another method: allow says which */
	GLT_HTTP_BROKEN,            /* a credential header that cannot be read */
	GLT_HTTP_TOKEN_AS_USERNAME, /* where web servers log it */
};

struct glt_http_request {
	bool push;
	bool rpc;      /* POST of the service; else GET info/refs */
	bool batch;    /* LFS: push is not known before the body is read */
	char lfs[512]; /* what follows PROJECT.git/info/lfs/, or "" */
	char project[GLT_PATH_MAX + 1];
	const char *allow; /* for GLT_HTTP_METHOD */

	bool credentials;
	bool named; /* Basic: there is a user name */
	char username[GLT_NAME_MAX + 1];
	char secret[512]; /* wipe with glt_http_request_wipe() */

	char address[INET6_ADDRSTRLEN]; /* of the client, or "unknown" */
	bool encrypted;                 /* came by HTTPS, as far as is believed */
	bool local;                     /* from this very machine, through no proxy */
};

/* get is getenv(), or another for tests. */
enum glt_http_parse glt_http_request_parse(const struct glt_conf *conf, const char *(*get)(const char *name),
					   struct glt_http_request *out);
void glt_http_request_wipe(struct glt_http_request *r);

#endif
