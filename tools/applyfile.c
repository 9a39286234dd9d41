/* SPDX-License-Identifier: MIT */
#include "applyfile.h"

#include "account.h"
#include "principal.h"
#include "protect.h"
#include "role.h"
#include "text.h"
#include "userput.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"

/* The next word, cut off; NULL at the end. *rest goes on behind the blanks. */
static char *word(char **rest)
{
	char *w = *rest;
	size_t n = strcspn(w, BLANKS);

	if (*w == '\0')
		return NULL;
	*rest = w + n + strspn(w + n, BLANKS);
	w[n] = '\0';
	return w;
}

static enum glt_status missing(const char *grammar, struct glt_err *err)
{
	return glt_fail(err, GLT_INVALID, "must be '%s'", grammar);
}

/* ---- one statement each ---- */

static enum glt_status look_up(struct glt_wanted *w, struct glt_err *err)
{
	struct glt_account account = {.uid = 0};
	enum glt_status st = glt_account_of_system(w->name, &account, err);

	w->system = st == GLT_OK;
	w->uid = account.uid;
	return st == GLT_NOT_FOUND ? GLT_OK : st;
}

static enum glt_status read_user(struct glt_wanted *w, char *rest, struct glt_err *err)
{
	const char *name = word(&rest);
	enum glt_status st;

	if (!name)
		return missing("user NAME [DISPLAY]", err);
	st = glt_account_name_check(name, err);
	if (st == GLT_OK)
		st = glt_user_check_name(name, err);
	if (st == GLT_OK)
		st = glt_name_check("display", rest, true, err);
	if (st == GLT_OK)
		st = glt_user_ask_system(name, &w->system, err);
	if (st != GLT_OK)
		return st;
	strcpy(w->name, name);
	strcpy(w->title, rest);
	return GLT_OK;
}

static enum glt_status read_member(struct glt_wanted *w, char *rest, struct glt_err *err)
{
	const char *path = word(&rest), *who = word(&rest), *role = word(&rest);
	enum glt_status st;
	bool ours = false;

	if (!path || !who || !role || *rest)
		return missing("member PATH PRINCIPAL ROLE", err);
	st = glt_path_normalise(path, w->path, err);
	if (st == GLT_OK)
		st = glt_principal_check(who, err);
	if (st == GLT_OK)
		st = glt_role_parse(role, &w->role, err);
	if (st == GLT_OK)
		st = glt_principal_find(who, &ours, err);
	if (st != GLT_OK)
		return st;
	w->system = !ours;
	strcpy(w->name, who);
	return GLT_OK;
}

static enum glt_status read_level(struct glt_wanted *w, const char *text, struct glt_err *err)
{
	static const char *const names[] = {"push=", "force=", "delete="};
	uint32_t *const levels[] = {&w->push, &w->force, &w->remove};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(text, names[i], strlen(names[i])) == 0)
			return glt_level_parse(text + strlen(names[i]), levels[i], err);
	return glt_fail(err, GLT_INVALID, "'%.64s': must be push=ROLE, force=ROLE or delete=ROLE", text);
}

static enum glt_status read_protection(struct glt_wanted *w, char *rest, struct glt_err *err)
{
	const char *path = word(&rest), *glob = word(&rest), *level;
	enum glt_status st;

	if (!path || !glob || strncmp(rest, "push=", 5) != 0)
		return missing("protect PATH REFGLOB push=ROLE [force=ROLE] [delete=ROLE]", err);
	st = glt_path_normalise(path, w->path, err);
	if (st == GLT_OK)
		st = glt_protect_glob(glob, w->name, err);
	while (st == GLT_OK && (level = word(&rest)))
		st = read_level(w, level, err);
	return st;
}

static enum glt_status read_pubkey(struct glt_wanted *w, const char *text, struct glt_err *err)
{
	enum glt_status st = glt_pubkey_parse(text, w->type, &w->blob, &w->blob_len, w->title, err);

	if (st == GLT_OK)
		glt_pubkey_fingerprint(w->blob, w->blob_len, w->fingerprint);
	return st;
}

static enum glt_status read_key(struct glt_wanted *w, char *rest, struct glt_err *err)
{
	const char *user = word(&rest);
	enum glt_status st;

	if (!user || !*rest)
		return missing("key USER TYPE BASE64 [TITLE]", err);
	st = glt_account_name_check(user, err);
	if (st != GLT_OK)
		return st;
	strcpy(w->name, user);
	st = read_pubkey(w, rest, err);
	return st == GLT_OK ? look_up(w, err) : st;
}

static enum glt_status read_deploy_key(struct glt_wanted *w, char *rest, struct glt_err *err)
{
	const char *path = word(&rest), *access = word(&rest);
	enum glt_status st;

	if (!path || !access || !*rest || (strcmp(access, "read") != 0 && strcmp(access, "write") != 0))
		return missing("deploy-key PATH read|write TYPE BASE64 [TITLE]", err);
	st = glt_path_normalise(path, w->path, err);
	w->write = strcmp(access, "write") == 0;
	return st == GLT_OK ? read_pubkey(w, rest, err) : st;
}

static enum glt_status read_statement(struct glt_wanted *w, char *text, struct glt_err *err)
{
	static const struct {
		const char *name;
		enum glt_wanted_kind kind;
		enum glt_status (*read)(struct glt_wanted *, char *, struct glt_err *);
	} statements[] = {
		{"user", GLT_WANT_USER, read_user},
		{"member", GLT_WANT_MEMBER, read_member},
		{"protect", GLT_WANT_PROTECTION, read_protection},
		{"key", GLT_WANT_KEY, read_key},
		{"deploy-key", GLT_WANT_KEY, read_deploy_key},
	};
	const char *name = word(&text);

	if (!name)
		return missing("a statement", err);
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
		if (strcmp(name, statements[i].name) == 0) {
			w->kind = statements[i].kind;
			return statements[i].read(w, text, err);
		}
	return glt_fail(err, GLT_INVALID, "'%.64s': must be user, member, protect, key or deploy-key", name);
}

/* ---- the file ---- */

static bool is_same(const struct glt_wanted *a, const struct glt_wanted *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == GLT_WANT_KEY)
		return memcmp(a->fingerprint, b->fingerprint, sizeof(a->fingerprint)) == 0;
	return strcmp(a->path, b->path) == 0 && strcmp(a->name, b->name) == 0;
}

static enum glt_status check_once(const struct glt_applyfile *a, const struct glt_wanted *w, struct glt_err *err)
{
	for (size_t i = 0; i + 1 < a->n; i++)
		if (is_same(&a->v[i], w))
			return glt_fail(err, GLT_INVALID, "line %u says again what line %u says", w->line,
					a->v[i].line);
	return GLT_OK;
}

static enum glt_status add(struct glt_applyfile *a, char *text, unsigned line, bool once, struct glt_err *err)
{
	struct glt_wanted *w;
	struct glt_err why;
	enum glt_status st;

	if (a->n == a->room) {
		a->room = a->room ? a->room * 2 : 64;
		a->v = glt_cli_alloc(a->v, a->room, sizeof(*a->v));
	}
	w = &a->v[a->n++];
	memset(w, 0, sizeof(*w));
	w->line = line;
	st = read_statement(w, text, &why);
	if (st != GLT_OK)
		return glt_fail(err, st, "line %u: %s", line, why.text);
	a->has[w->kind] = true;
	return once || w->kind != GLT_WANT_MEMBER ? check_once(a, w, err) : GLT_OK;
}

enum glt_status glt_applyfile_add(struct glt_applyfile *a, const char *text, unsigned line, struct glt_err *err)
{
	char *copy = glt_cli_strdup(text);
	enum glt_status st = add(a, copy, line, false, err);

	if (st != GLT_OK)
		free(a->v[--a->n].blob);
	free(copy);
	return st;
}

enum glt_status glt_applyfile_read(FILE *f, struct glt_applyfile *out, struct glt_err *err)
{
	enum glt_status st = GLT_OK;
	unsigned number = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	*out = (struct glt_applyfile){0};
	while (st == GLT_OK && (n = getline(&line, &room, f)) >= 0) {
		char *text = line + strspn(line, BLANKS);

		number++;
		if (strlen(line) != (size_t)n) {
			st = glt_fail(err, GLT_INVALID, "line %u: has a NUL byte", number);
			break;
		}
		while (n > 0 && strchr(BLANKS "\r\n", line[n - 1]))
			line[--n] = '\0';
		if (*text && *text != '#')
			st = add(out, text, number, true, err);
	}
	if (st == GLT_OK && ferror(f))
		st = glt_fail(err, GLT_UNAVAILABLE, "cannot be read: %s", strerror(errno));
	free(line);
	if (st != GLT_OK)
		glt_applyfile_free(out);
	return st;
}

void glt_applyfile_free(struct glt_applyfile *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i].blob);
	free(a->v);
	*a = (struct glt_applyfile){0};
}
