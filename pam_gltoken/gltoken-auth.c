/* SPDX-License-Identifier: MIT */
/*
 * gltoken-auth: one request on stdin, one verdict on stdout, exit. The only program on the request path that
 * opens the store.
 *
 * Threat model. It is setuid root and any member of group gltoken may run it, with any environment, limits,
 * signals, descriptors and input. Root is used for two things: to take away what the caller set up (limits,
 * nice value, session), and to become uid gltoken, which the caller can neither signal, trace nor renice.
 * Nothing of ours is opened before that (a missing /run/gltoken is made). A setgid helper would keep the
 * caller's uid, and any caller could stop it inside LMDB's locks; a setuid-gltoken one would make whoever
 * takes over uid gltoken able to rewrite what root runs.
 */
#include "auth.h"

#include "account.h"
#include "conf_files.h"
#include "pam_log.h"
#include "privdrop.h"
#include "publish.h"
#include "rundir.h"
#include "stale.h"
#include "when.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define LIFETIME_S 20
#define REQUEST_S 5 /* who connects to the socket and says nothing holds a place no longer */

extern char **environ;

/* A store that became fd 1 would be written into by the reply. */
static void open_std_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			_exit(3);
	(void)close_range(3, ~0U, 0);
}

/* Best effort: a hard limit can be raised only while we are root, and each failure only makes us slower to
 * deny. */
static void reset_process(void)
{
	static const int resources[] = {RLIMIT_AS,      RLIMIT_CPU,   RLIMIT_DATA,   RLIMIT_FSIZE,
					RLIMIT_MEMLOCK, RLIMIT_STACK, RLIMIT_NOFILE, RLIMIT_NPROC};
	/* Whose handler a caller had is default again after exec; of those that it may have ignored, these matter. */
	static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGALRM,
				      SIGTERM, SIGCHLD, SIGXCPU, SIGUSR1, SIGUSR2};
	const struct rlimit none = {0, 0};
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t empty;

	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
		struct rlimit wide = {RLIM_INFINITY, RLIM_INFINITY};

		if (resources[i] == RLIMIT_NOFILE)
			wide.rlim_cur = wide.rlim_max = 1024;
		if (resources[i] == RLIMIT_STACK)
			wide.rlim_cur = 8 << 20;
		(void)setrlimit(resources[i], &wide);
	}
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setpriority(PRIO_PROCESS, 0, 0);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &dfl, NULL);
	(void)signal(SIGXFSZ, SIG_IGN); /* where that limit stays, write() says so too, and the denial is clean */
	(void)sigemptyset(&empty);
	(void)sigprocmask(SIG_SETMASK, &empty, NULL);
	(void)umask(077);
	(void)setsid();
	if (chdir("/") != 0)
		_exit(3);
}

/* Until an empty line or end of file. False: too long, or cannot be read. */
static bool read_request(struct glt_message *m)
{
	while (m->len < GLT_WIRE_REQUEST_MAX) {
		ssize_t n = read(STDIN_FILENO, m->text + m->len, GLT_WIRE_REQUEST_MAX - m->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		m->len += (size_t)n;
		if (n == 0 || (m->len >= 2 && memcmp(m->text + m->len - 2, "\n\n", 2) == 0))
			return true;
	}
	return false;
}

static void write_reply(struct auth *a)
{
	size_t done = 0;

	if (a->replied)
		return;
	a->replied = true;
	if (a->reply.bad) { /* a record held what may not pass: say so rather than something half */
		glt_message_wipe(&a->reply);
		glt_message_init(&a->reply);
		auth_deny(a, GLT_WHY_DAMAGED, "the reply cannot be written");
	}
	glt_message_add(&a->reply, "log", a->conf.log_json ? "json" : NULL);
	glt_message_add(&a->reply, "verdict", a->allow ? "allow" : "deny");
	while (done < a->reply.len) {
		ssize_t n = write(STDOUT_FILENO, a->reply.text + done, a->reply.len - done);

		if (n <= 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
}

/* These two are filled once from their beginning; what lies behind was never written, and is not made to be wiped. */
static void wipe_used(struct glt_message *m)
{
	explicit_bzero(m->text, m->len < sizeof(m->text) ? m->len : sizeof(m->text));
}

/* Who may be believed. A caller without an account may still ask: nothing is believed from it. */
static enum glt_status know_caller(struct auth *a, struct glt_err *err)
{
	struct glt_account account;
	enum glt_status st;

	a->root = a->caller == 0;
	if (a->root)
		return GLT_OK;
	st = glt_account_by_uid(a->caller, &account, err);
	if (st == GLT_NOT_FOUND)
		return GLT_OK;
	if (st != GLT_OK)
		return st;
	strcpy(a->caller_name, account.name);
	a->http = strcmp(account.name, a->conf.http_account) == 0;
	return GLT_OK;
}

/* Said at each request: a host must not run for long on what its administrator does not see. */
static void log_copy(const struct glt_conf *conf, bool used)
{
	struct glt_log_line line;
	char kept[GLT_WHEN_TEXT];

	glt_when_rfc3339(conf->kept.tv_sec, kept);
	glt_log_begin(&line, conf->log_json ? "json" : NULL, "config");
	glt_log_add(&line, "reason", "config_error");
	glt_log_add(&line, "using", used ? "last validated copy" : "nothing");
	glt_log_add(&line, "kept_at", kept);
	glt_log_add(&line, "text", conf->fault);
	syslog(LOG_AUTHPRIV | LOG_ERR, "%s", line.text);
}

static bool read_conf(struct auth *a)
{
	struct glt_conf *conf = &a->conf;
	struct glt_err err;
	bool counts;

	if (glt_conf_read(GLT_CONF_FILE, GLT_CONF_VALID, conf, &err) != GLT_OK) {
		auth_deny(a, GLT_WHY_CONFIG, err.text);
		return false;
	}
	counts = glt_conf_counted(conf);
	if (conf->is_copy)
		log_copy(conf, counts);
	if (!counts)
		auth_deny(a, GLT_WHY_CONFIG, conf->fault);
	return counts;
}

static void count(const struct auth *a)
{
	unsigned which[3];
	size_t n = 0;

	if (a->decided)
		which[n++] = a->reason;
	if (a->hashed)
		which[n++] = GLT_COUNT_HASHED;
	if (a->cached)
		which[n++] = GLT_COUNT_CACHED;
	glt_count_up(&a->conf, which, n);
}

/* A new token has left before this may fail or take long. The next change publishes again. */
static void publish(struct auth *a)
{
	write_reply(a);
	(void)glt_publish_if_due(a->store, &a->conf, a->public_parts, NULL);
}

static void answer(struct auth *a)
{
	static const struct {
		const char *verb;
		void (*run)(struct auth *);
	} verbs[] = {{"verify", auth_verify},
		     {"key", auth_key},
		     {"authorize", auth_authorize},
		     {"change", auth_change}};
	const char *verb = glt_message_get(&a->request, "verb");
	struct glt_err err;
	enum glt_status st;

	for (size_t i = 0; verb && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verb, verbs[i].verb) != 0)
			continue;
		if (!read_conf(a))
			return;
		st = know_caller(a, &err);
		if (st == GLT_OK)
			st = glt_store_open(a->conf.store_dir, false, &a->store, &err);
		if (st == GLT_OK)
			verbs[i].run(a);
		else
			auth_failed(a, st, &err);
		if (a->store && verbs[i].run == auth_change)
			publish(a);
		glt_store_close(a->store);
		a->store = NULL;
		count(a);
		return;
	}
	auth_deny(a, GLT_WHY_BAD_REQUEST, "unknown verb");
}

static void run(struct auth *a, uid_t uid, gid_t gid)
{
	struct glt_err err;

	if (geteuid() == 0)
		glt_rundir_make(GLT_RUN_DIR, uid, gid);
	if (glt_privdrop(uid, gid, &err) != GLT_OK) {
		auth_deny(a, GLT_WHY_NO_PRIVILEGE, geteuid() == 0 ? err.text : NULL);
		return;
	}
	/* The secret, a ticket or a new token is not written to swap space, where the host lets us. */
	(void)mlock(a->request.text, GLT_WIRE_REQUEST_MAX);
	(void)mlock(a->reply.text, GLT_WIRE_REQUEST_MAX);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)alarm(REQUEST_S);
	bool whole = read_request(&a->request);
	(void)alarm(LIFETIME_S);
	if (sodium_init() < 0)
		auth_deny(a, GLT_WHY_UNAVAILABLE, "no randomness");
	else if (!whole || !glt_message_parse_request(&a->request))
		auth_deny(a, GLT_WHY_BAD_REQUEST, "malformed, cut short or too long");
	else
		answer(a);
}

/* Anybody of the group may run this program, so an argument counts only from root: systemd, or an init script. */
static bool serves_a_socket(int argc, char **argv, gid_t gid, uid_t *caller)
{
	if (argc != 2 || getuid() != 0)
		return false;
	if (strcmp(argv[1], "--listen") == 0 && auth_listen(gid) != 0)
		return false;
	else if (strcmp(argv[1], "--listen") != 0 && strcmp(argv[1], "--peer") != 0)
		return false;
	return auth_peer(caller);
}

int main(int argc, char **argv)
{
	static struct auth a; /* static: 64 KB of buffers, wiped below */
	struct glt_err err;
	uid_t uid = 0;
	gid_t gid = 0;
	enum glt_status st;

	(void)prctl(PR_SET_NAME,
		    GLT_STALE_NAME); /* the kernel takes it from the caller's path, which may be a link */
	open_std_fds();
	if (argc < 1 || !argv[0]) /* CVE-2021-4034: an empty argv is no invitation to read envp */
		return 2;
	environ = NULL;
	a.caller = getuid();
	reset_process();
	if (argc == 1)
		(void)alarm(LIFETIME_S);
	st = glt_privdrop_lookup(&uid, &gid, &err);
	if (argc > 1 && (st != GLT_OK || !serves_a_socket(argc, argv, gid, &a.caller)))
		return 2;
	(void)alarm(LIFETIME_S);
	glt_message_init(&a.request);
	glt_message_init(&a.reply);
	if (st == GLT_OK)
		run(&a, uid, gid);
	else
		auth_deny(&a, GLT_WHY_UNAVAILABLE, err.text);
	write_reply(&a);
	if (argc > 1) /* nobody waits for this process: the end of the answer need not wait for it either */
		(void)shutdown(STDOUT_FILENO, SHUT_WR);
	wipe_used(&a.request);
	wipe_used(&a.reply);
	return a.allow ? 0 : 1;
}
