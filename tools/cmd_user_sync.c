/* SPDX-License-Identifier: MIT */
/*
 * uid gltoken reads who there is, root asks PAM about each of them in a process of its own (a module may hang or
 * crash), uid gltoken blocks and unblocks. "Cannot tell now" is no verdict and changes nothing.
 */
#include "cmds.h"

#include "account.h"
#include "child.h"
#include "people.h"
#include "records.h"
#include "table.h"
#include "tokens.h"
#include "userput.h"

#include <errno.h>
#include <fcntl.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVICE "gltoken-owner"
#define ASK_SECONDS 30

static const char help[] =
	"Usage: gltoken user sync [--dry-run] [--json|--csv|--raw]\n"
	"\n"
	"Ask the account phase of PAM service " SERVICE " about everybody who owns tokens or keys or is\n"
	"registered, and has an account of this system. Block whose account is disabled or expired;\n"
	"unblock whom it blocked and who is good again. Who cannot be asked now stays as they are, and\n"
	"the status is 3. Meant for a timer.\n"
	"\n"
	"      --dry-run            say what would be done, change nothing\n" GLT_HELP_LIST GLT_HELP_HELP;

enum { OPT_DRY_RUN = GLT_OPT_OWN };

static const struct option options[] = {
	{"dry-run", no_argument, NULL, OPT_DRY_RUN},
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

enum verdict { GOOD, BAD, UNKNOWN };

struct person {
	char name[GLT_ACCOUNT_MAX + 1];
	bool is_virtual;
	enum verdict verdict;
	char why[128];
	const char *result;
};

struct syncing {
	bool dry_run;
	struct person *v;
	size_t n, room;
	struct glt_txn *txn;
	int out; /* of the child that reads: names, one a line */
};

/* ---- who there is, in a child that is uid gltoken ---- */

static struct person *person_of(struct syncing *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->v[i].name, name) == 0)
			return &w->v[i];
	if (glt_account_name_check(name, NULL) != GLT_OK)
		return NULL;
	if (w->n == w->room) {
		w->room = w->room ? w->room * 2 : 64;
		w->v = glt_cli_alloc(w->v, w->room, sizeof(*w->v));
	}
	w->v[w->n] = (struct person){.verdict = UNKNOWN};
	strcpy(w->v[w->n].name, name);
	return &w->v[w->n++];
}

static bool visit_token(void *arg, struct glt_slice key, struct glt_slice value)
{
	Glt__Token *t = glt__token__unpack(NULL, value.len, value.data);

	(void)key;
	if (t && t->type == GLT__TYPE__PERSONAL && t->state == GLT__STATE__LIVE && t->owner_uid_plus1)
		(void)person_of(arg, t->owner);
	glt_token_free(t);
	return true;
}

static bool visit_key(void *arg, struct glt_slice key, struct glt_slice value)
{
	Glt__Key *k = glt__key__unpack(NULL, value.len, value.data);

	(void)key;
	if (k && k->user[0] && k->user_uid_plus1)
		(void)person_of(arg, k->user);
	glt_key_free(k);
	return true;
}

static bool visit_user(void *arg, struct glt_slice key, struct glt_slice value)
{
	Glt__User *u = glt__user__unpack(NULL, value.len, value.data);
	struct person *p = u ? person_of(arg, u->name) : NULL;

	(void)key;
	if (p)
		p->is_virtual = u->virtual_user;
	glt_user_free(u);
	return true;
}

static int read_people(struct glt_cli *cli, void *arg)
{
	const struct glt_slice all = {NULL, 0};
	struct syncing *w = arg;
	struct glt_err err;
	enum glt_status st;
	int rc = glt_cli_open(cli, false);

	if (rc != GLT_EXIT_OK)
		return rc;
	st = glt_txn_begin(cli->store, false, &w->txn, &err);
	if (st == GLT_OK) {
		st = glt_walk(w->txn, GLT_TOKENS, all, all, visit_token, w, &err);
		if (st == GLT_OK)
			st = glt_walk(w->txn, GLT_KEYS, all, all, visit_key, w, &err);
		if (st == GLT_OK)
			st = glt_walk(w->txn, GLT_USERS, all, all, visit_user, w, &err);
		glt_txn_end(w->txn);
	}
	if (st != GLT_OK)
		return glt_cli_fail(cli, &err);
	for (size_t i = 0; i < w->n; i++)
		if (!w->v[i].is_virtual && dprintf(w->out, "%s\n", w->v[i].name) < 0)
			return GLT_EXIT_UNAVAILABLE;
	return GLT_EXIT_OK;
}

static int find_people(struct glt_cli *cli, struct syncing *w)
{
	char line[GLT_ACCOUNT_MAX + 2];
	int ends[2];
	pid_t pid;
	FILE *f;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		glt_cli_warn(cli, "cannot make a pipe: %s", strerror(errno));
		return GLT_EXIT_UNAVAILABLE;
	}
	w->out = ends[1];
	pid = glt_child_start(cli, read_people, w);
	(void)close(ends[1]);
	f = fdopen(ends[0], "r");
	while (pid > 0 && f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		(void)person_of(w, line);
	}
	if (f)
		(void)fclose(f);
	return pid > 0 ? glt_child_wait(cli, pid, GLT_EXIT_UNAVAILABLE) : GLT_EXIT_UNAVAILABLE;
}

/* ---- PAM, as root ---- */

static int no_conversation(int n, const struct pam_message **msg, struct pam_response **resp, void *arg)
{
	(void)n;
	(void)msg;
	(void)resp;
	(void)arg;
	return PAM_CONV_ERR;
}

/* Never returns; the status is PAM's. */
static void ask_pam(const char *name)
{
	const struct pam_conv conv = {no_conversation, NULL};
	pam_handle_t *pamh = NULL;
	int rc;

	(void)alarm(ASK_SECONDS);
	rc = pam_start(SERVICE, name, &conv, &pamh);
	if (rc == PAM_SUCCESS)
		rc = pam_acct_mgmt(pamh, PAM_SILENT);
	(void)pam_end(pamh, rc);
	_exit(rc >= 0 && rc < 126 ? rc : PAM_SYSTEM_ERR);
}

static int ask_in_child(const char *name)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		ask_pam(name);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			pid = -1;
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : PAM_SYSTEM_ERR;
}

/* Only what says for sure that this account may not be used blocks it. PAM_AUTH_ERR does not: pam_deny and pam_nologin
 * say so, whoever is asked for and whatever went wrong above them. */
static const char *refusal(int rc)
{
	switch (rc) {
	case PAM_ACCT_EXPIRED:
		return "account expired or disabled";
	case PAM_AUTHTOK_EXPIRED:
		return "password expired, and account inactive";
	case PAM_PERM_DENIED:
		return "permission denied";
	case PAM_USER_UNKNOWN:
		return "account gone";
	default:
		return NULL;
	}
}

static void judge(struct person *p)
{
	struct glt_account account;
	struct glt_err err;
	enum glt_status st = glt_account_of_system(p->name, &account, &err);
	const char *no;
	int rc;

	p->verdict = UNKNOWN;
	if (st != GLT_OK && st != GLT_NOT_FOUND) {
		(void)snprintf(p->why, sizeof(p->why), "%.120s", err.text);
		return;
	}
	rc = st == GLT_OK ? ask_in_child(p->name) : PAM_USER_UNKNOWN;
	no = refusal(rc);
	if (rc == PAM_USER_UNKNOWN && st == GLT_OK) /* a directory that PAM does not reach, but NSS does */
		(void)snprintf(p->why, sizeof(p->why), "PAM does not know the account, but the system does");
	else if (no) {
		p->verdict = BAD;
		(void)snprintf(p->why, sizeof(p->why), GLT_SYNC_REASON "%s", no);
	} else if (rc == PAM_SUCCESS ||
		   rc == PAM_NEW_AUTHTOK_REQD) /* a password to be changed is no bar to tokens */
		p->verdict = GOOD;
	else
		(void)snprintf(p->why, sizeof(p->why), "PAM: %s", pam_strerror(NULL, rc));
}

/* Without the file, PAM takes service "other", which denies everybody or nobody. */
static bool service_exists(void)
{
	return access("/etc/pam.d/" SERVICE, R_OK) == 0 || access("/usr/lib/pam.d/" SERVICE, R_OK) == 0 ||
	       access("/usr/etc/pam.d/" SERVICE, R_OK) == 0;
}

/* ---- in the store ---- */

static enum glt_status set_one(const struct glt_cli *cli, struct syncing *w, struct glt_change *c,
			       struct person *p, struct glt_err *err)
{
	struct glt_blocking b = {
		.name = p->name, .reason = p->why, .block = p->verdict == BAD, .system = true, .by_sync = true};
	enum glt_status st;

	p->result = p->verdict == UNKNOWN ? "not asked" : p->verdict == GOOD ? "good" : "blocked before";
	if (p->verdict == UNKNOWN)
		return GLT_OK;
	st = glt_user_set_blocked(cli, w->txn, c, &b, err);
	if (st == GLT_NOT_FOUND && !b.block)
		return GLT_OK; /* never registered, and good */
	if (st == GLT_OK && !b.unchanged)
		p->result = b.block ? "blocked" : "unblocked";
	return st;
}

static int set_all(struct glt_cli *cli, struct syncing *w)
{
	struct glt_change *c;
	struct glt_err err;
	enum glt_status st = GLT_OK;
	int rc = glt_cli_open(cli, true);

	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &w->txn, &c);
	if (rc != GLT_EXIT_OK)
		return rc;
	for (size_t i = 0; st == GLT_OK && i < w->n; i++)
		st = set_one(cli, w, c, &w->v[i], &err);
	if (st == GLT_OK && w->dry_run) {
		glt_txn_end(w->txn);
		glt_change_free(c);
	} else {
		rc = glt_write_end(cli, w->txn, c, st, &err);
	}
	if (rc == GLT_EXIT_OK && !w->dry_run)
		cli->public_parts |= GLT_PUBLIC_GROUPS; /* Unix groups change without gltoken */
	glt_cli_close(cli);
	return rc;
}

static const struct glt_column columns[] = {{"USER", 0}, {"RESULT", 0}, {"WHY", GLT_COLUMN_SHRINK}};

static int report(const struct glt_cli *cli, const struct syncing *w)
{
	struct glt_out *out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
	size_t blocked = 0, unblocked = 0, not_asked = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct person *p = &w->v[i];

		blocked += strcmp(p->result, "blocked") == 0;
		unblocked += strcmp(p->result, "unblocked") == 0;
		not_asked += p->verdict == UNKNOWN;
		if (glt_out_is_json(out)) {
			json_t *o = json_object();

			(void)json_object_set_new(o, "username", glt_json_text(p->name));
			(void)json_object_set_new(o, "result", glt_json_text(p->result));
			(void)json_object_set_new(o, "why", glt_json_text(p->why));
			glt_out_json(out, o);
		} else if (p->verdict != GOOD || strcmp(p->result, "unblocked") == 0) {
			glt_out_row(out, (const char *const[]){p->name, p->result, p->why});
		}
	}
	if (!glt_out_print(out))
		return GLT_EXIT_UNAVAILABLE;
	glt_cli_say("%zu users: %zu %sblocked, %zu unblocked, %zu could not be asked.", w->n, blocked,
		    w->dry_run ? "to be " : "", unblocked, not_asked);
	return not_asked ? GLT_EXIT_UNAVAILABLE : GLT_EXIT_OK;
}

int glt_cmd_user_sync(struct glt_cli *cli, int argc, char **argv)
{
	struct syncing w = {.dry_run = false};
	int rc;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		w.dry_run = true;
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	if (!glt_cli_is_root(cli, "ask PAM about others"))
		return GLT_EXIT_UNAVAILABLE;
	if (!service_exists()) {
		glt_cli_warn(cli, "there is no PAM service " SERVICE ": put its file into /etc/pam.d");
		return GLT_EXIT_UNAVAILABLE;
	}
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK)
		rc = find_people(cli, &w);
	for (size_t i = 0; rc == GLT_EXIT_OK && i < w.n; i++)
		judge(&w.v[i]);
	if (rc == GLT_EXIT_OK)
		rc = set_all(cli, &w);
	if (rc == GLT_EXIT_OK)
		rc = report(cli, &w);
	free(w.v);
	return rc;
}
