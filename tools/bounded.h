/* SPDX-License-Identifier: MIT */
/* A command with a time limit, for its output. */
#ifndef GLT_BOUNDED_H
#define GLT_BOUNDED_H

#include <stddef.h>
#include <sys/types.h>

/* Run argv (found by PATH) without input and with env, "NAME=value" strings up to a NULL, beside the environment
 * that there is. What it prints is in out, with a NUL behind, and its length is returned. -1, and standard error says
 * why unless the command did: it cannot be started, failed, took too long or printed too much. */
ssize_t glt_run_bounded(const char *const argv[], const char *const env[], int seconds, char *out, size_t size);

#endif
