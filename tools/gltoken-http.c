/* SPDX-License-Identifier: MIT */
/*
 * CGI in front of `git http-backend`: one question to gltoken-auth verifies the token and decides on the
 * repository, then this process becomes git in the repository that was opened.
 *
 * The credentials stand in this process's environment, so it is made unreadable to others first, and the
 * environment is thrown away before git starts: neither git nor a hook ever has them.
 */
#include "account.h"
#include "client.h"
#include "conf_files.h"
#include "gitenv.h"
#include "gitolite.h"
#include "http_request.h"
#include "lfsbatch.h"
#include "log.h"
#include "repo.h"
#include "run.h"
#include "texts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ACCESS_DENIED                                                                                         \
	"HTTP Basic: Access denied. If a password was provided for Git authentication, the password was "     \
	"incorrect or you're required to use a token instead of a password. If a token was provided, it was " \
	"either incorrect, expired, or improperly scoped."
#define NEEDS_HTTPS "Access tokens are taken over HTTPS only. One that was sent in the clear should be rotated."

#define BODY_MS 5000

struct http {
	struct glt_conf conf;
	struct glt_account account;
	struct glt_http_request request;
	struct glt_message answer;
	char why[512];
};

/* ---- replies ---- */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A request whose body nobody takes is an error to fcgiwrap, and then the client sees that instead of the reply. More
 * than a request for a fetch is not worth the wait, nor is a stranger who announces a body and sends none. */
static void take_body(void)
{
	char buf[16384];
	const char *length = getenv("CONTENT_LENGTH");
	if (!length || !*length || !strcmp(length, "0"))
		return;
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t end = now_ms() + BODY_MS, left;
	for (size_t taken = 0; taken < (1 << 20) && (left = end - now_ms()) > 0;) {
		if (poll(&p, 1, (int)left) <= 0)
			return;
		ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
		if (n <= 0)
			return;
		taken += (size_t)n;
	}
}

static void put_json(const char *text)
{
	fputs("{\"message\":\"", stdout);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text >= 0x20)
			putchar(*text);
	}
	fputs("\"}\n", stdout);
}

static int reply(const struct http *h, const char *status, const char *more, const char *text)
{
	const char *type = *h->request.lfs ? "application/vnd.git-lfs+json" : "text/plain; charset=utf-8";
	take_body();
	printf("Status: %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\n%s\r\n", status, type, more);
	if (*h->request.lfs)
		put_json(text);
	else
		printf("%s\n", text);
	return fflush(stdout) ? 1 : 0;
}

/* RFC 9110, quoted-string. */
static int reply_login(const struct http *h)
{
	char more[2 * sizeof(h->conf.http_realm) + 64] = "WWW-Authenticate: Basic realm=\"";
	size_t n = strlen(more);
	for (const char *p = h->conf.http_realm; *p; p++) {
		if (*p == '"' || *p == '\\')
			more[n++] = '\\';
		more[n++] = *p;
	}
	strcpy(more + n, "\"\r\n");
	return reply(h, "401 Unauthorized", more, ACCESS_DENIED);
}

static int reply_refusal(const struct http *h, struct glt_text text)
{
	switch (text.refusal) {
	case GLT_REFUSAL_LOGIN:
		return reply_login(h);
	case GLT_REFUSAL_FORBIDDEN:
		return reply(h, "403 Forbidden", "", text.text);
	case GLT_REFUSAL_NOT_FOUND:
		return reply(h, "404 Not Found", "", text.text);
	case GLT_REFUSAL_UNAVAILABLE:
		break;
	}
	return reply(h, "503 Service Unavailable", "Retry-After: 30\r\n", text.text);
}

/* ---- log ---- */

static const char *operation(const struct http *h)
{
	return h->request.push ? "push" : "pull";
}

static void log_decision(const struct http *h, bool allow, const char *reason, const char *text,
			 const struct glt_message *answer, bool trouble)
{
	struct glt_log_git g = {.allow = allow,
				.reason = reason,
				.operation = operation(h),
				.repository = h->request.project,
				.command = *h->request.lfs ? h->request.lfs : NULL,
				.account = h->account.name,
				.service = "http",
				.rhost = h->request.address,
				.text = text,
				.format = h->conf.log_json ? "json" : NULL,
				.answer = answer};
	glt_log_git(&g, trouble);
}

/* ---- the question ---- */

static enum glt_outcome ask(struct http *h, const char *op, const char *project, struct glt_message *answer)
{
	struct glt_message request;
	glt_message_init(&request);
	glt_message_add(&request, "verb", "verify");
	glt_message_add(&request, "secret", h->request.secret);
	glt_message_add(&request, "username", h->request.named ? h->request.username : NULL);
	glt_message_add(&request, "account", getuid() ? NULL : h->account.name);
	glt_message_add(&request, "service", "http");
	glt_message_add(&request, "rhost", h->request.address);
	glt_message_add(&request, "operation", op);
	glt_message_add(&request, "repository", project);
	return glt_client_ask(&request, answer, h->why, sizeof(h->why));
}

static bool may_read(void *arg, const char *project)
{
	struct glt_message answer;
	bool ok = ask(arg, "pull", project, &answer) == GLT_ALLOW;
	glt_message_wipe(&answer);
	return ok;
}

static bool exists(const struct http *h)
{
	struct glt_repo repo;
	if (glt_repo_open(h->conf.repo_root, h->request.project, &repo) != GLT_REPO_OK)
		return false;
	close(repo.fd);
	return true;
}

static int refuse(struct http *h, enum glt_outcome outcome)
{
	if (outcome == GLT_FAILED) {
		log_decision(h, false, "unavailable", h->why, NULL, true);
		return reply_refusal(h, glt_text_of(NULL, false, false));
	}
	const char *reason = glt_message_get(&h->answer, "reason"), *seen = glt_message_get(&h->answer, "visible");
	struct glt_text text = glt_text_of(reason, seen && !strcmp(seen, "yes"), h->request.push);
	log_decision(h, false, reason, glt_message_get(&h->answer, "text"), &h->answer,
		     text.refusal == GLT_REFUSAL_UNAVAILABLE);
	/* Who may know that it exists is not known here where gitolite.conf says it. */
	if (text.refusal == GLT_REFUSAL_FORBIDDEN && !h->conf.gitolite && !exists(h))
		text = (struct glt_text){GLT_REFUSAL_NOT_FOUND, GLT_TEXT_NOT_FOUND};
	return reply_refusal(h, text);
}

/* ---- git ---- */

static int refuse_repository(struct http *h, enum glt_repo_status status, const char *culprit)
{
	char text[256 + GLT_PATH_MAX];
	snprintf(text, sizeof(text), "%s%s%s", glt_repo_text(status), *culprit ? ": " : "", culprit);
	log_decision(h, false, glt_repo_name(status), text, &h->answer,
		     status == GLT_REPO_UNREADABLE || status == GLT_REPO_UNAVAILABLE);
	switch (status) {
	case GLT_REPO_ALTERNATE_DENIED:
		return reply(h, "403 Forbidden", "",
			     "This project borrows objects from another one that you may not read.");
	case GLT_REPO_ALTERNATE_OUTSIDE:
	case GLT_REPO_ALTERNATE_DEEP:
	case GLT_REPO_AMBIGUOUS:
	case GLT_REPO_UNREADABLE:
		return reply(h, "403 Forbidden", "",
			     "This project cannot be served as it is. Please tell the administrator of this host.");
	case GLT_REPO_UNAVAILABLE:
		return reply_refusal(h, glt_text_of(NULL, false, false));
	default:
		return reply(h, "404 Not Found", "", GLT_TEXT_NOT_FOUND);
	}
}

/* What http-backend reads of a request; the path is that of the repository it is started in, or for gitolite's user
 * the one from repo_root. */
static void add_cgi(const struct http *h, struct glt_gitenv *env, const char *user)
{
	static const char *const passed[] = {"REQUEST_METHOD",   "QUERY_STRING",          "CONTENT_TYPE",
					     "CONTENT_LENGTH",   "HTTP_CONTENT_ENCODING", "SERVER_PROTOCOL",
					     "GATEWAY_INTERFACE"};
	for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++)
		glt_gitenv_add(env, passed[i], getenv(passed[i]));
	const char *service = h->request.push ? "/git-receive-pack" : "/git-upload-pack";
	const char *suffix = h->request.rpc ? service : "/info/refs";
	if (user) {
		glt_gitolite_http(env, &h->conf, h->account.home, h->request.project, suffix,
				  getenv("QUERY_STRING") ? getenv("QUERY_STRING") : "");
	} else {
		glt_gitenv_add(env, "GIT_PROJECT_ROOT", ".");
		glt_gitenv_add(env, "PATH_INFO", suffix);
	}
	glt_gitenv_add(env, "GIT_HTTP_EXPORT_ALL", "1");
	glt_gitenv_add(env, "REMOTE_USER", user ? user : glt_message_get(&h->answer, "owner"));
	glt_gitenv_add(env, "REMOTE_ADDR", h->request.address);
	/* Decided here, so no setting of the repository has a say. */
	glt_gitenv_config(env, "http.receivepack", h->request.push ? "true" : "false");
	glt_gitenv_config(env, "http.uploadpack", h->request.push ? "false" : "true");
	glt_gitenv_config(env, "http.getanyfile", "false");
}

/* What `git http-backend` would start, and then wait for: where the first git of PATH has it in one of the two
 * places that distributions know, one process and two milliseconds less. */
static bool find_backend(char program[PATH_MAX])
{
	static const char *const prefixes[] = {"/usr/local", "/usr", ""};
	static const char *const places[] = {"lib", "libexec"};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		snprintf(program, PATH_MAX, "%s/bin/git", prefixes[i]);
		if (access(program, X_OK))
			continue;
		for (size_t j = 0; j < sizeof(places) / sizeof(*places); j++) {
			snprintf(program, PATH_MAX, "%s/%s/git-core/git-http-backend", prefixes[i], places[j]);
			if (!access(program, X_OK))
				return true;
		}
		return false;
	}
	return false;
}

static int not_run(struct http *h, const char *program)
{
	snprintf(h->why, sizeof(h->why), "cannot run %s: %m", program);
	log_decision(h, false, "no_git", h->why, &h->answer, true);
	return reply_refusal(h, glt_text_of(NULL, false, false));
}

static int become_gitolite(struct http *h, const struct glt_repo *repo, struct glt_gitenv *env)
{
	char user[GLT_NAME_MAX + 1];
	if (!glt_gitolite_user(&h->answer, user)) {
		log_decision(h, false, "gitolite_user", "gitolite takes no such user name", &h->answer, true);
		return reply_refusal(h, glt_text_of(NULL, false, false));
	}
	add_cgi(h, env, user);
	env->directory = h->account.home;
	glt_http_request_wipe(&h->request);
	glt_gitenv_exec(env, repo, h->conf.umask_bits, (char *const[]){h->conf.gitolite_shell, NULL});
	return not_run(h, h->conf.gitolite_shell);
}

static int become_git(struct http *h, const struct glt_repo *repo, bool anonymous)
{
	struct glt_gitenv_from from = {
		.via = "http",
		.account = h->account.name,
		.home = h->account.home,
		.git_protocol = getenv("HTTP_GIT_PROTOCOL"),
		.repo = repo,
		.answer = &h->answer,
		.push = h->request.push,
		.address = h->request.address,
		.ticket = glt_message_get(&h->answer, "ticket"),
	};
	if (!from.git_protocol) /* as some servers' git configurations pass it */
		from.git_protocol = getenv("GIT_PROTOCOL");
	struct glt_gitenv env;
	glt_gitenv_init(&env, &from);
	/* What everybody may read, gitolite marks as git-daemon-export-ok: to it nobody has no name. */
	if (h->conf.gitolite && !anonymous)
		return become_gitolite(h, repo, &env);
	add_cgi(h, &env, NULL);
	char git[] = "git", name[] = "http-backend", program[PATH_MAX];
	bool direct = find_backend(program);
	char *const args[] = {direct ? program : git, direct ? NULL : name, NULL};
	glt_http_request_wipe(&h->request);
	glt_gitenv_exec(&env, repo, h->conf.umask_bits, args);
	return not_run(h, "git");
}

/* A CGI of its own, which sees the same request but for its credentials. */
static int become_lfs(struct http *h, const struct glt_repo *repo)
{
	static const char *const passed[] = {"REQUEST_METHOD",   "QUERY_STRING",    "CONTENT_TYPE",
					     "CONTENT_LENGTH",   "SERVER_PROTOCOL", "SERVER_NAME",
					     "SERVER_PORT",      "HTTPS",           "SCRIPT_NAME",
					     "HTTP_HOST",        "HTTP_ACCEPT",     "HTTP_USER_AGENT",
					     "HTTP_RANGE",       "REQUEST_URI",     "REQUEST_SCHEME",
					     "GATEWAY_INTERFACE"};
	const struct glt_gitenv_from from = {
		.via = "http",
		.account = h->account.name,
		.home = h->account.home,
		.repo = repo,
		.answer = &h->answer,
	};
	char path[GLT_PATH_MAX + sizeof(h->request.lfs) + 32], url[GLT_PATH_MAX + sizeof(h->conf.lfs_url) + 32];
	char *args[32];
	struct glt_gitenv env;
	glt_gitenv_init(&env, &from);
	for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++)
		glt_gitenv_add(&env, passed[i], getenv(passed[i]));
	snprintf(path, sizeof(path), "/%s.git/info/lfs/%s", h->request.project, h->request.lfs);
	glt_gitenv_add(&env, "PATH_INFO", path);
	glt_gitenv_add(&env, "GIT_PROJECT_ROOT", h->conf.repo_root);
	glt_gitenv_add(&env, "REMOTE_USER", glt_message_get(&h->answer, "owner"));
	glt_gitenv_add(&env, "REMOTE_ADDR", h->request.address);
	if (h->conf.lfs_url[0]) {
		snprintf(url, sizeof(url), "%s/%s.git/info/lfs", h->conf.lfs_url, h->request.project);
		glt_gitenv_add(&env, "GLTOKEN_LFS_URL", url);
	}
	glt_gitenv_add(&env, "GLTOKEN_LFS_OPERATION", h->request.push ? "upload" : "download");
	glt_http_request_wipe(&h->request);
	errno = E2BIG;
	if (glt_run_split(h->conf.lfs_backend, args, sizeof(args) / sizeof(*args)) > 0)
		glt_gitenv_exec(&env, repo, h->conf.umask_bits, args);
	return not_run(h, "lfs_backend");
}

static int serve_repository(struct http *h, bool anonymous)
{
	char culprit[GLT_PATH_MAX + 1] = "";
	struct glt_repo repo;
	enum glt_repo_status status = glt_repo_open(h->conf.repo_root, h->request.project, &repo);
	/* What nobody marked for everybody is closed to a stranger whether it borrows or not. */
	if (status == GLT_REPO_OK)
		status = glt_repo_alternates(h->conf.repo_root, &repo, may_read, h, culprit);
	else if (status == GLT_REPO_ABSENT && h->conf.gitolite && !anonymous) { /* which may make it now */
		glt_gitolite_unborn(&h->conf, h->request.project, &repo);
		status = GLT_REPO_OK;
	}
	if (status != GLT_REPO_OK)
		return anonymous ? reply_login(h) : refuse_repository(h, status, culprit);
	if (anonymous) {
		struct stat sb;
		if (fstatat(repo.fd, "git-daemon-export-ok", &sb, AT_SYMLINK_NOFOLLOW) || !S_ISREG(sb.st_mode))
			return reply_login(h);
	}
	log_decision(h, true, anonymous ? "anonymous" : "ok", NULL, anonymous ? NULL : &h->answer, false);
	return *h->request.lfs ? become_lfs(h, &repo) : become_git(h, &repo, anonymous);
}

/* Which of both a batch request is stands in its body. 0, or the exit status of the refusal. */
static int read_batch(struct http *h)
{
	struct glt_err err;
	int body;
	enum glt_status st =
		glt_lfs_batch(STDIN_FILENO, getenv("CONTENT_LENGTH"), BODY_MS, &h->request.push, &body, &err);
	if (st == GLT_OK && dup2(body, STDIN_FILENO) != STDIN_FILENO)
		st = glt_fail(&err, GLT_UNAVAILABLE, "cannot keep the request");
	if (body >= 0)
		close(body);
	if (st == GLT_OK)
		return 0;
	log_decision(h, false, st == GLT_INVALID ? "bad_request" : "unavailable", err.text, NULL,
		     st != GLT_INVALID);
	if (st == GLT_INVALID)
		reply(h, "422 Unprocessable Entity", "", err.text);
	else
		reply_refusal(h, glt_text_of(NULL, false, false));
	return 1;
}

static int serve(struct http *h)
{
	bool anonymous = !h->request.credentials && h->conf.http_anonymous_read &&
			 glt_conf_admits(&h->conf, h->request.address);
	if (!h->request.encrypted && !h->conf.http_insecure && !h->request.local) {
		if (h->request.credentials)
			log_decision(h, false, "not_encrypted", NEEDS_HTTPS, NULL, false);
		return reply(h, "403 Forbidden", "", NEEDS_HTTPS);
	}
	if (h->request.batch && (h->request.credentials || anonymous) && read_batch(h))
		return 0;
	/* git's first request has none: that is how it learns that it needs some, and no failure. */
	if (!h->request.credentials)
		return anonymous && !h->request.push ? serve_repository(h, true) : reply_login(h);
	if (h->request.named && !h->request.username[strspn(h->request.username, " ")]) {
		log_decision(h, false, "no_username", "a user name that is not blank is needed", NULL, false);
		return reply_login(h);
	}
	enum glt_outcome outcome = ask(h, operation(h), h->request.project, &h->answer);
	if (outcome != GLT_ALLOW)
		return refuse(h, outcome);
	if (h->request.push && !glt_message_get(&h->answer, "ticket")) {
		snprintf(h->why, sizeof(h->why), "pushing needs gltoken-http to run as account %s, not %s",
			 h->conf.http_account, h->account.name);
		log_decision(h, false, "read_only_account", h->why, &h->answer, true);
		return reply(h, "403 Forbidden", "", "This way into the host is for reading only.");
	}
	return serve_repository(h, false);
}

/* ---- start ---- */

static const char *from_environment(const char *name)
{
	return getenv(name);
}

/* Some servers (nginx before 1.23) pass a header that came twice as two variables, and getenv() sees one of them:
 * what a client claims would hide what the proxy added. As one list (RFC 9110, 5.3) nothing is hidden, and two
 * credentials or two X-Forwarded-Proto are none. False: no memory. */
static bool join_repeated_headers(void)
{
	for (char **var = environ; *var; var++) {
		size_t name = strcspn(*var, "="), len = strlen(*var);
		bool repeated = false;
		if (strncmp(*var, "HTTP_", 5))
			continue;
		for (char **other = var + 1; *other;) {
			if (strncmp(*other, *var, name) || (*other)[name] != '=') {
				other++;
				continue;
			}
			const char *value = *other + name + 1;
			size_t more = strlen(value);
			char *joined = malloc(len + more + 3);
			if (!joined)
				return false;
			sprintf(joined, "%s, %s", *var, value);
			len += more + 2;
			if (repeated)
				free(*var);
			repeated = true;
			*var = joined;
			for (char **rest = other; (rest[0] = rest[1]); rest++)
				;
		}
	}
	return true;
}

/* They are read: whoever sees this process later need not find them where the server put them. */
static void wipe_environment(void)
{
	static const char *const names[] = {"HTTP_AUTHORIZATION", "HTTP_PRIVATE_TOKEN"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *value = getenv(names[i]);
		if (value)
			explicit_bzero(value, strlen(value));
	}
}

static int start(struct http *h)
{
	struct glt_err err = {.text = "no memory"};
	if (!join_repeated_headers() || glt_account_by_uid(getuid(), &h->account, &err) != GLT_OK ||
	    glt_conf_read(GLT_CONF_FILE, GLT_CONF_VALID, &h->conf, &err) != GLT_OK) {
		log_decision(h, false, "config_error", err.text, NULL, true);
		return reply_refusal(h, glt_text_of(NULL, false, false));
	}
	enum glt_http_parse parsed = glt_http_request_parse(&h->conf, from_environment, &h->request);
	wipe_environment();
	switch (parsed) {
	case GLT_HTTP_OK:
		return serve(h);
	case GLT_HTTP_METHOD: {
		char more[80];
		snprintf(more, sizeof(more), "Allow: %s\r\n", h->request.allow);
		return reply(h, "405 Method Not Allowed", more, "This address takes another method.");
	}
	case GLT_HTTP_BROKEN:
		log_decision(h, false, "bad_request", "the credential header cannot be read", NULL, false);
		return reply(h, "400 Bad Request", "",
			     "The credentials cannot be read: send Basic, Bearer or PRIVATE-TOKEN.");
	case GLT_HTTP_TOKEN_AS_USERNAME:
		log_decision(h, false, "token_as_username", "a token was sent as the user name", NULL, false);
		return reply(h, "403 Forbidden", "",
			     "An access token was sent as the user name, which web servers write into their logs. "
			     "Rotate it, and send it as the password.");
	case GLT_HTTP_NOT_FOUND:
		break;
	}
	return reply(h, "404 Not Found", "", GLT_TEXT_NOT_FOUND);
}

int main(int argc, char **argv)
{
	static struct http h;
	/* First of all: the credentials stand in /proc/self/environ. */
	if (prctl(PR_SET_DUMPABLE, 0) || close_range(STDERR_FILENO + 1, ~0U, 0))
		return 1;
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return puts("gltoken-http (gltoken) " PACKAGE_VERSION) < 0;
	if (!getenv("GATEWAY_INTERFACE") && !getenv("REQUEST_METHOD")) {
		fputs("gltoken-http is a CGI program: a web server runs it. See gltoken-http(8).\n", stderr);
		return 2;
	}
	glt_log_open("gltoken-http");
	int status = start(&h);
	explicit_bzero(&h, sizeof(h));
	return status;
}
