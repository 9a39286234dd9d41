/* SPDX-License-Identifier: MIT */
/* The client with a deadline short enough to be waited for. */
#include "client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "sandbox.h"

#include <cmocka.h>

static struct glt_message request, reply;
static char why[256];

static enum glt_outcome ask(const char *order, double *took)
{
	struct timespec start, end;

	glt_message_init(&request);
	glt_message_add(&request, "do", order);
	clock_gettime(CLOCK_MONOTONIC, &start);
	enum glt_outcome outcome = glt_client_ask(&request, &reply, why, sizeof why);
	clock_gettime(CLOCK_MONOTONIC, &end);
	*took = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	return outcome;
}

static int wait_for_helpers(void **state)
{
	(void)state;
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}

/* Silent at all, and never silent for long but never done. */
static void silence_ends_at_the_deadline(void **state)
{
	static const char *const orders[] = {"hang", "drip"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		double took;
		assert_int_equal(ask(orders[i], &took), GLT_FAILED);
		assert_string_equal(why, "gltoken-auth gave no answer within 2 s");
		assert_true(took > 1.9);
		assert_true(took < 7); /* the helper's own end is at 8 */
		for (size_t j = 0; j < sizeof reply; j++)
			assert_int_equal(((unsigned char *)&reply)[j], 0);
	}
}

static void a_process_that_will_not_end_is_left(void **state)
{
	double took;

	(void)state;
	assert_int_equal(ask("stay", &took), GLT_ALLOW);
	assert_true(took > 1.9);
	assert_true(took < 7);
}

/* Root listens and never answers: there is time left for the helper, and when that fails too both are named. */
static void a_silent_socket_leaves_time_for_the_helper(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = GLT_SOCKET};
	double took;

	(void)state;
	if (geteuid() != 0)
		skip();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(ask("allow", &took), GLT_ALLOW);
	assert_true(took > 1.1);
	assert_true(took < 7);
	assert_int_equal(ask("hang", &took), GLT_FAILED);
	assert_true(took < 7);
	assert_string_equal(why, "gltoken-auth gave no answer within 2 s; " GLT_SOCKET ": no answer");
	close(fd);
	assert_int_equal(unlink(GLT_SOCKET), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(silence_ends_at_the_deadline, wait_for_helpers),
		cmocka_unit_test_teardown(a_process_that_will_not_end_is_left, wait_for_helpers),
		cmocka_unit_test_teardown(a_silent_socket_leaves_time_for_the_helper, wait_for_helpers),
	};

	return cmocka_run_group_tests_name("deadline", tests, sandbox_open, sandbox_close);
}
