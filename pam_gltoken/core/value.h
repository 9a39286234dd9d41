/* SPDX-License-Identifier: MIT */
/* The bytes of one stored value: a checksum, then the payload. */
#ifndef GLT_VALUE_H
#define GLT_VALUE_H

#include "status.h"
#include "tables.h"

#include <stdbool.h>

#define GLT_CHECKSUM 8

/* Write checksum and payload to out, which holds GLT_CHECKSUM + payload.len bytes. */
void glt_value_seal(enum glt_table table, struct glt_slice key, struct glt_slice payload, uint8_t *out);
/* *value is the stored bytes; true: they are whole, and *value is now the payload. */
bool glt_value_open(enum glt_table table, struct glt_slice key, struct glt_slice *value);
/* The same of any table; GLT_DAMAGED. */
enum glt_status glt_value_check(enum glt_table table, struct glt_slice key, struct glt_slice *value,
				struct glt_err *err);

/* The smallest key behind all that begin with prefix; false where there is none (all 0xff, empty, too long). */
bool glt_key_behind(struct glt_slice prefix, uint8_t out[GLT_KEY_TEXT_MAX], size_t *len);

#endif
