/* SPDX-License-Identifier: MIT */
/* /etc/passwd read directly, where /etc/nsswitch.conf asks it first anyway. */
#ifndef GLT_PASSWD_H
#define GLT_PASSWD_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * True: this is what getpwnam_r() (or, without a name, getpwuid_r()) would find. False says nothing: ask them.
 * They look for nscd and load their configuration first, a tenth of all that gltoken-auth does in its life.
 */
bool glt_passwd_find(const char *name, uid_t uid, struct passwd *pw, char *buf, size_t size);

/* Does this nsswitch.conf(5) take what /etc/passwd says for the answer? */
bool glt_passwd_files_first(FILE *f);

#endif
