/* SPDX-License-Identifier: MIT */
#include "cmds.h"

#include "event.h"
#include "keyfile.h"
#include "people.h"
#include "project.h"
#include "records.h"
#include "table.h"
#include "target.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char intro[] =
	"SSH public keys. On a shared account the key says who logs in, or which project it is for.\n";

/* ---- add ---- */

static const char add_help[] =
	"Usage: gltoken key add USER [FILE] [--title TEXT]\n"
	"       gltoken key add --project PATH [--write] [FILE] [--title TEXT]\n"
	"\n"
	"Add the public keys in FILE (id_ed25519.pub, or one key a line), or on standard input,\n"
	"for a user, or as deploy keys of a project. All of them or none.\n"
	"\n"
	"      --project PATH       a deploy key: nobody's, and for that project alone\n"
	"      --write              it may push to what is not protected; else it only pulls\n"
	"      --title TEXT         name of the key, instead of its comment\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_TITLE = GLT_OPT_OWN, OPT_PROJECT, OPT_WRITE };

static const struct option add_options[] = {
	{"title", required_argument, NULL, OPT_TITLE},
	{"project", required_argument, NULL, OPT_PROJECT},
	{"write", no_argument, NULL, OPT_WRITE},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct owner {
	const char *name; /* of a user, or NULL */
	char path[GLT_PATH_MAX + 1];
	bool write;
	bool system; /* there is an account of that name, with this uid */
	uid_t uid;
};

static enum glt_status check_owner(struct glt_txn *txn, struct owner *owner, struct glt_err *err)
{
	struct glt_err why;
	Glt__User *u = NULL;
	enum glt_status st;

	if (!owner->name)
		return glt_project_settled(txn, owner->path, err);
	st = glt_user_load(txn, owner->name, &u, &why);

	if (st == GLT_OK && u->virtual_user)
		owner->system = false;
	if (st == GLT_OK && u->state != GLT__STATE__LIVE)
		st = glt_fail(err, GLT_REFUSED, "user '%s' is blocked", owner->name);
	else if (st == GLT_NOT_FOUND && owner->system)
		st = GLT_OK;
	else if (st == GLT_NOT_FOUND)
		(void)glt_fail(err, st,
			       "unknown user '%s': no account of this system and none of gltoken user list",
			       owner->name);
	else if (st == GLT_OK && !u->virtual_user && !owner->system)
		st = glt_fail(err, GLT_NOT_FOUND, "the account of user '%s' is gone", owner->name);
	else if (st != GLT_OK)
		(void)glt_fail(err, st, "%s", why.text);
	glt_user_free(u);
	return st;
}

static const char *holder(const struct owner *owner)
{
	return owner->name ? owner->name : owner->path;
}

static enum glt_status put_key(const struct glt_cli *cli, struct glt_txn *txn, struct glt_change *c,
			       const struct owner *owner, const char *title, struct glt_keyline *line,
			       struct glt_err *err)
{
	char fingerprint[64], *text = glt_cli_strdup(title ? title : line->comment);
	char *user = glt_cli_strdup(owner->name ? owner->name : ""), *path = glt_cli_strdup(owner->path);
	char *type = glt_cli_strdup(line->type), *by = glt_cli_strdup(cli->actor);
	Glt__Key *there, k = GLT__KEY__INIT;
	enum glt_status st;

	glt_pubkey_fingerprint_text(line->fingerprint, fingerprint);
	st = glt_key_by_fingerprint(txn, line->fingerprint, &there, err);
	if (st == GLT_OK)
		st = glt_fail(err, GLT_EXISTS, "key %s is there already: key %" PRIu64 " of %s", fingerprint,
			      there->id, there->user[0] ? there->user : there->path);
	else if (st == GLT_NOT_FOUND)
		st = GLT_OK;
	if (st == GLT_OK) {
		k.id = line->id = glt_next(txn, GLT_NEXT_ID);
		k.user = user;
		k.path = path;
		k.can_push = owner->write;
		k.user_uid_plus1 = owner->system ? owner->uid + 1 : 0;
		k.type = type;
		k.blob = (ProtobufCBinaryData){line->blob_len, line->blob};
		k.title = text;
		k.created_at = cli->now;
		k.created_by = by;
		glt_key_store(c, &k);
		glt_event_object(c, cli->actor, "key.add", holder(owner), NULL, fingerprint,
				 owner->name    ? NULL
				 : owner->write ? "deploy key, read and write"
						: "deploy key, read");
	}
	glt_key_free(there);
	free(text);
	free(user);
	free(path);
	free(type);
	free(by);
	return st;
}

static json_t *added_json(const struct owner *owner, const char *title, const struct glt_keyline *line,
			  const char *fingerprint)
{
	json_t *o = json_object();

	(void)json_object_set_new(o, "id", glt_json_number(line->id));
	(void)json_object_set_new(o, "title", glt_json_text(title ? title : line->comment));
	(void)json_object_set_new(o, "fingerprint_sha256", glt_json_text(fingerprint));
	(void)json_object_set_new(o, "user", glt_json_text(owner->name));
	(void)json_object_set_new(o, "path", glt_json_text(owner->path));
	(void)json_object_set_new(o, "can_push", owner->name ? json_null() : json_boolean(owner->write));
	return o;
}

static int put_keys(struct glt_cli *cli, struct owner *owner, const char *title, struct glt_keyfile *keys)
{
	struct glt_change *c;
	struct glt_err err;
	struct glt_txn *txn;
	enum glt_status st;
	json_t *added = NULL;
	int rc = glt_write_begin(cli, &txn, &c);

	if (rc != GLT_EXIT_OK)
		return rc;
	if (cli->format == GLT_FORMAT_JSON)
		added = json_array();
	st = check_owner(txn, owner, &err);
	for (size_t i = 0; st == GLT_OK && i < keys->n; i++)
		st = put_key(cli, txn, c, owner, title, &keys->v[i], &err);
	rc = glt_write_end(cli, txn, c, st, &err);
	for (size_t i = 0; rc == GLT_EXIT_OK && i < keys->n; i++) {
		char fingerprint[64];

		glt_pubkey_fingerprint_text(keys->v[i].fingerprint, fingerprint);
		glt_cli_say("Added key %" PRIu64 " of %s: %s %s", keys->v[i].id, holder(owner), keys->v[i].type,
			    fingerprint);
		if (added)
			(void)json_array_append_new(added, added_json(owner, title, &keys->v[i], fingerprint));
	}
	if (rc == GLT_EXIT_OK && added)
		rc = glt_json_print(json_incref(added)) ? rc : GLT_EXIT_UNAVAILABLE;
	json_decref(added);
	if (rc != GLT_EXIT_OK && keys->n > 1)
		glt_cli_warn(cli, "none of the %zu keys was added", keys->n);
	return rc;
}

/* USER or --project, and at most one FILE, which is returned. */
static const char *read_owner(const struct glt_cli *cli, struct owner *owner, const char *project, int argc,
			      char **argv)
{
	struct glt_err err;

	if (owner->write && !project)
		glt_cli_usage(cli, "--write is for deploy keys: --project PATH is needed");
	if (project) {
		glt_cli_operands(cli, argc, argv, 0, 1, "at most one FILE, with --project");
		glt_target_path(cli, project, owner->path);
		return optind < argc ? argv[optind] : "-";
	}
	glt_cli_operands(cli, argc, argv, 1, 2, "USER and at most one FILE");
	owner->name = argv[optind];
	glt_cli_require(cli, glt_account_name_check(owner->name, &err), &err);
	return argc - optind == 2 ? argv[optind + 1] : "-";
}

/* What only the caller can ask, who is not uid gltoken yet. Exit status. */
static int find_owner(struct glt_cli *cli, struct owner *owner)
{
	struct glt_account account = {.uid = 0};
	struct glt_err err;
	enum glt_status st;
	int rc = glt_cli_config(cli);

	if (rc != GLT_EXIT_OK)
		return rc;
	if (!owner->name) {
		glt_target_note(cli, owner->path, GLT_TARGET_PROJECT);
		return GLT_EXIT_OK;
	}
	st = glt_account_of_system(owner->name, &account, &err);
	owner->system = st == GLT_OK;
	owner->uid = account.uid;
	return st == GLT_UNAVAILABLE ? glt_cli_fail(cli, &err) : GLT_EXIT_OK;
}

static int add(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_keyfile keys = {0};
	struct owner owner = {.name = NULL};
	const char *title = NULL, *project = NULL, *file;
	struct glt_err err;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, add_options, add_help)) != -1) {
		if (c == OPT_WRITE)
			owner.write = true;
		else
			glt_cli_once(cli, c == OPT_TITLE ? &title : &project,
				     c == OPT_TITLE ? "--title" : "--project");
	}
	file = read_owner(cli, &owner, project, argc, argv);
	if (title)
		glt_cli_require(cli, glt_name_check("--title", title, true, &err), &err);
	if (glt_keyfile_read(file, &keys, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	rc = find_owner(cli, &owner);
	if (rc == GLT_EXIT_OK)
		rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = put_keys(cli, &owner, title, &keys);
	glt_keyfile_free(&keys);
	return rc;
}

/* ---- list ---- */

static const char list_help[] = "Usage: gltoken key list [USER | --project PATH] [--json|--csv|--raw]\n"
				"\n"
				"List public keys: all, of one user, or the deploy keys of a project.\n"
				"\n"
				"      --project PATH       its deploy keys\n" GLT_HELP_LIST GLT_HELP_HELP;

static const struct option list_options[] = {
	{"project", required_argument, NULL, OPT_PROJECT},
	GLT_OPTIONS_LIST,
	GLT_OPTIONS_END,
};

static const struct glt_column columns[] = {
	{"ID", GLT_COLUMN_RIGHT},     {"USER", 0},  {"TYPE", 0},   {"FINGERPRINT", 0},
	{"TITLE", GLT_COLUMN_SHRINK}, {"ADDED", 0}, {"ACCESS", 0},
};

static void add_item(struct glt_out *out, const Glt__Key *k)
{
	uint8_t fp[GLT_FINGERPRINT_LEN];
	char fingerprint[64], id[24], added[GLT_LOCAL_TEXT];

	glt_pubkey_fingerprint(k->blob.data, k->blob.len, fp);
	glt_pubkey_fingerprint_text(fp, fingerprint);
	if (glt_out_is_json(out)) {
		json_t *o = json_object();
		char *line = glt_pubkey_format(k);

		(void)json_object_set_new(o, "id", json_integer((json_int_t)k->id));
		(void)json_object_set_new(o, "title", glt_json_text(k->title));
		(void)json_object_set_new(o, "key", glt_json_text(line));
		(void)json_object_set_new(o, "fingerprint_sha256", glt_json_text(fingerprint));
		(void)json_object_set_new(o, "user", glt_json_text(k->user));
		(void)json_object_set_new(o, "path", glt_json_text(k->path));
		(void)json_object_set_new(o, "can_push", k->path[0] ? json_boolean(k->can_push) : json_null());
		(void)json_object_set_new(o, "created_at", glt_json_time(k->created_at));
		(void)json_object_set_new(o, "created_by", glt_json_text(k->created_by));
		glt_out_json(out, o);
		free(line);
		return;
	}
	(void)snprintf(id, sizeof(id), "%" PRIu64, k->id);
	glt_when_cell(out, k->created_at, "", added);
	const char *const cells[] = {id,
				     k->user[0] ? k->user : k->path,
				     k->type,
				     fingerprint,
				     k->title,
				     added,
				     !k->path[0]   ? "its user's"
				     : k->can_push ? "read, write"
						   : "read"};
	glt_out_row(out, cells);
}

static int by_id(const void *x, const void *y)
{
	ProtobufCMessage *const *a = x, *const *b = y;
	uint64_t i = ((const Glt__Key *)*a)->id, k = ((const Glt__Key *)*b)->id;

	return i < k ? -1 : i > k;
}

/* Where there are no keys, a mistyped name is to show; those of an account that is gone are listed still. */
static enum glt_status is_known(struct glt_cli *cli, const char *user, struct glt_err *err)
{
	struct owner owner = {.name = user};
	struct glt_txn *txn;
	enum glt_status st;

	if (!user || find_owner(cli, &owner) != GLT_EXIT_OK)
		return GLT_OK;
	st = glt_txn_begin(cli->store, false, &txn, err);
	if (st != GLT_OK)
		return st;
	st = check_owner(txn, &owner, err);
	glt_txn_end(txn);
	return st;
}

static int list(struct glt_cli *cli, int argc, char **argv)
{
	struct glt_records keys;
	enum glt_status known = GLT_OK;
	struct glt_err err;
	struct glt_out *out;
	const char *user, *project = NULL;
	char path[GLT_PATH_MAX + 1];
	int rc;

	while (glt_cli_option(cli, argc, argv, list_options, list_help) != -1)
		glt_cli_once(cli, &project, "--project");
	glt_cli_operands(cli, argc, argv, 0, project ? 0 : 1, "at most one of USER and --project");
	user = optind < argc ? argv[optind] : NULL;
	if (project)
		glt_target_path(cli, project, path);
	rc = glt_cli_open(cli, false);
	if (rc == GLT_EXIT_OK)
		known = is_known(cli, user, &err);
	if (rc == GLT_EXIT_OK)
		rc = glt_records_load(cli, GLT_KEYS, &glt__key__descriptor, &keys);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (keys.n > 0)
		qsort(keys.v, keys.n, sizeof(ProtobufCMessage *), by_id);
	out = glt_out_new(cli, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < keys.n; i++) {
		const Glt__Key *k = (const Glt__Key *)keys.v[i];

		if ((user && strcmp(k->user, user) != 0) || (project && strcmp(k->path, path) != 0))
			continue;
		add_item(out, k);
		known = GLT_OK;
	}
	rc = glt_out_print(out) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
	if (rc == GLT_EXIT_OK && known == GLT_NOT_FOUND)
		rc = glt_cli_fail(cli, &err);
	return glt_records_done(cli, &keys, rc);
}

/* ---- remove ---- */

static const char remove_help[] = "Usage: gltoken key remove ID|FINGERPRINT [--json]\n"
				  "\n"
				  "Remove a public key, named by its number or as SHA256:... of ssh-keygen -l.\n"
				  "Sessions that it opened end at their next request.\n"
				  "\n" GLT_HELP_JSON GLT_HELP_HELP;

static const struct option remove_options[] = {
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

struct which {
	bool by_fingerprint;
	uint8_t fingerprint[GLT_FINGERPRINT_LEN];
	uint64_t id;
};

static void parse_which(const struct glt_cli *cli, const char *text, struct which *w)
{
	size_t len = 0;

	w->by_fingerprint = strncmp(text, "SHA256:", 7) == 0;
	if (!w->by_fingerprint)
		w->id = glt_cli_number(cli, "key", text, 1, UINT64_MAX);
	else if (sodium_base642bin(w->fingerprint, sizeof(w->fingerprint), text + 7, strlen(text + 7), NULL, &len,
				   NULL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
		 len != sizeof(w->fingerprint))
		glt_cli_usage(cli,
			      "fingerprint '%.64s': must be SHA256: and 43 characters, as ssh-keygen -l prints it",
			      text);
}

static int remove_key(struct glt_cli *cli, int argc, char **argv)
{
	struct which w = {.id = 0};
	struct glt_change *c;
	char fingerprint[64];
	Glt__Key *k = NULL;
	struct glt_err err;
	struct glt_txn *txn;
	enum glt_status st;
	int rc;

	while (glt_cli_option(cli, argc, argv, remove_options, remove_help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 1, 1, "one ID or FINGERPRINT");
	parse_which(cli, argv[optind], &w);
	rc = glt_cli_open(cli, true);
	if (rc == GLT_EXIT_OK)
		rc = glt_write_begin(cli, &txn, &c);
	if (rc != GLT_EXIT_OK)
		return rc;
	st = w.by_fingerprint ? glt_key_by_fingerprint(txn, w.fingerprint, &k, &err)
			      : glt_key_load(txn, w.id, &k, &err);
	if (st == GLT_OK) {
		glt_pubkey_fingerprint(k->blob.data, k->blob.len, w.fingerprint);
		glt_pubkey_fingerprint_text(w.fingerprint, fingerprint);
		glt_key_drop(c, k);
		glt_event_object(c, cli->actor, "key.remove", k->user[0] ? k->user : k->path, fingerprint, NULL,
				 NULL);
	}
	rc = glt_write_end(cli, txn, c, st, &err);
	if (rc == GLT_EXIT_OK) {
		glt_cli_say("Removed key %" PRIu64 " of %s.", k->id, k->user[0] ? k->user : k->path);
		rc = glt_json_result(cli,
				     json_pack("{s:I,s:s,s:o,s:o}", "id", (json_int_t)k->id, "fingerprint_sha256",
					       fingerprint, "user", glt_json_text(k->user), "path",
					       glt_json_text(k->path)),
				     true);
	}
	glt_key_free(k);
	return rc;
}

static const struct glt_command commands[] = {
	{"add", NULL, add, "add public keys of a user, or deploy keys of a project"},
	{"list", "ls", list, "list public keys"},
	{"remove", "rm", remove_key, "remove a public key"},
	{NULL, NULL, NULL, NULL},
};

int glt_cmd_key(struct glt_cli *cli, int argc, char **argv)
{
	return glt_cli_dispatch(cli, commands, intro, argc, argv);
}
