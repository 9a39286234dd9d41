/* SPDX-License-Identifier: MIT */
/* Gather the facts of a question from store and directory, then let decide.c answer. */
#ifndef GLT_ASK_H
#define GLT_ASK_H

#include "conf.h"
#include "decide.h"
#include "store.h"

/* GLT_OK: *a is the answer, whatever it is. Anything else means deny; a->reason is then UNAVAILABLE or DAMAGED.
 * Takes read transactions of its own; none may be open. */
enum glt_status glt_ask(struct glt_store *store, const struct glt_conf *conf, const struct glt_question *q,
			struct glt_answer *a, struct glt_err *err);

/* The person whom a question is about (token's owner, key's user, user); NULL for bots and deploy keys. */
const char *glt_question_person(const struct glt_question *q);

#endif
