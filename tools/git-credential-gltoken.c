/* SPDX-License-Identifier: MIT */
/*
 * A credential helper of git: gives each host, or part of a host, a token of its own, out of a file or a keyring.
 * git asks by `get`; what it tells by `store` is not needed, and `erase` deletes nothing: a token that was refused may
 * only be paused, and git has given up on it for this time already.
 */
#include "bounded.h"
#include "credential.h"
#include "when.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define KEYRING_SECONDS 60 /* a person may have to unlock it */

bool glt_cred_token(const struct glt_cred *c, char token[GLT_TOKENFILE_SIZE])
{
	const char *const argv[] = {"sh", "-c", c->token_command, NULL};
	if (c->token_file) {
		int fd = glt_tokenfile_open(c->token_file, false);
		return fd >= 0 && glt_tokenfile_read(fd, token);
	}
	ssize_t n = glt_run_bounded(argv, NULL, KEYRING_SECONDS, token, GLT_TOKENFILE_SIZE);
	if (n > 0 && token[n - 1] == '\n')
		token[--n] = '\0';
	if (n > 0 && strlen(token) == (size_t)n && !token[strcspn(token, "\r\n")])
		return true;
	glt_complain("%s: the command gave no token", c->url);
	return false;
}

/* ---- what git says ---- */

static bool read_request(char *text, size_t size, struct glt_cred_request *r)
{
	ssize_t n = glt_read_all(STDIN_FILENO, text, size);
	if (n < 0 || (size_t)n == size)
		return glt_complain("the request cannot be read: %s", n < 0 ? strerror(errno) : "too long"), false;
	text[n] = '\0';
	for (char *line = text, *next; line && *line && *line != '\n'; line = next) {
		static const char *const keys[] = {"protocol", "host", "path", "username", "password"};
		const char **const to[] = {&r->protocol, &r->host, &r->path, &r->username, &r->password};
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		char *value = strchr(line, '=');
		if (!value)
			return glt_complain("not a credential: a line without ="), false;
		*value++ = '\0';
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (!strcmp(line, keys[i]))
				*to[i] = value;
	}
	return true;
}

/* ---- what it is told ---- */

static const char *source(const struct glt_cred *c)
{
	return c->token_file ? c->token_file : "the keyring";
}

static void warn(const struct glt_cred *c, int64_t expires, int64_t now)
{
	char when[GLT_WHEN_TEXT];
	if (expires <= 0 || expires - now >= c->warn)
		return;
	glt_when_rfc3339(expires, when);
	if (expires <= now)
		glt_complain("warning: the token for %s (%s) expired on %s", c->url, source(c), when);
	else
		glt_complain("warning: the token for %s (%s) expires in %" PRId64 " %s, on %s", c->url, source(c),
			     expires - now >= 172800 ? (expires - now) / 86400 : (expires - now + 3599) / 3600,
			     expires - now >= 172800 ? "days" : "hours", when);
}

/* One write: git reads all of it or nothing. An expiry that is past is left out, for what is noted here may be older
 * than a change at the host, and git would throw the token away unasked. */
static int answer(const struct glt_cred *c, const struct glt_cred_request *r, const char *token, int64_t expires,
		  int64_t now)
{
	char text[GLT_TOKENFILE_SIZE + 1024], expiry[64] = "";
	const char *user = r->username && *r->username ? r->username : c->username ? c->username : "git";
	if (expires > now)
		snprintf(expiry, sizeof(expiry), "password_expiry_utc=%" PRId64 "\n", expires);
	int n = snprintf(text, sizeof(text), "username=%s\npassword=%s\n%s", user, token, expiry);
	bool ok = n > 0 && (size_t)n < sizeof(text) && write(STDOUT_FILENO, text, (size_t)n) == n;
	explicit_bzero(text, sizeof(text));
	return !ok;
}

static int get(const struct glt_cred *c, const struct glt_cred_request *r)
{
	char token[GLT_TOKENFILE_SIZE];
	int64_t now = glt_now(), expires;
	if (!glt_cred_token(c, token)) {
		/* This is the place for it: neither another helper nor the person is to be asked instead. */
		puts("quit=1");
		return 1;
	}
	glt_cred_renew(c, token, now, &expires);
	warn(c, expires, now);
	int rc = answer(c, r, token, expires, now);
	explicit_bzero(token, sizeof(token));
	return rc;
}

static int refused(const struct glt_cred *c, const struct glt_cred_request *r)
{
	char token[GLT_TOKENFILE_SIZE];
	if (c->token_file && r->password && glt_cred_token(c, token) && !strcmp(token, r->password))
		glt_complain("%s refused the token in %s; it is left there", c->url, c->token_file);
	explicit_bzero(token, sizeof(token));
	return 0;
}

static int serve(const char *action)
{
	static struct glt_creds creds;
	char text[65536];
	struct glt_cred_request r = {.host = NULL};
	const struct glt_cred *c = NULL;
	int rc = 1;
	if (read_request(text, sizeof(text), &r) && glt_creds_read(&creds)) {
		c = glt_creds_find(&creds, &r);
		rc = !c ? 0 : !strcmp(action, "get") ? get(c, &r) : refused(c, &r);
	}
	explicit_bzero(text, sizeof(text));
	return rc;
}

int main(int argc, char **argv)
{
	if (prctl(PR_SET_DUMPABLE, 0))
		return 1;
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return puts("git-credential-gltoken (gltoken) " PACKAGE_VERSION) < 0;
	if (argc != 2 || !strcmp(argv[1], "--help")) {
		bool help = argc == 2;
		fputs("usage: git-credential-gltoken get|store|erase\n"
		      "A credential helper: git config --global credential.helper gltoken\n"
		      "Which token is for which URL stands in ~/.config/gltoken/credentials; see\n"
		      "git-credential-gltoken(1).\n",
		      help ? stdout : stderr);
		return help ? 0 : 2;
	}
	if (!strcmp(argv[1], "get") || !strcmp(argv[1], "erase"))
		return serve(argv[1]);
	/* store, and what a later git may ask */
	return 0;
}
