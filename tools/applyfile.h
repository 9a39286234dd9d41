/* SPDX-License-Identifier: MIT */
/*
 * The file of `gltoken apply`, a statement a line:
 *
 *     user NAME [DISPLAY]
 *     member PATH PRINCIPAL ROLE
 *     protect PATH REFGLOB push=ROLE [force=ROLE] [delete=ROLE]
 *     key USER TYPE BASE64 [TITLE]
 *     deploy-key PATH read|write TYPE BASE64 [TITLE]
 *
 * libinih has no room for a key in a line, nor for a path in a section's name.
 */
#ifndef GLT_APPLYFILE_H
#define GLT_APPLYFILE_H

#include "cli.h"
#include "people.h"

#include <stdio.h>

enum glt_wanted_kind { GLT_WANT_USER, GLT_WANT_MEMBER, GLT_WANT_PROTECTION, GLT_WANT_KEY, GLT_WANT_KINDS };

struct glt_wanted {
	enum glt_wanted_kind kind;
	unsigned line;
	char path[GLT_PATH_MAX + 1];  /* MEMBER, PROTECTION, KEY of a project */
	char name[GLT_NAME_MAX + 1];  /* of a user; MEMBER: principal; PROTECTION: glob */
	char title[GLT_NAME_MAX + 1]; /* USER: display */
	int role;
	uint32_t push, force, remove;
	bool write;
	char type[64];
	uint8_t *blob;
	size_t blob_len;
	uint8_t fingerprint[GLT_FINGERPRINT_LEN];
	bool system; /* name is an account or group of this system */
	uid_t uid;
};

struct glt_applyfile {
	struct glt_wanted *v;
	size_t n, room;
	bool has[GLT_WANT_KINDS];
};

/* An error begins with the number of the line. Accounts and groups are looked up. */
enum glt_status glt_applyfile_read(FILE *f, struct glt_applyfile *out, struct glt_err *err);
/* One statement more; an error leaves out what it said. Memberships are not looked at for one that is there twice. */
enum glt_status glt_applyfile_add(struct glt_applyfile *a, const char *text, unsigned line, struct glt_err *err);
void glt_applyfile_free(struct glt_applyfile *a);

#endif
