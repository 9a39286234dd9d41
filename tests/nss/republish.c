/* SPDX-License-Identifier: MIT */
/* republish COUNT USER: as uid gltoken, changes USER's display to "state N N" and publishes, COUNT times. */
#include "conf.h"
#include "event.h"
#include "people.h"
#include "publish.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

static enum glt_status change(struct glt_store *store, const char *user, int n, struct glt_err *err)
{
	struct glt_change *c = glt_change_new();
	struct glt_txn *txn;
	Glt__User *u = NULL;
	enum glt_status st = glt_txn_begin(store, true, &txn, err);

	if (st != GLT_OK)
		return st;
	st = glt_user_load(txn, user, &u, err);
	if (st == GLT_OK) {
		free(u->display);
		if (asprintf(&u->display, "state %d %d", n, n) < 0)
			return GLT_UNAVAILABLE;
		glt_user_store(c, u);
		glt_event_object(c, "test", "user.edit", user, NULL, NULL, NULL);
		st = glt_store_apply(txn, c, err);
	} else {
		glt_txn_end(txn);
	}
	glt_user_free(u);
	glt_change_free(c);
	return st;
}

int main(int argc, char **argv)
{
	struct glt_err err = {.text = "usage"};
	static struct glt_conf conf;
	struct glt_store *store;
	enum glt_status st;

	if (argc != 3 || sodium_init() < 0)
		return 2;
	st = glt_conf_load(GLT_CONF_FILE, &conf, &err);
	if (st == GLT_OK)
		st = glt_store_open(conf.store_dir, true, &store, &err);
	for (int i = 1; st == GLT_OK && i <= (int)strtol(argv[1], NULL, 10); i++) {
		st = change(store, argv[2], i, &err);
		if (st == GLT_OK)
			st = glt_publish(store, &conf, NULL, &err);
	}
	if (st != GLT_OK) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	glt_store_close(store);
	return 0;
}
