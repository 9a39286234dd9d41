/* SPDX-License-Identifier: MIT */
#include "shell_show.h"

#include "safe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *value(const struct glt_message *reply, const char *key)
{
	const char *text = glt_message_get(reply, key);

	return text ? text : "";
}

/* GitLab has dates; what ends at another second than a date's first says so. */
static int day_length(const char *when)
{
	const char *midnight = strstr(when, "T00:00:00Z");

	return (int)(midnight ? (size_t)(midnight - when) : strlen(when));
}

static bool write_all(const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

bool glt_show_new(const struct glt_message *reply)
{
	const char *end = glt_message_get(reply, "expires_at");
	char text[1024];
	int n;
	bool ok;

	if (!end || !*end)
		end = "never";
	n = snprintf(text, sizeof(text), "Token:   %s\nScopes:  %s\nExpires: %.*s\n", value(reply, "token"),
		     value(reply, "scopes"), day_length(end), end);
	ok = n > 0 && (size_t)n < sizeof(text) && write_all(text, (size_t)n);
	explicit_bzero(text, sizeof(text));
	return ok;
}

/* ---- lists ---- */

#define COLUMNS 7 /* id, type, state, expiry, role, scopes, name */
static const int width[COLUMNS] = {6, 8, 13, 20, 10, 32, 0};

static void put_row(const char *row)
{
	for (int i = 0; i < COLUMNS - 1; i++) {
		size_t len = strcspn(row, " ");

		printf("%-*.*s ", width[i], (int)len, row);
		row += len;
		row += *row == ' ';
	}
	glt_safe_put(stdout, row);
	putchar('\n');
}

bool glt_show_heading(void)
{
	put_row("ID TYPE STATE EXPIRES ROLE SCOPES NAME");
	return !ferror(stdout);
}

bool glt_show_rows(const struct glt_message *reply)
{
	for (size_t i = 0; i < reply->n; i++)
		if (!strncmp(reply->key[i], "row_", 4))
			put_row(reply->value[i]);
	return !ferror(stdout);
}

/* ---- one of a kind ---- */

struct line {
	const char *label, *key;
};

static bool put_lines(const struct glt_message *reply, const struct line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = glt_message_get(reply, lines[i].key);

		if (!text)
			continue;
		printf("%-13s ", lines[i].label);
		glt_safe_put(stdout, text);
		putchar('\n');
	}
	return !fflush(stdout);
}

bool glt_show_token(const struct glt_message *reply)
{
	static const struct line lines[] = {
		{"Id:", "id"},
		{"Name:", "name"},
		{"Description:", "description"},
		{"Type:", "type"},
		{"State:", "state"},
		{"Acts as:", "owner"},
		{"Path:", "path"},
		{"Role:", "role"},
		{"Scopes:", "scopes"},
		{"Expires:", "expires_at"},
		{"Not before:", "not_before"},
		{"Addresses:", "allow_from"},
		{"Repositories:", "only_repo"},
		{"Services:", "services"},
		{"Uses:", "uses"},
		{"Created:", "created_at"},
		{"Created by:", "created_by"},
		{"Last used:", "last_used_at"},
		{"Used from:", "last_used_ips"},
		{"Rotated from:", "previous"},
		{"Rotated to:", "next"},
		{"Revoked:", "revoked_at"},
		{"Revoked by:", "revoked_by"},
		{"Reason:", "revoked_why"},
	};

	return put_lines(reply, lines, sizeof(lines) / sizeof(*lines));
}

bool glt_show_session(const struct glt_message *reply)
{
	static const struct line lines[] = {
		{"User:", "owner"},    {"Session by:", "type"},    {"Id:", "id"},           {"Name:", "name"},
		{"Scopes:", "scopes"}, {"Expires:", "expires_at"}, {"Service:", "service"}, {"From:", "address"},
	};

	return put_lines(reply, lines, sizeof(lines) / sizeof(*lines));
}
