/* SPDX-License-Identifier: MIT */
/* `gltoken issue --count` and `--from-file`: many tokens, hashed on all CPUs, put in batches of one transaction. */
#ifndef GLT_BULK_H
#define GLT_BULK_H

#include "rows.h"

int glt_bulk_issue(struct glt_cli *cli, const struct glt_bulk *bulk);

#endif
