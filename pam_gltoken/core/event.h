/* SPDX-License-Identifier: MIT */
/* What stands in the audit log about a change. */
#ifndef GLT_EVENT_H
#define GLT_EVENT_H

#include "store.h"

/* An event as it is stored. NULL: it is none, or no memory. Free it with glt__event__free_unpacked(). */
Glt__Event *glt_event_read(struct glt_slice bytes);
/* Its bytes, the same for the same event; texts with phrases if ev->phrases says so and they can be. NULL: no memory.
 * Sets ev->phrases to what was done. */
uint8_t *glt_event_write(Glt__Event *ev, size_t *len);

/* Does ev, whose number is another matter, say that it was made right behind head? */
bool glt_head_precedes(const struct glt_head *head, const Glt__Event *ev);
/* Make head that of ev, whose stored bytes these are, behind it. */
void glt_head_advance(struct glt_head *head, const Glt__Event *ev, struct glt_slice bytes);

/* A change of a token: what it could do before and after, as one line each. Either may be NULL. */
void glt_event_token(struct glt_change *c, const char *actor, const char *action, const Glt__Token *before,
		     const Glt__Token *after, const char *reason);
/* A change of anything else. before, after and reason may be NULL. */
void glt_event_object(struct glt_change *c, const char *actor, const char *action, const char *object,
		      const char *before, const char *after, const char *reason);

#endif
