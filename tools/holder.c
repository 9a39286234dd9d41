/* SPDX-License-Identifier: MIT */
#include "holder.h"

#include "tokenfile.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool proc_file(int64_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	n = fd < 0 ? -1 : glt_read_all(fd, text, size - 1);
	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* Whoever has the store open is what we are. Another one got the number of a reader that died. */
static bool is_ours(int64_t pid)
{
	char status[2048];
	const char *uid = proc_file(pid, "status", status, sizeof(status)) ? strstr(status, "\nUid:\t") : NULL;

	return uid && strtoumax(uid + 6, NULL, 10) == geteuid();
}

/* From ticks to seconds. */
static int64_t started_at(const char *text)
{
	const long ticks = sysconf(_SC_CLK_TCK);

	return ticks > 0 ? strtoimax(text, NULL, 10) / ticks : INT64_MAX;
}

/* proc(5)'s stat: number, (name), state, and as field 22 the ticks from boot to the start. */
static bool hangs(struct glt_holder *h, int64_t boottime)
{
	char stat[1024], *name, *p, *end;
	size_t n = 0;

	if (!proc_file(h->reader.pid, "stat", stat, sizeof(stat)))
		return false;
	name = strchr(stat, '(');
	end = p = strrchr(stat, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!name || !p)
		return false;
	for (name++; name < end && n < sizeof(h->command) - 1; name++)
		h->command[n++] = isalnum((unsigned char)*name) || strchr(".-_", *name) ? *name : '?';
	h->command[n] = '\0';
	h->stopped = end[1] == ' ' && (end[2] == 'T' || end[2] == 't');
	return h->stopped || started_at(p + 1) < boottime - GLT_HOLDER_AGE;
}

bool glt_holder_find(const struct glt_store_stats *stats, int64_t boottime, struct glt_holder *out)
{
	*out = (struct glt_holder){.reader = stats->oldest};
	return out->reader.changes > 0 && is_ours(out->reader.pid) && hangs(out, boottime);
}
