/* SPDX-License-Identifier: MIT */
#include "observed.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROBES 4

struct slot {
	uint8_t sum[8];
	uint64_t key; /* of who, what and where; 0: empty */
	struct glt_observed o;
};

static void hash(const void *data, size_t len, uint8_t out[8])
{
	static const uint8_t key[crypto_shorthash_KEYBYTES] = "gltoken.observe";

	(void)crypto_shorthash(out, data, len, key);
}

static int open_file(const char *store_dir, int flags)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/observed", store_dir);
	return open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
}

static bool ended(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static bool read_slot(int fd, uint64_t at, struct slot *s)
{
	uint8_t sum[8];

	if (pread(fd, s, sizeof(*s), (off_t)(at * sizeof(*s))) != sizeof(*s))
		return false;
	hash((const uint8_t *)s + sizeof(s->sum), sizeof(*s) - sizeof(s->sum), sum);
	return memcmp(sum, s->sum, sizeof(sum)) == 0 && s->key != 0 && ended(s->o.user, sizeof(s->o.user)) &&
	       ended(s->o.path, sizeof(s->o.path)) && ended(s->o.ref, sizeof(s->o.ref));
}

static uint64_t key_of(const struct glt_observed *o)
{
	struct glt_observed same = *o;
	uint8_t out[8];
	uint64_t key;

	same.count = 0;
	same.first = same.last = 0;
	hash(&same, sizeof(same), out);
	memcpy(&key, out, sizeof(key));
	return key ? key : 1;
}

/* The slot that has it, else an empty one, else the one that was not seen for the longest time. */
static uint64_t place(int fd, uint64_t key, struct slot *s)
{
	uint64_t oldest = key % GLT_OBSERVED_MAX;
	int64_t last = INT64_MAX;

	for (uint64_t i = 0; i < PROBES; i++) {
		uint64_t at = (key + i) % GLT_OBSERVED_MAX;
		bool used = read_slot(fd, at, s);

		if (used && s->key == key)
			return at;
		if (!used || s->o.last < last) {
			oldest = at;
			last = used ? s->o.last : INT64_MIN;
		}
	}
	memset(s, 0, sizeof(*s));
	return oldest;
}

void glt_observed_note(const char *store_dir, const struct glt_question *q, const char *person,
		       enum glt_reason would)
{
	struct glt_observed o;
	struct slot s;
	uint64_t key, at;
	int fd;

	memset(&o, 0, sizeof(o)); /* padding too: it is hashed */
	if (strlen(person) >= sizeof(o.user) || strlen(q->path) >= sizeof(o.path))
		return;
	strcpy(o.user, person);
	strcpy(o.path, q->path);
	(void)snprintf(o.ref, sizeof(o.ref), "%s", q->ref ? q->ref : "");
	o.op = q->op;
	o.reason = would;
	key = key_of(&o);
	fd = open_file(store_dir, O_RDWR | O_CREAT);
	if (fd < 0)
		return;
	at = place(fd, key, &s);
	if (s.key != key) {
		s.key = key;
		memcpy(&s.o, &o, sizeof(o));
		s.o.first = q->now;
	}
	s.o.last = q->now;
	s.o.count++;
	hash((const uint8_t *)&s + sizeof(s.sum), sizeof(s) - sizeof(s.sum), s.sum);
	(void)!pwrite(fd, &s, sizeof(s), (off_t)(at * sizeof(s)));
	(void)close(fd);
}

size_t glt_observed_read(const char *store_dir, struct glt_observed *out, size_t max)
{
	int fd = open_file(store_dir, O_RDONLY);
	struct slot s;
	size_t n = 0;

	for (uint64_t at = 0; fd >= 0 && at < GLT_OBSERVED_MAX && n < max; at++)
		if (read_slot(fd, at, &s))
			out[n++] = s.o;
	if (fd >= 0)
		(void)close(fd);
	return n;
}
