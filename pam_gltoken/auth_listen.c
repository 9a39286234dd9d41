/* SPDX-License-Identifier: MIT */
/*
 * The same helper behind a socket, for services that may not raise privilege (NoNewPrivileges): who asks is the
 * peer of the connection, by the kernel's word. systemd starts one process a connection; --listen does the same
 * where there is no systemd.
 */
#include "auth.h"

#include "client.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE 256
#define OTHERS_AT_ONCE 224 /* what users hold open leaves room for root's questions: logins */

bool auth_peer(uid_t *uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	*uid = peer.uid;
	return true;
}

/* Members of the group may ask, as they may run the helper. */
static int make_socket(gid_t gid)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = GLT_SOCKET};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t before = umask(0777); /* nobody may connect until the owner is set */
	bool ok;

	(void)unlink(GLT_SOCKET);
	ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	     chown(GLT_SOCKET, 0, gid) == 0 && chmod(GLT_SOCKET, 0660) == 0 && listen(fd, 512) == 0;
	(void)umask(before);
	if (ok)
		return fd;
	perror("gltoken-auth: " GLT_SOCKET);
	return -1;
}

struct children {
	unsigned n, others;
	pid_t other[OTHERS_AT_ONCE]; /* those that serve somebody else than root */
};

static void count_dead(struct children *c, bool wait)
{
	pid_t pid;

	while (c->n > 0 && (pid = waitpid(-1, NULL, wait ? 0 : WNOHANG)) > 0) {
		c->n--;
		for (unsigned i = 0; i < c->others; i++)
			if (c->other[i] == pid) {
				c->other[i] = c->other[--c->others];
				break;
			}
		wait = false;
	}
}

/* True in the child. Who finds no room is hung up on, and asks the helper itself if it may. */
static bool serve_one(int listener, struct children *c)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	pid_t pid;

	if (fd < 0)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    (peer.uid != 0 && c->others == OTHERS_AT_ONCE)) {
		(void)close(fd);
		return false;
	}
	pid = fork();
	if (pid == 0) {
		if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
			_exit(3);
		(void)close(fd);
		(void)close(listener);
		return true;
	}
	if (pid > 0) {
		c->n++;
		if (peer.uid != 0)
			c->other[c->others++] = pid;
	}
	(void)close(fd);
	return false;
}

int auth_listen(gid_t gid)
{
	static struct children c;
	int listener = make_socket(gid);

	while (listener >= 0) {
		struct pollfd p = {.fd = listener, .events = POLLIN};

		(void)poll(&p, 1, 1000);
		count_dead(&c, c.n >= AT_ONCE);
		if ((p.revents & POLLIN) && serve_one(listener, &c))
			return 0;
	}
	return -1;
}
