/* SPDX-License-Identifier: MIT */
/*
 * How core says what went wrong: a status for programs, a text for people.
 *
 * Core never logs, never prints and never exits. A function that can fail returns a status and, if it is
 * not GLT_OK, has filled the caller's struct glt_err with one sentence that names the input and the rule.
 * No text ever holds a secret.
 */
#ifndef GLT_STATUS_H
#define GLT_STATUS_H

enum glt_status {
	GLT_OK = 0,
	GLT_INVALID,     /* the input breaks a rule */
	GLT_NOT_FOUND,   /* what was named does not exist */
	GLT_EXISTS,      /* what was to be made is there already */
	GLT_REFUSED,     /* well formed, but policy or state forbids it */
	GLT_BUSY,        /* a bounded wait ran out; trying again may help */
	GLT_UNAVAILABLE, /* store, directory, disk or memory cannot be used now */
	GLT_DAMAGED,     /* stored data fails its checksum or contradicts itself */
};

struct glt_err {
	enum glt_status status;
	char text[512]; /* UTF-8, one line, no trailing newline; cut if longer */
};

void glt_err_set(struct glt_err *err, enum glt_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static inline enum glt_status glt_status_same(enum glt_status status)
{
	return status;
}
/* Fill *err and return status, so that callers can write `return glt_fail(...)`. err may be NULL. A macro, for an
 * analyzer must see in the caller that the result is not GLT_OK. */
#define glt_fail(err, status, ...) (glt_err_set((err), (status), __VA_ARGS__), glt_status_same(status))

#endif
