/* SPDX-License-Identifier: MIT */
/* A bar on stderr, where that is a terminal: how far, how fast, how long yet. */
#ifndef GLT_PROGRESS_H
#define GLT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct glt_progress {
	uint64_t total, began; /* began: what an earlier run had done */
	int64_t from_ms, shown_ms;
	bool on;
};

void glt_progress_start(struct glt_progress *p, uint64_t done, uint64_t total);
void glt_progress_show(struct glt_progress *p, uint64_t done); /* at most five times a second */
void glt_progress_end(struct glt_progress *p);
/* "[=====>    ] 5/10, 2.5/s, 2 s left", without a line feed. For tests. */
void glt_progress_text(const struct glt_progress *p, uint64_t done, int64_t now_ms, char *out, unsigned long size);

#endif
