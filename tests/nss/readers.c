/* SPDX-License-Identifier: MIT */
/* readers MODULE STOP-FILE USER GROUP: eight processes look USER and GROUP up until STOP-FILE exists. USER's gecos is
 * "state N N" with the same N twice, and no reader may see N go back; each answer must be there and whole. */
#include "module.h"

#include <sys/wait.h>
#include <unistd.h>

static unsigned long state_of(const char *gecos)
{
	unsigned long a, b;
	char *end;

	check(strncmp(gecos, "state ", 6) == 0, "'%s'", gecos);
	a = strtoul(gecos + 6, &end, 10);
	b = strtoul(end, &end, 10);
	check(*end == '\0' && a == b, "half of one state, half of another: '%s'", gecos);
	return a;
}

static unsigned long read_until(const char *stop, const char *user, const char *group)
{
	unsigned long seen = 0, n = 0;
	static char buf[ROOM];
	struct passwd pw;
	struct group gr;
	int e = 0;

	for (; n % 64 != 0 || access(stop, F_OK) != 0; n++) {
		unsigned long now;
		int entries = 0;

		check(m.pwnam(user, &pw, buf, ROOM, &e) == NSS_STATUS_SUCCESS, "look-up %lu failed: %d", n, e);
		now = state_of(pw.pw_gecos);
		check(now >= seen, "state %lu after %lu", now, seen);
		seen = now;
		check(m.grnam(group, &gr, buf, ROOM, &e) == NSS_STATUS_SUCCESS && gr.gr_mem[0] && gr.gr_mem[1],
		      "the group failed: %d", e);
		if (n % 16 != 0)
			continue;
		(void)m.setpw(0);
		while (m.pwent(&pw, buf, ROOM, &e) == NSS_STATUS_SUCCESS)
			entries += strncmp(pw.pw_name, "stays", 5) == 0;
		check(e == ENOENT && entries == 8, "%d of 8 entries while reading through, %d", entries, e);
	}
	check(seen > 0, "saw no change");
	return n;
}

int main(int argc, char **argv)
{
	int bad = 0, status;

	check(argc == 5, "usage");
	load(argv[1]);
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			printf("%lu look-ups\n", read_until(argv[2], argv[3], argv[4]));
			return 0;
		}
	while (wait(&status) > 0)
		bad += status != 0;
	return bad != 0;
}
