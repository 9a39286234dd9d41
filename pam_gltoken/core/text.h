/* SPDX-License-Identifier: MIT */
/* The rules for what people type: names, paths, addresses, globs. Too long is refused, never cut. */
#ifndef GLT_TEXT_H
#define GLT_TEXT_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define GLT_NAME_MAX 255 /* bytes, as GitLab's */
#define GLT_PATH_MAX 240 /* path NUL principal is a key of at most 511 bytes */
#define GLT_ACCOUNT_MAX 64

/* 1 to GLT_NAME_MAX bytes of valid UTF-8 (shortest form, no surrogates) without control characters and
 * without blanks at either end. what names the input in the error ("name", "description"). empty_ok admits "". */
enum glt_status glt_name_check(const char *what, const char *name, bool empty_ok, struct glt_err *err);
/* Each of n passes check, or what that says of the first that does not. */
enum glt_status glt_check_each(char *const *list, size_t n,
			       enum glt_status (*check)(const char *, struct glt_err *), struct glt_err *err);
bool glt_utf8_valid(const char *s, size_t len);

/* An account name: [a-z_A-Z0-9][a-zA-Z0-9._+-]*, at most GLT_ACCOUNT_MAX bytes, not all digits. */
enum glt_status glt_account_name_check(const char *name, struct glt_err *err);

/* A project or group path: components of [A-Za-z0-9_][A-Za-z0-9._-]* joined by '/', not ending in ".git",
 * ".lock" or '.', no "..". A leading and one trailing "/" and a trailing ".git" must be taken off before. */
enum glt_status glt_path_check(const char *path, struct glt_err *err);
/* What people and git clients write: "/demo/hello.git/" -> "demo/hello". out holds GLT_PATH_MAX + 1. */
enum glt_status glt_path_normalise(const char *text, char out[GLT_PATH_MAX + 1], struct glt_err *err);
/* Is inner the same as outer or beneath it? "demo" covers "demo/hello", not "demolition". */
bool glt_path_covers(const char *outer, const char *inner);

/* Address without a name look-up; IPv4-mapped IPv6 becomes IPv4. False: empty, a host name, zoned. */
struct glt_address {
	sa_family_t family; /* AF_INET or AF_INET6 */
	uint8_t bytes[16];
};
bool glt_address_parse(const char *text, struct glt_address *out);
enum glt_status glt_cidr_check(const char *cidr, struct glt_err *err);
/* Both must be valid; anything that is not never matches. */
bool glt_cidr_match(const char *cidr, const char *address);

/* gitignore-like: '*' and '?' stop at '/', "**" does not, [..] classes. The whole text must match. */
enum glt_status glt_glob_check(const char *glob, struct glt_err *err);
bool glt_glob_match(const char *glob, const char *text);

#endif
