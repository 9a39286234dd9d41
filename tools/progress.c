/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WIDTH 30
#define EVERY_MS 200
#define WAIT_MS 1000

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
	const char *blank = p->unit ? " " : "", *unit = p->unit ? p->unit : "";
	char bar[WIDTH + 1], left[32] = "";
	size_t full = p->total ? (size_t)(done * WIDTH / p->total) : WIDTH;
	double seconds = (double)(at_ms - p->from_ms) / 1000;
	double rate = seconds > 0 ? (double)(done - p->began) / seconds : 0;

	if (p->total == 0) {
		(void)snprintf(out, size, "%" PRIu64 "%s%s, %.*f/s", done, blank, unit, rate < 10, rate);
		return;
	}
	if (full > WIDTH)
		full = WIDTH;
	memset(bar, ' ', WIDTH);
	memset(bar, '=', full);
	if (full < WIDTH)
		bar[full] = '>';
	bar[WIDTH] = '\0';
	if (rate > 0 && done <= p->total)
		left_text((double)(p->total - done) / rate, left);
	(void)snprintf(out, size, "[%s] %" PRIu64 "/%" PRIu64 "%s%s, %.*f/s%s%s", bar, done, p->total, blank, unit,
		       rate < 10, rate, left[0] ? ", " : "", left);
}

void glt_progress_start(struct glt_progress *p, uint64_t done, uint64_t total)
{
	*p = (struct glt_progress){.total = total, .began = done, .from_ms = now_ms(), .on = isatty(STDERR_FILENO)};
}

void glt_progress_begin(struct glt_progress *p, uint64_t total, const char *unit)
{
	glt_progress_start(p, 0, total);
	p->unit = unit;
	p->wait_ms = WAIT_MS;
}

void glt_progress_show(struct glt_progress *p, uint64_t done)
{
	char text[160];
	int64_t now;

	if (!p->on)
		return;
	now = now_ms();
	if ((now - p->shown_ms < EVERY_MS && (done < p->total || !p->total)) ||
	    (p->shown_ms == 0 && now - p->from_ms < p->wait_ms))
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

/* ---- a file that grows ---- */

struct glt_progress_file {
	struct glt_progress progress;
	int fd;
	atomic_bool done;
	pthread_t thread;
};

static void *watch(void *arg)
{
	const struct timespec pause = {.tv_nsec = EVERY_MS * 1000000L / 2};
	struct glt_progress_file *w = arg;
	struct stat st;

	while (!atomic_load(&w->done)) {
		if (fstat(w->fd, &st) == 0)
			glt_progress_show(&w->progress, (uint64_t)st.st_size >> 20);
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

struct glt_progress_file *glt_progress_watch(int fd, uint64_t size)
{
	struct glt_progress_file *w = isatty(STDERR_FILENO) ? calloc(1, sizeof(*w)) : NULL;

	if (!w)
		return NULL;
	glt_progress_begin(&w->progress, size >> 20, "MiB");
	w->fd = fd;
	if (pthread_create(&w->thread, NULL, watch, w) == 0)
		return w;
	free(w);
	return NULL;
}

void glt_progress_watched(struct glt_progress_file *w)
{
	if (!w)
		return;
	atomic_store(&w->done, true);
	(void)pthread_join(w->thread, NULL);
	glt_progress_end(&w->progress);
	free(w);
}
