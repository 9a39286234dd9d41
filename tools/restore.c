/* SPDX-License-Identifier: MIT */
#include "restore.h"

#include "backupfile.h"
#include "event.h"
#include "storefile.h"
#include "when.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* More than can have been given out since any backup. */
#define LEAP UINT64_C(1000000)

static enum glt_status unpack(const struct glt_restore *r, struct glt_backup *b, struct glt_err *err)
{
	struct glt_err why;
	char path[300];
	enum glt_status st;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/store.mdb", r->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return glt_fail(err, GLT_UNAVAILABLE, "%s: %s", path, strerror(errno));
	st = glt_backup_read(r->backup, fd, b, &why);
	if (st != GLT_OK)
		(void)glt_fail(err, st, "%s: %s", r->name, why.text);
	if (st == GLT_OK && fsync(fd) != 0)
		st = glt_fail(err, GLT_UNAVAILABLE, "%s: %s", path, strerror(errno));
	(void)close(fd);
	if (st == GLT_OK)
		st = glt_storefile_write_key(r->dir, b->key, err);
	return st;
}

/* The trailer must speak of the store that it stands behind; the link of the next event stands only there. */
static enum glt_status check_head(struct glt_store *store, struct glt_head *want, struct glt_err *err)
{
	struct glt_head head;
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	if (st != GLT_OK)
		return st;
	st = glt_store_head(txn, &head, err);
	glt_txn_end(txn);
	if (st == GLT_OK && (head.seq != want->seq || memcmp(head.hash, want->hash, sizeof(head.hash)) != 0))
		return glt_fail(err, GLT_DAMAGED, "the backup contradicts itself about its last event");
	want->link = head.link;
	return st;
}

/* Is the event of --head among what is known? */
static enum glt_status check_logged(const struct glt_restore *r, const struct glt_head *backup,
				    const struct glt_replay *replay, struct glt_err *err)
{
	const struct glt_head *there;

	if (!r->head)
		return GLT_OK;
	if (r->head->seq > replay->end.seq)
		return glt_fail(err, GLT_REFUSED,
				"events up to %" PRIu64 " were logged, the %s with event %" PRIu64
				": give the audit log of the rest with --replay-audit",
				r->head->seq, r->audit ? "audit log ends" : "backup ends", replay->end.seq);
	if (r->head->seq < backup->seq)
		return glt_fail(err, GLT_REFUSED,
				"event %" PRIu64 " of --head is older than the backup: give the last one "
				"that was logged",
				r->head->seq);
	there = r->head->seq == backup->seq ? backup : &replay->v[r->head->seq - backup->seq - 1].head;
	if (memcmp(there->hash, r->head->hash, sizeof(there->hash)) == 0)
		return GLT_OK;
	return glt_fail(err, GLT_REFUSED,
			"event %" PRIu64 " is not the one that was logged: this is another store's, or "
			"it was changed",
			r->head->seq);
}

/* Numbers jump ahead first, so that what the replay stores is newer than all that there ever was. */
static enum glt_status leap(struct glt_store *store, struct glt_err *err)
{
	struct glt_change *c;
	struct glt_txn *txn;
	enum glt_status st = glt_change_begin(store, &c, &txn, err);

	if (st != GLT_OK)
		return st;
	for (int i = 0; i < GLT_COUNTERS; i++)
		glt_skip(txn, (enum glt_counter)i, LEAP);
	glt_change_epoch(c);
	return glt_change_end(txn, c, st, err);
}

/* The log goes on: behind the events that were replayed, or with a gap as long as is certain to be enough. */
static enum glt_status finish(const struct glt_restore *r, struct glt_store *store,
			      const struct glt_replay *replay, struct glt_err *err)
{
	struct glt_change *c = glt_change_new();
	struct glt_head from = replay->end;
	char made[GLT_WHEN_TEXT], what[128];
	uint8_t key[GLT_KEY_U64];
	struct glt_txn *txn;
	enum glt_status st = c ? glt_txn_begin(store, true, &txn, err)
			       : glt_fail(err, GLT_UNAVAILABLE, "no memory for the change");

	if (st == GLT_OK) {
		for (size_t i = 0; i < replay->n; i++) {
			glt_put_u64(key, replay->v[i].ev->seq);
			glt_change_put(c, GLT_AUDIT, (struct glt_slice){key, sizeof(key)},
				       (struct glt_slice){replay->v[i].bytes, replay->v[i].len});
		}
		if (!r->certain)
			from.seq += LEAP;
		glt_chain_from(txn, &from);
		glt_when_rfc3339(r->made_at, made);
		(void)snprintf(what, sizeof(what), "backup of %s, known up to event %" PRIu64, made,
			       replay->end.seq);
		glt_event_object(c, r->actor, "store.restore", r->name, NULL, what, NULL);
		st = glt_store_apply(txn, c, err);
	}
	glt_change_free(c);
	return st;
}

static enum glt_status get_end(struct glt_store *store, struct glt_head *end, struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	if (st == GLT_OK) {
		st = glt_store_head(txn, end, err);
		glt_txn_end(txn);
	}
	return st;
}

static enum glt_status bring_up(struct glt_restore *r, struct glt_store *store, const struct glt_head *backup,
				struct glt_err *err)
{
	struct glt_replay replay = {.end = *backup};
	enum glt_status st = r->audit ? glt_replay_read(r->audit, backup, &replay, err) : GLT_OK;

	r->certain = r->audit || r->head;
	if (st == GLT_OK)
		st = check_logged(r, backup, &replay, err);
	r->known = replay.end;
	if (st == GLT_OK)
		st = leap(store, err);
	if (st == GLT_OK)
		st = r->certain ? glt_replay_apply(store, &replay, r->now, &r->notes, err)
				: glt_distrust(store, r->now, &r->notes, err);
	if (st == GLT_OK)
		st = finish(r, store, &replay, err);
	if (st == GLT_OK)
		st = get_end(store, &r->end, err);
	glt_replay_free(&replay);
	return st;
}

enum glt_status glt_restore(struct glt_restore *r, struct glt_err *err)
{
	struct glt_store *store = NULL;
	struct glt_backup b;
	enum glt_status st = unpack(r, &b, err);

	sodium_memzero(b.key, sizeof(b.key));
	r->made_at = b.made_at;
	if (st == GLT_OK)
		st = glt_store_open(r->dir, true, &store, err);
	if (st == GLT_OK)
		st = check_head(store, &b.head, err);
	if (st == GLT_OK)
		st = glt_backup_check(store, err);
	if (st == GLT_OK)
		st = bring_up(r, store, &b.head, err);
	if (st == GLT_OK) /* what was changed just now, too */
		st = glt_backup_check(store, err);
	glt_store_close(store);
	if (st == GLT_OK)
		st = glt_storefile_sync_dir(r->dir, err);
	return st;
}
