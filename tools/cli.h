/* SPDX-License-Identifier: MIT */
/*
 * What the commands of gltoken(1) share: options, errors, exit status, and the way to the store.
 *
 * A command first reads its whole command line; that part may exit. Files that the caller names are opened
 * next, as the caller. Then glt_cli_open() becomes uid gltoken for good and opens the store; from there on a
 * command returns its exit status, so that the store is closed.
 */
#ifndef GLT_CLI_H
#define GLT_CLI_H

#include "conf.h"
#include "status.h"
#include "store.h"

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { /* exit status */
       GLT_EXIT_OK = 0,
       GLT_EXIT_DENIED = 1,      /* denied, refused or not found */
       GLT_EXIT_USAGE = 2,       /* command line or a value on it breaks a rule */
       GLT_EXIT_UNAVAILABLE = 3, /* store, helper, disk, configuration */
};

enum glt_format { GLT_FORMAT_TABLE, GLT_FORMAT_JSON, GLT_FORMAT_CSV, GLT_FORMAT_RAW };

struct glt_cli {
	char command[64]; /* "gltoken member set", begins every message */
	enum glt_format format;
	bool no_headings;
	bool parsing; /* glt_cli_option() has begun */
	bool conf_loaded;
	struct glt_conf conf;
	struct glt_store *store;
	unsigned public_parts; /* changed since it was opened, and not published yet */
	char actor[160];       /* who it is that runs this: "root(alice)" */
	int64_t now;
};

struct glt_command {
	const char *name, *alias; /* alias: NULL for none */
	int (*run)(struct glt_cli *cli, int argc, char **argv);
	const char *summary;
};

/* Run the command of a table (ended by a NULL name) that argv[1] names. */
int glt_cli_dispatch(struct glt_cli *cli, const struct glt_command *table, const char *intro, int argc,
		     char **argv);

/* ---- options ---- */
enum { /* beyond all characters; a command's own options begin at GLT_OPT_OWN */
       GLT_OPT_JSON = 256,
       GLT_OPT_CSV,
       GLT_OPT_RAW,
       GLT_OPT_NOHEADINGS,
       GLT_OPT_OWN,
};
#define GLT_OPTIONS_HELP                       \
	{                                      \
		"help", no_argument, NULL, 'h' \
	}
#define GLT_OPTIONS_JSON                                \
	{                                               \
		"json", no_argument, NULL, GLT_OPT_JSON \
	}
#define GLT_OPTIONS_LIST                                                                                    \
	GLT_OPTIONS_JSON, {"csv", no_argument, NULL, GLT_OPT_CSV}, {"raw", no_argument, NULL, GLT_OPT_RAW}, \
	{                                                                                                   \
		"noheadings", no_argument, NULL, GLT_OPT_NOHEADINGS                                         \
	}
#define GLT_OPTIONS_END          \
	GLT_OPTIONS_HELP,        \
	{                        \
		NULL, 0, NULL, 0 \
	}
#define GLT_HELP_JSON "      --json               JSON, times in UTC (RFC 3339)\n"
#define GLT_HELP_LIST                                                                                   \
	GLT_HELP_JSON                                                                                   \
	"      --csv                RFC 4180, times in UTC\n"                                           \
	"      --raw                columns parted by one blank, other blanks as \\x20, times in UTC\n" \
	"      --noheadings         no line of column titles (table, --csv, --raw)\n"
#define GLT_HELP_HELP "  -h, --help               this help\n"

/* The next option of the command's own, or -1; operands are then argv[optind] and on. --help prints help to
 * stdout and exits 0; format options are kept in cli; anything wrong exits 2 with a message. */
int glt_cli_option(struct glt_cli *cli, int argc, char **argv, const struct option *options, const char *help);
/* Exit 2 with "gltoken CMD: message" and a pointer to --help. */
void glt_cli_usage(const struct glt_cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
/* Exit 2 if the status is not OK: for values that are checked while the command line is read. */
void glt_cli_require(const struct glt_cli *cli, enum glt_status status, const struct glt_err *err);
/* The same for the scope that text names, with the one that may have been meant. */
void glt_cli_scopes(const struct glt_cli *cli, enum glt_status status, const char *text, const struct glt_err *err);
/* *value = optarg; exit 2 if the option was given before. */
void glt_cli_once(const struct glt_cli *cli, const char **value, const char *option);
/* A whole number from min to max, else exit 2. */
uint64_t glt_cli_number(const struct glt_cli *cli, const char *what, const char *text, uint64_t min, uint64_t max);
/* Exit 2 unless from min to max operands are there. what describes them, for the message. */
void glt_cli_operands(const struct glt_cli *cli, int argc, char **argv, int min, int max, const char *what);
/* Exit 2 if an argument holds a whole token, which then stands in `ps` and in the shell's history. */
void glt_cli_no_secret(const struct glt_cli *cli, int argc, char **argv);

struct glt_list { /* "a,b" from options that may repeat */
	char **v;
	size_t n;
};
/* Add the parts of text; blanks around them are dropped, empty parts exit 2. */
void glt_list_split(const struct glt_cli *cli, struct glt_list *list, const char *what, const char *text);
void glt_list_free(struct glt_list *list);

/* ---- the way to the store ---- */
/* Load gltoken.conf as the caller. 0, or the exit status after a message. */
int glt_cli_config(struct glt_cli *cli);
/* Become uid gltoken for good. The same. */
int glt_cli_drop(struct glt_cli *cli);
/* Both, then open the store. The same. */
int glt_cli_open(struct glt_cli *cli, bool write);
/* The whole beginning of a command that only reads, and has no operand nor option of its own. The same. */
int glt_cli_open_plain(struct glt_cli *cli, int argc, char **argv, const struct option *options, const char *help);
/* False, after a message: only root may do that ("move repositories"). */
bool glt_cli_is_root(const struct glt_cli *cli, const char *what);
/* Publish what a change touched, and close. Harmless when it is not open. */
void glt_cli_close(struct glt_cli *cli);
/* Who runs this: the login uid or sudo's user beside the effective one. */
void glt_cli_actor(char *out, size_t size);

/* ---- messages ---- */
int glt_cli_exit(enum glt_status status);
/* Print the error; its exit status. */
int glt_cli_fail(const struct glt_cli *cli, const struct glt_err *err);
/* "gltoken CMD: message" on stderr, made safe for a terminal. */
void glt_cli_warn(const struct glt_cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line on stderr without the command's name. */
void glt_cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Memory or the end of the process (exit 3). */
void *glt_cli_alloc(void *old, size_t count, size_t size);
char *glt_cli_strdup(const char *s);
/* Write out what stdout still holds; a full disk or a closed pipe turns any status into 3. */
int glt_cli_finish(const struct glt_cli *cli, int status);

#endif
