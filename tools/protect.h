/* SPDX-License-Identifier: MIT */
/* Protected refs, for the commands that set them. */
#ifndef GLT_PROTECT_H
#define GLT_PROTECT_H

#include "cli.h"
#include "people.h"

/* "main" is refs/heads/main. */
enum glt_status glt_protect_glob(const char *text, char out[GLT_NAME_MAX + 1], struct glt_err *err);
enum glt_status glt_protect_set(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				Glt__Protection *fresh, bool *changed, struct glt_err *err);
enum glt_status glt_protect_remove(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				   const char *path, const char *glob, struct glt_err *err);
/* As GitLab protects a default branch: maintainers push, nobody forces or deletes. What is set already stays. */
enum glt_status glt_protect_default(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				    const char *path, const char *branch, struct glt_err *err);

/* The role of a protection: nobody, developer or maintainer. */
enum glt_status glt_level_parse(const char *text, uint32_t *out, struct glt_err *err);
const char *glt_level_name(uint32_t level);

#endif
