/* SPDX-License-Identifier: MIT */
/* What tells this boot from every other. */
#ifndef GLT_BOOTID_H
#define GLT_BOOTID_H

#include <stdbool.h>

#define GLT_BOOTID_MAX 64

/* False: /proc/sys/kernel/random/boot_id cannot be read (errno). */
bool glt_bootid(char out[GLT_BOOTID_MAX]);

#endif
