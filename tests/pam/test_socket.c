/* SPDX-License-Identifier: MIT */
/* The client where there is a socket to ask. */
#include "client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "leftover.h"
#include "sandbox.h"

#include <cmocka.h>

static struct glt_message request, reply;
static char why[256];

/* Answers each question on GLT_SOCKET, or hangs up where text is NULL, as user uid. */
static pid_t serve(uid_t uid, const char *text)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = GLT_SOCKET};
	int ready[2], fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char byte;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char text_in[GLT_WIRE_REQUEST_MAX];
		alarm(60);
		if (setuid(uid) != 0 || listen(fd, 4) != 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;) {
			int peer = accept(fd, NULL, NULL);
			/* one that does not trust us has hung up */
			if (text && read(peer, text_in, sizeof text_in) > 0)
				send(peer, text, strlen(text), MSG_NOSIGNAL);
			close(peer);
		}
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(fd);
	return pid;
}

static void unserve(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(unlink(GLT_SOCKET), 0);
}

static enum glt_outcome ask(const char *order)
{
	glt_message_init(&request);
	glt_message_add(&request, "do", order);
	return glt_client_ask(&request, &reply, why, sizeof why);
}

/* The helper would allow; what answers on the socket says no, or half of it. */
static void a_socket_of_root_is_asked_first(void **state)
{
	static const struct {
		const char *text;
		enum glt_outcome outcome;
	} table[] = {
		{"reason=revoked\nverdict=deny\n", GLT_DENY},
		{"reason=ok\nverdict=allow\nmore=x\n", GLT_FAILED},
		{"reason=ok\nverdict=al", GLT_FAILED},
		{"x", GLT_FAILED},
	};
	int before = open_fds();

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		pid_t pid = serve(0, table[i].text);
		assert_int_equal(ask("allow"), table[i].outcome);
		if (table[i].outcome == GLT_FAILED)
			assert_wiped(&reply);
		unserve(pid);
	}
	assert_int_equal(open_fds(), before);
}

static void a_socket_of_another_is_not_trusted(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	pid_t pid = serve(65534, "reason=ok\nticket=v1.forged\nverdict=allow\n");
	assert_int_equal(ask("deny:revoked"), GLT_DENY);
	assert_string_equal(glt_message_get(&reply, "reason"), "revoked");
	assert_int_equal(rename("gltoken-auth", "away"), 0);
	assert_int_equal(ask("allow"), GLT_FAILED);
	assert_non_null(strstr(why, "not root's"));
	assert_int_equal(rename("away", "gltoken-auth"), 0);
	unserve(pid);
}

static void a_dead_socket_leaves_the_helper(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	pid_t pid = serve(0, NULL);
	assert_int_equal(ask("allow"), GLT_ALLOW); /* accepted, but no answer */
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(ask("allow"), GLT_ALLOW); /* nobody listens */
	unserve(pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_socket_of_root_is_asked_first),
		cmocka_unit_test(a_socket_of_another_is_not_trusted),
		cmocka_unit_test(a_dead_socket_leaves_the_helper),
	};

	return cmocka_run_group_tests_name("socket", tests, sandbox_open, sandbox_close);
}
