/* SPDX-License-Identifier: MIT */
/* What stands in the audit log about a change. */
#ifndef GLT_EVENT_H
#define GLT_EVENT_H

#include "store.h"

/* A change of a token: what it could do before and after, as one line each. Either may be NULL. */
void glt_event_token(struct glt_change *c, const char *actor, const char *action, const Glt__Token *before,
		     const Glt__Token *after, const char *reason);
/* A change of anything else. before, after and reason may be NULL. */
void glt_event_object(struct glt_change *c, const char *actor, const char *action, const char *object,
		      const char *before, const char *after, const char *reason);

#endif
