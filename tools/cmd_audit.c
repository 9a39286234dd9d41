/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "record.pb-c.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char intro[] = "The audit log: every change, in the order in which they were made.\n";

static const char list_help[] = "Usage: gltoken audit list [OPTION...]\n"
				"\n"
				"List the last changes, the youngest at the end.\n"
				"\n"
				"      --limit N            that many; 100 unless given\n"
				"      --token ID           those of one token only\n" GLT_HELP_LIST GLT_HELP_HELP;

enum { OPT_LIMIT = GLT_OPT_OWN, OPT_TOKEN };

static const struct option options[] = {
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"token", required_argument, NULL, OPT_TOKEN},
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

static const struct glt_column columns[] = {
	{"SEQ", GLT_COLUMN_RIGHT},     {"TIME", 0},
	{"BY", GLT_COLUMN_SHRINK},     {"ACTION", 0},
	{"TOKEN", GLT_COLUMN_RIGHT},   {"OBJECT", GLT_COLUMN_SHRINK},
	{"BEFORE", GLT_COLUMN_SHRINK}, {"AFTER", GLT_COLUMN_SHRINK},
	{"REASON", GLT_COLUMN_SHRINK},
};

struct wanted {
	size_t limit;
	uint64_t token; /* 0: any */
	Glt__Event **v; /* the youngest first */
	size_t n, room;
	bool damaged;
};

static bool visit(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct wanted *w = arg;
	Glt__Event *ev = glt__event__unpack(NULL, value.len, value.data);

	(void)key;
	if (!ev) {
		w->damaged = true;
		return false;
	}
	if (w->token && ev->token != w->token) {
		glt__event__free_unpacked(ev, NULL);
		return true;
	}
	if (w->n == w->room) {
		w->room = w->room ? w->room * 2 : 128;
		w->v = glt_cli_alloc(w->v, w->room, sizeof(*w->v));
	}
	w->v[w->n++] = ev;
	return w->n < w->limit;
}

static enum glt_status load(const struct glt_cli *cli, struct wanted *w, struct glt_err *err)
{
	const struct glt_slice all = {NULL, 0};
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(cli->store, false, &txn, err);

	if (st != GLT_OK)
		return st;
	st = glt_walk_back(txn, GLT_AUDIT, all, visit, w, err);
	glt_txn_end(txn);
	if (st == GLT_OK && w->damaged)
		return glt_fail(err, GLT_DAMAGED, "an event is damaged: run gltoken check");
	return st;
}

static void add_item(struct glt_out *out, const Glt__Event *ev)
{
	char seq[24], at[GLT_LOCAL_TEXT], token[24] = "";

	if (glt_out_is_json(out)) {
		json_t *o = json_object();

		(void)json_object_set_new(o, "seq", json_integer((json_int_t)ev->seq));
		(void)json_object_set_new(o, "at", glt_json_time(ev->at));
		(void)json_object_set_new(o, "actor", glt_json_text(ev->actor));
		(void)json_object_set_new(o, "action", glt_json_text(ev->action));
		(void)json_object_set_new(o, "token", glt_json_number(ev->token));
		(void)json_object_set_new(o, "object", glt_json_text(ev->object));
		(void)json_object_set_new(o, "before", glt_json_text(ev->before));
		(void)json_object_set_new(o, "after", glt_json_text(ev->after));
		(void)json_object_set_new(o, "reason", glt_json_text(ev->reason));
		glt_out_json(out, o);
		return;
	}
	(void)snprintf(seq, sizeof(seq), "%" PRIu64, ev->seq);
	if (ev->token)
		(void)snprintf(token, sizeof(token), "%" PRIu64, ev->token);
	glt_when_cell(out, ev->at, "", at);
	const char *const cells[] = {seq,        at,         ev->actor, ev->action, token,
				     ev->object, ev->before, ev->after, ev->reason};
	glt_out_row(out, cells);
}

static int list(struct glt_cli *cli, int argc, char **argv)
{
	struct wanted w = {.limit = 100};
	struct glt_out *out;
	struct glt_err err;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, list_help)) != -1) {
		if (c == OPT_LIMIT)
			w.limit = (size_t)glt_cli_number(cli, "--limit", optarg, 1, SIZE_MAX / 2);
		else
			w.token = glt_cli_number(cli, "--token", optarg, 1, UINT64_MAX);
	}
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_open(cli, false);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (load(cli, &w, &err) != GLT_OK)
		rc = glt_cli_fail(cli, &err);
	glt_cli_close(cli);
	out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = w.n; i-- > 0;)
		add_item(out, w.v[i]);
	if (!glt_out_print(out))
		rc = GLT_EXIT_UNAVAILABLE;
	for (size_t i = 0; i < w.n; i++)
		glt__event__free_unpacked(w.v[i], NULL);
	free(w.v);
	return rc;
}

static const struct glt_command commands[] = {
	{"list", "ls", list, "list the last changes"},
	{NULL, NULL, NULL, NULL},
};

int glt_cmd_audit(struct glt_cli *cli, int argc, char **argv)
{
	return glt_cli_dispatch(cli, commands, intro, argc, argv);
}
