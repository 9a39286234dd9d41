/* SPDX-License-Identifier: MIT */
#include "bulk_out.h"

#include "csv.h"
#include "secret.h"
#include "tokens.h"
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TITLES "id,holder,name,token\n"

static int refuse(const struct glt_cli *cli, struct glt_bulk_out *o, const char *why)
{
	glt_cli_warn(cli, "--output %s: %s", o->path, why);
	glt_bulk_out_close(o);
	return GLT_EXIT_DENIED;
}

int glt_bulk_out_open(const struct glt_cli *cli, const struct glt_bulk *bulk, struct glt_bulk_out *o)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	struct stat sb;

	*o = (struct glt_bulk_out){.path = bulk->output, .json = cli->format == GLT_FORMAT_JSON};
	o->fd = open(o->path, bulk->resume ? flags | O_NONBLOCK : flags | O_CREAT | O_EXCL, 0600);
	if (o->fd < 0)
		return refuse(cli, o,
			      errno == EEXIST ? "is there already: nothing was issued (--resume goes on with it)"
					      : strerror(errno));
	if (fstat(o->fd, &sb) != 0 || !S_ISREG(sb.st_mode) || sb.st_uid != geteuid() || (sb.st_mode & 077) != 0)
		return refuse(cli, o, "must be a regular file of yours, mode 0600");
	return GLT_EXIT_OK;
}

/* The last token of the line: a name may look like one too. */
static bool find_token(const struct glt_cli *cli, const char *line, size_t len, struct glt_token_text *text)
{
	struct glt_token_text found;
	size_t pos = 0;
	bool any = false;

	while (glt_token_find(line, len, cli->conf.prefixes, &pos, &found)) {
		*text = found;
		any = true;
	}
	glt_token_wipe(&found);
	return any;
}

enum line { NOT_ISSUED, ISSUED, OF_ANOTHER_ROW };

/* Did this line's token come about, and for the next row? */
static enum line check_line(const struct glt_cli *cli, const char *line, size_t len, struct glt_rows *rows)
{
	enum line what = NOT_ISSUED;
	struct glt_token_text text;
	Glt__Token *t = NULL;
	struct glt_txn *txn;
	struct glt_row row;

	if (!find_token(cli, line, len, &text) || glt_txn_begin(cli->store, false, &txn, NULL) != GLT_OK)
		return what;
	if (glt_token_by_selector(txn, text.selector, &t, NULL) == GLT_OK &&
	    glt_secret_plausible(cli->store, t, &text)) {
		what = OF_ANOTHER_ROW;
		if (glt_rows_next(rows, &row)) {
			if (strcmp(row.req.name, t->name) == 0 && strcmp(row.req.target, glt_token_holder(t)) == 0)
				what = ISSUED;
			glt_row_free(rows, &row);
		}
	}
	glt_txn_end(txn);
	glt_token_free(t);
	glt_token_wipe(&text);
	return what;
}

/* Up to the first line that is not whole, or whose token is not in the store. */
static enum line read_lines(const struct glt_cli *cli, FILE *f, struct glt_bulk_out *o, struct glt_rows *rows,
			    uint64_t *done)
{
	enum line what = ISSUED;
	bool titles = !o->json;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while (what == ISSUED && (n = getline(&line, &room, f)) > 0 && line[n - 1] == '\n') {
		if (titles)
			what = strcmp(line, TITLES) == 0 ? ISSUED : NOT_ISSUED;
		else
			what = check_line(cli, line, (size_t)n, rows);
		if (what != ISSUED)
			break;
		*done += !titles;
		titles = false;
		o->whole += (uint64_t)n;
	}
	if (line)
		explicit_bzero(line, room);
	free(line);
	return what;
}

int glt_bulk_out_resume(const struct glt_cli *cli, struct glt_bulk_out *o, struct glt_rows *rows, uint64_t *done)
{
	int fd = dup(o->fd);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	enum line what;

	*done = 0;
	if (!f)
		return refuse(cli, o, strerror(errno));
	what = read_lines(cli, f, o, rows, done);
	(void)fclose(f);
	if (what == OF_ANOTHER_ROW) {
		glt_cli_warn(cli,
			     "--output %s: its token %" PRIu64 " is not what row %" PRIu64
			     " asks for: it is not of this run",
			     o->path, *done + 1, *done + 1);
		return GLT_EXIT_DENIED;
	}
	return ftruncate(o->fd, (off_t)o->whole) == 0 ? GLT_EXIT_OK : refuse(cli, o, strerror(errno));
}

bool glt_bulk_out_add(struct glt_bulk_out *o, const Glt__Token *t, const struct glt_token_text *text)
{
	char token[GLT_TOKEN_MAX + 1];
	bool ok;

	if (!o->f)
		o->f = open_memstream(&o->text, &o->size);
	if (!o->f)
		return false;
	glt_token_format(text, token);
	if (o->json) {
		json_t *j = json_object();
		char *s;

		(void)json_object_set_new(j, "id", json_integer((json_int_t)t->id));
		(void)json_object_set_new(j, "holder", glt_json_text(glt_token_holder(t)));
		(void)json_object_set_new(j, "name", glt_json_text(t->name));
		(void)json_object_set_new(j, "token", glt_json_text(token));
		s = json_dumps(j, JSON_COMPACT);
		json_decref(j);
		ok = s && fprintf(o->f, "%s\n", s) > 0;
		if (s)
			explicit_bzero(s, strlen(s));
		free(s);
	} else {
		ok = (o->whole || ftell(o->f) || fputs(TITLES, o->f) >= 0) &&
		     fprintf(o->f, "%" PRIu64 ",", t->id) > 0 && glt_csv_put(o->f, glt_token_holder(t)) &&
		     putc(',', o->f) != EOF && glt_csv_put(o->f, t->name) && fprintf(o->f, ",%s\n", token) > 0;
	}
	explicit_bzero(token, sizeof(token));
	return ok;
}

bool glt_bulk_out_sync(struct glt_bulk_out *o)
{
	bool ok = o->f && fflush(o->f) == 0;

	for (size_t at = 0; ok && at < o->size;) {
		ssize_t n = pwrite(o->fd, o->text + at, o->size - at, (off_t)(o->whole + at));

		ok = n > 0 || (n < 0 && errno == EINTR);
		at += n > 0 ? (size_t)n : 0;
	}
	return ok && fdatasync(o->fd) == 0;
}

static void drop(struct glt_bulk_out *o)
{
	if (!o->f)
		return;
	(void)fclose(o->f);
	explicit_bzero(o->text, o->size);
	free(o->text);
	o->f = NULL;
	o->text = NULL;
}

void glt_bulk_out_take_back(struct glt_bulk_out *o)
{
	drop(o);
	(void)!ftruncate(o->fd, (off_t)o->whole);
}

void glt_bulk_out_keep(struct glt_bulk_out *o)
{
	o->whole += o->size;
	drop(o);
}

void glt_bulk_out_close(struct glt_bulk_out *o)
{
	drop(o);
	if (o->fd >= 0)
		(void)close(o->fd);
	o->fd = -1;
}
