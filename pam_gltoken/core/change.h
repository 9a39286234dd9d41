/* SPDX-License-Identifier: MIT */
/* Inside of struct glt_change, for store.c, which carries it out. Everybody else uses store.h. */
#ifndef GLT_CHANGE_H
#define GLT_CHANGE_H

#include "record.pb-c.h"
#include "tables.h"

struct glt_op {
	enum glt_table table;
	enum { GLT_PUT, GLT_DEL, GLT_LINK, GLT_UNLINK } kind;
	uint8_t *key; /* one allocation: key, then value */
	size_t key_len;
	uint8_t *value;
	size_t value_len;
};

struct glt_change {
	struct glt_op *ops;
	size_t n, room;
	Glt__Event **events;
	size_t n_events, events_room;
	bool no_memory;
	unsigned touches; /* parts that are published */
};

#endif
