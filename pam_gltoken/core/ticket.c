/* SPDX-License-Identifier: MIT */
#include "ticket.h"

#include "bootid.h"
#include "seckey.h"
#include "when.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 8
#define MAC_TEXT (2 * GLT_MAC_LEN + 1)

/* '.' separates fields and stands in addresses and account names: anything but [A-Za-z0-9_-] is %XX. */
static bool escape(const char *in, char *out, size_t size)
{
	size_t n = 0;

	for (const unsigned char *p = (const unsigned char *)in; *p; p++) {
		bool plain = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') ||
			     *p == '_' || *p == '-';

		if (n + 4 > size)
			return false;
		n += (size_t)snprintf(out + n, size - n, plain ? "%c" : "%%%02X", *p);
	}
	out[n] = '\0';
	return n > 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool unescape(const char *in, char *out, size_t size)
{
	size_t n = 0;

	for (; *in; in++) {
		if (n + 1 >= size)
			return false;
		if (*in == '%') {
			if (hex(in[1]) < 0 || hex(in[2]) < 0 || (in[1] == '0' && in[2] == '0'))
				return false;
			out[n++] = (char)(hex(in[1]) << 4 | hex(in[2]));
			in += 2;
		} else {
			out[n++] = *in;
		}
	}
	out[n] = '\0';
	return n > 0;
}

static enum glt_status mac_of(const uint8_t *store_key, const uint8_t epoch[16], const char *text, size_t len,
			      char out[MAC_TEXT], struct glt_err *err)
{
	uint8_t key[GLT_SECKEY_LEN], mac[GLT_MAC_LEN];
	crypto_generichash_state st;
	char boot[GLT_BOOTID_MAX];

	if (!glt_bootid(boot))
		return glt_fail(err, GLT_UNAVAILABLE, "cannot read /proc/sys/kernel/random/boot_id: %s",
				strerror(errno));
	glt_seckey_derive(store_key, GLT_FOR_TICKET, key);
	(void)crypto_generichash_init(&st, key, sizeof(key), sizeof(mac));
	(void)crypto_generichash_update(&st, epoch, 16);
	(void)crypto_generichash_update(&st, (const uint8_t *)boot, strlen(boot) + 1);
	(void)crypto_generichash_update(&st, (const uint8_t *)text, len);
	(void)crypto_generichash_final(&st, mac, sizeof(mac));
	(void)sodium_bin2hex(out, MAC_TEXT, mac, sizeof(mac));
	sodium_memzero(key, sizeof(key));
	sodium_memzero(&st, sizeof(st));
	return GLT_OK;
}

enum glt_status glt_ticket_make(const uint8_t *store_key, const uint8_t epoch[16], const struct glt_ticket *t,
				char out[GLT_TICKET_MAX], struct glt_err *err)
{
	char account[3 * GLT_ACCOUNT_MAX + 4], service[100], address[200], mac[MAC_TEXT];
	enum glt_status st;
	int n;

	if (!escape(t->account, account, sizeof(account)) || !escape(t->service, service, sizeof(service)) ||
	    !escape(t->address, address, sizeof(address)))
		return glt_fail(err, GLT_INVALID, "account, service or address cannot be written into a ticket");
	n = snprintf(out, GLT_TICKET_MAX - MAC_TEXT, "v1.%c.%" PRIu64 ".%s.%s.%s.%" PRId64 ".", (char)t->kind,
		     t->id, account, service, address, t->boottime);
	if (n < 0 || n >= GLT_TICKET_MAX - MAC_TEXT)
		return glt_fail(err, GLT_INVALID, "ticket would be over %d bytes", GLT_TICKET_MAX);
	st = mac_of(store_key, epoch, out, (size_t)n, mac, err);
	if (st == GLT_OK)
		memcpy(out + n, mac, MAC_TEXT);
	return st;
}

static bool number(const char *s, uint64_t *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoumax(s, &end, 10);
	return errno == 0 && *end == '\0';
}

/* Only reached with a good MAC, so it can only fail for what a ticket of a newer version holds. */
static bool read_fields(char *text, struct glt_ticket *out)
{
	char *field[FIELDS], *rest = text;
	uint64_t made;

	for (int i = 0; i < FIELDS; i++) {
		field[i] = strsep(&rest, ".");
		if (!field[i])
			return false;
	}
	if (rest || strcmp(field[0], "v1") != 0 || !field[1][0] || field[1][1] || !strchr("tka", field[1][0]))
		return false;
	out->kind = (enum glt_ticket_kind)field[1][0];
	if (!number(field[2], &out->id) || !number(field[6], &made) || made > INT64_MAX)
		return false;
	out->boottime = (int64_t)made;
	return unescape(field[3], out->account, sizeof(out->account)) &&
	       unescape(field[4], out->service, sizeof(out->service)) &&
	       unescape(field[5], out->address, sizeof(out->address));
}

enum glt_status glt_ticket_check(const uint8_t *store_key, const uint8_t epoch[16], const char *text,
				 int64_t max_age, struct glt_ticket *out, struct glt_err *err)
{
	char copy[GLT_TICKET_MAX], mac[MAC_TEXT];
	size_t len = strlen(text);
	int64_t age;
	enum glt_status st;

	memset(out, 0, sizeof(*out));
	if (len < MAC_TEXT || len >= sizeof(copy))
		return glt_fail(err, GLT_REFUSED, "session ticket is malformed");
	memcpy(copy, text, len + 1);
	st = mac_of(store_key, epoch, copy, len - (MAC_TEXT - 1), mac, err);
	if (st != GLT_OK)
		return st;
	if (sodium_memcmp(mac, copy + len - (MAC_TEXT - 1), MAC_TEXT - 1) != 0)
		return glt_fail(err, GLT_REFUSED, "session ticket was not made here since the last boot");
	if (!read_fields(copy, out))
		return glt_fail(err, GLT_REFUSED, "session ticket is malformed");
	age = glt_boottime() - out->boottime;
	if (age < 0 || age > max_age)
		return glt_fail(err, GLT_REFUSED, "session ticket is %lld s old: at most %lld s are allowed",
				(long long)age, (long long)max_age);
	return GLT_OK;
}

void glt_ticket_session(const char *ticket, char out[GLT_SESSION_ID])
{
	unsigned char hash[crypto_generichash_BYTES_MIN];

	(void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)ticket, strlen(ticket), NULL, 0);
	(void)sodium_bin2hex(out, GLT_SESSION_ID, hash, GLT_SESSION_ID / 2);
}
