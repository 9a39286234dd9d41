/* SPDX-License-Identifier: MIT */
/* Whole tables of small records for the list commands, and the frame of a change. */
#ifndef GLT_RECORDS_H
#define GLT_RECORDS_H

#include "cli.h"

#include <protobuf-c/protobuf-c.h>

struct glt_records {
	ProtobufCMessage **v;
	size_t n, room;
	size_t damaged; /* left out */
};

/* Load it, and close the store: whoever reads the output may go away, and this process with it. Exit status, after
 * a message if not 0. */
int glt_records_load(struct glt_cli *cli, enum glt_table table, const ProtobufCMessageDescriptor *type,
		     struct glt_records *out);
/* Warn about what was left out and free; rc, or 3 where something was left out. */
int glt_records_done(const struct glt_cli *cli, struct glt_records *r, int rc);

/* Begin a change. Exit status, after a message if not 0; then neither is open. */
int glt_write_begin(const struct glt_cli *cli, struct glt_txn **txn, struct glt_change **c);
/* Apply it if st is GLT_OK, else give it up and print err. Exit status. */
int glt_write_end(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c, enum glt_status st,
		  struct glt_err *err);

#endif
