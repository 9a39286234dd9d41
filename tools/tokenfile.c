/* SPDX-License-Identifier: MIT */
#include "tokenfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int glt_complain(const char *fmt, ...)
{
	va_list ap;
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 1;
}

/* systemd gives the unit's user the file by an access list, whose mask shows as group read; the group is root's. */
static bool private_enough(const struct stat *st, bool credential)
{
	if (st->st_uid && st->st_uid != getuid())
		return false;
	if (credential && !st->st_uid && !st->st_gid)
		return !(st->st_mode & 037);
	return !(st->st_mode & 077);
}

int glt_tokenfile_open(const char *path, bool credential)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		if (errno == ELOOP)
			glt_complain("%s is a symbolic link: name the file itself", path);
		else
			glt_complain("%s: %s", path, strerror(errno));
		return -1;
	}
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && private_enough(&st, credential))
		return fd;
	glt_complain("%s must be a regular file of yours or root's that nobody else may read: chmod 600", path);
	close(fd);
	return -1;
}

/* The whole of a file from its start, so that one descriptor serves many prompts; a pipe as far as it goes. */
ssize_t glt_read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	while (len < size) {
		ssize_t n = pread(fd, buf + len, size - len, (off_t)len);
		if (n < 0 && errno == ESPIPE)
			n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

bool glt_tokenfile_read(int fd, char out[GLT_TOKENFILE_SIZE])
{
	ssize_t n = glt_read_all(fd, out, GLT_TOKENFILE_SIZE);
	close(fd);
	if (n < 0) {
		glt_complain("cannot read the token: %s", strerror(errno));
		return false;
	}
	size_t len = (size_t)n;
	if (len && out[len - 1] == '\n')
		len--;
	if (len && out[len - 1] == '\r')
		len--;
	bool ok = len > 0 && len <= GLT_TOKENFILE_MAX && n < GLT_TOKENFILE_SIZE;
	for (size_t i = 0; i < len && ok; i++)
		ok = out[i] > ' ' && out[i] < 0x7f;
	if (!ok) {
		glt_complain("the file or descriptor must hold a token and nothing else, on one line");
		return false;
	}
	out[len] = '\0';
	return true;
}
