/* SPDX-License-Identifier: MIT */
/* same-quick FOLDER PREFIX: the token on standard input with another secret, whose sixteen quick bits are the right
 * ones for its record in the store there. */
#include "secret.h"
#include "tokens.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static enum glt_status load(struct glt_store *store, const char *selector, Glt__Token **t, struct glt_err *err)
{
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	if (st == GLT_OK) {
		st = glt_token_by_selector(txn, selector, t, err);
		glt_txn_end(txn);
	}
	return st;
}

int main(int argc, char **argv)
{
	const char *const prefixes[] = {argc == 3 ? argv[2] : "", NULL};
	char line[GLT_TOKEN_MAX + 2] = "", out[GLT_TOKEN_MAX + 1];
	struct glt_err err = {.text = "usage: same-quick FOLDER PREFIX <TOKEN"};
	struct glt_store *store = NULL;
	struct glt_token_text text, drawn;
	Glt__Token *t = NULL;

	if (argc != 3 || sodium_init() < 0 || !fgets(line, sizeof(line), stdin) ||
	    !glt_token_parse(line, strcspn(line, "\n"), prefixes, &text) ||
	    glt_store_open(argv[1], false, &store, &err) != GLT_OK ||
	    load(store, text.selector, &t, &err) != GLT_OK) {
		fprintf(stderr, "%s\n", err.text);
		glt_store_close(store);
		return 1;
	}
	do {
		glt_token_generate(text.prefix, &drawn);
		strcpy(drawn.selector, text.selector);
	} while (strcmp(drawn.secret, text.secret) == 0 || !glt_secret_plausible(store, t, &drawn));
	glt_token_format(&drawn, out);
	puts(out);
	glt_token_free(t);
	glt_store_close(store);
	return 0;
}
