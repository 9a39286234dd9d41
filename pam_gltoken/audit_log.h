/* SPDX-License-Identifier: MIT */
/* The head of the audit chain in syslog: a chain is evidence only against a copy that is held elsewhere. */
#ifndef GLT_AUDIT_LOG_H
#define GLT_AUDIT_LOG_H

#include <stdint.h>

#define GLT_AUDIT_HASH 32

/* event=audit seq=N head=HEX */
void glt_log_head(uint64_t seq, const uint8_t hash[GLT_AUDIT_HASH]);

#endif
