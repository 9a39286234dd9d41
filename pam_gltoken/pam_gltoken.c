/* SPDX-License-Identifier: MIT */
/*
 * The PAM module. It holds no rule: gltoken-auth decides, and this maps its answer to PAM's codes.
 *
 * authenticate never returns PAM_IGNORE, for a stack of modules that all ignore lets people in. Every result
 * starts as a failure, and only admit() makes a success of it.
 */
#include "pam_ask.h"
#include "pam_secret.h"
#include "pam_session.h"

#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define ENTRY __attribute__((visibility("default"))) int

static int admit(pam_handle_t *pamh, const struct glt_pam_args *args, const struct glt_pam_who *who,
		 struct glt_pam_question *q)
{
	/* Without a session, "none" still says to open_session that a token was used: the account's own identity
	 * would do more than the token may. */
	const char *ticket = args->nosession ? GLT_SESSION_NONE : glt_message_get(&q->reply, "ticket");

	if (!args->nosession && !glt_session_is_ticket(ticket)) {
		glt_pam_question_fail(q, "no_ticket",
				      "only root is given a ticket: others need the argument nosession");
		return PAM_AUTHINFO_UNAVAIL;
	}
	if ((args->nosession && !glt_session_mark(pamh, who->user)) || !glt_session_set(pamh, ticket)) {
		glt_pam_question_fail(q, "no_memory", NULL);
		return PAM_BUF_ERR;
	}
	return PAM_SUCCESS;
}

static int verify(pam_handle_t *pamh, const struct glt_pam_args *args, const struct glt_pam_who *who,
		  const char *secret)
{
	struct glt_pam_question *q = glt_pam_question_new(pamh, "verify");

	if (!q)
		return PAM_BUF_ERR;
	glt_message_add(&q->request, "secret", secret);
	glt_message_add(&q->request, "account", who->user);
	glt_message_add(&q->request, "service", who->label);
	glt_message_add(&q->request, "rhost", who->rhost);
	glt_message_add(&q->request, "scope", args->scope);
	glt_message_add(&q->request, "nosession", args->nosession ? "1" : NULL);
	glt_pam_question_ask(q);

	int result = PAM_AUTH_ERR;
	if (q->outcome == GLT_ALLOW)
		result = admit(pamh, args, who, q);
	else if (q->outcome == GLT_DENY && strcmp(q->reason, "not_a_token") == 0)
		result = PAM_USER_UNKNOWN;
	else
		result = glt_pam_refusal(q, PAM_AUTH_ERR);
	glt_pam_log_answer(pamh, args, "login", who, q);
	glt_pam_question_free(q);
	return result;
}

/* What the module sees without asking, then what gltoken-auth says. */
static int check(pam_handle_t *pamh, const struct glt_pam_args *args, const char *secret)
{
	struct glt_pam_who who = glt_pam_who(pamh, args); /* after the prompt, which may have changed the items */

	if (!who.user) {
		glt_pam_log_refusal(pamh, LOG_NOTICE, "login", &who, "no_user", NULL);
		return PAM_AUTH_ERR;
	}
	switch (glt_secret_kind(secret)) {
	case GLT_SECRET_SSHD_JUNK:
		glt_pam_log_refusal(pamh, LOG_INFO, "login", &who, "account_unknown",
				    "sshd hid the password: account unknown to NSS or not admitted by sshd_config");
		return PAM_USER_UNKNOWN;
	case GLT_SECRET_NO_TOKEN:
		glt_pam_log_refusal(pamh, LOG_INFO, "login", &who, "not_a_token",
				    "what was presented is too long for a token or holds a control character");
		return PAM_USER_UNKNOWN;
	case GLT_SECRET_MAYBE:
		return verify(pamh, args, &who, secret);
	}
	return PAM_AUTH_ERR;
}

static void log_no_memory(pam_handle_t *pamh, const struct glt_pam_args *args, const char *event)
{
	struct glt_pam_who who = glt_pam_who(pamh, args);

	glt_pam_log_refusal(pamh, LOG_CRIT, event, &who, "no_memory",
			    "PAM's environment or items cannot be changed");
}

ENTRY pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct glt_pam_args args;
	char *secret;

	(void)flags;
	bool forgotten = glt_session_forget(pamh);
	if (!glt_pam_args_parse(pamh, argc, argv, &args))
		return PAM_SERVICE_ERR;
	if (!forgotten) {
		log_no_memory(pamh, &args, "login");
		return PAM_AUTH_ERR;
	}

	struct glt_pam_who who = glt_pam_who(pamh, &args);
	if (!glt_pam_args_serve(&args, who.service)) {
		glt_pam_log_refusal(pamh, LOG_ERR, "login", &who, "service_not_listed",
				    "the argument services= does not name this PAM service");
		return PAM_SERVICE_ERR;
	}
	int result = glt_secret_get(pamh, &args, &secret);
	if (result != PAM_SUCCESS) {
		glt_pam_log_refusal(pamh, LOG_INFO, "login", &who, "no_secret", "no password was given");
		return result;
	}
	result = check(pamh, &args, secret);
	/* A password is for the modules that follow; a token is for nobody else. */
	if (!glt_secret_leave(pamh, result == PAM_USER_UNKNOWN ? secret : NULL) && result == PAM_SUCCESS) {
		log_no_memory(pamh, &args, "login");
		result = PAM_AUTH_ERR;
	}
	glt_secret_free(secret);
	if (result != PAM_SUCCESS)
		glt_session_forget(pamh);
	return result;
}

/* sshd calls it in two processes; it must not fail where authenticate did not. */
ENTRY pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

/* Does the ticket still open the account? NULL: no memory. */
static struct glt_pam_question *recheck(pam_handle_t *pamh, const struct glt_pam_who *who, const char *ticket)
{
	struct glt_pam_question *q = glt_pam_question_new(pamh, "authorize");

	if (!q)
		return NULL;
	glt_message_add(&q->request, "operation", "login");
	glt_message_add(&q->request, "ticket", ticket);
	glt_message_add(&q->request, "account", who->user);
	glt_pam_question_ask(q);
	return q;
}

static int check_account(pam_handle_t *pamh, const struct glt_pam_args *args, const struct glt_pam_who *who,
			 const char *ticket)
{
	struct glt_pam_question *q = recheck(pamh, who, ticket);
	int result = PAM_PERM_DENIED;

	if (!q)
		return PAM_BUF_ERR;
	if (q->outcome == GLT_ALLOW)
		result = PAM_SUCCESS;
	else if (q->outcome == GLT_DENY && strcmp(q->reason, "expired") == 0)
		result = PAM_ACCT_EXPIRED;
	else
		result = glt_pam_refusal(q, PAM_PERM_DENIED);
	glt_pam_log_answer(pamh, args, "account", who, q);
	glt_pam_question_free(q);
	return result;
}

ENTRY pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct glt_pam_args args;

	(void)flags;
	if (!glt_pam_args_parse(pamh, argc, argv, &args))
		return PAM_SERVICE_ERR;

	struct glt_pam_who who = glt_pam_who(pamh, &args);
	const char *ticket = glt_session_get(pamh);
	if (!who.user) {
		glt_pam_log_refusal(pamh, LOG_NOTICE, "account", &who, "no_user", NULL);
		return PAM_PERM_DENIED;
	}
	if (glt_session_is_ticket(ticket))
		return check_account(pamh, &args, &who, ticket);
	if (glt_session_marked(pamh, who.user))
		return PAM_SUCCESS;
	if (!args.require_token)
		return PAM_IGNORE;
	glt_pam_log_refusal(pamh, LOG_NOTICE, "account", &who, "no_session", "no token was used for this login");
	return PAM_PERM_DENIED;
}

/* Keep the ticket of a token's login if it is still good. Nothing else takes its place: the account's own identity
 * may do more than the token. */
static bool keep_ticket(pam_handle_t *pamh, const struct glt_pam_args *args, const struct glt_pam_who *who,
			const char *ticket)
{
	struct glt_pam_question *q = recheck(pamh, who, ticket);

	if (!q)
		return true;
	bool kept = q->outcome != GLT_ALLOW || glt_session_set(pamh, ticket);
	glt_pam_log_answer(pamh, args, "session", who, q);
	glt_pam_question_free(q);
	return kept;
}

/* A login that another module or sshd itself admitted: by its public key, or else by its account. */
static bool identify(pam_handle_t *pamh, const struct glt_pam_args *args, const struct glt_pam_who *who)
{
	bool broken;
	char *key = glt_session_key(pamh, &broken);
	struct glt_pam_question *q = broken ? NULL : glt_pam_question_new(pamh, "key");
	bool done = true;

	if (!q)
		goto out;
	glt_message_add(&q->request, "key", key);
	glt_message_add(&q->request, "account", who->user);
	glt_message_add(&q->request, "service", who->label);
	glt_message_add(&q->request, "rhost", who->rhost);
	glt_pam_question_ask(q);
	if (q->outcome == GLT_ALLOW) {
		const char *ticket = glt_message_get(&q->reply, "ticket");
		done = glt_session_set(pamh, glt_session_is_ticket(ticket) ? ticket : GLT_SESSION_NONE);
	}
	glt_pam_log_answer(pamh, args, "session", who, q);
out:
	glt_pam_question_free(q);
	free(key);
	return done;
}

/* False: PAM's environment cannot be set, so that what the client sent would count. */
static bool settle(pam_handle_t *pamh, const struct glt_pam_args *args, const char *held)
{
	struct glt_pam_who who = glt_pam_who(pamh, args);

	if (held)
		return !glt_session_is_ticket(held) || !who.user || keep_ticket(pamh, args, &who, held);
	if (args->nosession || !who.user)
		return true;
	if (!glt_pam_args_serve(args, who.service)) {
		glt_pam_log_refusal(pamh, LOG_NOTICE, "session", &who, "service_not_listed",
				    "the argument services= does not name this PAM service");
		return true;
	}
	return identify(pamh, args, &who);
}

/* What must refuse a login has done so before; here a login only gets or does not get an identity for Git. */
ENTRY pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct glt_pam_args args;
	int result = PAM_SESSION_ERR;

	(void)flags;
	const char *session = glt_session_get(pamh);
	char *held = session ? strdup(session) : NULL;
	/* First of all, so that no failure below leaves the variable to the client. */
	bool safe = glt_session_set(pamh, GLT_SESSION_NONE) && (!session || held);
	if (!glt_pam_args_parse(pamh, argc, argv, &args))
		result = PAM_SERVICE_ERR;
	else if (safe && settle(pamh, &args, held))
		result = PAM_SUCCESS;
	else
		log_no_memory(pamh, &args, "session");
	if (held)
		explicit_bzero(held, strlen(held));
	free(held);
	return result;
}

ENTRY pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_SUCCESS;
}

ENTRY pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)argc;
	(void)argv;
	if (!(flags & PAM_SILENT))
		pam_error(pamh,
			  "An access token cannot be changed here: ask this host's administrator for a new one.");
	pam_syslog(pamh, LOG_NOTICE, "event=change decision=deny reason=not_supported");
	return PAM_AUTHTOK_ERR;
}
