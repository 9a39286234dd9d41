/* SPDX-License-Identifier: MIT */
/*
 * SSH_ASKPASS and GIT_ASKPASS for machines: answers a prompt for the password with a token that it reads from a
 * file, a descriptor or systemd's credentials.
 *
 * A stale token must cost one attempt, or a few jobs lock out their address. But ssh asks up to three times, each
 * time through a new process; so what was asked by which process is remembered in an empty file, whose name is the
 * asking process and when that started.
 */
#include "tokenfile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "gltoken-askpass"

/* ---- the token ---- */

static int open_fd(const char *text)
{
	char *end;
	errno = 0;
	uintmax_t fd = strtoumax(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || fd > INT_MAX || fcntl((int)fd, F_GETFD) < 0) {
		glt_complain(
			"GLTOKEN_TOKEN_FD must be the number of an open descriptor (ssh passes none on to its SSH_ASKPASS)");
		return -1;
	}
	return (int)fd;
}

static int open_token(void)
{
	const char *file = getenv("GLTOKEN_TOKEN_FILE"), *fd = getenv("GLTOKEN_TOKEN_FD");
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	if (file && *file)
		return glt_tokenfile_open(file, false);
	if (fd && *fd)
		return open_fd(fd);
	if (!folder || !*folder) {
		glt_complain(
			"set GLTOKEN_TOKEN_FILE, GLTOKEN_TOKEN_FD or CREDENTIALS_DIRECTORY (with gltoken-token in it)");
		return -1;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/gltoken-token", folder) >= sizeof(path)) {
		glt_complain("CREDENTIALS_DIRECTORY is too long");
		return -1;
	}
	return glt_tokenfile_open(path, true);
}

/* ---- who asks, and did it before? ---- */

/* When a process was started, in ticks since the boot; 0: there is none. */
static uintmax_t started(uintmax_t pid)
{
	char path[64], text[1024];
	snprintf(path, sizeof(path), "/proc/%" PRIuMAX "/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : glt_read_all(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* Field 22. The second is the name in brackets, which may hold anything. */
	char *p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoumax(p + 1, NULL, 10) : 0;
}

/* A folder of our own, closed to others. In /tmp its name can be foreseen, so whose it is must be looked at. */
static int own_folder(const char *path)
{
	struct stat st;
	if (mkdir(path, 0700) && errno != EEXIST)
		return -1;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (!fstat(fd, &st) && st.st_uid == geteuid() && !(st.st_mode & 077)))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* XDG_RUNTIME_DIR often outlives its session, under sudo for one. */
static int open_folder(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *tmp = getenv("TMPDIR");
	char path[PATH_MAX];
	int fd = -1;
	if (runtime && *runtime == '/' &&
	    (size_t)snprintf(path, sizeof(path), "%s/" FOLDER, runtime) < sizeof(path))
		fd = own_folder(path);
	if (fd >= 0)
		return fd;
	if (!tmp || *tmp != '/' || strlen(tmp) > PATH_MAX - 64)
		tmp = "/tmp";
	snprintf(path, sizeof(path), "%s/" FOLDER "-%ju", tmp, (uintmax_t)geteuid());
	fd = own_folder(path);
	if (fd < 0)
		glt_complain("cannot note what was asked: %s: %s (TMPDIR chooses the place)", path,
			     strerror(errno));
	return fd;
}

/* Drop the notes of processes that are gone. */
static void sweep(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		if (copy >= 0)
			close(copy);
		return;
	}
	for (struct dirent *d; (d = readdir(dir));) {
		char *end;
		uintmax_t pid = strtoumax(d->d_name, &end, 10);
		if (isdigit((unsigned char)d->d_name[0]) && *end == '.' &&
		    started(pid) != strtoumax(end + 1, NULL, 10))
			unlinkat(folder, d->d_name, 0);
	}
	closedir(dir);
}

/* False: it has had its answer, or that cannot be told. */
static bool first_time(void)
{
	uintmax_t pid = (uintmax_t)getppid(), since = started(pid);
	if (!since) {
		glt_complain("cannot tell which process asks: is /proc mounted?");
		return false;
	}
	int folder = open_folder();
	if (folder < 0)
		return false;
	sweep(folder);
	char name[64];
	snprintf(name, sizeof(name), "%" PRIuMAX ".%" PRIuMAX, pid, since);
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int saved = errno;
	close(folder);
	if (fd >= 0) {
		close(fd);
		return true;
	}
	if (saved == EEXIST)
		glt_complain("the token was refused, or a second password is asked for; it is given once");
	else
		glt_complain("cannot note what was asked: %s", strerror(saved));
	return false;
}

/* ---- the prompt ---- */

/* "git@host's password: ", "(git@host) Password (access token): ", "Password for 'https://git@host': ". Not the
 * questions of a password change, not a passphrase or PIN, and never whether a host key is to be trusted. */
static bool asks_password(const char *prompt)
{
	static const char *const never[] = {"new password",       "old password", "current password",
					    "passphrase for key", "PIN for",      "yes/no"};
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		if (strcasestr(prompt, never[i]))
			return false;
	return strcasestr(prompt, "password");
}

static bool asks_username(const char *prompt)
{
	return !strncmp(prompt, "Username for ", 13);
}

static bool put_line(char *text)
{
	size_t len = strlen(text);
	text[len++] = '\n';
	for (size_t done = 0; done < len;) {
		ssize_t n = write(STDOUT_FILENO, text + done, len - done);
		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static int answer_username(void)
{
	const char *name = getenv("GLTOKEN_USERNAME");
	return puts(name && *name ? name : "git") < 0 || fflush(stdout);
}

static int answer_password(void)
{
	char token[GLT_TOKENFILE_SIZE];
	/* The token first: a file that cannot be read must not use up the one answer. */
	int fd = open_token();
	bool ok = fd >= 0 && glt_tokenfile_read(fd, token) && first_time() && put_line(token);
	explicit_bzero(token, sizeof(token));
	return !ok;
}

int main(int argc, char **argv)
{
	if (prctl(PR_SET_DUMPABLE, 0))
		return 1;
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return puts("gltoken-askpass (gltoken) " PACKAGE_VERSION) < 0;
	if (argc != 2 || !strcmp(argv[1], "--help")) {
		bool help = argc == 2;
		fputs("usage: gltoken-askpass PROMPT\n"
		      "For SSH_ASKPASS (with SSH_ASKPASS_REQUIRE=force) and GIT_ASKPASS. The token is in the file\n"
		      "GLTOKEN_TOKEN_FILE, on the descriptor GLTOKEN_TOKEN_FD or in $CREDENTIALS_DIRECTORY/gltoken-token;\n"
		      "the user name in GLTOKEN_USERNAME, else \"git\". See gltoken-askpass(1).\n",
		      help ? stdout : stderr);
		return help ? 0 : 2;
	}
	/* ssh sets it for questions of yes and no and for mere notices. */
	if (getenv("SSH_ASKPASS_PROMPT"))
		return 1;
	if (asks_username(argv[1]))
		return answer_username();
	if (asks_password(argv[1]))
		return answer_password();
	return glt_complain("this question is not answered: %s", argv[1]);
}
