/* SPDX-License-Identifier: MIT */
/*
 * When and from where a token was last used: one checksummed slot of 128 bytes a token in a flat file of the
 * store's folder, one pwrite at most once a minute, no lock and no fsync. Losing it costs statistics only.
 */
#ifndef GLT_USAGE_H
#define GLT_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#define GLT_USAGE_IPS 5
#define GLT_USAGE_IP_TEXT 46

struct glt_usage {
	int64_t last_used_at;                       /* 0: never, as far as is known */
	uint64_t minutes;                           /* in how many minutes it was used */
	char ips[GLT_USAGE_IPS][GLT_USAGE_IP_TEXT]; /* the latest first; "" behind the last */
};

/* address: numeric, or anything else for "not known". */
void glt_usage_note(const char *store_dir, uint64_t id, const char *address, int64_t now);
/* False: never used, or the slot cannot be read; *out is zero then. */
bool glt_usage_read(const char *store_dir, uint64_t id, struct glt_usage *out);

#endif
