/* SPDX-License-Identifier: MIT */
#include "meta.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "PID THREAD TRANSACTION" with - for none, below a line of headings. */
int glt_readers_line(const char *line, void *arg)
{
	struct glt_store_stats *out = arg;
	const char *last = strrchr(line, ' ');
	char *end;
	const intmax_t pid = strtoimax(line, &end, 10);
	uintmax_t txn;

	if (pid <= 0 || end == line || !last)
		return 0;
	out->readers++;
	txn = strtoumax(last, &end, 10);
	if (end != last && pid != getpid() && (!out->oldest.pid || txn < out->oldest.txn))
		out->oldest = (struct glt_reader){.pid = pid, .txn = txn};
	return 0;
}
