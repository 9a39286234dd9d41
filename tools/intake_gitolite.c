/* SPDX-License-Identifier: MIT */
#include "intake_gitolite.h"

#include <stdlib.h>
#include <string.h>

#define LOGICAL_MAX 65536
#define FLAGS (GLT_RULE_CREATE | GLT_RULE_DELETE | GLT_RULE_MERGE)
#define RULES_MAX 500000
#define WORDS_MAX 4096 /* of a line */

struct group {
	char *name; /* with its @ */
	char **v;   /* without groups */
	size_t n;
};

struct reader {
	struct glt_intake *in;
	struct glt_err *err;
	struct group *groups;
	size_t n_groups;
	char **kept; /* every text that something points at */
	size_t n_kept, room;
	const char **repos; /* of the block */
	size_t n_repos;
	bool in_block, block_all; /* it may be about any repository */
	struct glt_rules rules;
};

static bool fail(struct reader *r, unsigned line, const char *what)
{
	(void)glt_fail(r->err, GLT_INVALID, "line %u: %s", line, what);
	return false;
}

static char *keep(struct reader *r, const char *text)
{
	char *copy = glt_cli_strdup(text);

	if (r->n_kept == r->room) {
		r->room = r->room ? r->room * 2 : 256;
		r->kept = glt_cli_alloc(r->kept, r->room, sizeof(*r->kept));
	}
	r->kept[r->n_kept++] = copy;
	return copy;
}

static struct group *find_group(struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->n_groups; i++)
		if (strcmp(r->groups[i].name, name) == 0)
			return &r->groups[i];
	return NULL;
}

static void join(struct group *g, char *word)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->v[i], word) == 0)
			return;
	if (g->n % 64 == 0)
		g->v = glt_cli_alloc(g->v, g->n + 64, sizeof(*g->v));
	g->v[g->n++] = word;
}

/* "@devs = alice @admins": what @admins has by then, as gitolite takes it. */
static bool define_group(struct reader *r, unsigned line, char **words, size_t n)
{
	struct group *g = find_group(r, words[0]);
	size_t at;

	if (!g) {
		if (r->n_groups == WORDS_MAX)
			return fail(r, line, "too many groups");
		r->groups = glt_cli_alloc(r->groups, r->n_groups + 1, sizeof(*r->groups));
		g = &r->groups[r->n_groups++];
		*g = (struct group){.name = keep(r, words[0])};
	}
	at = (size_t)(g - r->groups);
	for (size_t i = 2; i < n; i++) {
		const struct group *other =
			words[i][0] == '@' && strcmp(words[i], "@all") != 0 ? find_group(r, words[i]) : NULL;

		if (words[i][0] == '@' && strcmp(words[i], "@all") != 0 && !other)
			return fail(r, line, "a group that is defined nowhere above");
		for (size_t k = 0; other && k < other->n; k++)
			join(&r->groups[at], other->v[k]);
		if (!other)
			join(&r->groups[at], keep(r, words[i]));
		if (r->groups[at].n > GLT_INTAKE_MAX)
			return fail(r, line, "too large a group");
	}
	return true;
}

/* gitolite's own names are plain up to here; whatever else is in one makes it a pattern. */
static bool is_pattern(const char *name)
{
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/+")] != '\0';
}

static void add_repo(struct reader *r, unsigned line, char *name)
{
	char path[GLT_PATH_MAX + 1];
	struct glt_err why;

	if (strcmp(name, "@all") == 0 || is_pattern(name)) {
		r->block_all = true;
		glt_intake_note(r->in, line, "repo %.200s: %s is not granted", name,
				strcmp(name, "@all") == 0 ? "what stands for all repositories"
							  : "what stands for repositories by a pattern");
		return;
	}
	if (glt_path_normalise(name, path, &why) != GLT_OK || strcmp(path, name) != 0) {
		glt_intake_note(r->in, line, "repo %.200s: no name of a project", name);
		return;
	}
	if (r->n_repos % 64 == 0)
		r->repos = glt_cli_alloc(r->repos, r->n_repos + 64, sizeof(*r->repos));
	r->repos[r->n_repos++] = keep(r, name);
}

static bool begin_block(struct reader *r, unsigned line, char **words, size_t n)
{
	r->n_repos = 0;
	free(r->repos);
	r->repos = NULL;
	r->in_block = true;
	r->block_all = false;
	for (size_t i = 1; i < n; i++) {
		const struct group *g = words[i][0] == '@' ? find_group(r, words[i]) : NULL;

		if (words[i][0] == '@' && !g && strcmp(words[i], "@all") != 0)
			return fail(r, line, "a group of repositories that is defined nowhere above");
		for (size_t k = 0; g && k < g->n; k++)
			add_repo(r, line, g->v[k]);
		if (!g)
			add_repo(r, line, words[i]);
	}
	return true;
}

static bool add_rule(struct reader *r, unsigned line, const char *repo, const char *user, unsigned what)
{
	if (r->rules.n == RULES_MAX)
		return fail(r, line, "too many rules, each repository times each user");
	if (r->rules.n == r->rules.room) {
		r->rules.room = r->rules.room ? r->rules.room * 2 : 256;
		r->rules.v = glt_cli_alloc(r->rules.v, r->rules.room, sizeof(*r->rules.v));
	}
	r->rules.v[r->rules.n++] = (struct glt_rule){repo, user, line, what};
	return true;
}

/* A user, or NULL for everybody. What limits others counts for all where the block may be about any repository; what
 * grants counts for those that it names. */
static bool for_user(struct reader *r, unsigned line, const char *user, unsigned what)
{
	unsigned limits = what & ~(unsigned)(GLT_RULE_READ | GLT_RULE_WRITE | GLT_RULE_REWIND | GLT_RULE_REFEX);
	bool good = true;

	if (r->block_all && limits)
		good = add_rule(r, line, NULL, user, limits);
	for (size_t i = 0; good && i < r->n_repos; i++)
		good = add_rule(r, line, r->repos[i], user, what);
	return good;
}

static bool is_one_of(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

static bool one_name(struct reader *r, unsigned line, char *user, unsigned what)
{
	static const char *const programs[] = {"daemon", "gitweb"};
	static const char *const anybody[] = {"CREATOR", "READERS", "WRITERS", "OWNERS"};
	struct glt_err why;

	if (strcmp(user, "@all") == 0) {
		if (!(what & GLT_RULE_DENY))
			glt_intake_note(r->in, line, "what everybody may do is not granted");
		return for_user(r, line, NULL, what);
	}
	if (is_one_of(user, programs, sizeof(programs) / sizeof(programs[0]))) {
		if (!(what & GLT_RULE_DENY))
			glt_intake_note(r->in, line, "what everybody may read (%s) is not granted", user);
		return for_user(r, line, NULL, what & FLAGS);
	}
	if (is_one_of(user, anybody, sizeof(anybody) / sizeof(anybody[0]))) {
		glt_intake_note(r->in, line, "%s is whoever made a repository, or whom that one names", user);
		return for_user(r, line, NULL, what & (FLAGS | GLT_RULE_DENY));
	}
	if (glt_account_name_check(user, &why) != GLT_OK) {
		glt_intake_note(r->in, line, "%s", why.text);
		return true;
	}
	return for_user(r, line, keep(r, user), what);
}

static bool read_rule(struct reader *r, unsigned line, char **words, size_t n, size_t equals, unsigned what)
{
	bool good = true;

	if (!r->in_block)
		return fail(r, line, "a rule before any repo line");
	if (equals > 1 && !(what & GLT_RULE_DENY))
		what |= GLT_RULE_REFEX;
	for (size_t i = equals + 1; good && i < n; i++) {
		const struct group *g = words[i][0] == '@' ? find_group(r, words[i]) : NULL;

		if (words[i][0] == '@' && !g && strcmp(words[i], "@all") != 0) {
			glt_intake_note(r->in, line, "%.200s is defined nowhere above: its members are not known",
					words[i]);
			good = for_user(r, line, NULL, what & (FLAGS | GLT_RULE_DENY));
			continue;
		}
		for (size_t k = 0; g && good && k < g->n; k++)
			good = one_name(r, line, g->v[k], what);
		if (!g)
			good = one_name(r, line, words[i], what);
	}
	return good;
}

/* "RW+CDM", "R" or "-"; 0: none. */
static unsigned permission(const char *word)
{
	unsigned what = GLT_RULE_READ | GLT_RULE_WRITE;

	if (strcmp(word, "-") == 0)
		return GLT_RULE_DENY;
	if (strcmp(word, "R") == 0)
		return GLT_RULE_READ;
	if (strncmp(word, "RW", 2) != 0)
		return 0;
	for (word += 2; *word; word++) {
		const char *at = strchr("+CDM", *word);
		const unsigned flags[] = {GLT_RULE_REWIND, GLT_RULE_CREATE, GLT_RULE_DELETE, GLT_RULE_MERGE};

		if (!at || (what & flags[at - "+CDM"]))
			return 0;
		what |= flags[at - "+CDM"];
	}
	return what;
}

/* ---- lines ---- */

static bool read_option(struct reader *r, unsigned line, char **words, size_t n)
{
	bool off = n == 4 && strcmp(words[3], "0") == 0;

	if (n < 4 || strcmp(words[1], "deny-rules") != 0) {
		glt_intake_note(r->in, line, "%.64s %.64s is not taken over", words[0], n > 1 ? words[1] : "");
		return true;
	}
	if (!r->in_block)
		return fail(r, line, "an option before any repo line");
	return off || for_user(r, line, NULL, GLT_RULE_DENY_READ);
}

static bool read_words(struct reader *r, unsigned line, char **words, size_t n)
{
	static const char *const elsewhere[] = {"include", "subconf", "macro", "end"};
	unsigned what = permission(words[0]);
	size_t equals = 0;

	while (equals < n && strcmp(words[equals], "=") != 0)
		equals++;
	/* What stands elsewhere may deny what is granted here. */
	if (is_one_of(words[0], elsewhere, sizeof(elsewhere) / sizeof(elsewhere[0])) || equals == 0)
		return fail(r, line,
			    "include, subconf, macro and template data are not followed: write in their place "
			    "what they stand for");
	if (words[0][0] == '@' && equals == 1)
		return define_group(r, line, words, n);
	if (strcmp(words[0], "repo") == 0 && equals == n)
		return begin_block(r, line, words, n);
	if (what && equals < n && n > equals + 1)
		return read_rule(r, line, words, n, equals, what);
	if (strcmp(words[0], "option") == 0 || strcmp(words[0], "config") == 0)
		return read_option(r, line, words, n);
	glt_intake_note(r->in, line,
			strcmp(words[0], "C") == 0 && equals < n ? "C: who may make repositories is not taken over"
								 : "not understood");
	return true;
}

/* As gitolite does: no comment, the first '=' a word of its own. Strings are for what is not taken over. */
static bool read_logical(struct reader *r, unsigned line, const char *text)
{
	char *spaced = glt_cli_alloc(NULL, strlen(text) + 3, 1), *words[WORDS_MAX], *save = NULL;
	bool quoted = false, equals = false, good = true;
	size_t n = 0, k = 0;

	for (const char *p = text; *p && (quoted || *p != '#'); p++) {
		quoted ^= *p == '"';
		if (*p == '=' && !equals) {
			memcpy(spaced + k, " = ", 3);
			k += 3;
			equals = true;
		} else {
			spaced[k++] = *p;
		}
	}
	spaced[k] = '\0';
	for (char *w = strtok_r(spaced, " \t", &save); w && good; w = strtok_r(NULL, " \t", &save)) {
		if (n == WORDS_MAX)
			good = fail(r, line, "too many words");
		else
			words[n++] = w;
	}
	good = good && (n == 0 || read_words(r, line, words, n));
	free(spaced);
	return good;
}

static enum glt_status read_all(FILE *f, struct reader *r)
{
	char buf[GLT_INTAKE_LINE], *text = glt_cli_alloc(NULL, LOGICAL_MAX, 1);
	unsigned number = 0, first = 0;
	enum glt_status st;
	bool good = true;
	size_t len = 0;

	for (char *line; good && (line = glt_intake_line(f, buf, &number, &st, r->err));) {
		size_t n = strlen(line);
		bool more;

		while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
			n--;
		more = n > 0 && line[n - 1] == '\\';
		if (len == 0)
			first = number;
		if (len + n + 2 > LOGICAL_MAX) {
			good = fail(r, number, "too long with what it continues");
			break;
		}
		memcpy(text + len, line, n - more);
		len += n - more;
		text[len] = '\0';
		if (more) {
			text[len++] = ' ';
			continue;
		}
		good = read_logical(r, first, text);
		len = 0;
	}
	if (good && st == GLT_OK && len > 0) {
		text[len] = '\0';
		good = read_logical(r, first, text);
	}
	free(text);
	return good ? st : GLT_INVALID;
}

enum glt_status glt_intake_gitolite(FILE *f, struct glt_intake *in, struct glt_err *err)
{
	struct reader r = {.in = in, .err = err};
	enum glt_status st = read_all(f, &r);

	if (st == GLT_OK)
		st = glt_intake_grants(in, &r.rules, err);
	for (size_t i = 0; i < r.n_groups; i++)
		free(r.groups[i].v);
	for (size_t i = 0; i < r.n_kept; i++)
		free(r.kept[i]);
	free(r.groups);
	free(r.kept);
	free(r.repos);
	free(r.rules.v);
	return st;
}
