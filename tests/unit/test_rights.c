/* SPDX-License-Identifier: MIT */
/* Scopes and roles against GitLab's tables, written down here as GitLab's documentation has them. */
#include "role.h"
#include "scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- scopes ---- */

/* Columns: personal, project, group, deploy. Deploy tokens here may write a repository too. */
static const struct {
	enum glt_scope scope;
	const char *name;
	bool type[4];
} scopes[] = {
	{GLT_SCOPE_API, "api", {1, 1, 1, 0}},
	{GLT_SCOPE_READ_API, "read_api", {1, 1, 1, 0}},
	{GLT_SCOPE_READ_REPOSITORY, "read_repository", {1, 1, 1, 1}},
	{GLT_SCOPE_WRITE_REPOSITORY, "write_repository", {1, 1, 1, 1}},
	{GLT_SCOPE_READ_REGISTRY, "read_registry", {1, 1, 1, 1}},
	{GLT_SCOPE_WRITE_REGISTRY, "write_registry", {1, 1, 1, 1}},
	{GLT_SCOPE_SELF_ROTATE, "self_rotate", {1, 1, 1, 0}},
	{GLT_SCOPE_CREATE_RUNNER, "create_runner", {1, 1, 1, 0}},
	{GLT_SCOPE_MANAGE_RUNNER, "manage_runner", {1, 1, 1, 0}},
	{GLT_SCOPE_AI_FEATURES, "ai_features", {1, 1, 1, 0}},
	{GLT_SCOPE_K8S_PROXY, "k8s_proxy", {1, 1, 1, 0}},
	{GLT_SCOPE_READ_VIRTUAL_REGISTRY, "read_virtual_registry", {1, 0, 1, 1}},
	{GLT_SCOPE_WRITE_VIRTUAL_REGISTRY, "write_virtual_registry", {1, 0, 1, 1}},
	{GLT_SCOPE_READ_USER, "read_user", {1, 0, 0, 0}},
	{GLT_SCOPE_SUDO, "sudo", {1, 0, 0, 0}},
	{GLT_SCOPE_ADMIN_MODE, "admin_mode", {1, 0, 0, 0}},
	{GLT_SCOPE_READ_SERVICE_PING, "read_service_ping", {1, 0, 0, 0}},
};
#define N_SCOPES (sizeof(scopes) / sizeof(scopes[0]))
static const Glt__Type types[4] = {GLT__TYPE__PERSONAL, GLT__TYPE__PROJECT, GLT__TYPE__GROUP, GLT__TYPE__DEPLOY};

static void scope_table(void **state)
{
	(void)state;
	assert_int_equal(N_SCOPES, GLT_SCOPES);
	for (size_t i = 0; i < N_SCOPES; i++) {
		enum glt_scope s;
		struct glt_err err;

		assert_string_equal(glt_scope_name(scopes[i].scope), scopes[i].name);
		assert_int_equal(glt_scope_parse_one(scopes[i].name, &s, &err), GLT_OK);
		assert_int_equal(s, scopes[i].scope);
		for (int t = 0; t < 4; t++) {
			uint64_t bits = 0;
			bool valid = glt_scopes_of_type(types[t]) & GLT_SCOPE_BIT(scopes[i].scope);

			assert_int_equal(valid, scopes[i].type[t]);
			assert_int_equal(glt_scopes_parse(scopes[i].name, types[t], &bits, &err),
					 scopes[i].type[t] ? GLT_OK : GLT_INVALID);
			assert_true(bits == (scopes[i].type[t] ? GLT_SCOPE_BIT(scopes[i].scope) : 0));
		}
	}
	assert_true(glt_scopes_of_type(GLT__TYPE__TYPE_NONE) == 0);
}

/* The numbers are in every record. */
static void scope_bits_are_fixed(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_SCOPES; i++)
		assert_int_equal(scopes[i].scope, i);
}

static void scope_lists(void **state)
{
	const uint64_t both = GLT_SCOPE_BIT(GLT_SCOPE_READ_API) | GLT_SCOPE_BIT(GLT_SCOPE_READ_REPOSITORY);
	static const char *const good[] = {"read_api,read_repository", "read_repository,read_api",
					   " read_api , read_repository ", "read_api,read_api,read_repository"};
	static const char *const bad[] = {
		"",           ",",       "read_api,",  ",read_api",  "read_api,,read_repository",
		"READ_API",   "read_ap", "read_apis",  "read api",   "read_api;api",
		"read_api\n", "*",       "read_api ,", "sudo,bogus", "read_api read_repository",
	};
	char out[GLT_SCOPES_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct glt_err err;
		uint64_t bits = 0;

		assert_int_equal(glt_scopes_parse(good[i], GLT__TYPE__PERSONAL, &bits, &err), GLT_OK);
		assert_true(bits == both);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct glt_err err;
		uint64_t bits = 42;

		if (glt_scopes_parse(bad[i], GLT__TYPE__PERSONAL, &bits, &err) != GLT_INVALID)
			fail_msg("'%s' is taken for a list of scopes", bad[i]);
		assert_true(bits == 42);
		assert_non_null(strstr(err.text, "Invalid scope: '"));
	}
	glt_scopes_format(both, out);
	assert_string_equal(out, "read_api,read_repository");
	glt_scopes_format(0, out);
	assert_string_equal(out, "");
	glt_scopes_format(UINT64_MAX, out);
	assert_true(strlen(out) < sizeof(out) - 1);
	for (size_t i = 0; i < N_SCOPES; i++)
		assert_non_null(strstr(out, scopes[i].name));
}

/* GitLab's sentence, with the names that are valid for that type and no other. */
static void scope_error(void **state)
{
	struct glt_err err;
	uint64_t bits;
	enum glt_scope s;

	(void)state;
	assert_int_equal(glt_scopes_parse("read_api,sudo", GLT__TYPE__PROJECT, &bits, &err), GLT_INVALID);
	assert_string_equal(err.text, "Invalid scope: 'sudo'. Valid scopes are: [api,read_api,read_repository,"
				      "write_repository,read_registry,write_registry,self_rotate,create_runner,"
				      "manage_runner,ai_features,k8s_proxy]");
	assert_int_equal(glt_scopes_parse("api", GLT__TYPE__DEPLOY, &bits, &err), GLT_INVALID);
	assert_string_equal(err.text, "Invalid scope: 'api'. Valid scopes are: [read_repository,write_repository,"
				      "read_registry,write_registry,read_virtual_registry,write_virtual_registry]");
	assert_int_equal(glt_scope_parse_one("bogus", &s, &err), GLT_INVALID);
	for (size_t i = 0; i < N_SCOPES; i++)
		assert_non_null(strstr(err.text, scopes[i].name));
}

/* ---- roles ---- */

static const struct {
	int number;
	const char *name;
	bool pull, push, push_protected, manage;
} roles[] = {
	{10, "guest", 0, 0, 0, 0},     {15, "planner", 0, 0, 0, 0},
	{20, "reporter", 1, 0, 0, 0},  {25, "security_manager", 1, 0, 0, 0},
	{30, "developer", 1, 1, 0, 0}, {40, "maintainer", 1, 1, 1, 1},
	{50, "owner", 1, 1, 1, 1},
};
#define N_ROLES (sizeof(roles) / sizeof(roles[0]))

static void role_table(void **state)
{
	(void)state;
	for (int n = -1; n <= 256; n++) {
		size_t i = 0;

		while (i < N_ROLES && roles[i].number != n)
			i++;
		/* A number that is no role may nothing, however high it is. */
		assert_int_equal(glt_role_may(n, GLT_MAY_PULL), i < N_ROLES && roles[i].pull);
		assert_int_equal(glt_role_may(n, GLT_MAY_PUSH), i < N_ROLES && roles[i].push);
		assert_int_equal(glt_role_may(n, GLT_MAY_PUSH_PROTECTED), i < N_ROLES && roles[i].push_protected);
		assert_int_equal(glt_role_may(n, GLT_MAY_MANAGE), i < N_ROLES && roles[i].manage);
		if (n == 0)
			assert_string_equal(glt_role_name(0), "none");
		else if (i < N_ROLES)
			assert_string_equal(glt_role_name(n), roles[i].name);
		else
			assert_null(glt_role_name(n));
	}
}

static void role_parse(void **state)
{
	static const char *const bad[] = {"",       "none", "0",   "5",           "35",      "60",
					  "030",    "30 ",  "dev", "+30",         "-30",     "developers",
					  " owner", "3",    "300", "guest,owner", "minimal", "admin"};
	struct glt_err err;
	int role;

	(void)state;
	for (size_t i = 0; i < N_ROLES; i++) {
		char number[16];

		role = 0;
		assert_int_equal(glt_role_parse(roles[i].name, &role, &err), GLT_OK);
		assert_int_equal(role, roles[i].number);
		role = 0;
		(void)snprintf(number, sizeof(number), "%d", roles[i].number);
		assert_int_equal(glt_role_parse(number, &role, &err), GLT_OK);
		assert_int_equal(role, roles[i].number);
	}
	assert_int_equal(glt_role_parse("Developer", &role, &err), GLT_OK);
	assert_int_equal(role, 30);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (glt_role_parse(bad[i], &role, &err) != GLT_INVALID)
			fail_msg("'%s' is taken for a role", bad[i]);
		for (size_t k = 0; k < N_ROLES; k++)
			assert_non_null(strstr(err.text, roles[k].name));
	}
	assert_int_equal(role, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scope_table), cmocka_unit_test(scope_bits_are_fixed),
		cmocka_unit_test(scope_lists), cmocka_unit_test(scope_error),
		cmocka_unit_test(role_table),  cmocka_unit_test(role_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
