/* SPDX-License-Identifier: MIT */
/*
 * devlog SOCKET FILE [COPY]: be the system's logger, as far as a test needs one: append each message that syslog(3)
 * sends to SOCKET to FILE, one a line, and to COPY, which outlives the test.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(at.sun_path, path);
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Every account of the system logs. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || chmod(path, 0666) < 0)
		return -1;
	return fd;
}

static int open_log(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

int main(int argc, char **argv)
{
	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: devlog SOCKET FILE [COPY]\n");
		return 2;
	}
	int out = open_log(argv[2]);
	int copy = argc == 4 ? open_log(argv[3]) : -1;
	int in = listen_at(argv[1]);
	if (in < 0 || out < 0 || (argc == 4 && copy < 0)) {
		perror("devlog");
		return 1;
	}
	for (;;) {
		char line[65536];
		ssize_t n = recv(in, line, sizeof(line) - 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 1;
		if (line[n - 1] != '\n')
			line[n++] = '\n';
		/* One write: lines of several senders stay whole. */
		if (write(out, line, (size_t)n) != n || (copy >= 0 && write(copy, line, (size_t)n) != n))
			return 1;
	}
}
