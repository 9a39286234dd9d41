/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SETUP GLT_LIBEXECDIR "/gltoken-setup"

/* Most of a setup is other programs' work, so it is a script. It has the options, and --help. */
int glt_cmd_setup(struct glt_cli *cli, int argc, char **argv)
{
	(void)cli;
	(void)argc;
	(void)execv(SETUP, argv);
	(void)fprintf(stderr, "gltoken setup: %s: %s\n", SETUP, strerror(errno));
	return GLT_EXIT_UNAVAILABLE;
}
