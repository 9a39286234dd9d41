/* SPDX-License-Identifier: MIT */
/*
 * Who reads the store in a transaction that does not end. It was frozen in one: what it sees there cannot be used again,
 * and the store's file grows with each change until it goes on or is killed.
 */
#ifndef GLT_HOLDER_H
#define GLT_HOLDER_H

#include "store.h"

#define GLT_HOLDER_AGE 60 /* seconds: no request lives longer, and a transaction lasts microseconds */

struct glt_holder {
	struct glt_reader reader;
	char command[32]; /* the kernel's name of it, ? for what is no letter, digit or one of .-_ */
	bool stopped;     /* by a signal; what else froze it, the kernel does not say there */
};

/* At boottime, see glt_boottime(). False: there is none, for nothing was changed since, or it has just begun to run. */
bool glt_holder_find(const struct glt_store_stats *stats, int64_t boottime, struct glt_holder *out);

#endif
