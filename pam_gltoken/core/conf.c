/* SPDX-License-Identifier: MIT */
#include "conf.h"

#include "conf_jobs.h"

#include "role.h"
#include "scope.h"
#include "text.h"
#include "tokens.h"
#include "when.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum glt_status set_fn(void *field, size_t size, const char *value, struct glt_err *err);

/* ---- setters: one a kind of value; they write the field or say which rule was broken ---- */

static enum glt_status set_text(void *field, size_t size, const char *value, struct glt_err *err)
{
	if (strlen(value) >= size)
		return glt_fail(err, GLT_INVALID, "'%.64s...' has over %zu bytes", value, size - 1);
	strcpy(field, value);
	return GLT_OK;
}

static enum glt_status set_realm(void *field, size_t size, const char *value, struct glt_err *err)
{
	if (strcasecmp(value, "GitLab") == 0)
		return glt_fail(err, GLT_INVALID,
				"'%.64s' must be another name: Git Credential Manager would take "
				"this host for a GitLab",
				value);
	return set_text(field, size, value, err);
}

static enum glt_status set_path(void *field, size_t size, const char *value, struct glt_err *err)
{
	size_t len = strlen(value);

	if (value[0] != '/' || strstr(value, "/../") || (len > 1 && value[len - 1] == '/') ||
	    (len > 2 && strcmp(value + len - 3, "/..") == 0))
		return glt_fail(err, GLT_INVALID, "'%.64s' must be an absolute path without a '/' at its end",
				value);
	return set_text(field, size, value, err);
}

static enum glt_status set_prefix(void *field, size_t size, const char *value, struct glt_err *err)
{
	if (!glt_token_prefix_valid(value))
		return glt_fail(err, GLT_INVALID,
				"'%.64s' must be 1 to %d of letters, digits, _ and -, and end with '-'", value,
				GLT_PREFIX_MAX);
	return set_text(field, size, value, err);
}

static enum glt_status set_yes(void *field, size_t size, const char *value, struct glt_err *err)
{
	(void)size;
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return glt_fail(err, GLT_INVALID, "'%.64s' must be yes or no", value);
	*(bool *)field = value[0] == 'y';
	return GLT_OK;
}

static enum glt_status set_span(void *field, size_t size, const char *value, struct glt_err *err)
{
	(void)size;
	return glt_span_parse("span", value, field, err);
}

enum glt_status glt_conf_number(const char *value, int base, uintmax_t min, uintmax_t max, uintmax_t *out,
				struct glt_err *err)
{
	char *end;

	errno = 0;
	*out = strtoumax(value, &end, base);
	if (value[0] < '0' || value[0] > '9' || *end || errno || *out < min || *out > max)
		return glt_fail(err, GLT_INVALID, "'%.64s' must be a number from %ju to %ju", value, min, max);
	return GLT_OK;
}

static enum glt_status set_umask(void *field, size_t size, const char *value, struct glt_err *err)
{
	uintmax_t v;
	enum glt_status st = glt_conf_number(value, 8, 0, 0777, &v, NULL);

	(void)size;
	if (st != GLT_OK)
		return glt_fail(err, st, "'%.64s' must be octal, 0000 to 0777", value);
	*(mode_t *)field = (mode_t)v;
	return GLT_OK;
}

static enum glt_status set_uid(void *field, size_t size, const char *value, struct glt_err *err)
{
	uintmax_t v;
	enum glt_status st = glt_conf_number(value, 10, 1, UINT32_MAX - 2, &v, err);

	(void)size;
	if (st == GLT_OK)
		*(uint32_t *)field = (uint32_t)v;
	return st;
}

static enum glt_status set_memory(void *field, size_t size, const char *value, struct glt_err *err)
{
	uintmax_t v;
	enum glt_status st = glt_conf_number(value, 10, GLT_HASH_M_MIN, GLT_HASH_M_MAX, &v, err);

	(void)size;
	if (st == GLT_OK)
		*(uint32_t *)field = (uint32_t)v;
	return st;
}

static enum glt_status set_passes(void *field, size_t size, const char *value, struct glt_err *err)
{
	uintmax_t v;
	enum glt_status st = glt_conf_number(value, 10, GLT_HASH_T_MIN, GLT_HASH_T_MAX, &v, err);

	(void)size;
	if (st == GLT_OK)
		*(uint32_t *)field = (uint32_t)v;
	return st;
}

static enum glt_status set_slots(void *field, size_t size, const char *value, struct glt_err *err)
{
	uintmax_t v = 0;
	enum glt_status st = strcmp(value, "auto") == 0 ? GLT_OK : glt_conf_number(value, 10, 1, 1024, &v, err);

	(void)size;
	if (st == GLT_OK)
		*(unsigned *)field = (unsigned)v;
	return st;
}

static enum glt_status set_role(void *field, size_t size, const char *value, struct glt_err *err)
{
	(void)size;
	return glt_role_parse(value, field, err);
}

static enum glt_status set_count(void *field, size_t size, const char *value, struct glt_err *err)
{
	uintmax_t v;
	enum glt_status st = glt_conf_number(value, 10, 0, 1000000, &v, err);

	(void)size;
	if (st == GLT_OK)
		*(unsigned *)field = (unsigned)v;
	return st;
}

/* Empty: the key that holds for all types counts. */
/* Where nothing would mean that nobody ever gets in. */
static enum glt_status set_some_span(void *field, size_t size, const char *value, struct glt_err *err)
{
	enum glt_status st = set_span(field, size, value, err);

	return st == GLT_OK && *(int64_t *)field == 0 ? glt_fail(err, GLT_INVALID, "'%.64s' must not be 0", value)
						      : st;
}

static enum glt_status set_own_span(void *field, size_t size, const char *value, struct glt_err *err)
{
	if (value[0])
		return set_span(field, size, value, err);
	*(int64_t *)field = GLT_CONF_UNSET;
	return GLT_OK;
}

/* One of two words; the field is true for the second. */
static enum glt_status either(bool *field, const char *value, const char *no, const char *yes, struct glt_err *err)
{
	if (strcmp(value, no) != 0 && strcmp(value, yes) != 0)
		return glt_fail(err, GLT_INVALID, "'%.64s' must be %s or %s", value, no, yes);
	*field = strcmp(value, yes) == 0;
	return GLT_OK;
}

#define EITHER(fn, no, yes)                                                                         \
	static enum glt_status fn(void *field, size_t size, const char *value, struct glt_err *err) \
	{                                                                                           \
		(void)size;                                                                         \
		return either(field, value, no, yes, err);                                          \
	}
EITHER(set_mode, "enforce", "observe")
EITHER(set_reuse, "alert", "revoke-family")
EITHER(set_username, "any", "owner")
EITHER(set_uids, "shared", "range")
EITHER(set_format, "kv", "json")
EITHER(set_backend, "git", "gitolite")

/* "a, b c": at most GLT_CONF_LIST items, each passed to check. */
static enum glt_status split(char (*list)[64], const char *value,
			     enum glt_status (*check)(const char *, struct glt_err *), struct glt_err *err)
{
	size_t n = 0;

	memset(list, 0, GLT_CONF_LIST * sizeof(*list));
	for (const char *p = value;;) {
		size_t len;

		p += strspn(p, ", \t");
		if (*p == '\0')
			return GLT_OK;
		len = strcspn(p, ", \t");
		if (n == GLT_CONF_LIST || len >= sizeof(*list))
			return glt_fail(err, GLT_INVALID, "at most %d items of at most %zu bytes", GLT_CONF_LIST,
					sizeof(*list) - 1);
		memcpy(list[n], p, len);
		enum glt_status st = check(list[n++], err);
		if (st != GLT_OK)
			return st;
		p += len;
	}
}

static enum glt_status set_account(void *field, size_t size, const char *value, struct glt_err *err)
{
	enum glt_status st = glt_account_name_check(value, err);

	return st == GLT_OK ? set_text(field, size, value, err) : st;
}

static enum glt_status set_accounts(void *field, size_t size, const char *value, struct glt_err *err)
{
	(void)size;
	return split(field, value, glt_account_name_check, err);
}

static enum glt_status set_networks(void *field, size_t size, const char *value, struct glt_err *err)
{
	(void)size;
	return split(field, value, glt_cidr_check, err);
}

static enum glt_status known_type(const char *name, struct glt_err *err)
{
	if (glt_type_parse(name) != GLT__TYPE__TYPE_NONE)
		return GLT_OK;
	return glt_fail(err, GLT_INVALID, "'%.64s' must be personal, project, group or deploy", name);
}

static enum glt_status set_types(void *field, size_t size, const char *value, struct glt_err *err)
{
	char list[GLT_CONF_LIST][64];
	unsigned types = 0;
	enum glt_status st = split(list, value, known_type, err);

	(void)size;
	for (size_t i = 0; st == GLT_OK && i < GLT_CONF_LIST && list[i][0]; i++)
		types |= 1u << glt_type_parse(list[i]);
	if (st == GLT_OK)
		*(unsigned *)field = types;
	return st;
}

/* Empty: all that the type may have. */
static enum glt_status set_scopes(uint64_t *field, Glt__Type type, const char *value, struct glt_err *err)
{
	*field = 0;
	return value[0] ? glt_scopes_parse(value, type, field, err) : GLT_OK;
}

#define SCOPES(fn, type)                                                                            \
	static enum glt_status fn(void *field, size_t size, const char *value, struct glt_err *err) \
	{                                                                                           \
		(void)size;                                                                         \
		return set_scopes(field, type, value, err);                                         \
	}
SCOPES(set_personal_scopes, GLT__TYPE__PERSONAL)
SCOPES(set_project_scopes, GLT__TYPE__PROJECT)
SCOPES(set_group_scopes, GLT__TYPE__GROUP)
SCOPES(set_deploy_scopes, GLT__TYPE__DEPLOY)

/* ---- the file's keys ---- */

#define FIELD(member) offsetof(struct glt_conf, member), sizeof(((struct glt_conf *)0)->member)

static const struct {
	const char *section, *name;
	set_fn *set;
	size_t offset, size;
} keys[] = {
	{"store", "dir", set_path, FIELD(dir)},
	{"store", "run_dir", set_path, FIELD(run_dir)},
	{"token", "prefix", set_prefix, FIELD(prefix)},
	{"token", "deploy_prefix", set_prefix, FIELD(deploy_prefix)},
	{"git", "repo_root", set_path, FIELD(repo_root)},
	{"git", "shared_accounts", set_accounts, FIELD(shared_accounts)},
	{"git", "umask", set_umask, FIELD(umask_bits)},
	{"git", "session_lifetime", set_some_span, FIELD(session_lifetime)},
	{"git", "backend", set_backend, FIELD(gitolite)},
	{"git", "gitolite_shell", set_path, FIELD(gitolite_shell)},
	{"git", "lfs_transfer", glt_conf_set_command, FIELD(lfs_transfer)},
	{"git", "lfs_backend", glt_conf_set_command, FIELD(lfs_backend)},
	{"git", "lfs_url", glt_conf_set_url, FIELD(lfs_url)},
	{"http", "realm", set_realm, FIELD(http_realm)},
	{"http", "account", set_account, FIELD(http_account)},
	{"http", "insecure", set_yes, FIELD(http_insecure)},
	{"http", "trusted_proxies", set_networks, FIELD(trusted_proxies)},
	{"http", "username", set_username, FIELD(http_username_owner)},
	{"http", "anonymous_read", set_yes, FIELD(http_anonymous_read)},
	{"hash", "memory", set_memory, FIELD(hash.memory)},
	{"hash", "time", set_passes, FIELD(hash.time)},
	{"hash", "slots", set_slots, FIELD(slots)},
	{"hash", "wait", set_span, FIELD(hash_wait)},
	{"cache", "ttl", set_span, FIELD(cache_ttl)},
	{"cache", "enabled", set_yes, FIELD(cache_enabled)},
	{"policy", "mode", set_mode, FIELD(observe)},
	{"policy", "require_expiry", set_yes, FIELD(require_expiry)},
	{"policy", "default_lifetime", set_span, FIELD(default_lifetime)},
	{"policy", "max_lifetime", set_span, FIELD(max_lifetime)},
	{"policy", "max_lifetime_personal", set_own_span, FIELD(max_lifetime_of[GLT__TYPE__PERSONAL])},
	{"policy", "max_lifetime_project", set_own_span, FIELD(max_lifetime_of[GLT__TYPE__PROJECT])},
	{"policy", "max_lifetime_group", set_own_span, FIELD(max_lifetime_of[GLT__TYPE__GROUP])},
	{"policy", "max_lifetime_deploy", set_own_span, FIELD(max_lifetime_of[GLT__TYPE__DEPLOY])},
	{"policy", "allowed_scopes_personal", set_personal_scopes, FIELD(scopes_of[GLT__TYPE__PERSONAL])},
	{"policy", "allowed_scopes_project", set_project_scopes, FIELD(scopes_of[GLT__TYPE__PROJECT])},
	{"policy", "allowed_scopes_group", set_group_scopes, FIELD(scopes_of[GLT__TYPE__GROUP])},
	{"policy", "allowed_scopes_deploy", set_deploy_scopes, FIELD(scopes_of[GLT__TYPE__DEPLOY])},
	{"policy", "token_types", set_types, FIELD(token_types)},
	{"policy", "max_role", set_role, FIELD(max_role)},
	{"policy", "allow_from", set_networks, FIELD(policy_allow_from)},
	{"policy", "min_overlap", set_span, FIELD(min_overlap)},
	{"policy", "max_overlap", set_span, FIELD(max_overlap)},
	{"policy", "max_active", set_count, FIELD(max_active)},
	{"policy", "retention_days", set_count, FIELD(retention_days)},
	{"policy", "retroactive", glt_conf_set_retroactive, FIELD(retroactive_from)},
	{"policy", "reuse", set_reuse, FIELD(reuse_revokes)},
	{"nss", "uids", set_uids, FIELD(nss_range)},
	{"nss", "uid_min", set_uid, FIELD(uid_min)},
	{"nss", "uid_max", set_uid, FIELD(uid_max)},
	{"nss", "groups", set_yes, FIELD(nss_groups)},
	{"nss", "group_role", set_role, FIELD(group_role)},
	{"log", "format", set_format, FIELD(log_json)},
	{"backup", "dir", set_path, FIELD(backup_dir)},
	{"backup", "keep", glt_conf_set_keep, FIELD(backup_keep)},
	{"notify", "command", glt_conf_set_command, FIELD(notify_command)},
	{"notify", "user", set_account, FIELD(notify_user)},
	{"notify", "timeout", glt_conf_set_timeout, FIELD(notify_timeout)},
	{"notify", "days", glt_conf_set_days, FIELD(notify_days)},
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static bool has_section(const char *name, size_t len)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (strncmp(keys[i].section, name, len) == 0 && keys[i].section[len] == '\0')
			return true;
	return false;
}

struct parse {
	struct glt_conf *conf;
	FILE *f;
	int line, failed; /* number of the first line that was refused, 0: none */
	struct glt_err err;
};

_Static_assert(N_KEYS <= GLT_CONF_KEYS, "set_at has room");

static enum glt_status set_key(struct glt_conf *conf, const char *section, const char *name, const char *value,
			       int line, struct glt_err *err)
{
	struct glt_err why;

	for (size_t i = 0; i < N_KEYS; i++) {
		enum glt_status st;

		if (strcmp(keys[i].section, section) != 0 || strcmp(keys[i].name, name) != 0)
			continue;
		st = keys[i].set((char *)conf + keys[i].offset, keys[i].size, value, &why);
		conf->set_at[i] = line;
		conf->set_in[i] = (unsigned char)(conf->n_files - 1);
		return st == GLT_OK ? st : glt_fail(err, st, "[%s] %s: %s", section, name, why.text);
	}
	if (!has_section(section, strlen(section)))
		return glt_fail(err, GLT_INVALID, "unknown section [%.64s]", section);
	return glt_fail(err, GLT_INVALID, "[%s] has no key '%.64s'", section, name);
}

static int on_line(void *user, const char *section, const char *name, const char *value)
{
	struct parse *p = user;

	if (!p->failed && set_key(p->conf, section, name, value, p->line, &p->err) != GLT_OK)
		p->failed = p->line;
	return !p->failed;
}

/* inih tells of a section only with its first key, and of what stands behind one, a key even, never. */
static void check_section(struct parse *p, const char *line)
{
	const char *name = line + 1;
	size_t len = line[0] == '[' ? strcspn(name, "]") : 0;
	bool known = has_section(name, len);

	if (p->failed || line[0] != '[' || name[len] != ']' ||
	    (known && strchr("#;\r\n", name[len + 1 + strspn(name + len + 1, " \t")])))
		return;
	p->failed = p->line;
	(void)glt_fail(&p->err, GLT_INVALID, "%s section [%.*s]", known ? "something stands behind" : "unknown",
		       (int)(len < 64 ? len : 64), name);
}

/* inih would read the rest of a line that is too long as a line of its own, and so the end of a comment as a key. */
static char *read_line(char *out, int size, void *stream)
{
	struct parse *p = stream;
	int next;

	p->line++;
	if (!fgets(out, size, p->f))
		return NULL;
	/* To inih an indented line is more of the value above: a key, or a section, that would not count. */
	memmove(out, out + strspn(out, " \t"), strlen(out + strspn(out, " \t")) + 1);
	check_section(p, out);
	if (strchr(out, '\n') || (next = getc(p->f)) == EOF)
		return out;
	(void)ungetc(next, p->f);
	if (!p->failed) {
		p->failed = p->line;
		(void)glt_fail(&p->err, GLT_INVALID, "has over %d bytes, or a NUL byte", size - 2);
	}
	return NULL;
}

enum glt_status glt_conf_add(FILE *f, const char *path, struct glt_conf *conf, struct glt_err *err)
{
	struct parse p = {.conf = conf, .f = f};
	int line;
	bool unread;

	if (conf->n_files == GLT_CONF_FILES || strlen(path) >= sizeof(conf->files[0])) {
		(void)fclose(f);
		return glt_fail(err, GLT_INVALID, "%s: too long a path, or more than %d files", path,
				GLT_CONF_FILES);
	}
	strcpy(conf->files[conf->n_files++], path);
	line = ini_parse_stream(read_line, &p, on_line, &p);
	unread = ferror(f);
	(void)fclose(f);
	if (unread)
		return glt_fail(err, GLT_UNAVAILABLE, "%s: cannot be read", path);
	if (line != 0 && (!p.failed || line < p.failed))
		return glt_fail(err, GLT_INVALID, "%s line %d: neither [section], key = value nor a comment", path,
				line);
	if (p.failed)
		return glt_fail(err, GLT_INVALID, "%s line %d: %s", path, p.failed, p.err.text);
	return GLT_OK;
}

void glt_conf_begin(struct glt_conf *conf)
{
	*conf = (struct glt_conf){
		.dir = GLT_LOCALSTATEDIR "/lib/gltoken",
		.run_dir = GLT_RUN_DIR,
		.prefix = "glpat-",
		.deploy_prefix = "gldt-",
		.repo_root = "/srv/git",
		.shared_accounts = {"git"},
		.umask_bits = 0027,
		.session_lifetime = 12 * 3600,
		.gitolite_shell = "/usr/share/gitolite3/gitolite-shell",
		.http_realm = "Git access token",
		.http_account = "git",
		.hash = {.memory = 19456, .time = 2},
		.hash_wait = 10,
		.cache_ttl = 300,
		.cache_enabled = true,
		.require_expiry = true,
		.default_lifetime = INT64_C(90) * 86400,
		.max_lifetime = INT64_C(365) * 86400,
		.max_lifetime_of = {[GLT__TYPE__PERSONAL] = GLT_CONF_UNSET,
				    [GLT__TYPE__PROJECT] = GLT_CONF_UNSET,
				    [GLT__TYPE__GROUP] = GLT_CONF_UNSET,
				    [GLT__TYPE__DEPLOY] = GLT_CONF_UNSET},
		.token_types = 1u << GLT__TYPE__PERSONAL | 1u << GLT__TYPE__PROJECT | 1u << GLT__TYPE__GROUP |
			       1u << GLT__TYPE__DEPLOY,
		.max_role = GLT_OWNER,
		.max_overlap = INT64_C(30) * 86400,
		.retention_days = 30,
		.uid_min = 70000,
		.uid_max = 99999,
		.group_role = GLT_DEVELOPER,
		.backup_dir = GLT_LOCALSTATEDIR "/backups/gltoken",
		.backup_keep = 14,
		.notify_user = "nobody",
		.notify_timeout = 30,
		.notify_days = {60, 30, 7, 1},
	};
}

enum glt_status glt_conf_end(const char *path, struct glt_conf *conf, struct glt_err *err)
{
	(void)snprintf(conf->store_dir, sizeof(conf->store_dir), "%s/store", conf->dir);
	conf->prefixes[0] = conf->prefix;
	conf->prefixes[1] = conf->deploy_prefix;
	conf->prefixes[2] = NULL;
	if (strcmp(conf->prefix, conf->deploy_prefix) == 0)
		return glt_fail(err, GLT_INVALID,
				"%s: [token] prefix and deploy_prefix are both %s: they must differ", path,
				conf->prefix);
	if (conf->uid_min > conf->uid_max)
		return glt_fail(err, GLT_INVALID, "%s: [nss] uid_min %u is above uid_max %u", path, conf->uid_min,
				conf->uid_max);
	if (conf->min_overlap > conf->max_overlap)
		return glt_fail(err, GLT_INVALID,
				"%s: [policy] min_overlap %" PRId64 "s is above max_overlap %" PRId64 "s", path,
				conf->min_overlap, conf->max_overlap);
	if (conf->gitolite && (conf->lfs_transfer[0] || conf->lfs_backend[0]))
		return glt_fail(
			err, GLT_INVALID,
			"%s: [git] lfs_transfer and lfs_backend need backend = git: gitolite would not be asked "
			"about them",
			path);
	return GLT_OK;
}

FILE *glt_conf_open(const char *path, struct glt_err *err)
{
	struct stat sb;
	FILE *f;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		(void)glt_fail(err, errno == ENOENT ? GLT_NOT_FOUND : GLT_UNAVAILABLE, "%s: %s", path,
			       strerror(errno));
		return NULL;
	}
	if (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || (sb.st_uid != 0 && sb.st_uid != geteuid()) ||
	    (sb.st_mode & 022) != 0) {
		(void)close(fd);
		(void)glt_fail(err, GLT_UNAVAILABLE,
			       "%s: must be a regular file of root that group and others cannot write", path);
		return NULL;
	}
	f = fdopen(fd, "r");
	if (!f) {
		(void)close(fd);
		(void)glt_fail(err, GLT_UNAVAILABLE, "%s: %s", path, strerror(errno));
	}
	return f;
}

enum glt_status glt_conf_load(const char *path, struct glt_conf *conf, struct glt_err *err)
{
	struct glt_err why;
	enum glt_status st;
	FILE *f;

	glt_conf_begin(conf);
	f = glt_conf_open(path, &why);
	if (!f && why.status != GLT_NOT_FOUND)
		return glt_fail(err, why.status, "%s", why.text);
	st = f ? glt_conf_add(f, path, conf, err) : GLT_OK;
	return st == GLT_OK ? glt_conf_end(path, conf, err) : st;
}

int glt_conf_line(const struct glt_conf *conf, const char *section, const char *name, const char **file)
{
	for (size_t i = 0; i < N_KEYS; i++)
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0) {
			*file = conf->set_at[i] ? conf->files[conf->set_in[i]] : NULL;
			return conf->set_at[i];
		}
	*file = NULL;
	return 0;
}

bool glt_conf_is_shared(const struct glt_conf *conf, const char *account)
{
	for (size_t i = 0; i < GLT_CONF_LIST && conf->shared_accounts[i][0]; i++)
		if (strcmp(conf->shared_accounts[i], account) == 0)
			return true;
	return false;
}

bool glt_conf_admits(const struct glt_conf *conf, const char *address)
{
	bool found = !conf->policy_allow_from[0][0];

	for (size_t i = 0; !found && i < GLT_CONF_LIST && conf->policy_allow_from[i][0]; i++)
		found = address && glt_cidr_match(conf->policy_allow_from[i], address);
	return found;
}
