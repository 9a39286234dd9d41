/* SPDX-License-Identifier: MIT */
/* A token that lies in a file at a client, for the programs that hand it on. What is wrong goes to standard error. */
#ifndef GLT_TOKENFILE_H
#define GLT_TOKENFILE_H

#include <stdbool.h>
#include <sys/types.h>

#define GLT_TOKENFILE_MAX 512                      /* what PAM takes */
#define GLT_TOKENFILE_SIZE (GLT_TOKENFILE_MAX + 3) /* a line's end, and one byte to see that nothing follows */

/* "PROGRAM: text"; returns 1. */
int glt_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The whole of a file from its start, so that one descriptor serves many prompts; a pipe as far as it goes. */
ssize_t glt_read_all(int fd, char *buf, size_t size);

/* A regular file of the user or root that nobody else may read; credential: systemd's, with an access list. */
int glt_tokenfile_open(const char *path, bool credential);
/* One line of plain characters; closes fd. The caller wipes out. */
bool glt_tokenfile_read(int fd, char out[GLT_TOKENFILE_SIZE]);

#endif
