/* SPDX-License-Identifier: MIT */
/*
 * Every return code of authenticate, through real libpam.
 * The helper is a stand-in that answers what the secret, the ticket, the key or the account tells it to; what the
 * real one answers is tested end to end.
 */
#include "pam_host.h"
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RHOST "rhost=192.0.2.7\n"
#define JUNK "\b\n\r\177INCORRECT"

/* One login with its environment polluted before: code, one line, no secret in it, no session but of success. */
static void login(const char *service, const char *answer, int code, bool asked)
{
	struct host h;

	host_open(&h, service, "git");
	h.answer = answer;
	host_preset(&h, "GLTOKEN_SESSION=stale");
	expect(&h, PAMTEST_AUTHENTICATE, code);
	assert_int_equal(host_asked()[0] != '\0', asked);
	if (code != PAM_SUCCESS)
		assert_null(host_session(&h));
	assert_int_equal(host_log_lines(), 1);
	assert_logged(code == PAM_SUCCESS ? "decision=allow" : "decision=deny");
	if (strlen(answer) >= 5)
		assert_not_logged(answer);
	host_close(&h);
}

static void good_token(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, "sshd-git", "git");
	h.answer = "allow:v1.ticket";
	expect(&h, PAMTEST_AUTHENTICATE, PAM_SUCCESS);
	assert_string_equal(host_session(&h), "v1.ticket");
	assert_string_equal(host_asked(),
			    "verb=verify\nsecret=allow:v1.ticket\naccount=git\nservice=sshd\n" RHOST "\n");
	assert_int_equal(h.prompts, 1);
	assert_int_equal(h.style, PAM_PROMPT_ECHO_OFF);
	assert_string_equal(h.prompt, "Password (access token): ");
	assert_string_equal(host_log,
			    "<6>pam_gltoken_test(sshd-git:auth): event=login decision=allow reason=ok token=7 "
			    "owner=alice account=git service=sshd rhost=192.0.2.7\n");

	expect(&h, PAMTEST_SETCRED, PAM_SUCCESS);
	host_forget();
	expect(&h, PAMTEST_ACCOUNT, PAM_PERM_DENIED); /* "v1.ticket" is no order that allows */
	assert_string_equal(host_asked(), "verb=authorize\noperation=login\nticket=v1.ticket\naccount=git\n\n");
	host_close(&h);
}

static void each_reason_of_a_refusal(void **state)
{
	char order[128];

	(void)state;
	for (size_t i = 0; host_reasons[i]; i++) {
		snprintf(order, sizeof order, "deny:%s", host_reasons[i]);
		login("sshd-git", order,
		      host_trouble(host_reasons[i])                 ? PAM_AUTHINFO_UNAVAIL
		      : strcmp(host_reasons[i], "not_a_token") == 0 ? PAM_USER_UNKNOWN
								    : PAM_AUTH_ERR,
		      true);
		snprintf(order, sizeof order, "reason=%s ", host_reasons[i]);
		assert_logged(order);
		assert_logged("token=7 owner=alice account=git service=sshd rhost=192.0.2.7 text=\"the helper was");
		assert_logged(host_trouble(host_reasons[i])                 ? "<3>"
			      : strcmp(host_reasons[i], "not_a_token") == 0 ? "<6>"
									    : "<5>");
	}
	login("sshd-git", "deny:some_reason_of_a_later_version", PAM_AUTH_ERR, true);
	login("sshd-git", "deny:", PAM_AUTH_ERR, true);
}

static void no_verdict(void **state)
{
	static const char *const orders[] = {"nothing",    "half-line",     "no-verdict",   "after-line",
					     "deny-allow", "killed-before", "killed-after", "megabyte"};

	(void)state;
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		login("sshd-git", orders[i], PAM_AUTHINFO_UNAVAIL, true);
		assert_logged("<3>");
		assert_logged("reason=no_answer");
	}
}

static void no_helper(void **state)
{
	struct host h;

	(void)state;
	assert_int_equal(rename("gltoken-auth", "away"), 0);
	login("sshd-git", "allow:v1.ticket", PAM_AUTHINFO_UNAVAIL, false);
	assert_logged("text=\"./gltoken-auth is missing\"");
	host_open(&h, "sshd-git", "git");
	host_preset(&h, "GLTOKEN_SESSION=allow");
	expect(&h, PAMTEST_ACCOUNT, PAM_AUTHINFO_UNAVAIL);
	expect(&h, PAMTEST_OPEN_SESSION, PAM_SUCCESS);
	assert_string_equal(host_session(&h), "none");
	host_close(&h);
	assert_int_equal(rename("away", "gltoken-auth"), 0);
}

static void allow_without_a_ticket_is_no_success(void **state)
{
	(void)state;
	login("sshd-git", "allow", PAM_AUTHINFO_UNAVAIL, true);
	assert_logged("reason=no_ticket");
	login("sshd-git", "allow:", PAM_AUTHINFO_UNAVAIL, true);
	login("sshd-git", "allow:none", PAM_AUTHINFO_UNAVAIL, true);
}

static void what_cannot_be_a_token_is_not_asked(void **state)
{
	char text[PAM_MAX_RESP_SIZE + 2];

	(void)state;
	memset(text, 'a', sizeof text - 1);
	text[PAM_MAX_RESP_SIZE + 1] = '\0';
	login("sshd-git", text, PAM_USER_UNKNOWN, false);
	assert_logged("reason=not_a_token");
	text[PAM_MAX_RESP_SIZE] = '\0';
	login("sshd-git", text, PAM_USER_UNKNOWN, true);

	login("sshd-git", "allow:v1.x\n", PAM_USER_UNKNOWN, false);
	login("sshd-git", "allow:v1.x\nverdict=allow", PAM_USER_UNKNOWN, false);
	login("sshd-git",
	      "\x7f"
	      "allow:v1.x",
	      PAM_USER_UNKNOWN, false);
	login("sshd-git", "allow\x01:v1.x", PAM_USER_UNKNOWN, false);
	assert_logged("reason=not_a_token");
}

static void junk_of_sshd(void **state)
{
	char text[64];

	(void)state;
	for (size_t len = 1; len < 40; len++) {
		for (size_t i = 0; i < len; i++)
			text[i] = JUNK[i % strlen(JUNK)];
		text[len] = '\0';
		login("sshd-git", text, PAM_USER_UNKNOWN, false);
		assert_logged("reason=account_unknown");
		assert_logged("account unknown to NSS");
	}
	login("sshd-git", JUNK "X", PAM_USER_UNKNOWN, false);
	assert_logged("reason=not_a_token");
	login("sshd-git", "INCORRECT", PAM_USER_UNKNOWN, true);
}

static void no_answer_to_the_prompt(void **state)
{
	static const struct {
		enum manner manner;
		const char *answer;
		int code;
	} table[] = {
		{ANSWERS, "", PAM_AUTH_ERR},
		{NO_RESPONSE, "", PAM_CONV_ERR},
		{NO_TEXT, "", PAM_CONV_ERR},
		{FAILS, "allow:v1.ticket", PAM_CONV_ERR},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct host h;
		host_open(&h, "sshd-git", "git");
		h.manner = table[i].manner;
		h.answer = table[i].answer;
		host_preset(&h, "GLTOKEN_SESSION=stale");
		expect(&h, PAMTEST_AUTHENTICATE, table[i].code);
		assert_null(host_session(&h));
		assert_int_equal(h.prompts, 1);
		assert_string_equal(host_asked(), "");
		assert_logged("decision=deny reason=no_secret");
		host_close(&h);
	}
}

static void only_listed_services(void **state)
{
	static const char *const refused[] = {"login", "sshd-gi", "sshd-gitx"};

	(void)state;
	login("sshd-git", "allow:v1.ticket", PAM_SUCCESS, true);
	login("sshd", "allow:v1.ticket", PAM_SUCCESS, true);
	assert_logged("service=sshd ");
	login("gltoken", "allow:v1.ticket", PAM_SUCCESS, true);
	assert_logged("service=gltoken ");
	login("one", "allow:v1.ticket", PAM_SUCCESS, true);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct host h;
		host_open(&h, refused[i], "git");
		h.answer = "allow:v1.ticket";
		host_preset(&h, "GLTOKEN_SESSION=stale");
		expect(&h, PAMTEST_AUTHENTICATE, PAM_SERVICE_ERR);
		assert_null(host_session(&h));
		assert_int_equal(h.prompts, 0);
		assert_logged("reason=service_not_listed");
		host_close(&h);
	}
}

static void unknown_and_empty_arguments(void **state)
{
	static const char *const refused[] = {"bad-argument", "bad-flag", "bad-value", "bad-services", "bad-case"};

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct host h;
		host_open(&h, refused[i], "git");
		h.answer = "allow:v1.ticket";
		host_preset(&h, "GLTOKEN_SESSION=stale");
		expect(&h, PAMTEST_AUTHENTICATE, PAM_SERVICE_ERR);
		assert_null(host_session(&h));
		assert_logged("unknown or empty argument");
		host_preset(&h, "GLTOKEN_SESSION=allow");
		expect(&h, PAMTEST_ACCOUNT, PAM_SERVICE_ERR);
		expect(&h, PAMTEST_OPEN_SESSION, PAM_SERVICE_ERR);
		assert_string_equal(host_session(&h), "none");
		assert_int_equal(h.prompts, 0);
		assert_string_equal(host_asked(), "");
		host_close(&h);
	}
}

static void user_must_be_set_and_printable(void **state)
{
	static const struct {
		const char *user, *reason;
	} table[] = {{NULL, "no_user"},
		     {"", "no_user"},
		     {"git\nverdict=allow", "bad_request"},
		     {"a\x7f", "bad_request"}};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct host h;
		host_open(&h, "sshd-git", table[i].user);
		h.answer = "allow:v1.ticket";
		expect(&h, PAMTEST_AUTHENTICATE, PAM_AUTH_ERR);
		assert_null(host_session(&h));
		assert_string_equal(host_asked(), "");
		assert_logged(table[i].reason);
		assert_int_equal(host_log_lines(), 1);
		host_close(&h);
	}

	static char endless[GLT_WIRE_REQUEST_MAX];
	struct host h;
	memset(endless, 'a', sizeof endless - 1);
	host_open(&h, "sshd-git", endless);
	h.answer = "allow:v1.ticket";
	expect(&h, PAMTEST_AUTHENTICATE, PAM_AUTH_ERR);
	assert_logged("bad_request");
	assert_logged("service=sshd rhost=192.0.2.7");
	host_close(&h);
}

static void what_is_asked_for_other_services(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, "named", "alice");
	h.answer = "allow";
	expect(&h, PAMTEST_AUTHENTICATE, PAM_SUCCESS);
	assert_string_equal(host_asked(), "verb=verify\nsecret=allow\naccount=alice\nservice=http\n" RHOST
					  "scope=read_repository\nnosession=1\n\n");
	host_close(&h);

	host_open(&h, "asks", "alice");
	assert_int_equal(pam_set_item(h.pamh, PAM_RHOST, NULL), PAM_SUCCESS);
	h.answer = "allow:v1.x";
	expect(&h, PAMTEST_AUTHENTICATE, PAM_SUCCESS);
	assert_string_equal(h.prompt, "Your token, please: ");
	assert_string_equal(host_asked(), "verb=verify\nsecret=allow:v1.x\naccount=alice\nservice=asks\n\n");
	host_close(&h);
}

static void secret_of_a_module_before(void **state)
{
	static const struct {
		const char *service, *answer;
		int prompts, code;
		const char *session;
	} table[] = {
		{"first", "allow:v1.asked", 0, PAM_SUCCESS, "v1.first"},
		{"first-none", "allow:v1.asked", 0, PAM_AUTH_ERR, NULL},
		{"first-empty", "allow:v1.asked", 0, PAM_AUTH_ERR, NULL},
		{"try", "allow:v1.asked", 0, PAM_SUCCESS, "v1.first"},
		{"try-none", "allow:v1.asked", 1, PAM_SUCCESS, "v1.asked"},
		{"try-empty", "allow:v1.asked", 0, PAM_AUTH_ERR, NULL},
		{"fresh", "allow:v1.asked", 1, PAM_SUCCESS, "v1.asked"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct host h;
		host_open(&h, table[i].service, "git");
		h.answer = table[i].answer;
		expect(&h, PAMTEST_AUTHENTICATE, table[i].code);
		assert_int_equal(h.prompts, table[i].prompts);
		if (table[i].session)
			assert_string_equal(host_session(&h), table[i].session);
		else
			assert_null(host_session(&h));
		host_close(&h);
	}
}

static void what_the_next_module_finds(void **state)
{
	static const struct {
		const char *service, *answer, *seen;
	} table[] = {
		{"leaves", "password-of-unix", "password-of-unix"},
		{"leaves", "pass\tword", "pass\tword"},
		{"leaves", "deny:not_a_token", "deny:not_a_token"},
		{"leaves", "deny:revoked", "(nothing)"},
		{"leaves", "deny:wrong_secret", "(nothing)"},
		{"leaves", "deny:unavailable", "(nothing)"},
		{"leaves", "allow:v1.x", "(nothing)"},
		{"leaves", "nothing", "(nothing)"},
		{"leaves-first", "", "password-of-unix"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct host h;
		host_open(&h, table[i].service, "git");
		h.answer = table[i].answer;
		expect(&h, PAMTEST_AUTHENTICATE, PAM_SUCCESS); /* of pam_permit, behind */
		assert_string_equal(pam_getenv(h.pamh, "SEEN"), table[i].seen);
		host_close(&h);
	}
}

/* auth [success=done user_unknown=ignore default=die] */
static void mixed_stack(void **state)
{
	static const struct {
		const char *answer;
		int code;
		bool passed_on;
	} table[] = {
		{"allow:v1.x", PAM_SUCCESS, false},
		{"password-of-unix", PAM_SUCCESS, true},
		{"deny:revoked", PAM_AUTH_ERR, false},
		{"deny:wrong_secret", PAM_AUTH_ERR, false},
		{"deny:unavailable", PAM_AUTHINFO_UNAVAIL, false},
		{"nothing", PAM_AUTHINFO_UNAVAIL, false},
		{"", PAM_AUTH_ERR, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct host h;
		host_open(&h, "mixed", "git");
		h.answer = table[i].answer;
		expect(&h, PAMTEST_AUTHENTICATE, table[i].code);
		assert_int_equal(pam_getenv(h.pamh, "SEEN") != NULL, table[i].passed_on);
		if (table[i].passed_on)
			assert_string_equal(pam_getenv(h.pamh, "SEEN"), table[i].answer);
		if (table[i].code == PAM_SUCCESS)
			expect(&h, PAMTEST_SETCRED, PAM_SUCCESS);
		host_close(&h);
	}
}

static void each_attempt_begins_anew(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, "sshd-git", "git");
	h.answer = "allow:v1.first";
	expect(&h, PAMTEST_AUTHENTICATE, PAM_SUCCESS);
	h.answer = "deny:revoked";
	expect(&h, PAMTEST_AUTHENTICATE, PAM_AUTH_ERR);
	assert_null(host_session(&h));
	expect(&h, PAMTEST_ACCOUNT, PAM_CRED_EXPIRED); /* ignored */
	host_close(&h);

	host_open(&h, "web", "git");
	h.answer = "allow";
	expect(&h, PAMTEST_AUTHENTICATE, PAM_SUCCESS);
	expect(&h, PAMTEST_ACCOUNT, PAM_SUCCESS);
	h.answer = "deny:revoked";
	expect(&h, PAMTEST_AUTHENTICATE, PAM_AUTH_ERR);
	expect(&h, PAMTEST_ACCOUNT, PAM_CRED_EXPIRED);
	host_close(&h);
}

static void no_memory_for_the_result(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, "sshd-git", "git");
	h.answer = "allow:v1.ticket";
	host_putenv_fails = 1;
	expect(&h, PAMTEST_AUTHENTICATE, PAM_BUF_ERR);
	assert_null(host_session(&h));
	assert_logged("decision=deny reason=no_memory");
	host_preset(&h, "GLTOKEN_SESSION=stale"); /* that cannot be deleted */
	host_putenv_fails = 1;
	expect(&h, PAMTEST_AUTHENTICATE, PAM_AUTH_ERR);
	host_close(&h);

	host_open(&h, "web", "git");
	h.answer = "allow";
	host_set_data_fails = true;
	expect(&h, PAMTEST_AUTHENTICATE, PAM_BUF_ERR);
	expect(&h, PAMTEST_ACCOUNT, PAM_CRED_EXPIRED);
	assert_null(host_session(&h));
	host_close(&h);
}

static void no_memory_for_the_question(void **state)
{
	struct host h;

	(void)state;
	host_no_memory = true;
	void *volatile large = calloc(1, 70000);
	host_no_memory = false;
	free(large);
	if (large)
		skip(); /* a sanitizer's allocator */

	host_open(&h, "sshd-git", "git");
	h.answer = "allow:v1.ticket";
	host_no_memory = true;
	expect(&h, PAMTEST_AUTHENTICATE, PAM_BUF_ERR);
	assert_null(host_session(&h));
	assert_logged("out of memory");
	host_preset(&h, "GLTOKEN_SESSION=allow");
	expect(&h, PAMTEST_ACCOUNT, PAM_BUF_ERR);
	expect(&h, PAMTEST_OPEN_SESSION, PAM_SUCCESS);
	assert_string_equal(host_session(&h), "none");
	host_close(&h);
}

static void debug_says_what_is_asked(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, "verbose", "git");
	h.answer = "allow:v1.ticket";
	expect(&h, PAMTEST_AUTHENTICATE, PAM_SUCCESS);
	assert_logged("<7>pam_gltoken_test(verbose:auth): asked=./gltoken-auth verb=verify scope=api nosession=no "
		      "account=git service=verbose rhost=192.0.2.7\n");
	assert_not_logged("v1.ticket");
	host_preset(&h, "GLTOKEN_SESSION=allow");
	host_forget();
	expect(&h, PAMTEST_ACCOUNT, PAM_SUCCESS);
	assert_logged("event=account decision=allow");
	host_close(&h);
}

static void silent_is_not_for_the_log(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, "sshd-git", "a b\"=\n");
	h.answer = JUNK;
	expect_flags(&h, PAMTEST_AUTHENTICATE, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK, PAM_USER_UNKNOWN);
	assert_logged("account=\"a b\\x22=\\x0a\" service=sshd");
	assert_string_equal(h.message, "");
	host_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_token),
		cmocka_unit_test(each_reason_of_a_refusal),
		cmocka_unit_test(no_verdict),
		cmocka_unit_test(no_helper),
		cmocka_unit_test(allow_without_a_ticket_is_no_success),
		cmocka_unit_test(what_cannot_be_a_token_is_not_asked),
		cmocka_unit_test(junk_of_sshd),
		cmocka_unit_test(no_answer_to_the_prompt),
		cmocka_unit_test(only_listed_services),
		cmocka_unit_test(unknown_and_empty_arguments),
		cmocka_unit_test(user_must_be_set_and_printable),
		cmocka_unit_test(what_is_asked_for_other_services),
		cmocka_unit_test(secret_of_a_module_before),
		cmocka_unit_test(what_the_next_module_finds),
		cmocka_unit_test(mixed_stack),
		cmocka_unit_test(each_attempt_begins_anew),
		cmocka_unit_test(no_memory_for_the_result),
		cmocka_unit_test(no_memory_for_the_question),
		cmocka_unit_test(debug_says_what_is_asked),
		cmocka_unit_test(silent_is_not_for_the_log),
	};

	return cmocka_run_group_tests_name("pam", tests, host_begin, host_end);
}
