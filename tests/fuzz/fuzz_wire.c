/* SPDX-License-Identifier: MIT */
/* What sshd reads from gltoken-auth, and gltoken-auth from anybody. */
#include "wire.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool parse(struct glt_message *m, const uint8_t *data, size_t size, bool request)
{
	bool allow = false;

	glt_message_init(m);
	memcpy(m->text, data, size);
	m->len = size;
	bool ok = request ? glt_message_parse_request(m) : glt_message_parse_reply(m, &allow);
	assert(ok || !allow);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct glt_message m, again;

	if (size > GLT_WIRE_REQUEST_MAX)
		return -1;
	(void)parse(&m, data, size, false);
	if (!parse(&m, data, size, true))
		return 0;

	/* What was understood must survive being said again. */
	glt_message_init(&again);
	for (size_t i = 0; i < m.n; i++)
		glt_message_add(&again, m.key[i], m.value[i]);
	assert(!again.bad);
	assert(again.len + 1 == size);
	assert(memcmp(again.text, data, again.len) == 0);
	return 0;
}
