/* SPDX-License-Identifier: MIT */
/* GitLab's scopes as a bit set, and which token types may have which. */
#ifndef GLT_SCOPE_H
#define GLT_SCOPE_H

#include "record.pb-c.h"
#include "status.h"

#include <stddef.h>
#include <stdint.h>

enum glt_scope { /* the bit's number is stored: never renumber */
		 GLT_SCOPE_API = 0,
		 GLT_SCOPE_READ_API,
		 GLT_SCOPE_READ_REPOSITORY,
		 GLT_SCOPE_WRITE_REPOSITORY,
		 GLT_SCOPE_READ_REGISTRY,
		 GLT_SCOPE_WRITE_REGISTRY,
		 GLT_SCOPE_SELF_ROTATE,
		 GLT_SCOPE_CREATE_RUNNER,
		 GLT_SCOPE_MANAGE_RUNNER,
		 GLT_SCOPE_AI_FEATURES,
		 GLT_SCOPE_K8S_PROXY,
		 GLT_SCOPE_READ_VIRTUAL_REGISTRY,
		 GLT_SCOPE_WRITE_VIRTUAL_REGISTRY,
		 GLT_SCOPE_READ_USER,
		 GLT_SCOPE_SUDO,
		 GLT_SCOPE_ADMIN_MODE,
		 GLT_SCOPE_READ_SERVICE_PING,
		 GLT_SCOPES,
};
#define GLT_SCOPE_BIT(s) (UINT64_C(1) << (s))

const char *glt_scope_name(enum glt_scope s);
uint64_t glt_scopes_of_type(Glt__Type type); /* the scopes a token of that type may have */

/* Parse "a,b" (blanks around names allowed) for a type; GLT_INVALID names the bad one and lists the valid. */
enum glt_status glt_scopes_parse(const char *text, Glt__Type type, uint64_t *out, struct glt_err *err);
/* Any scope name, whatever the type (for PAM's scope= argument). */
enum glt_status glt_scope_parse_one(const char *name, enum glt_scope *out, struct glt_err *err);
#define GLT_SCOPES_TEXT_MAX 320
void glt_scopes_format(uint64_t scopes, char out[GLT_SCOPES_TEXT_MAX]); /* "read_api,read_repository" */

#endif
