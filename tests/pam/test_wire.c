/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct glt_message m;

static void load(const char *text, size_t len)
{
	assert_true(len <= sizeof m.text);
	glt_message_init(&m);
	memcpy(m.text, text, len);
	m.len = len;
}

static void build_and_parse(void **state)
{
	(void)state;
	glt_message_init(&m);
	glt_message_add(&m, "verb", "verify");
	glt_message_add(&m, "rhost", NULL);
	glt_message_addf(&m, "number", "%d/%s", 42, "x=y");
	glt_message_add(&m, "empty", "");
	glt_message_add(&m, "name", "Zo\xc3\xab \xff=");
	assert_false(m.bad);
	assert_int_equal(m.len, strlen("verb=verify\nnumber=42/x=y\nempty=\nname=Zo\xc3\xab \xff=\n"));
	m.text[m.len++] = '\n';
	assert_true(glt_message_parse_request(&m));
	assert_int_equal(m.n, 4);
	assert_string_equal(glt_message_get(&m, "verb"), "verify");
	assert_string_equal(glt_message_get(&m, "number"), "42/x=y");
	assert_string_equal(glt_message_get(&m, "empty"), "");
	assert_string_equal(glt_message_get(&m, "name"), "Zo\xc3\xab \xff=");
	assert_null(glt_message_get(&m, "rhost"));
	assert_null(glt_message_get(&m, "ver"));
	assert_null(glt_message_get(&m, "verbs"));
}

static void refused_pairs_are_sticky_and_leave_nothing(void **state)
{
	static const struct {
		const char *key, *value;
	} bad[] = {
		{"key", "a\nverdict=allow"},
		{"key", "a\rb"},
		{"key", "\x1f"},
		{"key", "a\x7f"},
		{"key", "\t"},
		{"", "x"},
		{"Key", "x"},
		{"key2", "x"},
		{"a b", "x"},
		{"a=b", "x"},
		{"a\n", "x"},
		{"secret", "again"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		glt_message_init(&m);
		glt_message_add(&m, "secret", "glpat-000000SECRETSECRETSE");
		glt_message_add(&m, bad[i].key, bad[i].value);
		assert_true(m.bad);
		glt_message_add(&m, "good", "x");
		assert_true(m.bad);
		assert_int_equal(m.len, 0);
		assert_null(memmem(m.text, sizeof m.text, "SECRET", 6));
		assert_false(glt_message_parse_request(&m));
	}
}

static void a_key_that_only_begins_alike_is_another(void **state)
{
	(void)state;
	glt_message_init(&m);
	glt_message_add(&m, "id", "1");
	glt_message_add(&m, "id_x", "2");
	glt_message_add(&m, "i", "3");
	glt_message_add(&m, "text", "id=4");
	assert_false(m.bad);
}

static void limits_of_building(void **state)
{
	static char big[GLT_WIRE_REPLY_MAX + 1];
	char key[16];

	(void)state;
	memset(big, 'a', sizeof big - 1);
	big[sizeof m.text - strlen("k=\n")] = '\0';
	glt_message_init(&m);
	glt_message_add(&m, "k", big);
	assert_false(m.bad);
	assert_int_equal(m.len, sizeof m.text);
	glt_message_add(&m, "l", "");
	assert_true(m.bad);

	big[sizeof m.text - strlen("k=\n")] = 'a';
	big[sizeof m.text - strlen("k=\n") + 1] = '\0';
	glt_message_init(&m);
	glt_message_add(&m, "k", big);
	assert_true(m.bad);

	glt_message_init(&m);
	glt_message_addf(&m, "k", "%s", big); /* is not cut */
	assert_true(m.bad);

	glt_message_init(&m);
	for (int i = 0; i < GLT_WIRE_KEYS; i++) {
		snprintf(key, sizeof key, "k%c%c", 'a' + i / 26, 'a' + i % 26);
		glt_message_add(&m, key, "v");
	}
	assert_false(m.bad);
	glt_message_add(&m, "more", "v");
	assert_true(m.bad);
}

static void requests(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} table[] = {
		{"verb=x\n\n", true},
		{"verb=\n\n", true},
		{"a=b=c\n\n", true},
		{"", false},
		{"\n", false},
		{"\n\n", false},
		{"verb=x", false},
		{"verb=x\n", false},
		{"verb=x\nX", false},
		{"verb=x\na=b", false},
		{"\nverb=x\n\n", false},
		{"verb=x\n\n\n", false},
		{"verb=x\n\na=b\n", false},
		{"verb=x\n\na=b\n\n", false},
		{"verb\n\n", false},
		{"=x\n\n", false},
		{"verb=x\nverb=y\n\n", false},
		{"VERB=x\n\n", false},
		{"verb =x\n\n", false},
		{"verb=x\r\n\r\n", false},
		{"verb=x\ty\n\n", false},
		{"verb=x\x7f\n\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		load(table[i].text, strlen(table[i].text));
		if (glt_message_parse_request(&m) != table[i].ok)
			fail_msg("request %zu: \"%s\"", i, table[i].text);
		assert_int_equal(m.bad, !table[i].ok);
		if (!table[i].ok)
			assert_null(glt_message_get(&m, "verb"));
	}
	load("verb=x\0y\n\n", 10);
	assert_false(glt_message_parse_request(&m));
	load("verb=x\n\n", 8);
	m.bad = true;
	assert_false(glt_message_parse_request(&m));
}

static void request_size(void **state)
{
	static char text[GLT_WIRE_REQUEST_MAX + 1];

	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text, "verb=", 5);
	text[GLT_WIRE_REQUEST_MAX - 2] = text[GLT_WIRE_REQUEST_MAX - 1] = '\n';
	load(text, GLT_WIRE_REQUEST_MAX);
	assert_true(glt_message_parse_request(&m));
	text[GLT_WIRE_REQUEST_MAX - 2] = 'a';
	text[GLT_WIRE_REQUEST_MAX - 1] = text[GLT_WIRE_REQUEST_MAX] = '\n';
	load(text, GLT_WIRE_REQUEST_MAX + 1);
	assert_false(glt_message_parse_request(&m));
}

static void replies(void **state)
{
	static const struct {
		const char *text;
		bool ok, allow;
	} table[] = {
		{"verdict=allow\n", true, true},
		{"verdict=deny\n", true, false},
		{"reason=revoked\ntext=a b\nverdict=deny\n", true, false},
		{"", false, false},
		{"\n", false, false},
		{"verdict=allow", false, false},
		{"verdict=allow\n\n", false, false},
		{"verdict=allow\nid=1\n", false, false},
		{"verdict=allow\nverdict=allow\n", false, false},
		{"verdict=deny\nverdict=allow\n", false, false},
		{"verdict=allow \n", false, false},
		{"verdict=Allow\n", false, false},
		{"verdict=allowed\n", false, false},
		{"verdict=\n", false, false},
		{"verdict\n", false, false},
		{"xverdict=allow\n", false, false},
		{"text=verdict=allow\n", false, false},
		{"reason=ok\n", false, false},
		{"reason=ok\nreason=ok\nverdict=allow\n", false, false},
		{"reason=a\x01\nverdict=allow\n", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		bool allow = true;
		load(table[i].text, strlen(table[i].text));
		if (glt_message_parse_reply(&m, &allow) != table[i].ok || allow != table[i].allow)
			fail_msg("reply %zu: \"%s\"", i, table[i].text);
		if (!table[i].ok)
			assert_int_equal(m.n, 0);
	}

	bool allow = true;
	load("verdict=allow\0\n", 15);
	assert_false(glt_message_parse_reply(&m, &allow));
	assert_false(allow);
}

static void too_many_keys(void **state)
{
	char text[2048] = "", line[16];
	bool allow;

	(void)state;
	for (int i = 0; i < GLT_WIRE_KEYS - 1; i++) {
		snprintf(line, sizeof line, "k%c%c=v\n", 'a' + i / 26, 'a' + i % 26);
		strcat(text, line);
	}
	char *end = text + strlen(text);
	strcpy(end, "verdict=allow\n");
	load(text, strlen(text));
	assert_true(glt_message_parse_reply(&m, &allow));
	assert_int_equal(m.n, GLT_WIRE_KEYS);
	strcpy(end, "more=v\nverdict=allow\n");
	load(text, strlen(text));
	assert_false(glt_message_parse_reply(&m, &allow));
}

/* Whatever arrives: no crash (sanitizers watch), and allow only where the last line says so. */
static void random_replies(void **state)
{
	static const char *const piece[] = {
		"verdict=", "allow", "deny", "\n",   "=",    "reason=", "ok",  "a",
		"_",        " ",     "\r",   "\x7f", "\xff", "A",       "id=",
	};
	static char text[GLT_WIRE_REPLY_MAX];
	uint32_t seed = 1;
	int allowed = 0;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		size_t len = 0;
		seed = seed * 1664525 + 1013904223;
		for (unsigned n = (seed >> 24) % 12; n > 0; n--) {
			seed = seed * 1664525 + 1013904223;
			const char *p = piece[(seed >> 16) % (sizeof piece / sizeof *piece)];
			memcpy(text + len, p, strlen(p));
			len += strlen(p);
		}
		bool allow = true;
		load(text, len);
		bool ok = glt_message_parse_reply(&m, &allow);
		bool said = len >= 14 && memcmp(text + len - 14, "verdict=allow\n", 14) == 0 &&
			    (len == 14 || text[len - 15] == '\n');
		assert_true(!allow || (ok && said));
		allowed += allow;
	}
	assert_true(allowed > 0);
}

static void wiping(void **state)
{
	(void)state;
	glt_message_init(&m);
	glt_message_add(&m, "secret", "glpat-000000SECRETSECRETSE");
	glt_message_wipe(&m);
	for (size_t i = 0; i < sizeof m; i++)
		assert_int_equal(((unsigned char *)&m)[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(build_and_parse),
		cmocka_unit_test(refused_pairs_are_sticky_and_leave_nothing),
		cmocka_unit_test(a_key_that_only_begins_alike_is_another),
		cmocka_unit_test(limits_of_building),
		cmocka_unit_test(requests),
		cmocka_unit_test(request_size),
		cmocka_unit_test(replies),
		cmocka_unit_test(too_many_keys),
		cmocka_unit_test(random_replies),
		cmocka_unit_test(wiping),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
