/* SPDX-License-Identifier: MIT */
/* What `gltoken stats` gathers. */
#ifndef GLT_STATS_H
#define GLT_STATS_H

#include "cli.h"
#include "holder.h"
#include "rundir.h"

enum { /* of tokens, as glt_token_state() names them */
       GLT_STATE_ACTIVE,
       GLT_STATE_PAUSED,
       GLT_STATE_WAITING,
       GLT_STATE_USED_UP,
       GLT_STATE_EXPIRED,
       GLT_STATE_REVOKED,
       GLT_STATES
};
extern const char *const glt_state_names[GLT_STATES];

struct glt_stats {
	struct glt_store_stats store;
	struct glt_holder holder; /* of pages: reader.pid is 0 where nobody is */
	bool tokens_read;         /* not with --quick */
	uint64_t state[GLT_STATES], expiring_7d, expiring_30d, damaged;
	uint64_t count[GLT_COUNTS]; /* since boot */
	unsigned slots, slots_busy, schema;
	int64_t backup_at; /* the newest in [backup] dir; 0: none, or not to be seen */
};

/* backup_at stays as it is: root alone may see it, and was root before the store was opened. */
enum glt_status glt_stats_gather(struct glt_cli *cli, bool quick, struct glt_stats *out, struct glt_err *err);
bool glt_stats_json(const struct glt_stats *s);
void glt_stats_text(const struct glt_stats *s);
/* For the textfile collector of Prometheus' node_exporter. */
void glt_stats_prometheus(const struct glt_stats *s);

#endif
