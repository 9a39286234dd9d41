/* SPDX-License-Identifier: MIT */
#include "conf.h"
#include "record.pb-c.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FOLDER "/tmp/glt-conf.XXXXXX"

static char folder[sizeof(FOLDER)], path[sizeof(FOLDER) + 16];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, FOLDER);
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/gltoken.conf", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void write_file(const char *text, mode_t mode)
{
	FILE *f;

	(void)unlink(path); /* it may have a mode that lets nobody write */
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static enum glt_status load(const char *text, struct glt_conf *conf, struct glt_err *err)
{
	write_file(text, 0644);
	err->text[0] = '\0';
	return glt_conf_load(path, conf, err);
}

/* ---- each key, good and bad ---- */

enum kind { TEXT, FLAG, SPAN, NUMBER, OCTAL, LIST, DAYS };

struct good {
	const char *section, *key, *value;
	enum kind kind;
	size_t offset;
	const char *want; /* as show() writes it */
};
#define AT(member) offsetof(struct glt_conf, member)

static const struct good good[] = {
	{"store", "dir", "/srv/tokens", TEXT, AT(dir), "/srv/tokens"},
	{"store", "dir", "/srv/tokens", TEXT, AT(store_dir), "/srv/tokens/store"},
	{"store", "dir", "/", TEXT, AT(dir), "/"},
	{"store", "run_dir", "/run/x", TEXT, AT(run_dir), "/run/x"},
	{"token", "prefix", "acme-glpat-", TEXT, AT(prefix), "acme-glpat-"},
	{"token", "deploy_prefix", "d_-", TEXT, AT(deploy_prefix), "d_-"},
	{"git", "repo_root", "/home/git/repositories", TEXT, AT(repo_root), "/home/git/repositories"},
	{"git", "shared_accounts", "git, forge build+1", LIST, AT(shared_accounts), "git|forge|build+1|"},
	{"git", "shared_accounts", "", LIST, AT(shared_accounts), ""},
	{"git", "umask", "0077", OCTAL, AT(umask_bits), "077"},
	{"git", "umask", "22", OCTAL, AT(umask_bits), "022"},
	{"git", "umask", "0", OCTAL, AT(umask_bits), "00"},
	{"git", "session_lifetime", "45m", SPAN, AT(session_lifetime), "2700"},
	{"git", "backend", "gitolite", FLAG, AT(gitolite), "1"},
	{"git", "backend", "git", FLAG, AT(gitolite), "0"},
	{"git", "gitolite_shell", "/opt/gitolite/gitolite-shell", TEXT, AT(gitolite_shell),
	 "/opt/gitolite/gitolite-shell"},
	{"git", "lfs_transfer", "/opt/lfs --x y", TEXT, AT(lfs_transfer), "/opt/lfs --x y"},
	{"git", "lfs_backend", "", TEXT, AT(lfs_backend), ""},
	{"git", "lfs_url", "https://git.example.org:8443/git", TEXT, AT(lfs_url),
	 "https://git.example.org:8443/git"},
	{"http", "realm", "Git of ACME", TEXT, AT(http_realm), "Git of ACME"},
	{"http", "account", "forge", TEXT, AT(http_account), "forge"},
	{"http", "insecure", "yes", FLAG, AT(http_insecure), "1"},
	{"http", "trusted_proxies", "127.0.0.1,::1 10.0.0.0/8", LIST, AT(trusted_proxies),
	 "127.0.0.1|::1|10.0.0.0/8|"},
	{"http", "username", "owner", FLAG, AT(http_username_owner), "1"},
	{"http", "username", "any", FLAG, AT(http_username_owner), "0"},
	{"http", "anonymous_read", "yes", FLAG, AT(http_anonymous_read), "1"},
	{"hash", "memory", "8192", NUMBER, AT(hash.memory), "8192"},
	{"hash", "memory", "1048576", NUMBER, AT(hash.memory), "1048576"},
	{"hash", "time", "1", NUMBER, AT(hash.time), "1"},
	{"hash", "time", "16", NUMBER, AT(hash.time), "16"},
	{"hash", "slots", "auto", NUMBER, AT(slots), "0"},
	{"hash", "slots", "3", NUMBER, AT(slots), "3"},
	{"hash", "wait", "2s", SPAN, AT(hash_wait), "2"},
	{"cache", "ttl", "0", SPAN, AT(cache_ttl), "0"},
	{"cache", "enabled", "no", FLAG, AT(cache_enabled), "0"},
	{"policy", "mode", "observe", FLAG, AT(observe), "1"},
	{"policy", "mode", "enforce", FLAG, AT(observe), "0"},
	{"policy", "require_expiry", "no", FLAG, AT(require_expiry), "0"},
	{"policy", "default_lifetime", "30d", SPAN, AT(default_lifetime), "2592000"},
	{"policy", "max_lifetime", "0", SPAN, AT(max_lifetime), "0"},
	{"policy", "max_lifetime_deploy", "30d", SPAN, AT(max_lifetime_of[GLT__TYPE__DEPLOY]), "2592000"},
	{"policy", "max_lifetime_personal", "", SPAN, AT(max_lifetime_of[GLT__TYPE__PERSONAL]), "-1"},
	{"policy", "max_lifetime_group", "0", SPAN, AT(max_lifetime_of[GLT__TYPE__GROUP]), "0"},
	{"policy", "max_lifetime_project", "1h", SPAN, AT(max_lifetime_of[GLT__TYPE__PROJECT]), "3600"},
	{"policy", "allowed_scopes_personal", "read_api, api", SPAN, AT(scopes_of[GLT__TYPE__PERSONAL]), "3"},
	{"policy", "allowed_scopes_project", "", SPAN, AT(scopes_of[GLT__TYPE__PROJECT]), "0"},
	{"policy", "allowed_scopes_group", "api", SPAN, AT(scopes_of[GLT__TYPE__GROUP]), "1"},
	{"policy", "allowed_scopes_deploy", "read_repository", SPAN, AT(scopes_of[GLT__TYPE__DEPLOY]), "4"},
	{"policy", "token_types", "personal, deploy", NUMBER, AT(token_types), "18"},
	{"policy", "token_types", "", NUMBER, AT(token_types), "0"},
	{"policy", "max_role", "developer", NUMBER, AT(max_role), "30"},
	{"policy", "allow_from", "10.0.0.0/8 2001:db8::/32", LIST, AT(policy_allow_from),
	 "10.0.0.0/8|2001:db8::/32|"},
	{"policy", "min_overlap", "1h", SPAN, AT(min_overlap), "3600"},
	{"policy", "max_overlap", "0", SPAN, AT(max_overlap), "0"},
	{"policy", "max_active", "1000000", NUMBER, AT(max_active), "1000000"},
	{"policy", "retention_days", "0", NUMBER, AT(retention_days), "0"},
	{"policy", "retroactive", "no", SPAN, AT(retroactive_from), "0"},
	{"policy", "retroactive", "yes", SPAN, AT(retroactive_from), "1"},
	{"policy", "retroactive", "2027-01-15", SPAN, AT(retroactive_from), "1799971200"},
	{"policy", "retroactive", "2027-01-15T08:00:00Z", SPAN, AT(retroactive_from), "1800000000"},
	{"policy", "reuse", "revoke-family", FLAG, AT(reuse_revokes), "1"},
	{"policy", "reuse", "alert", FLAG, AT(reuse_revokes), "0"},
	{"policy", "retention_days", "1000000", NUMBER, AT(retention_days), "1000000"},
	{"nss", "uids", "range", FLAG, AT(nss_range), "1"},
	{"nss", "uids", "shared", FLAG, AT(nss_range), "0"},
	{"nss", "uid_min", "1", NUMBER, AT(uid_min), "1"},
	{"nss", "uid_max", "4294967293", NUMBER, AT(uid_max), "4294967293"},
	{"nss", "groups", "yes", FLAG, AT(nss_groups), "1"},
	{"nss", "group_role", "reporter", NUMBER, AT(group_role), "20"},
	{"nss", "group_role", "40", NUMBER, AT(group_role), "40"},
	{"log", "format", "json", FLAG, AT(log_json), "1"},
	{"log", "format", "kv", FLAG, AT(log_json), "0"},
	{"notify", "command", "/usr/bin/mail -s x root", TEXT, AT(notify_command), "/usr/bin/mail -s x root"},
	{"backup", "dir", "/mnt/b", TEXT, AT(backup_dir), "/mnt/b"},
	{"backup", "keep", "1", NUMBER, AT(backup_keep), "1"},
	{"notify", "command", "", TEXT, AT(notify_command), ""},
	{"notify", "user", "tokens", TEXT, AT(notify_user), "tokens"},
	{"notify", "timeout", "10m", SPAN, AT(notify_timeout), "600"},
	{"notify", "days", "14,3", DAYS, AT(notify_days), "14,3,"},
	{"notify", "days", "8,7,6,5,4,3,2,1", DAYS, AT(notify_days), "8,7,6,5,4,3,2,1,"},
	{"notify", "days", "60 , 1", DAYS, AT(notify_days), "60,1,"},
	{"notify", "days", "3650", DAYS, AT(notify_days), "3650,"},
	{"notify", "days", "", DAYS, AT(notify_days), ""},
};

static const struct {
	const char *section, *key, *value;
} bad[] = {
	{"store", "dir", ""},
	{"store", "dir", "relative"},
	{"store", "dir", "/a/../b"},
	{"store", "dir", "/a/"},
	{"store", "dir", "/a/.."},
	{"store", "run_dir", "run"},
	{"token", "prefix", ""},
	{"token", "prefix", "glpat"},
	{"token", "prefix", "gl pat-"},
	{"token", "prefix", "012345678901234567890123456789012-"},
	{"token", "deploy_prefix", "x.-"},
	{"git", "repo_root", "~/git"},
	{"git", "shared_accounts", "git,0"},
	{"git", "shared_accounts", "git:x"},
	{"git", "shared_accounts", "-git"},
	{"git", "shared_accounts", "a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11 a12 a13 a14 a15 a16 a17"},
	{"git", "umask", "1000"},
	{"git", "umask", "0088"},
	{"git", "umask", "rwx"},
	{"git", "umask", "-1"},
	{"git", "umask", ""},
	{"git", "session_lifetime", "long"},
	{"git", "session_lifetime", ""},
	{"git", "session_lifetime", "0h"},
	{"git", "backend", "gitosis"},
	{"git", "lfs_transfer", "lfs"},
	{"git", "lfs_backend", "http://127.0.0.1:8080"},
	{"git", "lfs_url", "http://git.example.org/git"},
	{"git", "lfs_url", "https://"},
	{"git", "lfs_url", "https://git.example.org/git/"},
	{"git", "lfs_url", "https://git.example.org/\"x"},
	{"git", "backend", ""},
	{"git", "gitolite_shell", "gitolite-shell"},
	{"http", "account", "a b"},
	{"http", "account", "0"},
	{"http", "insecure", "true"},
	{"http", "insecure", "1"},
	{"http", "insecure", "Yes"},
	{"http", "insecure", ""},
	{"http", "trusted_proxies", "localhost"},
	{"http", "trusted_proxies", "10.0.0.1/8"},
	{"http", "username", "none"},
	{"http", "anonymous_read", "y"},
	{"hash", "memory", "8191"},
	{"hash", "memory", "1048577"},
	{"hash", "memory", "19456KiB"},
	{"hash", "memory", "0x5000"},
	{"hash", "memory", "18446744073709559808"},
	{"hash", "time", "0"},
	{"hash", "time", "17"},
	{"hash", "time", "-1"},
	{"hash", "slots", "0"},
	{"hash", "slots", "1025"},
	{"hash", "slots", "Auto"},
	{"hash", "wait", "10 s"},
	{"cache", "ttl", "never"},
	{"cache", "enabled", "on"},
	{"policy", "mode", "Enforce"},
	{"policy", "mode", ""},
	{"policy", "require_expiry", "maybe"},
	{"policy", "default_lifetime", "90 d"},
	{"policy", "max_lifetime", "-1"},
	{"policy", "max_lifetime_personal", "x"},
	{"policy", "allowed_scopes_deploy", "api"}, /* none of the type's */
	{"policy", "allowed_scopes_personal", "read_repository,write"},
	{"policy", "token_types", "personal,robot"},
	{"policy", "token_types", "none"},
	{"policy", "max_role", "none"},
	{"policy", "max_role", "26"},
	{"policy", "allow_from", "office.example.org"},
	{"policy", "allow_from", "10.0.0.0/33"},
	{"policy", "min_overlap", "-1h"},
	{"policy", "max_active", "1000001"},
	{"policy", "max_active", "-1"},
	{"policy", "retention_days", "30d"},
	{"policy", "retroactive", ""},
	{"policy", "retroactive", "30d"},
	{"policy", "retroactive", "-30d"},
	{"policy", "retroactive", "never"},
	{"policy", "retroactive", "2027-02-29"},
	{"policy", "reuse", "revoke"},
	{"policy", "retention_days", "1000001"},
	{"policy", "retention_days", "-1"},
	{"policy", "retention_days", ""},
	{"http", "realm", "GitLab"},
	{"nss", "uids", "none"},
	{"nss", "uid_min", "0"},
	{"nss", "uid_max", "4294967294"},
	{"nss", "uid_max", "4294967295"},
	{"nss", "groups", "2"},
	{"nss", "group_role", "boss"},
	{"nss", "group_role", "26"},
	{"log", "format", "xml"},
	{"backup", "dir", "b"},
	{"backup", "keep", "0"},
	{"backup", "keep", "10001"},
	{"notify", "command", "mail root"},
	{"notify", "user", ""},
	{"notify", "user", "0"},
	{"notify", "timeout", "0"},
	{"notify", "timeout", "11m"},
	{"notify", "days", "a"},
	{"notify", "days", "9,8,7,6,5,4,3,2,1"},
	{"notify", "days", "7,30"},
	{"notify", "days", "7,7"},
	{"notify", "days", "1,0"},
	{"notify", "days", "0"},
	{"notify", "days", "7,"},
	{"notify", "days", ",7"},
	{"notify", "days", "7,,1"},
	{"notify", "days", "60 30"},
	{"notify", "days", "3651"},
	{"notify", "days", "60;30"},
	{"notify", "days", "99999"},
	{"notify", "days", "-1"},
};

static void show_list(const char (*list)[64], char *out)
{
	*out = '\0';
	for (size_t i = 0; i < GLT_CONF_LIST && list[i][0]; i++) {
		strcat(out, list[i]);
		strcat(out, "|");
	}
}

static void show(const struct glt_conf *conf, const struct good *g, char out[1024])
{
	const void *p = (const char *)conf + g->offset;

	out[0] = '\0';
	switch (g->kind) {
	case TEXT:
		(void)snprintf(out, 1024, "%s", (const char *)p);
		break;
	case FLAG:
		(void)snprintf(out, 1024, "%d", *(const bool *)p);
		break;
	case SPAN:
		(void)snprintf(out, 1024, "%lld", (long long)*(const int64_t *)p);
		break;
	case NUMBER:
		(void)snprintf(out, 1024, "%u", *(const unsigned *)p);
		break;
	case OCTAL:
		(void)snprintf(out, 1024, "0%o", (unsigned)*(const mode_t *)p);
		break;
	case LIST:
		show_list(p, out);
		break;
	case DAYS:
		for (const unsigned *d = p; d < (const unsigned *)p + 8 && *d; d++)
			(void)snprintf(out + strlen(out), 16, "%u,", *d);
		break;
	}
}

static void every_key_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		char text[512], got[1024];
		struct glt_conf conf;
		struct glt_err err;

		(void)snprintf(text, sizeof(text), "[%s]\n%s = %s\n", good[i].section, good[i].key, good[i].value);
		if (load(text, &conf, &err) != GLT_OK)
			fail_msg("%s", err.text);
		show(&conf, &good[i], got);
		if (strcmp(got, good[i].want) != 0)
			fail_msg("[%s] %s = %s gives %s", good[i].section, good[i].key, good[i].value, got);
	}
}

static void every_key_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char text[512], where[600], key[64];
		struct glt_conf conf;
		struct glt_err err;

		(void)snprintf(text, sizeof(text), "# comment\n[%s]\n%s = %s\n", bad[i].section, bad[i].key,
			       bad[i].value);
		if (load(text, &conf, &err) != GLT_INVALID)
			fail_msg("[%s] %s = %s is taken", bad[i].section, bad[i].key, bad[i].value);
		(void)snprintf(where, sizeof(where), "%s line 3: ", path);
		(void)snprintf(key, sizeof(key), "[%s] %s: ", bad[i].section, bad[i].key);
		if (strncmp(err.text, where, strlen(where)) != 0 || !strstr(err.text, key))
			fail_msg("does not name file, line and key: %s", err.text);
	}
}

/* ---- what is no key ---- */

static void unknown(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"[polcy]\nmode = observe\n", "line 1: unknown section [polcy]"},
		{"mode = observe\n", "line 1: unknown section []"},
		{"[policy]\n\nmod = enforce\n", "line 3: [policy] has no key 'mod'"},
		{"[policy]\nMode = enforce\n", "line 2: [policy] has no key 'Mode'"},
		{"[Policy]\nmode = enforce\n", "line 1: unknown section [Policy]"},
		{"[cache]\n[polic]\n", "line 2: unknown section [polic]"},
		{"[policy2]", "line 1: unknown section [policy2]"},
		{"[]\n", "line 1: unknown section []"},
		{"[http]\n\trealm = Git\n\t[polic]\n", "line 3: unknown section [polic]"},
		{"[http]\n realm = Git\n insecur = no\n", "line 3: [http] has no key 'insecur'"},
		{"[policy] mode = observe\n", "line 1: something stands behind section [policy]"},
		{"[token]\nmode = enforce\n", "line 2: [token] has no key 'mode'"},
		{"[policy]\nmode\n", "line 2: neither [section], key = value nor a comment"},
		{"[policy\nmode = enforce\n", "line 1: neither"},
		/* The first fault is told, whatever stands below. */
		{"[policy]\nmode\nmod = x\n", "line 2: neither"},
		{"[policy]\nmod = x\nmode\n", "line 2: [policy] has no key 'mod'"},
		{"[policy]\nmod = x\nmoe = y\n", "line 2: [policy] has no key 'mod'"},
		{"[token]\nprefix = gldt-\n", "[token] prefix and deploy_prefix are both gldt-"},
		{"[nss]\nuid_min = 200\nuid_max = 100\n", "uid_min 200 is above uid_max 100"},
		{"[policy]\nmin_overlap = 31d\n", "[policy] min_overlap 2678400s is above max_overlap 2592000s"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct glt_conf conf;
		struct glt_err err;

		assert_int_equal(load(cases[i].text, &conf, &err), GLT_INVALID);
		if (!strstr(err.text, cases[i].words) || strncmp(err.text, path, strlen(path)) != 0)
			fail_msg("'%s' does not say '%s'", err.text, cases[i].words);
	}
}

static void layout(void **state)
{
	static const char text[] =
		"; comment\n# comment\n\n  [policy]  \nmode=observe\n[hash]\n\ttime = 7\n[policy]\r\n"
		"reuse = revoke-family\r\n[http] ; comment\n realm = R\n\tinsecure = yes\n\t[log]# comment\nformat = json";
	struct glt_conf conf;
	const char *file;
	struct glt_err err;

	(void)state;
	if (load(text, &conf, &err) != GLT_OK)
		fail_msg("%s", err.text);
	assert_true(conf.observe && conf.reuse_revokes && conf.log_json);
	assert_true(conf.http_insecure);
	assert_string_equal(conf.http_realm, "R");
	assert_int_equal(conf.hash.time, 7);
	assert_int_equal(glt_conf_line(&conf, "policy", "mode", &file), 5);
	assert_int_equal(glt_conf_line(&conf, "hash", "time", &file), 7);
	assert_int_equal(glt_conf_line(&conf, "policy", "reuse", &file), 9);
	assert_int_equal(glt_conf_line(&conf, "policy", "max_lifetime", &file), 0);
	assert_int_equal(glt_conf_line(&conf, "hash", "mode", &file), 0);
	assert_int_equal(conf.hash.memory, 19456);
	assert_int_equal(load("", &conf, &err), GLT_OK);
	assert_false(conf.observe);
}

/* Too long is refused, never cut: neither by the field nor by the line. */
static void long_lines(void **state)
{
	static const struct {
		const char *section, *key, *start;
		size_t max, offset;
	} keys[] = {
		{"store", "dir", "/", 255, AT(dir)},
		{"git", "repo_root", "/", 255, AT(repo_root)},
		{"http", "realm", "R", 127, AT(http_realm)},
		{"notify", "command", "/", 255, AT(notify_command)},
	};

	(void)state;
	for (size_t k = 0; k < COUNT(keys); k++) {
		for (size_t len = 1; len < 1200; len += len >= 120 && len < 270 ? 1 : 37) {
			char value[1300], text[1400];
			struct glt_conf conf;
			struct glt_err err;
			enum glt_status st;

			memset(value, 'v', len);
			memcpy(value, keys[k].start, 1);
			value[len] = '\0';
			(void)snprintf(text, sizeof(text), "[%s]\n%s = %s\n", keys[k].section, keys[k].key, value);
			st = load(text, &conf, &err);
			if (st == GLT_OK && len > keys[k].max)
				fail_msg("%s of %zu bytes is taken", keys[k].key, len);
			if (st == GLT_OK)
				assert_string_equal((const char *)&conf + keys[k].offset, value);
			else if (len < 150 && len <= keys[k].max)
				fail_msg("%s", err.text);
		}
	}
}

/* The rest of a line that is too long must not be read as a line of its own. */
static void no_smuggling(void **state)
{
	struct glt_conf conf;
	struct glt_err err;

	(void)state;
	for (size_t pad = 150; pad < 260; pad++) {
		char text[512];

		(void)snprintf(text, sizeof(text), "[policy]\n# %*s mode = observe\nreuse = alert\n", (int)pad, "");
		if (load(text, &conf, &err) == GLT_OK && conf.observe)
			fail_msg("a comment of %zu bytes set a key", pad + 2);
		if (err.text[0])
			assert_non_null(strstr(err.text, "line 2: has over 198 bytes"));
	}
	assert_int_equal(load("mod = x\n#", &conf, &err), GLT_INVALID);
	assert_non_null(strstr(err.text, "line 1"));
}

static void nul_bytes(void **state)
{
	static const char text[] = "[policy]\nmode = observe\n# x\0\nmode = enforce\n";
	struct glt_conf conf;
	struct glt_err err;
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, sizeof(text) - 1, f), sizeof(text) - 1);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(glt_conf_load(path, &conf, &err), GLT_INVALID);
	assert_non_null(strstr(err.text, "line 3: "));
}

/* ---- the file ---- */

static void absent_is_the_defaults(void **state)
{
	const char *file;
	struct glt_conf conf;
	struct glt_err err;

	(void)state;
	(void)unlink(path);
	assert_int_equal(glt_conf_load(path, &conf, &err), GLT_OK);
	assert_string_equal(conf.prefix, "glpat-");
	assert_string_equal(conf.deploy_prefix, "gldt-");
	assert_ptr_equal(conf.prefixes[0], conf.prefix);
	assert_ptr_equal(conf.prefixes[1], conf.deploy_prefix);
	assert_null(conf.prefixes[2]);
	assert_string_equal(conf.repo_root, "/srv/git");
	assert_int_equal(conf.umask_bits, 0027);
	assert_true(conf.session_lifetime == 43200 && conf.cache_ttl == 300 && conf.hash_wait == 10);
	assert_true(conf.hash.memory == 19456 && conf.hash.time == 2 && conf.slots == 0);
	assert_true(conf.require_expiry && conf.cache_enabled && !conf.observe && !conf.reuse_revokes);
	assert_true(conf.default_lifetime == 90 * 86400 && conf.max_lifetime == 365 * 86400);
	assert_int_equal(glt_conf_line(&conf, "policy", "max_lifetime", &file), 0);
	assert_true(conf.uid_min == 70000 && conf.uid_max == 99999 && conf.group_role == 30);
	assert_false(conf.http_insecure || conf.http_username_owner || conf.http_anonymous_read || conf.nss_range);
	assert_true(glt_conf_is_shared(&conf, "git"));
	assert_false(glt_conf_is_shared(&conf, "gi"));
	assert_false(glt_conf_is_shared(&conf, ""));
	assert_false(glt_conf_is_shared(&conf, "root"));
}

static void file_modes(void **state)
{
	struct glt_conf conf;
	struct glt_err err;

	(void)state;
	for (mode_t mode = 0; mode < 01000; mode++) {
		enum glt_status want = mode & 022 ? GLT_UNAVAILABLE : GLT_OK;

		if (geteuid() != 0 && !(mode & 0400))
			want = GLT_UNAVAILABLE;
		write_file("[policy]\nmode = observe\n", mode | 0200);
		assert_int_equal(chmod(path, mode), 0);
		if (glt_conf_load(path, &conf, &err) != want)
			fail_msg("mode %04o", (unsigned)mode);
	}
}

static void file_owner(void **state)
{
	struct glt_conf conf;
	struct glt_err err;

	(void)state;
	write_file("[policy]\nmode = observe\n", 0644);
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_int_equal(glt_conf_load(path, &conf, &err), GLT_UNAVAILABLE);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(chown(path, 0, 65534), 0);
	assert_int_equal(glt_conf_load(path, &conf, &err), GLT_OK);
}

static void no_regular_file(void **state)
{
	struct glt_conf conf;
	struct glt_err err;

	(void)state;
	assert_int_equal(glt_conf_load(folder, &conf, &err), GLT_UNAVAILABLE);
	assert_int_equal(glt_conf_load("/dev/null", &conf, &err), GLT_UNAVAILABLE);
	(void)unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)alarm(5); /* a FIFO without a writer must not hang the load */
	assert_int_equal(glt_conf_load(path, &conf, &err), GLT_UNAVAILABLE);
	(void)alarm(0);
	(void)unlink(path);
	assert_int_equal(glt_conf_load("/etc/passwd/gltoken.conf", &conf, &err), GLT_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_good),  cmocka_unit_test(every_key_bad),
		cmocka_unit_test(unknown),         cmocka_unit_test(layout),
		cmocka_unit_test(long_lines),      cmocka_unit_test(no_smuggling),
		cmocka_unit_test(nul_bytes),       cmocka_unit_test(absent_is_the_defaults),
		cmocka_unit_test(file_modes),      cmocka_unit_test(file_owner),
		cmocka_unit_test(no_regular_file),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
