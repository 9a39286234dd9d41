/* SPDX-License-Identifier: MIT */
/* Keys derived from the store's key, and the session tickets under them. */
#include "ticket.h"

#include "seckey.h"
#include "when.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#define MAX_AGE 30 /* so short that the machine has been up for longer */

static uint8_t key[32], epoch[16];

static int fill(void **state)
{
	(void)state;
	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t)i;
	memset(epoch, 0x5a, sizeof(epoch));
	return sodium_init() < 0 ? -1 : 0;
}

/* ---- derivation: stored records depend on it, so it must never change ---- */

static void derive_is_fixed(void **state)
{
	/* BLAKE2b with key, the purpose as salt and "gltoken" as personalisation, by Python's hashlib */
	static const char *const want[] = {
		"97c9a7f6e3b97f052933846dd127383565dd32b20abed22f5c2dc00778484bdf",
		"d78168c054609f48674e100a98682e1945a3ccaa46b8a462211454d06dca4c51",
		"b381358f5f72cb496b08a99ce8ecfc0c09748e87f7504fad5750436c0205b035",
	};
	static const enum glt_purpose purposes[] = {GLT_FOR_TICKET, GLT_FOR_CACHE, GLT_FOR_QUICK};

	(void)state;
	for (int i = 0; i < 3; i++) {
		uint8_t out[GLT_SECKEY_LEN];
		char hex[2 * GLT_SECKEY_LEN + 1];

		glt_seckey_derive(key, purposes[i], out);
		sodium_bin2hex(hex, sizeof(hex), out, sizeof(out));
		assert_string_equal(hex, want[i]);
	}
}

static void quick_is_fixed(void **state)
{
	uint8_t other[32] = {0};

	(void)state;
	assert_int_equal(glt_quick(key, 1, "xWvUtSrQpOnM5k", 14), 0xbb20);
	assert_int_equal(glt_quick(key, 2, "xWvUtSrQpOnM5k", 14), 0xd078);
	assert_int_equal(glt_quick(key, 1, "xWvUtSrQpOnM5l", 14), 0xfd54);
	assert_int_equal(glt_quick(key, UINT64_MAX, "00000000000000", 14), 0xd7d8);
	assert_int_not_equal(glt_quick(other, 1, "xWvUtSrQpOnM5k", 14), 0xbb20);
}

/* ---- tickets ---- */

static struct glt_ticket sample(void)
{
	struct glt_ticket t = {.kind = GLT_TICKET_TOKEN, .id = 42, .boottime = glt_boottime()};

	strcpy(t.account, "git");
	strcpy(t.service, "sshd");
	strcpy(t.address, "192.0.2.7");
	return t;
}

static void make(const struct glt_ticket *t, char out[GLT_TICKET_MAX])
{
	struct glt_err err = {GLT_OK, ""};

	if (glt_ticket_make(key, epoch, t, out, &err) != GLT_OK)
		fail_msg("%s", err.text);
}

static enum glt_status check(const char *text, struct glt_ticket *out)
{
	struct glt_err err = {GLT_OK, ""};
	enum glt_status st = glt_ticket_check(key, epoch, text, MAX_AGE, out, &err);

	assert_int_equal(st != GLT_OK, err.text[0] != '\0');
	return st;
}

static void same(const struct glt_ticket *a, const struct glt_ticket *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_true(a->id == b->id && a->boottime == b->boottime);
	assert_string_equal(a->account, b->account);
	assert_string_equal(a->service, b->service);
	assert_string_equal(a->address, b->address);
}

static void round_trips(void **state)
{
	static const char *const accounts[] = {"git",
					       "a",
					       "first.last",
					       "DOM\\user",
					       "host$",
					       "x y",
					       "100%",
					       "%41",
					       "-_+.@~",
					       "v1.t.1",
					       "Zo\xc3\xab",
					       "\x01\xff\n\t",
					       "project_7_bot_0a1b"};
	static const char *const addresses[] = {
		"local",          "192.0.2.7",        "::1",     "2001:db8::7",
		"fe80::1%eth0.1", "::ffff:192.0.2.7", "a.b.c.d", "2001:0db8:0000:0000:0000:0000:192.168.100.200"};
	static const enum glt_ticket_kind kinds[] = {GLT_TICKET_TOKEN, GLT_TICKET_KEY, GLT_TICKET_ACCOUNT};
	static const uint64_t ids[] = {0, 1, UINT64_MAX};

	(void)state;
	for (size_t a = 0; a < sizeof(accounts) / sizeof(accounts[0]); a++) {
		for (size_t n = 0; n < sizeof(addresses) / sizeof(addresses[0]); n++) {
			struct glt_ticket t = sample(), back;
			char text[GLT_TICKET_MAX];

			t.kind = kinds[n % 3];
			t.id = ids[a % 3];
			strcpy(t.account, accounts[a]);
			strcpy(t.address, addresses[n]);
			make(&t, text);
			/* It travels in an environment variable and on a request line. */
			assert_int_equal(strspn(text,
						"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
						"_-.%"),
					 strlen(text));
			assert_int_equal(check(text, &back), GLT_OK);
			same(&t, &back);
		}
	}
}

static void longest_fields(void **state)
{
	struct glt_ticket t = sample(), back;
	char text[GLT_TICKET_MAX];
	struct glt_err err;

	(void)state;
	memset(t.account, 'a', GLT_ACCOUNT_MAX);
	memset(t.service, 's', sizeof(t.service) - 1);
	memset(t.address, '1', sizeof(t.address) - 1);
	t.id = UINT64_MAX;
	make(&t, text);
	assert_int_equal(check(text, &back), GLT_OK);
	same(&t, &back);
	/* Three times as long, escaped: more than a ticket holds. Refused, not cut. */
	memset(t.account, '.', GLT_ACCOUNT_MAX);
	memset(t.service, '.', sizeof(t.service) - 1);
	memset(t.address, '.', sizeof(t.address) - 1);
	assert_int_equal(glt_ticket_make(key, epoch, &t, text, &err), GLT_INVALID);
}

static void empty_fields(void **state)
{
	(void)state;
	for (int field = 0; field < 3; field++) {
		struct glt_ticket t = sample();
		char text[GLT_TICKET_MAX];
		struct glt_err err;

		*(field == 0 ? t.account : field == 1 ? t.service : t.address) = '\0';
		assert_int_equal(glt_ticket_make(key, epoch, &t, text, &err), GLT_INVALID);
	}
}

/* Two different tickets never have one text. */
static void fields_do_not_run_together(void **state)
{
	struct glt_ticket a = sample(), b = sample();
	char one[GLT_TICKET_MAX], two[GLT_TICKET_MAX];

	(void)state;
	strcpy(a.account, "git.sshd");
	strcpy(a.service, "x");
	strcpy(b.account, "git");
	strcpy(b.service, "sshd.x");
	b.boottime = a.boottime;
	make(&a, one);
	make(&b, two);
	assert_string_not_equal(one, two);
	*strrchr(one, '.') = *strrchr(two, '.') = '\0';
	assert_string_not_equal(one, two);
}

static void every_byte_counts(void **state)
{
	struct glt_ticket t = sample(), out;
	char good[GLT_TICKET_MAX];
	size_t len;

	(void)state;
	make(&t, good);
	len = strlen(good);
	assert_int_equal(check(good, &out), GLT_OK);
	for (size_t i = 0; i < len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			char bad[GLT_TICKET_MAX];

			strcpy(bad, good);
			bad[i] = (char)(bad[i] ^ (1 << bit));
			assert_int_equal(check(bad, &out), GLT_REFUSED);
		}
	}
	for (size_t n = 0; n < len; n++) { /* cut at either end */
		char bad[GLT_TICKET_MAX];

		memcpy(bad, good, n);
		bad[n] = '\0';
		assert_int_equal(check(bad, &out), GLT_REFUSED);
		assert_int_equal(check(good + n + 1, &out), GLT_REFUSED);
	}
}

static void other_texts(void **state)
{
	struct glt_ticket t = sample(), out;
	char good[GLT_TICKET_MAX], bad[2 * GLT_TICKET_MAX];
	static const char *const more[] = {"0", ".", "\n", " ", ".x"};

	(void)state;
	make(&t, good);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		(void)snprintf(bad, sizeof(bad), "%s%s", good, more[i]);
		assert_int_equal(check(bad, &out), GLT_REFUSED);
		(void)snprintf(bad, sizeof(bad), "%s%s", more[i], good);
		assert_int_equal(check(bad, &out), GLT_REFUSED);
	}
	assert_int_equal(check("none", &out), GLT_REFUSED);
	memset(&out, 0x5a, sizeof(out)); /* of a ticket that is refused nothing can be taken */
	assert_int_equal(check("", &out), GLT_REFUSED);
	memset(bad, 'f', sizeof(bad));
	bad[sizeof(bad) - 1] = '\0';
	assert_int_equal(check(bad, &out), GLT_REFUSED);
	assert_int_equal(out.id, 0);
	assert_string_equal(out.account, "");
}

static void other_key_or_epoch(void **state)
{
	struct glt_ticket t = sample(), out;
	char text[GLT_TICKET_MAX];
	struct glt_err err;

	(void)state;
	make(&t, text);
	for (size_t i = 0; i < sizeof(key); i++) {
		uint8_t other[32];

		memcpy(other, key, sizeof(other));
		other[i] ^= 1;
		assert_int_equal(glt_ticket_check(other, epoch, text, MAX_AGE, &out, &err), GLT_REFUSED);
	}
	for (size_t i = 0; i < sizeof(epoch); i++) {
		uint8_t other[16];

		memcpy(other, epoch, sizeof(other));
		other[i] ^= 1;
		assert_int_equal(glt_ticket_check(key, other, text, MAX_AGE, &out, &err), GLT_REFUSED);
	}
}

static void age(void **state)
{
	static const struct {
		int64_t old;
		enum glt_status want;
	} cases[] = {
		{0, GLT_OK},        {MAX_AGE - 5, GLT_OK}, {MAX_AGE + 1, GLT_REFUSED}, {10 * MAX_AGE, GLT_REFUSED},
		{-60, GLT_REFUSED}, /* from the future */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct glt_ticket t = sample(), out;
		char text[GLT_TICKET_MAX];

		t.boottime -= cases[i].old;
		make(&t, text);
		assert_int_equal(check(text, &out), cases[i].want);
	}
}

static void limit_is_the_callers(void **state)
{
	struct glt_ticket t = sample(), out;
	char text[GLT_TICKET_MAX];
	struct glt_err err;

	(void)state;
	t.boottime -= 20;
	make(&t, text);
	assert_int_equal(glt_ticket_check(key, epoch, text, 25, &out, &err), GLT_OK);
	assert_int_equal(glt_ticket_check(key, epoch, text, 19, &out, &err), GLT_REFUSED);
	assert_non_null(strstr(err.text, "allowed"));
}

/* In a mount namespace of its own the kernel's boot id reads as another one. */
static int refused_after_boot(const char *text)
{
	static const char other[] = "/tmp/glt-boot-id.XXXXXX";
	char path[sizeof(other)];
	struct glt_ticket out;
	struct glt_err err;
	enum glt_status st;
	int fd;

	strcpy(path, other);
	fd = mkstemp(path);
	if (fd < 0 || write(fd, "00000000-0000-4000-8000-000000000000\n", 37) != 37)
		return 1;
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount(path, "/proc/sys/kernel/random/boot_id", NULL, MS_BIND, NULL) != 0) {
		(void)unlink(path);
		return 77;
	}
	st = glt_ticket_check(key, epoch, text, MAX_AGE, &out, &err);
	(void)unlink(path);
	return st == GLT_REFUSED ? 0 : 1;
}

static void other_boot(void **state)
{
	struct glt_ticket t = sample();
	char text[GLT_TICKET_MAX];
	int status;
	pid_t pid;

	(void)state;
	make(&t, text);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(refused_after_boot(text));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* not root, or a sandbox without mounts */
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* It goes to the log: the same for one ticket, another for another, and no part of it. */
static void session_of_a_ticket(void **state)
{
	const struct glt_ticket t = {.kind = GLT_TICKET_TOKEN,
				     .id = 7,
				     .account = "git",
				     .service = "sshd",
				     .address = "::1",
				     .boottime = 99};
	char text[GLT_TICKET_MAX], a[GLT_SESSION_ID], b[GLT_SESSION_ID];

	(void)state;
	assert_int_equal(glt_ticket_make(key, epoch, &t, text, NULL), GLT_OK);
	glt_ticket_session(text, a);
	glt_ticket_session(text, b);
	assert_string_equal(a, b);
	assert_int_equal(strspn(a, "0123456789abcdef"), 12);
	assert_null(strstr(text, a));
	text[strlen(text) - 1] ^= 1;
	glt_ticket_session(text, b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_of_a_ticket),
		cmocka_unit_test(derive_is_fixed),
		cmocka_unit_test(quick_is_fixed),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(longest_fields),
		cmocka_unit_test(empty_fields),
		cmocka_unit_test(fields_do_not_run_together),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(other_texts),
		cmocka_unit_test(other_key_or_epoch),
		cmocka_unit_test(age),
		cmocka_unit_test(limit_is_the_callers),
		cmocka_unit_test(other_boot),
	};

	return cmocka_run_group_tests(tests, fill, NULL);
}
