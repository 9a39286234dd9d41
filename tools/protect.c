/* SPDX-License-Identifier: MIT */
#include "protect.h"

#include "event.h"
#include "role.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

enum glt_status glt_protect_glob(const char *text, char out[GLT_NAME_MAX + 1], struct glt_err *err)
{
	int n = snprintf(out, GLT_NAME_MAX + 1, "%s%s", strncmp(text, "refs/", 5) ? "refs/heads/" : "", text);

	if (n < 0 || n > GLT_NAME_MAX)
		return glt_fail(err, GLT_INVALID, "pattern has over %d bytes", GLT_NAME_MAX);
	if (strstr(out, "..") || strstr(out, "//") || strstr(out, "/.") || strstr(out, "@{") ||
	    strpbrk(out, " ~^:") || out[n - 1] == '/' || out[n - 1] == '.')
		return glt_fail(err, GLT_INVALID,
				"pattern '%s': no ref has such a name, see git-check-ref-format(1)", out);
	return glt_glob_check(out, err);
}

#define LEVELS 96

static const char *levels(const Glt__Protection *p, char out[LEVELS])
{
	if (!p)
		return NULL;
	(void)snprintf(out, LEVELS, "push=%u force=%u delete=%u", p->push, p->force, p->remove);
	return out;
}

static void event(const struct glt_cli *cli, struct glt_change *c, const char *action, const char *path,
		  const char *glob, const Glt__Protection *old, const Glt__Protection *fresh)
{
	char object[GLT_PATH_MAX + GLT_NAME_MAX + 2], before[LEVELS], after[LEVELS];

	(void)snprintf(object, sizeof(object), "%s %s", path, glob);
	glt_event_object(c, cli->actor, action, object, levels(old, before), levels(fresh, after), NULL);
}

enum glt_status glt_protect_set(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				Glt__Protection *fresh, bool *changed, struct glt_err *err)
{
	Glt__Protection *old;
	enum glt_status st = glt_protection_load(txn, fresh->path, fresh->ref_glob, &old, err);

	*changed = !old || old->push != fresh->push || old->force != fresh->force || old->remove != fresh->remove;
	if (st == GLT_NOT_FOUND)
		st = GLT_OK;
	if (st == GLT_OK && *changed) {
		glt_protection_store(c, fresh);
		event(cli, c, "protect.set", fresh->path, fresh->ref_glob, old, fresh);
	}
	glt_protection_free(old);
	return st;
}

enum glt_status glt_protect_remove(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				   const char *path, const char *glob, struct glt_err *err)
{
	Glt__Protection *old;
	enum glt_status st = glt_protection_load(txn, path, glob, &old, err);

	if (st == GLT_OK) {
		glt_protection_drop(c, path, glob);
		event(cli, c, "protect.remove", path, glob, old, NULL);
	}
	glt_protection_free(old);
	return st;
}

enum glt_status glt_protect_default(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
				    const char *path, const char *branch, struct glt_err *err)
{
	Glt__Protection *old, fresh = GLT__PROTECTION__INIT;
	char glob[GLT_NAME_MAX + 1], copy[GLT_PATH_MAX + 1];
	bool changed;
	enum glt_status st = glt_protect_glob(branch, glob, err);

	if (st == GLT_OK) {
		st = glt_protection_load(txn, path, glob, &old, err);
		glt_protection_free(old);
	}
	if (st != GLT_NOT_FOUND)
		return st;
	(void)snprintf(copy, sizeof(copy), "%s", path);
	fresh.path = copy;
	fresh.ref_glob = glob;
	fresh.push = GLT_MAINTAINER;
	return glt_protect_set(cli, txn, c, &fresh, &changed, err);
}

enum glt_status glt_level_parse(const char *text, uint32_t *out, struct glt_err *err)
{
	int role = GLT_NO_ROLE;

	if (strcmp(text, "nobody") != 0 &&
	    (glt_role_parse(text, &role, NULL) != GLT_OK || (role != GLT_DEVELOPER && role != GLT_MAINTAINER)))
		return glt_fail(err, GLT_INVALID, "role '%.64s': must be nobody, developer or maintainer", text);
	*out = (uint32_t)role;
	return GLT_OK;
}

const char *glt_level_name(uint32_t level)
{
	const char *name = level ? glt_role_name((int)level) : "nobody";

	return name ? name : "unknown";
}
