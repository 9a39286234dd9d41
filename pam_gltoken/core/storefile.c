/* SPDX-License-Identifier: MIT */
#include "storefile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define PATH 300
#define GATE_WAIT_MS 10000

static void path_of(char out[PATH], const char *dir, const char *name)
{
	(void)snprintf(out, PATH, "%s/%s", dir, name);
}

/* Locks and mmap over a network lose data: lmdb.h, "Do not use LMDB databases on remote filesystems". */
static bool is_remote(long type)
{
	static const unsigned long remote[] = {
		0x6969,     /* NFS */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x517b,     /* SMB */
		0x5346414f, /* AFS */
		0x01021997, /* 9P */
		0x00c36400, /* Ceph */
		0x0bd00bd0, /* Lustre */
		0x47504653, /* GPFS */
		0x65735546, /* FUSE: sshfs and the like */
	};

	for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		if ((unsigned long)type == remote[i] || (uint32_t)type == (uint32_t)remote[i])
			return true;
	return false;
}

static enum glt_status check_dir(const char *dir, struct glt_err *err)
{
	struct stat sb;
	struct statfs fs;

	if (lstat(dir, &sb) != 0) {
		if (errno == ENOENT)
			return glt_fail(err, GLT_UNAVAILABLE, "store %s does not exist: run gltoken init", dir);
		return glt_fail(err, GLT_UNAVAILABLE, "store %s: %s", dir, strerror(errno));
	}
	if (!S_ISDIR(sb.st_mode))
		return glt_fail(err, GLT_UNAVAILABLE, "store %s is not a directory", dir);
	if (sb.st_uid != geteuid() || (sb.st_mode & 077) != 0)
		return glt_fail(err, GLT_UNAVAILABLE, "store %s must belong to uid %lu and have mode 0700", dir,
				(unsigned long)geteuid());
	if (statfs(dir, &fs) == 0 && is_remote((long)fs.f_type))
		return glt_fail(err, GLT_UNAVAILABLE,
				"store %s is on a network file system: LMDB needs a local disk", dir);
	return GLT_OK;
}

/* LMDB 0.9 data format 1: a 16-byte page header, then struct MDB_meta (mdb.c); native byte order. */
struct meta {
	uint32_t magic, version;
	uint64_t address, mapsize;
	uint32_t psize; /* md_pad of the free DB */
	uint8_t dbs[92];
	uint64_t last_page, txnid;
};

static bool read_meta(int fd, off_t page, struct meta *m)
{
	_Static_assert(sizeof(struct meta) == 136, "LMDB's layout");
	return pread(fd, m, sizeof(*m), page + 16) == (ssize_t)sizeof(*m) && m->magic == 0xBEEFC0DE &&
	       m->version == 1;
}

static bool metas_sane(int fd, uint64_t size)
{
	struct meta a, b;

	if (!read_meta(fd, 0, &a) || a.psize < 512 || a.psize > 65536 || (a.psize & (a.psize - 1)) != 0)
		return false;
	if (!read_meta(fd, (off_t)a.psize, &b) || b.psize != a.psize)
		return false;
	return a.last_page < size / a.psize && b.last_page < size / a.psize;
}

enum glt_status glt_storefile_check(const char *dir, struct glt_err *err)
{
	char path[PATH];
	struct stat sb;
	enum glt_status st = check_dir(dir, err);
	bool sane;
	int fd;

	if (st != GLT_OK)
		return st;
	path_of(path, dir, "store.mdb");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		if (errno == ENOENT)
			return glt_fail(err, GLT_UNAVAILABLE,
					"%s does not exist: run gltoken init, or gltoken restore", path);
		return glt_fail(err, GLT_UNAVAILABLE, "%s: %s", path, strerror(errno));
	}
	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || sb.st_uid != geteuid() || (sb.st_mode & 077) != 0) {
		(void)close(fd);
		return glt_fail(err, GLT_UNAVAILABLE, "%s must be a regular file of uid %lu, mode 0600", path,
				(unsigned long)geteuid());
	}
	sane = metas_sane(fd, (uint64_t)sb.st_size);
	(void)close(fd);
	if (!sane)
		return glt_fail(err, GLT_DAMAGED, "%s is damaged or cut short: run gltoken restore with a backup",
				path);
	return GLT_OK;
}

enum glt_status glt_storefile_check_copy(int fd, struct glt_err *err)
{
	struct stat sb;

	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode))
		return glt_fail(err, GLT_UNAVAILABLE, "the copy is not a regular file");
	return metas_sane(fd, (uint64_t)sb.st_size)
		       ? GLT_OK
		       : glt_fail(err, GLT_DAMAGED, "the copy is damaged or cut short");
}

uint64_t glt_storefile_size(const char *path)
{
	struct stat sb;

	return stat(path, &sb) == 0 ? (uint64_t)sb.st_size : 0;
}

bool glt_storefile_is_current(const char *dir, int fd)
{
	struct stat ours, now;
	char path[PATH];

	path_of(path, dir, "store.mdb");
	return fstat(fd, &ours) == 0 && stat(path, &now) == 0 && ours.st_ino == now.st_ino &&
	       ours.st_dev == now.st_dev;
}

enum glt_status glt_storefile_write_key(const char *dir, const uint8_t key[32], struct glt_err *err)
{
	char path[PATH];
	int fd;
	bool ok;

	path_of(path, dir, "key");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return glt_fail(err, errno == EEXIST ? GLT_EXISTS : GLT_UNAVAILABLE, "%s: %s", path,
				strerror(errno));
	ok = write(fd, key, 32) == 32 && fsync(fd) == 0;
	if (close(fd) == 0 && ok)
		return GLT_OK;
	(void)unlink(path);
	return glt_fail(err, GLT_UNAVAILABLE, "%s: cannot be written", path);
}

enum glt_status glt_storefile_create_key(const char *dir, struct glt_err *err)
{
	char path[PATH];
	uint8_t key[32];
	enum glt_status st = check_dir(dir, err);

	if (st != GLT_OK)
		return st;
	path_of(path, dir, "store.mdb");
	if (access(path, F_OK) == 0)
		return glt_fail(err, GLT_EXISTS, "store %s exists already", dir);
	randombytes_buf(key, sizeof(key));
	st = glt_storefile_write_key(dir, key, err);
	sodium_memzero(key, sizeof(key));
	return st;
}

enum glt_status glt_storefile_read_key(const char *dir, uint8_t key[32], struct glt_err *err)
{
	char path[PATH];
	struct stat sb;
	ssize_t n;
	int fd;

	path_of(path, dir, "key");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return glt_fail(err, GLT_UNAVAILABLE, "%s: %s", path, strerror(errno));
	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || sb.st_uid != geteuid() || (sb.st_mode & 077) != 0 ||
	    sb.st_size != 32) {
		(void)close(fd);
		return glt_fail(err, GLT_UNAVAILABLE, "%s must be a regular file of 32 bytes, uid %lu, mode 0600",
				path, (unsigned long)geteuid());
	}
	n = read(fd, key, 32);
	(void)close(fd);
	return n == 32 ? GLT_OK : glt_fail(err, GLT_UNAVAILABLE, "%s: cannot be read", path);
}

enum glt_status glt_storefile_sync_dir(const char *dir, struct glt_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		(void)close(fd);
	return rc == 0 ? GLT_OK : glt_fail(err, GLT_UNAVAILABLE, "%s: %s", dir, strerror(errno));
}

void glt_storefile_remove(const char *dir)
{
	static const char *const names[] = {"store.mdb", "store.mdb-lock", "writer.lock", "key"};
	char path[PATH];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(path, dir, names[i]);
		(void)unlink(path);
	}
}

/* The kernel closes the files of a process that is killed in the order of their numbers: with the highest one, this
 * lock is free only after LMDB's own are. */
#define TURN_FD 64

enum glt_status glt_storefile_turn(const char *dir, int *fd, struct glt_err *err)
{
	int low = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), rc;

	*fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, TURN_FD);
	if (low >= 0)
		(void)close(low);
	if (*fd < 0)
		return glt_fail(err, GLT_UNAVAILABLE, "store %s: %s", dir, strerror(errno));
	while ((rc = flock(*fd, LOCK_EX)) != 0 && errno == EINTR)
		;
	if (rc == 0)
		return GLT_OK;
	(void)close(*fd);
	return glt_fail(err, GLT_UNAVAILABLE, "store %s: %s", dir, strerror(errno));
}

void glt_storefile_turn_end(int fd)
{
	if (fd < 0)
		return;
	(void)flock(fd,
		    LOCK_UN); /* a copy of the descriptor, in a child or one that would not close, must not keep it */
	(void)close(fd);
}

static int64_t ms_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum glt_status glt_storefile_gate(const char *dir, int *fd, struct glt_err *err)
{
	const struct timespec nap = {0, 2 * 1000 * 1000};
	const int64_t until = ms_now() + GATE_WAIT_MS;
	char path[PATH];

	path_of(path, dir, "writer.lock");
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (*fd < 0)
		return glt_fail(err, GLT_UNAVAILABLE, "%s: %s", path, strerror(errno));
	while (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || ms_now() >= until) {
			int why = errno;

			(void)close(*fd);
			*fd = -1;
			if (why == EWOULDBLOCK)
				return glt_fail(err, GLT_BUSY, "store %s: another writer has held it for %d s",
						dir, GATE_WAIT_MS / 1000);
			return glt_fail(err, GLT_UNAVAILABLE, "%s: %s", path, strerror(why));
		}
		(void)nanosleep(&nap, NULL);
	}
	return GLT_OK;
}
