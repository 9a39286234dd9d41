/* SPDX-License-Identifier: MIT */
/* The head of the audit chain in syslog: a chain is evidence only against a copy that is held elsewhere. */
#ifndef GLT_AUDIT_LOG_H
#define GLT_AUDIT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#define GLT_AUDIT_HASH 32

/* event=audit seq=N head=HEX, in [log] format. */
void glt_log_head(bool json, uint64_t seq, const uint8_t hash[GLT_AUDIT_HASH]);

#endif
