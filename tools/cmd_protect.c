/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "protect.h"
#include "records.h"
#include "role.h"
#include "table.h"
#include "target.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
	"Usage: gltoken protect PATH REFGLOB --push ROLE [--force ROLE] [--delete ROLE]\n"
	"       gltoken protect PATH REFGLOB --remove\n"
	"       gltoken protect PATH --list\n"
	"\n"
	"Say who may change which branches and tags of a project. ROLE is nobody, developer or maintainer and is the\n"
	"least that may. REFGLOB is a name (main, release/*) of branches, or begins with refs/. Where several match a\n"
	"ref, the most permissive counts. A ref without protection may be pushed, forced and deleted by developers.\n"
	"\n"
	"      --push ROLE          may push and create\n"
	"      --force ROLE         may replace history (default: nobody)\n"
	"      --delete ROLE        may delete (default: nobody)\n"
	"      --remove             protect it no more\n"
	"      --list               what is protected\n" GLT_HELP_LIST GLT_HELP_HELP;

enum { OPT_PUSH = GLT_OPT_OWN, OPT_FORCE, OPT_DELETE, OPT_REMOVE, OPT_LIST };

static const struct option options[] = {
	{"push", required_argument, NULL, OPT_PUSH},
	{"force", required_argument, NULL, OPT_FORCE},
	{"delete", required_argument, NULL, OPT_DELETE},
	{"remove", no_argument, NULL, OPT_REMOVE},
	{"list", no_argument, NULL, OPT_LIST},
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

struct protect {
	char path[GLT_PATH_MAX + 1], glob[GLT_NAME_MAX + 1];
	const char *push, *force, *remove;
	bool drop, list;
};

static uint32_t level_of(const struct glt_cli *cli, const char *text)
{
	uint32_t level = GLT_NO_ROLE;
	struct glt_err err;

	if (text)
		glt_cli_require(cli, glt_level_parse(text, &level, &err), &err);
	return level;
}

static json_t *item_of(const Glt__Protection *p)
{
	return json_pack("{s:s,s:o,s:i,s:i,s:i}", "path", p->path, "ref", glt_json_text(p->ref_glob),
			 "push_access_level", (int)p->push, "force_access_level", (int)p->force,
			 "delete_access_level", (int)p->remove);
}

static int apply(struct glt_cli *cli, const struct protect *p, Glt__Protection *fresh)
{
	struct glt_change *c;
	struct glt_err err;
	struct glt_txn *txn;
	bool changed = true;
	enum glt_status st;
	int rc = glt_write_begin(cli, &txn, &c);

	if (rc != GLT_EXIT_OK)
		return rc;
	st = fresh ? glt_protect_set(cli, txn, c, fresh, &changed, &err)
		   : glt_protect_remove(cli, txn, c, p->path, p->glob, &err);
	rc = glt_write_end(cli, txn, c, st, &err);
	if (rc != GLT_EXIT_OK)
		return rc;
	glt_cli_say("%s: %s of %s is %s.", changed ? "Done" : "Unchanged", p->glob, p->path,
		    fresh ? "protected" : "protected no more");
	return glt_json_result(cli,
			       fresh ? item_of(fresh) : json_pack("{s:s,s:s}", "path", p->path, "ref", p->glob),
			       changed);
}

static int set(struct glt_cli *cli, struct protect *p)
{
	Glt__Protection fresh = GLT__PROTECTION__INIT;
	int rc;

	fresh.path = p->path;
	fresh.ref_glob = p->glob;
	fresh.push = level_of(cli, p->push);
	fresh.force = level_of(cli, p->force);
	fresh.remove = level_of(cli, p->remove);
	rc = glt_cli_config(cli);
	if (rc == GLT_EXIT_OK && !p->drop)
		glt_target_note(cli, p->path, GLT_TARGET_EITHER);
	if (rc == GLT_EXIT_OK)
		rc = glt_cli_open(cli, true);
	return rc == GLT_EXIT_OK ? apply(cli, p, p->drop ? NULL : &fresh) : rc;
}

/* ---- --list ---- */

static const struct glt_column columns[] = {{"PATH", 0}, {"REF", 0}, {"PUSH", 0}, {"FORCE", 0}, {"DELETE", 0}};

static void add_item(struct glt_out *out, const Glt__Protection *p)
{
	const char *const cells[] = {p->path, p->ref_glob, glt_level_name(p->push), glt_level_name(p->force),
				     glt_level_name(p->remove)};

	if (glt_out_is_json(out))
		glt_out_json(out, item_of(p));
	else
		glt_out_row(out, cells);
}

static int list(struct glt_cli *cli, const struct protect *p)
{
	struct glt_records all;
	struct glt_out *out;
	int rc = glt_cli_open(cli, false);

	if (rc == GLT_EXIT_OK)
		rc = glt_records_load(cli, GLT_PROTECTIONS, &glt__protection__descriptor, &all);
	if (rc != GLT_EXIT_OK)
		return rc;
	out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < all.n; i++) {
		const Glt__Protection *one = (const Glt__Protection *)all.v[i];

		if (glt_path_covers(one->path, p->path))
			add_item(out, one);
	}
	return glt_records_done(cli, &all, glt_out_print(out) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE);
}

int glt_cmd_protect(struct glt_cli *cli, int argc, char **argv)
{
	struct protect p = {.push = NULL};
	struct glt_err err;
	int c;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1) {
		switch (c) {
		case OPT_PUSH:
			glt_cli_once(cli, &p.push, "--push");
			break;
		case OPT_FORCE:
			glt_cli_once(cli, &p.force, "--force");
			break;
		case OPT_DELETE:
			glt_cli_once(cli, &p.remove, "--delete");
			break;
		case OPT_REMOVE:
			p.drop = true;
			break;
		default:
			p.list = true;
		}
	}
	if ((p.push != NULL) + p.drop + p.list != 1 || (!p.push && (p.force || p.remove)))
		glt_cli_usage(cli, "one of --push ROLE, --remove and --list is required");
	glt_cli_operands(cli, argc, argv, p.list ? 1 : 2, p.list ? 1 : 2, p.list ? "PATH" : "PATH REFGLOB");
	glt_target_path(cli, argv[optind], p.path);
	if (p.list)
		return list(cli, &p);
	glt_cli_require(cli, glt_protect_glob(argv[optind + 1], p.glob, &err), &err);
	return set(cli, &p);
}
