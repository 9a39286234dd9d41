/* SPDX-License-Identifier: MIT */
/* Repositories: are they the account's, and are they served? `gltoken repo check` looks at every file of them. */
#include "doctor.h"

#include "account.h"
#include "reposcan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool root_is_there(struct glt_doctor *d)
{
	const char *root = d->cli->conf.repo_root;
	char command[1400];
	struct stat sb;

	if (stat(root, &sb) == 0 && S_ISDIR(sb.st_mode))
		return true;
	(void)snprintf(command, sizeof(command), "install -d -m 0750 -o %s -g %s %s",
		       d->cli->conf.shared_accounts[0], d->cli->conf.shared_accounts[0], glt_doctor_quote(root));
	glt_doctor_find(d, GLT_D_repo_root, command, "[git] repo_root %s is no folder", root);
	return false;
}

static bool is_owned(const struct glt_doctor *d, const char *project, uid_t uid, uid_t *owner)
{
	char path[PATH_MAX];
	struct stat sb;

	(void)snprintf(path, sizeof(path), "%s/%s.git", d->cli->conf.repo_root, project);
	if (lstat(path, &sb) != 0)
		return true; /* of another form: its status says more */
	*owner = sb.st_uid;
	return sb.st_uid == uid;
}

static void repositories(struct glt_doctor *d)
{
	struct glt_reposcan scan = {.root = d->cli->conf.repo_root};
	size_t foreign = 0, unserved = 0;
	const struct glt_repofound *first = NULL, *broken = NULL;
	struct glt_account a;
	uid_t owner = 0;

	if (!root_is_there(d) || glt_account_by_name(d->cli->conf.shared_accounts[0], &a, NULL) != GLT_OK)
		return;
	if (glt_reposcan(d->cli, &scan) != GLT_EXIT_OK)
		return;
	for (size_t i = 0; i < scan.n; i++) {
		const struct glt_repofound *r = &scan.v[i];
		uid_t uid;

		if (!is_owned(d, r->path, a.uid, &uid)) {
			if (foreign++ == 0) {
				owner = uid;
				first = r;
			}
		} else if (r->status != GLT_REPO_OK && unserved++ == 0) {
			broken = r;
		}
	}
	if (first)
		glt_doctor_find(d, GLT_D_repo_owner, "gltoken repo adopt --fix",
				"%zu repositories are not %s's; the first is %s, of uid %u", foreign, a.name,
				first->path, owner);
	if (broken)
		glt_doctor_find(d, GLT_D_repo_not_served, "gltoken repo list",
				"%zu repositories are not served; the first is %s: %s", unserved, broken->path,
				glt_repo_text(broken->status));
	free(scan.v);
}

glt_doctor_check *const glt_doctor_repos[] = {repositories, NULL};
