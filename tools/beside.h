/* SPDX-License-Identifier: MIT */
/* Programs of others that the configuration names and that serve repositories behind our check. */
#ifndef GLT_BESIDE_H
#define GLT_BESIDE_H

#include "conf.h"

#define GLT_BESIDE_MAX 4

struct glt_beside {
	const char *key;   /* of [git] */
	char program[256]; /* without its arguments */
	int error;         /* why it cannot be run, an errno; 0: it can */
};

size_t glt_beside(const struct glt_conf *conf, struct glt_beside v[GLT_BESIDE_MAX]);

#endif
