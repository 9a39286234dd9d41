/* SPDX-License-Identifier: MIT */
/* What the store knows: run by a child that is uid gltoken. */
#include "doctor.h"

#include "backupdir.h"
#include "event.h"
#include "holder.h"
#include "policy.h"
#include "reap.h"
#include "select.h"
#include "view.h"
#include "when.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READERS_MAX 1024 /* as store.c has it */
#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

static void readers(struct glt_doctor *d, struct glt_txn *txn)
{
	struct glt_store_stats stats;
	struct glt_holder h;
	char mend[400];

	if (glt_store_stat(txn, &stats) != GLT_OK)
		return;
	(void)snprintf(mend, sizeof(mend), "fuser -v %s/store.mdb", glt_doctor_quote(d->cli->conf.store_dir));
	if (stats.readers > READERS_MAX * 3 / 4)
		glt_doctor_find(d, GLT_D_store_readers, mend, "%u of %d places for readers are taken",
				stats.readers, READERS_MAX);
	if (!glt_holder_find(&stats, glt_boottime(), &h))
		return;
	(void)snprintf(mend, sizeof(mend), "kill -KILL %" PRId64, h.reader.pid);
	glt_doctor_find(d, GLT_D_store_held, mend,
			"process %" PRId64 " (%s), which %s, holds %" PRIu64 " KiB of the store since %" PRIu64
			" changes",
			h.reader.pid, h.command, h.stopped ? "is stopped" : "does not go on",
			h.reader.held_bytes / 1024, h.reader.changes);
}

static void schema(struct glt_doctor *d, struct glt_txn *txn)
{
	const unsigned is = glt_schema(txn);

	if (is < GLT_SCHEMA)
		glt_doctor_find(d, GLT_D_store_schema, "gltoken migrate",
				"the store is of schema %u, and this version's is %u", is, GLT_SCHEMA);
}

struct moments {
	int64_t first, last;
};

static bool first_event(void *arg, struct glt_slice key, struct glt_slice value)
{
	Glt__Event *ev = glt_event_read(value);

	(void)key;
	if (ev)
		*(int64_t *)arg = ev->at;
	if (ev)
		glt__event__free_unpacked(ev, NULL);
	return false;
}

static void clock_is_right(struct glt_doctor *d, const struct moments *m)
{
	char last[GLT_LOCAL_TEXT];

	if (m->last <= d->cli->now + HOUR)
		return;
	glt_when_local(m->last, true, last);
	glt_doctor_find(d, GLT_D_clock_behind, "set the clock: timedatectl", "the last change was made at %s",
			last);
}

static void tokens(struct glt_doctor *d)
{
	struct glt_select what = {.which = GLT_WHICH_ACTIVE, .now = d->cli->now};
	const int64_t soon = d->cli->now + 7 * DAY;
	size_t expiring = 0, breaking = 0;
	const char *rule = NULL;
	struct glt_found found;

	if (glt_select(d->cli->store, &what, &found, NULL) != GLT_OK)
		return;
	for (size_t i = 0; i < found.n; i++) {
		struct glt_breach b[GLT_BREACHES];
		const Glt__Token *t = found.token[i];

		if (glt_policy_breaches(&d->cli->conf, t, b) > 0) {
			breaking++;
			rule = rule ? rule : b[0].rule;
		}
		expiring += !t->next && t->expires_at && t->expires_at <= soon &&
			    t->expires_at - t->created_at > 7 * DAY;
	}
	if (breaking)
		glt_doctor_find(d, GLT_D_policy_violations, "gltoken policy check",
				"%zu active tokens break the policy, the first one %s", breaking, rule);
	if (expiring)
		glt_doctor_find(d, GLT_D_tokens_expiring, "gltoken list --expires-within 7d",
				"%zu tokens expire in the next 7 days", expiring);
	glt_found_free(&found);
}

static void ignore(void *arg, const Glt__Token *t, int64_t died, bool account_gone)
{
	(void)arg;
	(void)t;
	(void)died;
	(void)account_gone;
}

/* A week more than they should have been kept for. */
static void dead(struct glt_doctor *d)
{
	struct glt_reap r = {
		.before = d->cli->now - ((int64_t)d->cli->conf.retention_days + 7) * DAY,
		.now = d->cli->now,
		.dry_run = true,
		.fn = ignore,
	};

	if (d->cli->conf.retention_days > 0 && glt_reap(d->cli->store, &r, NULL) == GLT_OK && r.removed > 0)
		glt_doctor_find(d, GLT_D_reap_overdue, "gltoken reap && systemctl enable --now gltoken-reap.timer",
				"%zu tokens are dead for over %u days", r.removed, d->cli->conf.retention_days + 7);
}

static void backups(struct glt_doctor *d, const struct moments *m)
{
	static const char mend[] = "gltoken backup && systemctl enable --now gltoken-backup.timer";
	char when[GLT_LOCAL_TEXT];

	if (m->first == 0 || m->first > d->cli->now - 2 * DAY)
		return;
	if (d->backup_at == 0) {
		glt_doctor_find(d, GLT_D_backup_old, mend, "there is no backup in %s", d->cli->conf.backup_dir);
	} else if (d->backup_at < d->cli->now - 2 * DAY) {
		glt_when_local(d->backup_at, false, when);
		glt_doctor_find(d, GLT_D_backup_old, mend, "the newest backup in %s is of %s",
				d->cli->conf.backup_dir, when);
	}
}

void glt_doctor_store(struct glt_doctor *d)
{
	const struct glt_slice all = {NULL, 0};
	struct moments m = {0, 0};
	struct glt_err err;
	struct glt_txn *txn;
	enum glt_status st = glt_store_open(d->cli->conf.store_dir, false, &d->cli->store, &err);

	if (st == GLT_OK)
		st = glt_txn_begin(d->cli->store, false, &txn, &err);
	if (st == GLT_OK) {
		st = glt_walk(txn, GLT_AUDIT, all, all, first_event, &m.first, &err);
		if (st == GLT_OK)
			st = glt_walk_back(txn, GLT_AUDIT, all, first_event, &m.last, &err);
		readers(d, txn);
		schema(d, txn);
		glt_txn_end(txn);
	}
	if (st != GLT_OK) {
		glt_doctor_find(d, GLT_D_store_unusable, "gltoken check", "%s", err.text);
		return;
	}
	clock_is_right(d, &m);
	tokens(d);
	dead(d);
	backups(d, &m);
}
