/* SPDX-License-Identifier: MIT */
/*
 * What a refused Git user is told: GitLab's sentences, so that people and scripts know them. Chosen from
 * reason= and visible= of a reply of gltoken-auth; one table for SSH and HTTP.
 */
#ifndef GLT_TEXTS_H
#define GLT_TEXTS_H

#include <stdbool.h>

enum glt_refusal {                          /* and what it is over HTTP */
		   GLT_REFUSAL_UNAVAILABLE, /* 503: nothing was decided; trying again may help */
		   GLT_REFUSAL_LOGIN,     /* 401: the credential or session is not good, whatever the repository */
		   GLT_REFUSAL_FORBIDDEN, /* 403: good, but not for this */
		   GLT_REFUSAL_NOT_FOUND, /* 404: and nothing may show whether it exists */
};

#define GLT_TEXT_NOT_FOUND \
	"The project you were looking for could not be found or you don't have permission to view it."

struct glt_text {
	enum glt_refusal refusal;
	const char *text; /* for a bearer who has shown a good credential; over HTTP LOGIN has one text for all */
};

/* "remote: MESSAGE" on stderr between two rules, as gitlab-shell shows what it refuses. */
void glt_text_box(const char *message);

/* reason may be NULL (no reply). An unknown reason is UNAVAILABLE. */
struct glt_text glt_text_of(const char *reason, bool visible, bool push);

#endif
