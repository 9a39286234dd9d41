/* SPDX-License-Identifier: MIT */
#include "audit_log.h"

#include "pam_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>

void glt_log_head(bool json, uint64_t seq, const uint8_t hash[GLT_AUDIT_HASH])
{
	char hex[2 * GLT_AUDIT_HASH + 1], number[24];
	struct glt_log_line line;

	for (int i = 0; i < GLT_AUDIT_HASH; i++)
		(void)snprintf(hex + (size_t)2 * i, 3, "%02x", hash[i]);
	(void)snprintf(number, sizeof(number), "%" PRIu64, seq);
	glt_log_begin(&line, json ? "json" : NULL, "audit");
	glt_log_add(&line, "seq", number);
	glt_log_add(&line, "head", hex);
	syslog(LOG_AUTHPRIV | LOG_NOTICE, "%s", line.text);
}
