/* SPDX-License-Identifier: MIT */
/* The checks of `gltoken check`: each value's checksum, each record against its key and its indexes, both ways. */
#ifndef GLT_CHECKS_H
#define GLT_CHECKS_H

#include "store.h"

#define GLT_PROBLEMS_MAX 1000 /* that are described; all are counted */

struct glt_checks {
	uint64_t entries[GLT_TABLES];
	char **problem;
	size_t n, total;
};

/* One snapshot, so that no change meanwhile looks like damage. GLT_OK: done, whatever was found. */
enum glt_status glt_checks_run(struct glt_store *store, struct glt_checks *out, struct glt_err *err);
void glt_checks_free(struct glt_checks *c);

#endif
