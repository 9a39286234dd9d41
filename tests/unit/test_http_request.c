/* SPDX-License-Identifier: MIT */
/* What a CGI is told, in every shape that a client or a proxy can give it. */
#include "tools/http_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct glt_conf conf;
static const char *names[16], *values[16];
static size_t n;

static const char *get(const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return values[i];
	return NULL;
}

static void set(const char *name, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name)) {
			values[i] = value;
			return;
		}
	assert_true(n < sizeof(names) / sizeof(*names));
	names[n] = name;
	values[n++] = value;
}

static int fresh(void **state)
{
	struct glt_err err;
	(void)state;
	if (glt_conf_load("/nonexistent", &conf, &err) != GLT_OK)
		return -1;
	n = 0;
	set("REQUEST_METHOD", "GET");
	set("PATH_INFO", "/demo/hello.git/info/refs");
	set("QUERY_STRING", "service=git-upload-pack");
	set("REMOTE_ADDR", "192.0.2.7");
	return 0;
}

static enum glt_http_parse parse(struct glt_http_request *r)
{
	return glt_http_request_parse(&conf, get, r);
}

static void targets(void **state)
{
	static const struct {
		const char *method, *path, *query;
		enum glt_http_parse want;
		bool push, rpc;
	} cases[] = {
		{"GET", "/demo/hello.git/info/refs", "service=git-upload-pack", GLT_HTTP_OK, false, false},
		{"GET", "/demo/hello/info/refs", "service=git-receive-pack", GLT_HTTP_OK, true, false},
		{"POST", "/demo/hello.git/git-upload-pack", "", GLT_HTTP_OK, false, true},
		{"POST", "/demo/hello.git/git-receive-pack", "", GLT_HTTP_OK, true, true},
		{"HEAD", "/demo/hello.git/info/refs", "service=git-upload-pack", GLT_HTTP_METHOD, false, false},
		{"GET", "/demo/hello.git/git-upload-pack", "", GLT_HTTP_METHOD, false, true},
		{"POST", "/demo/hello.git/git-upload-pack", "x=1", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "/demo/hello.git/info/refs", "", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "/demo/hello.git/info/refs", "service=git-upload-pack&x", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "/demo/hello.git/info/refs", "service=git-upload-archive", GLT_HTTP_NOT_FOUND, false,
		 false},
		{"GET", "/demo/hello.git/HEAD", "", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "/demo/hello.git//info/refs", "service=git-upload-pack", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "//demo/hello.git/info/refs", "service=git-upload-pack", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "/demo/../x/info/refs", "service=git-upload-pack", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "/info/refs", "service=git-upload-pack", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "demo/info/refs", "service=git-upload-pack", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "/.git/info/refs", "service=git-upload-pack", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "/a%2e/info/refs", "service=git-upload-pack", GLT_HTTP_NOT_FOUND, false, false},
		{"GET", "", "service=git-upload-pack", GLT_HTTP_NOT_FOUND, false, false},
	};
	struct glt_http_request r;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		set("REQUEST_METHOD", cases[i].method);
		set("PATH_INFO", cases[i].path);
		set("QUERY_STRING", cases[i].query);
		if (parse(&r) != cases[i].want)
			fail_msg("%s %s ? %s", cases[i].method, cases[i].path, cases[i].query);
		if (cases[i].want == GLT_HTTP_OK) {
			assert_string_equal(r.project, "demo/hello");
			assert_int_equal(r.push, cases[i].push);
			assert_int_equal(r.rpc, cases[i].rpc);
		}
	}
}

static void lfs_targets(void **state)
{
	static const struct {
		const char *method, *path, *rest; /* rest NULL: no such request */
		bool push, batch;
	} cases[] = {
		{"POST", "/demo/hello.git/info/lfs/objects/batch", "objects/batch", true, true},
		{"GET", "/demo/hello.git/info/lfs/objects/batch", "objects/batch", false, false},
		{"PUT", "/demo/hello.git/info/lfs/objects/batch", "objects/batch", true, false},
		{"GET", "/demo/hello/info/lfs/objects/abc", "objects/abc", false, false},
		{"HEAD", "/demo/hello/info/lfs/objects/abc", "objects/abc", false, false},
		{"PUT", "/demo/hello/info/lfs/objects/abc", "objects/abc", true, false},
		{"POST", "/demo/hello/info/lfs/objects/batch/", NULL, false, false},
		{"POST", "/demo/hello.git/info/lfs/locks/verify", "locks/verify", true, false},
		{"DELETE", "/demo/hello.git/info/lfs/locks/1", "locks/1", true, false},
		{"GET", "/demo/hello.git/info/lfs/", NULL, false, false},
		{"GET", "/demo/hello.git/info/lfs", NULL, false, false},
		{"GET", "/demo/hello.git/info/lfs/../../HEAD", NULL, false, false},
		{"GET", "/demo/hello.git/info/lfs/objects/./x", NULL, false, false},
		{"GET", "/demo/hello.git/info/lfs/objects//x", NULL, false, false},
		{"GET", "/demo/hello.git/info/lfs/a b", NULL, false, false},
		{"GET", "/demo/hello.git/info/lfs/a%2fb", NULL, false, false},
		{"GET", "/demo/hello.git//info/lfs/x", NULL, false, false},
		{"GET", "/../hello.git/info/lfs/x", NULL, false, false},
		{"GET", "/info/lfs/x", NULL, false, false},
		/* the first mark counts, for the decision and for what is passed on */
		{"GET", "/demo/hello.git/info/lfs/x.git/info/lfs/y", "x.git/info/lfs/y", false, false},
	};
	struct glt_http_request r;
	(void)state;
	set("QUERY_STRING", "");
	set("REQUEST_METHOD", "GET");
	set("PATH_INFO", "/demo/hello.git/info/lfs/locks");
	assert_int_equal(parse(&r), GLT_HTTP_NOT_FOUND);
	strcpy(conf.lfs_backend, "/usr/local/libexec/lfs");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		set("REQUEST_METHOD", cases[i].method);
		set("PATH_INFO", cases[i].path);
		if (parse(&r) != (cases[i].rest ? GLT_HTTP_OK : GLT_HTTP_NOT_FOUND))
			fail_msg("%s %s", cases[i].method, cases[i].path);
		if (!cases[i].rest)
			continue;
		assert_string_equal(r.project, "demo/hello");
		assert_string_equal(r.lfs, cases[i].rest);
		assert_int_equal(r.push, cases[i].push);
		assert_int_equal(r.batch, cases[i].batch);
	}
	set("REQUEST_METHOD", "OPTIONS");
	assert_int_equal(parse(&r), GLT_HTTP_METHOD);
}

static void credentials(void **state)
{
	struct glt_http_request r;
	(void)state;
	assert_int_equal(parse(&r), GLT_HTTP_OK);
	assert_false(r.credentials);

	set("HTTP_AUTHORIZATION", "Basic YWxpY2U6c2VjcmV0OndpdGg6Y29sb25z"); /* alice:secret:with:colons */
	assert_int_equal(parse(&r), GLT_HTTP_OK);
	assert_true(r.credentials && r.named);
	assert_string_equal(r.username, "alice");
	assert_string_equal(r.secret, "secret:with:colons");
	glt_http_request_wipe(&r);
	for (size_t i = 0; i < sizeof(r.secret); i++)
		assert_int_equal(r.secret[i], 0);

	set("HTTP_AUTHORIZATION", "bEARER   abc");
	assert_int_equal(parse(&r), GLT_HTTP_OK);
	assert_true(r.credentials && !r.named);
	assert_string_equal(r.secret, "abc");

	set("HTTP_AUTHORIZATION", "Basic YWxpY2U6"); /* alice: */
	assert_int_equal(parse(&r), GLT_HTTP_OK);
	assert_false(r.credentials);
	set("HTTP_AUTHORIZATION", "");
	set("HTTP_PRIVATE_TOKEN", "abc");
	assert_int_equal(parse(&r), GLT_HTTP_OK);
	assert_string_equal(r.secret, "abc");
}

static void broken_credentials(void **state)
{
	static char longest[2048];
	static const char *const broken[] = {
		"Basic",
		"Basic ",
		"Basic !!!!",
		"Basic YWxpY2U",
		"Basic bm9jb2xvbg==" /* nocolon */,
		"Negotiate x",
		"Bearer",
		"Bearer ",
		"Basic YQBiOmM=" /* a NUL b:c */,
		"Basic YTpiCmM=" /* a:b LF c */,
		"Basic YQo6Yg==" /* a LF:b */,
		longest,
	};
	struct glt_http_request r;
	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	memcpy(longest, "Bearer ", 7);
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		set("HTTP_AUTHORIZATION", broken[i]);
		if (parse(&r) != GLT_HTTP_BROKEN)
			fail_msg("%.40s", broken[i]);
	}
	/* glpat-0123456789abcdefghij: */
	set("HTTP_AUTHORIZATION", "Basic Z2xwYXQtMDEyMzQ1Njc4OWFiY2RlZmdoaWo6eA==");
	assert_int_equal(parse(&r), GLT_HTTP_TOKEN_AS_USERNAME);
}

static void addresses(void **state)
{
	static const struct {
		const char *peer, *list, *want;
	} cases[] = {
		{"192.0.2.7", NULL, "192.0.2.7"},
		{"192.0.2.7", "198.51.100.1", "192.0.2.7"}, /* no proxy of ours */
		{"10.0.0.1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"},
		{"10.0.0.1", "203.0.113.9,198.51.100.1 , 10.0.0.2", "198.51.100.1"},
		{"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
		{"10.0.0.1", "198.51.100.1, junk", "unknown"},
		{"10.0.0.1", "198.51.100.1,", "unknown"},
		{"10.0.0.1", "", "10.0.0.1"},
		{"10.0.0.1", "198.51.100.1:443", "unknown"},
		{"10.0.0.1", "2001:db8::1", "2001:db8::1"},
		{"10.0.0.1", "[2001:db8::1]", "unknown"},
		{"10.0.0.1", "fe80::1%eth0", "unknown"},
		{"unix:", NULL, "unknown"},
		{"host.example.org", NULL, "unknown"},
		{"", NULL, "unknown"},
	};
	struct glt_http_request r;
	(void)state;
	strcpy(conf.trusted_proxies[0], "10.0.0.0/24");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		set("REMOTE_ADDR", cases[i].peer);
		set("HTTP_X_FORWARDED_FOR", cases[i].list);
		assert_int_equal(parse(&r), GLT_HTTP_OK);
		if (strcmp(r.address, cases[i].want))
			fail_msg("%s / %s: %s", cases[i].peer, cases[i].list ? cases[i].list : "-", r.address);
	}
}

static void encryption(void **state)
{
	struct glt_http_request r;
	(void)state;
	strcpy(conf.trusted_proxies[0], "10.0.0.0/24");
	(void)parse(&r);
	assert_false(r.encrypted || r.local);
	set("HTTP_X_FORWARDED_PROTO", "https"); /* anybody may say so */
	(void)parse(&r);
	assert_false(r.encrypted);
	set("REMOTE_ADDR", "10.0.0.1");
	(void)parse(&r);
	assert_true(r.encrypted);
	set("HTTP_X_FORWARDED_PROTO", "http");
	set("HTTPS", "on"); /* to the proxy, not from the client */
	(void)parse(&r);
	assert_false(r.encrypted);
	set("HTTP_X_FORWARDED_PROTO", NULL);
	(void)parse(&r);
	assert_true(r.encrypted);
	set("HTTPS", "off");
	(void)parse(&r);
	assert_false(r.encrypted);
	set("REMOTE_ADDR", "127.0.0.1");
	(void)parse(&r);
	assert_true(r.local);
	set("HTTP_X_FORWARDED_FOR", "192.0.2.1"); /* came through something */
	(void)parse(&r);
	assert_false(r.local);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(targets, fresh),     cmocka_unit_test_setup(lfs_targets, fresh),
		cmocka_unit_test_setup(credentials, fresh), cmocka_unit_test_setup(broken_credentials, fresh),
		cmocka_unit_test_setup(addresses, fresh),   cmocka_unit_test_setup(encryption, fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
