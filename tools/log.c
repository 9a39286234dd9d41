/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "pam_log.h"

#include <string.h>
#include <syslog.h>

void glt_log_open(const char *program)
{
	openlog(program, LOG_PID, LOG_AUTHPRIV);
}

static void add_bearer(struct glt_log_line *line, const struct glt_message *answer)
{
	const char *type = glt_message_get(answer, "type");
	bool key = type && !strcmp(type, "key");
	glt_log_add(line, key ? "key" : "token", glt_message_get(answer, "id"));
	glt_log_add(line, "owner", glt_message_get(answer, "owner"));
}

void glt_log_git(const struct glt_log_git *g, bool trouble)
{
	struct glt_log_line line;
	glt_log_begin(&line, g->answer ? glt_message_get(g->answer, "log") : g->format, "git");
	glt_log_add(&line, "decision", g->allow ? "allow" : "deny");
	glt_log_add(&line, "reason", g->reason);
	if (g->answer && g->allow)
		glt_log_add(&line, "would_deny", glt_message_get(g->answer, "would_deny"));
	glt_log_add(&line, "operation", g->operation);
	glt_log_add(&line, "repository", g->repository);
	if (g->answer)
		add_bearer(&line, g->answer);
	glt_log_add(&line, "account", g->account);
	glt_log_add(&line, "service",
		    g->service  ? g->service
		    : g->answer ? glt_message_get(g->answer, "service")
				: NULL);
	glt_log_add(&line, "rhost",
		    g->rhost    ? g->rhost
		    : g->answer ? glt_message_get(g->answer, "address")
				: NULL);
	glt_log_add(&line, "command", g->command);
	glt_log_add(&line, "text", g->text);
	glt_log_add(&line, "session", g->answer ? glt_message_get(g->answer, "session") : NULL);
	syslog(LOG_AUTHPRIV | (trouble ? LOG_ERR : g->allow ? LOG_INFO : LOG_NOTICE), "%s", line.text);
}
