/* SPDX-License-Identifier: MIT */
/* Find the repositories below repo_root. */
#ifndef GLT_REPOSCAN_H
#define GLT_REPOSCAN_H

#include "cli.h"
#include "repo.h"

struct glt_repofound {
	char path[GLT_PATH_MAX + 1];
	enum glt_repo_status status;
	uint64_t id;                   /* for the caller */
	char branch[GLT_NAME_MAX + 1]; /* for the caller */
};

struct glt_reposcan {
	const char *root;
	struct glt_repofound *v; /* by path; the caller frees it */
	size_t n, room;
};

/* What looks like a repository, also if it cannot be served. Exit status, after a message if not 0. */
int glt_reposcan(const struct glt_cli *cli, struct glt_reposcan *out);

#endif
