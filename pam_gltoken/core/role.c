/* SPDX-License-Identifier: MIT */
#include "role.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define BIT(p) (1u << (p))

static const struct {
	int role;
	const char *name;
	unsigned may;
} table[] = {
	{GLT_GUEST, "guest", 0},
	{GLT_PLANNER, "planner", 0},
	{GLT_REPORTER, "reporter", BIT(GLT_MAY_PULL)},
	{GLT_SECURITY_MANAGER, "security_manager", BIT(GLT_MAY_PULL)},
	{GLT_DEVELOPER, "developer", BIT(GLT_MAY_PULL) | BIT(GLT_MAY_PUSH)},
	{GLT_MAINTAINER, "maintainer",
	 BIT(GLT_MAY_PULL) | BIT(GLT_MAY_PUSH) | BIT(GLT_MAY_PUSH_PROTECTED) | BIT(GLT_MAY_MANAGE)},
	{GLT_OWNER, "owner",
	 BIT(GLT_MAY_PULL) | BIT(GLT_MAY_PUSH) | BIT(GLT_MAY_PUSH_PROTECTED) | BIT(GLT_MAY_MANAGE)},
};
#define N_ROLES (sizeof(table) / sizeof(table[0]))

bool glt_role_may(int role, enum glt_permission permission)
{
	for (size_t i = 0; i < N_ROLES; i++)
		if (table[i].role == role)
			return (table[i].may & BIT(permission)) != 0;
	return false;
}

bool glt_role_may_give(int role, int other)
{
	if (!glt_role_may(role, GLT_MAY_MANAGE) || other == GLT_NO_ROLE || !glt_role_name(other))
		return false;
	return other != GLT_OWNER || role == GLT_OWNER;
}

bool glt_role_within(int role, int max)
{
	bool found = false;

	for (size_t i = 0; i < N_ROLES; i++) {
		if (table[i].role == role)
			found = true;
		if (table[i].role == max)
			return found;
	}
	return false;
}

enum glt_status glt_role_parse(const char *text, int *out, struct glt_err *err)
{
	for (size_t i = 0; i < N_ROLES; i++) {
		char number[3] = {(char)('0' + table[i].role / 10), (char)('0' + table[i].role % 10), '\0'};

		if (strcasecmp(table[i].name, text) == 0 || strcmp(number, text) == 0) {
			*out = table[i].role;
			return GLT_OK;
		}
	}
	return glt_fail(err, GLT_INVALID,
			"unknown role '%.64s': must be one of guest (10), planner (15), reporter (20), "
			"security_manager (25), developer (30), maintainer (40), owner (50)",
			text);
}

const char *glt_role_name(int role)
{
	if (role == GLT_NO_ROLE)
		return "none";
	for (size_t i = 0; i < N_ROLES; i++)
		if (table[i].role == role)
			return table[i].name;
	return NULL;
}
