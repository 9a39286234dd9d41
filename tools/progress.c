/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WIDTH 30
#define EVERY_MS 200

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void left_text(double seconds, char out[32])
{
	if (seconds < 90)
		(void)snprintf(out, 32, "%.0f s left", seconds);
	else if (seconds < 90 * 60)
		(void)snprintf(out, 32, "%.0f min left", seconds / 60);
	else
		(void)snprintf(out, 32, "%.1f h left", seconds / 3600);
}

void glt_progress_text(const struct glt_progress *p, uint64_t done, int64_t at_ms, char *out, unsigned long size)
{
	char bar[WIDTH + 1], left[32] = "";
	size_t full = p->total ? (size_t)(done * WIDTH / p->total) : WIDTH;
	double seconds = (double)(at_ms - p->from_ms) / 1000;
	double rate = seconds > 0 ? (double)(done - p->began) / seconds : 0;

	memset(bar, ' ', WIDTH);
	memset(bar, '=', full);
	if (full < WIDTH)
		bar[full] = '>';
	bar[WIDTH] = '\0';
	if (rate > 0)
		left_text((double)(p->total - done) / rate, left);
	(void)snprintf(out, size, "[%s] %" PRIu64 "/%" PRIu64 ", %.*f/s%s%s", bar, done, p->total, rate < 10, rate,
		       left[0] ? ", " : "", left);
}

void glt_progress_start(struct glt_progress *p, uint64_t done, uint64_t total)
{
	*p = (struct glt_progress){.total = total, .began = done, .from_ms = now_ms(), .on = isatty(STDERR_FILENO)};
}

void glt_progress_show(struct glt_progress *p, uint64_t done)
{
	int64_t now = now_ms();
	char text[160];

	if (!p->on || (now - p->shown_ms < EVERY_MS && done < p->total))
		return;
	p->shown_ms = now;
	glt_progress_text(p, done, now, text, sizeof(text));
	(void)fprintf(stderr, "\r%s\033[K", text);
	(void)fflush(stderr);
}

void glt_progress_end(struct glt_progress *p)
{
	if (p->on && p->shown_ms)
		(void)fputc('\n', stderr);
}
