/* SPDX-License-Identifier: MIT */
#include "passwd.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n\v\f"

/* "passwd: files ..." with no [action] of its own: what "files" finds is then the answer. */
static bool asks_files_first(const char *line, bool before)
{
	line += strspn(line, BLANKS);
	if (strncmp(line, "passwd:", 7) != 0)
		return before;
	line += 7 + strspn(line + 7, BLANKS);
	if (strcspn(line, BLANKS "#[") != 5 || strncmp(line, "files", 5) != 0)
		return false;
	line += 5 + strspn(line + 5, BLANKS);
	return *line != '[';
}

bool glt_passwd_files_first(FILE *f)
{
	char line[512];
	bool first = false, whole = true;

	while (whole && fgets(line, sizeof(line), f)) { /* as in libc, the last line counts */
		first = asks_files_first(line, first);
		whole = strchr(line, '\n') || feof(f);
	}
	return first && whole && !ferror(f);
}

static bool may_answer(void)
{
	static enum { UNKNOWN, NO, YES } order;
	FILE *f;

	if (order != UNKNOWN)
		return order == YES;
	order = NO;
	f = fopen("/etc/nsswitch.conf", "re");
	if (f && glt_passwd_files_first(f))
		order = YES;
	if (f)
		(void)fclose(f);
	return order == YES;
}

static bool number(const char *text, unsigned *out)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	*out = (unsigned)v;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && v < UINT32_MAX;
}

/* Cut name:password:uid:gid:gecos:home:shell in place. A line that is odd in any way is left to libc. */
static bool parse(char *line, struct passwd *pw)
{
	char *field[7] = {line}, *p = line;

	for (int i = 1; i < 7; i++) {
		p = strchr(p, ':');
		if (!p)
			return false;
		*p++ = '\0';
		field[i] = p;
	}
	p[strcspn(p, "\n")] = '\0';
	*pw = (struct passwd){.pw_name = field[0],
			      .pw_passwd = field[1],
			      .pw_gecos = field[4],
			      .pw_dir = field[5],
			      .pw_shell = field[6]};
	return number(field[2], &pw->pw_uid) && number(field[3], &pw->pw_gid) && !strchr(field[6], ':');
}

/* name:password:uid: */
static bool is_line_of(const char *line, const char *name, uid_t uid)
{
	const char *p = strchr(line, ':');
	char *end;

	if (!p)
		return false;
	if (name)
		return (size_t)(p - line) == strlen(name) && memcmp(line, name, strlen(name)) == 0;
	p = strchr(p + 1, ':');
	return p && strtoul(p + 1, &end, 10) == uid && end > p + 1 && *end == ':';
}

/* fgetpwent_r() would do, with a system call a line. */
bool glt_passwd_find(const char *name, uid_t uid, struct passwd *pw, char *buf, size_t size)
{
	bool match = false;
	FILE *f;

	if ((name && (!*name || strpbrk(name, ":\n") || strchr("+-", name[0]))) || !may_answer())
		return false;
	f = fopen("/etc/passwd", "re");
	if (!f)
		return false;
	while (!match && fgets(buf, (int)size, f) && (strchr(buf, '\n') || feof(f)))
		match = is_line_of(buf, name, uid);
	(void)fclose(f);
	return match && !strchr("+-# \t", buf[0]) && parse(buf, pw);
}
