/* SPDX-License-Identifier: MIT */
/*
 * The one place that allows or denies:
 *
 *     (token or session, operation, repository, ref, address, service, time) -> allow | deny + reason
 *
 * A pure function of the question and the facts; ask.c gathers the facts. PAM, the Git shell, the CGI, the
 * hook and `gltoken explain` all end here; no second copy of a rule exists.
 */
#ifndef GLT_DECIDE_H
#define GLT_DECIDE_H

#include "account.h"
#include "policy.h"
#include "record.pb-c.h"
#include "role.h"
#include "scope.h"
#include "text.h"

#include <stdbool.h>
#include <stdint.h>

enum glt_op {
	GLT_OP_LOGIN, /* open a session on an account */
	GLT_OP_CHECK, /* is it good, for a service that opens no session (nosession) */
	GLT_OP_PULL,  /* git-upload-pack, git-upload-archive */
	GLT_OP_PUSH,  /* git-receive-pack; with a ref: update of that ref */
	GLT_OP_MINT, /* a new token with these scopes: for the same person, or of mint's type for path with role */
	GLT_OP_ROTATE, /* of target */
	GLT_OP_REVOKE, /* of target */
	GLT_OP_SHOW,   /* target, without its secret */
	GLT_OP_LIST,   /* the person's own tokens, or with a path those of that project or group */
};

enum glt_ref_change { GLT_REF_UPDATE, GLT_REF_CREATE, GLT_REF_FORCE, GLT_REF_DELETE };

/* Reason, its stable name (logs, explain, gltoken(7)), and its sentence. */
#define GLT_REASONS(X)                                                                                         \
	X(OK, "ok", "allowed")                                                                                 \
	X(NOT_A_TOKEN, "not_a_token", "what was presented does not have the shape of a token")                 \
	X(UNKNOWN_TOKEN, "unknown_token", "no token with this selector was ever issued here")                  \
	X(WRONG_SECRET, "wrong_secret", "the selector is known, the secret is wrong")                          \
	X(DAMAGED, "damaged_record", "the record cannot be trusted")                                           \
	X(REVOKED, "revoked", "the token was revoked")                                                         \
	X(REUSED, "reused", "a token that was rotated is still in use")                                        \
	X(EXPIRED, "expired", "the token has expired")                                                         \
	X(NOT_YET_VALID, "not_yet_valid", "the token is not valid yet")                                        \
	X(PAUSED, "paused", "the token is paused")                                                             \
	X(USED_UP, "used_up", "the token's uses are used up")                                                  \
	X(OWNER_BLOCKED, "owner_blocked", "the owner is blocked")                                              \
	X(OWNER_GONE, "owner_gone", "the owner's account is gone or is another one now")                       \
	X(ADDRESS, "address_not_allowed", "the token may not be used from this address")                       \
	X(SERVICE, "service_not_allowed", "the token may not be used through this service")                    \
	X(WRONG_ACCOUNT, "wrong_account", "the token does not open this account")                              \
	X(NOT_GIT_ACCOUNT, "not_git_account", "the account's login shell is not gltoken-shell")                \
	X(GIT_SHELL, "git_shell_account", "plain git-shell can hold no limit: give the account gltoken-shell") \
	X(NO_SESSION, "no_session", "the login was made without a token or a known key")                       \
	X(BAD_TICKET, "bad_ticket", "the session ticket is not valid here")                                    \
	X(UNKNOWN_KEY, "unknown_key", "the public key is not known here")                                      \
	X(WRONG_PROJECT, "wrong_project", "the token does not cover this project")                             \
	X(REPO_NOT_ALLOWED, "repository_not_allowed", "the token is limited to other repositories")            \
	X(NOT_A_MEMBER, "not_a_member", "the owner is no member of this project")                              \
	X(SCOPE, "scope_missing", "no scope of the token allows this")                                         \
	X(ROLE, "role_too_low", "the role on this project does not allow this")                                \
	X(REF_PROTECTED, "ref_protected", "the ref is protected")                                              \
	X(NOT_YOURS, "not_yours", "the session may change only tokens of its own person, or its own token")    \
	X(POLICY, "policy", "the policy of this host does not allow it")                                       \
	X(BUSY, "busy", "the host is too busy to answer now")                                                  \
	X(BAD_REQUEST, "bad_request", "the request to gltoken-auth breaks a rule")                             \
	X(NO_PRIVILEGE, "no_privilege", "gltoken-auth started without privilege: NoNewPrivileges or nosuid")   \
	X(CONFIG, "config_error", "gltoken.conf cannot be used")                                               \
	X(UNAVAILABLE, "unavailable", "store or directory cannot be used now")

enum glt_reason {
#define GLT_X(sym, name, text) GLT_WHY_##sym,
	GLT_REASONS(GLT_X)
#undef GLT_X
		GLT_REASON_COUNT,
};
const char *glt_reason_name(enum glt_reason r);
const char *glt_reason_text(enum glt_reason r);

/* Exactly one of token, key and user says who asks. */
struct glt_question {
	const Glt__Token *token;
	const Glt__Key *key;
	const char *user; /* session of a person on their own account */
	enum glt_op op;
	const char *account;        /* LOGIN: the account */
	const char *path;           /* PULL, PUSH: the project; MINT, LIST: see there */
	const char *ref;            /* PUSH: full name, or NULL for "at all" */
	enum glt_ref_change change; /* what is done to it */
	const char *address;        /* numeric, or NULL / "local" where none is known */
	const char *service;        /* "sshd", "http", ... */
	const Glt__Token *target;   /* ROTATE, REVOKE, SHOW */
	uint64_t scopes;            /* MINT */
	Glt__Type mint;             /* MINT: PROJECT or GROUP, anything else is personal */
	int role;                   /* MINT: of the bot */
	bool begins;                /* a new session: a token without uses left is refused */
	bool need_scope;            /* the service asks for one scope by name */
	enum glt_scope scope;
	int64_t now;
};

enum glt_owner_state { GLT_OWNER_OK, GLT_OWNER_IS_BLOCKED, GLT_OWNER_IS_GONE };

struct glt_facts {
	enum glt_owner_state owner;
	bool host_refuses; /* the address: it is in no range of the whole host's */
	/* What of the host's policy a token breaks (rule NULL: nothing), and from when on that counts (0: never). */
	struct glt_breach breach;
	int64_t retroactive_from;
	/* LOGIN */
	bool account_shared;
	enum glt_shell shell;
	/* The person's best membership on glt_question_path(); 0 where none. Unused where a token with a role of its
	 * own pulls or pushes. */
	int member_role;
	/* What people may do on a project is decided by another program behind this decision. A token's own scopes,
	 * restrictions and role count all the same. */
	bool roles_elsewhere;
	char member_path[GLT_PATH_MAX + 1];
	char member_principal[GLT_NAME_MAX + 1];
	/* PUSH of a ref: least role for this change, 0 nobody; has_protection false: not protected */
	bool observe; /* [policy] mode */
	bool has_protection;
	int ref_role;
	char protection[GLT_NAME_MAX + 1];
};

struct glt_answer {
	bool allow;
	enum glt_reason reason;
	enum glt_reason would; /* why it would be denied, were [policy] mode not observe; else OK */
	bool visible;          /* the bearer may know that the project exists */
	int role;              /* what counted on the project */
	/* The membership that it came by; empty where it is the token's own, or there is none. */
	char member_path[GLT_PATH_MAX + 1];
	char member_principal[GLT_NAME_MAX + 1];
	char detail[640]; /* for people: which scope, membership or restriction decided */
};

/* The project or group that the question is about, or NULL. */
const char *glt_question_path(const struct glt_question *q);

void glt_decide(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a);

/* Is it a reason that holds whatever is asked: state, owner, address, service? Such a token is not hashed. */
bool glt_reason_is_state(enum glt_reason r);

#endif
