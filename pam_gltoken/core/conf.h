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
#include <sys/types.h>

#define GLT_CONF_LIST 16
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

	char http_realm[128], http_account[64];
	bool http_insecure, http_username_owner, http_anonymous_read;
	char trusted_proxies[GLT_CONF_LIST][64];

	struct glt_hash_params hash;
	unsigned slots; /* 0: auto */
	int64_t hash_wait;

	int64_t cache_ttl;
	bool cache_enabled;

	bool observe, require_expiry, reuse_revokes;
	int64_t default_lifetime, max_lifetime; /* max 0: none */

	bool nss_range, nss_groups;
	uint32_t uid_min, uid_max;
	int group_role;

	bool log_json;
	char notify_command[256];
	unsigned notify_days[8];
};

/* *conf points into itself: it is not to be copied. Defaults, then the file; a file that does not exist is the defaults. Regular file, not writable by group
 * or others, owned by root or the caller. */
enum glt_status glt_conf_load(const char *path, struct glt_conf *conf, struct glt_err *err);
bool glt_conf_is_shared(const struct glt_conf *conf, const char *account);

#endif
