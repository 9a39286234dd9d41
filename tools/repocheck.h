/* SPDX-License-Identifier: MIT */
/*
 * What keeps a repository from being served well by gltoken, and mending it. Run as root on files that others own
 * and may rename meanwhile: each file is opened without following a link and judged and changed by its descriptor.
 */
#ifndef GLT_REPOCHECK_H
#define GLT_REPOCHECK_H

#include "account.h"
#include "cli.h"
#include "table.h"

#include <sys/stat.h>

/* Fault, its stable name, can it be mended, and its sentence. */
#define GLT_REPO_FAULTS(X)                                                                                      \
	X(SERVED, "not_served", false, "it is not served")                                                      \
	X(OWNER, "owner", true, "files of another owner or group than the account that serves them")            \
	X(MODE, "mode", true,                                                                                   \
	  "files that others may write, or their owner not read; a folder that [git] umask would close")        \
	X(SETGID, "setgid", true, "folders with setgid where files are not shared, or without where they are")  \
	X(SHARED, "shared", true, "core.sharedRepository does not fit [git] umask and shared_accounts")         \
	X(BARE, "bare", true, "core.bare is not true")                                                          \
	X(PROC_RECEIVE, "proc_receive", false, "receive.procReceiveRefs is set: every push to them is refused") \
	X(CONFIG, "config", false, "its config cannot be read")                                                 \
	X(LINK, "hard_link", false, "hard links to files of another owner: not taken over")                     \
	X(SPECIAL, "special", false, "devices, sockets, other file systems: not taken over")                    \
	X(ALTERNATES, "alternates", false, "it borrows objects from what is not there or not served")           \
	X(UNREADABLE, "unreadable", false, "files that cannot be looked at or changed")                         \
	X(RECORDS, "no_repository", false, "the store has something of it, but there is no such repository")    \
	X(UNFINISHED, "unfinished", false, "a move or removal of it did not end")

enum glt_fault {
#define GLT_X(sym, name, mendable, text) GLT_FAULT_##sym,
	GLT_REPO_FAULTS(GLT_X)
#undef GLT_X
		GLT_FAULT_COUNT,
};

struct glt_repocheck {
	const struct glt_cli *cli;
	struct glt_account account;
	char path[GLT_PATH_MAX + 1];
	size_t count[GLT_FAULT_COUNT];    /* how many files, or 1 */
	char first[GLT_FAULT_COUNT][128]; /* the first of them, or what else is to be said */
	char branch[GLT_NAME_MAX + 1];    /* that HEAD names */
	bool mend;
	dev_t dev;
	uid_t top; /* owner of the repository's folder before anything was mended */
};

void glt_fault_add(struct glt_repocheck *r, enum glt_fault fault, const char *first);
size_t glt_faults(const struct glt_repocheck *r, bool mendable_only);
/* Look at one repository; with mend, change what can be mended, which is not counted then. */
void glt_repocheck_run(struct glt_repocheck *r);
/* Do several accounts write to one repository? */
bool glt_repo_is_shared(const struct glt_conf *conf);

struct glt_out *glt_repocheck_out(const struct glt_cli *cli);
void glt_repocheck_row(struct glt_out *out, const struct glt_repocheck *r);

/* ---- repomend.c: config files ---- */
/* Value of a key in the open file config, as the account; "" where it has none. False: it cannot be read. */
bool glt_repo_config_get(const struct glt_account *a, int config, const char *key, char *out, size_t size);
/* Set it in the file config of dir; value NULL unsets. */
bool glt_repo_config_set(const struct glt_account *a, int dir, const char *key, const char *value);

#endif
