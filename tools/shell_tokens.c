/* SPDX-License-Identifier: MIT */
#include "shell_tokens.h"

#include "client.h"
#include "pam_log.h"
#include "repo.h"
#include "shell_show.h"
#include "texts.h"
#include "when.h"
#include "words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define DAY 86400
#define DEFAULT_DAYS 30 /* gitlab-shell's */
#define MOST_DAYS 999999
#define MOST_PAGES 1000

struct run {
	const struct glt_shell_session *session;
	const char *operation; /* for the log */
	const char *target;    /* the token or path that was named, or NULL */
	struct glt_message request, reply;
	char why[512];
};

static int refuse(const char *text)
{
	glt_text_box(text);
	return 1;
}

/* ---- asking ---- */

static void begin(struct run *r, const char *verb, const char *action)
{
	glt_message_init(&r->request);
	glt_message_add(&r->request, "verb", verb);
	glt_message_add(&r->request, "ticket", r->session->ticket);
	glt_message_add(&r->request, "account", r->session->account);
	glt_message_add(&r->request, "action", action);
}

static void log_outcome(const struct run *r, enum glt_outcome outcome, const char *reason, const char *text)
{
	const struct glt_message *reply = outcome == GLT_FAILED ? NULL : &r->reply;
	struct glt_log_line line;

	glt_log_begin(&line, reply ? glt_message_get(reply, "log") : NULL, "token");
	glt_log_add(&line, "decision", outcome == GLT_ALLOW ? "allow" : "deny");
	glt_log_add(&line, "reason", reason);
	glt_log_add(&line, "operation", r->operation);
	glt_log_add(&line, "target", r->target);
	if (reply && outcome == GLT_ALLOW)
		glt_log_add(&line, "token", glt_message_get(reply, "id"));
	if (reply)
		glt_log_add(&line, "actor", glt_message_get(reply, "actor"));
	glt_log_add(&line, "account", r->session->account);
	if (reply) {
		glt_log_add(&line, "service", glt_message_get(reply, "service"));
		glt_log_add(&line, "rhost", glt_message_get(reply, "address"));
	}
	glt_log_add(&line, "text", outcome == GLT_ALLOW ? NULL : text);
	if (reply)
		glt_log_add(&line, "session", glt_message_get(reply, "session"));
	syslog(LOG_AUTHPRIV | (outcome == GLT_ALLOW  ? LOG_INFO
			       : outcome == GLT_DENY ? LOG_NOTICE
						     : LOG_ERR),
	       "%s", line.text);
}

/* The helper's own sentence, where it is about what was asked for and tells nothing that may not be known. */
static const char *sentence(const struct glt_message *reply, const char *reason)
{
	static const char *const said[] = {"bad_request", "policy", "scope_missing", "role_too_low", "not_yours"};
	const char *visible = glt_message_get(reply, "visible"), *text = glt_message_get(reply, "text");

	for (size_t i = 0; text && i < sizeof(said) / sizeof(*said); i++)
		if (!strcmp(reason, said[i]))
			return text;
	return glt_text_of(reason, visible && !strcmp(visible, "yes"), false).text;
}

/* False: the bearer was told why. */
static bool ask(struct run *r, bool quiet)
{
	enum glt_outcome outcome = glt_client_ask(&r->request, &r->reply, r->why, sizeof(r->why));
	bool failed = outcome == GLT_FAILED;
	const char *reason = failed ? NULL : glt_message_get(&r->reply, "reason");

	if (!quiet || outcome != GLT_ALLOW)
		log_outcome(r, outcome, failed ? "unavailable" : reason,
			    failed ? r->why : glt_message_get(&r->reply, "text"));
	if (outcome == GLT_ALLOW)
		return true;
	(void)refuse(outcome == GLT_DENY && reason ? sentence(&r->reply, reason)
						   : glt_text_of(NULL, false, false).text);
	return false;
}

/* ---- arguments ---- */

static void add_expiry(struct run *r, uintmax_t days)
{
	int64_t today = glt_now() / DAY * DAY;
	char when[GLT_WHEN_TEXT];

	glt_when_rfc3339(today + (int64_t)days * DAY, when);
	when[strcspn(when, "T")] = '\0';
	glt_message_add(&r->request, "expires", when);
}

/* gitlab-shell's count: the last day that it works is so many days ahead, and it ends as the next one begins. */
static bool add_ttl(struct run *r, const char *text)
{
	char message[GLT_WORDS_TEXT + 64], *end;
	uintmax_t days;

	errno = 0;
	days = strtoumax(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && days <= MOST_DAYS) {
		add_expiry(r, days + 1);
		return true;
	}
	(void)snprintf(message, sizeof(message), "Invalid value for days_ttl: '%s'", text);
	(void)refuse(message);
	return false;
}

static int print_new(struct run *r)
{
	if (!ask(r, false) || !glt_show_new(&r->reply))
		return 1;
	if (glt_message_get(&r->reply, "cut"))
		(void)fputs("It ends with the token of this login, sooner than was asked for.\n", stderr);
	return 0;
}

static int mint(struct run *r, const char *ttl)
{
	if (!ttl)
		add_expiry(r, DEFAULT_DAYS);
	else if (!add_ttl(r, ttl))
		return 1;
	return print_new(r);
}

/* ---- commands: argument n of the command is word[n], word[0] its name; absent ones are NULL ---- */

static int personal(struct run *r, const char *const *word)
{
	r->operation = "mint";
	begin(r, "change", "mint");
	glt_message_add(&r->request, "name", word[1]);
	glt_message_add(&r->request, "scopes", word[2]);
	return mint(r, word[3]);
}

/* A project that is no repository is a typing error. The disk is asked only for those who manage it, so that for
 * others neither the answer nor its time depends on what is there. */
static bool is_project(struct run *r, const char *text)
{
	char path[GLT_PATH_MAX + 1];
	struct glt_err err;
	struct glt_repo repo;
	enum glt_repo_status st;

	if (glt_path_normalise(text, path, &err) != GLT_OK) {
		(void)refuse(err.text);
		return false;
	}
	begin(r, "change", "list");
	glt_message_add(&r->request, "path", path);
	if (!ask(r, true))
		return false;
	st = glt_repo_open(r->session->repo_root, path, &repo);
	if (st == GLT_REPO_OK)
		close(repo.fd);
	if (st != GLT_REPO_ABSENT)
		return true;
	log_outcome(r, GLT_DENY, glt_repo_name(st), glt_repo_text(st));
	(void)refuse(GLT_TEXT_NOT_FOUND);
	return false;
}

static int bot(struct run *r, const char *const *word, const char *type)
{
	r->operation = "mint";
	r->target = word[1];
	if (!strcmp(type, "project") && !is_project(r, word[1]))
		return 1;
	begin(r, "change", "mint");
	glt_message_add(&r->request, "type", type);
	glt_message_add(&r->request, "path", word[1]);
	glt_message_add(&r->request, "name", word[2]);
	glt_message_add(&r->request, "scopes", word[3]);
	glt_message_add(&r->request, "role", word[4]);
	return mint(r, word[5]);
}

static int project(struct run *r, const char *const *word)
{
	return bot(r, word, "project");
}

static int group(struct run *r, const char *const *word)
{
	return bot(r, word, "group");
}

static int list(struct run *r, const char *const *word)
{
	char after[24] = "";

	r->operation = "list";
	r->target = word[1];
	for (int page = 0; page < MOST_PAGES; page++) {
		begin(r, "change", "list");
		glt_message_add(&r->request, "path", word[1]);
		glt_message_add(&r->request, "after", after[0] ? after : NULL);
		if (!ask(r, page > 0))
			return 1;
		if ((page == 0 && !glt_show_heading()) || !glt_show_rows(&r->reply))
			return 1;
		const char *next = glt_message_get(&r->reply, "next");
		if (!next)
			return fflush(stdout) ? 1 : 0;
		(void)snprintf(after, sizeof(after), "%s", next);
	}
	return refuse("There are more tokens than can be listed here.");
}

static int all(struct run *r, const char *const *word)
{
	const char *const none[] = {word[0], NULL};

	return list(r, none);
}

static void begin_target(struct run *r, const char *action, const char *target)
{
	r->operation = action;
	r->target = target;
	begin(r, "change", action);
	glt_message_add(&r->request, "target", target);
}

static int show(struct run *r, const char *const *word)
{
	begin_target(r, "show", word[1]);
	return ask(r, false) && glt_show_token(&r->reply) ? 0 : 1;
}

#define ROTATE_USAGE "tokens rotate <id|self> [ttl_days] [--overlap <span>]"

static int rotate(struct run *r, const char *const *word)
{
	const char *ttl = NULL, *overlap = NULL;

	for (size_t i = 2; word[i]; i++) {
		const char **to = strcmp(word[i], "--overlap") != 0 ? &ttl : word[++i] ? &overlap : NULL;

		if (!to || *to)
			return refuse("Usage: " ROTATE_USAGE);
		*to = word[i];
	}
	begin_target(r, "rotate", word[1]);
	glt_message_add(&r->request, "overlap", overlap);
	return ttl && !add_ttl(r, ttl) ? 1 : print_new(r);
}

static int revoke_one(struct run *r, const char *const *word)
{
	begin_target(r, "revoke", word[1]);
	glt_message_add(&r->request, "why", word[2]);
	if (!ask(r, false))
		return 1;
	printf("Revoked token %s.\n", glt_message_get(&r->reply, "id"));
	return fflush(stdout) ? 1 : 0;
}

static int whoami(struct run *r, const char *const *word)
{
	(void)word;
	r->operation = "whoami";
	begin(r, "authorize", NULL);
	glt_message_add(&r->request, "operation", "login");
	return ask(r, false) && glt_show_session(&r->reply) ? 0 : 1;
}

static int help(struct run *r, const char *const *word);

/* Most words first where one name has several. */
static const struct command {
	const char *name, *sub; /* sub: a second word that must stand there, or NULL */
	size_t least, most;     /* arguments */
	int (*run)(struct run *, const char *const *word);
	const char *usage;
} commands[] = {
	{"personal_access_token", NULL, 2, 3, personal,
	 "personal_access_token <name> <scope1[,scope2,...]> [ttl_days]"},
	{"project_access_token", NULL, 4, 5, project,
	 "project_access_token <path> <name> <scope1[,scope2,...]> <role> [ttl_days]"},
	{"group_access_token", NULL, 4, 5, group,
	 "group_access_token <path> <name> <scope1[,scope2,...]> <role> [ttl_days]"},
	{"tokens", "list", 0, 1, list, "tokens list [path]"},
	{"tokens", "show", 1, 1, show, "tokens show <id|self>"},
	{"tokens", "rotate", 1, 4, rotate, ROTATE_USAGE},
	{"tokens", "revoke", 1, 2, revoke_one, "tokens revoke <id|self> [reason]"},
	{"tokens", NULL, 0, 0, all, "tokens [list|show|rotate|revoke]"},
	{"whoami", NULL, 0, 0, whoami, "whoami"},
	{"help", NULL, 0, 0, help, "help"},
};
#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

static int help(struct run *r, const char *const *word)
{
	(void)r;
	(void)word;
	puts("Commands, as in: ssh git@host whoami");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %s\n", commands[i].usage);
	puts("A name with blanks is quoted twice: ssh git@host \"personal_access_token 'my laptop' read_repository\"");
	return fflush(stdout) ? 1 : 0;
}

/* ---- which command ---- */

bool glt_shell_tokens_knows(const char *command)
{
	command += strspn(command, " ");
	size_t len = strcspn(command, " ");

	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strlen(commands[i].name) == len && !strncmp(commands[i].name, command, len))
			return true;
	return false;
}

static int usage(const struct command *c)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "Usage: %s", c->usage);
	return refuse(text);
}

static int dispatch(struct run *r, const struct glt_words *words)
{
	for (size_t i = 0; i < N_COMMANDS; i++) {
		const struct command *c = &commands[i];
		const char *word[GLT_WORDS_MAX + 1] = {NULL};
		size_t first = c->sub ? 1 : 0, args = words->n - 1 - first;

		if (words->n <= first || strcmp(words->word[0], c->name) != 0 ||
		    (c->sub && strcmp(words->word[1], c->sub) != 0))
			continue;
		if (args < c->least || args > c->most)
			return usage(c);
		memcpy(word, words->word + first, (args + 1) * sizeof(*word));
		return c->run(r, word);
	}
	return refuse("Disallowed command");
}

int glt_shell_tokens(const struct glt_shell_session *session, const char *command)
{
	struct run r = {.session = session};
	struct glt_words words = {.n = 0};
	struct glt_err err;
	int rc;

	if (glt_words_parse(command, &words, &err) != GLT_OK)
		return refuse(err.text);
	rc = dispatch(&r, &words);
	glt_message_wipe(&r.request);
	glt_message_wipe(&r.reply);
	return rc;
}
