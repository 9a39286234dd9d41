/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "scan.h"
#include "select.h"
#include "tokens.h"
#include "view.h"

#include <inttypes.h>
#include <stdio.h>

static const char help[] = "Usage: gltoken identify < FILE\n"
			   "\n"
			   "Read tokens, or any text that holds some (a log, a leak report), from standard input\n"
			   "and say which they are. The secrets are never printed. Exit status 1 where none is\n"
			   "real.\n"
			   "\n"
			   "A token is real where its secret is right; \"wrong secret\" has the public part of a\n"
			   "token of this store and no more; \"unknown\" was never issued here.\n"
			   "\n" GLT_HELP_LIST GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

static const struct glt_column columns[] = {
	{"TOKEN", 0},
	{"FOUND", 0},
	{"ID", GLT_COLUMN_RIGHT},
	{"TYPE", 0},
	{"NAME", GLT_COLUMN_SHRINK},
	{"FOR", GLT_COLUMN_SHRINK},
	{"STATE", 0},
	{"EXPIRES", 0},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const char *const found_as[] = {
	[GLT_PRESENTED_REAL] = "real", [GLT_PRESENTED_WRONG] = "wrong secret", [GLT_PRESENTED_UNKNOWN] = "unknown"};

static void add_json(const struct glt_cli *cli, struct glt_out *out, const struct glt_sighting *s)
{
	const Glt__Token *t = s->state == GLT_PRESENTED_REAL ? s->record : NULL;
	json_t *o = t ? glt_token_json(cli, t, glt_user_id(cli->store, t)) : json_object();

	(void)json_object_set_new(o, "token_start", glt_json_text(s->shown));
	(void)json_object_set_new(o, "found", glt_json_text(found_as[s->state]));
	(void)json_object_set_new(o, "times", json_integer((json_int_t)s->times));
	glt_out_json(out, o);
}

/* A wrong secret tells nothing about the record either: whoever holds only the public part has no token. */
static void add_row(const struct glt_cli *cli, struct glt_out *out, const struct glt_sighting *s)
{
	const Glt__Token *t = s->state == GLT_PRESENTED_REAL ? s->record : NULL;
	char shown[sizeof(s->shown) + 3], id[24] = "", expires[GLT_LOCAL_TEXT] = "";

	(void)snprintf(shown, sizeof(shown), "%s...", s->shown);
	if (t) {
		(void)snprintf(id, sizeof(id), "%" PRIu64, t->id);
		glt_when_cell(out, t->expires_at, "never", expires);
	}
	const char *const cells[COLUMNS] = {
		shown,
		found_as[s->state],
		id,
		t ? glt_type_name(t->type) : "",
		t ? t->name : "",
		t ? glt_token_holder(t) : "",
		t ? glt_token_state(t, cli->now) : "",
		expires,
	};
	glt_out_row(out, cells);
}

int glt_cmd_identify(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_sightings seen;
	struct glt_out *out;
	size_t real = 0;
	int rc = glt_cli_open_plain(cli, argc, argv, options, help);

	if (rc != GLT_EXIT_OK)
		return rc;
	rc = glt_scan_verify(cli, &seen);
	if (rc != GLT_EXIT_OK) {
		glt_sightings_free(&seen);
		return rc;
	}
	out = glt_out_new(cli, columns, COLUMNS);
	for (size_t i = 0; i < seen.n; i++) {
		real += seen.v[i].state == GLT_PRESENTED_REAL;
		if (cli->format == GLT_FORMAT_JSON)
			add_json(cli, out, &seen.v[i]);
		else
			add_row(cli, out, &seen.v[i]);
	}
	if (!glt_out_print(out))
		rc = GLT_EXIT_UNAVAILABLE;
	else if (real == 0)
		rc = GLT_EXIT_DENIED;
	if (seen.n == 0)
		glt_cli_warn(cli, "no token stands in the text");
	glt_sightings_free(&seen);
	return rc;
}
