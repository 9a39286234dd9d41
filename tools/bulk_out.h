/* SPDX-License-Identifier: MIT */
/* The file that bulk issue writes: mode 0600, its lines durable before their tokens are. */
#ifndef GLT_BULK_OUT_H
#define GLT_BULK_OUT_H

#include "rows.h"
#include "token.h"

#include <stdio.h>

struct glt_bulk_out {
	const char *path;
	int fd;
	bool json;
	uint64_t whole; /* bytes whose tokens are in the store */
	char *text;     /* lines to be written */
	size_t size;
	FILE *f; /* of text */
};

/* As who calls: make the file or, to resume, open one that is there. 0 or an exit status after a message. */
int glt_bulk_out_open(const struct glt_cli *cli, const struct glt_bulk *bulk, struct glt_bulk_out *out);
/* The store is open: how many rows of an earlier run are done? What is not in the store is cut off; a line that is of
 * another token than its row asks for is refused. */
int glt_bulk_out_resume(const struct glt_cli *cli, struct glt_bulk_out *out, struct glt_rows *rows, uint64_t *done);
bool glt_bulk_out_add(struct glt_bulk_out *out, const Glt__Token *t, const struct glt_token_text *text);
/* Write the added lines out, durably. If their tokens then do not come about, take them back. */
bool glt_bulk_out_sync(struct glt_bulk_out *out);
void glt_bulk_out_take_back(struct glt_bulk_out *out);
void glt_bulk_out_keep(struct glt_bulk_out *out);
void glt_bulk_out_close(struct glt_bulk_out *out);

#endif
