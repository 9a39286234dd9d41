/* SPDX-License-Identifier: MIT */
/*
 * change action=list and action=show: tokens without their secrets. A list comes in pages, so that neither the
 * reply nor the time in a transaction grows with the number of tokens: row_a, row_b, ... and, where there may be
 * more, next, which is the next request's after.
 */
#include "auth_change.h"

#include "ask.h"
#include "role.h"
#include "scope.h"
#include "tokens.h"
#include "usage.h"
#include "when.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROWS 16  /* with what else is in the reply, below GLT_WIRE_KEYS */
#define LOOKS 64 /* records read for a page; most of an old list are dead */

struct page {
	const char *key; /* owner or path, whole */
	uint64_t after;
	uint64_t id[LOOKS];
	size_t n;
	bool more;
};

static bool collect(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct page *p = arg;
	uint64_t id = glt_get_u64(value.data);

	if (key.len != strlen(p->key) || id <= p->after)
		return true;
	if (p->n == LOOKS) {
		p->more = true;
		return false;
	}
	p->id[p->n++] = id;
	return true;
}

/* State, as one word. */
static void put_state(const Glt__Token *t, int64_t now, char out[24])
{
	(void)snprintf(out, 24, "%s", glt_token_state(t, now));
	for (char *p = out; *p; p++)
		if (*p == ' ')
			*p = '_';
}

/* "ID TYPE STATE EXPIRES ROLE SCOPES NAME": only the last may have blanks. */
static void add_row(struct change *c, size_t row, const Glt__Token *t)
{
	char key[] = "row_a", scopes[GLT_SCOPES_TEXT_MAX], expires[GLT_WHEN_TEXT], state[24];
	const char *role = glt_role_name((int)t->role);

	key[4] = (char)('a' + row);
	glt_scopes_format(t->scopes, scopes);
	glt_when_rfc3339(glt_token_ends(t), expires);
	put_state(t, c->q.now, state);
	glt_message_addf(&c->a->reply, key, "%" PRIu64 " %s %s %s %s %s %s", t->id, glt_type_name(t->type), state,
			 expires[0] ? expires : "never", role && t->role ? role : "-", scopes[0] ? scopes : "-",
			 t->name);
}

static enum glt_status add_page(struct change *c, struct glt_txn *txn, struct page *p, struct glt_err *err)
{
	enum glt_table table = c->q.path ? GLT_BY_PATH : GLT_BY_OWNER;
	struct glt_slice key = glt_slice_str(p->key);
	enum glt_status st = glt_walk(txn, table, key, key, collect, p, err);
	size_t rows = 0;

	for (size_t i = 0; st == GLT_OK && i < p->n; i++) {
		Glt__Token *t;

		if (rows == ROWS) {
			p->n = i;
			p->more = true;
			break;
		}
		st = glt_token_load(txn, p->id[i], &t, err);
		if (st != GLT_OK)
			break;
		if (!glt_token_dead(t, c->q.now) && (c->q.path || t->type == GLT__TYPE__PERSONAL))
			add_row(c, rows++, t);
		glt_token_free(t);
	}
	if (st == GLT_OK && p->more)
		glt_message_addf(&c->a->reply, "next", "%" PRIu64, p->id[p->n - 1]);
	return st;
}

static bool read_after(struct change *c, uint64_t *after)
{
	const char *text = glt_message_get(&c->a->request, "after");
	char *end;

	*after = 0;
	if (!text)
		return true;
	errno = 0;
	*after = strtoumax(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && errno == 0 && *end == '\0')
		return true;
	auth_deny(c->a, GLT_WHY_BAD_REQUEST, "after must be an id");
	return false;
}

static void done(struct change *c, const Glt__Token *about)
{
	struct glt_question q = {.token = about, .op = c->q.op};
	struct glt_answer yes = {.allow = true, .reason = GLT_WHY_OK, .detail = "done"};

	if (about)
		yes.role = (int)about->role;
	auth_answer(c->a, &q, &yes);
}

void change_list(struct change *c)
{
	struct page p = {.n = 0};
	struct glt_err err = {.text = ""};
	struct glt_txn *txn;
	enum glt_status st;

	c->q.op = GLT_OP_LIST;
	if (!change_read_path(c) || !read_after(c, &p.after) || !change_permitted(c))
		return;
	p.key = c->q.path ? c->q.path : glt_question_person(&c->q);
	st = glt_txn_begin(c->a->store, false, &txn, &err);
	if (st == GLT_OK) {
		st = add_page(c, txn, &p, &err);
		glt_txn_end(txn);
	}
	if (st == GLT_OK) {
		done(c, NULL);
		return;
	}
	glt_message_init(&c->a->reply); /* half a list is none */
	auth_failed(c->a, st, &err);
}

/* ---- one token ---- */

/* Joined by ", "; a list that is longer than anybody reads ends with "...". */
static void add_list(struct change *c, const char *key, char *const *list, size_t n)
{
	char text[900];
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list[i]);

		if (used + len + 8 > sizeof(text)) {
			(void)snprintf(text + used, sizeof(text) - used, ", ...");
			break;
		}
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "", list[i]);
	}
	if (n)
		glt_message_add(&c->a->reply, key, text);
}

static void add_when(struct change *c, const char *key, int64_t when)
{
	char text[GLT_WHEN_TEXT];

	glt_when_rfc3339(when, text);
	glt_message_add(&c->a->reply, key, text[0] ? text : NULL);
}

static void add_usage(struct change *c, uint64_t id)
{
	struct glt_usage u;
	char *ips[GLT_USAGE_IPS];
	size_t n = 0;

	if (!glt_usage_read(c->a->conf.store_dir, id, &u))
		return;
	add_when(c, "last_used_at", u.last_used_at);
	for (; n < GLT_USAGE_IPS && u.ips[n][0]; n++)
		ips[n] = u.ips[n];
	add_list(c, "last_used_ips", ips, n);
}

void change_show(struct change *c)
{
	struct glt_message *reply = &c->a->reply;
	Glt__Token *t = change_target(c);
	char state[24];

	c->q.op = GLT_OP_SHOW;
	c->q.target = t;
	if (t && change_permitted(c)) {
		put_state(t, c->q.now, state);
		glt_message_add(reply, "state", state);
		glt_message_add(reply, "description", t->description[0] ? t->description : NULL);
		glt_message_add(reply, "path", t->path[0] ? t->path : NULL);
		add_when(c, "created_at", t->created_at);
		glt_message_add(reply, "created_by", t->created_by);
		add_when(c, "not_before", t->not_before);
		add_list(c, "allow_from", t->allow_from, t->n_allow_from);
		add_list(c, "only_repo", t->only_repo, t->n_only_repo);
		add_list(c, "services", t->services, t->n_services);
		if (t->max_uses)
			glt_message_addf(reply, "uses", "%" PRIu32 " of %" PRIu32 " left", t->uses_left,
					 t->max_uses);
		if (t->previous)
			glt_message_addf(reply, "previous", "%" PRIu64, t->previous);
		if (t->next)
			glt_message_addf(reply, "next", "%" PRIu64, t->next);
		add_when(c, "revoked_at", t->revoked_at);
		glt_message_add(reply, "revoked_by", t->revoked_at ? t->revoked_by : NULL);
		glt_message_add(reply, "revoked_why", t->revoked_why[0] ? t->revoked_why : NULL);
		add_usage(c, t->id);
		done(c, t);
	}
	glt_token_free(t);
}
