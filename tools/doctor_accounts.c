/* SPDX-License-Identifier: MIT */
/* The accounts that tokens open, their shells, groups and homes. */
#include "doctor.h"

#include "account.h"
#include "privdrop.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void store_account(struct glt_doctor *d)
{
	struct glt_err err;
	uid_t uid;
	gid_t gid;

	if (glt_privdrop_lookup(&uid, &gid, &err) != GLT_OK)
		glt_doctor_find(d, GLT_D_account_missing, "systemd-sysusers", "%s", err.text);
}

/* Of files that sshd, git or a shell obey, and of the home itself, none may be the account's. */
static void home(struct glt_doctor *d, const struct glt_account *a)
{
	char command[1400];
	struct stat sb;

	if (stat(a->home, &sb) != 0 || (sb.st_uid == 0 && (sb.st_mode & 022) == 0))
		return;
	(void)snprintf(command, sizeof(command), "chown root: %s && chmod go-w %s", glt_doctor_quote(a->home),
		       glt_doctor_quote(a->home));
	glt_doctor_find(
		d, GLT_D_account_home, command,
		"%s, the home of %s, belongs to uid %u and has mode %04o: it must be root's, and not writable",
		a->home, a->name, sb.st_uid, sb.st_mode & 07777);
}

static void one_shared(struct glt_doctor *d, const char *name)
{
	struct glt_account a;
	struct glt_err err;
	char command[400];
	bool in = false;

	if (glt_account_by_name(name, &a, &err) != GLT_OK) {
		glt_doctor_find(d, GLT_D_account_missing, NULL, "[git] shared_accounts: %s", err.text);
		return;
	}
	if (glt_account_shell(&a) != GLT_SHELL_GLTOKEN) {
		(void)snprintf(command, sizeof(command), "usermod --shell " GLT_SHELL_PATH " %s", name);
		glt_doctor_find(d, GLT_D_account_shell, command, "the login shell of %s is %s", name, a.shell);
	}
	if (glt_account_in_group(&a, GLT_STORE_USER, &in, &err) == GLT_OK && !in) {
		(void)snprintf(command, sizeof(command), "usermod --append --groups " GLT_STORE_USER " %s", name);
		glt_doctor_find(d, GLT_D_account_group, command, "%s is not in group " GLT_STORE_USER, name);
	}
	home(d, &a);
}

static void shared(struct glt_doctor *d)
{
	for (size_t i = 0; i < GLT_CONF_LIST && d->cli->conf.shared_accounts[i][0]; i++)
		one_shared(d, d->cli->conf.shared_accounts[i]);
}

static bool is_no_shell(const char *shell)
{
	const char *slash = strrchr(shell, '/');

	shell = slash ? slash + 1 : shell;
	return strcmp(shell, "nologin") == 0 || strcmp(shell, "false") == 0;
}

/* Who is only meant to ask (www-data) has no shell; who has one loses it by the drop-in. */
static void members(struct glt_doctor *d)
{
	const struct group *g = getgrnam(GLT_STORE_USER);

	for (char **m = g ? g->gr_mem : NULL; m && *m; m++) {
		struct glt_account a;
		char command[200];

		if (glt_conf_is_shared(&d->cli->conf, *m) || glt_account_by_name(*m, &a, NULL) != GLT_OK ||
		    glt_account_shell(&a) != GLT_SHELL_OTHER || is_no_shell(a.shell))
			continue;
		(void)snprintf(command, sizeof(command), "gpasswd --delete %s " GLT_STORE_USER, a.name);
		glt_doctor_find(d, GLT_D_member_shell, command,
				"%s is in group " GLT_STORE_USER " and has the shell %s", a.name, a.shell);
	}
}

static void notify(struct glt_doctor *d)
{
	const struct glt_conf *conf = &d->cli->conf;
	char program[sizeof(conf->notify_command)];
	struct glt_account a;
	struct glt_err err;

	if (!conf->notify_command[0])
		return;
	(void)snprintf(program, sizeof(program), "%.*s", (int)strcspn(conf->notify_command, " \t"),
		       conf->notify_command);
	if (access(program, X_OK) != 0)
		glt_doctor_find(d, GLT_D_notify_command, "set command in [notify] of " GLT_CONF_FILE,
				"[notify] command: %s: %s", program, strerror(errno));
	if (glt_account_by_name(conf->notify_user, &a, &err) != GLT_OK)
		glt_doctor_find(d, GLT_D_notify_command, "set user in [notify] of " GLT_CONF_FILE,
				"[notify] user: %s", err.text);
}

glt_doctor_check *const glt_doctor_accounts[] = {store_account, shared, members, notify, NULL};
