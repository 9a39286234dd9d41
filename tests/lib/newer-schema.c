/* SPDX-License-Identifier: MIT */
/* newer-schema FOLDER: make the store there one that only a later gltoken can read. */
#include "store.h"

#include <stdio.h>

int main(int argc, char **argv)
{
	struct glt_err err = {.text = "usage: newer-schema FOLDER"};
	struct glt_store *store = NULL;
	struct glt_txn *txn;
	uint8_t later[GLT_KEY_U64];

	if (argc != 2 || glt_store_open(argv[1], true, &store, &err) != GLT_OK ||
	    glt_txn_begin(store, true, &txn, &err) != GLT_OK) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	struct glt_change *c = glt_change_new();
	Glt__Event event = GLT__EVENT__INIT;
	event.actor = event.action = (char *)"test";
	glt_put_u64(later, GLT_SCHEMA + 1);
	glt_change_put(c, GLT_META, glt_slice_str("schema"), (struct glt_slice){later, sizeof(later)});
	glt_change_put(c, GLT_META, glt_slice_str("min_reader"), (struct glt_slice){later, sizeof(later)});
	glt_change_put(c, GLT_META, glt_slice_str("made_by"), glt_slice_str("99.1"));
	glt_change_event(c, &event);
	enum glt_status status = glt_store_apply(txn, c, &err);
	glt_change_free(c);
	glt_store_close(store);
	if (status != GLT_OK)
		fprintf(stderr, "%s\n", err.text);
	return status != GLT_OK;
}
