/* SPDX-License-Identifier: MIT */
/* protocol MODULE USER GROUP: what glibc's manual asks of an NSS module, call by call. GROUP has two members or more,
 * USER is in it. */
#include "module.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *user, *group;
static unsigned uid, gid;
static char *guard; /* the first byte that may not be touched */

static enum nss_status call_pwnam(void *out, char *buf, size_t size, int *e)
{
	return m.pwnam(user, out, buf, size, e);
}

static enum nss_status call_spnam(void *out, char *buf, size_t size, int *e)
{
	return m.spnam(user, out, buf, size, e);
}

static enum nss_status call_grnam(void *out, char *buf, size_t size, int *e)
{
	return m.grnam(group, out, buf, size, e);
}

static enum nss_status call_pwuid(void *out, char *buf, size_t size, int *e)
{
	return m.pwuid(uid, out, buf, size, e);
}

static enum nss_status call_grgid(void *out, char *buf, size_t size, int *e)
{
	return m.grgid(gid, out, buf, size, e);
}

static enum nss_status call_pwent(void *out, char *buf, size_t size, int *e)
{
	(void)m.setpw(0);
	return m.pwent(out, buf, size, e);
}

static enum nss_status call_spent(void *out, char *buf, size_t size, int *e)
{
	(void)m.setsp(0);
	return m.spent(out, buf, size, e);
}

static enum nss_status call_grent(void *out, char *buf, size_t size, int *e)
{
	(void)m.setgr(0);
	return m.grent(out, buf, size, e);
}

static void inside(const void *p, size_t len, const char *buf, size_t size, const char *what)
{
	const char *c = p;

	check(c >= buf && c + len <= buf + size, "%s points out of the buffer of %zu bytes", what, size);
}

static void text(const char *s, const char *buf, size_t size, const char *what)
{
	inside(s, 1, buf, size, what);
	inside(s, strlen(s) + 1, buf, size, what);
}

static void check_pw(const void *out, const char *buf, size_t size)
{
	const struct passwd *p = out;

	text(p->pw_name, buf, size, "pw_name");
	text(p->pw_passwd, buf, size, "pw_passwd");
	text(p->pw_gecos, buf, size, "pw_gecos");
	text(p->pw_dir, buf, size, "pw_dir");
	text(p->pw_shell, buf, size, "pw_shell");
}

static void check_sp(const void *out, const char *buf, size_t size)
{
	const struct spwd *p = out;

	text(p->sp_namp, buf, size, "sp_namp");
	text(p->sp_pwdp, buf, size, "sp_pwdp");
	check(strcmp(p->sp_pwdp, "*") == 0 && p->sp_lstchg == -1 && p->sp_expire == -1 && p->sp_inact == -1 &&
		      p->sp_max == -1 && p->sp_min == -1 && p->sp_warn == -1 && p->sp_flag == ~0UL,
	      "a shadow entry that says something");
}

static void check_gr(const void *out, const char *buf, size_t size)
{
	const struct group *g = out;
	int n = 0;

	text(g->gr_name, buf, size, "gr_name");
	text(g->gr_passwd, buf, size, "gr_passwd");
	check((uintptr_t)g->gr_mem % sizeof(char *) == 0, "gr_mem is not aligned");
	for (;; n++) {
		inside(&g->gr_mem[n], sizeof(char *), buf, size, "gr_mem");
		if (!g->gr_mem[n])
			break;
		text(g->gr_mem[n], buf, size, "a member");
	}
	check(strcmp(g->gr_name, group) != 0 || n >= 2, "%d members", n);
}

static const struct {
	const char *name;
	entry_fn *call;
	void (*verify)(const void *out, const char *buf, size_t size);
} calls[] = {
	{"getpwnam_r", call_pwnam, check_pw}, {"getpwuid_r", call_pwuid, check_pw},
	{"getpwent_r", call_pwent, check_pw}, {"getspnam_r", call_spnam, check_sp},
	{"getspent_r", call_spent, check_sp}, {"getgrnam_r", call_grnam, check_gr},
	{"getgrgid_r", call_grgid, check_gr}, {"getgrent_r", call_grent, check_gr},
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* Each size, at each alignment of the beginning, and the end at a page that nobody may touch. */
static void sweep(void)
{
	union {
		struct passwd pw;
		struct spwd sp;
		struct group gr;
	} out;

	for (size_t i = 0; i < CALLS; i++) {
		size_t least = 0;

		for (size_t size = 0; size < 1000; size++) {
			char *buf = guard - size;
			int e = 7;
			enum nss_status st;

			errno = 1234;
			st = calls[i].call(&out, buf, size, &e);
			if (st == NSS_STATUS_SUCCESS) {
				check(errno == 1234, "%s touches errno", calls[i].name);
				calls[i].verify(&out, buf, size);
				least = least ? least : size;
				continue;
			}
			check(st == NSS_STATUS_TRYAGAIN && e == ERANGE, "%s with %zu bytes: status %d, errno %d",
			      calls[i].name, size, st, e);
			/* alignment costs up to 7 bytes, so that just behind the least size both may be */
			check(!least || size < least + 8, "%s: enough at %zu, not at %zu", calls[i].name, least,
			      size);
		}
		check(least >= 4, "%s: never, or with no room at all", calls[i].name);
	}
}

static void absent(void)
{
	static const char *const names[] = {
		"",
		"root",
		"nobody-here",
		"a:b",
		"../x",
		"\xff\xfe",
		"12345",
		"-x",
		"a b",
		"git",
		"gltoken",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const unsigned numbers[] = {0, 1, 999, 1000, 65534, 65535, 4294967294u, 4294967295u};
	struct passwd pw;
	struct group gr;
	struct spwd sp;
	char buf[2048];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int e = 0, f = 0, g = 0;

		check(m.pwnam(names[i], &pw, buf, sizeof(buf), &e) == NSS_STATUS_NOTFOUND && e == ENOENT,
		      "user '%s'", names[i]);
		check(m.spnam(names[i], &sp, buf, sizeof(buf), &f) == NSS_STATUS_NOTFOUND && f == ENOENT,
		      "shadow '%s'", names[i]);
		check(m.grnam(names[i], &gr, buf, sizeof(buf), &g) == NSS_STATUS_NOTFOUND && g == ENOENT,
		      "group '%s'", names[i]);
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int e = 0;

		check(m.pwuid(numbers[i], &pw, buf, sizeof(buf), &e) == NSS_STATUS_NOTFOUND, "uid %u", numbers[i]);
		check(m.grgid(numbers[i], &gr, buf, sizeof(buf), &e) == NSS_STATUS_NOTFOUND, "gid %u", numbers[i]);
	}
}

/* A buffer that is too small, then one byte more, until it fits: no entry is skipped. */
static void walk(const char *what, entry_fn *next, set_fn *rewind)
{
	static char big[ROOM], names[64][80];
	union {
		struct passwd pw;
		struct spwd sp;
		struct group gr;
	} out;
	size_t n = 0, again = 0;
	enum nss_status st;
	int e = 0;

	(void)rewind(0);
	while ((st = next(&out, big, sizeof(big), &e)) == NSS_STATUS_SUCCESS && n < 64)
		(void)snprintf(names[n++], sizeof(names[0]), "%s",
			       out.pw.pw_name); /* the name comes first in all */
	check(st == NSS_STATUS_NOTFOUND && n > 0, "%s: %zu entries, status %d", what, n, st);
	check(next(&out, big, sizeof(big), &e) == NSS_STATUS_NOTFOUND, "%s: more behind the end", what);
	(void)rewind(0);
	for (size_t size = 0; again < n && size < 2000;) {
		st = next(&out, guard - size, size, &e);
		check(st == NSS_STATUS_SUCCESS || (st == NSS_STATUS_TRYAGAIN && e == ERANGE), "%s: status %d",
		      what, st);
		size++;
		if (st != NSS_STATUS_SUCCESS)
			continue;
		check(strcmp(out.pw.pw_name, names[again]) == 0, "%s: %s where %s should be", what, out.pw.pw_name,
		      names[again]);
		again++;
		size = 0;
	}
	check(again == n, "%s: only %zu of %zu", what, again, n);
}

static void groups_grow(void)
{
	for (long room = 0; room < 5; room++)
		for (long limit = -1; limit < 5; limit++) {
			gid_t *list = room ? malloc((size_t)room * sizeof(*list)) : NULL;
			long n = 0, size = room;
			int e = 0;

			check(m.groups(user, 1, &n, &size, &list, limit, &e) == NSS_STATUS_SUCCESS,
			      "groups: errno %d", e);
			check(n >= 1 && n <= size && (limit <= 0 || n <= limit), "%ld groups in %ld, limit %ld", n,
			      size, limit);
			check(limit > 0 || n >= 2, "only %ld groups", n);
			for (long i = 0; i < n; i++)
				check(list[i] != 0, "gid 0");
			free(list);
		}
}

/* What was found before stays; the main group is not repeated. */
static void groups_are_added(void)
{
	gid_t *list = malloc(2 * sizeof(*list));
	long n = 1, size = 2, e_n;
	int e = 0;

	list[0] = 4711;
	check(m.groups(user, gid, &n, &size, &list, 0, &e) == NSS_STATUS_SUCCESS && list[0] == 4711, "list lost");
	for (long i = 0; i < n; i++)
		check(list[i] != gid, "the main group again");
	e_n = n;
	check(m.groups("root", 0, &n, &size, &list, 0, &e) == NSS_STATUS_NOTFOUND && n == e_n, "groups for root");
	free(list);
}

static void look_up(void)
{
	struct passwd pw;
	char buf[2048];
	int e;

	check(m.pwnam(user, &pw, buf, sizeof(buf), &e) == NSS_STATUS_SUCCESS && strcmp(pw.pw_name, user) == 0,
	      "lost");
}

static void descriptors(void)
{
	struct rlimit few = {64, 64}, many = {4096, 4096};
	struct passwd pw;
	char buf[2048];
	int before, e = 0, last = 0;
	pid_t pid = fork();

	if (pid > 0) {
		int status;

		check(waitpid(pid, &status, 0) == pid && status == 0, "descriptors");
		return;
	}
	check(setrlimit(RLIMIT_NOFILE, &many) == 0, "setrlimit");
	for (int i = 0; i < 1100; i++)
		last = open("/dev/null", O_RDONLY);
	check(last > 1024, "too few descriptors");
	before = open_fds();
	look_up();
	check(open_fds() == before, "a descriptor was left open");
	for (int fd = 3; fd <= last; fd++)
		(void)close(fd);
	check(setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit");
	while (open("/dev/null", O_RDONLY) >= 0)
		;
	check(m.pwnam(user, &pw, buf, sizeof(buf), &e) == NSS_STATUS_TRYAGAIN && e == EMFILE,
	      "without descriptors: %d", e);
	(void)close(0);
	(void)close(1);
	look_up();
	check(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0, "standard descriptors were taken");
	_exit(0);
}

/* Each goes on from where the other stood when they parted. */
static void forks(void)
{
	char first[80], buf[2048];
	struct passwd pw;
	int e = 0, status;
	pid_t pid;

	(void)m.setpw(0);
	check(m.pwent(&pw, buf, sizeof(buf), &e) == NSS_STATUS_SUCCESS, "no first");
	(void)snprintf(first, sizeof(first), "%s", pw.pw_name);
	pid = fork();
	check(m.pwent(&pw, buf, sizeof(buf), &e) == NSS_STATUS_SUCCESS && strcmp(pw.pw_name, first) > 0,
	      "no second");
	look_up();
	if (pid == 0)
		_exit(0);
	check(waitpid(pid, &status, 0) == pid && status == 0, "the child of a fork");
}

static void unloads(const char *path)
{
	int before = open_fds();

	(void)dlclose(m.handle);
	for (int i = 0; i < 300; i++) {
		load(path);
		look_up();
		(void)m.setpw(0);
		(void)dlclose(m.handle);
	}
	check(open_fds() == before, "descriptors are left after dlclose");
	load(path);
}

int main(int argc, char **argv)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char buf[ROOM];
	struct passwd pw;
	struct group gr;
	int e = 0;

	check(argc == 4 && pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0, "usage");
	guard = pages + 4096;
	user = argv[2];
	group = argv[3];
	load(argv[1]);
	check(m.pwnam(user, &pw, buf, sizeof(buf), &e) == NSS_STATUS_SUCCESS, "no user %s: %d", user, e);
	uid = pw.pw_uid;
	check(m.grnam(group, &gr, buf, sizeof(buf), &e) == NSS_STATUS_SUCCESS, "no group %s: %d", group, e);
	gid = gr.gr_gid;
	sweep();
	absent();
	walk("passwd", m.pwent, m.setpw);
	walk("shadow", m.spent, m.setsp);
	walk("group", m.grent, m.setgr);
	groups_grow();
	groups_are_added();
	descriptors();
	forks();
	unloads(argv[1]);
	check(setresuid(65534, 65534, 65534) == 0, "setresuid");
	struct spwd sp;
	check(m.spnam(user, &sp, buf, sizeof(buf), &e) == NSS_STATUS_UNAVAIL && e == EACCES, "shadow for others");
	(void)m.setsp(0);
	check(m.spent(&sp, buf, sizeof(buf), &e) == NSS_STATUS_UNAVAIL && e == EACCES, "shadow for others");
	look_up();
	return 0;
}
