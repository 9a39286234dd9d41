/* SPDX-License-Identifier: MIT */
#include "rundir.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES 4096 /* one page */
_Static_assert(GLT_COUNTS * sizeof(uint64_t) <= BYTES, "all counters fit");

/* Counters of another version are others: their number is in the name. */
static int open_counters(const struct glt_conf *conf, int flags)
{
	char path[300];
	struct stat sb;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/counters.%d", conf->run_dir, GLT_COUNTS);
	fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0)
		return -1;
	/* Room first: a page that a full /run cannot give would end who writes into the map with SIGBUS. */
	if (fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) && sb.st_uid == geteuid() && (sb.st_mode & 077) == 0 &&
	    (flags == O_RDONLY || (sb.st_size == BYTES && sb.st_blocks >= BYTES / 512) ||
	     posix_fallocate(fd, 0, BYTES) == 0))
		return fd;
	(void)close(fd);
	return -1;
}

void glt_count_up(const struct glt_conf *conf, const unsigned which[], size_t n)
{
	int fd = open_counters(conf, O_RDWR | O_CREAT);
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (map == MAP_FAILED)
		return;
	for (size_t i = 0; i < n; i++)
		if (which[i] < GLT_COUNTS)
			atomic_fetch_add_explicit((_Atomic uint64_t *)map + which[i], 1, memory_order_relaxed);
	(void)munmap(map, BYTES);
}

bool glt_counts_read(const struct glt_conf *conf, uint64_t out[GLT_COUNTS])
{
	int fd = open_counters(conf, O_RDONLY);
	bool whole;

	memset(out, 0, GLT_COUNTS * sizeof(*out));
	if (fd < 0)
		return false;
	whole = pread(fd, out, GLT_COUNTS * sizeof(*out), 0) == (ssize_t)(GLT_COUNTS * sizeof(*out));
	(void)close(fd);
	return whole;
}
