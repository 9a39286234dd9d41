/* SPDX-License-Identifier: MIT */
/*
 * [notify] command = .../gltoken-notify-mail [OPTION...]: a notice of `gltoken notify` on standard input becomes a
 * mail. Nothing of it but the recipient, whose form is checked, reaches a header or a command line.
 */
#include "safe.h"
#include "text.h"

#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
	"usage: gltoken-notify-mail [--domain DOMAIN] [--to ADDRESS] [--from ADDRESS] [--sendmail PROGRAM] <NOTICE\n"
	"\n"
	"Mail a notice of 'gltoken notify'. That of a personal token goes to its owner, those of bots\n"
	"and robots to --to (default: root).\n"
	"\n"
	"      --domain DOMAIN      behind the owner's name; without it the mail is local\n"
	"      --to ADDRESS         who looks after tokens that are no person's\n"
	"      --from ADDRESS       default: the mail system's\n"
	"      --sendmail PROGRAM   default: /usr/sbin/sendmail\n";

enum { OPT_DOMAIN = 256, OPT_TO, OPT_FROM, OPT_SENDMAIL };

static const struct option options[] = {
	{"domain", required_argument, NULL, OPT_DOMAIN},
	{"to", required_argument, NULL, OPT_TO},
	{"from", required_argument, NULL, OPT_FROM},
	{"sendmail", required_argument, NULL, OPT_SENDMAIL},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct args {
	const char *domain, *to, *from, *sendmail;
};

static int fail(const char *what)
{
	(void)fprintf(stderr, "gltoken-notify-mail: %s\n", what);
	return 1;
}

/* What is no address could be an option or another header. */
static bool address_valid(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-@";
	size_t len = strlen(s);

	return len > 0 && len <= 254 && s[0] != '-' && strspn(s, letters) == len;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* Names may hold whatever their owner likes: on a line of their own, made safe. */
static void line(FILE *f, const char *what, const char *value)
{
	if (!*value)
		return;
	(void)fprintf(f, "  %-9s ", what);
	glt_safe_put(f, value);
	(void)fputc('\n', f);
}

static void write_mail(FILE *f, const struct args *a, const char *to, const json_t *notice)
{
	const json_t *about = json_object_get(notice, "object_attributes"),
		     *own = json_object_get(notice, "gltoken");
	const json_int_t id = json_integer_value(json_object_get(about, "id")),
			 days = json_integer_value(json_object_get(own, "days"));

	if (a->from)
		(void)fprintf(f, "From: %s\n", a->from);
	(void)fprintf(f,
		      "To: %s\n"
		      "Subject: Access token %" JSON_INTEGER_FORMAT " expires within %" JSON_INTEGER_FORMAT
		      " day%s\n"
		      "Auto-Submitted: auto-generated\n"
		      "MIME-Version: 1.0\n"
		      "Content-Type: text/plain; charset=utf-8\n"
		      "Content-Transfer-Encoding: 8bit\n"
		      "\n"
		      "This access token for Git expires soon. What uses it will be refused from then on.\n"
		      "\n",
		      to, id, days, days == 1 ? "" : "s");
	line(f, "token", text_of(about, "name"));
	line(f, "for", text_of(own, "path"));
	line(f, "acts as", text_of(own, "user"));
	line(f, "expires", text_of(own, "expires_at"));
	line(f, "last used", text_of(about, "last_used_at"));
	line(f, "made by", text_of(own, "created_by"));
	line(f, "host", text_of(own, "host"));
	(void)fprintf(f,
		      "\n"
		      "To replace it by a new one with the same rights, by SSH: tokens rotate %" JSON_INTEGER_FORMAT
		      "\nor, as the administrator: gltoken rotate %" JSON_INTEGER_FORMAT "\n",
		      id, id);
}

static int hand_over(const struct args *a, char *to, const char *mail)
{
	char *argv[] = {(char[]){"sendmail"}, (char[]){"-i"}, (char[]){"--"}, to, NULL};
	FILE *f;
	int fd[2], status;
	pid_t pid;
	bool wrote;

	if (pipe(fd) != 0)
		return fail("no pipe");
	pid = fork();
	if (pid == 0) {
		(void)dup2(fd[0], STDIN_FILENO);
		(void)close(fd[0]);
		(void)close(fd[1]);
		(void)execv(a->sendmail, argv);
		_exit(127);
	}
	(void)close(fd[0]);
	f = fdopen(fd[1], "w");
	wrote = pid > 0 && f && fputs(mail, f) >= 0;
	wrote = f && fclose(f) == 0 && wrote;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return fail("cannot start sendmail");
	if (wrote && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return fail("sendmail did not take the mail");
}

static int send_mail(const struct args *a, const json_t *notice)
{
	const json_t *own = json_object_get(notice, "gltoken");
	const char *user = text_of(own, "user");
	bool personal = strcmp(text_of(own, "type"), "personal") == 0;
	char to[512], *mail = NULL;
	size_t size;
	int rc;
	FILE *f;

	if (!*text_of(own, "type"))
		return fail("standard input is no notice of gltoken notify");
	if (personal)
		(void)snprintf(to, sizeof(to), "%s%s%s", user, a->domain ? "@" : "", a->domain ? a->domain : "");
	else
		(void)snprintf(to, sizeof(to), "%s", a->to);
	if (!address_valid(to))
		return fail("the recipient is no mail address");
	f = open_memstream(&mail, &size);
	if (!f)
		return fail("out of memory");
	write_mail(f, a, to, notice);
	rc = fclose(f) == 0 ? hand_over(a, to, mail) : fail("out of memory");
	free(mail);
	return rc;
}

static bool parse(struct args *a, int argc, char **argv, int *rc)
{
	const char **const field[] = {&a->domain, &a->to, &a->from, &a->sendmail};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c >= OPT_DOMAIN && c <= OPT_SENDMAIL && optarg) {
			*field[c - OPT_DOMAIN] = optarg;
			continue;
		}
		*rc = c == 'h' ? 0 : 2;
		(void)fputs(usage, c == 'h' ? stdout : stderr);
		return false;
	}
	if (optind == argc && address_valid(a->to) && (!a->from || address_valid(a->from)) &&
	    (!a->domain || address_valid(a->domain)) && a->sendmail[0] == '/')
		return true;
	(void)fputs(usage, stderr);
	*rc = 2;
	return false;
}

int main(int argc, char **argv)
{
	struct args a = {.to = "root", .sendmail = "/usr/sbin/sendmail"};
	json_t *notice;
	int rc = 1;

	(void)signal(SIGPIPE, SIG_IGN);
	if (!parse(&a, argc, argv, &rc))
		return rc;
	notice = json_loadf(stdin, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(notice))
		rc = fail("standard input is no notice of gltoken notify");
	else
		rc = send_mail(&a, notice);
	json_decref(notice);
	return rc;
}
