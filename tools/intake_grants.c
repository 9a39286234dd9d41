/* SPDX-License-Identifier: MIT */
/*
 * Roles from gitolite's rules. reporter is R. developer pushes, creates, rewinds and deletes where no ref is protected,
 * so it is only for whom gitolite lets do all of that on all refs; whoever may do less is reporter, with a note.
 */
#include "intake_gitolite.h"

#include <stdlib.h>
#include <string.h>

#define WRITE_FLAGS (GLT_RULE_CREATE | GLT_RULE_DELETE | GLT_RULE_MERGE)

/* What no rule of one repository says alone. */
struct common {
	unsigned flags;     /* C, D or M stands in some rule: then it is not in the others */
	bool deny_read;     /* option deny-rules */
	unsigned everybody; /* line of a rule that denies everybody; 0: none */
};

static int text_order(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

/* Those about all repositories first, and in each those about everybody. */
static int by_repo(const void *x, const void *y)
{
	const struct glt_rule *a = x, *b = y;
	int d = text_order(a->repo, b->repo);

	if (d == 0)
		d = text_order(a->user, b->user);
	return d ? d : (a->line > b->line) - (a->line < b->line);
}

static bool same(const char *a, const char *b)
{
	return text_order(a, b) == 0;
}

static void collect(const struct glt_rule *v, size_t n, struct common *c)
{
	for (size_t i = 0; i < n; i++) {
		c->flags |= v[i].what & WRITE_FLAGS;
		c->deny_read |= (v[i].what & GLT_RULE_DENY_READ) != 0;
		if ((v[i].what & GLT_RULE_DENY) && !v[i].user && !c->everybody)
			c->everybody = v[i].line;
	}
}

/* Does a rule about all repositories deny this user? Its line. */
static unsigned denied_everywhere(const struct glt_rule *all, size_t n, const char *user)
{
	for (size_t i = 0; i < n; i++)
		if ((all[i].what & GLT_RULE_DENY) && same(all[i].user, user))
			return all[i].line;
	return 0;
}

static bool is_full(const struct glt_intake *in, const struct glt_rule *r, const struct common *c)
{
	if (!(r->what & GLT_RULE_WRITE) || (r->what & GLT_RULE_REFEX))
		return false;
	return in->rw_as_developer || ((r->what & GLT_RULE_REWIND) && (c->flags & ~(r->what & WRITE_FLAGS)) == 0);
}

static void note_less(struct glt_intake *in, const struct glt_rule *r, unsigned denied)
{
	const char *why =
		denied ? "a rule denies some of it"
		: r->what & GLT_RULE_REFEX
			? "it is for some refs only"
			: "it lets do less than a developer may (rewind, create, delete, push without merges)";

	if (denied)
		glt_intake_note(in, r->line, "%s: %s (line %u); %s may read it", r->repo, why, denied, r->user);
	else
		glt_intake_note(in, r->line, "%s: %s; %s may read it", r->repo, why, r->user);
}

/* All rules of one user on one repository. */
static enum glt_status one_user(struct glt_intake *in, const struct glt_rule *v, size_t n, const struct common *c,
				unsigned denied, struct glt_err *err)
{
	const struct glt_rule *best = NULL, *less = NULL;
	char text[GLT_PATH_MAX + GLT_NAME_MAX + 64];
	bool full = false;

	for (size_t i = 0; i < n; i++)
		if ((v[i].what & GLT_RULE_DENY) && !denied)
			denied = v[i].line;
	for (size_t i = 0; i < n; i++) {
		if (!(v[i].what & (GLT_RULE_READ | GLT_RULE_WRITE)))
			continue;
		if (!best || (!full && is_full(in, &v[i], c)))
			best = &v[i];
		full = full || is_full(in, &v[i], c);
		if (v[i].what & GLT_RULE_WRITE)
			less = &v[i];
	}
	if (!best)
		return GLT_OK;
	if (denied && c->deny_read) {
		glt_intake_note(in, best->line, "%s: line %u denies %s, reading too (deny-rules)", best->repo,
				denied, best->user);
		return GLT_OK;
	}
	if (less && (!full || denied))
		note_less(in, less, denied);
	(void)snprintf(text, sizeof(text), "member %s %s %s", best->repo, best->user,
		       full && !denied ? "developer" : "reporter");
	return glt_intake_state(in, best->line, text, err);
}

static enum glt_status one_repo(struct glt_intake *in, const struct glt_rules *rules, size_t all, size_t from,
				size_t to, struct glt_err *err)
{
	const struct glt_rule *v = rules->v;
	struct common c = {0};
	enum glt_status st = GLT_OK;

	collect(v, all, &c);
	collect(v + from, to - from, &c);
	for (size_t i = from, end; st == GLT_OK && i < to; i = end) {
		unsigned denied;

		for (end = i; end < to && same(v[end].user, v[i].user); end++)
			;
		if (!v[i].user)
			continue;
		denied = c.everybody ? c.everybody : denied_everywhere(v, all, v[i].user);
		st = one_user(in, v + i, end - i, &c, denied, err);
	}
	return st;
}

enum glt_status glt_intake_grants(struct glt_intake *in, struct glt_rules *rules, struct glt_err *err)
{
	const struct glt_rule *v = rules->v;
	enum glt_status st = GLT_OK;
	size_t all = 0;

	if (rules->n)
		qsort(rules->v, rules->n, sizeof(*rules->v), by_repo);
	while (all < rules->n && !v[all].repo)
		all++;
	for (size_t i = all, end; st == GLT_OK && i < rules->n; i = end) {
		for (end = i; end < rules->n && same(v[end].repo, v[i].repo); end++)
			;
		st = one_repo(in, rules, all, i, end, err);
	}
	return st;
}
