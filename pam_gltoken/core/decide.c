/* SPDX-License-Identifier: MIT */
#include "decide.h"

#include "when.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *text;
} reasons[] = {
#define GLT_X(sym, name, text) [GLT_WHY_##sym] = {name, text},
	GLT_REASONS(GLT_X)
#undef GLT_X
};

const char *glt_reason_name(enum glt_reason r)
{
	return (unsigned)r < GLT_REASON_COUNT ? reasons[r].name : "unknown";
}

const char *glt_reason_text(enum glt_reason r)
{
	return (unsigned)r < GLT_REASON_COUNT ? reasons[r].text : "unknown reason";
}

/* Deny and say what decided. Returns true, so that a rule reads `return deny(...)`. */
__attribute__((format(printf, 3, 4))) static bool deny(struct glt_answer *a, enum glt_reason r, const char *fmt,
						       ...)
{
	va_list ap;

	a->allow = false;
	a->reason = r;
	va_start(ap, fmt);
	(void)vsnprintf(a->detail, sizeof(a->detail), fmt, ap);
	va_end(ap);
	return true;
}

static bool in_list(char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], s) == 0)
			return true;
	return false;
}

/* ---- state of a token, whatever it is asked for ---- */

static bool dead(const Glt__Token *t, int64_t now, struct glt_answer *a)
{
	char when[GLT_WHEN_TEXT];

	if (t->state != GLT__STATE__LIVE && t->state != GLT__STATE__REVOKED)
		return deny(a, GLT_WHY_DAMAGED, "token %llu has no state", (unsigned long long)t->id);
	if (t->state == GLT__STATE__REVOKED) {
		glt_when_rfc3339(t->revoked_at, when);
		return deny(a, GLT_WHY_REVOKED, "revoked %s by %s%s%.200s", when, t->revoked_by,
			    t->revoked_why[0] ? ": " : "", t->revoked_why);
	}
	if (t->next && now >= t->overlap_end) {
		glt_when_rfc3339(t->overlap_end, when);
		return deny(a, GLT_WHY_REVOKED, "rotated to token %llu, overlap ended %s",
			    (unsigned long long)t->next, when);
	}
	if (t->expires_at && now >= t->expires_at) {
		glt_when_rfc3339(t->expires_at, when);
		return deny(a, GLT_WHY_EXPIRED, "expired %s", when);
	}
	if (t->paused)
		return deny(a, GLT_WHY_PAUSED, "token %llu is paused", (unsigned long long)t->id);
	if (t->not_before && now < t->not_before) {
		glt_when_rfc3339(t->not_before, when);
		return deny(a, GLT_WHY_NOT_YET_VALID, "valid from %s", when);
	}
	return false;
}

static bool owner_unfit(const struct glt_facts *f, struct glt_answer *a)
{
	switch (f->owner) {
	case GLT_OWNER_OK:
		return false;
	case GLT_OWNER_IS_BLOCKED:
		return deny(a, GLT_WHY_OWNER_BLOCKED, "see gltoken user list");
	case GLT_OWNER_IS_GONE:
		break;
	}
	return deny(a, GLT_WHY_OWNER_GONE, "the account that the token was issued for does not exist any more");
}

static bool host_refuses(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	if (!f->host_refuses)
		return false;
	return deny(a, GLT_WHY_ADDRESS, "'%.64s' is in none of this host's address ranges, [policy] allow_from",
		    q->address ? q->address : "local");
}

/* Issued before the policy was what it is. */
static bool breaks_policy(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	if (!f->breach.rule || !f->retroactive_from || q->now < f->retroactive_from || q->now < f->breach.from)
		return false;
	return deny(a, GLT_WHY_POLICY, "%s", f->breach.text);
}

static bool restricted(const struct glt_question *q, struct glt_answer *a)
{
	const Glt__Token *t = q->token;
	const char *address = q->address ? q->address : "local", *service = q->service ? q->service : "";
	bool match = t->n_allow_from == 0;

	for (size_t i = 0; i < t->n_allow_from && !match; i++)
		match = glt_cidr_match(t->allow_from[i], address);
	if (!match)
		return deny(a, GLT_WHY_ADDRESS, "'%.64s' is in none of the token's %zu address ranges", address,
			    t->n_allow_from);
	if (t->n_services && !in_list(t->services, t->n_services, service))
		return deny(a, GLT_WHY_SERVICE, "'%.64s' is none of the token's services", service);
	/* A web server asks several times for one clone: uses can only be counted where a session is one. */
	if (t->max_uses && strcmp(service, "sshd") != 0)
		return deny(a, GLT_WHY_SERVICE, "a token with a use limit works through sshd only");
	return false;
}

static bool used_up(const struct glt_question *q, struct glt_answer *a)
{
	if (!q->begins || q->token->max_uses == 0 || q->token->uses_left > 0)
		return false;
	return deny(a, GLT_WHY_USED_UP, "all %u uses are taken", q->token->max_uses);
}

static bool token_unfit(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	return dead(q->token, q->now, a) || owner_unfit(f, a) || host_refuses(q, f, a) || breaks_policy(q, f, a) ||
	       restricted(q, a) || used_up(q, a);
}

/* ---- logging in ---- */

#define WRITES (GLT_SCOPE_BIT(GLT_SCOPE_WRITE_REPOSITORY) | GLT_SCOPE_BIT(GLT_SCOPE_API))
#define READS (WRITES | GLT_SCOPE_BIT(GLT_SCOPE_READ_REPOSITORY) | GLT_SCOPE_BIT(GLT_SCOPE_READ_API))

static bool is_owner(const struct glt_question *q, const char *account)
{
	const char *me = q->token ? q->token->owner : q->key ? q->key->user : q->user;

	return me && me[0] && strcmp(me, account) == 0;
}

/* Plain git-shell enforces nothing of ours, so only a token without limits of ours may open it. */
static bool fits_git_shell(const struct glt_question *q)
{
	const Glt__Token *t = q->token;

	return t && t->type == GLT__TYPE__PERSONAL && is_owner(q, q->account) && (t->scopes & WRITES) &&
	       t->n_only_repo == 0;
}

static bool login_unfit(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	if (!q->account || (!f->account_shared && !is_owner(q, q->account)))
		return deny(a, GLT_WHY_WRONG_ACCOUNT,
			    "it opens its owner's account and the shared accounts, not '%.64s'",
			    q->account ? q->account : "");
	switch (f->shell) {
	case GLT_SHELL_GLTOKEN:
		return false;
	case GLT_SHELL_GIT:
		if (fits_git_shell(q))
			return false;
		return deny(a, GLT_WHY_GIT_SHELL, "account '%.64s' has git-shell; give it gltoken-shell",
			    q->account);
	case GLT_SHELL_OTHER:
		break;
	}
	return deny(a, GLT_WHY_NOT_GIT_ACCOUNT,
		    "a Git token never opens account '%.64s': its shell is not gltoken-shell", q->account);
}

static bool check_unfit(const struct glt_question *q, struct glt_answer *a)
{
	/* The web server takes the user name for the identity, so it must be the token's own. */
	if (q->account && !is_owner(q, q->account))
		return deny(a, GLT_WHY_WRONG_ACCOUNT, "user name '%.64s' is not the token's owner", q->account);
	return false;
}

static bool scope_unfit(const struct glt_question *q, struct glt_answer *a)
{
	if (!q->need_scope || (q->token && (q->token->scopes & GLT_SCOPE_BIT(q->scope))))
		return false;
	return deny(a, GLT_WHY_SCOPE, "scope %s is needed", glt_scope_name(q->scope));
}

/* ---- repositories ---- */

/* Without a role of its own: what the person may do counts. */
static bool acts_for_person(const struct glt_question *q)
{
	return q->token ? q->token->type == GLT__TYPE__PERSONAL : !q->key || !q->key->path[0];
}

static void find_role(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	if (acts_for_person(q) && f->roles_elsewhere) {
		a->role = GLT_OWNER;
	} else if (acts_for_person(q)) {
		a->role = f->member_role;
		strcpy(a->member_path, f->member_path);
		strcpy(a->member_principal, f->member_principal);
	} else if (q->key) {
		a->role = q->key->can_push ? GLT_DEVELOPER : GLT_REPORTER;
	} else {
		a->role = (int)q->token->role;
	}
}

/* The part of the path that a bearer with a role of its own is for. */
static bool covers(const struct glt_question *q)
{
	if (q->key && q->key->path[0])
		return strcmp(q->key->path, q->path) == 0;
	if (acts_for_person(q))
		return true;
	if (q->token->type == GLT__TYPE__PROJECT)
		return strcmp(q->token->path, q->path) == 0;
	return glt_path_covers(q->token->path, q->path);
}

static bool repo_limited(const struct glt_question *q, const char *path, struct glt_answer *a)
{
	const Glt__Token *t = q->token;

	if (!t || t->n_only_repo == 0)
		return false;
	for (size_t i = 0; i < t->n_only_repo; i++)
		if (glt_glob_match(t->only_repo[i], path))
			return false;
	return deny(a, GLT_WHY_REPO_NOT_ALLOWED, "'%s' matches none of the token's %zu repository patterns", path,
		    t->n_only_repo);
}

static bool project_hidden(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	if (!covers(q))
		return deny(a, GLT_WHY_WRONG_PROJECT, "the token is for %s",
			    q->token ? q->token->path : q->key->path);
	if (repo_limited(q, q->path, a))
		return true;
	find_role(q, f, a);
	if (a->role == GLT_NO_ROLE)
		return deny(a, GLT_WHY_NOT_A_MEMBER, "no membership reaches %s", q->path);
	a->visible = true;
	return false;
}

static bool operation_unfit(const struct glt_question *q, struct glt_answer *a)
{
	bool push = q->op == GLT_OP_PUSH;
	const char *verb = push ? "push" : "pull", *role = glt_role_name(a->role);

	/* The scope first: it is the bearer's own limit and tells nothing about the project. */
	if (q->token && !(q->token->scopes & (push ? WRITES : READS))) {
		char have[GLT_SCOPES_TEXT_MAX];

		glt_scopes_format(q->token->scopes, have);
		return deny(a, GLT_WHY_SCOPE, "to %s, one of %s is needed; the token has %s", verb,
			    push ? "write_repository, api" : "read_repository, write_repository, read_api, api",
			    have[0] ? have : "none");
	}
	if (!glt_role_may(a->role, push ? GLT_MAY_PUSH : GLT_MAY_PULL))
		return deny(a, GLT_WHY_ROLE, "role %s may not %s", role ? role : "unknown", verb);
	return false;
}

static bool starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* A level that is none of GitLab's for a ref admits nobody. */
static bool reaches(int role, int least)
{
	switch (least) {
	case GLT_DEVELOPER:
		return glt_role_may(role, GLT_MAY_PUSH);
	case GLT_MAINTAINER:
		return glt_role_may(role, GLT_MAY_PUSH_PROTECTED);
	case GLT_OWNER:
		return role == GLT_OWNER;
	default:
		return false;
	}
}

static bool ref_unfit(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	static const char *const verbs[] = {"push to it", "create it", "force-push to it", "delete it"};
	const char *role = glt_role_name(a->role), *verb = verbs[q->change];

	if (q->op != GLT_OP_PUSH || !q->ref)
		return false;
	/* refs/replace, refs/notes and the like change what others see without touching a branch. */
	if (!starts(q->ref, "refs/heads/") && !starts(q->ref, "refs/tags/") &&
	    !glt_role_may(a->role, GLT_MAY_PUSH_PROTECTED))
		return deny(a, GLT_WHY_REF_PROTECTED,
			    "%.200s lies outside refs/heads and refs/tags: maintainer is needed", q->ref);
	if (!f->has_protection || reaches(a->role, f->ref_role))
		return false;
	if (f->ref_role == GLT_NO_ROLE)
		return deny(a, GLT_WHY_REF_PROTECTED, "%.200s is protected by %.200s: nobody may %s", q->ref,
			    f->protection, verb);
	return deny(a, GLT_WHY_REF_PROTECTED, "%.200s is protected by %.200s: role %s may not %s", q->ref,
		    f->protection, role ? role : "unknown", verb);
}

/* ---- what a session does to tokens ---- */

/* What GitLab gives to administrators only: no person issues it to themselves. */
#define ADMINS                                                                 \
	(GLT_SCOPE_BIT(GLT_SCOPE_SUDO) | GLT_SCOPE_BIT(GLT_SCOPE_ADMIN_MODE) | \
	 GLT_SCOPE_BIT(GLT_SCOPE_READ_SERVICE_PING))
#define ALTERS GLT_SCOPE_BIT(GLT_SCOPE_API)
#define LOOKS (ALTERS | GLT_SCOPE_BIT(GLT_SCOPE_READ_API))

static bool of_a_path(const Glt__Token *t)
{
	return t->type != GLT__TYPE__PERSONAL;
}

static bool mints_bot(const struct glt_question *q)
{
	return q->mint == GLT__TYPE__PROJECT || q->mint == GLT__TYPE__GROUP;
}

const char *glt_question_path(const struct glt_question *q)
{
	switch (q->op) {
	case GLT_OP_PULL:
	case GLT_OP_PUSH:
	case GLT_OP_LIST:
		return q->path;
	case GLT_OP_MINT:
		return mints_bot(q) ? q->path : NULL;
	case GLT_OP_ROTATE:
	case GLT_OP_REVOKE:
	case GLT_OP_SHOW:
		return q->target && of_a_path(q->target) ? q->target->path : NULL;
	case GLT_OP_LOGIN:
	case GLT_OP_CHECK:
		break;
	}
	return NULL;
}

/* What a token with api may hand on: GitLab's api includes reading, and the repositories. */
static uint64_t may_hand_on(const Glt__Token *t)
{
	uint64_t own = t->scopes;

	if (own & GLT_SCOPE_BIT(GLT_SCOPE_API))
		own |= READS;
	return own;
}

/* Whoever acts for a person, by key or login or with one of these scopes. */
static bool no_person(const struct glt_question *q, uint64_t scopes, struct glt_answer *a)
{
	const Glt__Token *t = q->token;

	if (q->key && !q->key->user[0])
		return deny(a, GLT_WHY_NOT_YOURS, "a deploy key is nobody's");
	if (!t)
		return false;
	if (t->type != GLT__TYPE__PERSONAL)
		return deny(a, GLT_WHY_NOT_YOURS, "a %s token %s no token but itself",
			    t->type == GLT__TYPE__PROJECT ? "project" : "group or deploy",
			    scopes == LOOKS ? "sees" : "changes");
	if (!(t->scopes & scopes))
		return deny(a, GLT_WHY_SCOPE, "scope %s is needed", scopes == LOOKS ? "api or read_api" : "api");
	return false;
}

/* The tokens of a project or group are its maintainers' business. */
static bool path_unfit(const struct glt_question *q, const struct glt_facts *f, const char *path,
		       struct glt_answer *a)
{
	const char *role;

	if (repo_limited(q, path, a))
		return true;
	if (f->member_role == GLT_NO_ROLE)
		return deny(a, GLT_WHY_NOT_A_MEMBER, "no membership reaches %s", path);
	a->role = f->member_role;
	a->visible = true;
	role = glt_role_name(a->role);
	if (!glt_role_may(a->role, GLT_MAY_MANAGE))
		return deny(a, GLT_WHY_ROLE, "role %s may not manage the tokens of %s", role ? role : "unknown",
			    path);
	return false;
}

static bool role_above(int own, int wanted, struct glt_answer *a)
{
	const char *name = glt_role_name(wanted), *role = glt_role_name(own);

	if (glt_role_may_give(own, wanted))
		return false;
	return deny(a, GLT_WHY_ROLE, "role %s may not give role %s", role ? role : "unknown",
		    name ? name : "unknown");
}

static bool scopes_exceed(const struct glt_question *q, struct glt_answer *a)
{
	uint64_t more = q->scopes & (q->token ? ~may_hand_on(q->token) : ADMINS);
	char names[GLT_SCOPES_TEXT_MAX];

	if (!more)
		return false;
	glt_scopes_format(more, names);
	if (q->token)
		return deny(a, GLT_WHY_SCOPE, "the session's own token does not have %s", names);
	return deny(a, GLT_WHY_SCOPE, "only an administrator issues %s", names);
}

static bool mint_unfit(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	if (no_person(q, ALTERS, a))
		return true;
	if (q->token && q->token->max_uses)
		return deny(a, GLT_WHY_NOT_YOURS, "a token with a use limit makes no others");
	if (mints_bot(q) && (!q->path || path_unfit(q, f, q->path, a) || role_above(a->role, q->role, a)))
		return true;
	return scopes_exceed(q, a);
}

static bool list_unfit(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	return no_person(q, LOOKS, a) || (q->path && path_unfit(q, f, q->path, a));
}

/* Who rotates a token holds its new secret, so it must be no more than what is held already. */
static bool exceeds(const Glt__Token *maker, const Glt__Token *target, struct glt_answer *a)
{
	if (target->scopes & ~may_hand_on(maker))
		return deny(a, GLT_WHY_SCOPE, "token %llu has scopes that the session's own does not have",
			    (unsigned long long)target->id);
	if (maker->n_allow_from || maker->n_only_repo || maker->n_services || maker->max_uses)
		return deny(a, GLT_WHY_NOT_YOURS, "a token with restrictions rotates only itself");
	return false;
}

static bool self_unfit(const struct glt_question *q, struct glt_answer *a)
{
	const uint64_t rotates = GLT_SCOPE_BIT(GLT_SCOPE_SELF_ROTATE) | GLT_SCOPE_BIT(GLT_SCOPE_API);

	if (q->op != GLT_OP_ROTATE)
		return false;
	if (q->token->max_uses) /* its successor would have all of them again */
		return deny(a, GLT_WHY_NOT_YOURS, "a token with a use limit does not rotate itself");
	if (q->token->scopes & rotates)
		return false;
	return deny(a, GLT_WHY_SCOPE, "scope self_rotate or api is needed");
}

static bool target_unfit(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	const Glt__Token *t = q->target;
	bool mine;

	if (q->token && q->token->id == t->id)
		return self_unfit(q, a);
	if (no_person(q, q->op == GLT_OP_SHOW ? LOOKS : ALTERS, a))
		return true;
	mine = of_a_path(t) ? !path_unfit(q, f, t->path, a) : is_owner(q, t->owner);
	if (!mine) { /* one answer, whatever was missing: it is about a token that may not be theirs to know */
		a->role = GLT_NO_ROLE;
		return deny(a, GLT_WHY_NOT_YOURS, "token %llu is not one of yours", (unsigned long long)t->id);
	}
	if (q->op == GLT_OP_SHOW)
		return false;
	if (of_a_path(t) && role_above(a->role, (int)t->role, a))
		return true;
	return q->op == GLT_OP_ROTATE && q->token && exceeds(q->token, t, a);
}

static void say_allowed(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	const char *role = glt_role_name(a->role);

	a->allow = true;
	a->reason = GLT_WHY_OK;
	if (q->op != GLT_OP_PULL && q->op != GLT_OP_PUSH)
		(void)snprintf(a->detail, sizeof(a->detail), "%s", glt_reason_text(GLT_WHY_OK));
	else if (f->roles_elsewhere && acts_for_person(q))
		(void)snprintf(a->detail, sizeof(a->detail), "as far as gitolite.conf lets it, too");
	else if (a->member_path[0])
		(void)snprintf(a->detail, sizeof(a->detail), "role %s by the membership of %.64s on %.200s",
			       role ? role : "unknown", a->member_principal, a->member_path);
	else
		(void)snprintf(a->detail, sizeof(a->detail), "role %s by the token itself",
			       role ? role : "unknown");
}

/* A host that is turned over to gltoken sees first whom its rules would stop. Only people who came by key or account
 * pass: a token is new with gltoken, as a deploy key is. Blocked people, and what is not about rights, stay out. */
static bool observed(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	if (!f->observe || q->token || (q->key && !q->key->user[0]))
		return false;
	if (a->reason != GLT_WHY_NOT_A_MEMBER && a->reason != GLT_WHY_ROLE && a->reason != GLT_WHY_REF_PROTECTED)
		return false;
	a->would = a->reason;
	a->reason = GLT_WHY_OK;
	a->allow = a->visible = true;
	return true;
}

bool glt_reason_is_state(enum glt_reason r)
{
	switch (r) {
	case GLT_WHY_DAMAGED:
	case GLT_WHY_REVOKED:
	case GLT_WHY_EXPIRED:
	case GLT_WHY_NOT_YET_VALID:
	case GLT_WHY_PAUSED:
	case GLT_WHY_USED_UP:
	case GLT_WHY_OWNER_BLOCKED:
	case GLT_WHY_OWNER_GONE:
	case GLT_WHY_ADDRESS:
	case GLT_WHY_SERVICE:
	case GLT_WHY_POLICY:
	case GLT_WHY_UNAVAILABLE:
		return true;
	default:
		return false;
	}
}

void glt_decide(const struct glt_question *q, const struct glt_facts *f, struct glt_answer *a)
{
	bool denied = true;

	memset(a, 0, sizeof(*a));
	a->reason = GLT_WHY_UNAVAILABLE; /* until a rule says otherwise */
	if ((q->token != NULL) + (q->key != NULL) + (q->user != NULL) != 1) {
		(void)deny(a, GLT_WHY_NO_SESSION, "nobody asks");
		return;
	}
	if (q->token ? token_unfit(q, f, a) : owner_unfit(f, a) || host_refuses(q, f, a))
		return;
	switch (q->op) {
	case GLT_OP_LOGIN:
		denied = login_unfit(q, f, a);
		break;
	case GLT_OP_CHECK:
		denied = check_unfit(q, a);
		break;
	case GLT_OP_MINT:
		denied = mint_unfit(q, f, a);
		break;
	case GLT_OP_ROTATE:
	case GLT_OP_REVOKE:
	case GLT_OP_SHOW:
		denied = !q->target || target_unfit(q, f, a);
		break;
	case GLT_OP_LIST:
		denied = list_unfit(q, f, a);
		break;
	case GLT_OP_PULL:
	case GLT_OP_PUSH:
		denied = !q->path || project_hidden(q, f, a) || operation_unfit(q, a) || ref_unfit(q, f, a);
		if (denied && observed(q, f, a))
			return;
		break;
	}
	if (!denied && !scope_unfit(q, a))
		say_allowed(q, f, a);
}
