/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "policy.h"
#include "role.h"
#include "scope.h"
#include "text.h"
#include "tokens.h"
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY GLT_SECONDS_A_DAY
#define UNUSED_DAYS 90
#define NEW_DAYS 30 /* so young a token may wait for its first use */

static bool active(const struct glt_report *r, size_t i)
{
	return glt_token_active(r->tokens.token[i], r->now);
}

static struct glt_dataset *counts(struct glt_report *r, const char *key, const char *title, const char *about,
				  const char *name)
{
	struct glt_dataset *d = glt_report_add(r, GLT_CHART_BARS, key, title, about);

	glt_dataset_field(d, key + strlen("by_"), name, false);
	return d;
}

/* ---- by what they are ---- */

static void by_type(struct glt_report *r)
{
	struct glt_dataset *d =
		counts(r, "by_type", "By type", "Tokens that can be used, and those that no more can.", "Type");

	glt_dataset_field(d, "active", "Active", true);
	glt_dataset_field(d, "inactive", "Inactive", true);
	for (int type = GLT__TYPE__PERSONAL; type <= GLT__TYPE__DEPLOY; type++) {
		uint64_t n[2] = {0};

		for (size_t i = 0; i < r->tokens.n; i++)
			if ((int)r->tokens.token[i]->type == type)
				n[!active(r, i)]++;
		glt_dataset_count(d, glt_type_name((Glt__Type)type), n);
	}
}

static void by_state(struct glt_report *r)
{
	static const char *const states[] = {"active", "paused", "not yet valid", "used up", "expired", "revoked"};
	struct glt_dataset *d = counts(r, "by_state", "By state", "All tokens that the store has.", "State");

	glt_dataset_field(d, "tokens", "Tokens", true);
	for (size_t s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
		uint64_t n = 0;

		for (size_t i = 0; i < r->tokens.n; i++)
			n += strcmp(glt_token_state(r->tokens.token[i], r->now), states[s]) == 0;
		glt_dataset_count(d, states[s], &n);
	}
}

static void by_scope(struct glt_report *r)
{
	struct glt_dataset *d = counts(r, "by_scope", "By scope",
				       "Active tokens that have each scope; one may have several.", "Scope");

	glt_dataset_field(d, "tokens", "Tokens", true);
	for (int s = 0; s < GLT_SCOPES; s++) {
		uint64_t n = 0;

		for (size_t i = 0; i < r->tokens.n; i++)
			n += active(r, i) && (r->tokens.token[i]->scopes & GLT_SCOPE_BIT(s)) != 0;
		if (n)
			glt_dataset_count(d, glt_scope_name((enum glt_scope)s), &n);
	}
}

/* ---- by how long something is ago or ahead ---- */

static const struct step {
	const char *name;
	int64_t days;
} steps[] = {{"a week", 7}, {"a month", 30}, {"3 months", 91}, {"a year", 365}, {"longer", INT64_MAX / DAY}};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* span: how long; less than 0: not at all, which is counted under none. */
static void by_span(struct glt_report *r, struct glt_dataset *d, const char *none,
		    int64_t (*span)(const struct glt_report *r, size_t i))
{
	uint64_t n[STEPS + 1] = {0};

	glt_dataset_field(d, "tokens", "Tokens", true);
	for (size_t i = 0; i < r->tokens.n; i++) {
		int64_t seconds = span(r, i);
		size_t s = 0;

		if (!active(r, i))
			continue;
		while (s + 1 < STEPS && seconds >= steps[s].days * DAY)
			s++;
		n[seconds < 0 ? STEPS : s]++;
	}
	for (size_t s = 0; s < STEPS; s++) {
		char name[32];

		(void)snprintf(name, sizeof(name), s + 1 < STEPS ? "within %s" : "%s", steps[s].name);
		glt_dataset_count(d, name, &n[s]);
	}
	if (none)
		glt_dataset_count(d, none, &n[STEPS]);
}

static int64_t age(const struct glt_report *r, size_t i)
{
	int64_t span = r->now - r->tokens.token[i]->created_at;

	return span > 0 ? span : 0;
}

static int64_t unused_for(const struct glt_report *r, size_t i)
{
	int64_t span = r->now - r->usage[i].last_used_at;

	return !r->usage[i].last_used_at ? -1 : span > 0 ? span : 0;
}

static int64_t left(const struct glt_report *r, size_t i)
{
	return r->tokens.token[i]->expires_at ? r->tokens.token[i]->expires_at - r->now : -1;
}

/* ---- the calendar ---- */

struct day {
	int64_t number; /* since 1970 */
	char text[512];
	size_t len, n;
};

static int64_t expiry_day(const Glt__Token *t)
{
	return t->expires_at / DAY;
}

static int by_expiry(const void *a, const void *b)
{
	const Glt__Token *x = *(Glt__Token *const *)a, *y = *(Glt__Token *const *)b;

	return x->expires_at < y->expires_at ? -1 : x->expires_at > y->expires_at;
}

static void put_day(struct glt_dataset *d, struct day *day)
{
	char date[GLT_DATE_TEXT], n[24];

	if (!day->n)
		return;
	glt_date(day->number * DAY, date);
	(void)snprintf(n, sizeof(n), "%zu", day->n);
	glt_dataset_row(d, (const char *const[]){date, n, day->text});
}

/* A day with very many is cut: `list --expires-within` has them all. */
static void add_to_day(struct day *day, const Glt__Token *t)
{
	char one[GLT_NAME_MAX + GLT_PATH_MAX + 32];
	int n = snprintf(one, sizeof(one), "%s%" PRIu64 " %s/%s", day->n ? ", " : "", t->id, glt_token_holder(t),
			 t->name);

	if (n > 0 && day->len + (size_t)n + sizeof(", ...") < sizeof(day->text)) {
		memcpy(day->text + day->len, one, (size_t)n + 1);
		day->len += (size_t)n;
	} else if (day->len && day->text[day->len - 1] != '.') {
		memcpy(day->text + day->len, ", ...", sizeof(", ..."));
		day->len += 5;
	}
	day->n++;
}

static void calendar(struct glt_report *r)
{
	struct glt_dataset *d =
		glt_report_add(r, GLT_CHART_CALENDAR, "expiry_calendar", "Expiry calendar",
			       "On which day of the coming year how many active tokens expire (UTC).");
	Glt__Token **sorted = glt_cli_alloc(NULL, r->tokens.n, sizeof(Glt__Token *));
	struct day day = {.n = 0};
	size_t n = 0;

	glt_dataset_field(d, "date", "Date", false);
	glt_dataset_field(d, "tokens", "Tokens", true);
	glt_dataset_field(d, "which", "Which", false);
	for (size_t i = 0; i < r->tokens.n; i++)
		if (active(r, i) && left(r, i) >= 0 && left(r, i) < 365 * DAY)
			sorted[n++] = r->tokens.token[i];
	if (n)
		qsort(sorted, n, sizeof(Glt__Token *), by_expiry);
	for (size_t i = 0; i < n; i++) {
		if (day.n && expiry_day(sorted[i]) != day.number) {
			put_day(d, &day);
			day = (struct day){.n = 0};
		}
		day.number = expiry_day(sorted[i]);
		add_to_day(&day, sorted[i]);
	}
	put_day(d, &day);
	free(sorted);
}

void glt_report_tokens(struct glt_report *r)
{
	by_type(r);
	by_state(r);
	by_scope(r);
	by_span(r, counts(r, "by_age", "By age", "How long ago the active tokens were issued.", "Issued"), NULL,
		age);
	by_span(r, counts(r, "by_expiry", "By expiry", "How soon the active tokens expire.", "Expires"), "never",
		left);
	by_span(r, counts(r, "by_last_use", "By last use", "When the active tokens were last used.", "Last used"),
		"never", unused_for);
	calendar(r);
}

/* ---- what is wrong with them ---- */

static struct glt_dataset *findings(struct glt_report *r, const char *key, const char *title, const char *about)
{
	struct glt_dataset *d = glt_report_add(r, GLT_CHART_NONE, key, title, about);

	glt_dataset_field(d, "id", "ID", true);
	glt_dataset_field(d, "name", "Name", false);
	glt_dataset_field(d, "for", "For", false);
	glt_dataset_field(d, "type", "Type", false);
	return d;
}

static void find(struct glt_dataset *d, const Glt__Token *t, const char *more, const char *why)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%" PRIu64, t->id);
	glt_dataset_row(d, (const char *const[]){id, t->name, glt_token_holder(t), glt_type_name(t->type), more,
						 why});
}

static void unused(struct glt_report *r)
{
	struct glt_dataset *d =
		findings(r, "unused", "Unused tokens",
			 "Active tokens that nobody has used for 90 days, or never in their first 30. Revoke them.");

	glt_dataset_field(d, "last_used", "Last used", false);
	glt_dataset_field(d, "issued", "Issued", false);
	for (size_t i = 0; i < r->tokens.n; i++) {
		const int64_t idle = unused_for(r, i);
		char used[GLT_DATE_TEXT], issued[GLT_DATE_TEXT];

		if (!active(r, i) || (idle < 0 ? age(r, i) < NEW_DAYS * DAY : idle < UNUSED_DAYS * DAY))
			continue;
		glt_date(r->usage[i].last_used_at, used);
		glt_date(r->tokens.token[i]->created_at, issued);
		find(d, r->tokens.token[i], idle < 0 ? "never" : used, issued);
	}
}

#define WRITES (GLT_SCOPE_BIT(GLT_SCOPE_WRITE_REPOSITORY) | GLT_SCOPE_BIT(GLT_SCOPE_API))
#define FOR_GIT                                                                                 \
	(GLT_SCOPE_BIT(GLT_SCOPE_READ_REPOSITORY) | GLT_SCOPE_BIT(GLT_SCOPE_WRITE_REPOSITORY) | \
	 GLT_SCOPE_BIT(GLT_SCOPE_SELF_ROTATE))

static void why_too_much(const Glt__Token *t, char out[512])
{
	const bool bot = t->type == GLT__TYPE__PROJECT || t->type == GLT__TYPE__GROUP;
	char scopes[GLT_SCOPES_TEXT_MAX];
	size_t n = 0;

	out[0] = '\0';
	if (t->scopes & ~FOR_GIT) {
		glt_scopes_format(t->scopes & ~FOR_GIT, scopes);
		n += (size_t)snprintf(out + n, 512 - n, "scopes beyond Git: %s", scopes);
	}
	if (!t->expires_at)
		n += (size_t)snprintf(out + n, 512 - n, "%snever expires", n ? "; " : "");
	if (bot && t->role == GLT_OWNER)
		n += (size_t)snprintf(out + n, 512 - n, "%srole owner", n ? "; " : "");
	if (bot && (t->scopes & WRITES) && !glt_role_may((int)t->role, GLT_MAY_PUSH))
		(void)snprintf(out + n, 512 - n, "%smay write by scope, but its role pushes nowhere",
			       n ? "; " : "");
}

static void over_privileged(struct glt_report *r)
{
	struct glt_dataset *d = findings(r, "over_privileged", "Over-privileged tokens",
					 "Active tokens that may do, or last, more than Git needs.");

	glt_dataset_field(d, "scopes", "Scopes", false);
	glt_dataset_field(d, "why", "Why", false);
	for (size_t i = 0; i < r->tokens.n; i++) {
		char why[512], scopes[GLT_SCOPES_TEXT_MAX];

		if (!active(r, i))
			continue;
		why_too_much(r->tokens.token[i], why);
		glt_scopes_format(r->tokens.token[i]->scopes, scopes);
		if (why[0])
			find(d, r->tokens.token[i], scopes, why);
	}
}

/* Counted by rule first, for the chart. */
static void violations(struct glt_report *r, const struct glt_conf *conf)
{
	struct glt_dataset *sum =
		glt_report_add(r, GLT_CHART_BARS, "violations_by_rule", "Policy violations by rule",
			       "Active tokens that the policy of this host would not let be issued now.");
	struct glt_dataset *d =
		findings(r, "violations", "Policy violations",
			 "Each rule that an active token breaks; gltoken policy check says so, too.");
	struct {
		const char *rule;
		uint64_t n;
	} rules[32] = {{0}};
	size_t n = 0;

	glt_dataset_field(sum, "rule", "Rule", false);
	glt_dataset_field(sum, "tokens", "Tokens", true);
	glt_dataset_field(d, "rule", "Rule", false);
	glt_dataset_field(d, "text", "What it says", false);
	for (size_t i = 0; i < r->tokens.n; i++) {
		struct glt_breach breach[GLT_BREACHES];
		size_t found = active(r, i) ? glt_policy_breaches(conf, r->tokens.token[i], breach) : 0;

		for (size_t b = 0; b < found; b++) {
			size_t k = 0;

			while (k < n && strcmp(rules[k].rule, breach[b].rule) != 0)
				k++;
			if (k == sizeof(rules) / sizeof(rules[0]))
				abort();
			rules[k].rule = breach[b].rule;
			rules[k].n++;
			n += k == n;
			find(d, r->tokens.token[i], breach[b].rule, breach[b].text);
		}
	}
	for (size_t k = 0; k < n; k++)
		glt_dataset_count(sum, rules[k].rule, &rules[k].n);
}

void glt_report_findings(struct glt_report *r, const struct glt_conf *conf)
{
	unused(r);
	over_privileged(r);
	violations(r, conf);
}
