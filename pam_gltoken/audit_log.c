/* SPDX-License-Identifier: MIT */
#include "audit_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>

void glt_log_head(uint64_t seq, const uint8_t hash[GLT_AUDIT_HASH])
{
	char hex[2 * GLT_AUDIT_HASH + 1];

	for (int i = 0; i < GLT_AUDIT_HASH; i++)
		(void)snprintf(hex + (size_t)2 * i, 3, "%02x", hash[i]);
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "event=audit seq=%" PRIu64 " head=%s", seq, hex);
}
