/* SPDX-License-Identifier: MIT */
#include "conf_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- one file ---- */

struct pile { /* all files in one */
	char *text;
	size_t len, room;
};

static bool make_room(struct pile *p, size_t more)
{
	void *grown;

	if (p->room - p->len >= more)
		return true;
	grown = realloc(p->text, p->len + more);
	if (!grown)
		return false;
	p->text = grown;
	p->room = p->len + more;
	return true;
}

static bool add(struct pile *p, const char *a, const char *b, const char *c)
{
	const size_t len = strlen(a) + strlen(b) + strlen(c);

	if (!make_room(p, len + 1))
		return false;
	(void)snprintf(p->text + p->len, len + 1, "%s%s%s", a, b, c);
	p->len += len;
	return true;
}

/* To the end of the file, or one byte more than it may have. */
static bool add_all(struct pile *p, int fd)
{
	const size_t start = p->len;
	struct stat sb;
	ssize_t n = 1;

	if (fstat(fd, &sb) != 0 || !make_room(p, (size_t)(sb.st_size < 32768 ? sb.st_size : 32768) + 64))
		return false;
	while (n != 0 && p->len - start <= GLT_CONF_SIZE) {
		if (p->len == p->room && !make_room(p, 8192))
			return false;
		n = read(fd, p->text + p->len, p->room - p->len);
		if (n < 0 && errno != EINTR)
			return false;
		p->len += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static enum glt_status parse(const struct pile *p, size_t start, const char *name, struct glt_conf *conf,
			     struct glt_err *err)
{
	const size_t len = p->len - start;
	FILE *f;

	if (len > GLT_CONF_SIZE)
		return glt_fail(err, GLT_INVALID, "%s: has over %zu bytes", name, GLT_CONF_SIZE);
	if (len && memchr(p->text + start, '\0', len))
		return glt_fail(err, GLT_INVALID, "%s: holds a NUL byte", name);
	/* An empty buffer cannot be opened. */
	f = len ? fmemopen(p->text + start, len, "r") : fopen("/dev/null", "re");
	return f ? glt_conf_add(f, name, conf, err)
		 : glt_fail(err, GLT_UNAVAILABLE, "%s: %s", name, strerror(errno));
}

/* name: what it is called; path: where it is read. */
static enum glt_status take_file(struct pile *p, const char *name, const char *path, struct glt_conf *conf,
				 struct glt_err *err)
{
	FILE *f = glt_conf_open(path, err);
	enum glt_status st;
	size_t start;

	if (!f)
		return err->status;
	if (add(p, "# ", name, "\n") && (start = p->len, add_all(p, fileno(f))))
		st = parse(p, start, name, conf, err);
	else
		st = glt_fail(err, GLT_UNAVAILABLE, "%s: cannot be read", name);
	(void)fclose(f);
	return st == GLT_OK && !add(p, "\n", "", "") ? glt_fail(err, GLT_UNAVAILABLE, "no memory for %s", name)
						     : st;
}

/* ---- conf.d ---- */

static int is_conf(const struct dirent *d)
{
	const size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && strcmp(d->d_name + len - 5, ".conf") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* the same in every language */
}

/* GLT_NOT_FOUND: there is none. */
static enum glt_status trust_folder(const char *folder, struct glt_err *err)
{
	struct stat sb;

	if (stat(folder, &sb) != 0)
		return glt_fail(err, errno == ENOENT ? GLT_NOT_FOUND : GLT_UNAVAILABLE, "%s: %s", folder,
				strerror(errno));
	if (!S_ISDIR(sb.st_mode) || (sb.st_uid != 0 && sb.st_uid != geteuid()) || (sb.st_mode & 022) != 0)
		return glt_fail(err, GLT_UNAVAILABLE,
				"%s: must be a folder of root that group and others cannot write", folder);
	return GLT_OK;
}

static const char *place_of(const char *file, const struct glt_conf_edited *edited)
{
	return edited && strcmp(edited->file, file) == 0 ? edited->from : file;
}

static enum glt_status take_folder(struct pile *pile, const char *main_file, const struct glt_conf_edited *edited,
				   struct glt_conf *conf, struct glt_err *err)
{
	char folder[512], path[800];
	struct dirent **names;
	const char *slash = strrchr(main_file, '/');
	bool seen = !edited || strcmp(edited->file, main_file) == 0;
	enum glt_status st;
	int n;

	(void)snprintf(folder, sizeof(folder), "%.*s/conf.d", slash ? (int)(slash - main_file) : 1,
		       slash ? main_file : ".");
	st = trust_folder(folder, err);
	n = st == GLT_OK ? scandir(folder, &names, is_conf, by_name) : 0;
	if (st == GLT_OK && n < 0)
		st = glt_fail(err, GLT_UNAVAILABLE, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (st == GLT_OK && !seen && strcmp(edited->file, path) < 0) {
			st = take_file(pile, edited->file, edited->from, conf, err); /* a new one */
			seen = true;
		}
		seen = seen || strcmp(edited->file, path) == 0;
		if (st == GLT_OK)
			st = take_file(pile, path, place_of(path, edited), conf, err);
		free(names[i]);
	}
	if (n > 0 || (st == GLT_OK && n == 0))
		free(names);
	if (st == GLT_OK && !seen)
		st = take_file(pile, edited->file, edited->from, conf, err);
	return st == GLT_NOT_FOUND && !(edited && !seen) ? GLT_OK : st;
}

static void digest(struct glt_conf *conf, const struct pile *p)
{
	(void)crypto_generichash(conf->digest, sizeof(conf->digest), (const uint8_t *)p->text, p->len, NULL, 0);
}

enum glt_status glt_conf_files(const char *main_file, const struct glt_conf_edited *edited, struct glt_conf *conf,
			       char **text, struct glt_err *err)
{
	struct pile pile = {.text = NULL};
	struct glt_err why = {.text = ""};
	enum glt_status st;

	glt_conf_begin(conf);
	st = take_file(&pile, main_file, place_of(main_file, edited), conf, &why);
	if (st == GLT_OK || st == GLT_NOT_FOUND)
		st = take_folder(&pile, main_file, edited, conf, &why);
	if (st == GLT_OK)
		st = glt_conf_end(main_file, conf, &why);
	if (st == GLT_OK && !add(&pile, "", "", ""))
		st = glt_fail(&why, GLT_UNAVAILABLE, "no memory for the configuration");
	if (st == GLT_OK)
		digest(conf, &pile);
	if (st == GLT_OK && text)
		*text = pile.text;
	else
		free(pile.text);
	return st == GLT_OK ? st : glt_fail(err, st, "%s", why.text);
}

/* ---- the copy ---- */

/* It may be as large as all files together, and so is taken without that limit. */
static bool read_copy(const char *copy, struct pile *p, struct timespec *kept)
{
	struct glt_err ignored;
	FILE *f = glt_conf_open(copy, &ignored);
	struct stat sb;
	bool ok;

	if (!f)
		return false;
	ok = fstat(fileno(f), &sb) == 0 && sb.st_size < GLT_CONF_FILES * (off_t)GLT_CONF_SIZE &&
	     make_room(p, (size_t)sb.st_size + 1) &&
	     fread(p->text, 1, (size_t)sb.st_size, f) == (size_t)sb.st_size;
	(void)fclose(f);
	if (!ok)
		return false;
	p->len = (size_t)sb.st_size;
	p->text[p->len] = '\0';
	*kept = sb.st_mtim;
	return strlen(p->text) == p->len;
}

static enum glt_status use_copy(const char *copy, struct glt_conf *conf)
{
	enum glt_status st = GLT_UNAVAILABLE;
	struct pile p = {.text = NULL};
	FILE *f;

	glt_conf_begin(conf);
	if (read_copy(copy, &p, &conf->kept)) {
		f = p.len ? fmemopen(p.text, p.len, "r") : fopen("/dev/null", "re");
		st = f ? glt_conf_add(f, copy, conf, NULL) : GLT_UNAVAILABLE;
	}
	if (st == GLT_OK)
		st = glt_conf_end(copy, conf, NULL);
	if (st == GLT_OK)
		digest(conf, &p);
	free(p.text);
	return st;
}

enum glt_status glt_conf_read(const char *main_file, const char *copy, struct glt_conf *conf, struct glt_err *err)
{
	struct glt_err why;
	enum glt_status st = glt_conf_files(main_file, NULL, conf, NULL, &why);

	if (st == GLT_OK)
		return st;
	if (use_copy(copy, conf) != GLT_OK)
		return glt_fail(err, st, "%s", why.text);
	conf->is_copy = true;
	(void)snprintf(conf->fault, sizeof(conf->fault), "%s", why.text);
	return GLT_OK;
}

enum glt_status glt_conf_keep(const char *copy, const char *text, struct glt_err *err)
{
	const size_t len = strlen(text);
	char fresh[300];
	struct pile old = {.text = NULL};
	struct timespec kept;
	bool same = read_copy(copy, &old, &kept) && strcmp(old.text, text) == 0, ok;
	int fd;

	free(old.text);
	if (same) { /* and so it is no older than what counts now */
		(void)utimensat(AT_FDCWD, copy, NULL, AT_SYMLINK_NOFOLLOW);
		return GLT_OK;
	}
	(void)snprintf(fresh, sizeof(fresh), "%s.XXXXXX", copy);
	fd = mkostemp(fresh, O_CLOEXEC);
	/* gltoken-shell reads it as its account. */
	ok = fd >= 0 && write(fd, text, len) == (ssize_t)len && fchmod(fd, 0644) == 0 && fsync(fd) == 0 &&
	     rename(fresh, copy) == 0;
	if (!ok) {
		(void)glt_fail(err, GLT_UNAVAILABLE, "cannot keep a copy of the configuration in %s: %s", copy,
			       strerror(errno));
		if (fd >= 0)
			(void)unlink(fresh);
	}
	if (fd >= 0)
		(void)close(fd);
	return ok ? GLT_OK : GLT_UNAVAILABLE;
}

/* ---- what counted last ---- */

static bool later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

bool glt_conf_counted(const struct glt_conf *conf)
{
	uint8_t last[sizeof(conf->digest)];
	char path[320];
	struct stat sb;
	bool known, same;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/conf.counted", conf->store_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	known = fd >= 0 && fstat(fd, &sb) == 0 && pread(fd, last, sizeof(last), 0) == (ssize_t)sizeof(last);
	same = known && memcmp(last, conf->digest, sizeof(last)) == 0;
	if (fd >= 0)
		(void)close(fd);
	if (conf->is_copy) /* what was validated since has had no request yet */
		return same || (known && later(conf->kept, sb.st_mtim));
	if (same)
		return true;
	/* One write of a few bytes: a torn one fits nothing, and so a copy is refused. */
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd >= 0) {
		(void)!pwrite(fd, conf->digest, sizeof(conf->digest), 0);
		(void)close(fd);
	}
	return true;
}
