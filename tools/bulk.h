/* SPDX-License-Identifier: MIT */
/* `gltoken issue --count` and `--from-file`: many tokens, hashed on all CPUs, put in batches of one transaction. */
#ifndef GLT_BULK_H
#define GLT_BULK_H

#include "issue_args.h"

struct glt_bulk {
	const char *from_file; /* or */
	uint64_t count;
	const char *output;
	bool resume, dry_run;
	const struct option *options; /* the columns that a row may have */
	const struct glt_issue_args *usual;
};

int glt_bulk_issue(struct glt_cli *cli, const struct glt_bulk *bulk);

#endif
