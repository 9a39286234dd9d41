/* SPDX-License-Identifier: MIT */
/*
 * What passes between gltoken-auth and those who ask it. libc only: this is loaded into sshd.
 *
 * A request is "key=value" lines ended by one empty line. A reply is "key=value" lines, the last of which is
 * "verdict=allow" or "verdict=deny"; without that line, or with anything after it, the answer is deny.
 * Keys are [a-z_]+, at most once each. Values hold no byte below 0x20 and no 0x7f.
 */
#ifndef GLT_WIRE_H
#define GLT_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#define GLT_WIRE_REQUEST_MAX 8192
#define GLT_WIRE_REPLY_MAX 32768
#define GLT_WIRE_KEYS 40

struct glt_message {
	char text[GLT_WIRE_REPLY_MAX];
	size_t len;
	bool bad; /* something did not fit or broke a rule; sticky */
	/* After parsing: text is cut into strings in place. */
	const char *key[GLT_WIRE_KEYS];
	const char *value[GLT_WIRE_KEYS];
	size_t n;
};

void glt_message_init(struct glt_message *m);
/* NULL value: nothing is added. A value with a control character sets bad. */
void glt_message_add(struct glt_message *m, const char *key, const char *value);
void glt_message_addf(struct glt_message *m, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Cut text[len] into pairs. False: malformed (bad line, bad byte, repeated key, too many). A request must end
 * with the empty line, a reply with its verdict. */
bool glt_message_parse_request(struct glt_message *m);
bool glt_message_parse_reply(struct glt_message *m, bool *allow);
const char *glt_message_get(const struct glt_message *m, const char *key); /* NULL: absent */
void glt_message_wipe(struct glt_message *m);

#endif
