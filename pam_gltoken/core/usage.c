/* SPDX-License-Identifier: MIT */
#include "usage.h"

#include "text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EVERY_S 60

struct slot {
	uint8_t sum[8];
	uint64_t id;
	int64_t last_used_at;
	uint64_t minutes;
	struct {
		uint8_t family; /* 4, 6; 0: empty */
		uint8_t bytes[16];
	} ips[GLT_USAGE_IPS];
	uint8_t spare[11];
};
_Static_assert(sizeof(struct slot) == 128, "one slot a token, whatever the compiler");

static void checksum(const struct slot *s, uint8_t out[8])
{
	static const uint8_t key[crypto_shorthash_KEYBYTES] = "gltoken.usage..";

	(void)crypto_shorthash(out, (const uint8_t *)s + sizeof(s->sum), sizeof(*s) - sizeof(s->sum), key);
}

static int open_usage(const char *store_dir, int flags)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/usage", store_dir);
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
}

static bool read_slot(int fd, uint64_t id, struct slot *s)
{
	uint8_t sum[8];

	if (id > (uint64_t)INT64_MAX / sizeof(*s) - 1 ||
	    pread(fd, s, sizeof(*s), (off_t)(id * sizeof(*s))) != sizeof(*s))
		return false;
	checksum(s, sum);
	return s->id == id && memcmp(sum, s->sum, sizeof(sum)) == 0;
}

/* The address to the front, once. */
static void note_address(struct slot *s, const char *address)
{
	struct glt_address a;
	uint8_t family;
	size_t at = 0;

	if (!glt_address_parse(address, &a))
		return;
	family = a.family == AF_INET ? 4 : 6;
	while (at < GLT_USAGE_IPS - 1 &&
	       (s->ips[at].family != family || memcmp(s->ips[at].bytes, a.bytes, sizeof(a.bytes)) != 0))
		at++;
	memmove(&s->ips[1], &s->ips[0], at * sizeof(s->ips[0]));
	s->ips[0].family = family;
	memcpy(s->ips[0].bytes, a.bytes, sizeof(a.bytes));
}

void glt_usage_note(const char *store_dir, uint64_t id, const char *address, int64_t now)
{
	struct slot s;
	int fd = open_usage(store_dir, O_RDWR | O_CREAT);

	if (fd < 0)
		return;
	if (!read_slot(fd, id, &s)) {
		memset(&s, 0, sizeof(s));
		s.id = id;
	}
	if (s.last_used_at > now || now - s.last_used_at >= EVERY_S) {
		s.last_used_at = now;
		s.minutes++;
		note_address(&s, address);
		checksum(&s, s.sum);
		if (id <= (uint64_t)INT64_MAX / sizeof(s) - 1)
			(void)!pwrite(fd, &s, sizeof(s), (off_t)(id * sizeof(s)));
	}
	(void)close(fd);
}

bool glt_usage_read(const char *store_dir, uint64_t id, struct glt_usage *out)
{
	struct slot s;
	int fd = open_usage(store_dir, O_RDONLY);
	bool good = fd >= 0 && read_slot(fd, id, &s);

	if (fd >= 0)
		(void)close(fd);
	memset(out, 0, sizeof(*out));
	if (!good)
		return false;
	out->last_used_at = s.last_used_at;
	out->minutes = s.minutes;
	for (size_t i = 0; i < GLT_USAGE_IPS && s.ips[i].family; i++)
		(void)inet_ntop(s.ips[i].family == 4 ? AF_INET : AF_INET6, s.ips[i].bytes, out->ips[i],
				sizeof(out->ips[i]));
	return true;
}
