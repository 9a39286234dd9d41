/* SPDX-License-Identifier: MIT */
/* The module as glibc loads it, and what every test of it needs. */
#ifndef GLT_TEST_NSS_MODULE_H
#define GLT_TEST_NSS_MODULE_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 65536

typedef enum nss_status entry_fn(void *out, char *buf, size_t size, int *errnop);
typedef enum nss_status name_fn(const char *name, void *out, char *buf, size_t size, int *errnop);
typedef enum nss_status number_fn(unsigned number, void *out, char *buf, size_t size, int *errnop);
typedef enum nss_status groups_fn(const char *user, gid_t group, long *start, long *size, gid_t **list, long limit,
				  int *errnop);
typedef enum nss_status set_fn(int stay);

static struct module {
	void *handle;
	name_fn *pwnam, *spnam, *grnam;
	number_fn *pwuid, *grgid;
	entry_fn *pwent, *spent, *grent;
	set_fn *setpw, *setsp, *setgr;
	groups_fn *groups;
} m;

__attribute__((format(printf, 1, 2), noreturn, unused)) static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

#define check(ok, ...)                    \
	do {                              \
		if (!(ok))                \
			die(__VA_ARGS__); \
	} while (0)

static void *function(const char *name)
{
	char full[64];
	void *f;

	(void)snprintf(full, sizeof(full), "_nss_gltoken_%s", name);
	f = dlsym(m.handle, full);
	check(f, "no %s", full);
	return f;
}

static void load(const char *path)
{
	m.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	check(m.handle, "%s", dlerror());
	m.pwnam = (name_fn *)function("getpwnam_r");
	m.spnam = (name_fn *)function("getspnam_r");
	m.grnam = (name_fn *)function("getgrnam_r");
	m.pwuid = (number_fn *)function("getpwuid_r");
	m.grgid = (number_fn *)function("getgrgid_r");
	m.pwent = (entry_fn *)function("getpwent_r");
	m.spent = (entry_fn *)function("getspent_r");
	m.grent = (entry_fn *)function("getgrent_r");
	m.setpw = (set_fn *)function("setpwent");
	m.setsp = (set_fn *)function("setspent");
	m.setgr = (set_fn *)function("setgrent");
	m.groups = (groups_fn *)function("initgroups_dyn");
}

__attribute__((unused)) static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		(void)closedir(d);
	return n;
}

#endif
