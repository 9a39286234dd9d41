/* SPDX-License-Identifier: MIT */
#include "named.h"

#include "issued.h"
#include "select.h"
#include "tokens.h"
#include "view.h"

#include <stdio.h>

int glt_named_load(const struct glt_cli *cli, const char *text, Glt__Token **out)
{
	struct glt_err err;
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(cli->store, false, &txn, &err);

	*out = NULL;
	if (st == GLT_OK) {
		st = glt_token_resolve(txn, text, out, &err);
		glt_txn_end(txn);
	}
	return st == GLT_OK ? GLT_EXIT_OK : glt_cli_fail(cli, &err);
}

int glt_named_edit(const struct glt_cli *cli, uint64_t id, const struct glt_edit *edits, size_t n)
{
	Glt__Token *t;
	struct glt_err err;

	if (glt_token_edit(cli->store, &cli->conf, id, edits, n, cli->actor, cli->now, &t, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	if (cli->format == GLT_FORMAT_JSON) {
		(void)glt_json_print(glt_token_json(cli, t, glt_user_id(cli->store, t)));
	} else {
		char brief[700];

		glt_token_brief(t, brief, sizeof(brief));
		glt_cli_say("Changed token %s.", brief);
	}
	glt_token_free(t);
	return GLT_EXIT_OK;
}
