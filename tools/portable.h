/* SPDX-License-Identifier: MIT */
/* Records as JSON and back, by what record.proto says of them: field names as there, bytes in base64. */
#ifndef GLT_PORTABLE_H
#define GLT_PORTABLE_H

#include "store.h"

#include <jansson.h>

/* The tables that move from host to host, and how a line of an export names their records. */
struct glt_kind {
	const char *name;
	enum glt_table table;
	const ProtobufCMessageDescriptor *type;
};
#define GLT_KINDS 6
extern const struct glt_kind glt_kinds[GLT_KINDS]; /* in the order of an export */

/* Without what is good in one store only. NULL: a number is too large for JSON. */
json_t *glt_record_json(const struct glt_kind *kind, const ProtobufCMessage *m);
/* GLT_INVALID: err names the field. Fields that are not known are refused. Takes "record" as the kind. */
enum glt_status glt_record_parse(const json_t *o, const struct glt_kind **kind, ProtobufCMessage **out,
				 struct glt_err *err);

#endif
