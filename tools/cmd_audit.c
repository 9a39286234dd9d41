/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "event.h"
#include "events.h"
#include "record.pb-c.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char intro[] = "The audit log: every change, in the order in which they were made.\n";

#define HELP_FILTERS                                                                        \
	"      --token ID           those of one token only\n"                              \
	"      --actor NAME         those that NAME made; may be a pattern\n"               \
	"      --action ACTION      such as token.revoke; may be a pattern, as 'token.*'\n" \
	"      --object TEXT        about that user, project or path; may be a pattern\n"   \
	"      --since WHEN         a date, a timestamp, or 30d for the last 30 days\n"     \
	"      --until WHEN         before that moment\n"

static const char list_help[] =
	"Usage: gltoken audit list [OPTION...]\n"
	"\n"
	"List the last changes, the youngest at the end.\n"
	"\n"
	"      --limit N            that many; 100 unless given\n"
	"      --would-deny         instead, what [policy] mode = observe let pass\n" HELP_FILTERS GLT_HELP_LIST
		GLT_HELP_HELP;
static const char export_help[] =
	"Usage: gltoken audit export [OPTION...]\n"
	"\n"
	"Print the whole log, the oldest change first: one JSON object a line, each with its\n"
	"hash and that of the one before. 'gltoken restore --replay-audit' reads it.\n"
	"\n" HELP_FILTERS GLT_HELP_HELP;

enum { OPT_LIMIT = GLT_OPT_OWN, OPT_WOULD_DENY };

static const struct option list_options[] = {
	{"limit", required_argument, NULL, OPT_LIMIT},
	{"would-deny", no_argument, NULL, OPT_WOULD_DENY},
	GLT_OPTIONS_EVENT,
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};
static const struct option export_options[] = {
	GLT_OPTIONS_EVENT,
	GLT_OPTIONS_END,
};

/* ---- list ---- */

static const struct glt_column columns[] = {
	{"SEQ", GLT_COLUMN_RIGHT},     {"TIME", 0},
	{"BY", GLT_COLUMN_SHRINK},     {"ACTION", 0},
	{"TOKEN", GLT_COLUMN_RIGHT},   {"OBJECT", GLT_COLUMN_SHRINK},
	{"BEFORE", GLT_COLUMN_SHRINK}, {"AFTER", GLT_COLUMN_SHRINK},
	{"REASON", GLT_COLUMN_SHRINK},
};

struct wanted {
	size_t limit;
	struct glt_event_filter filter;
	Glt__Event **v; /* the youngest first */
	size_t n, room;
	bool damaged;
};

static bool visit(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct wanted *w = arg;
	Glt__Event *ev = glt_event_read(value);

	(void)key;
	if (!ev) {
		w->damaged = true;
		return false;
	}
	if (!glt_event_wanted(&w->filter, ev)) {
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
		glt_out_json(out, glt_event_json(ev));
		return;
	}
	(void)snprintf(seq, sizeof(seq), "%" PRIu64, ev->seq);
	if (ev->token)
		(void)snprintf(token, sizeof(token), "%" PRIu64, ev->token);
	if (glt_out_on_terminal(out))
		glt_when_local(ev->at, false, at); /* to the minute, to compare with logs */
	else
		glt_when_cell(out, ev->at, "", at);
	const char *const cells[] = {seq,        at,         ev->actor, ev->action, token,
				     ev->object, ev->before, ev->after, ev->reason};
	glt_out_row(out, cells);
}

static int list(struct glt_cli *cli, int argc, char **argv)
{
	struct wanted w = {.limit = 100};
	struct glt_out *out;
	bool observed = false, filtered = false;
	struct glt_err err;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, list_options, list_help)) != -1) {
		if (c == OPT_LIMIT)
			w.limit = (size_t)glt_cli_number(cli, "--limit", optarg, 1, SIZE_MAX / 2);
		else if (c == OPT_WOULD_DENY)
			observed = true;
		else
			glt_event_option(cli, &w.filter, c);
		filtered |= c != OPT_LIMIT && c != OPT_WOULD_DENY;
	}
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	if (observed && filtered)
		glt_cli_usage(cli, "--would-deny goes with --limit only");
	if (observed)
		return glt_audit_observed(cli, w.limit);
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

/* ---- export ---- */

#define PIECE 512 /* events a transaction: whoever reads the output may be slow */

struct piece {
	struct glt_event_filter filter;
	uint64_t next;
	struct glt_head head;
	bool lost; /* the hash of the last event cannot be known: one before it was changed */
	char *line[PIECE];
	size_t n, seen;
	bool damaged;
};

static bool take(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct piece *p = arg;
	const struct glt_head before = p->head;
	Glt__Event *ev = glt_event_read(value);

	if (key.len == GLT_KEY_U64)
		p->next = glt_get_u64(key.data) + 1;
	p->lost = p->lost || !ev || !glt_head_precedes(&before, ev);
	if (ev) {
		p->lost = p->lost && ev->previous.len == 0;
		glt_head_advance(&p->head, ev, value);
	}
	if (!ev)
		p->damaged = true;
	else if (glt_event_wanted(&p->filter, ev)) {
		json_t *o = glt_event_export(ev, &before, p->lost ? NULL : &p->head);

		p->line[p->n] = json_dumps(o, JSON_COMPACT);
		p->n += p->line[p->n] != NULL;
		json_decref(o);
	}
	if (ev)
		glt__event__free_unpacked(ev, NULL);
	return ++p->seen < PIECE && p->n < PIECE;
}

static enum glt_status take_piece(const struct glt_cli *cli, struct piece *p, struct glt_err *err)
{
	uint8_t from[GLT_KEY_U64];
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(cli->store, false, &txn, err);

	p->n = p->seen = 0;
	glt_put_u64(from, p->next);
	if (st != GLT_OK)
		return st;
	st = glt_walk_all(txn, GLT_AUDIT, (struct glt_slice){from, sizeof(from)}, take, p, err);
	glt_txn_end(txn);
	return st;
}

static int export(struct glt_cli *cli, int argc, char **argv)
{
	struct piece p = {.next = 1};
	struct glt_err err;
	enum glt_status st;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, export_options, export_help)) != -1)
		glt_event_option(cli, &p.filter, c);
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_open(cli, false);
	if (rc != GLT_EXIT_OK)
		return rc;
	do {
		st = take_piece(cli, &p, &err);
		for (size_t i = 0; i < p.n; i++) {
			puts(p.line[i]);
			free(p.line[i]);
		}
	} while (st == GLT_OK && p.seen == PIECE && !ferror(stdout));
	glt_cli_close(cli);
	if (st != GLT_OK)
		return glt_cli_fail(cli, &err);
	if (!p.damaged)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "damaged events were left out: run gltoken audit verify");
	return GLT_EXIT_UNAVAILABLE;
}

static const struct glt_command commands[] = {
	{"list", "ls", list, "list the last changes"},
	{"verify", NULL, glt_cmd_audit_verify, "find events that were changed, removed, reordered or cut"},
	{"export", NULL, export, "print the log as JSON lines"},
	{NULL, NULL, NULL, NULL},
};

int glt_cmd_audit(struct glt_cli *cli, int argc, char **argv)
{
	return glt_cli_dispatch(cli, commands, intro, argc, argv);
}
