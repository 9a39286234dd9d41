/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include "events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void glt_replay_free(struct glt_replay *r)
{
	for (size_t i = 0; i < r->n; i++)
		glt_event_line_free(&r->v[i]);
	free(r->v);
	*r = (struct glt_replay){.n = 0};
}

/* e, whose own hash is right, behind what was read so far. */
static enum glt_status take(struct glt_replay *r, struct glt_event_line *e, const struct glt_head *backup,
			    struct glt_err *err)
{
	if (e->ev->seq <= backup->seq) {
		if (e->ev->seq == backup->seq && memcmp(e->head.hash, backup->hash, sizeof(backup->hash)) != 0)
			return glt_fail(err, GLT_REFUSED,
					"event %" PRIu64 " is another one than in the backup: this is the "
					"audit log of another store",
					e->ev->seq);
		glt_event_line_free(e);
		return GLT_OK;
	}
	if (e->ev->seq <= r->end.seq)
		return glt_fail(err, GLT_REFUSED, "event %" PRIu64 " stands behind event %" PRIu64, e->ev->seq,
				r->end.seq);
	if (e->ev->seq != r->end.seq + 1)
		return glt_fail(err, GLT_REFUSED,
				"event %" PRIu64 " is missing: export the audit log without a filter",
				r->end.seq + 1);
	if (memcmp(e->before.hash, r->end.hash, sizeof(r->end.hash)) != 0)
		return glt_fail(err, GLT_REFUSED, "event %" PRIu64 " does not go on from event %" PRIu64 "%s",
				e->ev->seq, r->end.seq,
				r->n ? ": one of them was changed"
				     : " of the backup: this is the audit log of another store");
	r->v = glt_cli_alloc(r->v, r->n + 1, sizeof(*r->v));
	r->v[r->n++] = *e;
	r->end = e->head;
	*e = (struct glt_event_line){.ev = NULL};
	return GLT_OK;
}

static enum glt_status take_line(struct glt_replay *r, const char *line, size_t len, const struct glt_head *backup,
				 uint64_t *last, struct glt_err *err)
{
	struct glt_event_line e;
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	enum glt_status st = GLT_INVALID;

	if (!json_is_object(o)) {
		json_decref(o);
		return glt_fail(err, st, "this is no JSON object");
	}
	st = glt_event_import(o, &e, err);
	json_decref(o);
	if (st != GLT_OK)
		return st;
	*last = e.ev->seq;
	st = take(r, &e, backup, err);
	glt_event_line_free(&e);
	return st;
}

enum glt_status glt_replay_read(FILE *f, const struct glt_head *backup, struct glt_replay *out, struct glt_err *err)
{
	char *line = NULL;
	size_t size = 0;
	uint64_t number = 0, last = 0;
	struct glt_err why;
	enum glt_status st = GLT_OK;
	ssize_t len;

	*out = (struct glt_replay){.end = *backup};
	while (st == GLT_OK && (len = getline(&line, &size, f)) > 0) {
		number++;
		st = take_line(out, line, (size_t)len, backup, &last, &why);
	}
	free(line);
	if (st != GLT_OK)
		(void)glt_fail(err, st == GLT_INVALID ? GLT_REFUSED : st, "line %" PRIu64 " of the audit log: %s",
			       number, why.text);
	else if (ferror(f))
		st = glt_fail(err, GLT_UNAVAILABLE, "cannot read the audit log");
	else if (last < backup->seq)
		st = glt_fail(err, GLT_REFUSED,
			      "the audit log ends with event %" PRIu64 ", before the backup, which has %" PRIu64,
			      last, backup->seq);
	if (st != GLT_OK) {
		glt_replay_free(out);
		return err->status;
	}
	return GLT_OK;
}

/* ---- notes ---- */

void glt_note_add(struct glt_notes *notes, uint64_t id, const char *object, const char *state, const char *why)
{
	if (notes->n == notes->room) {
		notes->room = notes->room ? notes->room * 2 : 32;
		notes->v = glt_cli_alloc(notes->v, notes->room, sizeof(*notes->v));
	}
	notes->v[notes->n++] =
		(struct glt_note){glt_cli_strdup(object), glt_cli_strdup(state), glt_cli_strdup(why), id};
}

void glt_notes_free(struct glt_notes *notes)
{
	for (size_t i = 0; i < notes->n; i++) {
		free(notes->v[i].object);
		free(notes->v[i].state);
		free(notes->v[i].why);
	}
	free(notes->v);
	*notes = (struct glt_notes){NULL, 0, 0};
}
