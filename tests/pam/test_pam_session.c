/* SPDX-License-Identifier: MIT */
/*
 * Every return code of setcred, account, session and password, through real libpam.
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

/* ---- setcred, account ---- */

static void setcred_always_succeeds(void **state)
{
	static const int flags[] = {PAM_ESTABLISH_CRED, PAM_DELETE_CRED, PAM_REINITIALIZE_CRED, PAM_REFRESH_CRED};

	(void)state;
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		struct host h;
		host_open(&h, "sshd-git", "git");
		expect_flags(&h, PAMTEST_SETCRED, flags[i], PAM_SUCCESS);
		assert_int_equal(host_log_lines(), 0);
		host_close(&h);
	}
}

static void account(const char *service, const char *user, const char *ticket, int code)
{
	char pair[256];
	struct host h;

	host_open(&h, service, user);
	if (ticket) {
		snprintf(pair, sizeof pair, "GLTOKEN_SESSION=%s", ticket);
		host_preset(&h, pair);
	}
	expect(&h, PAMTEST_ACCOUNT, code);
	assert_int_equal(h.prompts, 0);
	host_close(&h);
}

static void account_with_a_ticket(void **state)
{
	char order[128];

	(void)state;
	account("sshd-git", "git", "allow", PAM_SUCCESS);
	assert_string_equal(host_log, "");
	for (size_t i = 0; host_reasons[i]; i++) {
		snprintf(order, sizeof order, "deny:%s", host_reasons[i]);
		account("sshd-git", "git", order,
			host_trouble(host_reasons[i])             ? PAM_AUTHINFO_UNAVAIL
			: strcmp(host_reasons[i], "expired") == 0 ? PAM_ACCT_EXPIRED
								  : PAM_PERM_DENIED);
		assert_int_equal(host_log_lines(), 1);
		assert_logged("event=account decision=deny");
		assert_not_logged("deny:");
	}
	account("sshd-git", "git", "nothing", PAM_AUTHINFO_UNAVAIL);
	account("sshd-git", "git", "killed-after", PAM_AUTHINFO_UNAVAIL);
	account("strict", "git", "allow", PAM_SUCCESS);
	account("sshd-git", NULL, "allow", PAM_PERM_DENIED);
	account("sshd-git", "git\n", "allow", PAM_PERM_DENIED);
}

static void account_without_a_ticket(void **state)
{
	(void)state;
	account("sshd-git", "git", NULL, PAM_CRED_EXPIRED); /* ignored */
	assert_string_equal(host_asked(), "");
	assert_string_equal(host_log, "");
	account("sshd-git", "git", "none", PAM_CRED_EXPIRED);
	account("sshd-git", "git", "", PAM_CRED_EXPIRED);
	account("strict", "git", NULL, PAM_PERM_DENIED);
	assert_logged("event=account decision=deny reason=no_session");
	account("strict", "git", "none", PAM_PERM_DENIED);
	account("web", "git", NULL, PAM_CRED_EXPIRED);
	account("strictweb", "git", NULL, PAM_PERM_DENIED);
}

static void account_of_a_service_without_sessions(void **state)
{
	static const char *const services[] = {"web", "strictweb"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct host h;
		host_open(&h, services[i], "alice");
		h.answer = "allow";
		expect(&h, PAMTEST_AUTHENTICATE, PAM_SUCCESS);
		assert_string_equal(host_session(&h), "none");
		host_forget();
		expect(&h, PAMTEST_ACCOUNT, PAM_SUCCESS);
		assert_string_equal(host_asked(), "");
		/* It was alice who was allowed. */
		assert_int_equal(pam_set_item(h.pamh, PAM_USER, "bob"), PAM_SUCCESS);
		expect(&h, PAMTEST_ACCOUNT, i ? PAM_PERM_DENIED : PAM_CRED_EXPIRED);
		host_close(&h);
	}
}

/* ---- session ---- */

static void begin_session(struct host *h, const char *service, const char *user, const char *held, const char *info)
{
	static char pair[16384];

	host_open(h, service, user);
	if (held) {
		snprintf(pair, sizeof pair, "GLTOKEN_SESSION=%s", held);
		host_preset(h, pair);
	}
	if (info) {
		snprintf(pair, sizeof pair, "SSH_AUTH_INFO_0=%s", info);
		host_preset(h, pair);
	}
}

static void session_by_key(void **state)
{
	static const struct {
		const char *info, *key, *session;
	} table[] = {
		{"publickey ssh-ed25519 allow:v1.k\n", "key=ssh-ed25519 allow:v1.k\n", "v1.k"},
		{"publickey ssh-ed25519 allow:v1.k", "key=ssh-ed25519 allow:v1.k\n", "v1.k"},
		{"password\npublickey ssh-rsa allow:v1.k\n", "key=ssh-rsa allow:v1.k\n", "v1.k"},
		{"publickey a allow:v1.1\npublickey b allow:v1.2\n", "key=a allow:v1.1\n", "v1.1"},
		{"publickey ssh-ed25519 deny:unknown_key\n", "key=ssh-ed25519 deny:unknown_key\n", "none"},
		{"publickey ssh-ed25519 deny:unavailable\n", "key=ssh-ed25519 deny:unavailable\n", "none"},
		{"publickey ssh-ed25519 nothing\n", "key=ssh-ed25519 nothing\n", "none"},
		{"publickey ssh-ed25519 killed-after\n", "key=ssh-ed25519 killed-after\n", "none"},
		{"publickey ssh-ed25519 allow\n", "key=ssh-ed25519 allow\n", "none"},
		/* no key of this login's client: by the account alone */
		{"hostbased ssh-ed25519 allow:v1.k\n", "", "v1.acc"},
		{"xpublickey ssh-ed25519 allow:v1.k\n", "", "v1.acc"},
		{"publickeyx ssh-ed25519 allow:v1.k\n", "", "v1.acc"},
		{"password\n", "", "v1.acc"},
		{"keyboard-interactive/pam\n", "", "v1.acc"},
		{"", "", "v1.acc"},
		{NULL, "", "v1.acc"},
	};
	char asked[1024];

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct host h;
		begin_session(&h, "sshd-git", "allow:v1.acc", NULL, table[i].info);
		expect(&h, PAMTEST_OPEN_SESSION, PAM_SUCCESS);
		assert_string_equal(host_session(&h), table[i].session);
		snprintf(asked, sizeof asked, "verb=key\n%saccount=allow:v1.acc\nservice=sshd\n" RHOST "\n",
			 table[i].key);
		assert_string_equal(host_asked(), asked);
		assert_int_equal(host_log_lines(), 1);
		assert_logged("event=session");
		assert_not_logged("v1.k");
		expect(&h, PAMTEST_CLOSE_SESSION, PAM_SUCCESS);
		host_close(&h);
	}
}

static void keys_that_cannot_be_asked(void **state)
{
	static char info[12000];

	(void)state;
	strcpy(info, "publickey ssh-rsa ");
	memset(info + strlen(info), 'A', 9000);
	for (int i = 0; i < 2; i++) {
		struct host h;
		begin_session(&h, "sshd-git", "allow:v1.acc", NULL, i ? "publickey ssh-rsa AAAA\r\n" : info);
		expect(&h, PAMTEST_OPEN_SESSION, PAM_SUCCESS);
		assert_string_equal(host_session(&h), "none");
		assert_string_equal(host_asked(), "");
		assert_logged("event=session decision=deny reason=bad_request");
		host_close(&h);
	}
}

/* The limits of a token hold to the end of its session: what it loses, key and account do not give back. */
static void session_of_a_token(void **state)
{
	static const struct {
		const char *held, *session;
		bool asked;
	} table[] = {
		{"allow", "allow", true},
		{"deny:revoked", "none", true},
		{"deny:bad_ticket", "none", true},
		{"deny:unavailable", "none", true},
		{"nothing", "none", true},
		{"none", "none", false},
		{"", "none", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct host h;
		begin_session(&h, "sshd-git", "allow:v1.acc", table[i].held, "publickey ssh-ed25519 allow:v1.k\n");
		expect(&h, PAMTEST_OPEN_SESSION, PAM_SUCCESS);
		assert_string_equal(host_session(&h), table[i].session);
		assert_null(strstr(host_asked(), "verb=key"));
		assert_int_equal(strstr(host_asked(), "verb=authorize") != NULL, table[i].asked);
		host_close(&h);
	}

	struct host h;
	host_open(&h, "web", "allow:v1.acc");
	h.answer = "allow";
	expect(&h, PAMTEST_AUTHENTICATE, PAM_SUCCESS);
	host_forget();
	expect(&h, PAMTEST_OPEN_SESSION, PAM_SUCCESS);
	assert_string_equal(host_session(&h), "none");
	assert_string_equal(host_asked(), "");
	host_close(&h);
}

static void sessions_without_identity(void **state)
{
	static const struct {
		const char *service, *user;
	} table[] = {{"login", "allow:v1.acc"}, {"web", "allow:v1.acc"}, {"sshd-git", NULL}, {"sshd-git", ""}};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct host h;
		begin_session(&h, table[i].service, table[i].user, NULL, "publickey ssh-ed25519 allow:v1.k\n");
		expect(&h, PAMTEST_OPEN_SESSION, PAM_SUCCESS);
		assert_string_equal(host_session(&h), "none");
		assert_string_equal(host_asked(), "");
		host_close(&h);
	}
}

static void session_whose_environment_cannot_be_set(void **state)
{
	(void)state;
	/* "none" at the start, then the ticket: of a key, of a token that is kept */
	for (int kept = 0; kept < 2; kept++) {
		for (int nth = 1; nth <= 2; nth++) {
			struct host h;
			begin_session(&h, "sshd-git", "git", kept ? "allow" : NULL,
				      "publickey ssh-ed25519 allow:v1.k\n");
			host_putenv_fails = nth;
			expect(&h, PAMTEST_OPEN_SESSION, PAM_SESSION_ERR);
			host_close(&h);
		}
	}
}

/* ---- password ---- */

static void tokens_are_not_changed_here(void **state)
{
	struct host h;

	(void)state;
	host_open(&h, "sshd-git", "git");
	expect(&h, PAMTEST_CHAUTHTOK, PAM_AUTHTOK_ERR);
	assert_non_null(strstr(h.message, "access token cannot be changed here"));
	assert_logged("event=change decision=deny");
	h.message[0] = '\0';
	expect_flags(&h, PAMTEST_CHAUTHTOK, PAM_SILENT, PAM_AUTHTOK_ERR);
	assert_string_equal(h.message, "");
	assert_int_equal(h.prompts, 0);
	host_close(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setcred_always_succeeds),
		cmocka_unit_test(account_with_a_ticket),
		cmocka_unit_test(account_without_a_ticket),
		cmocka_unit_test(account_of_a_service_without_sessions),
		cmocka_unit_test(session_by_key),
		cmocka_unit_test(keys_that_cannot_be_asked),
		cmocka_unit_test(session_of_a_token),
		cmocka_unit_test(sessions_without_identity),
		cmocka_unit_test(session_whose_environment_cannot_be_set),
		cmocka_unit_test(tokens_are_not_changed_here),
	};

	return cmocka_run_group_tests_name("pam_session", tests, host_begin, host_end);
}
