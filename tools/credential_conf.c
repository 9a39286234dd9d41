/* SPDX-License-Identifier: MIT */
/*
 * The configuration has git's own syntax and git reads it: this program runs nowhere without git, and inih, which
 * gltoken.conf is read with, cuts a section's name at 50 bytes, where a URL is longer.
 */
#include "credential.h"

#include "bounded.h"
#include "when.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY INT64_C(86400)

static bool conf_path(char out[PATH_MAX])
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;
	if (xdg && *xdg == '/')
		n = snprintf(out, PATH_MAX, "%s/gltoken/credentials", xdg);
	else if (home && *home == '/')
		n = snprintf(out, PATH_MAX, "%s/.config/gltoken/credentials", home);
	else
		return glt_complain("neither XDG_CONFIG_HOME nor HOME is set"), false;
	return (n > 0 && n < PATH_MAX) || (glt_complain("the path of the configuration is too long"), false);
}

/* It names commands that are run. */
static bool trusted(const char *path)
{
	struct stat st;
	if (stat(path, &st))
		return glt_complain("%s: %s", path, strerror(errno)), false;
	if (S_ISREG(st.st_mode) && (!st.st_uid || st.st_uid == getuid()) && !(st.st_mode & 022))
		return true;
	glt_complain("%s must be a regular file of yours or root's that nobody else may write: chmod go-w", path);
	return false;
}

/* ---- one value ---- */

static bool set_path(struct glt_creds *all, const char **to, const char *value)
{
	const char *home = getenv("HOME");
	char *at = all->expanded + all->expanded_len;
	size_t room = sizeof(all->expanded) - all->expanded_len;
	*to = value;
	if (value[0] != '~' || value[1] != '/')
		return value[0] == '/';
	int n = home && *home == '/' ? snprintf(at, room, "%s%s", home, value + 1) : -1;
	if (n < 0 || (size_t)n >= room)
		return false;
	all->expanded_len += (size_t)n + 1;
	*to = at;
	return true;
}

static bool set_span(int64_t *to, const char *key, const char *value)
{
	struct glt_err err;
	if (glt_span_parse(key, value, to, &err) == GLT_OK)
		return true;
	glt_complain("%s", err.text);
	return false;
}

static bool set_moment(int64_t *to, const char *value)
{
	struct glt_err err;
	if (glt_when_parse("expires", value, glt_now(), to, &err) == GLT_OK)
		return true;
	glt_complain("%s", err.text);
	return false;
}

static bool set(struct glt_creds *all, struct glt_cred *c, const char *key, const char *value)
{
	if (!strcmp(key, "username")) {
		c->username = value;
		return (*value && !value[strcspn(value, "\r\n")]) ||
		       (glt_complain("username: must be one line"), false);
	}
	if (!strcmp(key, "tokenfile"))
		return set_path(all, &c->token_file, value) ||
		       (glt_complain("tokenFile '%s': must begin with / or ~/", value), false);
	if (!strcmp(key, "tokencommand")) {
		c->token_command = value;
		return *value || (glt_complain("tokenCommand is empty"), false);
	}
	if (!strcmp(key, "ssh")) {
		c->ssh = value;
		return (*value && *value != '-') ||
		       (glt_complain("ssh '%s': must be a host, as git@HOST", value), false);
	}
	if (!strcmp(key, "rotate"))
		return set_span(&c->rotate, key, value);
	if (!strcmp(key, "overlap"))
		return set_span(&c->overlap, key, value);
	if (!strcmp(key, "warn"))
		return set_span(&c->warn, key, value);
	if (!strcmp(key, "expires"))
		return set_moment(&c->expires, value);
	glt_complain(
		"unknown key '%s': one of username, tokenFile, tokenCommand, expires, warn, ssh, rotate, overlap",
		key);
	return false;
}

/* ---- the file ---- */

static struct glt_cred *section(struct glt_creds *all, const char *url)
{
	for (size_t i = 0; i < all->n; i++)
		if (!strcmp(all->section[i].url, url))
			return &all->section[i];
	if (all->n == GLT_CRED_SECTIONS)
		return glt_complain("more than %d sections", GLT_CRED_SECTIONS), NULL;
	all->section[all->n] =
		(struct glt_cred){.url = url, .warn = 7 * DAY, .overlap = DAY, .expires = GLT_CRED_UNKNOWN};
	return &all->section[all->n++];
}

/* "gltoken.URL.key LF value": the key has no dot, the URL may. */
static bool read_line(struct glt_creds *all, const char *path, char *line)
{
	char *value = strchr(line, '\n');
	if (!value)
		return glt_complain("%s: %s has no value", path, line), false;
	*value++ = '\0';
	char *key = strrchr(line, '.'), *url = strchr(line, '.');
	if (key == url || strncmp(line, "gltoken.", 8) != 0)
		return glt_complain("%s: %s: only sections [gltoken \"URL\"] are known", path, line), false;
	*key++ = '\0';
	struct glt_cred *c = section(all, url + 1);
	if (c && set(all, c, key, value))
		return true;
	glt_complain("%s: section [gltoken \"%s\"] is not right", path, url + 1);
	return false;
}

static bool check(const char *path, const struct glt_cred *c)
{
	const char *host = strstr(c->url, "://"), *why = NULL;
	if (!host || (strncmp(c->url, "https:", 6) != 0 && strncmp(c->url, "http:", 5) != 0) || !host[3] ||
	    host[3] == '/')
		why = "must be named after a URL: https://HOST/PATH";
	else if (strcspn(host + 3, "@") < strcspn(host + 3, "/"))
		why = "has a user name in its URL: write username = NAME instead";
	else if (!c->token_file == !c->token_command)
		why = "needs either tokenFile or tokenCommand";
	else if (c->rotate && (!c->token_file || !c->ssh))
		why = "has rotate, so it needs tokenFile and ssh";
	if (why)
		glt_complain("%s: section [gltoken \"%s\"] %s", path, c->url, why);
	return !why;
}

bool glt_creds_read(struct glt_creds *all)
{
	char path[PATH_MAX];
	all->n = all->expanded_len = 0;
	if (!conf_path(path) || !trusted(path))
		return false;
	const char *const argv[] = {"git", "config", "--file", path, "--no-includes", "-z", "--list", NULL};
	ssize_t len = glt_run_bounded(argv, NULL, 20, all->text, sizeof(all->text));
	if (len < 0)
		return glt_complain("%s cannot be used", path), false;
	for (char *line = all->text, *next; line < all->text + len; line = next) {
		next = line + strlen(line) + 1;
		if (!read_line(all, path, line))
			return false;
	}
	for (size_t i = 0; i < all->n; i++)
		if (!check(path, &all->section[i]))
			return false;
	return true;
}

/* ---- which section ---- */

/* "HOST", without the port that the protocol has anyway. */
static bool same_host(const char *protocol, const char *a, size_t a_len, const char *b)
{
	const char *port = !strcmp(protocol, "https") ? ":443" : ":80";
	size_t b_len = strlen(b), p_len = strlen(port);
	if (a_len > p_len && !strncmp(a + a_len - p_len, port, p_len))
		a_len -= p_len;
	if (b_len > p_len && !strcmp(b + b_len - p_len, port))
		b_len -= p_len;
	return a_len == b_len && !strncasecmp(a, b, a_len);
}

static size_t path_len(const char *path)
{
	size_t len = strlen(path);
	while (len && path[len - 1] == '/')
		len--;
	return len > 4 && !strncmp(path + len - 4, ".git", 4) ? len - 4 : len;
}

/* demo covers demo, demo/hello.git and demo.git/info/lfs, but not demolition. */
static bool covers(const char *path, const char *asked)
{
	size_t len = path_len(path);
	if (strncmp(path, asked, len) != 0)
		return false;
	asked += len;
	if (len && !strncmp(asked, ".git", 4))
		asked += 4;
	return !len || !*asked || *asked == '/';
}

/* The path of a section that speaks of the host of a request, as its user; NULL: it does not. */
static const char *path_on_host(const struct glt_cred *c, const struct glt_cred_request *r)
{
	const char *host = strstr(c->url, "://") + 3;
	size_t scheme = (size_t)(host - 3 - c->url), len = strcspn(host, "/");
	if (strlen(r->protocol) != scheme || strncmp(r->protocol, c->url, scheme) != 0 ||
	    !same_host(r->protocol, host, len, r->host))
		return NULL;
	if (r->username && *r->username && c->username && strcmp(r->username, c->username) != 0)
		return NULL;
	return host + len + strspn(host + len, "/");
}

const struct glt_cred *glt_creds_find(const struct glt_creds *creds, const struct glt_cred_request *r)
{
	const char *asked = r->path ? r->path + strspn(r->path, "/") : NULL;
	const struct glt_cred *best = NULL, *only = NULL;
	size_t best_len = 0, on_host = 0;
	if (!r->protocol || !r->host)
		return NULL;
	for (size_t i = 0; i < creds->n; i++) {
		const struct glt_cred *c = &creds->section[i];
		const char *path = path_on_host(c, r);
		if (!path)
			continue;
		on_host++;
		only = c;
		if ((asked ? covers(path, asked) : !*path) && (!best || path_len(path) >= best_len)) {
			best = c;
			best_len = path_len(path);
		}
	}
	if (best || asked || on_host < 2)
		return best ? best : asked ? NULL : only;
	glt_complain("there are %zu tokens for %s, and git does not say for which repository; "
		     "git config --global credential.%s://%s.useHttpPath true makes it say so",
		     on_host, r->host, r->protocol, r->host);
	return NULL;
}
