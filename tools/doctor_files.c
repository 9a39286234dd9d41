/* SPDX-License-Identifier: MIT */
/* Configuration, programs, folders of the store, disk. */
#include "doctor.h"

#include "beside.h"
#include "conf_files.h"
#include "privdrop.h"
#include "table.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* What nobody may trust is not mended by an editor. */
static const char *config_command(const char *fault)
{
	static const char *const rules[] = {": must be a regular file of root", ": must be a folder of root"};
	static char command[1400];

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const char *end = fault[0] == '/' ? strstr(fault, rules[i]) : NULL;
		char path[512];

		if (!end || end - fault >= (ptrdiff_t)sizeof(path))
			continue;
		(void)snprintf(path, sizeof(path), "%.*s", (int)(end - fault), fault);
		(void)snprintf(command, sizeof(command), "chown root %s && chmod go-w %s", glt_doctor_quote(path),
			       glt_doctor_quote(path));
		return command;
	}
	return "gltoken config edit";
}

void glt_doctor_config(struct glt_doctor *d)
{
	struct glt_conf *conf = &d->cli->conf;
	const char *what = "and nothing is in force", *fault;
	struct glt_err err;
	char kept[GLT_LOCAL_TEXT] = "";

	d->cli->conf_loaded = glt_conf_read(GLT_CONF_FILE, GLT_CONF_VALID, conf, &err) == GLT_OK;
	if (d->cli->conf_loaded && !conf->is_copy)
		return;
	if (d->cli->conf_loaded && glt_conf_counted(conf)) {
		glt_when_local(conf->kept.tv_sec, false, kept);
		what = "in force is what was validated on ";
	}
	fault = d->cli->conf_loaded ? conf->fault : err.text;
	glt_doctor_find(d, GLT_D_config_invalid, config_command(fault), "%s; %s%s", fault, what, kept);
}

static void readable(struct glt_doctor *d)
{
	const struct glt_conf *conf = &d->cli->conf;
	char command[1400];
	struct stat sb;

	for (unsigned i = 0; i < conf->n_files; i++) {
		if (stat(conf->files[i], &sb) != 0 || (sb.st_mode & 0444) == 0444)
			continue;
		(void)snprintf(command, sizeof(command), "chmod 0644 %s", glt_doctor_quote(conf->files[i]));
		glt_doctor_find(d, GLT_D_config_unreadable, command,
				"%s has mode %04o: it holds no secret and must be readable to all", conf->files[i],
				sb.st_mode & 07777);
	}
}

static void settings(struct glt_doctor *d)
{
	if (d->cli->conf.observe)
		glt_doctor_find(d, GLT_D_policy_observe, "set mode = enforce in " GLT_CONF_FILE,
				"[policy] mode = observe");
	if (d->cli->conf.http_insecure)
		glt_doctor_find(d, GLT_D_http_insecure, "set insecure = no in " GLT_CONF_FILE,
				"[http] insecure = yes");
}

static void helper(struct glt_doctor *d)
{
	static const char mend[] = "chown root:" GLT_STORE_USER " " GLT_HELPER " && chmod 4750 " GLT_HELPER;
	struct statvfs fs;
	struct stat sb;
	uid_t uid;
	gid_t gid;

	if (stat(GLT_HELPER, &sb) != 0) {
		glt_doctor_find(d, GLT_D_helper_missing, "install gltoken again", GLT_HELPER ": %s",
				strerror(errno));
		return;
	}
	if (glt_privdrop_lookup(&uid, &gid, NULL) != GLT_OK)
		return; /* told of as account_missing */
	if (sb.st_uid != 0 || sb.st_gid != gid || (sb.st_mode & 07777) != 04750)
		glt_doctor_find(d, GLT_D_helper_mode, mend,
				GLT_HELPER " has owner %u, group %u and mode %04o instead of root, " GLT_STORE_USER
					   " and 4750",
				sb.st_uid, sb.st_gid, sb.st_mode & 07777);
	if (statvfs(GLT_HELPER, &fs) == 0 && (fs.f_flag & ST_NOSUID))
		glt_doctor_find(d, GLT_D_helper_nosuid, "mount it with suid, or use gltoken-auth.socket",
				GLT_HELPER " is on a file system that is mounted nosuid");
}

static bool only_root_writes(const struct stat *sb)
{
	return sb->st_uid == 0 && ((sb->st_mode & 022) == 0 || (sb->st_mode & S_ISVTX));
}

/* The file and each folder above it. */
static void one_program(struct glt_doctor *d, const char *path)
{
	char part[512], command[1400], *slash;
	struct stat sb;

	(void)snprintf(part, sizeof(part), "%s", path);
	do {
		if (stat(part, &sb) == 0 && !only_root_writes(&sb)) {
			(void)snprintf(command, sizeof(command), "chown root %s && chmod go-w %s",
				       glt_doctor_quote(part), glt_doctor_quote(part));
			glt_doctor_find(d, GLT_D_program_writable, command,
					"%s belongs to uid %u and has mode %04o: only root may write it", part,
					sb.st_uid, sb.st_mode & 07777);
			return;
		}
		slash = strrchr(part, '/');
		if (slash)
			*slash = '\0';
	} while (slash && slash > part);
}

/* Not the helper: helper() knows its mode, and chown would take its privilege away. */
static void programs(struct glt_doctor *d)
{
	static const char *const paths[] = {GLT_SHELL_PATH,
					    GLT_BINDIR "/gltoken",
					    GLT_LIBEXECDIR "/gltoken-http",
					    GLT_LIBEXECDIR "/gltoken-hook",
					    GLT_LIBEXECDIR "/gltoken-keys",
					    GLT_PAMDIR "/pam_gltoken.so"};
	struct glt_beside beside[GLT_BESIDE_MAX];
	size_t n = glt_beside(&d->cli->conf, beside);
	struct stat sb;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		one_program(d, paths[i]);
	for (size_t i = 0; i < n; i++)
		one_program(d, beside[i].program);
	if (stat(GLT_PAMDIR "/pam_gltoken.so", &sb) != 0)
		glt_doctor_find(d, GLT_D_module_missing, "install gltoken again", GLT_PAMDIR "/pam_gltoken.so: %s",
				strerror(errno));
}

static void store_file(struct glt_doctor *d, const char *dir, const char *name, uid_t uid, mode_t mode)
{
	char path[600], command[1400];
	struct stat sb;

	(void)snprintf(path, sizeof(path), "%s%s%s", dir, *name ? "/" : "", name);
	if (lstat(path, &sb) != 0 || (sb.st_uid == uid && (sb.st_mode & 07777) == mode))
		return;
	(void)snprintf(command, sizeof(command), "chown " GLT_STORE_USER ": %s && chmod %04o %s",
		       glt_doctor_quote(path), mode, glt_doctor_quote(path));
	glt_doctor_find(d, GLT_D_store_mode, command,
			"%s belongs to uid %u and has mode %04o instead of " GLT_STORE_USER " and %04o", path,
			sb.st_uid, sb.st_mode & 07777, mode);
}

static void store_folder(struct glt_doctor *d)
{
	const struct glt_conf *conf = &d->cli->conf;
	char path[600], command[1400];
	struct stat sb;
	uid_t uid;
	gid_t gid;

	if (stat(conf->dir, &sb) == 0 && (sb.st_uid != 0 || (sb.st_mode & 022))) {
		(void)snprintf(command, sizeof(command), "chown root %s && chmod go-w %s",
			       glt_doctor_quote(conf->dir), glt_doctor_quote(conf->dir));
		glt_doctor_find(
			d, GLT_D_state_writable, command,
			"%s belongs to uid %u and has mode %04o: it must be root's and writable by nobody else",
			conf->dir, sb.st_uid, sb.st_mode & 07777);
	}
	(void)snprintf(path, sizeof(path), "%s/store.mdb", conf->store_dir);
	if (lstat(path, &sb) != 0) {
		glt_doctor_find(d, GLT_D_store_missing, "gltoken init", "%s: %s", path, strerror(errno));
		return;
	}
	if (glt_privdrop_lookup(&uid, &gid, NULL) != GLT_OK)
		return;
	store_file(d, conf->store_dir, "", uid, 0700);
	store_file(d, conf->store_dir, "store.mdb", uid, 0600);
	store_file(d, conf->store_dir, "key", uid, 0600);
	store_file(d, conf->store_dir, "usage", uid, 0600);
}

#define FREE_LEAST (UINT64_C(64) << 20)

static void disk(struct glt_doctor *d)
{
	const char *dir = d->cli->conf.dir;
	struct statvfs fs;
	uint64_t left;

	if (statvfs(dir, &fs) != 0 || fs.f_blocks == 0)
		return;
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (left < FREE_LEAST || fs.f_bavail < fs.f_blocks / 50)
		glt_doctor_find(d, GLT_D_disk_space, "make room, or move [store] dir",
				"%s has %llu MiB left, %llu of 100: less than 64 MiB or 2 of 100", dir,
				(unsigned long long)(left >> 20),
				(unsigned long long)fs.f_bavail * 100 / fs.f_blocks);
	else if (fs.f_files > 0 && fs.f_favail < 100)
		glt_doctor_find(d, GLT_D_disk_space, "make room, or move [store] dir", "%s has %llu inodes left",
				dir, (unsigned long long)fs.f_favail);
}

glt_doctor_check *const glt_doctor_files[] = {readable, settings, helper, programs, store_folder, disk, NULL};
