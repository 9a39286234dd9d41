/* SPDX-License-Identifier: MIT */
/* A restored store is brought up to what `gltoken audit export` says of the time after the backup. */
#ifndef GLT_REPLAY_H
#define GLT_REPLAY_H

#include "events.h"
#include "table.h"

struct glt_replay {
	struct glt_event_line *v; /* from event seq + 1 of the backup on, without a gap */
	size_t n;
	struct glt_head end; /* all that was changed up to there is known */
};

/* Read an export. Events that the backup has are compared with its head and left out; the others must go on from
 * there, each with the hash of the one before. GLT_DAMAGED, GLT_REFUSED: err says which event is wrong. */
enum glt_status glt_replay_read(FILE *f, const struct glt_head *backup, struct glt_replay *out,
				struct glt_err *err);
void glt_replay_free(struct glt_replay *r);

struct glt_note { /* something that is not as it was */
	char *object, *state, *why;
	uint64_t id; /* of a token, or 0 */
};
struct glt_notes {
	struct glt_note *v;
	size_t n, room;
};
void glt_note_add(struct glt_notes *notes, uint64_t id, const char *object, const char *state, const char *why);
void glt_notes_free(struct glt_notes *notes);

/* Carry out what the events say, one after the other, each in a transaction of its own: nobody uses this store yet.
 * What cannot be carried out pauses the token, and stands in notes. */
enum glt_status glt_replay_apply(struct glt_store *store, const struct glt_replay *r, int64_t now,
				 struct glt_notes *notes, struct glt_err *err);
/* Nothing is known of the time after the backup: pause each token that could be used, block each user. */
enum glt_status glt_distrust(struct glt_store *store, int64_t now, struct glt_notes *notes, struct glt_err *err);

#endif
