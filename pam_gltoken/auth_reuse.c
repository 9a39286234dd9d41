/* SPDX-License-Identifier: MIT */
#include "auth.h"

#include "pam_log.h"
#include "reuse.h"

#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>

static void add_number(struct glt_log_line *line, const char *key, uint64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, n);
	glt_log_add(line, key, text);
}

static void log_reuse(const struct auth *a, const struct glt_question *q, size_t revoked, const char *trouble)
{
	struct glt_log_line line;

	glt_log_begin(&line, a->conf.log_json ? "json" : NULL, "reuse");
	add_number(&line, "token", q->token->id);
	add_number(&line, "next", q->token->next);
	add_number(&line, "family", q->token->family);
	glt_log_add(&line, "owner", q->token->owner);
	add_number(&line, "revoked", revoked);
	glt_log_add(&line, "service", q->service);
	glt_log_add(&line, "rhost", q->address);
	glt_log_add(&line, "text", trouble);
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "%s", line.text);
}

void auth_reused(struct auth *a, const struct glt_question *q, bool always_revoke)
{
	char sighted[160], detail[160];
	const struct glt_reuse r = {
		.id = q->token->id,
		.revoke = always_revoke || a->conf.reuse_revokes,
		.actor = "gltoken-auth",
		.sighted = sighted,
		.now = q->now,
	};
	struct glt_err err = {.text = ""};
	size_t revoked = 0;
	enum glt_status st;

	(void)snprintf(sighted, sizeof(sighted), "%s from %.64s through %.32s",
		       always_revoke ? "rotation was asked for" : "secret presented", q->address, q->service);
	st = auth_open_for_change(a, &err);
	if (st == GLT_OK)
		st = glt_reuse_note(a->store, &r, &revoked, &err);
	log_reuse(a, q, revoked, st == GLT_OK ? NULL : err.text);
	(void)snprintf(detail, sizeof(detail),
		       "rotated to token %" PRIu64 "; %zu of its family were revoked for it", q->token->next,
		       revoked);
	auth_refuse(a, q, GLT_WHY_REUSED, detail);
}
