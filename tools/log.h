/* SPDX-License-Identifier: MIT */
/* One line in syslog's authpriv for each decision about a repository, whichever way it was asked for. */
#ifndef GLT_LOG_H
#define GLT_LOG_H

#include "wire.h"

#include <stdbool.h>

struct glt_log_git {
	bool allow;
	const char *reason;               /* stable name */
	const char *operation;            /* pull, push, login; NULL: none was recognised */
	const char *repository;           /* or NULL */
	const char *account;              /* whose process asked */
	const char *command;              /* what was disallowed, or NULL */
	const char *service, *rhost;      /* where the answer does not say, or NULL */
	const char *text;                 /* a sentence, or NULL */
	const char *format;               /* "json", where there is no answer that says it; or NULL */
	const struct glt_message *answer; /* who and from where, or NULL */
};

/* program must stay valid: syslog keeps the pointer. */
void glt_log_open(const char *program);
/* trouble: nothing was decided, somebody must look after the host. */
void glt_log_git(const struct glt_log_git *g, bool trouble);

#endif
