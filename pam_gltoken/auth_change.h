/* SPDX-License-Identifier: MIT */
/* Inside the verb change: what a session does to tokens, and looking at them. */
#ifndef GLT_AUTH_CHANGE_H
#define GLT_AUTH_CHANGE_H

#include "auth.h"

struct change {
	struct auth *a;
	struct auth_bearer bearer;
	struct glt_question q;
	char path[GLT_PATH_MAX + 1];
	char actor[GLT_NAME_MAX + 1]; /* who, for records and audit */
	bool cut;                     /* the new token ends sooner than was asked for */
};

/* Ask decide.c; if it denies, the reply says why. */
bool change_permitted(struct change *c);
/* The request's path, into c->path and the question. False: it is there and breaks a rule; the reply says so. */
bool change_read_path(struct change *c);
/* The token that the request names, the caller's to free; NULL: the reply says why. */
Glt__Token *change_target(struct change *c);

void change_list(struct change *c);
void change_show(struct change *c);

#endif
