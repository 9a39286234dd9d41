/* SPDX-License-Identifier: MIT */
/* One question of the module to gltoken-auth, and what its answer means to PAM. */
#ifndef GLT_PAM_ASK_H
#define GLT_PAM_ASK_H

#include "client.h"
#include "pam_args.h"

/* Whom it is about; borrowed PAM items. */
struct glt_pam_who {
	const char *user;    /* NULL: not set */
	const char *service; /* PAM_SERVICE, never NULL */
	const char *label;   /* what gltoken-auth is told for it */
	const char *rhost;   /* NULL: not set */
};

struct glt_pam_who glt_pam_who(pam_handle_t *pamh, const struct glt_pam_args *args);

struct glt_pam_question {
	const char *verb;
	enum glt_outcome outcome;
	const char *reason; /* of anything but ALLOW; never NULL */
	const char *text;   /* a sentence for the log, or NULL */
	struct glt_message request;
	struct glt_message reply;
	char why[512];
};

/* NULL: no memory; logged. Freed with glt_pam_question_free(), which wipes it. */
struct glt_pam_question *glt_pam_question_new(pam_handle_t *pamh, const char *verb);
void glt_pam_question_ask(struct glt_pam_question *q);
void glt_pam_question_free(struct glt_pam_question *q);

/* It was allowed, but nothing can come of it. reason and text are string literals. */
void glt_pam_question_fail(struct glt_pam_question *q, const char *reason, const char *text);

/* The code for an answer that is not ALLOW: trouble is PAM_AUTHINFO_UNAVAIL, everything else is denied. */
int glt_pam_refusal(const struct glt_pam_question *q, int denied);

/* The line of a decision; event is "login", "account" or "session". A repeated question that is answered as before
 * is a line only with debug. */
void glt_pam_log_answer(pam_handle_t *pamh, const struct glt_pam_args *args, const char *event,
			const struct glt_pam_who *who, const struct glt_pam_question *q);
/* The line where nobody had to be asked. */
void glt_pam_log_refusal(pam_handle_t *pamh, int priority, const char *event, const struct glt_pam_who *who,
			 const char *reason, const char *text);

#endif
