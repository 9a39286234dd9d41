/* SPDX-License-Identifier: MIT */
#include "pam_ask.h"

#include "pam_log.h"

#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static const char *text_item(pam_handle_t *pamh, int type)
{
	const void *item = NULL;

	if (pam_get_item(pamh, type, &item) != PAM_SUCCESS || !item)
		return NULL;
	return *(const char *)item ? item : NULL;
}

struct glt_pam_who glt_pam_who(pam_handle_t *pamh, const struct glt_pam_args *args)
{
	const char *service = text_item(pamh, PAM_SERVICE);

	if (!service)
		service = "";
	return (struct glt_pam_who){
		.user = text_item(pamh, PAM_USER),
		.service = service,
		.label = glt_pam_args_label(args, service),
		.rhost = text_item(pamh, PAM_RHOST),
	};
}

struct glt_pam_question *glt_pam_question_new(pam_handle_t *pamh, const char *verb)
{
	struct glt_pam_question *q = calloc(1, sizeof *q);

	if (!q) {
		pam_syslog(pamh, LOG_CRIT, "out of memory");
		return NULL;
	}
	q->verb = verb;
	q->outcome = GLT_FAILED;
	q->reason = "no_answer";
	glt_message_add(&q->request, "verb", verb);
	return q;
}

void glt_pam_question_ask(struct glt_pam_question *q)
{
	if (q->request.bad || q->request.len >= GLT_WIRE_REQUEST_MAX) {
		glt_message_wipe(&q->request);
		q->outcome = GLT_DENY;
		q->reason = "bad_request";
		q->text = "user, address or key is too long or holds a control character";
		return;
	}
	q->outcome = glt_client_ask(&q->request, &q->reply, q->why, sizeof q->why);
	if (q->outcome == GLT_FAILED) {
		q->text = q->why;
		return;
	}
	q->text = glt_message_get(&q->reply, "text");
	q->reason = glt_message_get(&q->reply, "reason");
	if (!q->reason)
		q->reason = "no_reason";
}

void glt_pam_question_free(struct glt_pam_question *q)
{
	if (!q)
		return;
	explicit_bzero(q, sizeof *q);
	free(q);
}

void glt_pam_question_fail(struct glt_pam_question *q, const char *reason, const char *text)
{
	q->outcome = GLT_FAILED;
	q->reason = reason;
	q->text = text;
}

static bool is_trouble(const struct glt_pam_question *q)
{
	static const char *const trouble[] = {
		"unavailable", "busy", "config_error", "no_privilege", "damaged_record",
	};

	if (q->outcome == GLT_FAILED)
		return true;
	for (size_t i = 0; i < sizeof trouble / sizeof *trouble; i++)
		if (strcmp(q->reason, trouble[i]) == 0)
			return true;
	return false;
}

int glt_pam_refusal(const struct glt_pam_question *q, int denied)
{
	return is_trouble(q) ? PAM_AUTHINFO_UNAVAIL : denied;
}

static void add_who(struct glt_log_line *line, const struct glt_pam_who *who)
{
	glt_log_add(line, "account", who->user);
	glt_log_add(line, "service", who->label);
	glt_log_add(line, "rhost", who->rhost);
}

static void log_question(pam_handle_t *pamh, const struct glt_pam_args *args, const struct glt_pam_who *who,
			 const struct glt_pam_question *q)
{
	struct glt_log_line line = {.len = 0};

	glt_log_add(&line, "asked", GLT_HELPER);
	glt_log_add(&line, "verb", q->verb);
	glt_log_add(&line, "scope", args->scope);
	glt_log_add(&line, "nosession", args->nosession ? "yes" : "no");
	add_who(&line, who);
	pam_syslog(pamh, LOG_DEBUG, "%s", line.text);
}

void glt_pam_log_answer(pam_handle_t *pamh, const struct glt_pam_args *args, const char *event,
			const struct glt_pam_who *who, const struct glt_pam_question *q)
{
	bool allow = q->outcome == GLT_ALLOW;
	int priority = LOG_NOTICE;
	struct glt_log_line line;

	if (args->debug)
		log_question(pamh, args, who, q);
	if (allow)
		priority = strcmp(q->verb, "authorize") == 0 ? LOG_DEBUG : LOG_INFO;
	else if (is_trouble(q))
		priority = LOG_ERR;
	else if (strcmp(q->reason, "not_a_token") == 0)
		priority = LOG_INFO;
	if (priority == LOG_DEBUG && !args->debug)
		return;

	glt_log_begin(&line, glt_message_get(&q->reply, "log"), event);
	glt_log_add(&line, "decision", allow ? "allow" : "deny");
	glt_log_add(&line, "reason", q->reason);
	const char *type = glt_message_get(&q->reply, "type");
	glt_log_add(&line, type && strcmp(type, "key") == 0 ? "key" : "token", glt_message_get(&q->reply, "id"));
	glt_log_add(&line, "owner", glt_message_get(&q->reply, "owner"));
	add_who(&line, who);
	glt_log_add(&line, "text", q->text);
	glt_log_add(&line, "session", glt_message_get(&q->reply, "session"));
	pam_syslog(pamh, priority, "%s", line.text);
}

void glt_pam_log_refusal(pam_handle_t *pamh, int priority, const char *event, const struct glt_pam_who *who,
			 const char *reason, const char *text)
{
	struct glt_log_line line = {.len = 0};

	glt_log_add(&line, "event", event);
	glt_log_add(&line, "decision", "deny");
	glt_log_add(&line, "reason", reason);
	add_who(&line, who);
	glt_log_add(&line, "text", text);
	pam_syslog(pamh, priority, "%s", line.text);
}
