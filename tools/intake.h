/* SPDX-License-Identifier: MIT */
/*
 * What `gltoken import` takes over from the files of other programs: statements of `gltoken apply`, and notes on what
 * none could be made of. A file is not trusted: a line that is too long or holds control characters refuses it, and
 * what is not understood, or would grant more than it says, becomes a note.
 */
#ifndef GLT_INTAKE_H
#define GLT_INTAKE_H

#include "applyfile.h"

#include <stdio.h>

#define GLT_INTAKE_MAX 20000 /* statements, and notes */
#define GLT_INTAKE_LINE 16384

struct glt_intake_note {
	char *where; /* a file, for keydir; or NULL */
	unsigned line;
	char *text;
};

struct glt_intake {
	struct glt_applyfile file;
	struct glt_intake_note *v;
	size_t n, room;
	const char *where;
	bool rw_as_developer;
};

void glt_intake_free(struct glt_intake *in);
/* The same note of the same line is made once. */
void glt_intake_note(struct glt_intake *in, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* One statement, or a note why it cannot be one. GLT_INVALID: there are too many, GLT_UNAVAILABLE: cannot tell now. */
enum glt_status glt_intake_state(struct glt_intake *in, unsigned line, const char *text, struct glt_err *err);
/* "user NAME" for each who has no account of this system; after all others. */
enum glt_status glt_intake_users(struct glt_intake *in, struct glt_err *err);

/* The next line without its end, and its number; NULL at the end, and with *st where the file is refused. */
char *glt_intake_line(FILE *f, char buf[GLT_INTAKE_LINE], unsigned *number, enum glt_status *st,
		      struct glt_err *err);

enum glt_status glt_intake_gitolite(FILE *f, struct glt_intake *in, struct glt_err *err);
enum glt_status glt_intake_htpasswd(FILE *f, struct glt_intake *in, struct glt_err *err);
enum glt_status glt_intake_authorized_keys(FILE *f, const char *user, struct glt_intake *in, struct glt_err *err);
/* All *.pub below the folder, named as gitolite names its users' keys. */
enum glt_status glt_intake_keydir(const char *path, struct glt_intake *in, struct glt_err *err);

#endif
