/* SPDX-License-Identifier: MIT */
#include "pam_host.h"

#include "decide.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <security/pam_modules.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <syslog.h>

#include "sandbox.h"

#include <cmocka.h>

_Thread_local char host_log[65536];
_Thread_local volatile bool host_no_memory;
_Thread_local bool host_set_data_fails;
_Thread_local long host_blocks;
_Thread_local int host_putenv_fails;
_Thread_local bool (*host_call)(const char *name);

/* MODULE and PROBE are replaced. A module that ignores shows as PAM_CRED_EXPIRED, which ours never returns. */
#define AUTH(args)                                                        \
	"auth [success=done ignore=ignore default=die] MODULE " args "\n" \
	"auth [default=die] pam_debug.so auth=cred_expired\n"
#define REST(args)                                                            \
	"account [success=done ignore=ignore default=die] MODULE " args "\n"  \
	"account [default=die] pam_debug.so acct=cred_expired\n"              \
	"session [success=done ignore=ignore default=die] MODULE " args "\n"  \
	"session [default=die] pam_debug.so open_session=cred_expired\n"      \
	"password [success=done ignore=ignore default=die] MODULE " args "\n" \
	"password [default=die] pam_debug.so chauthtok=cred_expired\n"
#define ALL(args) AUTH(args) REST(args)

static const struct {
	const char *name, *text;
} services[] = {
	{"other", "auth required pam_deny.so\naccount required pam_deny.so\n"},
	{"sshd-git", ALL("")},
	{"sshd", ALL("")},
	{"gltoken", ALL("")},
	{"sshd-gi", ALL("")},
	{"sshd-gitx", ALL("")},
	{"login", ALL("")},
	{"one", ALL("services=none,one,two")},
	{"web", ALL("services=web nosession")},
	{"named", ALL("services=named service=http scope=read_repository nosession")},
	{"asks", ALL("services=asks [prompt=Your token, please: ]")},
	{"strict", ALL("services=strict require_token")},
	{"strictweb", ALL("services=strictweb nosession require_token")},
	{"verbose", ALL("services=verbose scope=api debug")},
	{"bad-argument", ALL("services=bad-argument bogus")},
	{"bad-flag", ALL("services=bad-flag nosession=1")},
	{"bad-value", ALL("services=bad-value scope=")},
	{"bad-services", ALL("services=")},
	{"bad-case", ALL("services=bad-case NoSession")},
	{"first", "auth optional PROBE authtok=allow:v1.first\n" ALL("services=first use_first_pass")},
	{"first-empty", "auth optional PROBE authtok=\n" ALL("services=first-empty use_first_pass")},
	{"first-none", ALL("services=first-none use_first_pass")},
	{"try", "auth optional PROBE authtok=allow:v1.first\n" ALL("services=try try_first_pass")},
	{"try-empty", "auth optional PROBE authtok=\n" ALL("services=try-empty try_first_pass")},
	{"try-none", ALL("services=try-none try_first_pass")},
	/* A default stack asks for itself, whatever is there. */
	{"fresh", "auth optional PROBE authtok=allow:v1.first\n" ALL("services=fresh")},
	{"leaves", "auth optional MODULE services=leaves\nauth required PROBE show\nauth required pam_permit.so\n"},
	{"leaves-first",
	 "auth optional PROBE authtok=password-of-unix\nauth optional MODULE services=leaves-first use_first_pass\n"
	 "auth required PROBE show\nauth required pam_permit.so\n"},
	{"mixed", "auth [success=done user_unknown=ignore default=die] MODULE services=mixed\n"
		  "auth required PROBE show\nauth required pam_permit.so\n" REST("services=mixed")},
};

static void write_service(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "we");
	if (!f)
		abort();
	while (*text) {
		size_t n = strcspn(text, "MP");
		fwrite(text, 1, n, f);
		text += n;
		if (strncmp(text, "MODULE", 6) == 0) {
			fputs(beside("pam_gltoken_test.so"), f);
			text += 6;
		} else if (strncmp(text, "PROBE", 5) == 0) {
			fputs(beside("pam_probe.so"), f);
			text += 5;
		} else if (*text) {
			fputc(*text++, f);
		}
	}
	if (fclose(f) != 0)
		abort();
}

int host_begin(void **state)
{
	if (sandbox_open(state) != 0 || mkdir("services", 0755) != 0)
		return -1;
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		write_service("services", services[i].name, services[i].text);
	return 0;
}

int host_end(void **state)
{
	return sandbox_close(state);
}

/* ---- what the module calls ---- */

static void __attribute__((format(printf, 2, 0))) keep_log(int priority, const char *fmt, va_list ap)
{
	size_t len = strlen(host_log);

	len += (size_t)snprintf(host_log + len, sizeof host_log - len, "<%d>", LOG_PRI(priority));
	len += (size_t)vsnprintf(host_log + len, sizeof host_log - len, fmt, ap);
	if (len >= sizeof host_log - 2)
		abort();
	strcat(host_log, "\n");
}

void __syslog_chk(int priority, int flag, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	(void)flag;
	va_start(ap, fmt);
	keep_log(priority, fmt, ap);
	va_end(ap);
}

void(syslog)(int priority, const char *fmt, ...) /* a macro where libc is fortified */
{
	va_list ap;

	va_start(ap, fmt);
	keep_log(priority, fmt, ap);
	va_end(ap);
}

int pam_putenv(pam_handle_t *pamh, const char *pair)
{
	int (*real)(pam_handle_t *, const char *) = dlsym(RTLD_NEXT, "pam_putenv");

	if ((host_putenv_fails > 0 && --host_putenv_fails == 0) || (host_call && !host_call(__func__)))
		return PAM_BUF_ERR;
	return real(pamh, pair);
}

int pam_set_data(pam_handle_t *pamh, const char *name, void *data, void (*cleanup)(pam_handle_t *, void *, int))
{
	int (*real)(pam_handle_t *, const char *, void *, void (*)(pam_handle_t *, void *, int)) =
		dlsym(RTLD_NEXT, "pam_set_data");

	if (host_set_data_fails || (host_call && !host_call(__func__)))
		return PAM_BUF_ERR;
	return real(pamh, name, data, cleanup);
}

#ifndef SANITIZED
void *__libc_calloc(size_t n, size_t size);

void *calloc(size_t n, size_t size)
{
	if ((host_no_memory && n == 1 && size > 60000) || (host_call && !host_call(__func__)))
		return NULL;
	void *block = __libc_calloc(n, size);
	host_blocks += block != NULL;
	return block;
}
#endif

/* ---- the host ---- */

static int answer(int n, const struct pam_message **messages, struct pam_response **responses, struct host *h)
{

	if (n != 1)
		return PAM_CONV_ERR;
	if (messages[0]->msg_style == PAM_ERROR_MSG || messages[0]->msg_style == PAM_TEXT_INFO) {
		snprintf(h->message, sizeof h->message, "%s", messages[0]->msg);
		*responses = calloc(1, sizeof **responses);
		return PAM_SUCCESS;
	}
	h->prompts++;
	h->style = messages[0]->msg_style;
	snprintf(h->prompt, sizeof h->prompt, "%s", messages[0]->msg);
	*responses = NULL;
	if (h->manner == NO_RESPONSE)
		return PAM_SUCCESS;
	*responses = calloc(1, sizeof **responses);
	if (h->manner != NO_TEXT)
		(*responses)->resp = strdup(h->answer);
	return h->manner == FAILS ? PAM_CONV_ERR : PAM_SUCCESS;
}

static int converse(int n, const struct pam_message **messages, struct pam_response **responses, void *data)
{
	bool (*call)(const char *) = host_call;

	host_call = NULL; /* the host's own calls work */
	int code = answer(n, messages, responses, data);
	host_call = call;
	return code;
}

void host_forget(void)
{
	host_log[0] = '\0';
	int fd = open("asked", O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

const char *host_asked(void)
{
	static char text[65536];

	int fd = open("asked", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

void host_open(struct host *h, const char *service, const char *user)
{
	struct pam_conv conv = {.conv = converse, .appdata_ptr = h};

	host_no_memory = host_set_data_fails = false;
	host_putenv_fails = 0;
	*h = (struct host){.answer = "nothing"};
	host_forget();
	assert_int_equal(pam_start_confdir(service, user, &conv, "services", &h->pamh), PAM_SUCCESS);
	assert_int_equal(pam_set_item(h->pamh, PAM_RHOST, "192.0.2.7"), PAM_SUCCESS);
}

void host_close(struct host *h)
{
	assert_int_equal(pam_end(h->pamh, PAM_SUCCESS), PAM_SUCCESS);
}

void host_expect(struct host *h, enum pamtest_ops op, int flags, int code, const char *name, const char *file,
		 int line)
{
	struct pam_testcase cases[] = {
		pam_test_flags(op, code, flags),
		pam_test(PAMTEST_KEEPHANDLE, PAM_SUCCESS),
	};

	enum pamtest_err err = _pamtest_conv(NULL, NULL, converse, h, cases, 2, h->pamh);
	if (cases[0].op_rv == code && (err == PAMTEST_ERR_OK || err == PAMTEST_ERR_KEEPHANDLE))
		return;
	print_error("%s returned %d (%s) instead of %d (%s)\n%s", name, cases[0].op_rv,
		    pam_strerror(h->pamh, cases[0].op_rv), code, pam_strerror(h->pamh, code), host_log);
	_fail(file, line);
}

/* ---- what tests look at ---- */

const char *const host_reasons[] = {
#define NAME(sym, name, text) name,
	GLT_REASONS(NAME)
#undef NAME
		NULL,
};

bool host_trouble(const char *reason)
{
	static const char *const trouble[] = {"unavailable", "busy", "config_error", "no_privilege",
					      "damaged_record"};

	for (size_t i = 0; i < sizeof trouble / sizeof *trouble; i++)
		if (strcmp(reason, trouble[i]) == 0)
			return true;
	return false;
}

const char *host_session(const struct host *h)
{
	return pam_getenv(h->pamh, "GLTOKEN_SESSION");
}

void host_preset(struct host *h, const char *pair)
{
	assert_int_equal(pam_putenv(h->pamh, pair), PAM_SUCCESS);
}

void assert_logged(const char *text)
{
	if (!strstr(host_log, text))
		fail_msg("not in the log: %s\n%s", text, host_log);
}

void assert_not_logged(const char *text)
{
	if (strstr(host_log, text))
		fail_msg("in the log: %s\n%s", text, host_log);
}

int host_log_lines(void)
{
	int n = 0;

	for (const char *p = host_log; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}
