/* SPDX-License-Identifier: MIT */
/* Commands on one token that is named on the command line: a number, or OWNER/NAME. */
#ifndef GLT_NAMED_H
#define GLT_NAMED_H

#include "cli.h"
#include "edit.h"
#include "record.pb-c.h"

/* Load it from the open store. Exit status, after a message if not 0. */
int glt_named_load(const struct glt_cli *cli, const char *text, Glt__Token **out);
/* Apply edits to it and print the outcome. The same. */
int glt_named_edit(const struct glt_cli *cli, uint64_t id, const struct glt_edit *edits, size_t n);

#endif
