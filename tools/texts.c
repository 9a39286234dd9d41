/* SPDX-License-Identifier: MIT */
#include "texts.h"

#include "safe.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define UNAVAILABLE "Access to this host is temporarily unavailable. Please try again in a few minutes."
#define AGAIN "Your session is not valid any more. Please log in again."

static const struct row {
	const char *reason;
	enum glt_refusal refusal;
	const char *pull, *push; /* push NULL: as pull */
} rows[] = {
	{"not_a_token", GLT_REFUSAL_LOGIN, "What you presented is not an access token.", NULL},
	{"unknown_token", GLT_REFUSAL_LOGIN, "Your access token is not known here.", NULL},
	{"wrong_secret", GLT_REFUSAL_LOGIN, "Your access token is not known here.", NULL},
	{"revoked", GLT_REFUSAL_LOGIN, "Your access token was revoked.", NULL},
	{"reused", GLT_REFUSAL_LOGIN, "Your access token was revoked.", NULL},
	{"expired", GLT_REFUSAL_LOGIN, "Your access token has expired.", NULL},
	{"not_yet_valid", GLT_REFUSAL_LOGIN, "Your access token is not valid yet.", NULL},
	{"paused", GLT_REFUSAL_LOGIN, "Your access token is paused.", NULL},
	{"used_up", GLT_REFUSAL_LOGIN, "The uses of your access token are used up.", NULL},
	{"owner_blocked", GLT_REFUSAL_LOGIN, "Your account has been blocked.", NULL},
	{"owner_gone", GLT_REFUSAL_LOGIN, "The owner of your access token has no account here any more.", NULL},
	{"address_not_allowed", GLT_REFUSAL_LOGIN, "Your access token may not be used from this address.", NULL},
	{"service_not_allowed", GLT_REFUSAL_LOGIN, "Your access token may not be used in this way.", NULL},
	{"wrong_account", GLT_REFUSAL_LOGIN, "Your access token does not open this account.", NULL},
	{"not_git_account", GLT_REFUSAL_LOGIN, "An access token does not open this account.", NULL},
	{"git_shell_account", GLT_REFUSAL_LOGIN, "Your access token does not open this account.", NULL},
	{"no_session", GLT_REFUSAL_LOGIN,
	 "You did not log in with an access token or with a public key that is known here.", NULL},
	{"bad_ticket", GLT_REFUSAL_LOGIN, AGAIN, NULL},
	{"unknown_key", GLT_REFUSAL_LOGIN, "Your public key is not known here.", NULL},
	{"scope_missing", GLT_REFUSAL_FORBIDDEN, "You are not allowed to download code.",
	 "You are not allowed to upload code."},
	{"role_too_low", GLT_REFUSAL_FORBIDDEN, "You are not allowed to download code from this project.",
	 "You are not allowed to push code to this project."},
	{"not_a_member", GLT_REFUSAL_FORBIDDEN, "You are not allowed to download code from this project.",
	 "You are not allowed to push code to this project."},
	{"wrong_project", GLT_REFUSAL_FORBIDDEN, "Your access token does not cover this project.", NULL},
	{"repository_not_allowed", GLT_REFUSAL_FORBIDDEN, "Your access token is limited to other repositories.",
	 NULL},
	{"not_yours", GLT_REFUSAL_FORBIDDEN, "This session may change only tokens of its own.", NULL},
	{"policy", GLT_REFUSAL_LOGIN, "The policy of this host does not allow it.", NULL},
	{"ref_protected", GLT_REFUSAL_FORBIDDEN,
	 "You are not allowed to push code to protected branches on this project.", NULL},
};

struct glt_text glt_text_of(const char *reason, bool visible, bool push)
{
	for (size_t i = 0; reason && i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		if (strcmp(r->reason, reason))
			continue;
		if (r->refusal == GLT_REFUSAL_FORBIDDEN && !visible)
			return (struct glt_text){GLT_REFUSAL_NOT_FOUND, GLT_TEXT_NOT_FOUND};
		return (struct glt_text){r->refusal, push && r->push ? r->push : r->pull};
	}
	return (struct glt_text){GLT_REFUSAL_UNAVAILABLE, UNAVAILABLE};
}

#define RULE "========================================================================"
#define EDGE "remote: \nremote: " RULE "\nremote: \n"

void glt_text_box(const char *message)
{
	fputs(EDGE "remote: ", stderr);
	glt_safe_put(stderr, message);
	fputs("\n" EDGE, stderr);
}
