/* SPDX-License-Identifier: MIT */
#include "nsswitch.h"

#include <stdio.h>
#include <string.h>

/* "passwd: files gltoken": gltoken stands behind files. */
static bool line_names_us(char *line, const char *database)
{
	char *colon = strchr(line, ':'), *save = NULL;
	bool files = false;

	if (!colon)
		return false;
	*colon = '\0';
	line += strspn(line, " \t");
	line[strcspn(line, " \t")] = '\0';
	if (strcmp(line, database) != 0)
		return false;
	for (char *word = strtok_r(colon + 1, " \t\n", &save); word && word[0] != '#';
	     word = strtok_r(NULL, " \t\n", &save)) {
		if (strcmp(word, "gltoken") == 0)
			return files;
		files = files || strcmp(word, "files") == 0 || strcmp(word, "compat") == 0;
	}
	return false;
}

static bool database_asks_us(const char *path, const char *database)
{
	FILE *f = fopen(path, "re");
	char line[1024];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = line_names_us(line, database);
	if (f)
		(void)fclose(f);
	return found;
}

bool glt_nsswitch_asks_us(const char *path, char *missing, size_t size)
{
	static const char *const databases[] = {"passwd", "group", "shadow"};
	size_t len = 0;

	missing[0] = '\0';
	for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++)
		if (!database_asks_us(path, databases[i]) && len < size)
			len += (size_t)snprintf(missing + len, size - len, "%s%s", len ? ", " : "", databases[i]);
	return len == 0;
}
