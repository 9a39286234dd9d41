/* SPDX-License-Identifier: MIT */
/* For conf.c: the values of what timers run, [backup] and [notify], of what is run behind a check, [git], and
 * [policy] retroactive. Each writes the field or says which rule was
 * broken. */
#ifndef GLT_CONF_JOBS_H
#define GLT_CONF_JOBS_H

#include "status.h"

#include <stddef.h>
#include <stdint.h>

enum glt_status glt_conf_set_days(void *field, size_t size, const char *value, struct glt_err *err);
enum glt_status glt_conf_set_command(void *field, size_t size, const char *value, struct glt_err *err);
enum glt_status glt_conf_set_retroactive(void *field, size_t size, const char *value, struct glt_err *err);
enum glt_status glt_conf_set_url(void *field, size_t size, const char *value, struct glt_err *err);
enum glt_status glt_conf_set_timeout(void *field, size_t size, const char *value, struct glt_err *err);
enum glt_status glt_conf_set_keep(void *field, size_t size, const char *value, struct glt_err *err);

/* conf.c's: a whole number from min to max. */
enum glt_status glt_conf_number(const char *value, int base, uintmax_t min, uintmax_t max, uintmax_t *out,
				struct glt_err *err);

#endif
