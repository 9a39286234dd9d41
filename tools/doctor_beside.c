/* SPDX-License-Identifier: MIT */
/* What serves repositories beside git: gitolite, programs of Git LFS. */
#include "doctor.h"

#include "account.h"
#include "beside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void programs(struct glt_doctor *d)
{
	struct glt_beside v[GLT_BESIDE_MAX];
	size_t n = glt_beside(&d->cli->conf, v);

	for (size_t i = 0; i < n; i++) {
		char command[160];

		if (!v[i].error)
			continue;
		(void)snprintf(command, sizeof(command), "set %s in [git] of " GLT_CONF_FILE, v[i].key);
		glt_doctor_find(d, GLT_D_git_program, command, "[git] %s: %s: %s", v[i].key, v[i].program,
				strerror(v[i].error));
	}
}

/* gitolite opens HOME/repositories/NAME.git, and what is looked at here is repo_root/NAME.git. */
static void gitolite_root(struct glt_doctor *d)
{
	const struct glt_conf *conf = &d->cli->conf;
	char path[400], command[1400];
	struct stat theirs, ours;
	struct glt_account a;

	if (!conf->gitolite || glt_account_by_name(conf->shared_accounts[0], &a, NULL) != GLT_OK)
		return;
	(void)snprintf(path, sizeof(path), "%s/repositories", a.home);
	if (stat(conf->repo_root, &ours) != 0 ||
	    (stat(path, &theirs) == 0 && theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino))
		return;
	if (lstat(path, &theirs) == 0)
		(void)snprintf(command, sizeof(command), "set repo_root = %s in [git] of " GLT_CONF_FILE, path);
	else
		(void)snprintf(command, sizeof(command), "ln -s %s %s", glt_doctor_quote(conf->repo_root),
			       glt_doctor_quote(path));
	glt_doctor_find(d, GLT_D_gitolite_root, command, "%s, where gitolite has its repositories, is not %s",
			path, conf->repo_root);
}

glt_doctor_check *const glt_doctor_beside[] = {programs, gitolite_root, NULL};
