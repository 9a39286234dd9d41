/* SPDX-License-Identifier: MIT */
/* gltoken(1): the administrator's program. What a command does stands in its cmd_*.c. */
#include "cmds.h"
#include "when.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char intro[] = "Access tokens for Git on this host: issue, list, restrict and revoke them.\n";

static const struct glt_command commands[] = {
	{"setup", NULL, glt_cmd_setup, "set this host up: sshd, PAM, a web server; and take that back"},
	{"init", NULL, glt_cmd_init, "make the store"},
	{"issue", "create", glt_cmd_issue, "issue a token"},
	{"list", "ls", glt_cmd_list, "list tokens"},
	{"show", NULL, glt_cmd_show, "show all about one token"},
	{"rotate", NULL, glt_cmd_rotate, "replace a token by a new one with the same grants"},
	{"revoke", NULL, glt_cmd_revoke, "revoke tokens"},
	{"edit", NULL, glt_cmd_edit, "change name, description and restrictions; pause and resume"},
	{"scope", NULL, glt_cmd_scope, "change the scopes of a token"},
	{"expire", NULL, glt_cmd_expire, "change when a token expires"},
	{"identify", NULL, glt_cmd_identify, "say what tokens stand in a text on standard input"},
	{"explain", NULL, glt_cmd_explain, "say what a token may do, and why"},
	{"member", NULL, glt_cmd_member, "roles of users and groups on projects"},
	{"user", NULL, glt_cmd_user, "users: add, block, unblock, remove, list, sync"},
	{"key", NULL, glt_cmd_key, "SSH public keys of users, and deploy keys of projects"},
	{"repo", NULL, glt_cmd_repo, "repositories: create, list, adopt, check, move, remove"},
	{"protect", NULL, glt_cmd_protect, "who may push to which branches and tags"},
	{"policy", NULL, glt_cmd_policy, "what tokens may be here, and which of them are not"},
	{"apply", NULL, glt_cmd_apply, "bring users, members, refs and keys to what a file says"},
	{"check", NULL, glt_cmd_check, "check the store"},
	{"doctor", NULL, glt_cmd_doctor, "say what is wrong with this host, and what mends it"},
	{"report", NULL, glt_cmd_report, "a picture of all tokens, as one HTML file"},
	{"audit", NULL, glt_cmd_audit, "what was changed, when and by whom"},
	{"backup", NULL, glt_cmd_backup, "write the store into one file, while it is in use"},
	{"restore", NULL, glt_cmd_restore, "put a backup in the place of the store"},
	{"migrate", NULL, glt_cmd_migrate, "bring the store to the schema of this version, after a backup"},
	{"export", NULL, glt_cmd_export, "print everything for another host"},
	{"import", NULL, glt_cmd_import, "add what another host's export printed"},
	{"notify", NULL, glt_cmd_notify, "tell of tokens that expire soon"},
	{"reap", NULL, glt_cmd_reap, "remove tokens that are dead for long"},
	{"stats", NULL, glt_cmd_stats, "figures of the store and of the requests"},
	{"tune", NULL, glt_cmd_tune, "find what Argon2 may cost on this machine"},
	{"publish", NULL, glt_cmd_publish, "publish the accounts of bots and users to this system"},
	{"config", NULL, glt_cmd_config, "check the configuration"},
	{NULL, NULL, NULL, NULL},
};

/* A descriptor that is closed would be given to the store, and output would be written into it. The wrong
 * access mode makes use of the stand-in an error, as use of a closed descriptor is. */
static bool fill_descriptors(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd] | O_NOCTTY) != fd)
			return false;
	return true;
}

/* No secret in a core file or under a debugger. */
static void harden(void)
{
	const struct rlimit none = {0, 0};

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)umask(077);
}

/* "help member set" is "member set --help". */
static int help(struct glt_cli *cli, int argc, char **argv)
{
	static char option[] = "--help";
	char *args[8] = {argv[0]};
	int n = 1;

	for (int i = 2; i < argc && n < 6; i++)
		args[n++] = argv[i];
	args[n++] = option;
	return glt_cli_dispatch(cli, commands, intro, n, args);
}

static int run(struct glt_cli *cli, int argc, char **argv)
{
	if (strcmp(argv[1], "--version") == 0) {
		puts("gltoken " PACKAGE_VERSION);
		return GLT_EXIT_OK;
	}
	if (strcmp(argv[1], "help") == 0)
		return help(cli, argc, argv);
	return glt_cli_dispatch(cli, commands, intro, argc, argv);
}

int main(int argc, char **argv)
{
	static char buffer[65536]; /* may hold a token: wiped at the end */
	static struct glt_cli cli = {.command = "gltoken"};
	int status;

	if (argc < 1 || !fill_descriptors())
		return GLT_EXIT_UNAVAILABLE;
	harden();
	(void)setlocale(LC_ALL, "");
	(void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	cli.now = glt_now();
	if (argc < 2)
		glt_cli_usage(&cli, "a command is missing");
	glt_cli_no_secret(&cli, argc, argv);
	status = run(&cli, argc, argv);
	glt_cli_close(&cli);
	status = glt_cli_finish(&cli, status);
	explicit_bzero(buffer, sizeof(buffer));
	return status;
}
