/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "issue.h"
#include "issued.h"
#include "named.h"
#include "select.h"
#include "tokens.h"
#include "when.h"

static const char help[] = "Usage: gltoken rotate ID [OPTION...]\n"
			   "\n"
			   "Replace a token by a new one with the same name and grants, which is printed as by\n"
			   "issue. The old one is revoked in the same moment, unless --overlap is given.\n"
			   "\n"
			   "      --expires WHEN       when the new one expires: 2027-01-31, 30d, never, ...;\n"
			   "                           else in a week where expiry is required\n"
			   "      --keep-lifetime      as long after now as the old one lived in all\n"
			   "      --overlap SPAN       the old one works for that long: 24h, 2d, ...\n"
			   "      --json               one JSON object, with the token\n" GLT_HELP_HELP;

enum { OPT_EXPIRES = GLT_OPT_OWN, OPT_KEEP, OPT_OVERLAP };

static const struct option options[] = {
	{"expires", required_argument, NULL, OPT_EXPIRES},
	{"expires-at", required_argument, NULL, OPT_EXPIRES},
	{"keep-lifetime", no_argument, NULL, OPT_KEEP},
	{"overlap", required_argument, NULL, OPT_OVERLAP},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

static int rotate(struct glt_cli *cli, const char *id, struct glt_rotate *req)
{
	char text[GLT_TOKEN_MAX + 1] = "";
	Glt__Token *old, *t = NULL;
	struct glt_err err;
	int rc = glt_named_load(cli, id, &old);

	if (rc != GLT_EXIT_OK)
		return rc;
	req->id = old->id;
	req->actor = cli->actor;
	if (glt_rotate(cli->store, &cli->conf, req, &t, text, &err) == GLT_OK)
		rc = glt_issued_print(cli, t, glt_user_id(cli->store, t), text);
	else
		rc = glt_cli_fail(cli, &err);
	glt_token_free(t);
	glt_token_free(old);
	return rc;
}

int glt_cmd_rotate(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_rotate req = {.expires_at = GLT_EXPIRES_DEFAULT, .overlap = GLT_OVERLAP_DEFAULT, .now = cli->now};
	const char *expires = NULL, *overlap = NULL;
	struct glt_err err;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		if (c == OPT_EXPIRES)
			glt_cli_once(cli, &expires, "--expires");
		else if (c == OPT_OVERLAP)
			glt_cli_once(cli, &overlap, "--overlap");
		else
			req.keep_lifetime = true;
	}
	glt_cli_operands(cli, argc, argv, 1, 1, "one ID");
	if (expires && req.keep_lifetime)
		glt_cli_usage(cli, "only one of --expires and --keep-lifetime may be given");
	if (expires)
		glt_cli_require(cli, glt_when_parse("--expires", expires, cli->now, &req.expires_at, &err), &err);
	if (overlap)
		glt_cli_require(cli, glt_span_parse("--overlap", overlap, &req.overlap, &err), &err);
	if (!glt_issued_prepare(cli))
		return GLT_EXIT_UNAVAILABLE;
	rc = glt_cli_open(cli, true);
	return rc == GLT_EXIT_OK ? rotate(cli, argv[optind], &req) : rc;
}
