/* SPDX-License-Identifier: MIT */
/*
 * The configuration of this host: gltoken.conf, then what ends in .conf in conf.d beside it, by name, each key
 * where it stands last. What cannot be used leaves the last validated copy in force: it is root's alone to write, and
 * gltoken-auth takes it only if nothing else has counted since, so that no older and weaker policy comes back unseen.
 */
#ifndef GLT_CONF_FILES_H
#define GLT_CONF_FILES_H

#include "conf.h"

/* Below a folder of root's whatever [store] dir says: that is not known when it is needed. */
#define GLT_CONF_VALID GLT_LOCALSTATEDIR "/lib/gltoken/gltoken.conf.valid"
#define GLT_CONF_SIZE ((size_t)256 * 1024) /* of one file, at most */

/* The files, and nothing in their stead. edited: one of them that is read from another place, or NULL. text (may be
 * NULL) gets all of it in one, malloc'd, as it would be kept. */
struct glt_conf_edited {
	const char *file, *from;
};
enum glt_status glt_conf_files(const char *main_file, const struct glt_conf_edited *edited, struct glt_conf *conf,
			       char **text, struct glt_err *err);

/* The same, or the copy: conf->is_copy and conf->fault then say so. */
enum glt_status glt_conf_read(const char *main_file, const char *copy, struct glt_conf *conf, struct glt_err *err);

/* As root: keep what was validated. Where it is kept already, only its time is set. */
enum glt_status glt_conf_keep(const char *copy, const char *text, struct glt_err *err);

/* For who decides: note in the store's folder what counted. False: conf is a copy from before that. */
bool glt_conf_counted(const struct glt_conf *conf);

#endif
