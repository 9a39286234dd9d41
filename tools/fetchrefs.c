/* SPDX-License-Identifier: MIT */
#include "fetchrefs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WANTS_MAX 4096 /* more are counted and not looked for */
#define LOOSE_MAX 1000 /* files: git would read them faster from a packed one, too */
#define DEPTH_MAX 16
#define HEX_MAX 64

static struct {
	const char *want[WANTS_MAX]; /* sorted, each of hex digits */
	size_t n, all, hex;
	char refs[GLT_LOG_VALUE_MAX + 64]; /* what is cut is told by glt_log_add() */
	int loose;
} asked;

struct text {
	const char *p;
	size_t len;
};

/* Empty: it is not there, or too large to be looked at. */
static struct text map(int fd)
{
	struct stat sb;
	void *p = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) && sb.st_size > 0 && sb.st_size < 64 << 20)
		p = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? (struct text){NULL, 0} : (struct text){p, (size_t)sb.st_size};
}

static bool next_line(struct text *rest, struct text *line)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->p, '\n', rest->len);
	*line = (struct text){rest->p, end ? (size_t)(end - rest->p) : rest->len};
	rest->p += line->len + (end ? 1 : 0);
	rest->len -= line->len + (end ? 1 : 0);
	return true;
}

/* ---- what is asked for ---- */

static int by_hex(const void *a, const void *b)
{
	return memcmp(*(const char *const *)a, *(const char *const *)b, asked.hex);
}

/* Behind "--not" stands what the client has. */
static void read_list(struct text list)
{
	struct text line;

	while (next_line(&list, &line) && !(line.len == 5 && memcmp(line.p, "--not", 5) == 0)) {
		if ((line.len != 40 && line.len != HEX_MAX) || (asked.hex && line.len != asked.hex))
			continue; /* --shallow ... */
		asked.hex = line.len;
		if (asked.n < WANTS_MAX)
			asked.want[asked.n++] = line.p;
		asked.all++;
	}
	qsort(asked.want, asked.n, sizeof(asked.want[0]), by_hex);
}

/* ---- whose they are ---- */

static bool is_asked(const char *hex)
{
	return bsearch(&hex, asked.want, asked.n, sizeof(asked.want[0]), by_hex) != NULL;
}

static void name_it(const char *name, size_t len)
{
	size_t used = strlen(asked.refs);

	(void)snprintf(asked.refs + used, sizeof(asked.refs) - used, "%s%.*s", used ? " " : "", (int)len, name);
}

/* "OID NAME", "^OID" of a tag's object, and comments. A name that has a file of its own has another tip since. */
static void look_in_packed(int repository)
{
	int fd = openat(repository, "packed-refs", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct text packed = map(fd), line;
	char name[1024];

	while (next_line(&packed, &line)) {
		if (line.len < asked.hex + 2 || line.p[asked.hex] != ' ' || !is_asked(line.p))
			continue;
		line.p += asked.hex + 1;
		line.len -= asked.hex + 1;
		(void)snprintf(name, sizeof(name), "%.*s", (int)line.len, line.p);
		if (line.len < sizeof(name) && faccessat(repository, name, F_OK, 0) != 0)
			name_it(line.p, line.len);
	}
	if (fd >= 0)
		(void)close(fd);
}

static void look_in_file(int dir, const char *file, const char *name)
{
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char hex[HEX_MAX];
	ssize_t n = fd < 0 ? -1 : read(fd, hex, sizeof(hex));

	if (n >= (ssize_t)asked.hex && is_asked(hex))
		name_it(name, strlen(name));
	if (fd >= 0)
		(void)close(fd);
}

static void look_in_folder(int parent, const char *file, const char *name, int depth)
{
	int fd = openat(parent, file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	while (dir && (e = readdir(dir)) && asked.loose < LOOSE_MAX) {
		char path[1024];

		if (e->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", name, e->d_name) >= (int)sizeof(path))
			continue;
		asked.loose++;
		if (e->d_type == DT_DIR && depth < DEPTH_MAX)
			look_in_folder(fd, e->d_name, path, depth + 1);
		else if (e->d_type == DT_REG)
			look_in_file(fd, e->d_name, path);
	}
	if (dir)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
}

bool glt_fetchrefs_take(void)
{
	int fd = memfd_create("wants", MFD_CLOEXEC);
	struct text list = {NULL, 0};
	bool any = false, whole;
	ssize_t n = -1;

	/* What is not a pipe is left as it is. */
	while (fd >= 0 && ((n = splice(STDIN_FILENO, NULL, fd, NULL, 1 << 20, 0)) > 0 || (n < 0 && errno == EINTR)))
		any = any || n > 0;
	whole = n == 0 && lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) == 0;
	if (whole)
		list = map(fd);
	if (fd >= 0)
		(void)close(fd);
	read_list(list);
	return whole || !any;
}

void glt_fetchrefs_find(void)
{
	const char *git_dir = getenv("GIT_DIR");
	int fd = asked.n ? open(git_dir ? git_dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	look_in_packed(fd);
	look_in_folder(fd, "refs", "refs", 0);
	(void)close(fd);
}

void glt_fetchrefs_add(struct glt_log_line *line)
{
	char number[24];

	if (asked.all == 0)
		return;
	(void)snprintf(number, sizeof(number), "%zu", asked.all);
	glt_log_add(line, "wants", number);
	glt_log_add(line, "refs", asked.refs[0] ? asked.refs : NULL);
}
