/* SPDX-License-Identifier: MIT */
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAP_MS 5
#define SLOTS_MIN 2u
#define SLOTS_MAX 64u

void glt_rundir_make(const char *dir, uid_t uid, gid_t gid)
{
	if (mkdir(dir, 0700) == 0)
		(void)!lchown(dir, uid, gid);
}

unsigned glt_slot_count(const struct glt_conf *conf)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
	uint64_t fit = memory / 8 / ((uint64_t)conf->hash.memory * 1024); /* an eighth of memory at most */
	unsigned n = cores > 0 ? (unsigned)cores : 1;

	if (conf->slots)
		return conf->slots < SLOTS_MIN ? SLOTS_MIN : conf->slots;
	if (n > fit)
		n = (unsigned)fit;
	return n < SLOTS_MIN ? SLOTS_MIN : n > SLOTS_MAX ? SLOTS_MAX : n;
}

/* -2: the folder cannot be used; -1: somebody has it. */
static int try_lock(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);

	if (fd < 0)
		return -2;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static int open_dir(const struct glt_conf *conf)
{
	struct stat sb;
	int dir = open(conf->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (dir >= 0 && (fstat(dir, &sb) != 0 || sb.st_uid != geteuid() || (sb.st_mode & 077) != 0)) {
		(void)close(dir);
		dir = -1;
	}
	return dir;
}

/* The first half is root's alone, so that no flood of others' requests keeps sshd waiting. */
static int try_slots(int dir, unsigned count, enum glt_slot_class class)
{
	unsigned first = class == GLT_SLOT_ROOT ? 0 : count / 2, n = count - first;
	unsigned start = randombytes_uniform(n);

	for (unsigned i = 0; i < n; i++) {
		char name[32];
		int fd;

		(void)snprintf(name, sizeof(name), "slot.%u", first + (start + i) % n);
		fd = try_lock(dir, name);
		if (fd != -1)
			return fd;
	}
	return -1;
}

/* One attempt. True: settled, with a slot or without any to be had. */
static bool attempt(int dir, const struct glt_conf *conf, enum glt_slot_class class, uid_t uid,
		    struct glt_slot *out)
{
	if (class == GLT_SLOT_OTHER && out->uid_fd < 0) {
		char name[32];

		(void)snprintf(name, sizeof(name), "uid.%lu", (unsigned long)uid);
		out->uid_fd = try_lock(dir, name);
		if (out->uid_fd == -1)
			return false;
	}
	out->fd = try_slots(dir, glt_slot_count(conf), class);
	return out->fd != -1;
}

enum glt_status glt_slot_take(const struct glt_conf *conf, enum glt_slot_class class, uid_t uid,
			      struct glt_slot *out, struct glt_err *err)
{
	const struct timespec nap = {0, NAP_MS * 1000000L};
	int dir = open_dir(conf);
	int64_t left = conf->hash_wait * 1000;
	bool settled = dir < 0;

	*out = (struct glt_slot){-1, -1};
	while (!settled && !(settled = attempt(dir, conf, class, uid, out)) && left > 0) {
		(void)nanosleep(&nap, NULL);
		left -= NAP_MS;
	}
	if (dir >= 0)
		(void)close(dir);
	if (settled)
		return GLT_OK;
	glt_slot_give(out);
	return glt_fail(err, GLT_BUSY, "all hash slots stayed busy for %lld s", (long long)conf->hash_wait);
}

unsigned glt_slots_busy(const struct glt_conf *conf)
{
	unsigned busy = 0, count = glt_slot_count(conf);
	int dir = open_dir(conf);

	for (unsigned i = 0; dir >= 0 && i < count; i++) {
		char name[32];
		int fd;

		(void)snprintf(name, sizeof(name), "slot.%u", i);
		fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
		if (fd < 0)
			continue;
		busy += flock(fd, LOCK_SH | LOCK_NB) != 0;
		(void)close(fd);
	}
	if (dir >= 0)
		(void)close(dir);
	return busy;
}

void glt_slot_give(struct glt_slot *slot)
{
	if (slot->fd >= 0)
		(void)close(slot->fd);
	if (slot->uid_fd >= 0)
		(void)close(slot->uid_fd);
	*slot = (struct glt_slot){-1, -1};
}
