/* SPDX-License-Identifier: MIT */
/* [git] backend = gitolite: behind our decision, gitolite-shell makes its own by gitolite.conf. */
#ifndef GLT_GITOLITE_H
#define GLT_GITOLITE_H

#include "conf.h"
#include "gitenv.h"

/* Who asks, as gitolite.conf knows them: the owner of a token or key, a bot's or deploy token's name, and
 * "gltoken+key-N" for a deploy key, which no account is called. False: gitolite takes no such name. */
bool glt_gitolite_user(const struct glt_message *answer, char user[GLT_NAME_MAX + 1]);

/* env has been initialised; what gitolite-shell reads on top of it. It knows the project by its path, which must be
 * written out in full: ".git3" at its end would be another name. */
void glt_gitolite_ssh(struct glt_gitenv *env, const char *program, const char *project, const char *connection);
/* suffix: what of the request follows PROJECT.git; PATH_INFO and REQUEST_URI are made of it. */
void glt_gitolite_http(struct glt_gitenv *env, const struct glt_conf *conf, const char *home, const char *project,
		       const char *suffix, const char *query);

/* The repository that gitolite has not made yet. */
void glt_gitolite_unborn(const struct glt_conf *conf, const char *project, struct glt_repo *repo);

#endif
