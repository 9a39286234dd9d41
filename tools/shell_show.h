/* SPDX-License-Identifier: MIT */
/* What gltoken-shell's token commands print of a reply of gltoken-auth. False: it could not be written. */
#ifndef GLT_SHELL_SHOW_H
#define GLT_SHELL_SHOW_H

#include "wire.h"

#include <stdbool.h>

/* A new token, as gitlab-shell prints it: past stdio, so that no buffer keeps the secret. */
bool glt_show_new(const struct glt_message *reply);
bool glt_show_heading(void);
bool glt_show_rows(const struct glt_message *reply);
bool glt_show_token(const struct glt_message *reply);
bool glt_show_session(const struct glt_message *reply);

#endif
