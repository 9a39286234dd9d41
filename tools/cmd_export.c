/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "portable.h"
#include "progress.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"Usage: gltoken export >FILE\n"
	"\n"
	"Print users, projects, memberships, protected refs, public keys and tokens, for 'gltoken\n"
	"import' on another host: one JSON object a line. Tokens go with the hash of their secret,\n"
	"so keep FILE as you keep /etc/shadow. The audit log stays here.\n"
	"\n" GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_END,
};

struct lines { /* kept until the store is closed: whoever reads them may be slow */
	const struct glt_kind *kind;
	char **v;
	size_t n, room;
	bool damaged;
	struct glt_progress progress;
};

static void add(struct lines *l, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	if (!text) {
		l->damaged = true;
		return;
	}
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 256;
		l->v = glt_cli_alloc(l->v, l->room, sizeof(*l->v));
	}
	l->v[l->n++] = text;
}

static bool visit(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct lines *l = arg;
	ProtobufCMessage *m =
		value.data ? protobuf_c_message_unpack(l->kind->type, NULL, value.len, value.data) : NULL;

	(void)key;
	if (!m || m->n_unknown_fields > 0) /* left out, it would be another token there */
		l->damaged = true;
	else
		add(l, glt_record_json(l->kind, m));
	glt_progress_show(&l->progress, l->n);
	if (m)
		protobuf_c_message_free_unpacked(m, NULL);
	return !l->damaged;
}

static enum glt_status collect(const struct glt_cli *cli, struct lines *l, struct glt_err *err)
{
	const struct glt_slice all = {NULL, 0};
	struct glt_txn *txn;
	uint64_t total = 0;
	enum glt_status st = glt_txn_begin(cli->store, false, &txn, err);

	if (st != GLT_OK)
		return st;
	for (size_t i = 0; i < GLT_KINDS; i++)
		total += glt_count(txn, glt_kinds[i].table);
	glt_progress_begin(&l->progress, total, "records");
	for (size_t i = 0; st == GLT_OK && i < GLT_KINDS; i++) {
		l->kind = &glt_kinds[i];
		st = glt_walk(txn, l->kind->table, all, all, visit, l, err);
		if (st == GLT_OK && l->damaged)
			st = glt_fail(err, GLT_DAMAGED,
				      "a record of table %s cannot be exported: run gltoken check",
				      glt_table_name(l->kind->table));
	}
	glt_progress_end(&l->progress);
	glt_txn_end(txn);
	return st;
}

int glt_cmd_export(struct glt_cli *cli, int argc, char **argv)
{
	struct lines l = {.n = 0};
	struct glt_err err;
	enum glt_status st;
	int rc = glt_cli_open_plain(cli, argc, argv, options, help);

	if (rc != GLT_EXIT_OK)
		return rc;
	st = collect(cli, &l, &err);
	glt_cli_close(cli);
	if (st == GLT_OK) {
		printf("{\"record\":\"export\",\"version\":1}\n");
		for (size_t i = 0; i < l.n; i++)
			puts(l.v[i]);
		printf("{\"record\":\"end\",\"count\":%zu}\n", l.n);
	} else {
		rc = glt_cli_fail(cli, &err);
	}
	for (size_t i = 0; i < l.n; i++)
		free(l.v[i]);
	free(l.v);
	return rc;
}
