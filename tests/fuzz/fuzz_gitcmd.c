/* SPDX-License-Identifier: MIT */
/* What an SSH client sends as a command. Whatever is served must be a path that the rules allow, and come out the
 * same when git's own quoting is put around it. */
#include "tools/gitcmd.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct glt_gitcmd cmd, again;
	char text[GLT_PATH_MAX + 64];

	glt_gitcmd_parse((const char *)data, size, &cmd);
	if (cmd.kind != GLT_GITCMD_GIT)
		return 0;
	if (glt_path_check(cmd.path, NULL) != GLT_OK || cmd.push != !strcmp(cmd.program, "receive-pack"))
		abort();
	int n = snprintf(text, sizeof(text), "git %s '/%s.git'", cmd.program, cmd.path);
	glt_gitcmd_parse(text, (size_t)n, &again);
	if (again.kind != GLT_GITCMD_GIT || strcmp(again.path, cmd.path) != 0 || again.program != cmd.program)
		abort();
	return 0;
}
