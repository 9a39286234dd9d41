/* SPDX-License-Identifier: MIT */
/*
 * A token renews itself over ssh: `tokens rotate self`. The answer may be lost, so the old one is kept alive by an
 * overlap, in which the host lets it ask again. What must not fail afterwards is tried before: the new file is there
 * and as large as it will be when the host is asked.
 */
#include "credential.h"

#include "bounded.h"
#include "when.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SSH_SECONDS 30
#define RETRY_SECONDS 600 /* a host that is down must not hold up every fetch */
#define SECRET_LEN 14     /* of a token; what stands before it is public */

/* ---- the file beside the token: when that expires ---- */

static bool beside(const struct glt_cred *c, const char *suffix, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s%s", c->token_file, suffix);
	return n > 0 && n < PATH_MAX;
}

static int public_len(const char *token)
{
	size_t len = strlen(token);
	return len > SECRET_LEN ? (int)(len - SECRET_LEN) : 0;
}

/* "glpat-AbCdEf 2027-01-31T00:00:00Z", so that a token that was put there by hand is not taken for the one before. */
static int64_t noted(const struct glt_cred *c, const char *token)
{
	char path[PATH_MAX], text[GLT_TOKENFILE_SIZE + GLT_WHEN_TEXT];
	struct glt_err err;
	int64_t when;
	int fd = beside(c, ".expires", path) ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY) : -1;
	ssize_t n = fd < 0 ? -1 : glt_read_all(fd, text, sizeof(text) - 1);
	int len = public_len(token);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return GLT_CRED_UNKNOWN;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, token, (size_t)len) != 0 || text[len] != ' ' ||
	    glt_when_parse("expiry", text + len + 1, glt_now(), &when, &err) != GLT_OK)
		return GLT_CRED_UNKNOWN;
	return when;
}

static void note(const struct glt_cred *c, const char *token, int64_t expires)
{
	char path[PATH_MAX], fresh[PATH_MAX], when[GLT_WHEN_TEXT];
	if (!beside(c, ".expires", path) || !beside(c, ".expires.new", fresh))
		return;
	glt_when_rfc3339(expires, when);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || dprintf(fd, "%.*s %s\n", public_len(token), token, *when ? when : "never") < 0 ||
	    rename(fresh, path))
		glt_complain("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* ---- one at a time, and not again and again ---- */

/* -1: another process is at it, or tried in vain a moment ago. */
static int lock(const struct glt_cred *c, int64_t now)
{
	char path[PATH_MAX], text[32] = "";
	int fd = beside(c, ".lock", path) ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600)
					  : -1;
	if (fd < 0) {
		glt_complain("%s.lock: %s", c->token_file, strerror(errno));
		return -1;
	}
	if (!flock(fd, LOCK_EX | LOCK_NB) && glt_read_all(fd, text, sizeof(text) - 1) >= 0) {
		intmax_t last = strtoimax(text, NULL, 10);
		if (last > now || now - last >= RETRY_SECONDS)
			return fd;
	}
	close(fd);
	return -1;
}

static void unlock(int fd, bool done, int64_t now)
{
	if (ftruncate(fd, 0) || (!done && dprintf(fd, "%" PRId64 "\n", now) < 0))
		glt_complain("cannot note that it was tried: %s", strerror(errno));
	close(fd);
}

/* ---- asking the host ---- */

#define ANSWER_SIZE 4096

/* As the token's bearer and as nobody else: no key, no connection that is open already. */
static bool ask(const struct glt_cred *c, const char *const command[], char answer[ANSWER_SIZE])
{
	static const char *const options[] = {
		"ssh",
		"-T",
		"-oPreferredAuthentications=keyboard-interactive,password",
		"-oPubkeyAuthentication=no",
		"-oNumberOfPasswordPrompts=1",
		"-oConnectTimeout=10",
		"-oControlMaster=no",
		"-oControlPath=none",
		"-oRemoteCommand=none",
		"-oForwardAgent=no",
	};
	char file[PATH_MAX + 32];
	const char *const env[] = {"SSH_ASKPASS=" GLT_BINDIR "/gltoken-askpass", "SSH_ASKPASS_REQUIRE=force", file,
				   NULL};
	const char *argv[sizeof(options) / sizeof(*options) + 8];
	size_t n = sizeof(options) / sizeof(*options);
	memcpy(argv, options, sizeof(options));
	argv[n++] = c->ssh;
	for (size_t i = 0; command[i]; i++)
		argv[n++] = command[i];
	argv[n] = NULL;
	snprintf(file, sizeof(file), "GLTOKEN_TOKEN_FILE=%s", c->token_file);
	return glt_run_bounded(argv, env, SSH_SECONDS, answer, ANSWER_SIZE) >= 0;
}

/* What stands behind "LABEL:" in an answer; "" if nothing does. */
static void value_of(const char *answer, const char *label, char *out, size_t size)
{
	size_t len = strlen(label);
	out[0] = '\0';
	for (const char *line = answer; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, label, len) != 0)
			continue;
		line += len + strspn(line + len, " ");
		size_t n = strcspn(line, "\n");
		if (n < size) {
			memcpy(out, line, n);
			out[n] = '\0';
		}
		return;
	}
}

static int64_t expiry_in(const char *answer)
{
	char text[64];
	struct glt_err err;
	int64_t when;
	value_of(answer, "Expires:", text, sizeof(text));
	if (!*text)
		return GLT_WHEN_NEVER;
	return glt_when_parse("expiry", text, glt_now(), &when, &err) == GLT_OK ? when : GLT_CRED_UNKNOWN;
}

static bool learn(const struct glt_cred *c, const char *token, int64_t *expires)
{
	static const char *const whoami[] = {"whoami", NULL};
	char answer[ANSWER_SIZE], user[256];
	if (!ask(c, whoami, answer))
		return glt_complain("cannot ask %s when the token of %s expires", c->ssh, c->token_file), false;
	value_of(answer, "User:", user, sizeof(user));
	*expires = *user ? expiry_in(answer) : GLT_CRED_UNKNOWN;
	if (*expires == GLT_CRED_UNKNOWN)
		return glt_complain("%s does not say when the token of %s expires", c->ssh, c->token_file), false;
	note(c, token, *expires);
	return true;
}

/* ---- the new one ---- */

static bool write_at_start(int fd, const char *text, size_t len)
{
	return pwrite(fd, text, len, 0) == (ssize_t)len && !ftruncate(fd, (off_t)len) && !fsync(fd);
}

/* A file as large as any token's, that is on the disk. */
static int reserve(const char *path)
{
	char blanks[GLT_TOKENFILE_SIZE];
	memset(blanks, ' ', sizeof(blanks));
	int fd = unlink(path) && errno != ENOENT
			 ? -1
			 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && write_at_start(fd, blanks, sizeof(blanks)))
		return fd;
	glt_complain("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool plausible(const char *token)
{
	size_t len = strlen(token);
	for (size_t i = 0; i < len; i++)
		if (token[i] <= ' ' || token[i] >= 0x7f)
			return false;
	return len > SECRET_LEN && len <= GLT_TOKENFILE_MAX;
}

static void sync_folder(const char *path)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path) + 1, path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static bool put(const struct glt_cred *c, int fd, const char *path, const char *token)
{
	char line[GLT_TOKENFILE_SIZE];
	int len = snprintf(line, sizeof(line), "%s\n", token);
	bool ok = write_at_start(fd, line, (size_t)len) && !rename(path, c->token_file);
	if (!ok)
		glt_complain("%s: %s; the token that is there goes on for %" PRId64
			     " seconds, and it is tried again",
			     path, strerror(errno), c->overlap);
	sync_folder(c->token_file);
	explicit_bzero(line, sizeof(line));
	return ok;
}

static bool rotate(const struct glt_cred *c, char token[GLT_TOKENFILE_SIZE], int64_t *expires)
{
	char path[PATH_MAX], span[32], answer[ANSWER_SIZE], fresh[GLT_TOKENFILE_SIZE];
	const char *const command[] = {"tokens", "rotate", "self", "--overlap", span, NULL};
	int fd = beside(c, ".new", path) ? reserve(path) : -1;
	snprintf(span, sizeof(span), "%" PRId64, c->overlap);
	if (fd < 0)
		return false;
	bool ok = ask(c, command, answer);
	if (ok) {
		value_of(answer, "Token:", fresh, sizeof(fresh));
		ok = plausible(fresh) && put(c, fd, path, fresh);
	}
	if (ok) {
		*expires = expiry_in(answer);
		memcpy(token, fresh, sizeof(fresh));
		if (*expires != GLT_CRED_UNKNOWN)
			note(c, token, *expires);
	} else {
		unlink(path);
		glt_complain("the token of %s could not be rotated by ssh %s", c->token_file, c->ssh);
	}
	close(fd);
	explicit_bzero(answer, sizeof(answer));
	explicit_bzero(fresh, sizeof(fresh));
	return ok;
}

static bool due(const struct glt_cred *c, int64_t expires, int64_t now)
{
	return c->rotate && expires > 0 && expires - now < c->rotate;
}

void glt_cred_renew(const struct glt_cred *c, char token[GLT_TOKENFILE_SIZE], int64_t now, int64_t *expires)
{
	*expires = c->expires;
	if (!c->token_file)
		return;
	int64_t known = noted(c, token);
	if (known != GLT_CRED_UNKNOWN)
		*expires = known;
	if (!c->ssh || (*expires != GLT_CRED_UNKNOWN && !due(c, *expires, now)))
		return;
	int fd = lock(c, now);
	if (fd < 0)
		return;
	/* Another process may have been at it until now. */
	bool ok = glt_cred_token(c, token);
	if (ok && (known = noted(c, token)) != GLT_CRED_UNKNOWN)
		*expires = known;
	if (ok && *expires == GLT_CRED_UNKNOWN)
		ok = learn(c, token, expires);
	if (ok && due(c, *expires, now))
		ok = rotate(c, token, expires);
	unlock(fd, ok, now);
}
