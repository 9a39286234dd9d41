/* SPDX-License-Identifier: MIT */
/*
 * What [policy] mode = observe let pass although it would be denied: counted by who, what and where in a file of the
 * store's folder that never grows. A flood overwrites what is oldest there; the log has each one. No lock and no
 * fsync: what is lost is a count.
 */
#ifndef GLT_OBSERVED_H
#define GLT_OBSERVED_H

#include "decide.h"

#define GLT_OBSERVED_MAX 4096

struct glt_observed {
	char user[GLT_ACCOUNT_MAX + 1];
	char path[GLT_PATH_MAX + 1];
	char ref[GLT_NAME_MAX + 1]; /* "" where it was not about one */
	enum glt_op op;             /* PULL or PUSH */
	enum glt_reason reason;
	uint64_t count;
	int64_t first, last;
};

void glt_observed_note(const char *store_dir, const struct glt_question *q, const char *person,
		       enum glt_reason would);
/* How many there are, at most max; in no order. Damaged ones are left out. */
size_t glt_observed_read(const char *store_dir, struct glt_observed *out, size_t max);

#endif
