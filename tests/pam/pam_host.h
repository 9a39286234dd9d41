/* SPDX-License-Identifier: MIT */
/*
 * A host for the module: real libpam reading service files that the test wrote, a conversation that answers as it
 * is told, what went to syslog, and two calls of libc and libpam that can be made to fail.
 */
#ifndef GLT_TEST_PAM_HOST_H
#define GLT_TEST_PAM_HOST_H

#include <libpamtest.h>
#include <stdbool.h>

enum manner {
	ANSWERS,
	NO_RESPONSE, /* PAM_SUCCESS, but no response at all */
	NO_TEXT,     /* a response without a text */
	FAILS,       /* PAM_CONV_ERR, though with a response */
};

struct host {
	pam_handle_t *pamh;
	enum manner manner;
	const char *answer;
	int prompts; /* how often it was asked */
	int style;   /* by what */
	char prompt[256];
	char message[256]; /* what it was told */
};

/* Set-up and tear-down of the group: service files, and the folder where the helper leaves what it was asked. */
int host_begin(void **state);
int host_end(void **state);

void host_open(struct host *h, const char *service, const char *user);
void host_close(struct host *h);

/* Run one operation with libpamtest and compare its code. */
#define expect(h, op, code) host_expect(h, op, 0, code, #op, __FILE__, __LINE__)
#define expect_flags(h, op, flags, code) host_expect(h, op, flags, code, #op, __FILE__, __LINE__)
void host_expect(struct host *h, enum pamtest_ops op, int flags, int code, const char *name, const char *file,
		 int line);

/* All since the last host_open() or host_forget() of this thread. What stands below as a variable is each thread's. */
extern _Thread_local char host_log[65536];
const char *host_asked(void); /* requests as the helper read them; "" where it was not asked */
void host_forget(void);

extern _Thread_local volatile bool host_no_memory; /* for the module's large object; volatile: calloc is a builtin */
extern _Thread_local long host_blocks;             /* of memory that are held, where the test counts */
extern _Thread_local int host_putenv_fails;        /* n > 0: the n-th pam_putenv from now; then counts down */
extern _Thread_local bool host_set_data_fails;
extern _Thread_local bool (*host_call)(
	const char *name); /* NULL, or asked before each call that can fail: false, and it does */

extern const char *const host_reasons[]; /* all of decide.h, and NULL */
bool host_trouble(const char *reason);   /* not a refusal, but trouble */
const char *host_session(const struct host *h);
void host_preset(struct host *h, const char *pair); /* PAM's environment before the module */
void assert_logged(const char *text);
void assert_not_logged(const char *text);
int host_log_lines(void);

#endif
