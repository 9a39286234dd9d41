/* SPDX-License-Identifier: MIT */
/* GitLab's access levels and the permission table. Roles are looked up, never compared with >=: planner (15)
 * and security manager (25) are not steps of one ladder. */
#ifndef GLT_ROLE_H
#define GLT_ROLE_H

#include "status.h"

#include <stdbool.h>

enum glt_role { /* GitLab's numbers, they stand in records and JSON */
		GLT_NO_ROLE = 0,
		GLT_GUEST = 10,
		GLT_PLANNER = 15,
		GLT_REPORTER = 20,
		GLT_SECURITY_MANAGER = 25,
		GLT_DEVELOPER = 30,
		GLT_MAINTAINER = 40,
		GLT_OWNER = 50,
};

enum glt_permission {
	GLT_MAY_PULL,           /* reporter and up */
	GLT_MAY_PUSH,           /* developer and up */
	GLT_MAY_PUSH_PROTECTED, /* maintainer and up */
	GLT_MAY_MANAGE,         /* maintainer and up: tokens and protections of the project */
};

bool glt_role_may(int role, enum glt_permission permission);
/* May role give other to somebody: whoever manages, but never more than they have themselves. */
bool glt_role_may_give(int role, int other);
/* Does role stand no higher than max in GitLab's list? */
bool glt_role_within(int role, int max);
/* A name or GitLab's number; GLT_INVALID lists the valid names. */
enum glt_status glt_role_parse(const char *text, int *out, struct glt_err *err);
const char *glt_role_name(int role); /* "none" for 0, NULL for a number that is no role */

#endif
