/* SPDX-License-Identifier: MIT */
/* Events of the audit log: which ones are wanted, and as JSON. */
#ifndef GLT_EVENTS_H
#define GLT_EVENTS_H

#include "table.h"

struct glt_event_filter { /* NULL, 0: any */
	uint64_t token;
	const char *actor, *action,
		*object;      /* patterns with * ? [], for the whole text; actor: or one word of it */
	int64_t since, until; /* from since on, before until */
};

enum { /* options of list and export, beyond GLT_OPT_OWN */
       GLT_OPT_EVENT_TOKEN = GLT_OPT_OWN + 100,
       GLT_OPT_EVENT_ACTOR,
       GLT_OPT_EVENT_ACTION,
       GLT_OPT_EVENT_OBJECT,
       GLT_OPT_EVENT_SINCE,
       GLT_OPT_EVENT_UNTIL,
};
#define GLT_OPTIONS_EVENT                                                  \
	{"token", required_argument, NULL, GLT_OPT_EVENT_TOKEN},           \
		{"actor", required_argument, NULL, GLT_OPT_EVENT_ACTOR},   \
		{"action", required_argument, NULL, GLT_OPT_EVENT_ACTION}, \
		{"object", required_argument, NULL, GLT_OPT_EVENT_OBJECT}, \
		{"since", required_argument, NULL, GLT_OPT_EVENT_SINCE},   \
	{                                                                  \
		"until", required_argument, NULL, GLT_OPT_EVENT_UNTIL      \
	}

/* Takes one of these options; exits 2 where its value is wrong. */
void glt_event_option(const struct glt_cli *cli, struct glt_event_filter *f, int option);
bool glt_event_wanted(const struct glt_event_filter *f, const Glt__Event *ev);

json_t *glt_event_json(const Glt__Event *ev);
/* The same with the hashes before and behind it: one line of an export. head is NULL where they cannot be known. */
json_t *glt_event_export(const Glt__Event *ev, const struct glt_head *before, const struct glt_head *head);

struct glt_event_line { /* of an export */
	Glt__Event *ev;
	uint8_t *bytes; /* as they stood in the store */
	size_t len;
	struct glt_head before, head; /* before has a hash only */
};
/* Back again, with a hash that fits; glt_event_line_free() then. */
enum glt_status glt_event_import(const json_t *o, struct glt_event_line *out, struct glt_err *err);
void glt_event_line_free(struct glt_event_line *line);

#endif
