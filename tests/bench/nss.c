/* SPDX-License-Identifier: MIT */
/* nss SOURCE COUNT FIRST SECONDS: look accounts user0 to user<COUNT - 1> with uids from FIRST on up through libc, as any
 * program does, with SOURCE alone in the place of nsswitch.conf. Prints "FUNCTION NANOSECONDS LOOK-UPS" a function; an
 * answer that is wrong ends it. */
#include <grp.h>
#include <inttypes.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint32_t count, first;
static char buf[65536];

/* Of this process's own time: nothing here waits, all files are cached, and what else the machine does is left out. */
static uint64_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int by_name(uint32_t i, const char *name)
{
	struct passwd pw, *found;

	return getpwnam_r(name, &pw, buf, sizeof(buf), &found) == 0 && found && pw.pw_uid == first + i;
}

static int by_uid(uint32_t i, const char *name)
{
	struct passwd pw, *found;

	return getpwuid_r(first + i, &pw, buf, sizeof(buf), &found) == 0 && found && strcmp(pw.pw_name, name) == 0;
}

static int groups(uint32_t i, const char *name)
{
	gid_t list[64];
	int n = 64;

	(void)i;
	return getgrouplist(name, 100, list, &n) >= 1;
}

static int absent(uint32_t i, const char *name)
{
	struct passwd pw, *found;
	char other[40];

	(void)i;
	(void)snprintf(other, sizeof(other), "%sx", name);
	(void)getpwnam_r(other, &pw, buf, sizeof(buf), &found);
	return !found;
}

struct function {
	const char *name;
	int (*look_up)(uint32_t i, const char *name);
};

static void ask(const char *source, const struct function *f)
{
	uint32_t i = (uint32_t)random() % count;
	char name[32];

	(void)snprintf(name, sizeof(name), "user%u", i);
	if (!f->look_up(i, name)) {
		fprintf(stderr, "%s: %s of %s is wrong\n", source, f->name, name);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static const struct function functions[] = {{"getpwnam", by_name},
						    {"getpwuid", by_uid},
						    {"initgroups", groups},
						    {"absent", absent}};
	uint64_t length;

	if (argc != 5)
		return 2;
	count = (uint32_t)strtoul(argv[2], NULL, 10);
	first = (uint32_t)strtoul(argv[3], NULL, 10);
	length = (uint64_t)(strtod(argv[4], NULL) * 1e9);
	if (count == 0 || __nss_configure_lookup("passwd", argv[1]) != 0 ||
	    __nss_configure_lookup("group", argv[1]) != 0 || __nss_configure_lookup("initgroups", argv[1]) != 0)
		return 2;
	srandom(1);
	for (size_t f = 0; f < sizeof(functions) / sizeof(functions[0]); f++) {
		uint64_t n = 0, start, spent;

		ask(argv[1], &functions[f]); /* the module is loaded, the files are cached */
		start = now();
		for (uint64_t batch = 1;; batch = batch < 64 ? batch * 2 : batch) { /* the clock costs as well */
			for (uint64_t i = 0; i < batch; i++)
				ask(argv[1], &functions[f]);
			n += batch;
			spent = now() - start;
			if (spent >= length)
				break;
		}
		printf("%s %" PRIu64 " %" PRIu64 "\n", functions[f].name, spent / n, n);
	}
	return 0;
}
