/* SPDX-License-Identifier: MIT */
/* A bar on stderr, where that is a terminal: how far, how fast, how long yet. */
#ifndef GLT_PROGRESS_H
#define GLT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct glt_progress {
	uint64_t total, began; /* began: what an earlier run had done */
	int64_t from_ms, shown_ms, wait_ms;
	const char *unit; /* of total, or NULL */
	bool on;
};

void glt_progress_start(struct glt_progress *p, uint64_t done, uint64_t total);
/* Of what is over in a moment on a small store: shown only if it is not. total 0: nobody knows how much there is. */
void glt_progress_begin(struct glt_progress *p, uint64_t total, const char *unit);
void glt_progress_show(struct glt_progress *p, uint64_t done); /* at most five times a second */
void glt_progress_end(struct glt_progress *p);
/* While a file grows, which somebody else writes: a thread shows how far it is. */
struct glt_progress_file;
struct glt_progress_file *glt_progress_watch(int fd, uint64_t size); /* NULL: not shown */
void glt_progress_watched(struct glt_progress_file *w);              /* NULL is fine */
/* "[=====>    ] 5/10, 2.5/s, 2 s left", without a line feed. For tests. */
void glt_progress_text(const struct glt_progress *p, uint64_t done, int64_t now_ms, char *out, unsigned long size);

#endif
