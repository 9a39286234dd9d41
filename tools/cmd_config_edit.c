/* SPDX-License-Identifier: MIT */
/* As visudo: the editor has a copy, which is read as the host would read it before it is renamed over. */
#include "cmds.h"

#include "conf_files.h"
#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
	"Usage: gltoken config edit [NAME]\n"
	"\n"
	"Edit gltoken.conf, or NAME.conf in conf.d beside it, with $VISUAL or $EDITOR. The editor\n"
	"has a copy; it takes the place of the file when the whole configuration has no fault,\n"
	"and not before.\n"
	"\n" GLT_HELP_HELP;

static const struct option options[] = {
	GLT_OPTIONS_END,
};

struct edit {
	char file[PATH_MAX], copy[PATH_MAX + 16], folder[PATH_MAX];
	struct stat was;
	bool is_new;
};

static int failed(const struct glt_cli *cli, const char *what, const char *path)
{
	glt_cli_warn(cli, "cannot %s %s: %s", what, path, strerror(errno));
	return GLT_EXIT_UNAVAILABLE;
}

static bool plain(const char *name)
{
	return *name && *name != '.' && strlen(name) < 100 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(name);
}

static void choose(const struct glt_cli *cli, struct edit *e, const char *name)
{
	const char *end = name ? strrchr(name, '.') : NULL;

	(void)snprintf(e->folder, sizeof(e->folder), "%s", GLT_CONF_FILE);
	*strrchr(e->folder, '/') = '\0';
	if (!name) {
		(void)snprintf(e->file, sizeof(e->file), "%s", GLT_CONF_FILE);
		return;
	}
	if (!plain(name))
		glt_cli_usage(cli, "'%.64s' cannot be the name of a file in conf.d: letters, digits, ., _ and -",
			      name);
	strcat(e->folder, "/conf.d");
	(void)snprintf(e->file, sizeof(e->file), "%.300s/%s%s", e->folder, name,
		       end && strcmp(end, ".conf") == 0 ? "" : ".conf");
}

/* The copy lies beside, so that it can be renamed; its name is none that is read. */
static int copy_out(const struct glt_cli *cli, struct edit *e)
{
	char buf[8192];
	ssize_t n = 0;
	int from, to;

	(void)snprintf(e->copy, sizeof(e->copy), "%s.XXXXXX", e->file);
	from = open(e->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	if (from < 0 && errno != ENOENT)
		return failed(cli, "edit", e->file);
	e->is_new = from < 0;
	if (!e->is_new && (fstat(from, &e->was) != 0 || !S_ISREG(e->was.st_mode))) {
		(void)close(from);
		glt_cli_warn(cli, "%s is no regular file", e->file);
		return GLT_EXIT_DENIED;
	}
	to = mkostemp(e->copy, O_CLOEXEC);
	if (to < 0) {
		e->copy[0] = '\0';
		n = -1;
	}
	while (to >= 0 && from >= 0 && (n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) != n) {
			n = -1;
			break;
		}
	if (n < 0)
		(void)failed(cli, "write next to", e->file);
	if (from >= 0)
		(void)close(from);
	if (to >= 0)
		(void)close(to);
	return n < 0 ? GLT_EXIT_UNAVAILABLE : GLT_EXIT_OK;
}

static bool run_editor(const struct glt_cli *cli, const struct edit *e)
{
	const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
	const char *command = visual && *visual ? visual : editor && *editor ? editor : NULL;
	char line[512];
	int status = 0;
	pid_t pid;

	if (!command)
		command = access("/usr/bin/editor", X_OK) == 0 ? "/usr/bin/editor" : "vi";
	if ((size_t)snprintf(line, sizeof(line), "%s \"$1\"", command) >= sizeof(line)) {
		glt_cli_warn(cli, "the name of the editor is too long");
		return false;
	}
	pid = fork();
	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", line, "sh", e->copy, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	glt_cli_warn(cli, "the editor failed: %s is as it was", e->file);
	return false;
}

static bool unchanged(const struct edit *e)
{
	FILE *a = fopen(e->file, "re"), *b = fopen(e->copy, "re");
	int x = 0, y = 0;

	while (a && b && x == y && x != EOF) {
		x = getc(a);
		y = getc(b);
	}
	if (!a && b) /* a new file that nothing was written into */
		y = getc(b);
	if (a)
		(void)fclose(a);
	if (b)
		(void)fclose(b);
	return a ? x == y : y == EOF;
}

static int put_in_place(const struct glt_cli *cli, struct edit *e, const char *text)
{
	struct glt_err err;
	int dir, fd = open(e->copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool ok = fd >= 0 && fchmod(fd, e->is_new ? 0644 : e->was.st_mode & 0755) == 0 &&
		  (e->is_new || fchown(fd, e->was.st_uid, e->was.st_gid) == 0) && fsync(fd) == 0 &&
		  rename(e->copy, e->file) == 0;

	if (!ok)
		(void)failed(cli, "replace", e->file);
	if (fd >= 0)
		(void)close(fd);
	if (!ok)
		return GLT_EXIT_UNAVAILABLE;
	e->copy[0] = '\0';
	dir = open(e->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		(void)fsync(dir);
		(void)close(dir);
	}
	if (glt_conf_keep(GLT_CONF_VALID, text, &err) != GLT_OK)
		glt_cli_warn(cli, "warning: %s", err.text);
	glt_cli_say("%s is in force.", e->file);
	/* The rest is for the administrator to see: accounts and folders may be made later. */
	(void)glt_config_fits(cli);
	return GLT_EXIT_OK;
}

static int edit(struct glt_cli *cli, struct edit *e)
{
	const struct glt_conf_edited edited = {e->file, e->copy};
	int rc = copy_out(cli, e);

	while (rc == GLT_EXIT_OK) {
		struct glt_err err;
		char *text;

		if (!run_editor(cli, e))
			return GLT_EXIT_DENIED;
		if (unchanged(e)) {
			glt_cli_say("Nothing was changed.");
			return GLT_EXIT_OK;
		}
		if (glt_conf_files(GLT_CONF_FILE, &edited, &cli->conf, &text, &err) == GLT_OK) {
			rc = put_in_place(cli, e, text);
			free(text);
			return rc;
		}
		glt_cli_warn(cli, "%s", err.text);
		if (!isatty(STDIN_FILENO) || !glt_agreed("Edit it again?")) {
			glt_cli_warn(cli, "%s is as it was", e->file);
			return GLT_EXIT_DENIED;
		}
	}
	return rc;
}

int glt_cmd_config_edit(struct glt_cli *cli, int argc, char **argv)
{
	struct edit e = {.copy = ""};
	int rc, lock;

	while (glt_cli_option(cli, argc, argv, options, help) != -1)
		;
	glt_cli_operands(cli, argc, argv, 0, 1, "at most one NAME");
	choose(cli, &e, argv[optind]);
	if (mkdir(e.folder, 0755) == 0)
		(void)chmod(e.folder, 0755); /* our umask is narrower */
	lock = open(e.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return failed(cli, "open", e.folder);
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		glt_cli_warn(cli, "somebody else edits in %s now", e.folder);
		rc = GLT_EXIT_DENIED;
	} else {
		rc = edit(cli, &e);
	}
	if (e.copy[0])
		(void)unlink(e.copy);
	(void)close(lock);
	return rc;
}
