/* SPDX-License-Identifier: MIT */
#include "gitolite.h"

#include <stdio.h>
#include <string.h>

bool glt_gitolite_user(const struct glt_message *answer, char user[GLT_NAME_MAX + 1])
{
	const char *owner = glt_message_get(answer, "owner"), *id = glt_message_get(answer, "id");
	int n;

	if (owner && *owner)
		n = snprintf(user, GLT_NAME_MAX + 1, "%s", owner);
	else
		n = snprintf(user, GLT_NAME_MAX + 1, "gltoken+key-%s", id ? id : "");
	/* '@' would be a group of gitolite's; '_' begins no user of it. */
	return n > 0 && n <= GLT_NAME_MAX && user[0] != '_' && glt_account_name_check(user, NULL) == GLT_OK;
}

/* sshd writes addresses and ports. Without any gitolite takes the request for one of another kind. */
static bool is_connection(const char *text)
{
	return text && *text && text[0] != ' ' && strlen(text) < 256 &&
	       !text[strspn(text, " 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:%-")];
}

void glt_gitolite_ssh(struct glt_gitenv *env, const char *program, const char *project, const char *connection)
{
	char command[GLT_PATH_MAX + 64];

	(void)snprintf(command, sizeof(command), "git-%s '%s.git'", program, project);
	glt_gitenv_add(env, "SSH_ORIGINAL_COMMAND", command);
	glt_gitenv_add(env, "SSH_CONNECTION", is_connection(connection) ? connection : "local 0 local 0");
}

void glt_gitolite_http(struct glt_gitenv *env, const struct glt_conf *conf, const char *home, const char *project,
		       const char *suffix, const char *query)
{
	char path[GLT_PATH_MAX + 64], uri[GLT_PATH_MAX + 160];

	(void)snprintf(path, sizeof(path), "/%s.git%s", project, suffix);
	(void)snprintf(uri, sizeof(uri), "%s%s%s", path, *query ? "?" : "", query);
	glt_gitenv_add(env, "PATH_INFO", path);
	/* gitolite reads in it whether this is a push; the client's own could say something else than what was decided. */
	glt_gitenv_add(env, "REQUEST_URI", uri);
	glt_gitenv_add(env, "GIT_PROJECT_ROOT", conf->repo_root);
	glt_gitenv_add(env, "GITOLITE_HTTP_HOME", home);
	glt_gitenv_add(env, "REMOTE_PORT", "0");
	glt_gitenv_add(env, "SERVER_ADDR", "local");
	glt_gitenv_add(env, "SERVER_PORT", "0");
}

void glt_gitolite_unborn(const struct glt_conf *conf, const char *project, struct glt_repo *repo)
{
	repo->fd = -1;
	(void)snprintf(repo->project, sizeof(repo->project), "%s", project);
	(void)snprintf(repo->directory, sizeof(repo->directory), "%s/%s.git", conf->repo_root, project);
}
