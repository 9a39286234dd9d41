/* SPDX-License-Identifier: MIT */
/* What `gltoken import` reads: refused, or records that are written and read again as the same. */
#include "tools/import.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct glt_import_record *r)
{
	json_t *o = glt_record_json(r->kind, r->m);
	const struct glt_kind *kind = NULL;
	ProtobufCMessage *m = NULL;
	struct glt_err err;

	if (!o)
		return;
	json_object_set_new(o, "record", json_string(r->kind->name));
	assert(glt_record_parse(o, &kind, &m, &err) == GLT_OK && kind == r->kind);
	json_t *second = glt_record_json(kind, m);
	json_object_set_new(second, "record", json_string(kind->name));
	assert(json_equal(o, second));
	json_decref(second);
	protobuf_c_message_free_unpacked(m, NULL);
	json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct glt_import in;
	struct glt_err err = {.text = ""};
	FILE *f = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;

	if (!f)
		return -1;
	if (glt_import_read(f, &in, &err) == GLT_OK) {
		for (size_t i = 0; i < in.n; i++)
			again(&in.v[i]);
		glt_import_free(&in);
	} else {
		assert(err.text[0]);
	}
	(void)fclose(f);
	return 0;
}
