/* SPDX-License-Identifier: MIT */
/* What is published, between the store and the file: publish.c goes through it in this order. */
#ifndef GLT_ROSTER_H
#define GLT_ROSTER_H

#include "nss_snap.h"
#include "store.h"

struct glt_roster_user {
	char *name, *gecos;
	int64_t until;
	bool bot;
	uint64_t id;    /* of the bot's newest token, of the user */
	uint64_t first; /* what the number is given to: the bot's first token, the user */
	uint32_t number;
};
struct glt_roster_space { /* a project or group */
	char *path;
	uint64_t id;
	bool group;
	uint32_t number;
	char name[32];
	size_t from, n; /* its members */
};
struct glt_roster_grant {
	char *path, *principal;
	int role;
};
struct glt_roster_member {
	const char *user; /* belongs to a grant, a user or an expanded group */
	uint32_t gid;
};

struct glt_roster {
	struct glt_nss_limits limits;
	int group_role;
	struct glt_roster_user *user;
	size_t users, users_room;
	struct glt_roster_space *space;
	size_t spaces, spaces_room;
	struct glt_roster_grant *grant;
	size_t grants, grants_room;
	struct glt_roster_member *member;
	size_t members, members_room;
	char **text; /* blocked users, and names of expanded groups */
	size_t texts, texts_room, blocked;
	uint64_t generation;
};

void glt_roster_free(struct glt_roster *r);
/* All of it that the store knows, sorted. */
enum glt_status glt_roster_gather(struct glt_store *store, struct glt_roster *r, struct glt_err *err);
/* A number for each user (range) and each space (groups) that has none; kept in GLT_NSS_PUBLIC/numbers. */
enum glt_status glt_roster_number(struct glt_roster *r, struct glt_err *err);
/* The members of each space; asks the system for Unix groups. */
enum glt_status glt_roster_expand(struct glt_roster *r, struct glt_err *err);
/* The file, to fd from its start on. */
enum glt_status glt_roster_write(const struct glt_roster *r, int fd, struct glt_err *err);

#endif
