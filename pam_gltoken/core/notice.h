/* SPDX-License-Identifier: MIT */
/* Notices before a token expires: once a token and band of [notify] days, remembered in its record. */
#ifndef GLT_NOTICE_H
#define GLT_NOTICE_H

#include "conf.h"
#include "store.h"

#define GLT_BANDS 8 /* of glt_conf's notify_days: falling, 0 behind the last */

/* The band whose notice is due now, in days; 0: none. A token that was issued for less than a band has none for it,
 * and one that was replaced has none at all. */
unsigned glt_notice_due(const Glt__Token *t, const unsigned days[GLT_BANDS], int64_t now);
/* Remember that it was sent; with audit event. A token that has changed its expiry since will be told of again. */
enum glt_status glt_notice_sent(struct glt_store *store, const struct glt_conf *conf, const Glt__Token *t,
				unsigned days, const char *actor, int64_t now, struct glt_err *err);

#endif
