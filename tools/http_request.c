/* SPDX-License-Identifier: MIT */
#include "http_request.h"

#include "token.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef const char *getter(const char *name);

static const char *text_of(getter *get, const char *name)
{
	const char *value = get(name);
	return value ? value : "";
}

/* ---- what is asked for ---- */

static bool take_suffix(const char *path, const char *suffix, struct glt_http_request *r)
{
	char project[GLT_PATH_MAX + 8];
	size_t len = strlen(path), n = strlen(suffix);
	if (len <= n || strcmp(path + len - n, suffix) || len - n >= sizeof(project))
		return false;
	memcpy(project, path, len - n);
	project[len - n] = '\0';
	/* A slash before the suffix's own would be taken off silently. */
	return len > n + 1 && project[len - n - 1] != '/' && project[0] == '/' &&
	       glt_path_normalise(project, r->project, NULL) == GLT_OK;
}

/* Segments of plain characters, none of which leads elsewhere. */
static bool is_plain(const char *rest)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	for (;;) {
		size_t n = strspn(rest, plain);
		if (n == 0 || (n <= 2 && strspn(rest, ".") >= n))
			return false;
		if (!rest[n])
			return true;
		if (rest[n] != '/')
			return false;
		rest += n + 1;
	}
}

/* Whatever is not plainly reading is writing, but for the batch request, whose body says it. */
static enum glt_http_parse parse_lfs(getter *get, struct glt_http_request *r)
{
	static const char mark[] = "/info/lfs/";
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
	const char *path = text_of(get, "PATH_INFO"), *at = strstr(path, mark),
		   *method = text_of(get, "REQUEST_METHOD");
	char front[GLT_PATH_MAX + 32];
	size_t i = 0;
	if (!at || (size_t)(at - path) >= sizeof(front) - sizeof(mark))
		return GLT_HTTP_NOT_FOUND;
	memcpy(front, path, (size_t)(at - path));
	strcpy(front + (at - path), mark);
	if (!take_suffix(front, mark, r))
		return GLT_HTTP_NOT_FOUND;
	at += sizeof(mark) - 1;
	if (strlen(at) >= sizeof(r->lfs) || !is_plain(at))
		return GLT_HTTP_NOT_FOUND;
	while (i < sizeof(methods) / sizeof(*methods) && strcmp(method, methods[i]))
		i++;
	r->allow = "GET, HEAD, POST, PUT, PATCH, DELETE";
	if (i == sizeof(methods) / sizeof(*methods))
		return GLT_HTTP_METHOD;
	strcpy(r->lfs, at);
	r->push = i > 1;
	r->batch = !strcmp(at, "objects/batch") && !strcmp(method, "POST");
	return GLT_HTTP_OK;
}

static enum glt_http_parse parse_target(const struct glt_conf *conf, getter *get, struct glt_http_request *r)
{
	static const struct {
		const char *suffix, *query, *method;
		bool push, rpc;
	} targets[] = {
		{"/info/refs", "service=git-upload-pack", "GET", false, false},
		{"/info/refs", "service=git-receive-pack", "GET", true, false},
		{"/git-upload-pack", "", "POST", false, true},
		{"/git-receive-pack", "", "POST", true, true},
	};
	const char *path = text_of(get, "PATH_INFO"), *query = text_of(get, "QUERY_STRING");
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		if (strcmp(query, targets[i].query) || !take_suffix(path, targets[i].suffix, r))
			continue;
		r->push = targets[i].push;
		r->rpc = targets[i].rpc;
		r->allow = targets[i].method;
		return strcmp(text_of(get, "REQUEST_METHOD"), targets[i].method) ? GLT_HTTP_METHOD : GLT_HTTP_OK;
	}
	return conf->lfs_backend[0] ? parse_lfs(get, r) : GLT_HTTP_NOT_FOUND;
}

/* ---- credentials ---- */

static bool printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static bool take_secret(const char *value, struct glt_http_request *r)
{
	size_t len = strlen(value);
	if (len == 0 || len >= sizeof(r->secret) || !printable(value))
		return false;
	memcpy(r->secret, value, len + 1);
	r->credentials = true;
	return true;
}

/* RFC 7617: base64 of "user:password"; the user name ends at the first colon. */
static bool take_basic(const char *value, struct glt_http_request *r)
{
	char plain[GLT_NAME_MAX + sizeof(r->secret) + 2];
	size_t len = 0, user;
	bool ok = sodium_base642bin((unsigned char *)plain, sizeof(plain) - 1, value, strlen(value), NULL, &len,
				    NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
		  !memchr(plain, '\0', len);
	if (ok) {
		plain[len] = '\0';
		user = strcspn(plain, ":");
		ok = user <= GLT_NAME_MAX && plain[user] == ':';
		if (ok) {
			memcpy(r->username, plain, user);
			r->username[user] = '\0';
			r->named = true;
			ok = printable(r->username);
			/* An empty password is what git sends when it has none: no credential, not a broken one. */
			if (ok && plain[user + 1])
				ok = take_secret(plain + user + 1, r);
		}
	}
	sodium_memzero(plain, sizeof(plain));
	return ok;
}

static bool scheme(const char *header, const char *name, const char **rest)
{
	size_t n = strlen(name);
	if (strncasecmp(header, name, n) || header[n] != ' ')
		return false;
	*rest = header + n + strspn(header + n, " ");
	return true;
}

static enum glt_http_parse parse_credentials(const struct glt_conf *conf, getter *get, struct glt_http_request *r)
{
	const char *header = get("HTTP_AUTHORIZATION"), *token = get("HTTP_PRIVATE_TOKEN"), *rest;
	struct glt_token_text as_token;
	bool ok = true;
	if (header && *header) {
		if (scheme(header, "Basic", &rest))
			ok = take_basic(rest, r);
		else if (scheme(header, "Bearer", &rest))
			ok = take_secret(rest, r);
		else
			ok = false;
	} else if (token && *token) {
		ok = take_secret(token, r);
	}
	if (!ok)
		return GLT_HTTP_BROKEN;
	if (r->named && glt_token_parse(r->username, strlen(r->username), conf->prefixes, &as_token)) {
		glt_token_wipe(&as_token);
		return GLT_HTTP_TOKEN_AS_USERNAME;
	}
	return GLT_HTTP_OK;
}

/* ---- where it came from ---- */

static bool trusted(const struct glt_conf *conf, const char *address)
{
	for (size_t i = 0; i < GLT_CONF_LIST && conf->trusted_proxies[i][0]; i++)
		if (glt_cidr_match(conf->trusted_proxies[i], address))
			return true;
	return false;
}

static bool is_loopback(const char *address)
{
	return glt_cidr_match("127.0.0.0/8", address) || glt_cidr_match("::1", address);
}

/* From the right, where the nearest proxy wrote, to the first hop that is no proxy of ours. What stands left of it is
 * the client's own claim. A hop that is no address is nobody's, and matches no range. */
static void walk_forwarded(const struct glt_conf *conf, const char *list, char address[INET6_ADDRSTRLEN])
{
	const char *end = list + strlen(list);
	struct glt_address any;
	while (end > list) {
		const char *start = end;
		char hop[INET6_ADDRSTRLEN];
		while (start > list && start[-1] != ',')
			start--;
		const char *from = start + strspn(start, " \t"), *to = end;
		while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
			to--;
		size_t len = (size_t)(to > from ? to - from : 0);
		if (len >= sizeof(hop))
			len = 0;
		memcpy(hop, from, len);
		hop[len] = '\0';
		if (!glt_address_parse(hop, &any)) {
			strcpy(address, "unknown");
			return;
		}
		strcpy(address, hop);
		if (!trusted(conf, hop))
			return;
		end = start > list ? start - 1 : list;
	}
}

static void parse_client(const struct glt_conf *conf, getter *get, struct glt_http_request *r)
{
	const char *peer = text_of(get, "REMOTE_ADDR"), *https = text_of(get, "HTTPS");
	const char *list = get("HTTP_X_FORWARDED_FOR"), *proto = get("HTTP_X_FORWARDED_PROTO");
	bool forwarded = list || proto || get("HTTP_FORWARDED") || get("HTTP_X_REAL_IP");
	struct glt_address any;

	strcpy(r->address, "unknown");
	if (strlen(peer) < sizeof(r->address) && glt_address_parse(peer, &any))
		strcpy(r->address, peer);
	r->encrypted = (*https && strcasecmp(https, "off")) || !strcasecmp(text_of(get, "REQUEST_SCHEME"), "https");
	r->local = is_loopback(peer) && !forwarded;
	if (!trusted(conf, peer))
		return;
	if (proto)
		r->encrypted = !strcasecmp(proto, "https");
	if (list)
		walk_forwarded(conf, list, r->address);
}

enum glt_http_parse glt_http_request_parse(const struct glt_conf *conf, getter *get, struct glt_http_request *out)
{
	memset(out, 0, sizeof(*out));
	parse_client(conf, get, out);
	enum glt_http_parse target = parse_target(conf, get, out);
	return target == GLT_HTTP_OK ? parse_credentials(conf, get, out) : target;
}

void glt_http_request_wipe(struct glt_http_request *r)
{
	sodium_memzero(r->secret, sizeof(r->secret));
}
