/* SPDX-License-Identifier: MIT */
/*
 * The command runs as the user that [notify] names. This process stays root for that and never opens the store; a
 * child that is uid gltoken reads it, hands out one notice at a time and notes it in the token's record once the
 * command has succeeded. Killed between the two, it is sent again: at least once, never not at all.
 */
#include "cmds.h"

#include "child.h"
#include "issued.h"
#include "notice.h"
#include "notice_json.h"
#include "people.h"
#include "privdrop.h"
#include "run.h"
#include "select.h"
#include "tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken notify [--dry-run] [--json]\n"
	"\n"
	"Tell of tokens that expire soon: run [notify] command once for each token and each number\n"
	"of days in [notify] days, with a notice as JSON on its standard input.\n"
	"\n"
	"      --dry-run            only list what would be sent\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_DRY_RUN = GLT_OPT_OWN };

static const struct option options[] = {
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

#define FAILURES_MAX 3 /* in a row: then it is the command, and each may take its whole time limit */
#define NOTICE_MAX 32768

struct work {
	bool dry_run;
	int talk[2]; /* packets: a notice to the parent, its verdict back to the child */
	char command[256];
	char *argv[32];
	struct glt_account user;
};

/* ---- the child: has the store ---- */

/* Two at once would send everything twice. The lock is the child's, and ends with it. */
static int lock(const struct glt_cli *cli)
{
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/notify.lock", cli->conf.store_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return GLT_EXIT_OK;
	if (fd >= 0 && errno == EWOULDBLOCK)
		glt_cli_warn(cli, "another notify is at work");
	else
		glt_cli_warn(cli, "cannot lock %s: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return GLT_EXIT_UNAVAILABLE;
}

static uint64_t number_of(const struct glt_cli *cli, const Glt__Token *t)
{
	Glt__Namespace *n = NULL;
	struct glt_txn *txn;
	uint64_t number = 0;

	if (!t->path[0] || glt_txn_begin(cli->store, false, &txn, NULL) != GLT_OK)
		return 0;
	if (glt_namespace_load(txn, t->path, &n, NULL) == GLT_OK)
		number = n->id;
	glt_namespace_free(n);
	glt_txn_end(txn);
	return number;
}

/* False: stop, for the parent is gone or says so. */
static bool hand_out(const struct glt_cli *cli, const struct work *w, const Glt__Token *t, unsigned days,
		     const char *text, int *rc)
{
	struct glt_err err;
	char verdict;

	if (send(w->talk[0], text, strlen(text), MSG_NOSIGNAL) < 0 || recv(w->talk[0], &verdict, 1, 0) != 1)
		return false;
	if (verdict == 's' &&
	    glt_notice_sent(cli->store, &cli->conf, t, days, cli->actor, cli->now, &err) != GLT_OK &&
	    err.status != GLT_REFUSED) { /* refused: it was revoked meanwhile */
		glt_cli_warn(cli, "token %" PRIu64 ": sent, but that could not be noted, so it will be again: %s",
			     t->id, err.text);
		*rc = GLT_EXIT_UNAVAILABLE;
	}
	return verdict != 'x';
}

static void list_one(const struct glt_cli *cli, struct glt_out *out, const Glt__Token *t, unsigned days)
{
	char brief[700], when[GLT_LOCAL_TEXT];

	glt_token_brief(t, brief, sizeof(brief));
	glt_when_local(t->expires_at, false, when);
	if (!out)
		glt_cli_say("Would tell of token %s: expires %s, within %u days.", brief, when, days);
	(void)cli;
}

static bool each(const struct glt_cli *cli, const struct work *w, struct glt_out *out, const Glt__Token *t,
		 uint64_t user_id, int *rc)
{
	const unsigned days = glt_notice_due(t, cli->conf.notify_days, cli->now);
	bool go_on = true;
	json_t *o;
	char *text;

	if (days == 0)
		return true;
	o = glt_notice_json(cli, t, days, user_id, number_of(cli, t));
	if (w->dry_run) {
		list_one(cli, out, t, days);
		if (out)
			glt_out_json(out, json_incref(o));
	} else {
		text = json_dumps(o, JSON_COMPACT);
		if (text && strlen(text) < NOTICE_MAX)
			go_on = hand_out(cli, w, t, days, text, rc);
		free(text);
	}
	json_decref(o);
	return go_on;
}

static int keep_store(struct glt_cli *cli, void *arg)
{
	struct work *w = arg;
	struct glt_select what = {.which = GLT_WHICH_ACTIVE, .now = cli->now};
	struct glt_out *out = NULL;
	struct glt_found found;
	struct glt_err err;
	int rc = glt_cli_open(cli, !w->dry_run);

	if (!w->dry_run)
		(void)close(w->talk[1]);
	if (rc == GLT_EXIT_OK && !w->dry_run)
		rc = lock(cli);
	if (rc != GLT_EXIT_OK || cli->conf.notify_days[0] == 0)
		return rc;
	what.expires_by = cli->now + (int64_t)cli->conf.notify_days[0] * 86400;
	if (glt_select(cli->store, &what, &found, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	if (w->dry_run && cli->format == GLT_FORMAT_JSON)
		out = glt_out_new(cli, NULL, 0);
	for (size_t i = 0; i < found.n && each(cli, w, out, found.token[i], found.user_id[i], &rc); i++)
		;
	if (found.damaged) {
		glt_cli_warn(cli, "%zu damaged records were left out: run gltoken check", found.damaged);
		rc = GLT_EXIT_UNAVAILABLE;
	}
	glt_found_free(&found);
	glt_cli_close(cli);
	return !out || glt_out_print(out) ? rc : GLT_EXIT_UNAVAILABLE;
}

/* ---- the parent: root, runs the command ---- */

static bool deliver(const struct glt_cli *cli, const struct work *w, const char *notice)
{
	const struct glt_run_as as = {w->user.name, w->user.home, w->user.uid, w->user.gid};
	char said[400];
	const struct glt_run run = {
		.argv = w->argv,
		.as = &as,
		.input = notice,
		.out = said,
		.out_size = sizeof(said),
		.merge = true,
		.timeout = (unsigned)cli->conf.notify_timeout,
	};
	int status = glt_run(&run);

	if (status == 0)
		return true;
	said[strcspn(said, "\n")] = '\0';
	if (status == GLT_RUN_TIMEOUT)
		glt_cli_warn(cli, "%s: killed after [notify] timeout = %us", w->argv[0], run.timeout);
	else if (status == GLT_RUN_SIGNAL || status == GLT_RUN_FAILED)
		glt_cli_warn(cli, "%s: %s", w->argv[0],
			     status == GLT_RUN_SIGNAL ? "ended by a signal" : strerror(errno));
	else
		glt_cli_warn(cli, "%s: exit status %d%s%s%s", w->argv[0], status,
			     status == 127 ? " (perhaps it cannot be run by this user)" : "", *said ? ": " : "",
			     said);
	return false;
}

static void report(const struct glt_cli *cli, struct glt_out *out, const char *notice, bool sent)
{
	json_t *o = json_loads(notice, 0, NULL), *about = json_object_get(o, "object_attributes");

	if (out) {
		(void)json_object_set_new(o, "sent", json_boolean(sent));
		glt_out_json(out, o);
		return;
	}
	if (sent)
		glt_cli_say("Told of token %" JSON_INTEGER_FORMAT " (%s).",
			    json_integer_value(json_object_get(about, "id")),
			    json_string_value(json_object_get(o, "interval")));
	(void)cli;
	json_decref(o);
}

/* Until the child has no more. */
static int send_all(struct glt_cli *cli, struct work *w)
{
	struct glt_out *out = cli->format == GLT_FORMAT_JSON ? glt_out_new(cli, NULL, 0) : NULL;
	size_t sent = 0, failed = 0, in_a_row = 0;
	static char notice[NOTICE_MAX];
	ssize_t n;

	while ((n = recv(w->talk[1], notice, sizeof(notice) - 1, 0)) > 0) {
		char verdict;

		notice[n] = '\0';
		verdict = deliver(cli, w, notice) ? 's' : 'f';
		report(cli, out, notice, verdict == 's');
		sent += verdict == 's';
		failed += verdict == 'f';
		in_a_row = verdict == 's' ? 0 : in_a_row + 1;
		if (in_a_row == FAILURES_MAX)
			verdict = 'x';
		if (send(w->talk[1], &verdict, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	glt_cli_say("%zu notices sent, %zu failed%s.", sent, failed,
		    in_a_row == FAILURES_MAX ? "; the others were not tried" : "");
	if (out && !glt_out_print(out))
		return GLT_EXIT_UNAVAILABLE;
	return failed ? GLT_EXIT_UNAVAILABLE : GLT_EXIT_OK;
}

/* Neither root nor who owns the store: what the command is made to do by a token's name stays outside of both. */
static int find_user(struct glt_cli *cli, struct work *w)
{
	const char *name = cli->conf.notify_user;
	struct glt_err err;
	uid_t store_uid;
	gid_t store_gid;

	if (!glt_cli_is_root(cli, "do this"))
		return GLT_EXIT_UNAVAILABLE;
	if (glt_account_by_name(name, &w->user, &err) != GLT_OK) {
		glt_cli_warn(cli, "[notify] user: %s", err.text);
		return GLT_EXIT_UNAVAILABLE;
	}
	if (glt_privdrop_lookup(&store_uid, &store_gid, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	if (w->user.uid == 0 || w->user.uid == store_uid) {
		glt_cli_warn(cli, "[notify] user = %s: must be neither root nor " GLT_STORE_USER, name);
		return GLT_EXIT_DENIED;
	}
	return GLT_EXIT_OK;
}

static int prepare(struct glt_cli *cli, struct work *w)
{
	int rc = find_user(cli, w);

	if (rc != GLT_EXIT_OK)
		return rc;
	(void)snprintf(w->command, sizeof(w->command), "%s", cli->conf.notify_command);
	if (glt_run_split(w->command, w->argv, sizeof(w->argv) / sizeof(w->argv[0])) == 0) {
		glt_cli_warn(cli, "[notify] command has too many words");
		return GLT_EXIT_UNAVAILABLE;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->talk) == 0)
		return GLT_EXIT_OK;
	glt_cli_warn(cli, "cannot make a socket pair: %s", strerror(errno));
	return GLT_EXIT_UNAVAILABLE;
}

int glt_cmd_notify(struct glt_cli *cli, int argc, char **argv)
{
	struct work w = {.talk = {-1, -1}};
	int rc, child;
	pid_t pid;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		w.dry_run = true;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	rc = glt_cli_config(cli);
	if (rc != GLT_EXIT_OK || w.dry_run)
		return rc != GLT_EXIT_OK ? rc : keep_store(cli, &w);
	if (!cli->conf.notify_command[0]) {
		glt_cli_say("Nothing is sent: [notify] command is not set.");
		return GLT_EXIT_OK;
	}
	rc = prepare(cli, &w);
	if (rc != GLT_EXIT_OK)
		return rc;
	pid = glt_child_start(cli, keep_store, &w);
	if (pid < 0)
		return GLT_EXIT_UNAVAILABLE;
	(void)close(w.talk[0]);
	rc = send_all(cli, &w);
	(void)close(w.talk[1]);
	child = glt_child_wait(cli, pid, GLT_EXIT_UNAVAILABLE);
	return child != GLT_EXIT_OK ? child : rc;
}
