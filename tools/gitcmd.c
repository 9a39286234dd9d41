/* SPDX-License-Identifier: MIT */
#include "gitcmd.h"

#include <string.h>

static const struct command {
	const char *name; /* after "git-" or "git " */
	bool push;
} commands[] = {
	{"upload-pack", false},
	{"receive-pack", true},
	{"upload-archive", false},
};

static const char *const lfs[] = {"lfs-authenticate", "lfs-transfer"};

static bool begins_with_word(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);
	return len >= n && !memcmp(text, word, n) && (len == n || text[n] == ' ');
}

/* Git's own quoting and no other: '...' in which ' and ! stand as '\'' and '\!'. */
static bool unquote(const char *text, size_t len, char *out)
{
	size_t n = 0, i = 1;
	while (i < len) {
		if (text[i] != '\'') {
			out[n++] = text[i++];
			continue;
		}
		if (++i == len) {
			out[n] = '\0';
			return true;
		}
		if (len - i < 3 || text[i] != '\\' || (text[i + 1] != '\'' && text[i + 1] != '!') ||
		    text[i + 2] != '\'')
			return false;
		out[n++] = text[i + 1];
		i += 3;
	}
	return false;
}

static bool bare_word(const char *text, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		if (strchr(" '\"\\", text[i]))
			return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool has_control(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return true;
	return false;
}

/*
 * "ssh://host/demo/hello.git" arrives as '/demo/hello.git' and "host:demo/hello.git" as 'demo/hello.git', so one
 * leading slash is taken off and both are names below repo_root. There are no absolute paths: '/etc' is the
 * project "etc", and whatever could lead out ('..', '~', a second slash) breaks the rule for project paths.
 */
static void argument(const char *text, size_t len, struct glt_gitcmd *out)
{
	char word[GLT_GITCMD_MAX + 1];
	out->kind = GLT_GITCMD_INVALID;
	while (len && *text == ' ')
		text++, len--;
	if (!len) {
		glt_fail(&out->err, GLT_INVALID, "git %s needs the path of a repository", out->program);
		return;
	}
	/* Before anything else, so that no text of ours repeats such a byte. */
	if (len > GLT_GITCMD_MAX || has_control(text, len)) {
		glt_fail(&out->err, GLT_INVALID,
			 "the path of a repository is too long or holds control characters");
		return;
	}
	if (*text == '\'' ? !unquote(text, len, word) : !bare_word(text, len, word)) {
		glt_fail(&out->err, GLT_INVALID,
			 "git %s takes one argument, the path of a repository, quoted as git quotes it",
			 out->program);
		return;
	}
	if (glt_path_normalise(word, out->path, &out->err) == GLT_OK)
		out->kind = GLT_GITCMD_GIT;
}

/* PATH OPERATION, the path bare or quoted. Locking changes what others may do, and so does asking for it. */
static void lfs_arguments(const char *text, size_t len, struct glt_gitcmd *out)
{
	static const char *const operations[] = {"download", "upload", "lock"};
	while (len && text[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		size_t n = strlen(operations[i]);
		if (len <= n || text[len - n - 1] != ' ' || memcmp(text + len - n, operations[i], n))
			continue;
		out->lfs = operations[i];
		out->push = i != 0;
		len -= n;
		while (len && text[len - 1] == ' ')
			len--;
		argument(text, len, out);
		break;
	}
	if (!out->lfs)
		glt_fail(&out->err, GLT_INVALID, "git %s needs a repository and download or upload", out->program);
	if (out->kind != GLT_GITCMD_GIT)
		out->path[0] = '\0';
	out->kind = GLT_GITCMD_LFS;
}

void glt_gitcmd_parse(const char *text, size_t len, struct glt_gitcmd *out)
{
	*out = (struct glt_gitcmd){.kind = GLT_GITCMD_OTHER};
	size_t blanks = 0;
	while (blanks < len && text[blanks] == ' ')
		blanks++;
	if (blanks == len) {
		out->kind = GLT_GITCMD_EMPTY;
		return;
	}

	for (size_t i = 0; i < sizeof(lfs) / sizeof(*lfs); i++) {
		size_t used = 4 + strlen(lfs[i]);
		if (len < 4 || memcmp(text, "git-", 4) || !begins_with_word(text + 4, len - 4, lfs[i]))
			continue;
		out->program = lfs[i];
		lfs_arguments(text + used, len - used, out);
		return;
	}
	if (len < 4 || memcmp(text, "git", 3) || (text[3] != '-' && text[3] != ' '))
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!begins_with_word(text + 4, len - 4, commands[i].name))
			continue;
		size_t used = 4 + strlen(commands[i].name);
		out->program = commands[i].name;
		out->push = commands[i].push;
		argument(text + used, len - used, out);
		return;
	}
}

bool glt_gitcmd_is_shell(const char *text)
{
	static const char name[] = "gltoken-shell";
	const char *slash = strrchr(text, '/');
	if (!slash)
		return !strcmp(text, name);
	return *text == '/' && !strpbrk(text, " \t\n'\"\\") && !strcmp(slash + 1, name);
}
