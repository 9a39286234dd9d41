/* SPDX-License-Identifier: MIT */
/* Bytes of a store's value: the first says whose, the others are the record. What unpacks is valid or refused, and a
 * copy of it, with fields of a later version, is the same. */
#include "tools/import.h"
#include "tools/portable.h"

#include "decide.h"
#include "event.h"
#include "tokens.h"
#include "value.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copies(const Glt__Token *t)
{
	Glt__Token *copy = glt_token_copy(t);
	size_t len = glt__token__get_packed_size(t);

	if (!copy && t->base.n_unknown_fields) /* protobuf-c writes a field number 0 as it does not read it */
		return;
	assert(copy && glt__token__get_packed_size(copy) == len);
	uint8_t *a = malloc(len + 1), *b = malloc(len + 1);
	assert(a && b);
	assert(glt__token__pack(t, a) == len && glt__token__pack(copy, b) == len && memcmp(a, b, len) == 0);
	(void)glt_token_state(t, 1700000000);
	(void)glt_token_holder(t);
	free(a);
	free(b);
	glt_token_free(copy);
}

/* An event's texts come back whatever phrases they were written with. */
static void events(struct glt_slice value)
{
	Glt__Event *ev = glt_event_read(value), *again;
	struct glt_head head = {.seq = 0};
	size_t len;

	if (!ev || ev->base.n_unknown_fields) { /* as above */
		if (ev)
			glt__event__free_unpacked(ev, NULL);
		return;
	}
	uint8_t *bytes = glt_event_write(ev, &len);
	assert(bytes);
	again = glt_event_read((struct glt_slice){bytes, len});
	assert(again && again->phrases == ev->phrases && strcmp(again->actor, ev->actor) == 0 &&
	       strcmp(again->action, ev->action) == 0 && strcmp(again->object, ev->object) == 0 &&
	       strcmp(again->before, ev->before) == 0 && strcmp(again->after, ev->after) == 0 &&
	       strcmp(again->reason, ev->reason) == 0);
	(void)glt_head_precedes(&head, ev);
	glt_head_advance(&head, ev, (struct glt_slice){bytes, len});
	free(bytes);
	glt__event__free_unpacked(ev, NULL);
	glt__event__free_unpacked(again, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct glt_err err = {.text = ""};

	if (size == 0)
		return -1;
	struct glt_import_record r = {.kind = &glt_kinds[data[0] % GLT_KINDS]};
	struct glt_slice value = {data + 1, size - 1};
	events(value);
	(void)glt_value_open(GLT_TOKENS, glt_slice_str("key"), &value);
	r.m = protobuf_c_message_unpack(r.kind->type, NULL, size - 1, data + 1);
	if (!r.m)
		return 0;
	if (r.kind->table == GLT_TOKENS)
		copies((const Glt__Token *)r.m);
	if (glt_import_valid(&r, &err) != GLT_OK)
		assert(err.text[0]);
	json_decref(glt_record_json(r.kind, r.m));
	protobuf_c_message_free_unpacked(r.m, NULL);
	return 0;
}
