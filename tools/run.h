/* SPDX-License-Identifier: MIT */
/* Run another program, bounded by a time limit: in an environment of its own, as a user of one's choice, with all that
 * it starts; or as the person whose command this is would. Never call this with the store open. */
#ifndef GLT_RUN_H
#define GLT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct glt_run_as {
	const char *name, *home;
	uid_t uid;
	gid_t gid;
};

struct glt_run {
	char *const *argv;           /* argv[0]: absolute path, or with ours a name in PATH */
	const struct glt_run_as *as; /* with the groups of that account; NULL: as who we are */
	bool ours;                   /* our environment with env on top, our session and standard error */
	const char *const *env;      /* with ours: "NAME=value" up to NULL, or NULL */
	const char *input;           /* its standard input, at most 60 KiB; or NULL */
	char *out;       /* gets its standard output, and if merge is set its standard error, cut to size */
	size_t out_size; /* 0: both go to /dev/null */
	size_t *out_len; /* gets the length of that, or NULL */
	bool merge;
	bool whole;       /* output that does not fit is GLT_RUN_TOO_LONG */
	unsigned timeout; /* seconds */
};

enum {                       /* beside exit statuses */
       GLT_RUN_FAILED = -1,  /* not started: errno */
       GLT_RUN_TIMEOUT = -2, /* and killed */
       GLT_RUN_SIGNAL = -3,
       GLT_RUN_TOO_LONG = -4, /* and killed */
};

/* The exit status, or one of these. 127 is also a program that cannot be run. */
int glt_run(const struct glt_run *r);

/* Split text at blanks into at most max - 1 words, in place, NULL behind the last. 0: too many, or none. */
size_t glt_run_split(char *text, char **argv, size_t max);

#endif
