/* SPDX-License-Identifier: MIT */
/*
 * forge FILE COUNT [NAME:NUMBER]...: write a snapshot with COUNT users user<n> with numbers from the range's first on,
 * each in group gl_project_1 of as many as fit a group, and with the given names and numbers as well: what somebody
 * who took over uid gltoken might write. A name that begins with @ is a group's.
 */
#include "roster.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMBERS 50

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct glt_roster_user *)a)->name, ((const struct glt_roster_user *)b)->name);
}

static void add_user(struct glt_roster *r, const char *name, uint32_t number)
{
	r->user[r->users++] = (struct glt_roster_user){.name = strdup(name),
						       .gecos = strdup("somebody"),
						       .until = GLT_NSS_LIVES,
						       .number = number};
}

static void add_group(struct glt_roster *r, const char *name, uint32_t number)
{
	struct glt_roster_space *s = &r->space[r->spaces++];

	s->number = number;
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	s->from = r->members;
	for (s->n = 0; s->n < r->users && s->n < MEMBERS; s->n++)
		r->member[r->members++] = (struct glt_roster_member){r->user[s->n].name, number};
}

int main(int argc, char **argv)
{
	static struct glt_roster r;
	struct glt_err err;
	uint32_t count;
	int fd;

	if (argc < 3 || glt_nss_limits_read(&r.limits) != 0)
		return 2;
	count = (uint32_t)strtoul(argv[2], NULL, 10);
	r.user = calloc(count + (size_t)argc, sizeof(*r.user));
	r.space = calloc((size_t)argc + 1, sizeof(*r.space));
	r.member = calloc(((size_t)argc + 1) * MEMBERS, sizeof(*r.member));
	if (!r.user || !r.space || !r.member)
		return 2;
	r.limits.names_len = 0; /* no name is left out here */
	for (uint32_t i = 0; i < count; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "user%u", i);
		add_user(&r, name, r.limits.first + i);
	}
	for (int i = 3; i < argc; i++) {
		char *colon = strchr(argv[i], ':');

		if (!colon)
			return 2;
		*colon = '\0';
		if (argv[i][0] == '@')
			add_group(&r, argv[i] + 1, (uint32_t)strtoul(colon + 1, NULL, 10));
		else
			add_user(&r, argv[i], (uint32_t)strtoul(colon + 1, NULL, 10));
	}
	qsort(r.user, r.users, sizeof(*r.user), by_name);
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || glt_roster_write(&r, fd, &err) != GLT_OK || fchmod(fd, 0644) != 0)
		return 1;
	return close(fd) != 0;
}
