/* SPDX-License-Identifier: MIT */
/* A folder of a test program's own, and files in it. */
#ifndef TMPDIR_H
#define TMPDIR_H

#include <sys/types.h>

extern char tmpdir[32]; /* its path, between the two */
int tmpdir_setup(void **state);
int tmpdir_teardown(void **state);

/* NAME in it, made anew. */
void tmpdir_file(const char *name, const char *text, mode_t mode);

#endif
