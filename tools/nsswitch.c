/* SPDX-License-Identifier: MIT */
#include "nsswitch.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *const glt_nsswitch_databases[] = {"passwd", "group", "shadow", "initgroups", NULL};

/* "NOTFOUND=return", "!SUCCESS=return": an account that files does not have is looked for no further. */
static bool ends_search(const char *action)
{
	bool others = action[0] == '!';
	const char *status = action + others, *equals = strchr(status, '=');

	if (!equals || strcasecmp(equals + 1, "return") != 0)
		return false;
	return (strncasecmp(status, "NOTFOUND=", 9) == 0) != others;
}

static enum glt_nsswitch services(char *text)
{
	bool files = false, ended = false, actions = false;
	char *save = NULL;

	text[strcspn(text, "#\n")] = '\0';
	for (char *word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		size_t len;

		actions |= word[0] == '[';
		word += word[0] == '[';
		len = strlen(word);
		if (actions) {
			actions = len == 0 || word[len - 1] != ']';
			word[len - (actions ? 0 : 1)] = '\0';
			ended |= ends_search(word);
		} else if (strcmp(word, "gltoken") != 0) {
			files |= strcmp(word, "files") == 0 || strcmp(word, "compat") == 0;
		} else if (!files) {
			return GLT_NSSWITCH_FIRST;
		} else {
			return ended ? GLT_NSSWITCH_NOT_REACHED : GLT_NSSWITCH_ASKED;
		}
	}
	return GLT_NSSWITCH_ABSENT;
}

static bool is_line_of(char *line, const char *database, char **rest)
{
	char *colon = strchr(line, ':');

	if (!colon)
		return false;
	*colon = '\0';
	*rest = colon + 1;
	line += strspn(line, " \t");
	line[strcspn(line, " \t")] = '\0';
	return strcmp(line, database) == 0;
}

enum glt_nsswitch glt_nsswitch_line(const char *path, const char *database)
{
	FILE *f = fopen(path, "re");
	enum glt_nsswitch found = GLT_NSSWITCH_NO_LINE;
	char line[1024], *rest;

	while (f && found == GLT_NSSWITCH_NO_LINE && fgets(line, sizeof(line), f))
		if (is_line_of(line, database, &rest))
			found = services(rest);
	if (f)
		(void)fclose(f);
	return found;
}

bool glt_nsswitch_good(enum glt_nsswitch found, const char *database)
{
	return found == GLT_NSSWITCH_ASKED ||
	       (found == GLT_NSSWITCH_NO_LINE && strcmp(database, "initgroups") == 0);
}

bool glt_nsswitch_asks_us(const char *path, char *missing, size_t size)
{
	size_t len = 0;

	missing[0] = '\0';
	for (const char *const *d = glt_nsswitch_databases; *d; d++)
		if (!glt_nsswitch_good(glt_nsswitch_line(path, *d), *d) && len < size)
			len += (size_t)snprintf(missing + len, size - len, "%s%s", len ? ", " : "", *d);
	return len == 0;
}
