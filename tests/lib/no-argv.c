/* SPDX-License-Identifier: MIT */
/* no-argv PROGRAM: execute it with no arguments at all, not even its name. Linux 5.18 and later give it an empty one. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *none[] = {NULL}, env1[] = "PATH=/no-argv", env2[] = "GCONV_PATH=/no-argv",
	     *envp[] = {env1, env2, NULL};

	if (argc == 2)
		execve(argv[1], none, envp);
	perror("no-argv");
	return 127;
}
