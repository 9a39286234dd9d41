/* SPDX-License-Identifier: MIT */
/* A file that a command was given. One that is not there is GLT_NOT_FOUND, one that cannot be read
 * GLT_UNAVAILABLE; the text begins with its name. */
#ifndef GLT_INPUT_H
#define GLT_INPUT_H

#include "status.h"

#include <stdio.h>

/* -1: err says why. */
int glt_input_fd(const char *path, struct glt_err *err);
/* "-" is standard input. NULL: err says why. */
FILE *glt_input_open(const char *path, struct glt_err *err);
void glt_input_close(FILE *f);

#endif
