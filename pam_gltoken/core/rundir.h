/* SPDX-License-Identifier: MIT */
/*
 * /run/gltoken: hash slots and the cache of verified tokens. On a tmpfs, 0700, of uid gltoken. All of it may
 * vanish at any time; then things are slower, never wrong, so no function here fails a login.
 */
#ifndef GLT_RUNDIR_H
#define GLT_RUNDIR_H

#include "conf.h"
#include "decide.h"
#include "store.h"

#include <stdbool.h>

/* As root, before the drop: make dir for uid and gid where there is none. Failing is fine. */
void glt_rundir_make(const char *dir, uid_t uid, gid_t gid);

/* ---- hash slots: so many Argon2 at once on this machine, over all processes, whatever kills them ---- */

enum glt_slot_class {
	GLT_SLOT_ROOT,  /* sshd and the admin CLI: any slot */
	GLT_SLOT_HTTP,  /* the web server's account: the half that is not kept for root */
	GLT_SLOT_OTHER, /* any other uid: the same, one at a time */
};

struct glt_slot {
	int fd, uid_fd;
};

/* Wait at most [hash] wait seconds, then GLT_BUSY. With an unusable run_dir there is no bound and no wait. */
enum glt_status glt_slot_take(const struct glt_conf *conf, enum glt_slot_class class, uid_t uid,
			      struct glt_slot *out, struct glt_err *err);
void glt_slot_give(struct glt_slot *slot);
/* How many there are: [hash] slots, or by cores and memory; at least 2. */
unsigned glt_slot_count(const struct glt_conf *conf);

/* How many of them are in use now. */
unsigned glt_slots_busy(const struct glt_conf *conf);

/* ---- counters since boot, for gltoken stats: answers by reason, and what they cost ---- */

enum {
	GLT_COUNT_HASHED = GLT_REASON_COUNT, /* Argon2 ran */
	GLT_COUNT_CACHED,                    /* the cache stood for it */
	GLT_COUNTS,
};
void glt_count_up(const struct glt_conf *conf, const unsigned which[], size_t n);
/* False: nothing was counted yet, or it cannot be read; all are 0 then. */
bool glt_counts_read(const struct glt_conf *conf, uint64_t out[GLT_COUNTS]);

/* ---- cache of verified tokens: stands for the Argon2 step alone, never for a check ---- */

struct glt_cache_key { /* what one entry is bound to */
	const uint8_t *store_key;
	uint8_t epoch[16];
	const Glt__Token *token;
	const char *secret;
	size_t secret_len;
};

/* Was this very secret verified for this very record within the last [cache] ttl seconds of this boot? */
bool glt_cache_hit(const struct glt_conf *conf, const struct glt_cache_key *key);
void glt_cache_put(const struct glt_conf *conf, const struct glt_cache_key *key);

#endif
