/* SPDX-License-Identifier: MIT */
#include "names.h"

#include "cli.h"
#include "tokens.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Without a name: that the holder's names are there. False: it was there before. */
static bool add(struct glt_names *n, Glt__Type type, const char *holder, const char *name)
{
	size_t room = strlen(holder) + (name ? strlen(name) : 0) + 16;
	char *key = glt_cli_alloc(NULL, room, 1);
	char **node;

	(void)snprintf(key, room, "%d %s%s%s", (int)type, holder, name ? "\n" : "", name ? name : "");
	node = tsearch(key, &n->root, compare);
	if (node && *node == key)
		return true;
	free(key);
	return false;
}

struct load {
	struct glt_names *names;
	struct glt_txn *txn;
	const struct glt_issue *req;
	enum glt_status st;
	struct glt_err *err;
};

static bool load_one(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct load *l = arg;
	Glt__Token *t;

	if (key.len != strlen(l->req->target))
		return false;
	l->st = glt_token_load(l->txn, glt_get_u64(value.data), &t, l->err);
	if (l->st != GLT_OK)
		return false;
	if (t->state == GLT__STATE__LIVE && !t->next && (!t->expires_at || l->req->now < t->expires_at) &&
	    t->type == l->req->type)
		(void)add(l->names, t->type, l->req->target, t->name);
	glt_token_free(t);
	return true;
}

static enum glt_status load(struct glt_names *n, struct glt_txn *txn, const struct glt_issue *req,
			    struct glt_err *err)
{
	struct load l = {.names = n, .txn = txn, .req = req, .st = GLT_OK, .err = err};
	const struct glt_slice holder = glt_slice_str(req->target);
	enum glt_status st = glt_walk(txn, req->type == GLT__TYPE__PERSONAL ? GLT_BY_OWNER : GLT_BY_PATH, holder,
				      holder, load_one, &l, err);

	return st == GLT_OK ? l.st : st;
}

void glt_names_free(struct glt_names *n)
{
	tdestroy(n->root, free);
	n->root = NULL;
}

void glt_names_begin(struct glt_names *n, struct glt_txn *txn)
{
	if (n->generation != glt_counter(txn, GLT_NEXT_GENERATION))
		glt_names_free(n);
}

enum glt_status glt_names_take(struct glt_names *n, struct glt_txn *txn, const struct glt_issue *req,
			       struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	if (add(n, req->type, req->target, NULL))
		st = load(n, txn, req, err);
	if (st == GLT_OK && !add(n, req->type, req->target, req->name))
		st = glt_fail(err, GLT_EXISTS, "%s has an active token '%s' already", req->target, req->name);
	return st;
}

void glt_names_end(struct glt_names *n, struct glt_txn *txn)
{
	n->generation = glt_counter(txn, GLT_NEXT_GENERATION);
}
