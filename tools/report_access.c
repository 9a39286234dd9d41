/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "decide.h"
#include "event.h"
#include "people.h"
#include "role.h"
#include "rundir.h"
#include "scope.h"
#include "tokens.h"
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY GLT_SECONDS_A_DAY
#define DAYS 30
#define OLDER_MAX 1000 /* events, then the rest of the log is taken to be older as well */

/* ---- who may push where: what was granted. Whether one push is allowed is decide.c's to say. ---- */

struct grant {
	char *path, *who;
	const char *by;
	char note[64];
};

struct grants {
	struct grant *v;
	size_t n, room;
	size_t damaged;
};

static void grant(struct grants *g, const char *path, const char *who, const char *by, const char *note)
{
	if (g->n == g->room) {
		g->room = g->room ? g->room * 2 : 64;
		g->v = glt_cli_alloc(g->v, g->room, sizeof(*g->v));
	}
	g->v[g->n] = (struct grant){.path = glt_cli_strdup(path), .who = glt_cli_strdup(who), .by = by};
	(void)snprintf(g->v[g->n++].note, sizeof(g->v->note), "%s", note ? note : "");
}

static bool visit_member(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct grants *g = arg;
	Glt__Member *m = value.data ? glt__member__unpack(NULL, value.len, value.data) : NULL;

	(void)key;
	if (!m)
		g->damaged++;
	else if (glt_role_may((int)m->role, GLT_MAY_PUSH))
		grant(g, m->path, m->principal, m->principal[0] == '@' ? "Unix group" : "member",
		      glt_role_name((int)m->role));
	if (m)
		glt_member_free(m);
	return true;
}

static bool visit_key(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct grants *g = arg;
	Glt__Key *k = value.data ? glt__key__unpack(NULL, value.len, value.data) : NULL;

	(void)key;
	if (!k)
		g->damaged++;
	else if (k->path[0] && k->can_push)
		grant(g, k->path, k->title[0] ? k->title : "(no title)", "deploy key", NULL);
	if (k)
		glt_key_free(k);
	return true;
}

/* A personal token adds nothing: it has its owner's memberships. */
static void grants_of_tokens(const struct glt_report *r, struct grants *g)
{
	const uint64_t writes = GLT_SCOPE_BIT(GLT_SCOPE_WRITE_REPOSITORY) | GLT_SCOPE_BIT(GLT_SCOPE_API);

	for (size_t i = 0; i < r->tokens.n; i++) {
		const Glt__Token *t = r->tokens.token[i];
		char note[64];

		if (t->type == GLT__TYPE__PERSONAL || !glt_token_active(t, r->now) || !(t->scopes & writes) ||
		    (t->type != GLT__TYPE__DEPLOY && !glt_role_may((int)t->role, GLT_MAY_PUSH)))
			continue;
		(void)snprintf(note, sizeof(note), "token %" PRIu64 "%s%s", t->id,
			       t->type == GLT__TYPE__DEPLOY ? "" : ", ",
			       t->type == GLT__TYPE__DEPLOY ? "" : glt_role_name((int)t->role));
		grant(g, t->path, t->name, glt_type_name(t->type), note);
	}
}

static int by_path(const void *a, const void *b)
{
	const struct grant *x = a, *y = b;
	int c = strcmp(x->path, y->path);

	return c ? c : strcmp(x->who, y->who);
}

static void put_grants(struct glt_report *r, struct grants *g)
{
	struct glt_dataset *sum =
		glt_report_add(r, GLT_CHART_BARS, "pushers_by_path", "Who may push: how many",
			       "Grants that allow pushing, by the project or group that they are on.");
	struct glt_dataset *d = glt_report_add(r, GLT_CHART_NONE, "pushers", "Who may push where",
					       "A grant on a group holds for all projects below it. "
					       "gltoken explain says which rule decides about one push.");
	uint64_t n = 0;

	glt_dataset_field(sum, "path", "Path", false);
	glt_dataset_field(sum, "grants", "Grants", true);
	glt_dataset_field(d, "path", "Path", false);
	glt_dataset_field(d, "who", "Who", false);
	glt_dataset_field(d, "by", "By", false);
	glt_dataset_field(d, "note", "As", false);
	if (g->n)
		qsort(g->v, g->n, sizeof(*g->v), by_path);
	for (size_t i = 0; i < g->n; i++) {
		glt_dataset_row(d, (const char *const[]){g->v[i].path, g->v[i].who, g->v[i].by, g->v[i].note});
		n++;
		if (i + 1 < g->n && strcmp(g->v[i].path, g->v[i + 1].path) == 0)
			continue;
		glt_dataset_count(sum, g->v[i].path, &n);
		n = 0;
	}
}

enum glt_status glt_report_pushers(struct glt_report *r, struct glt_store *store, struct glt_err *err)
{
	const struct glt_slice all = {NULL, 0};
	struct grants g = {.n = 0};
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	if (st != GLT_OK)
		return st;
	st = glt_walk_all(txn, GLT_MEMBERS, all, visit_member, &g, err);
	if (st == GLT_OK)
		st = glt_walk_all(txn, GLT_KEYS, all, visit_key, &g, err);
	glt_txn_end(txn);
	if (st == GLT_OK) {
		grants_of_tokens(r, &g);
		put_grants(r, &g);
		r->tokens.damaged += g.damaged;
	}
	for (size_t i = 0; i < g.n; i++) {
		free(g.v[i].path);
		free(g.v[i].who);
	}
	free(g.v);
	return st;
}

/* ---- what was answered ---- */

void glt_report_answers(struct glt_report *r, const struct glt_conf *conf)
{
	struct glt_dataset *d =
		glt_report_add(r, GLT_CHART_BARS, "answers", "Uses and denials",
			       "Requests since the host was started, by reason; all but ok are denials.");
	uint64_t n[GLT_COUNTS];

	(void)glt_counts_read(conf, n);
	glt_dataset_field(d, "reason", "Reason", false);
	glt_dataset_field(d, "requests", "Requests", true);
	for (int i = 0; i < GLT_REASON_COUNT; i++)
		if (n[i])
			glt_dataset_count(d, glt_reason_name((enum glt_reason)i), &n[i]);
}

/* ---- what happened when ---- */

static const char *const actions[] = {"token.issue", "token.rotate", "token.revoke"};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

struct days {
	int64_t first; /* day since 1970 */
	uint64_t n[DAYS][ACTIONS + 1];
	unsigned older; /* in a row */
	bool damaged;
};

static bool visit_event(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct days *d = arg;
	Glt__Event *ev = glt_event_read(value);
	int64_t day = ev ? ev->at / DAY : -1;

	(void)key;
	d->damaged = d->damaged || !ev;
	for (size_t i = 0; ev && i < ACTIONS; i++)
		if (day >= d->first && day < d->first + DAYS && strcmp(ev->action, actions[i]) == 0)
			d->n[day - d->first][i]++;
	if (ev)
		glt__event__free_unpacked(ev, NULL);
	/* A clock that was wrong for a while leaves old times behind young ones. */
	d->older = day < d->first ? d->older + 1 : 0;
	return ev && d->older < OLDER_MAX;
}

enum glt_status glt_report_activity(struct glt_report *r, struct glt_store *store, struct glt_err *err)
{
	struct glt_dataset *d =
		glt_report_add(r, GLT_CHART_STACKS, "activity", "Changes and uses",
			       "The last 30 days (UTC): tokens issued, rotated and revoked, and tokens "
			       "that were used on that day for the last time.");
	struct days days = {.first = r->now / DAY - DAYS + 1};
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	if (st != GLT_OK)
		return st;
	st = glt_walk_back(txn, GLT_AUDIT, (struct glt_slice){NULL, 0}, visit_event, &days, err);
	glt_txn_end(txn);
	r->tokens.damaged += days.damaged;
	glt_dataset_field(d, "date", "Date", false);
	glt_dataset_field(d, "issued", "Issued", true);
	glt_dataset_field(d, "rotated", "Rotated", true);
	glt_dataset_field(d, "revoked", "Revoked", true);
	glt_dataset_field(d, "last_used", "Last used", true);
	for (size_t i = 0; i < r->tokens.n; i++) {
		int64_t day = r->usage[i].last_used_at / DAY - days.first;

		if (day >= 0 && day < DAYS)
			days.n[day][ACTIONS]++;
	}
	for (int64_t i = 0; i < DAYS; i++) {
		char date[GLT_DATE_TEXT];

		glt_date((days.first + i) * DAY, date);
		glt_dataset_count(d, date, days.n[i]);
	}
	return st;
}
