/* SPDX-License-Identifier: MIT */
/* Moments and spans: all arithmetic in seconds of UTC. */
#ifndef GLT_WHEN_H
#define GLT_WHEN_H

#include "status.h"

#include <stdint.h>

#define GLT_WHEN_NEVER INT64_C(0)

/* "2027-01-31" is 00:00 UTC ON that date (GitLab's rule); RFC 3339 "2027-01-31T12:00:00Z" or with an
 * offset; "30d", "+30d", "12h", "90m", "8w" from now; "now"; "never" gives GLT_WHEN_NEVER. what names the
 * input in the error. Years 1970 to 9999. */
enum glt_status glt_when_parse(const char *what, const char *text, int64_t now, int64_t *out, struct glt_err *err);
/* "300s", "5m", "12h", "90d", "2w" or plain seconds; 0 allowed. */
enum glt_status glt_span_parse(const char *what, const char *text, int64_t *seconds, struct glt_err *err);

#define GLT_WHEN_TEXT 32
void glt_when_rfc3339(int64_t when, char out[GLT_WHEN_TEXT]); /* "" for never */
int64_t glt_now(void);                                        /* CLOCK_REALTIME, seconds */
int64_t glt_boottime(void); /* CLOCK_BOOTTIME, seconds: no clock change moves it */

#endif
