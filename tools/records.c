/* SPDX-License-Identifier: MIT */
#include "records.h"

#include <stdlib.h>

struct load {
	const ProtobufCMessageDescriptor *type;
	struct glt_records *out;
};

static bool visit(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct load *load = arg;
	struct glt_records *r = load->out;
	ProtobufCMessage *m =
		value.data ? protobuf_c_message_unpack(load->type, NULL, value.len, value.data) : NULL;

	(void)key;
	if (!m) {
		r->damaged++;
		return true;
	}
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 64;
		r->v = glt_cli_alloc(r->v, r->room, sizeof(ProtobufCMessage *));
	}
	r->v[r->n++] = m;
	return true;
}

int glt_records_load(struct glt_cli *cli, enum glt_table table, const ProtobufCMessageDescriptor *type,
		     struct glt_records *out)
{
	struct load load = {.type = type};
	struct glt_err err;
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(cli->store, false, &txn, &err);

	*out = (struct glt_records){0};
	load.out = out;
	if (st == GLT_OK) {
		st = glt_walk_all(txn, table, (struct glt_slice){NULL, 0}, visit, &load, &err);
		glt_txn_end(txn);
	}
	glt_cli_close(cli);
	return st == GLT_OK ? GLT_EXIT_OK : glt_cli_fail(cli, &err);
}

int glt_records_done(const struct glt_cli *cli, struct glt_records *r, int rc)
{
	if (r->damaged) {
		glt_cli_warn(cli, "%zu damaged records were left out: run gltoken check", r->damaged);
		rc = GLT_EXIT_UNAVAILABLE;
	}
	for (size_t i = 0; i < r->n; i++)
		protobuf_c_message_free_unpacked(r->v[i], NULL);
	free(r->v);
	*r = (struct glt_records){0};
	return rc;
}

int glt_write_begin(const struct glt_cli *cli, struct glt_txn **txn, struct glt_change **c)
{
	struct glt_err err;

	if (glt_change_begin(cli->store, c, txn, &err) == GLT_OK)
		return GLT_EXIT_OK;
	return glt_cli_fail(cli, &err);
}

int glt_write_end(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c, enum glt_status st,
		  struct glt_err *err)
{
	st = glt_change_end(txn, c, st, err);
	return st == GLT_OK ? GLT_EXIT_OK : glt_cli_fail(cli, err);
}
