/* SPDX-License-Identifier: MIT */
#include "bounded.h"

#include "run.h"
#include "tokenfile.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

ssize_t glt_run_bounded(const char *const argv[], const char *const env[], int seconds, char *out, size_t size)
{
	size_t len = 0;
	const struct glt_run run = {
		.argv = (char *const *)(uintptr_t)argv,
		.ours = true,
		.env = env,
		.out = out,
		.out_size = size,
		.out_len = &len,
		.whole = true,
		.timeout = (unsigned)seconds,
	};
	int rc = glt_run(&run);

	if (rc == 0)
		return (ssize_t)len;
	if (rc == GLT_RUN_FAILED)
		glt_complain("%s: %s", argv[0], strerror(errno));
	else if (rc == GLT_RUN_TIMEOUT)
		glt_complain("%s took longer than %d seconds", argv[0], seconds);
	else if (rc == GLT_RUN_TOO_LONG)
		glt_complain("%s printed too much within %d seconds", argv[0], seconds);
	explicit_bzero(out, size);
	return -1;
}
