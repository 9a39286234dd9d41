/* SPDX-License-Identifier: MIT */
/* Does the system ask libnss_gltoken? */
#ifndef GLT_NSSWITCH_H
#define GLT_NSSWITCH_H

#include <stdbool.h>
#include <stddef.h>

#define GLT_NSSWITCH "/etc/nsswitch.conf"

enum glt_nsswitch {
	GLT_NSSWITCH_NO_LINE,
	GLT_NSSWITCH_ABSENT,      /* the line does not name gltoken */
	GLT_NSSWITCH_FIRST,       /* not behind files */
	GLT_NSSWITCH_NOT_REACHED, /* behind an action that ends the search */
	GLT_NSSWITCH_ASKED,
};

/* passwd, group, shadow and initgroups, which may have no line. Ended by NULL. */
extern const char *const glt_nsswitch_databases[];
enum glt_nsswitch glt_nsswitch_line(const char *path, const char *database);
/* No line is needed, or it asks us. */
bool glt_nsswitch_good(enum glt_nsswitch found, const char *database);
/* Are all lines good? missing gets those that are not, parted by commas. */
bool glt_nsswitch_asks_us(const char *path, char *missing, size_t size);

#endif
