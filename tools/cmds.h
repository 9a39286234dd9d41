/* SPDX-License-Identifier: MIT */
/* The commands of gltoken(1), one file each. Each returns the exit status. */
#ifndef GLT_CMDS_H
#define GLT_CMDS_H

#include "cli.h"

int glt_cmd_init(struct glt_cli *cli, int argc, char **argv);
/* As root: each missing folder of the path, for all to pass through. */
int glt_make_folders(const struct glt_cli *cli, const char *path);
int glt_cmd_issue(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_list(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_setup(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_show(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_rotate(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_revoke(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_doctor(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_edit(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_scope(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_expire(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_identify(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_explain(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_member(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_member_import(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_user(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_user_sync(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_user_remove(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_key(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_notify(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_reap(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_repo(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_repo_adopt(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_repo_check(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_repo_create(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_repo_move(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_repo_remove(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_protect(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_policy(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_policy_check(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_apply(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_check(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_publish(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_audit(struct glt_cli *cli, int argc, char **argv);
/* audit list --would-deny */
int glt_audit_observed(struct glt_cli *cli, size_t limit);
int glt_cmd_audit_verify(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_backup(struct glt_cli *cli, int argc, char **argv);
/* Make and verify a backup in the file path, which is replaced if it is a backup. Exit status, after a message. */
struct glt_backup;
int glt_backup_file(struct glt_cli *cli, const char *path, struct glt_backup *made);
int glt_cmd_migrate(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_report(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_restore(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_export(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_import(struct glt_cli *cli, int argc, char **argv);
struct glt_import_from {
	enum {
		GLT_IMPORT_EXPORT,
		GLT_IMPORT_GITOLITE,
		GLT_IMPORT_KEYDIR,
		GLT_IMPORT_HTPASSWD,
		GLT_IMPORT_KEYS,
	} source;
	const char *file, *user;
	bool rw_as_developer;
};
int glt_import_from(struct glt_cli *cli, const struct glt_import_from *from, bool dry_run);
int glt_cmd_stats(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_tune(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_config(struct glt_cli *cli, int argc, char **argv);
int glt_cmd_config_edit(struct glt_cli *cli, int argc, char **argv);
/* Does what cli->conf names exist on this host? Says what does not. */
bool glt_config_fits(const struct glt_cli *cli);

#endif
