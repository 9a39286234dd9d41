/* SPDX-License-Identifier: MIT */
/* What git carried, for the log: gltoken-hook stands in for git pack-objects in a fetch, and looks before a push counts. */
#ifndef GLT_TRANSFER_H
#define GLT_TRANSFER_H

#include "pam_log.h"

/* A line of this request: its bearer, its address and its session stand at the end. */
void glt_transfer_log(struct glt_log_line *line, int priority, const char *text);

/* args: "git", "pack-objects", ...; its output goes to stdout and is counted. The exit status. */
int glt_transfer_pack(char *const args[]);
/* In pre-receive: what the push brought, as git stores it. */
void glt_transfer_pushed(void);

#endif
