/* SPDX-License-Identifier: MIT */
/* Work on a store in a process of its own: damage may kill it (SIGBUS), and root stays root meanwhile. */
#ifndef GLT_CHILD_H
#define GLT_CHILD_H

#include "cli.h"

#include <sys/types.h>

/* Exit status of a child, 128 and more if a signal ended it, -1 if there is none. */
int glt_child_status(pid_t pid);

/* Run fn in a child; its result is the child's exit status. -1: a message was given. */
pid_t glt_child_start(struct glt_cli *cli, int (*fn)(struct glt_cli *cli, void *arg), void *arg);
/* The exit status; crashed, if a signal ended it, after a message. */
int glt_child_wait(const struct glt_cli *cli, pid_t pid, int crashed);

#endif
