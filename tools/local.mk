# SPDX-License-Identifier: MIT

# ---- what the programs share; each takes of it what it needs ----

noinst_LIBRARIES += libglt_tools.a
libglt_tools_a_SOURCES = \
	pam_gltoken/pam_log.c \
	pam_gltoken/pam_log.h \
	tools/applyfile.c \
	tools/applyfile.h \
	tools/backupdir.c \
	tools/backupdir.h \
	tools/backupfile.c \
	tools/backupfile.h \
	tools/beside.c \
	tools/beside.h \
	tools/bounded.c \
	tools/bounded.h \
	tools/bulk.c \
	tools/bulk.h \
	tools/bulk_out.c \
	tools/bulk_out.h \
	tools/chain.c \
	tools/chain.h \
	tools/checks.c \
	tools/checks.h \
	tools/child.c \
	tools/child.h \
	tools/cli.c \
	tools/cli.h \
	tools/cli_open.c \
	tools/cmds.h \
	tools/csv.c \
	tools/csv.h \
	tools/doctor.c \
	tools/doctor.h \
	tools/doctor_accounts.c \
	tools/doctor_beside.c \
	tools/doctor_files.c \
	tools/doctor_host.c \
	tools/doctor_pam.c \
	tools/doctor_repos.c \
	tools/doctor_sshd.c \
	tools/doctor_store.c \
	tools/events.c \
	tools/events.h \
	tools/gitcmd.c \
	tools/gitcmd.h \
	tools/gitenv.c \
	tools/gitenv.h \
	tools/gitolite.c \
	tools/gitolite.h \
	tools/holder.c \
	tools/holder.h \
	tools/http_request.c \
	tools/http_request.h \
	tools/import.c \
	tools/import.h \
	tools/import_put.c \
	tools/import_read.c \
	tools/import_valid.c \
	tools/input.c \
	tools/input.h \
	tools/intake.c \
	tools/intake.h \
	tools/intake_gitolite.c \
	tools/intake_gitolite.h \
	tools/intake_grants.c \
	tools/intake_lists.c \
	tools/issue_args.c \
	tools/issue_args.h \
	tools/issued.c \
	tools/issued.h \
	tools/keyfile.c \
	tools/keyfile.h \
	tools/lfsbatch.c \
	tools/lfsbatch.h \
	tools/log.c \
	tools/log.h \
	tools/named.c \
	tools/named.h \
	tools/names.c \
	tools/names.h \
	tools/newrepo.c \
	tools/newrepo.h \
	tools/notice_json.c \
	tools/notice_json.h \
	tools/nsswitch.c \
	tools/nsswitch.h \
	tools/portable.c \
	tools/portable.h \
	tools/principal.c \
	tools/principal.h \
	tools/progress.c \
	tools/progress.h \
	tools/protect.c \
	tools/protect.h \
	tools/records.c \
	tools/records.h \
	tools/replay.c \
	tools/replay.h \
	tools/replay_read.c \
	tools/repo.c \
	tools/repo.h \
	tools/report.c \
	tools/report.h \
	tools/report_access.c \
	tools/report_html.c \
	tools/report_svg.c \
	tools/report_tokens.c \
	tools/repocheck.c \
	tools/repocheck.h \
	tools/repofiles.c \
	tools/repofiles.h \
	tools/repomend.c \
	tools/reposcan.c \
	tools/reposcan.h \
	tools/restore.c \
	tools/restore.h \
	tools/rows.c \
	tools/rows.h \
	tools/run.c \
	tools/run.h \
	tools/safe.c \
	tools/safe.h \
	tools/scan.c \
	tools/scan.h \
	tools/select.c \
	tools/select.h \
	tools/shell_show.c \
	tools/shell_show.h \
	tools/shell_tokens.c \
	tools/shell_tokens.h \
	tools/stats.c \
	tools/stats.h \
	tools/stats_print.c \
	tools/table.c \
	tools/table.h \
	tools/target.c \
	tools/target.h \
	tools/term.c \
	tools/term.h \
	tools/texts.c \
	tools/texts.h \
	tools/tokenfile.c \
	tools/tokenfile.h \
	tools/userput.c \
	tools/userput.h \
	tools/view.c \
	tools/view.h \
	tools/words.c \
	tools/words.h
TOOLS_LIBS = libglt_tools.a libglt_ask.a $(CORE_LIBS) $(SMARTCOLS_LIBS) $(JANSSON_LIBS)

# ---- the admin CLI ----

bin_PROGRAMS += tools/gltoken
tools_gltoken_SOURCES = \
	tools/apply.c \
	tools/apply.h \
	tools/apply_prune.c \
	tools/cmd_apply.c \
	tools/cmd_audit.c \
	tools/cmd_audit_observed.c \
	tools/cmd_audit_verify.c \
	tools/cmd_backup.c \
	tools/cmd_check.c \
	tools/cmd_config.c \
	tools/cmd_config_edit.c \
	tools/cmd_doctor.c \
	tools/cmd_edit.c \
	tools/cmd_expire.c \
	tools/cmd_explain.c \
	tools/cmd_export.c \
	tools/cmd_identify.c \
	tools/cmd_import.c \
	tools/cmd_import_from.c \
	tools/cmd_init.c \
	tools/cmd_issue.c \
	tools/cmd_key.c \
	tools/cmd_list.c \
	tools/cmd_member.c \
	tools/cmd_member_import.c \
	tools/cmd_migrate.c \
	tools/cmd_notify.c \
	tools/cmd_policy.c \
	tools/cmd_policy_check.c \
	tools/cmd_protect.c \
	tools/cmd_publish.c \
	tools/cmd_reap.c \
	tools/cmd_repo.c \
	tools/cmd_repo_adopt.c \
	tools/cmd_repo_check.c \
	tools/cmd_repo_create.c \
	tools/cmd_repo_move.c \
	tools/cmd_repo_remove.c \
	tools/cmd_report.c \
	tools/cmd_restore.c \
	tools/cmd_revoke.c \
	tools/cmd_rotate.c \
	tools/cmd_scope.c \
	tools/cmd_setup.c \
	tools/cmd_show.c \
	tools/cmd_stats.c \
	tools/cmd_tune.c \
	tools/cmd_user.c \
	tools/cmd_user_remove.c \
	tools/cmd_user_sync.c \
	tools/gltoken.c
tools_gltoken_LDADD = $(TOOLS_LIBS) $(PAM_LIBS)

glibexec_SCRIPTS += tools/gltoken-setup
dist_glibexec_DATA = tools/gltoken-setup-journal.sh tools/gltoken-setup-json.sh

# ---- login shell, keys and prompts ----

bin_PROGRAMS += tools/gltoken-shell
tools_gltoken_shell_SOURCES = tools/gltoken-shell.c
tools_gltoken_shell_LDADD = libglt_tools.a libglt_ask.a $(REQUEST_LIBS)

glibexec_PROGRAMS += tools/gltoken-keys
tools_gltoken_keys_SOURCES = tools/gltoken-keys.c
tools_gltoken_keys_LDADD = $(TOOLS_LIBS)

# ---- mail for gltoken notify ----

glibexec_PROGRAMS += tools/gltoken-notify-mail
tools_gltoken_notify_mail_SOURCES = tools/gltoken-notify-mail.c
tools_gltoken_notify_mail_LDADD = libglt_tools.a libglt_core.a $(JANSSON_LIBS)

# ---- the CGI ----

glibexec_PROGRAMS += tools/gltoken-http
tools_gltoken_http_SOURCES = tools/gltoken-http.c
tools_gltoken_http_LDADD = libglt_tools.a libglt_ask.a $(REQUEST_LIBS) $(REQUEST_JSON_LIBS)

# ---- every hook of a push ----

glibexec_PROGRAMS += tools/gltoken-hook
tools_gltoken_hook_SOURCES = tools/gltoken-hook.c tools/fetchrefs.c tools/fetchrefs.h tools/transfer.c tools/transfer.h
tools_gltoken_hook_LDADD = libglt_tools.a libglt_ask.a libglt_core.a

bin_PROGRAMS += tools/gltoken-askpass
tools_gltoken_askpass_SOURCES = tools/gltoken-askpass.c
tools_gltoken_askpass_LDADD = libglt_tools.a

bin_PROGRAMS += tools/git-credential-gltoken
tools_git_credential_gltoken_SOURCES = \
	tools/credential.h \
	tools/credential_conf.c \
	tools/credential_renew.c \
	tools/git-credential-gltoken.c
tools_git_credential_gltoken_LDADD = libglt_tools.a libglt_core.a

EXTRA_DIST += tools/package-deb tools/quickstart
