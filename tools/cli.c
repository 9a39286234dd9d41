/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "conf_files.h"
#include "safe.h"
#include "scope.h"
#include "term.h"
#include "token.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- messages ---- */

static void __attribute__((format(printf, 2, 0))) say(const char *prefix, const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	(void)fflush(stdout); /* so that both stand in order where they go to one place */
	if (prefix)
		(void)fprintf(stderr, "%s: ", prefix);
	glt_safe_put(stderr, text);
	(void)fputc('\n', stderr);
	free(text);
}

void glt_cli_warn(const struct glt_cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(cli->command, fmt, ap);
	va_end(ap);
}

void glt_cli_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(NULL, fmt, ap);
	va_end(ap);
}

int glt_cli_exit(enum glt_status status)
{
	switch (status) {
	case GLT_OK:
		return GLT_EXIT_OK;
	case GLT_INVALID:
		return GLT_EXIT_USAGE;
	case GLT_NOT_FOUND:
	case GLT_EXISTS:
	case GLT_REFUSED:
		return GLT_EXIT_DENIED;
	case GLT_BUSY:
	case GLT_UNAVAILABLE:
	case GLT_DAMAGED:
		break;
	}
	return GLT_EXIT_UNAVAILABLE;
}

int glt_cli_fail(const struct glt_cli *cli, const struct glt_err *err)
{
	glt_cli_warn(cli, "%s", err->text);
	return glt_cli_exit(err->status);
}

void glt_cli_usage(const struct glt_cli *cli, const char *fmt, ...)
{
	const char *row = strstr(cli->command, " (");
	va_list ap;

	va_start(ap, fmt);
	say(cli->command, fmt, ap);
	va_end(ap);
	glt_cli_say("Try '%.*s --help'.", (int)(row ? (size_t)(row - cli->command) : strlen(cli->command)),
		    cli->command);
	exit(GLT_EXIT_USAGE);
}

void glt_cli_require(const struct glt_cli *cli, enum glt_status status, const struct glt_err *err)
{
	if (status != GLT_OK)
		exit(glt_cli_fail(cli, err));
}

void glt_cli_scopes(const struct glt_cli *cli, enum glt_status status, const char *text, const struct glt_err *err)
{
	struct glt_nearest best = {.name = NULL};
	enum glt_scope known;

	if (status == GLT_OK)
		return;
	(void)glt_cli_fail(cli, err);
	if (glt_scope_parse_one(text, &known, NULL) != GLT_OK)
		for (int s = 0; s < GLT_SCOPES; s++)
			glt_nearest(&best, text, glt_scope_name((enum glt_scope)s));
	if (best.name)
		glt_cli_say("Did you mean '%s'?", best.name);
	exit(glt_cli_exit(status));
}

void *glt_cli_alloc(void *old, size_t count, size_t size)
{
	void *p = reallocarray(old, count ? count : 1, size);

	if (p)
		return p;
	(void)fputs("gltoken: out of memory\n", stderr);
	_Exit(GLT_EXIT_UNAVAILABLE);
}

char *glt_cli_strdup(const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(glt_cli_alloc(NULL, len, 1), s, len);
}

int glt_cli_finish(const struct glt_cli *cli, int status)
{
	bool failed = ferror(stdout) != 0;

	errno = 0;
	if ((fclose(stdout) == 0 && !failed) || status == GLT_EXIT_UNAVAILABLE)
		return status;
	glt_cli_warn(cli, "cannot write the output: %s", errno ? strerror(errno) : "an earlier write failed");
	return GLT_EXIT_UNAVAILABLE;
}

/* ---- commands ---- */

#define WORD_MAX 31

static void unknown_command(const struct glt_cli *cli, const struct glt_command *table, const char *word)
{
	struct glt_nearest best = {.name = NULL};

	for (const struct glt_command *c = table; c->name; c++) {
		glt_nearest(&best, word, c->name);
		if (c->alias)
			glt_nearest(&best, word, c->alias);
	}
	if (best.name)
		glt_cli_usage(cli, "unknown command '%s'; did you mean '%s'?", word, best.name);
	glt_cli_usage(cli, "unknown command '%s'", word);
}

static int list_commands(const struct glt_cli *cli, const struct glt_command *table, const char *intro)
{
	printf("Usage: %s COMMAND [ARGUMENT...]\n\n%s\nCommands:\n", cli->command, intro);
	for (const struct glt_command *c = table; c->name; c++)
		printf("  %-10s %s\n", c->name, c->summary);
	printf("\n'%s COMMAND --help' says more about one.\n", cli->command);
	return GLT_EXIT_OK;
}

int glt_cli_dispatch(struct glt_cli *cli, const struct glt_command *table, const char *intro, int argc, char **argv)
{
	const size_t used = strlen(cli->command);

	if (argc < 2)
		glt_cli_usage(cli, "a command is missing");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return list_commands(cli, table, intro);
	if (argv[1][0] == '-')
		glt_cli_usage(cli, "unknown option '%s'", argv[1]);
	for (const struct glt_command *c = table; c->name; c++) {
		if (strcmp(c->name, argv[1]) != 0 && !(c->alias && strcmp(c->alias, argv[1]) == 0))
			continue;
		(void)snprintf(cli->command + used, sizeof(cli->command) - used, " %s", c->name);
		return c->run(cli, argc - 1, argv + 1);
	}
	unknown_command(cli, table, argv[1]);
	return GLT_EXIT_USAGE;
}

/* ---- options ---- */

/* The given argument's "--name", without a value that may stand behind '='. */
static void bad_option(const struct glt_cli *cli, int what, const char *given, const struct option *options)
{
	struct glt_nearest best = {.name = NULL};
	char name[WORD_MAX + 1] = "";

	if (strncmp(given, "--", 2) != 0)
		glt_cli_usage(cli, "unknown option '-%c'", optopt);
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(given + 2, "="), given + 2);
	if (what == ':')
		glt_cli_usage(cli, "option '--%s' needs a value", name);
	if (optopt != 0)
		glt_cli_usage(cli, "option '--%s' takes no value", name);
	for (const struct option *o = options; o->name; o++)
		glt_nearest(&best, name, o->name);
	if (best.name)
		glt_cli_usage(cli, "unknown option '--%s'; did you mean '--%s'?", name, best.name);
	glt_cli_usage(cli, "unknown or ambiguous option '--%s'", name);
}

static void set_format(struct glt_cli *cli, enum glt_format format)
{
	if (cli->format != GLT_FORMAT_TABLE && cli->format != format)
		glt_cli_usage(cli, "only one of --json, --csv and --raw may be given");
	cli->format = format;
}

int glt_cli_option(struct glt_cli *cli, int argc, char **argv, const struct option *options, const char *help)
{
	for (;;) {
		if (!cli->parsing) {
			optind = 0; /* glibc: start anew */
			opterr = 0;
			cli->parsing = true;
		}
		int c = getopt_long(argc, argv, ":h", options, NULL);

		switch (c) {
		case 'h':
			(void)fputs(help, stdout);
			exit(glt_cli_finish(cli, GLT_EXIT_OK));
		case '?':
		case ':':
			bad_option(cli, c, argv[optind - 1], options);
			break;
		case GLT_OPT_JSON:
			set_format(cli, GLT_FORMAT_JSON);
			break;
		case GLT_OPT_CSV:
			set_format(cli, GLT_FORMAT_CSV);
			break;
		case GLT_OPT_RAW:
			set_format(cli, GLT_FORMAT_RAW);
			break;
		case GLT_OPT_NOHEADINGS:
			cli->no_headings = true;
			break;
		default:
			return c;
		}
	}
}

void glt_cli_once(const struct glt_cli *cli, const char **value, const char *option)
{
	if (*value)
		glt_cli_usage(cli, "option '%s' was given twice", option);
	*value = optarg;
}

uint64_t glt_cli_number(const struct glt_cli *cli, const char *what, const char *text, uint64_t min, uint64_t max)
{
	char *end;
	uintmax_t v;

	errno = 0;
	v = strtoumax(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || v < min || v > max)
		glt_cli_usage(cli, "%s '%.64s': must be a whole number from %" PRIu64 " to %" PRIu64, what, text,
			      min, max);
	return v;
}

void glt_cli_operands(const struct glt_cli *cli, int argc, char **argv, int min, int max, const char *what)
{
	if (argc - optind < min)
		glt_cli_usage(cli, "missing operand: needs %s", what);
	if (argc - optind > max && max == 0)
		glt_cli_usage(cli, "unexpected operand '%.64s'", argv[optind]);
	if (argc - optind > max)
		glt_cli_usage(cli, "unexpected operand '%.64s': needs %s", argv[optind + max], what);
}

void glt_cli_no_secret(const struct glt_cli *cli, int argc, char **argv)
{
	static struct glt_conf conf; /* for its prefixes only; a command reads it again and says what is wrong */
	const bool known = glt_conf_read(GLT_CONF_FILE, GLT_CONF_VALID, &conf, NULL) == GLT_OK;
	const char *const prefixes[] = {"glpat-", "gldt-", known ? conf.prefix : NULL, conf.deploy_prefix, NULL};
	struct glt_token_text found;

	for (int i = 1; i < argc; i++) {
		size_t pos = 0;

		if (!glt_token_find(argv[i], strlen(argv[i]), prefixes, &pos, &found))
			continue;
		glt_token_wipe(&found);
		glt_cli_usage(cli,
			      "argument %d holds a token: it is not taken from there, and other users and the shell's "
			      "history have seen it now. Revoke it: give it to 'gltoken revoke --stdin'",
			      i);
	}
}

void glt_list_split(const struct glt_cli *cli, struct glt_list *list, const char *what, const char *text)
{
	for (const char *p = text;; p++) {
		p += strspn(p, " ");
		const size_t whole = strcspn(p, ",");
		size_t len = whole;
		char *part;

		while (len > 0 && p[len - 1] == ' ')
			len--;
		if (len == 0)
			glt_cli_usage(cli, "%s '%s': an empty part in the list", what, text);
		part = glt_cli_alloc(NULL, len + 1, 1);
		memcpy(part, p, len);
		part[len] = '\0';
		list->v = glt_cli_alloc(list->v, list->n + 1, sizeof(*list->v));
		list->v[list->n++] = part;
		p += whole;
		if (*p == '\0')
			return;
	}
}

void glt_list_free(struct glt_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct glt_list){0};
}
