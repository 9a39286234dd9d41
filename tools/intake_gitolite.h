/* SPDX-License-Identifier: MIT */
/* gitolite.conf, read: each rule for each repository and user. Which role that is, intake_grants.c says. */
#ifndef GLT_INTAKE_GITOLITE_H
#define GLT_INTAKE_GITOLITE_H

#include "intake.h"

enum { /* what a rule is about */
       GLT_RULE_READ = 1,
       GLT_RULE_WRITE = 2,
       GLT_RULE_DENY = 4,
       GLT_RULE_REFEX = 8, /* only some refs */
       GLT_RULE_REWIND = 16,
       GLT_RULE_CREATE = 32,
       GLT_RULE_DELETE = 64,
       GLT_RULE_MERGE = 128,
       GLT_RULE_DENY_READ = 256, /* option deny-rules */
};

struct glt_rule {
	const char *repo; /* NULL: all of them, for DENY and flags */
	const char *user; /* NULL: everybody, for DENY alone */
	unsigned line, what;
};

struct glt_rules {
	struct glt_rule *v; /* repo and user belong to the reader */
	size_t n, room;
};

/* Sorts them. */
enum glt_status glt_intake_grants(struct glt_intake *in, struct glt_rules *rules, struct glt_err *err);

#endif
