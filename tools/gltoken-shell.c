/* SPDX-License-Identifier: MIT */
/*
 * Login shell and ForceCommand of accounts that serve Git over SSH, and nothing but Git and its tokens.
 *
 * The client chooses the command, and perhaps its environment. Who it is stands in neither: sshd hands over the
 * ticket that the PAM module made at the login, and gltoken-auth reads from it who may do what. A command that
 * claims an identity is a command that is not known here.
 *
 *   login shell                   gltoken-shell -c COMMAND
 *   login shell and ForceCommand  gltoken-shell -c /usr/bin/gltoken-shell   COMMAND in SSH_ORIGINAL_COMMAND
 *   ForceCommand, another shell   gltoken-shell                             COMMAND in SSH_ORIGINAL_COMMAND
 *   no command                    gltoken-shell, or the second without SSH_ORIGINAL_COMMAND
 */
#include "account.h"
#include "client.h"
#include "conf_files.h"
#include "gitcmd.h"
#include "gitenv.h"
#include "gitolite.h"
#include "log.h"
#include "repo.h"
#include "run.h"
#include "safe.h"
#include "shell_tokens.h"
#include "texts.h"
#include "ticket.h"
#include "when.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define SESSION_VARIABLE "GLTOKEN_SESSION"
#define WARN_BEFORE (7 * 24 * 3600)

struct shell {
	struct glt_conf conf;
	struct glt_account account;
	char ticket[GLT_TICKET_MAX];
	struct glt_message answer; /* of the one question about the repository itself */
	char why[512];
};

static int refuse(const char *text)
{
	glt_text_box(text);
	return 1;
}

static int refuse_unavailable(const struct shell *sh, const char *operation, const char *path, const char *reason,
			      const char *text)
{
	struct glt_log_git g = {.reason = reason,
				.operation = operation,
				.repository = path,
				.account = sh->account.name,
				.text = text,
				.format = sh->conf.log_json ? "json" : NULL};
	glt_log_git(&g, true);
	return refuse(glt_text_of(NULL, false, false).text);
}

static enum glt_outcome authorize(struct shell *sh, const char *operation, const char *path,
				  struct glt_message *answer)
{
	struct glt_message request;
	glt_message_init(&request);
	glt_message_add(&request, "verb", "authorize");
	glt_message_add(&request, "ticket", sh->ticket);
	glt_message_add(&request, "operation", operation);
	glt_message_add(&request, "repository", path);
	glt_message_add(&request, "account", sh->account.name);
	return glt_client_ask(&request, answer, sh->why, sizeof(sh->why));
}

/* ---- what the bearer reads ---- */

static bool is_yes(const struct glt_message *answer, const char *key)
{
	const char *value = glt_message_get(answer, key);
	return value && !strcmp(value, "yes");
}

/* False: it does not expire. */
static bool expiry(const struct glt_message *answer, int64_t now, int64_t *at)
{
	const char *text = glt_message_get(answer, "expires_at");
	return text && *text && glt_when_parse("expires_at", text, now, at, NULL) == GLT_OK &&
	       *at != GLT_WHEN_NEVER;
}

static void warn_of_expiry(const struct glt_message *answer)
{
	int64_t now = glt_now(), at;
	if (!expiry(answer, now, &at) || at - now > WARN_BEFORE)
		return;
	const char *name = glt_message_get(answer, "name");
	int64_t minutes = at > now ? (at - now) / 60 : 0;
	fputs("remote: WARNING: your access token \"", stderr);
	glt_safe_put(stderr, name ? name : "");
	fputs("\" expires in ", stderr);
	if (minutes >= 2 * 24 * 60)
		fprintf(stderr, "%" PRId64 " days", (minutes + 12 * 60) / (24 * 60));
	else if (minutes >= 2 * 60)
		fprintf(stderr, "%" PRId64 " hours", (minutes + 30) / 60);
	else
		fprintf(stderr, "%" PRId64 " minutes", minutes);
	fprintf(stderr, ", at %s.\n", glt_message_get(answer, "expires_at"));
}

static void welcome(const struct glt_message *answer)
{
	const char *owner = glt_message_get(answer, "owner"), *name = glt_message_get(answer, "name");
	const char *type = glt_message_get(answer, "type");
	int64_t at;
	fputs("Welcome to gltoken, @", stdout);
	/* A deploy key has no owner. */
	glt_safe_put(stdout, owner && *owner ? owner : name ? name : "");
	if (type && !strcmp(type, "key")) {
		fputs("! You are logged in with a public key", stdout);
	} else if (type && !strcmp(type, "account")) {
		fputs("! You are logged in to your own account", stdout);
	} else {
		fputs("! You are logged in with the access token \"", stdout);
		glt_safe_put(stdout, name ? name : "");
		fputs("\"", stdout);
		if (expiry(answer, glt_now(), &at))
			printf(", which expires at %s", glt_message_get(answer, "expires_at"));
		else
			fputs(", which does not expire", stdout);
	}
	fputs(".\n", stdout);
}

static int serve_welcome(struct shell *sh)
{
	enum glt_outcome outcome = authorize(sh, "login", NULL, &sh->answer);
	if (outcome == GLT_FAILED)
		return refuse_unavailable(sh, "login", NULL, "unavailable", sh->why);
	const char *reason = glt_message_get(&sh->answer, "reason");
	struct glt_log_git g = {.allow = outcome == GLT_ALLOW,
				.reason = reason,
				.operation = "login",
				.account = sh->account.name,
				.text = glt_message_get(&sh->answer, "text"),
				.answer = &sh->answer};
	struct glt_text text = glt_text_of(reason, false, false);
	glt_log_git(&g, !g.allow && text.refusal == GLT_REFUSAL_UNAVAILABLE);
	if (!g.allow)
		return refuse(text.text);
	welcome(&sh->answer);
	return fflush(stdout) ? 1 : 0;
}

/* ---- git ---- */

static int refuse_answer(const struct shell *sh, const struct glt_gitcmd *cmd, const char *operation)
{
	const char *reason = glt_message_get(&sh->answer, "reason");
	struct glt_text text = glt_text_of(reason, is_yes(&sh->answer, "visible"), cmd->push);
	struct glt_log_git g = {.reason = reason,
				.operation = operation,
				.repository = cmd->path,
				.account = sh->account.name,
				.text = glt_message_get(&sh->answer, "text"),
				.answer = &sh->answer};
	glt_log_git(&g, text.refusal == GLT_REFUSAL_UNAVAILABLE);
	/* Only for those who may know whether it exists is the disk asked, so that for the others neither text nor
	 * time depends on it. Who that is, is not known here where gitolite.conf says it. */
	if (text.refusal == GLT_REFUSAL_FORBIDDEN && !sh->conf.gitolite) {
		struct glt_repo repo;
		if (glt_repo_open(sh->conf.repo_root, cmd->path, &repo) != GLT_REPO_OK)
			return refuse(GLT_TEXT_NOT_FOUND);
		close(repo.fd);
	}
	return refuse(text.text);
}

static int refuse_repository(const struct shell *sh, const struct glt_gitcmd *cmd, const char *operation,
			     enum glt_repo_status status, const char *culprit)
{
	bool trouble = status == GLT_REPO_UNREADABLE || status == GLT_REPO_UNAVAILABLE;
	char text[256 + GLT_PATH_MAX];
	snprintf(text, sizeof(text), "%s%s%s", glt_repo_text(status), *culprit ? ": " : "", culprit);
	struct glt_log_git g = {.reason = glt_repo_name(status),
				.operation = operation,
				.repository = cmd->path,
				.account = sh->account.name,
				.text = text,
				.answer = &sh->answer};
	glt_log_git(&g, trouble);
	switch (status) {
	case GLT_REPO_ALTERNATE_DENIED:
		return refuse("This project borrows objects from another one that you may not read.");
	case GLT_REPO_ALTERNATE_OUTSIDE:
	case GLT_REPO_ALTERNATE_DEEP:
	case GLT_REPO_AMBIGUOUS:
	case GLT_REPO_UNREADABLE:
		return refuse(
			"This project cannot be served as it is. Please tell the administrator of this host.");
	case GLT_REPO_UNAVAILABLE:
		return refuse(glt_text_of(NULL, false, false).text);
	default:
		return refuse(GLT_TEXT_NOT_FOUND);
	}
}

static bool may_read(void *arg, const char *project)
{
	struct shell *sh = arg;
	struct glt_message answer;
	return authorize(sh, "pull", project, &answer) == GLT_ALLOW;
}

static int not_run(struct shell *sh, const char *operation, const char *path, const char *program)
{
	snprintf(sh->why, sizeof(sh->why), "cannot run %s: %m", program);
	return refuse_unavailable(sh, operation, path, "no_git", sh->why);
}

/* It looks for the repository itself, by the name that was decided on, and in its own home. */
static int become_gitolite(struct shell *sh, const struct glt_gitcmd *cmd, const char *operation,
			   const struct glt_repo *repo, struct glt_gitenv *env)
{
	char user[GLT_NAME_MAX + 1];
	if (!glt_gitolite_user(&sh->answer, user)) {
		refuse_unavailable(sh, operation, cmd->path, "gitolite_user", "gitolite takes no such user name");
		return 1;
	}
	glt_gitolite_ssh(env, cmd->program, cmd->path, getenv("SSH_CONNECTION"));
	env->directory = sh->account.home;
	explicit_bzero(sh->ticket, sizeof(sh->ticket));
	fflush(stderr);
	glt_gitenv_exec(env, repo, sh->conf.umask_bits, (char *const[]){sh->conf.gitolite_shell, user, NULL});
	return not_run(sh, operation, cmd->path, sh->conf.gitolite_shell);
}

static int become_git(struct shell *sh, const struct glt_gitcmd *cmd, const char *operation,
		      const struct glt_repo *repo)
{
	struct glt_gitenv_from from = {
		.via = "ssh",
		.account = sh->account.name,
		.home = sh->account.home,
		.git_protocol = getenv("GIT_PROTOCOL"),
		.repo = repo,
		.answer = &sh->answer,
		.push = cmd->push,
		.ticket = sh->ticket,
	};
	struct glt_gitenv env;
	glt_gitenv_init(&env, &from);
	if (sh->conf.gitolite)
		return become_gitolite(sh, cmd, operation, repo, &env);
	char git[] = "git", strict[] = "--strict", here[] = ".", program[32];
	snprintf(program, sizeof(program), "%s", cmd->program);
	/* --strict: never look for another repository beside the one that was opened. Only upload-pack has it. */
	bool upload_pack = !strcmp(program, "upload-pack");
	char *const args[] = {git, program, upload_pack ? strict : here, upload_pack ? here : NULL, NULL};
	explicit_bzero(sh->ticket, sizeof(sh->ticket));
	fflush(stderr);
	glt_gitenv_exec(&env, repo, sh->conf.umask_bits, args);
	return not_run(sh, operation, cmd->path, "git");
}

/* Ask, and open it. 0, or the exit status of the refusal. */
static int admit(struct shell *sh, const struct glt_gitcmd *cmd, const char *operation, struct glt_repo *repo)
{
	char culprit[GLT_PATH_MAX + 1] = "";

	enum glt_outcome outcome = authorize(sh, operation, cmd->path, &sh->answer);
	if (outcome == GLT_FAILED)
		return refuse_unavailable(sh, operation, cmd->path, "unavailable", sh->why);
	if (outcome != GLT_ALLOW)
		return refuse_answer(sh, cmd, operation);

	enum glt_repo_status status = glt_repo_open(sh->conf.repo_root, cmd->path, repo);
	if (status == GLT_REPO_OK)
		status = glt_repo_alternates(sh->conf.repo_root, repo, may_read, sh, culprit);
	else if (status == GLT_REPO_ABSENT && sh->conf.gitolite) { /* which may make it now */
		glt_gitolite_unborn(&sh->conf, cmd->path, repo);
		status = GLT_REPO_OK;
	}
	if (status != GLT_REPO_OK)
		return refuse_repository(sh, cmd, operation, status, culprit);

	struct glt_log_git g = {.allow = true,
				.reason = "ok",
				.operation = operation,
				.repository = cmd->path,
				.account = sh->account.name,
				.command = cmd->lfs ? cmd->program : NULL,
				.answer = &sh->answer};
	glt_log_git(&g, false);
	return 0;
}

static int serve_git(struct shell *sh, const struct glt_gitcmd *cmd)
{
	const char *operation = cmd->push ? "push" : "pull";
	struct glt_repo repo;
	int refused = admit(sh, cmd, operation, &repo);
	if (refused)
		return refused;
	warn_of_expiry(&sh->answer);
	return become_git(sh, cmd, operation, &repo);
}

static int log_command(const struct shell *sh, const char *command, const char *reason, const char *text)
{
	struct glt_log_git g = {.reason = reason,
				.account = sh->account.name,
				.command = command,
				.text = text,
				.format = sh->conf.log_json ? "json" : NULL};
	glt_log_git(&g, false);
	return 1;
}

/* ---- Git LFS ---- */

static int become_lfs(struct shell *sh, const struct glt_gitcmd *cmd, const char *operation,
		      const struct glt_repo *repo)
{
	const struct glt_gitenv_from from = {
		.via = "ssh",
		.account = sh->account.name,
		.home = sh->account.home,
		.repo = repo,
		.answer = &sh->answer,
	};
	struct glt_gitenv env;
	char here[] = ".", asked[16], *args[32];
	glt_gitenv_init(&env, &from);
	snprintf(asked, sizeof(asked), "%s", cmd->lfs);
	size_t n = glt_run_split(sh->conf.lfs_transfer, args, sizeof(args) / sizeof(*args) - 2);
	explicit_bzero(sh->ticket, sizeof(sh->ticket));
	errno = E2BIG;
	if (n > 0) {
		args[n] = here;
		args[n + 1] = asked;
		args[n + 2] = NULL;
		glt_gitenv_exec(&env, repo, sh->conf.umask_bits, args);
	}
	return not_run(sh, operation, cmd->path, "lfs_transfer");
}

/* git-lfs asks for this where the other is refused, and goes on over HTTPS with the credentials that git has for it. */
static int answer_lfs(const struct shell *sh, const struct glt_gitcmd *cmd)
{
	printf("{\"href\":\"%s/%s.git/info/lfs\",\"header\":{},\"expires_in\":3600}\n", sh->conf.lfs_url,
	       cmd->path);
	return fflush(stdout) ? 1 : 0;
}

static int serve_lfs(struct shell *sh, const struct glt_gitcmd *cmd, const char *command)
{
	bool transfer = !strcmp(cmd->program, "lfs-transfer");
	const char *operation = cmd->push ? "push" : "pull",
		   *setting = transfer ? sh->conf.lfs_transfer : sh->conf.lfs_url;
	struct glt_repo repo;
	/* git-lfs shows it as its own error, so without the frame. */
	if (!*setting) {
		fputs(sh->conf.lfs_transfer[0] ? "Git LFS works over SSH here: git-lfs 3.0 or later is needed.\n"
		      : sh->conf.lfs_url[0]    ? "Git LFS works over HTTPS here.\n"
					       : "Git LFS is not available on this host.\n",
		      stderr);
		return log_command(sh, command, "no_lfs", NULL);
	}
	if (!*cmd->path) {
		fprintf(stderr, "%s\n", cmd->err.text);
		return log_command(sh, command, "bad_command", cmd->err.text);
	}
	int refused = admit(sh, cmd, operation, &repo);
	if (refused)
		return refused;
	return transfer ? become_lfs(sh, cmd, operation, &repo) : answer_lfs(sh, cmd);
}

/* ---- start ---- */

static int serve_tokens(const struct shell *sh, const char *command)
{
	const struct glt_shell_session session = {.ticket = sh->ticket,
						  .account = sh->account.name,
						  .repo_root = sh->conf.repo_root};

	return glt_shell_tokens(&session, command);
}

static int serve(struct shell *sh, const char *command)
{
	struct glt_gitcmd cmd;
	glt_gitcmd_parse(command, command ? strlen(command) : 0, &cmd);
	switch (cmd.kind) {
	case GLT_GITCMD_EMPTY:
		return serve_welcome(sh);
	case GLT_GITCMD_GIT:
		return serve_git(sh, &cmd);
	case GLT_GITCMD_INVALID:
		glt_text_box(cmd.err.text);
		return log_command(sh, command, "bad_command", cmd.err.text);
	case GLT_GITCMD_LFS:
		return serve_lfs(sh, &cmd, command);
	case GLT_GITCMD_OTHER:
		if (glt_shell_tokens_knows(command))
			return serve_tokens(sh, command);
		break;
	}
	fputs("Disallowed command\n", stderr);
	return log_command(sh, command, "disallowed_command", NULL);
}

/* Into memory of our own, and out of the environment that others of this uid might read. */
static void take_ticket(struct shell *sh)
{
	char *value = getenv(SESSION_VARIABLE);
	size_t len = value ? strlen(value) : 0;
	snprintf(sh->ticket, sizeof(sh->ticket), "%s", len && len < sizeof(sh->ticket) ? value : "none");
	if (value)
		explicit_bzero(value, len);
	unsetenv(SESSION_VARIABLE);
}

/* Bots have the uid of git: which of them it is, sshd says in LOGNAME. Whose ticket it is does not hang on that. */
static enum glt_status find_account(struct glt_account *out, struct glt_err *err)
{
	const char *name = getenv("LOGNAME");
	if (name && getuid() && glt_account_by_name(name, out, err) == GLT_OK && out->uid == getuid())
		return GLT_OK;
	return glt_account_by_uid(getuid(), out, err);
}

static int start(struct shell *sh, const char *command)
{
	struct glt_err err;
	if (find_account(&sh->account, &err) != GLT_OK ||
	    glt_conf_read(GLT_CONF_FILE, GLT_CONF_VALID, &sh->conf, &err) != GLT_OK)
		return refuse_unavailable(sh, NULL, NULL, "config_error", err.text);
	return serve(sh, command);
}

/* The ticket must not be in a core file or readable to others of this uid, and no file that sshd or its caller left
 * open may reach git. A missing 0, 1 or 2 would be taken by the next file that is opened. */
static bool harden(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) || close_range(STDERR_FILENO + 1, ~0U, 0))
		return false;
	int fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = dup(fd);
	if (fd < 0)
		return false;
	close(fd);
	return !setvbuf(stderr, NULL, _IOLBF, 1024);
}

static int usage(FILE *out, int status)
{
	fputs("usage: gltoken-shell [-c COMMAND]\n"
	      "Login shell or ForceCommand of accounts that serve Git; see gltoken-shell(1).\n",
	      out);
	return status;
}

int main(int argc, char **argv)
{
	if (!harden())
		return 1;
	glt_log_open("gltoken-shell");
	static struct shell sh;
	take_ticket(&sh);

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout, 0);
	if (argc == 2 && !strcmp(argv[1], "--version"))
		return puts("gltoken-shell (gltoken) " PACKAGE_VERSION) < 0;
	if (argc != 1 && (argc != 3 || strcmp(argv[1], "-c")))
		return usage(stderr, 2);

	bool original = argc == 1 || glt_gitcmd_is_shell(argv[2]);
	int status = start(&sh, original ? getenv("SSH_ORIGINAL_COMMAND") : argv[2]);
	explicit_bzero(&sh, sizeof(sh));
	return status;
}
