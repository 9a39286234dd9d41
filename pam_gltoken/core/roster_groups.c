/* SPDX-License-Identifier: MIT */
#include "roster.h"

#include "account.h"
#include "grow.h"
#include "role.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whatever the least role may do, this one may. */
static bool reaches(int role, int least)
{
	static const enum glt_permission all[] = {GLT_MAY_PULL, GLT_MAY_PUSH, GLT_MAY_PUSH_PROTECTED,
						  GLT_MAY_MANAGE};

	if (least == GLT_OWNER)
		return role == GLT_OWNER;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (glt_role_may(least, all[i]) && !glt_role_may(role, all[i]))
			return false;
	return role != GLT_NO_ROLE;
}

static int compare_text(const void *key, const void *element)
{
	return strcmp(key, *(char *const *)element);
}

static bool add(struct glt_roster *r, const char *user, uint32_t gid)
{
	void *members = r->member;

	if (strcmp(user, "root") == 0 || strlen(user) > GLT_NSS_NAME_MAX ||
	    (r->blocked && bsearch(user, r->text, r->blocked, sizeof(*r->text), compare_text)))
		return true;
	if (!glt_grow(&members, &r->members_room, r->members, sizeof(*r->member)))
		return false;
	r->member = members;
	r->member[r->members++] = (struct glt_roster_member){user, gid};
	return true;
}

/* Of a Unix group those whom the group itself names: a directory does not say who else has it for the main one. */
static enum glt_status add_unix(struct glt_roster *r, const char *group, uint32_t gid, struct glt_err *err)
{
	char **names = NULL;
	size_t n = 0;
	enum glt_status st = glt_group_members(group, &names, &n, err);

	for (size_t i = 0; i < n; i++) {
		void *texts = r->text;

		if (st == GLT_OK && glt_grow(&texts, &r->texts_room, r->texts, sizeof(*r->text))) {
			r->text = texts;
			r->text[r->texts++] = names[i];
			if (add(r, names[i], gid))
				continue;
		} else {
			free(names[i]);
		}
		st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the members of groups");
	}
	free(names);
	return st;
}

/* The first grant of a path, by binary search. */
static size_t first_of(const struct glt_roster *r, const char *path)
{
	size_t low = 0, high = r->grants;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(r->grant[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static enum glt_status add_level(struct glt_roster *r, const char *level, uint32_t gid, struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	for (size_t i = first_of(r, level); st == GLT_OK && i < r->grants && strcmp(r->grant[i].path, level) == 0;
	     i++) {
		const char *who = r->grant[i].principal;

		if (!reaches(r->grant[i].role, r->group_role))
			continue;
		if (who[0] == '@')
			st = add_unix(r, who + 1, gid, err);
		else if (!add(r, who, gid))
			st = glt_fail(err, GLT_UNAVAILABLE, "no memory for the members of groups");
	}
	return st;
}

static int by_user(const void *a, const void *b)
{
	return strcmp(((const struct glt_roster_member *)a)->user, ((const struct glt_roster_member *)b)->user);
}

static enum glt_status expand(struct glt_roster *r, struct glt_roster_space *s, struct glt_err *err)
{
	char level[GLT_PATH_MAX + 1];
	enum glt_status st = GLT_OK;
	size_t kept;
	char *slash = level;

	(void)snprintf(s->name, sizeof(s->name), "gl_%s_%" PRIu64, s->group ? "group" : "project", s->id);
	(void)snprintf(level, sizeof(level), "%s", s->path);
	kept = s->from = r->members;
	while (st == GLT_OK && slash) { /* the path itself, then each group above it */
		st = add_level(r, level, s->number, err);
		slash = strrchr(level, '/');
		if (slash)
			*slash = '\0';
	}
	if (r->members > s->from)
		qsort(r->member + s->from, r->members - s->from, sizeof(*r->member), by_user);
	for (size_t i = s->from; i < r->members; i++)
		if (kept == s->from || strcmp(r->member[kept - 1].user, r->member[i].user) != 0)
			r->member[kept++] = r->member[i];
	r->members = kept;
	s->n = kept - s->from;
	return st;
}

static int by_group_name(const void *a, const void *b)
{
	return strcmp(((const struct glt_roster_space *)a)->name, ((const struct glt_roster_space *)b)->name);
}

enum glt_status glt_roster_expand(struct glt_roster *r, struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	for (size_t i = 0; st == GLT_OK && i < r->spaces; i++)
		st = expand(r, &r->space[i], err);
	if (st == GLT_OK && r->spaces)
		qsort(r->space, r->spaces, sizeof(*r->space), by_group_name);
	return st;
}
