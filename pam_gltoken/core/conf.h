/* SPDX-License-Identifier: MIT */
/* gltoken.conf(5), read once into a struct. An unknown section or key, or a value that breaks its rule, is an
 * error that names file, line, key and rule: a typo must never be a silently weaker policy. */
#ifndef GLT_CONF_H
#define GLT_CONF_H

#include "hash.h"
#include "status.h"
#include "token.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#define GLT_CONF_LIST 16
#define GLT_CONF_TYPES 5 /* index: Glt__Type */
#define GLT_CONF_UNSET INT64_C(-1)
#define GLT_CONF_KEYS 96  /* at most */
#define GLT_CONF_FILES 32 /* at most */
#define GLT_RUN_DIR "/run/gltoken"

struct glt_conf {
	char dir[256], run_dir[256];
	char store_dir[272]; /* dir/store */
	char prefix[GLT_PREFIX_MAX + 1], deploy_prefix[GLT_PREFIX_MAX + 1];
	const char *prefixes[3]; /* both, NULL-terminated: for glt_token_parse() */

	char repo_root[256];
	char shared_accounts[GLT_CONF_LIST][64];
	mode_t umask_bits;
	int64_t session_lifetime;
	bool gitolite; /* it decides on people's roles */
	char gitolite_shell[256];
	char lfs_transfer[256], lfs_backend[256]; /* programs with their arguments, or "" */
	char lfs_url[256];                        /* where gltoken-http is, or "" */

	char http_realm[128], http_account[64];
	bool http_insecure, http_username_owner, http_anonymous_read;
	char trusted_proxies[GLT_CONF_LIST][64];

	struct glt_hash_params hash;
	unsigned slots; /* 0: auto */
	int64_t hash_wait;

	int64_t cache_ttl;
	bool cache_enabled;

	bool observe, require_expiry, reuse_revokes;
	int64_t default_lifetime, max_lifetime;    /* max 0: none */
	int64_t max_lifetime_of[GLT_CONF_TYPES];   /* by type; GLT_CONF_UNSET: max_lifetime counts */
	uint64_t scopes_of[GLT_CONF_TYPES];        /* allowed ones, by type; 0: all of the type */
	unsigned token_types;                      /* bits 1 << Glt__Type */
	int max_role;                              /* of project and group tokens */
	char policy_allow_from[GLT_CONF_LIST][64]; /* empty: from anywhere */
	int64_t min_overlap, max_overlap;          /* of a rotation */
	unsigned max_active;                       /* tokens of one holder and kind; 0: no limit */
	unsigned retention_days;                   /* dead tokens are kept that long; 0: for ever */
	int64_t retroactive_from; /* a stricter policy counts for older tokens from then on; 0: never */

	bool nss_range, nss_groups;
	uint32_t uid_min, uid_max;
	int group_role;

	bool log_json;
	char backup_dir[256];
	unsigned backup_keep;
	char notify_command[256], notify_user[64];
	int64_t notify_timeout;
	unsigned notify_days[8]; /* falling, 0 behind the last */

	int set_at[GLT_CONF_KEYS]; /* line of each key; for glt_conf_line() */
	unsigned char set_in[GLT_CONF_KEYS];
	char files[GLT_CONF_FILES][256];
	unsigned n_files;

	/* for conf_files.h */
	bool is_copy; /* the files cannot be used: this is what was validated last, kept at that moment */
	struct timespec kept;
	char fault[512]; /* why */
	uint8_t digest[32];
};

/* *conf points into itself: it is not to be copied. Defaults, then the file; a file that does not exist is the defaults. Regular file, not writable by group
 * or others, owned by root or the caller. */
enum glt_status glt_conf_load(const char *path, struct glt_conf *conf, struct glt_err *err);
/* The steps of it: defaults; a file, which is closed, on top of what there is; what must agree. */
void glt_conf_begin(struct glt_conf *conf);
FILE *glt_conf_open(const char *path, struct glt_err *err);
enum glt_status glt_conf_add(FILE *f, const char *path, struct glt_conf *conf, struct glt_err *err);
enum glt_status glt_conf_end(const char *path, struct glt_conf *conf, struct glt_err *err);
/* The line that set a key, and its file; 0: none did, its default counts. */
int glt_conf_line(const struct glt_conf *conf, const char *section, const char *name, const char **file);
/* [policy] allow_from: may anybody come from there? An address that is not known (NULL, "local") is in no list. */
bool glt_conf_admits(const struct glt_conf *conf, const char *address);
bool glt_conf_is_shared(const struct glt_conf *conf, const char *account);

#endif
