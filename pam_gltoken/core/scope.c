/* SPDX-License-Identifier: MIT */
#include "scope.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define P (1u << GLT__TYPE__PERSONAL)
#define J (1u << GLT__TYPE__PROJECT)
#define G (1u << GLT__TYPE__GROUP)
#define D (1u << GLT__TYPE__DEPLOY)

/* GitLab's table of who may have what; deploy tokens also may write a repository, which GitLab's users ask for. */
static const struct {
	const char *name;
	unsigned types;
} table[GLT_SCOPES] = {
	[GLT_SCOPE_API] = {"api", P | J | G},
	[GLT_SCOPE_READ_API] = {"read_api", P | J | G},
	[GLT_SCOPE_READ_REPOSITORY] = {"read_repository", P | J | G | D},
	[GLT_SCOPE_WRITE_REPOSITORY] = {"write_repository", P | J | G | D},
	[GLT_SCOPE_READ_REGISTRY] = {"read_registry", P | J | G | D},
	[GLT_SCOPE_WRITE_REGISTRY] = {"write_registry", P | J | G | D},
	[GLT_SCOPE_SELF_ROTATE] = {"self_rotate", P | J | G},
	[GLT_SCOPE_CREATE_RUNNER] = {"create_runner", P | J | G},
	[GLT_SCOPE_MANAGE_RUNNER] = {"manage_runner", P | J | G},
	[GLT_SCOPE_AI_FEATURES] = {"ai_features", P | J | G},
	[GLT_SCOPE_K8S_PROXY] = {"k8s_proxy", P | J | G},
	[GLT_SCOPE_READ_VIRTUAL_REGISTRY] = {"read_virtual_registry", P | G | D},
	[GLT_SCOPE_WRITE_VIRTUAL_REGISTRY] = {"write_virtual_registry", P | G | D},
	[GLT_SCOPE_READ_USER] = {"read_user", P},
	[GLT_SCOPE_SUDO] = {"sudo", P},
	[GLT_SCOPE_ADMIN_MODE] = {"admin_mode", P},
	[GLT_SCOPE_READ_SERVICE_PING] = {"read_service_ping", P},
};

const char *glt_scope_name(enum glt_scope s)
{
	return table[s].name;
}

uint64_t glt_scopes_of_type(Glt__Type type)
{
	uint64_t all = 0;

	for (unsigned s = 0; s < GLT_SCOPES; s++)
		if (table[s].types & (1u << type))
			all |= GLT_SCOPE_BIT(s);
	return all;
}

static bool look_up(const char *name, size_t len, enum glt_scope *out)
{
	for (unsigned s = 0; s < GLT_SCOPES; s++)
		if (strlen(table[s].name) == len && memcmp(table[s].name, name, len) == 0) {
			*out = (enum glt_scope)s;
			return true;
		}
	return false;
}

static enum glt_status unknown(const char *name, size_t len, uint64_t valid, struct glt_err *err)
{
	char list[GLT_SCOPES_TEXT_MAX];

	glt_scopes_format(valid, list);
	return glt_fail(err, GLT_INVALID, "Invalid scope: '%.*s'. Valid scopes are: [%s]",
			(int)(len > 64 ? 64 : len), name, list);
}

enum glt_status glt_scope_parse_one(const char *name, enum glt_scope *out, struct glt_err *err)
{
	if (look_up(name, strlen(name), out))
		return GLT_OK;
	return unknown(name, strlen(name), GLT_SCOPE_BIT(GLT_SCOPES) - 1, err);
}

enum glt_status glt_scopes_parse(const char *text, Glt__Type type, uint64_t *out, struct glt_err *err)
{
	const uint64_t valid = glt_scopes_of_type(type);
	uint64_t got = 0;

	for (const char *p = text;; p++) {
		p += strspn(p, " ");
		size_t len = strcspn(p, ",");
		const char *end = p + len;
		enum glt_scope s;

		while (len > 0 && p[len - 1] == ' ')
			len--;
		if (!look_up(p, len, &s) || !(valid & GLT_SCOPE_BIT(s)))
			return unknown(p, len, valid, err);
		got |= GLT_SCOPE_BIT(s);
		p = end;
		if (*p == '\0')
			break;
	}
	*out = got;
	return GLT_OK;
}

void glt_scopes_format(uint64_t scopes, char out[GLT_SCOPES_TEXT_MAX])
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned s = 0; s < GLT_SCOPES; s++)
		if (scopes & GLT_SCOPE_BIT(s))
			used += (size_t)snprintf(out + used, GLT_SCOPES_TEXT_MAX - used, "%s%s", used ? "," : "",
						 table[s].name);
}
