/* SPDX-License-Identifier: MIT */
/* damage MODULE FILE: every byte of FILE (snapshot or limits) is changed in three ways, and it is cut at every length.
 * No answer may differ from what the whole file gave, but for "not found" and "unavailable"; what is cut is unavailable.
 * "MODULE FILE --print": the answers, for the tests of what must never be given. */
#include "module.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST 64

struct answers { /* as text, so that all of them are compared */
	char user[MOST][400], group[MOST][400];
	unsigned uid[MOST], gid[MOST];
	char name[MOST][80];
	size_t users, groups;
};

static void put_user(char out[400], const struct passwd *p)
{
	check(p->pw_uid != 0 && p->pw_gid != 0, "uid or gid 0: %s", p->pw_name);
	(void)snprintf(out, 400, "%s:%u:%u:%s:%s:%s", p->pw_name, p->pw_uid, p->pw_gid, p->pw_gecos, p->pw_dir,
		       p->pw_shell);
}

static void put_group(char out[400], const struct group *g)
{
	size_t len = (size_t)snprintf(out, 400, "%s:%u:", g->gr_name, g->gr_gid);

	check(g->gr_gid != 0, "gid 0: %s", g->gr_name);
	for (char **p = g->gr_mem; *p && len < 300; p++)
		len += (size_t)snprintf(out + len, 400 - len, "%s,", *p);
}

static void gather(struct answers *a)
{
	static char buf[ROOM];
	struct passwd pw;
	struct group gr;
	int e;

	(void)m.setpw(0);
	(void)m.setgr(0);
	for (a->users = 0; a->users < MOST && m.pwent(&pw, buf, ROOM, &e) == NSS_STATUS_SUCCESS; a->users++) {
		put_user(a->user[a->users], &pw);
		a->uid[a->users] = pw.pw_uid;
		(void)snprintf(a->name[a->users], 80, "%s", pw.pw_name);
	}
	for (a->groups = 0; a->groups < MOST && m.grent(&gr, buf, ROOM, &e) == NSS_STATUS_SUCCESS; a->groups++) {
		put_group(a->group[a->groups], &gr);
		a->gid[a->groups] = gr.gr_gid;
	}
}

static struct answers whole;

static void known(const char *text, char list[MOST][400], size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], text) == 0)
			return;
	die("at byte %zu: '%s' was never said", at, text);
}

/* Returns how many look-ups succeeded. */
static int ask(size_t at)
{
	static char buf[ROOM];
	char text[400];
	struct passwd pw;
	struct group gr;
	int e, good = 0, n = 0;

	for (size_t i = 0; i < whole.users; i++) {
		if (m.pwnam(whole.name[i], &pw, buf, ROOM, &e) == NSS_STATUS_SUCCESS) {
			put_user(text, &pw);
			check(strcmp(text, whole.user[i]) == 0, "at byte %zu: %s instead of %s", at, text,
			      whole.user[i]);
			good++;
		}
		if (m.pwuid(whole.uid[i], &pw, buf, ROOM, &e) == NSS_STATUS_SUCCESS) {
			put_user(text, &pw);
			known(text, whole.user, whole.users, at);
			good++;
		}
		gid_t *list = NULL;
		long count = 0, size = 0;
		if (m.groups(whole.name[i], 1, &count, &size, &list, 0, &e) == NSS_STATUS_SUCCESS)
			good++;
		free(list);
	}
	for (size_t i = 0; i < whole.groups; i++)
		if (m.grgid(whole.gid[i], &gr, buf, ROOM, &e) == NSS_STATUS_SUCCESS) {
			put_group(text, &gr);
			known(text, whole.group, whole.groups, at);
			good++;
		}
	(void)m.setpw(0);
	for (; m.pwent(&pw, buf, ROOM, &e) == NSS_STATUS_SUCCESS; n++) {
		put_user(text, &pw);
		known(text, whole.user, whole.users, at);
		check(n < MOST, "at byte %zu: no end", at);
	}
	(void)m.setgr(0);
	for (n = 0; m.grent(&gr, buf, ROOM, &e) == NSS_STATUS_SUCCESS; n++) {
		put_group(text, &gr);
		known(text, whole.group, whole.groups, at);
		check(n < MOST, "at byte %zu: no end", at);
	}
	return good;
}

static void print(void)
{
	for (size_t i = 0; i < whole.users; i++)
		puts(whole.user[i]);
	for (size_t i = 0; i < whole.groups; i++)
		puts(whole.group[i]);
}

int main(int argc, char **argv)
{
	static unsigned char bytes[65536];
	static const unsigned char ways[] = {0x01, 0x80, 0xff};
	ssize_t len;
	int fd, all, spoilt = 0;

	check(argc >= 3, "usage");
	load(argv[1]);
	gather(&whole);
	if (argc == 4) {
		print();
		return 0;
	}
	fd = open(argv[2], O_RDWR | O_CLOEXEC);
	len = fd < 0 ? -1 : pread(fd, bytes, sizeof(bytes), 0);
	check(len > 100 && len < (ssize_t)sizeof(bytes), "%s: %zd bytes", argv[2], len);
	check(whole.users > 2 && whole.groups > 0, "%zu users, %zu groups", whole.users, whole.groups);
	all = ask(0);
	for (size_t at = 0; at < (size_t)len; at++)
		for (size_t w = 0; w < sizeof(ways); w++) {
			unsigned char changed = bytes[at] ^ ways[w];

			check(pwrite(fd, &changed, 1, (off_t)at) == 1, "write");
			spoilt += ask(at) < all;
			check(pwrite(fd, &bytes[at], 1, (off_t)at) == 1, "write");
		}
	for (ssize_t cut = len - 1; cut >= 0; cut--) {
		check(ftruncate(fd, cut) == 0, "truncate");
		check(ask((size_t)cut) == 0, "cut to %zd bytes, and it still answers", cut);
	}
	check(pwrite(fd, bytes, (size_t)len, 0) == len && ask(0) == all, "not as it was");
	check(spoilt > len, "only %d of %zd changes were seen", spoilt, len * 3);
	printf("%zd bytes: %d of %zd changes were seen\n", len, spoilt, len * 3);
	return 0;
}
