/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include "tokens.h"
#include "when.h"

#include <string.h>

#define PIECE 4096 /* records a transaction */
#define DAY INT64_C(86400)

const char *const glt_state_names[GLT_STATES] = {"active",  "paused",  "not yet valid",
						 "used up", "expired", "revoked"};

struct scan {
	struct glt_stats *out;
	int64_t now;
	uint64_t last;
	size_t seen;
};

static void count_token(struct scan *s, const Glt__Token *t)
{
	const char *state = glt_token_state(t, s->now);

	for (int i = 0; i < GLT_STATES; i++)
		s->out->state[i] += strcmp(state, glt_state_names[i]) == 0;
	if (t->expires_at <= s->now || strcmp(state, "active") != 0)
		return;
	s->out->expiring_7d += t->expires_at <= s->now + 7 * DAY;
	s->out->expiring_30d += t->expires_at <= s->now + 30 * DAY;
}

static bool visit(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct scan *s = arg;
	Glt__Token *t =
		value.data && key.len == GLT_KEY_U64 ? glt__token__unpack(NULL, value.len, value.data) : NULL;

	if (key.len == GLT_KEY_U64)
		s->last = glt_get_u64(key.data);
	if (t)
		count_token(s, t);
	else
		s->out->damaged++;
	glt_token_free(t);
	return ++s->seen < PIECE;
}

/* In short transactions: a long one would keep every page that changes meanwhile. */
static enum glt_status scan_tokens(struct glt_cli *cli, struct glt_stats *out, struct glt_err *err)
{
	struct scan s = {.out = out, .now = cli->now};
	enum glt_status st;

	do {
		uint8_t from[GLT_KEY_U64];
		struct glt_txn *txn;

		s.seen = 0;
		glt_put_u64(from, s.last + 1);
		st = glt_txn_begin(cli->store, false, &txn, err);
		if (st != GLT_OK)
			return st;
		st = glt_walk_all(txn, GLT_TOKENS, (struct glt_slice){from, sizeof(from)}, visit, &s, err);
		glt_txn_end(txn);
	} while (st == GLT_OK && s.seen == PIECE);
	out->tokens_read = st == GLT_OK;
	return st;
}

enum glt_status glt_stats_gather(struct glt_cli *cli, bool quick, struct glt_stats *out, struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st;

	*out = (struct glt_stats){.backup_at = out->backup_at};
	(void)glt_counts_read(&cli->conf, out->count);
	out->slots = glt_slot_count(&cli->conf);
	out->slots_busy = glt_slots_busy(&cli->conf);
	st = glt_txn_begin(cli->store, false, &txn, err);
	if (st != GLT_OK)
		return st;
	out->schema = glt_schema(txn);
	st = glt_store_stat(txn, &out->store);
	glt_txn_end(txn);
	if (st == GLT_OK && !glt_holder_find(&out->store, glt_boottime(), &out->holder))
		out->holder = (struct glt_holder){.stopped = false};
	if (st != GLT_OK)
		return glt_fail(err, st, "the store's figures cannot be read");
	return quick ? GLT_OK : scan_tokens(cli, out, err);
}
