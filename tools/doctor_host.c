/* SPDX-License-Identifier: MIT */
/* What else of the host decides whether tokens work: units, name service, web server. */
#include "doctor.h"

#include "nss_limits.h"
#include "nsswitch.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- systemd ---- */

static const char *const unit_folders[] = {"/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system",
					   "/lib/systemd/system"};

struct unit {
	bool forbidden, implied, user;
};

static bool is_yes(const char *value)
{
	return strcmp(value, "yes") == 0 || strcmp(value, "true") == 0 || strcmp(value, "1") == 0 ||
	       strcmp(value, "on") == 0;
}

/* For a service that does not run as root, systemd sets it with any of these; see systemd.exec(5). */
static bool implies(const char *key, const char *value)
{
	static const char *const lists[] = {"SystemCallFilter", "SystemCallArchitectures",
					    "RestrictAddressFamilies", "RestrictNamespaces"};
	static const char *const flags[] = {"PrivateDevices",    "ProtectKernelTunables", "ProtectKernelModules",
					    "ProtectKernelLogs", "ProtectClock",          "MemoryDenyWriteExecute",
					    "RestrictRealtime",  "RestrictSUIDSGID",      "DynamicUser",
					    "LockPersonality",   "ProtectHostname"};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(key, lists[i]) == 0 && *value && strcmp(value, "no") != 0)
			return true;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(key, flags[i]) == 0 && is_yes(value))
			return true;
	return false;
}

static void read_unit(struct unit *u, const char *path)
{
	char *text = glt_doctor_read(path), *rest = text, *line;

	while (text && (line = glt_doctor_line(&rest))) {
		char *value = strchr(line, '='), *end = value;

		if (!value)
			continue;
		*value++ = '\0';
		while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
			*--end = '\0';
		value += strspn(value, " \t");
		if (strcmp(line, "NoNewPrivileges") == 0)
			u->forbidden = is_yes(value);
		else if (strcmp(line, "User") == 0)
			u->user = *value && strcmp(value, "root") != 0;
		else if (implies(line, value))
			u->implied = true;
	}
	free(text);
}

/* The unit's file where the first folder has it, and the drop-ins of all. */
static bool load_unit(struct unit *u, const char *name)
{
	char path[400];
	bool found = false;

	*u = (struct unit){.user = false};
	for (size_t i = 0; i < sizeof(unit_folders) / sizeof(unit_folders[0]) && !found; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", unit_folders[i], name);
		found = access(path, R_OK) == 0;
		if (found)
			read_unit(u, path);
	}
	for (size_t i = 0; found && i < sizeof(unit_folders) / sizeof(unit_folders[0]); i++) {
		glob_t drop;

		(void)snprintf(path, sizeof(path), "%s/%s.d/*.conf", unit_folders[i], name);
		if (glob(path, 0, NULL, &drop) == 0)
			for (size_t k = 0; k < drop.gl_pathc; k++)
				read_unit(u, drop.gl_pathv[k]);
		globfree(&drop);
	}
	return found;
}

static bool listens(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	alive = fd >= 0 && (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 || errno == EAGAIN);
	if (fd >= 0)
		(void)close(fd);
	return alive;
}

static void units(struct glt_doctor *d)
{
	/* Not gltoken-auth@.service, which is started as root. */
	static const char *const names[] = {"sshd-git.service", "ssh.service",   "sshd.service",
					    "ssh@.service",     "sshd@.service", "gltoken-http.service",
					    "fcgiwrap.service"};

	if (listens("/run/gltoken-auth.sock"))
		return; /* through it, nobody has to raise privilege */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct unit u;

		if (load_unit(&u, names[i]) && (u.forbidden || (u.user && u.implied)))
			glt_doctor_find(d, GLT_D_unit_no_new_privs,
					"take it out, or: systemctl enable --now gltoken-auth.socket",
					"%s has NoNewPrivileges=%s", names[i],
					u.forbidden ? "yes" : ", implied by other settings of its sandbox");
	}
}

/* ---- name service ---- */

static void one_database(struct glt_doctor *d, const char *database, enum glt_nsswitch found)
{
	if (found == GLT_NSSWITCH_FIRST)
		glt_doctor_find(d, GLT_D_nss_order, "put gltoken to the end of the line",
				GLT_NSSWITCH ": in the line %s, gltoken stands before files", database);
	else if (found == GLT_NSSWITCH_NOT_REACHED)
		glt_doctor_find(d, GLT_D_nss_lines, "put gltoken before the action in brackets",
				GLT_NSSWITCH ": in the line %s, an action ends the search before gltoken",
				database);
	else if (!glt_nsswitch_good(found, database))
		glt_doctor_find(d, GLT_D_nss_lines, "gltoken setup --nss --ssh no --web no --yes",
				GLT_NSSWITCH " does not name gltoken for %s", database);
}

/* Who has asked for numbers or groups of their own wants them to be seen. */
static void nsswitch(struct glt_doctor *d)
{
	bool used = false, wanted = d->cli->conf.nss_range || d->cli->conf.nss_groups;
	struct glt_err err;
	glob_t found;

	for (const char *const *db = glt_nsswitch_databases; *db; db++)
		used |= glt_nsswitch_line(GLT_NSSWITCH, *db) > GLT_NSSWITCH_ABSENT;
	for (const char *const *db = glt_nsswitch_databases; (used || wanted) && *db; db++)
		one_database(d, *db, glt_nsswitch_line(GLT_NSSWITCH, *db));
	if (glt_limits_range(&d->cli->conf, &err) != GLT_OK)
		glt_doctor_find(d, GLT_D_nss_range, "gltoken config edit, then gltoken publish", "%s", err.text);
	if (!used)
		return;
	if (glob("/lib*/*/libnss_gltoken.so.2", 0, NULL, &found) != 0 &&
	    glob("/usr/lib*/libnss_gltoken.so.2", 0, NULL, &found) != 0 &&
	    glob("/usr/lib/*/libnss_gltoken.so.2", 0, NULL, &found) != 0)
		glt_doctor_find(d, GLT_D_nss_module, "install it, or take gltoken out of /etc/nsswitch.conf",
				"/etc/nsswitch.conf names gltoken, and there is no libnss_gltoken.so.2");
	globfree(&found);
}

/* "enable-cache group no" is the one thing that helps. */
static bool caches_groups(void)
{
	char *text = glt_doctor_read("/etc/nscd.conf"), *rest = text, *line, key[32], what[32], value[32];
	bool caches = true;

	while (text && (line = glt_doctor_line(&rest)))
		if (sscanf(line, "%31s %31s %31s", key, what, value) == 3 && strcmp(key, "enable-cache") == 0 &&
		    strcmp(what, "group") == 0)
			caches = strcmp(value, "no") != 0;
	free(text);
	return caches;
}

static void nscd(struct glt_doctor *d)
{
	if (listens("/run/nscd/socket") && caches_groups())
		glt_doctor_find(d, GLT_D_nscd_groups,
				"enable-cache group no in /etc/nscd.conf, or after a change: nscd -i group",
				"nscd runs and keeps groups");
}

/* ---- Apache ---- */

static bool file_has(const char *path, const char *word)
{
	char *text = glt_doctor_read(path), *rest = text, *line;
	bool has = false;

	while (text && !has && (line = glt_doctor_line(&rest)))
		has = strcasestr(line, word) != NULL;
	free(text);
	return has;
}

static void socache(struct glt_doctor *d)
{
	static const char *const patterns[] = {"/etc/apache2/conf-enabled/*.conf",
					       "/etc/apache2/sites-enabled/*.conf", "/etc/apache2/apache2.conf",
					       "/etc/httpd/conf.d/*.conf", "/etc/httpd/conf/httpd.conf"};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		glob_t files;

		if (glob(patterns[i], 0, NULL, &files) == 0)
			for (size_t k = 0; k < files.gl_pathc; k++)
				if (file_has(files.gl_pathv[k], "AuthnCacheProvideFor"))
					glt_doctor_find(d, GLT_D_authn_socache,
							"take AuthnCacheProvideFor out of it, and reload Apache",
							"%s has AuthnCacheProvideFor", files.gl_pathv[k]);
		globfree(&files);
	}
}

glt_doctor_check *const glt_doctor_host[] = {units, nsswitch, nscd, socache, NULL};
