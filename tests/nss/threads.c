/* SPDX-License-Identifier: MIT */
/* threads NAME SYSTEM-NAME: look both up in eight threads while others read all entries through; also as a static or a
 * setuid program. */
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *names[2];
static int failed;

static void *look_up(void *arg)
{
	char buf[1024];
	struct passwd pw, *found;

	for (int i = 0; i < 500; i++) {
		const char *name = names[(i + *(int *)arg) % 2];

		if (getpwnam_r(name, &pw, buf, sizeof(buf), &found) != 0 || !found ||
		    strcmp(found->pw_name, name) != 0 || found->pw_uid == 0)
			__atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *read_through(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20; i++) {
		setpwent();
		while (getpwent())
			;
		endpwent();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t[10];
	int ids[10], n = 16;
	gid_t groups[16];
	struct passwd *pw;

	if (argc != 3)
		return 2;
	names[0] = argv[1];
	names[1] = argv[2];
	pw = getpwnam(argv[1]);
	if (!pw || getgrouplist(argv[1], pw->pw_gid, groups, &n) < 2) {
		fprintf(stderr, "%s: no account, or not in two groups\n", argv[1]);
		return 1;
	}
	for (int i = 0; i < 10; i++) {
		ids[i] = i;
		if (pthread_create(&t[i], NULL, i < 8 ? look_up : read_through, &ids[i]) != 0)
			return 2;
	}
	for (int i = 0; i < 10; i++)
		(void)pthread_join(t[i], NULL);
	if (failed)
		fprintf(stderr, "a look-up in a thread failed\n");
	return failed;
}
