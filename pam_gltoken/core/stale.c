/* SPDX-License-Identifier: MIT */
#include "stale.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_S 2
#define AGE_S 30

/* All below sweep() runs in a signal handler, inside a lock of LMDB's: system calls and memory of its own alone. */

struct bytes {
	char text[1024];
	size_t len;
};

static bool read_file(int dir, const char *name, struct bytes *out)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, out->text, sizeof(out->text) - 1);

	if (fd >= 0)
		(void)close(fd);
	out->len = n > 0 ? (size_t)n : 0;
	out->text[out->len] = '\0';
	return n > 0;
}

/* The number at *p, and *p behind it and the blank that follows. */
static uint64_t number(const char **p)
{
	uint64_t n = 0;

	while (**p >= '0' && **p <= '9' && n < UINT64_MAX / 10 - 1)
		n = n * 10 + (uint64_t)(*(*p)++ - '0');
	while (**p == ' ' || **p == '\t')
		++*p;
	return n;
}

/* Field 22 of proc(5)'s stat, behind the name: ticks from boot to the start. */
static int64_t age_of(const struct bytes *stat)
{
	const char *p = strchr(stat->text, ')');
	struct timespec now;
	long ticks = sysconf(_SC_CLK_TCK);

	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p || ticks <= 0 || clock_gettime(CLOCK_BOOTTIME, &now) != 0)
		return 0;
	p++;
	return (int64_t)now.tv_sec - (int64_t)(number(&p) / (uint64_t)ticks);
}

static bool is_ours(int dir, const struct bytes *stat)
{
	const char *name = strchr(stat->text, '(');
	struct bytes status;
	const char *uid;

	if (!name || strncmp(name, "(" GLT_STALE_NAME ")", sizeof("(" GLT_STALE_NAME ")") - 1) != 0)
		return false;
	uid = read_file(dir, "status", &status) ? strstr(status.text, "\nUid:\t") : NULL;
	if (!uid)
		return false;
	uid += 6;
	for (int i = 0; i < 4; i++) /* real, effective, saved, file system */
		if (number(&uid) != geteuid())
			return false;
	return true;
}

static bool is_frozen(int dir)
{
	static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	static const char file[] = "/cgroup.events";
	struct bytes own, events;
	char path[sizeof(own.text) + 64], *group, *end;
	size_t len;

	if (!read_file(dir, "cgroup", &own))
		return false;
	group = strncmp(own.text, "0::", 3) == 0 ? own.text + 2 : strstr(own.text, "\n0::");
	if (!group)
		return false;
	group = strchr(group, '/');
	end = group ? strchr(group, '\n') : NULL;
	if (!end)
		return false;
	len = (size_t)(end - group);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		size_t root = strlen(mounts[i]);

		memcpy(path, mounts[i], root);
		memcpy(path + root, group, len);
		memcpy(path + root + len, file, sizeof(file));
		if (read_file(AT_FDCWD, path, &events))
			return strstr(events.text, "frozen 1") != NULL;
	}
	return false;
}

/* The folder in /proc stays that process's, so no other one is hit that got its number. */
static void look_at(int proc, const char *name)
{
	int dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *digits = name;
	struct bytes stat;

	if (dir < 0)
		return;
	if (number(&digits) != (uint64_t)getpid() && read_file(dir, "stat", &stat) && is_ours(dir, &stat) &&
	    (age_of(&stat) > AGE_S || is_frozen(dir)))
		(void)syscall(SYS_pidfd_send_signal, dir, SIGKILL, NULL, 0);
	(void)close(dir);
}

static void sweep(int sig)
{
	int saved = errno, proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(struct dirent64) char list[8192];
	long n = 0;

	(void)sig;
	while (proc >= 0 && (n = syscall(SYS_getdents64, proc, list, sizeof(list))) > 0)
		for (long at = 0; at < n;) {
			const struct dirent64 *e = (const struct dirent64 *)(void *)(list + at);

			if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
				look_at(proc, e->d_name);
			at += e->d_reclen;
		}
	if (proc >= 0)
		(void)close(proc);
	errno = saved;
}

/* ---- the timer ---- */

static timer_t timer; /* not inherited by a child, which then makes its own */
static bool made;

static bool set(time_t first)
{
	const struct itimerspec when = {.it_value.tv_sec = first, .it_interval.tv_sec = first ? 1 : 0};

	return made && timer_settime(timer, 0, &when, NULL) == 0;
}

void glt_stale_watch(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	struct sigaction action = {.sa_handler = sweep, .sa_flags = SA_RESTART};
	sigset_t one;

	if (set(WAIT_S))
		return;
	(void)sigemptyset(&one);
	(void)sigaddset(&one, SIGRTMIN);
	if (sigaction(SIGRTMIN, &action, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &one, NULL) != 0)
		return;
	made = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
	(void)set(WAIT_S);
}

void glt_stale_rest(void)
{
	(void)set(0);
}
