/* SPDX-License-Identifier: MIT */
/*
 * Open the repository that was decided on, and no other: beneath repo_root, through no symbolic link, bare.
 * git is then run on "." in it, so no name is resolved a second time.
 */
#ifndef GLT_REPO_H
#define GLT_REPO_H

#include "text.h"

#include <limits.h>
#include <stdbool.h>

/* Status, its stable name and its sentence for the log. */
#define GLT_REPO_STATUSES(X)                                                                                      \
	X(OK, "ok", "opened")                                                                                     \
	X(ABSENT, "repository_absent", "no such repository")                                                      \
	X(AMBIGUOUS, "repository_ambiguous", "both NAME and NAME.git exist: rename or remove one")                \
	X(SYMLINK, "repository_symlink", "a symbolic link is in the path or in the repository")                   \
	X(NESTED, "repository_nested", "the path leads into another repository")                                  \
	X(NOT_BARE, "repository_not_bare", "the repository has a .git or commondir: only bare ones are served")   \
	X(NOT_A_REPO, "repository_broken", "no repository: HEAD, objects or refs is missing, broken or a link")   \
	X(ALTERNATE_OUTSIDE, "alternate_outside",                                                                 \
	  "objects/info/alternates names something else than a repository below repo_root")                       \
	X(ALTERNATE_DENIED, "alternate_denied",                                                                   \
	  "objects/info/alternates leads to a repository that the bearer may not read")                           \
	X(ALTERNATE_DEEP, "alternate_too_deep", "objects/info/alternates: too many, too long or nested too deep") \
	X(UNREADABLE, "repository_unreadable", "the account may not read the repository")                         \
	X(UNAVAILABLE, "repository_unavailable", "repo_root, the repository or openat2() cannot be used now")

enum glt_repo_status {
#define GLT_X(sym, name, text) GLT_REPO_##sym,
	GLT_REPO_STATUSES(GLT_X)
#undef GLT_X
};

const char *glt_repo_name(enum glt_repo_status status);
const char *glt_repo_text(enum glt_repo_status status);

struct glt_repo {
	int fd;                         /* O_PATH; the caller closes it */
	char project[GLT_PATH_MAX + 1]; /* demo/hello */
	char directory[PATH_MAX];       /* without symbolic links: /srv/git/demo/hello.git */
};

/* project has passed glt_path_normalise(). *out is filled for GLT_REPO_OK only. */
enum glt_repo_status glt_repo_open(const char *repo_root, const char *project, struct glt_repo *out);

/* Ask may_read for every repository that this one borrows objects from, directly or through another. Git serves
 * what it borrows as if it were its own, by object id or as ".have". *culprit (may be NULL) gets the project that
 * was denied, or "". */
typedef bool glt_repo_may_read(void *arg, const char *project);
enum glt_repo_status glt_repo_alternates(const char *repo_root, const struct glt_repo *repo,
					 glt_repo_may_read *may_read, void *arg, char culprit[GLT_PATH_MAX + 1]);

#endif
