/* SPDX-License-Identifier: MIT */
/*
 * Linked into each program and module of a coverage build, with -Wl,--wrap= for these functions: what a process has
 * run is counted although it ends by _exit() or goes on as another program.
 */
#include <unistd.h>

void __gcov_dump(void);
void __gcov_reset(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}

/* What was counted is on disk; where the other program does not start, it goes on from zero. */
#define WRAP(name, parameters, arguments)         \
	int __real_##name parameters;             \
	int __wrap_##name parameters;             \
	int __wrap_##name parameters              \
	{                                         \
		__gcov_dump();                    \
		int rc = __real_##name arguments; \
		__gcov_reset();                   \
		return rc;                        \
	}
WRAP(execv, (const char *path, char *const argv[]), (path, argv))
WRAP(execvp, (const char *file, char *const argv[]), (file, argv))
WRAP(execve, (const char *path, char *const argv[], char *const envp[]), (path, argv, envp))
