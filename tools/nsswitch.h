/* SPDX-License-Identifier: MIT */
/* Does the system ask libnss_gltoken? */
#ifndef GLT_NSSWITCH_H
#define GLT_NSSWITCH_H

#include <stdbool.h>
#include <stddef.h>

#define GLT_NSSWITCH "/etc/nsswitch.conf"

/* Do the lines of passwd, group and shadow name gltoken, not before files? missing gets the lines that do not, parted
 * by commas. */
bool glt_nsswitch_asks_us(const char *path, char *missing, size_t size);

#endif
