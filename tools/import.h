/* SPDX-License-Identifier: MIT */
/* What `gltoken export` wrote, read, checked against every rule, and put into a store: all of it or nothing. */
#ifndef GLT_IMPORT_H
#define GLT_IMPORT_H

#include "cli.h"
#include "portable.h"

struct glt_import_record {
	const struct glt_kind *kind;
	ProtobufCMessage *m;
	unsigned long line;
};

struct glt_import {
	struct glt_import_record *v;
	size_t n, room;
};

/* Read it all. An error names the line. */
enum glt_status glt_import_read(FILE *f, struct glt_import *in, struct glt_err *err);
/* The rules that need no store; and the uids of this host, for names of accounts. */
enum glt_status glt_import_check(const struct glt_cli *cli, struct glt_import *in, struct glt_err *err);
/* Against what is in the store: GLT_EXISTS for what is there already. Fills c. */
enum glt_status glt_import_put(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			       struct glt_import *in, struct glt_err *err);
void glt_import_free(struct glt_import *in);

/* One record by itself. */
enum glt_status glt_import_valid(const struct glt_import_record *r, struct glt_err *err);

#endif
