/* SPDX-License-Identifier: MIT */
#include "issued.h"

#include "scope.h"
#include "tokens.h"
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool glt_issued_prepare(const struct glt_cli *cli)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	(void)signal(SIGPIPE, SIG_IGN);
	if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
		return true;
	glt_cli_warn(cli, "standard output is closed: the token would be lost, so none was issued");
	return false;
}

void glt_token_brief(const Glt__Token *t, char *out, size_t size)
{
	(void)snprintf(out, size, "%" PRIu64 " (%s token '%s' of %s)", t->id, glt_type_name(t->type), t->name,
		       glt_token_holder(t));
}

static void print_summary(const Glt__Token *t)
{
	char scopes[GLT_SCOPES_TEXT_MAX], expires[GLT_LOCAL_TEXT], brief[700];

	glt_token_brief(t, brief, sizeof(brief));
	glt_scopes_format(t->scopes, scopes);
	glt_when_local(t->expires_at, true, expires);
	glt_cli_say("Token %s", brief);
	if (t->type != GLT__TYPE__PERSONAL)
		glt_cli_say("  acts as  %s", t->owner);
	glt_cli_say("  scopes   %s", scopes);
	glt_cli_say("  expires  %s", expires);
	glt_cli_say("It is shown this once; the store keeps only a hash of it.");
}

static bool print_json(const struct glt_cli *cli, const Glt__Token *t, uint64_t user_id, const char *text)
{
	json_t *o = glt_token_json(cli, t, user_id);

	(void)json_object_set_new(o, "token", glt_json_text(text));
	return glt_json_print(o);
}

int glt_issued_print(const struct glt_cli *cli, const Glt__Token *t, uint64_t user_id, char *text)
{
	bool ok = true;

	if (cli->format == GLT_FORMAT_JSON)
		ok = print_json(cli, t, user_id, text);
	else if (text)
		ok = fputs(text, stdout) >= 0 && putchar('\n') != EOF;
	if (fflush(stdout) != 0)
		ok = false;
	if (text)
		explicit_bzero(text, strlen(text));
	if (!ok && text) {
		int why = errno;

		glt_cli_warn(cli,
			     "token %" PRIu64
			     " was issued but could not be printed (%s): nobody has it. Revoke it: "
			     "gltoken revoke %" PRIu64,
			     t->id, strerror(why), t->id);
		return GLT_EXIT_UNAVAILABLE;
	}
	if (cli->format != GLT_FORMAT_JSON && text)
		print_summary(t);
	return GLT_EXIT_OK;
}
