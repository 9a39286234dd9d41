/* SPDX-License-Identifier: MIT */
/*
 * The host is somebody else's process: sshd, a web server with threads and gigabytes of heap, a program with its
 * own SIGCHLD handler. Hence posix_spawn: the child borrows the host's memory until it executes, so nothing is
 * copied, no atfork handler runs and no lock of the host is needed, and a failed exec comes back as an error
 * number. The helper is another user's process and cannot be killed from here: nothing waits for it without bound.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct reason {
	char *text;
	size_t len;
};

struct channel {
	int fd;
	pid_t pid;
	int pidfd;  /* readable when the helper has ended; -1: no helper, or a kernel that has none */
	bool ended; /* nothing more will come than is there to be read */
};

/* The first cause counts; what follows from it would only hide it. */
static void __attribute__((format(printf, 2, 3))) explain(struct reason why, const char *fmt, ...)
{
	va_list ap;

	if (why.len == 0 || why.text[0])
		return;
	va_start(ap, fmt);
	vsnprintf(why.text, why.len, fmt, ap);
	va_end(ap);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * False: the deadline passed, or poll itself failed. The end of the stream alone is not waited for: a host that forks
 * while a helper starts gives its child the helper's end as well, and holds it open for as long as that child lives.
 */
static bool wait_for(struct channel *c, short events, int64_t deadline, struct reason why)
{
	for (;;) {
		int64_t left = deadline - now_ms();
		if (left <= 0) {
			explain(why, "gltoken-auth gave no answer within %d s", GLT_CLIENT_TIMEOUT_MS / 1000);
			return false;
		}
		struct pollfd p[] = {{.fd = c->fd, .events = events}, {.fd = c->pidfd, .events = POLLIN}};
		int n = poll(p, 2, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0) {
			c->ended = p[1].revents != 0;
			return true;
		}
		if (n < 0 && errno != EINTR) {
			explain(why, "poll: %m");
			return false;
		}
	}
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Where the host has closed one of 0 to 2, a new descriptor lands there, and the host's next message with it. */
static bool lift(int *fd)
{
	if (*fd < 0)
		return false;
	if (*fd > STDERR_FILENO)
		return true;
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(*fd);
	*fd = high;
	return high >= 0;
}

static int set_file_actions(posix_spawn_file_actions_t *fa, int end, int null)
{
	int err = posix_spawn_file_actions_adddup2(fa, end, STDIN_FILENO);

	if (!err)
		err = posix_spawn_file_actions_adddup2(fa, end, STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(fa, null, STDERR_FILENO);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(fa, STDERR_FILENO + 1);
	return err;
}

static int set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	int err = posix_spawnattr_setsigmask(attr, &none);
	if (!err)
		err = posix_spawnattr_setsigdefault(attr, &all);
	if (!err)
		err = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return err;
}

static int spawn_helper(int end, int null, pid_t *pid)
{
	char name[] = "gltoken-auth";
	char *argv[] = {name, NULL}, *envp[] = {NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;

	int err = posix_spawn_file_actions_init(&fa);
	if (err)
		return err;
	err = posix_spawnattr_init(&attr);
	if (!err) {
		err = set_file_actions(&fa, end, null);
		if (!err)
			err = set_attributes(&attr);
		if (!err)
			err = posix_spawn(pid, GLT_HELPER, &fa, &attr, argv, envp);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&fa);
	return err;
}

static void explain_spawn(int err, struct reason why)
{
	if (err == EACCES) {
		explain(why, "not permitted to run %s: is the caller in group gltoken?", GLT_HELPER);
	} else if (err == ENOENT) {
		explain(why, "%s is missing", GLT_HELPER);
	} else {
		errno = err;
		explain(why, "cannot run %s: %m", GLT_HELPER);
	}
}

/*
 * Transport: the socket of gltoken-auth.socket, for callers that cannot raise privilege. Only root can have made it
 * in /run, and root must be who listens. False with why left empty: there is no such socket.
 */
static bool open_socket(struct channel *c, struct reason why)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = GLT_SOCKET};
	struct ucred peer;
	socklen_t len = sizeof peer;

	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!lift(&c->fd)) {
		explain(why, "socket: %m");
		return false;
	}
	if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0) {
		if (errno != ENOENT)
			explain(why, "%s: %m", GLT_SOCKET);
	} else if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != 0) {
		explain(why, "%s: not root's", GLT_SOCKET);
	} else {
		return true;
	}
	close_fd(&c->fd);
	return false;
}

/* Transport: a connected stream to a gltoken-auth of our own. */
static bool open_helper(struct channel *c, struct reason why)
{
	int pair[2] = {-1, -1};
	bool ok = false;

	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (!lift(&null)) {
		explain(why, "/dev/null: %m");
		goto out;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 || !lift(&pair[0]) || !lift(&pair[1])) {
		explain(why, "socketpair: %m");
		goto out;
	}
	int err = spawn_helper(pair[1], null, &c->pid);
	if (err) {
		explain_spawn(err, why);
		goto out;
	}
	c->fd = pair[0];
	pair[0] = -1;
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	c->ended = c->pidfd < 0 && errno == ESRCH; /* and the host, or the kernel for it, has taken it already */
	(void)lift(&c->pidfd);
	ok = true;
out:
	close_fd(&null);
	close_fd(&pair[0]);
	close_fd(&pair[1]);
	return ok;
}

/* Wait status of the helper, or -1 where the host took it, ignores its children, or time ran out. */
static int reap(pid_t pid, int64_t deadline)
{
	struct timespec nap = {.tv_nsec = 100000};

	for (;;) {
		int status;
		pid_t got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			return status;
		if ((got < 0 && errno != EINTR) || now_ms() >= deadline)
			return -1;
		nanosleep(&nap, NULL);
		if (nap.tv_nsec < 20000000)
			nap.tv_nsec *= 2;
	}
}

/* Only the deadline is an error here: a helper that answers without reading, as one without privilege does, closes
 * its end early, and what it said is then still there to be read. */
static bool send_all(struct channel *c, const char *data, size_t len, int64_t deadline, struct reason why)
{
	while (len > 0 && !c->ended) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (!wait_for(c, POLLOUT, deadline, why))
				return false;
		} else if (errno != EINTR) {
			return true;
		}
	}
	return true;
}

static bool receive_all(struct channel *c, struct glt_message *reply, int64_t deadline, struct reason why)
{
	for (;;) {
		char spare;
		size_t room = sizeof reply->text - reply->len;
		ssize_t n = recv(c->fd, room ? reply->text + reply->len : &spare, room ? room : 1, MSG_DONTWAIT);
		if (n > 0 && room == 0) {
			explain(why, "the answer of gltoken-auth is too long");
			return false;
		}
		if (n > 0) {
			reply->len += (size_t)n;
		} else if (n == 0 || errno == ECONNRESET) {
			return true; /* reset: it ended before it had read all; its answer came before that */
		} else if (errno == EAGAIN) {
			if (c->ended)
				return true;
			if (!wait_for(c, POLLIN, deadline, why))
				return false;
		} else if (errno != EINTR) {
			explain(why, "no answer from gltoken-auth: %m");
			return false;
		}
	}
}

/* Dialogue: one request out, one reply in, on any connected stream. */
static bool converse(struct channel *c, const struct glt_message *request, struct glt_message *reply,
		     int64_t deadline, struct reason why)
{
	if (!send_all(c, request->text, request->len, deadline, why))
		return false;
	shutdown(c->fd, SHUT_WR);
	return receive_all(c, reply, deadline, why);
}

static enum glt_outcome outcome_of(struct glt_message *reply, struct reason why)
{
	bool allow = false;

	if (!glt_message_parse_reply(reply, &allow)) {
		explain(why, "gltoken-auth gave no complete answer");
		return GLT_FAILED;
	}
	return allow ? GLT_ALLOW : GLT_DENY;
}

/* False: nobody answered there, so that the helper may be asked. What did answer, even in half, is the answer: a
 * second question could take a second use of a token. */
static bool ask_socket(const struct glt_message *request, struct glt_message *reply, int64_t deadline,
		       enum glt_outcome *outcome, struct reason why)
{
	struct channel c = {.fd = -1, .pid = -1, .pidfd = -1};

	if (!open_socket(&c, why))
		return false;
	bool told = converse(&c, request, reply, deadline, why);
	close_fd(&c.fd);
	if (reply->len == 0) {
		if (why.len > 0)
			why.text[0] = '\0'; /* which of the two was silent matters more */
		explain(why, "%s: no answer", GLT_SOCKET);
		return false;
	}
	*outcome = told ? outcome_of(reply, why) : GLT_FAILED;
	return true;
}

static enum glt_outcome ask_helper(const struct glt_message *request, struct glt_message *reply, int64_t deadline,
				   struct reason why)
{
	struct channel c = {.fd = -1, .pid = -1, .pidfd = -1};

	if (!open_helper(&c, why))
		return GLT_FAILED;

	bool told = converse(&c, request, reply, deadline, why);
	close_fd(&c.fd);
	close_fd(&c.pidfd);
	int status = reap(c.pid, deadline);

	if (status != -1 && WIFSIGNALED(status)) {
		explain(why, "gltoken-auth was ended by signal %d", WTERMSIG(status));
		return GLT_FAILED;
	}
	return told ? outcome_of(reply, why) : GLT_FAILED;
}

/* A silent socket leaves time for the helper, but has as much as a busy one needs: [hash] wait and a hash. */
static enum glt_outcome ask(const struct glt_message *request, struct glt_message *reply, struct reason why)
{
	int64_t deadline = now_ms() + GLT_CLIENT_TIMEOUT_MS;
	enum glt_outcome outcome;
	char text[160] = "";
	struct reason first = {.text = text, .len = sizeof text};

	if (ask_socket(request, reply, deadline - GLT_CLIENT_TIMEOUT_MS * 2 / 5, &outcome, first)) {
		explain(why, "%s", text);
		return outcome;
	}
	outcome = ask_helper(request, reply, deadline, why);
	if (outcome == GLT_FAILED && text[0] && why.len) { /* both, and why */
		size_t used = strlen(why.text);
		snprintf(why.text + used, why.len - used, "; %s", text);
	}
	return outcome;
}

enum glt_outcome glt_client_ask(struct glt_message *request, struct glt_message *reply, char *why, size_t why_len)
{
	int saved_errno = errno;
	struct reason reason = {.text = why, .len = why_len};
	enum glt_outcome outcome = GLT_FAILED;

	if (why_len > 0)
		why[0] = '\0';
	glt_message_init(reply);
	if (request->bad || request->len == 0 || request->len >= GLT_WIRE_REQUEST_MAX) {
		explain(reason, "the request is empty, too long or holds a control character");
	} else {
		request->text[request->len++] = '\n';
		outcome = ask(request, reply, reason);
	}
	glt_message_wipe(request);
	if (outcome == GLT_FAILED)
		glt_message_wipe(reply);
	errno = saved_errno;
	return outcome;
}
