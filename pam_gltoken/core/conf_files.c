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
	FILE *f;
	char *text;
	size_t len;
};

static enum glt_status take_text(struct pile *pile, const char *name, char *text, size_t len,
				 struct glt_conf *conf, struct glt_err *err)
{
	/* An empty buffer cannot be opened. */
	FILE *f = len ? fmemopen(text, len, "r") : fopen("/dev/null", "re");

	if (!f)
		return glt_fail(err, GLT_UNAVAILABLE, "%s: %s", name, strerror(errno));
	(void)fprintf(pile->f, "# %s\n%.*s\n", name, (int)len, text);
	return glt_conf_add(f, name, conf, err);
}

/* name: what it is called; path: where it is read. */
static enum glt_status take_file(struct pile *pile, const char *name, const char *path, struct glt_conf *conf,
				 struct glt_err *err)
{
	enum glt_status st;
	char *text;
	size_t len;
	FILE *f = glt_conf_open(path, err);

	if (!f)
		return err->status;
	text = malloc(GLT_CONF_SIZE + 1);
	len = text ? fread(text, 1, GLT_CONF_SIZE + 1, f) : 0;
	if (!text || ferror(f))
		st = glt_fail(err, GLT_UNAVAILABLE, "%s: cannot be read", name);
	else if (len > GLT_CONF_SIZE)
		st = glt_fail(err, GLT_INVALID, "%s: has over %zu bytes", name, GLT_CONF_SIZE);
	else if (memchr(text, '\0', len))
		st = glt_fail(err, GLT_INVALID, "%s: holds a NUL byte", name);
	else
		st = take_text(pile, name, text, len, conf, err);
	(void)fclose(f);
	free(text);
	return st;
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

enum glt_status glt_conf_files(const char *main_file, const struct glt_conf_edited *edited, struct glt_conf *conf,
			       char **text, struct glt_err *err)
{
	struct pile pile = {.text = NULL};
	struct glt_err why = {.text = ""};
	enum glt_status st;

	glt_conf_begin(conf);
	pile.f = open_memstream(&pile.text, &pile.len);
	if (!pile.f)
		return glt_fail(err, GLT_UNAVAILABLE, "no memory for the configuration");
	st = take_file(&pile, main_file, place_of(main_file, edited), conf, &why);
	if (st == GLT_OK || st == GLT_NOT_FOUND)
		st = take_folder(&pile, main_file, edited, conf, &why);
	if (st == GLT_OK)
		st = glt_conf_end(main_file, conf, &why);
	if (fclose(pile.f) != 0 && st == GLT_OK)
		st = glt_fail(&why, GLT_UNAVAILABLE, "no memory for the configuration");
	if (st == GLT_OK)
		(void)crypto_generichash(conf->digest, sizeof(conf->digest), (const uint8_t *)pile.text, pile.len,
					 NULL, 0);
	if (st == GLT_OK && text)
		*text = pile.text;
	else
		free(pile.text);
	return st == GLT_OK ? st : glt_fail(err, st, "%s", why.text);
}

/* ---- the copy ---- */

static char *read_copy(const char *copy, struct glt_conf *conf)
{
	struct glt_err ignored;
	FILE *f = glt_conf_open(copy, &ignored);
	struct stat sb;
	char *text = f ? calloc(1, 4 * GLT_CONF_SIZE) : NULL;
	size_t len = text ? fread(text, 1, 4 * GLT_CONF_SIZE - 1, f) : 0;

	if (text &&
	    (ferror(f) || len == 4 * GLT_CONF_SIZE - 1 || strlen(text) != len || fstat(fileno(f), &sb) != 0)) {
		free(text);
		text = NULL;
	} else if (text) {
		conf->kept_at = sb.st_mtime;
	}
	if (f)
		(void)fclose(f);
	return text;
}

static enum glt_status use_copy(const char *copy, struct glt_conf *conf)
{
	struct pile nowhere = {.f = fopen("/dev/null", "we")};
	enum glt_status st = GLT_UNAVAILABLE;
	char *text;

	glt_conf_begin(conf);
	text = read_copy(copy, conf);
	if (text && nowhere.f) {
		size_t len = strlen(text);

		st = take_text(&nowhere, copy, text, len, conf, NULL);
		if (st == GLT_OK)
			st = glt_conf_end(copy, conf, NULL);
		(void)crypto_generichash(conf->digest, sizeof(conf->digest), (const uint8_t *)text, len, NULL, 0);
	}
	if (nowhere.f)
		(void)fclose(nowhere.f);
	free(text);
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
	struct glt_conf *unused = calloc(1, sizeof(*unused));
	char *old = unused ? read_copy(copy, unused) : NULL;
	bool same = old && strcmp(old, text) == 0, ok;
	int fd;

	free(old);
	free(unused);
	if (same)
		return GLT_OK;
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

bool glt_conf_counted(const struct glt_conf *conf)
{
	uint8_t last[sizeof(conf->digest)];
	char path[320];
	bool same;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/conf.counted", conf->store_dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	same = fd >= 0 && pread(fd, last, sizeof(last), 0) == (ssize_t)sizeof(last) &&
	       memcmp(last, conf->digest, sizeof(last)) == 0;
	if (fd >= 0)
		(void)close(fd);
	if (same || conf->is_copy)
		return same;
	/* One write of a few bytes: a torn one fits nothing, and so a copy is refused. */
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd >= 0) {
		(void)!pwrite(fd, conf->digest, sizeof(conf->digest), 0);
		(void)close(fd);
	}
	return true;
}
