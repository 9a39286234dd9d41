/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* RFC 3629: shortest form only, no surrogates, nothing above U+10FFFF. Returns the length, 0 if invalid. */
static size_t utf8_char(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char lo, hi, second_lo, second_hi;
		size_t n;
	} forms[] = {
		{0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (s[0] < forms[i].lo || s[0] > forms[i].hi)
			continue;
		if (forms[i].n > len)
			return 0;
		if (forms[i].n > 1 && (s[1] < forms[i].second_lo || s[1] > forms[i].second_hi))
			return 0;
		for (size_t k = 2; k < forms[i].n; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].n;
	}
	return 0;
}

bool glt_utf8_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_char((const unsigned char *)s + i, len - i);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

/* C0, DEL, and the C1 controls, which some terminals obey too (U+0080..U+009F are c2 80..c2 9f), and the
 * line and paragraph separators and bidirectional overrides that make a name read as another. */
static bool has_control(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if (*p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f))
			return true;
		if (p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) /* U+2028..U+202E */
			return true;
		if (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9) /* U+2066..U+2069 */
			return true;
	}
	return false;
}

enum glt_status glt_check_each(char *const *list, size_t n,
			       enum glt_status (*check)(const char *, struct glt_err *), struct glt_err *err)
{
	enum glt_status st = GLT_OK;

	for (size_t i = 0; st == GLT_OK && i < n; i++)
		st = check(list[i], err);
	return st;
}

enum glt_status glt_name_check(const char *what, const char *name, bool empty_ok, struct glt_err *err)
{
	size_t len = strlen(name);

	if (len == 0)
		return empty_ok ? GLT_OK
				: glt_fail(err, GLT_INVALID, "%s is empty: must be 1 to %d bytes", what,
					   GLT_NAME_MAX);
	if (len > GLT_NAME_MAX)
		return glt_fail(err, GLT_INVALID, "%s has %zu bytes: must be at most %d", what, len, GLT_NAME_MAX);
	if (!glt_utf8_valid(name, len))
		return glt_fail(err, GLT_INVALID, "%s is not valid UTF-8", what);
	if (has_control(name))
		return glt_fail(err, GLT_INVALID, "%s holds a control character: must be printable text", what);
	if (name[0] == ' ' || name[len - 1] == ' ')
		return glt_fail(err, GLT_INVALID, "%s '%s' begins or ends with a blank", what, name);
	return GLT_OK;
}

static bool alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* What may stand in an error text: input that is not printable is not echoed. */
static const char *echo(const char *s)
{
	size_t len = strlen(s);

	return len <= GLT_NAME_MAX && glt_utf8_valid(s, len) && !has_control(s) ? s : "(unprintable)";
}

enum glt_status glt_account_name_check(const char *name, struct glt_err *err)
{
	size_t len = strlen(name);
	bool digits = true;

	if (len == 0 || len > GLT_ACCOUNT_MAX)
		return glt_fail(err, GLT_INVALID, "account name '%s': must have 1 to %d bytes", echo(name),
				GLT_ACCOUNT_MAX);
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!alnum(c) && c != '_' && (i == 0 || !strchr(".+-", c)))
			return glt_fail(err, GLT_INVALID,
					"account name '%s': must be letters, digits and ._+- and begin with a letter, "
					"digit or _",
					echo(name));
		digits = digits && c >= '0' && c <= '9';
	}
	if (digits) /* "1000" would be read as a uid by half of the tools */
		return glt_fail(err, GLT_INVALID, "account name '%s': must not be all digits", name);
	return GLT_OK;
}

static bool ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && memcmp(s + len - n, end, n) == 0;
}

static bool component_ok(const char *s, size_t len)
{
	if (len == 0 || (!alnum(s[0]) && s[0] != '_'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!alnum(s[i]) && !strchr("._-", s[i]))
			return false;
		if (s[i] == '.' && i + 1 < len && s[i + 1] == '.')
			return false;
	}
	return s[len - 1] != '.' && !ends_with(s, len, ".git") && !ends_with(s, len, ".lock");
}

enum glt_status glt_path_check(const char *path, struct glt_err *err)
{
	size_t len = strlen(path);

	if (len == 0 || len > GLT_PATH_MAX)
		return glt_fail(err, GLT_INVALID, "path '%s': must have 1 to %d bytes", echo(path), GLT_PATH_MAX);
	for (const char *p = path;;) {
		size_t n = strcspn(p, "/");

		if (!component_ok(p, n))
			return glt_fail(err, GLT_INVALID,
					"path '%s': each part must be letters, digits and ._- , begin with a letter, "
					"digit or _, and not end with '.', .git or .lock",
					echo(path));
		if (p[n] == '\0')
			return GLT_OK;
		p += n + 1;
	}
}

enum glt_status glt_path_normalise(const char *text, char out[GLT_PATH_MAX + 1], struct glt_err *err)
{
	size_t len;

	if (*text == '/')
		text++;
	len = strlen(text);
	if (len > 0 && text[len - 1] == '/')
		len--;
	if (len > 4 && memcmp(text + len - 4, ".git", 4) == 0)
		len -= 4;
	if (len > GLT_PATH_MAX)
		return glt_fail(err, GLT_INVALID, "path has %zu bytes: must be at most %d", len, GLT_PATH_MAX);
	memcpy(out, text, len);
	out[len] = '\0';
	return glt_path_check(out, err);
}

bool glt_path_covers(const char *outer, const char *inner)
{
	size_t n = strlen(outer);

	return n > 0 && strncmp(outer, inner, n) == 0 && (inner[n] == '\0' || inner[n] == '/');
}

bool glt_address_parse(const char *text, struct glt_address *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	memset(out, 0, sizeof(*out));
	if (!text)
		return false;
	if (inet_pton(AF_INET, text, out->bytes) == 1) {
		out->family = AF_INET;
		return true;
	}
	if (inet_pton(AF_INET6, text, out->bytes) != 1)
		return false;
	out->family = AF_INET6;
	if (memcmp(out->bytes, mapped, sizeof(mapped)) == 0) {
		out->family = AF_INET;
		memmove(out->bytes, out->bytes + 12, 4);
		memset(out->bytes + 4, 0, 12);
	}
	return true;
}

struct cidr {
	struct glt_address net;
	unsigned bits;
};

static bool cidr_parse(const char *text, struct cidr *out)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned width;
	bool v6;

	if (len == 0 || len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!glt_address_parse(host, &out->net))
		return false;
	v6 = strchr(host, ':') != NULL;
	width = v6 ? 128 : 32;
	out->bits = width;
	if (slash) {
		unsigned bits = 0;
		size_t n = strlen(slash + 1);

		if (n == 0 || n > 3)
			return false;
		for (const char *p = slash + 1; *p; p++) {
			if (*p < '0' || *p > '9')
				return false;
			bits = bits * 10 + (unsigned)(*p - '0');
		}
		if (bits > width)
			return false;
		out->bits = bits;
	}
	if (v6 && out->net.family == AF_INET) { /* ::ffff:192.0.2.0/120 is 192.0.2.0/24 */
		if (out->bits < 96)
			return false;
		out->bits -= 96;
	}
	return true;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
}

enum glt_status glt_cidr_check(const char *cidr, struct glt_err *err)
{
	static const uint8_t zero[16];
	struct cidr c;
	uint8_t host[16];

	if (!cidr_parse(cidr, &c))
		return glt_fail(err, GLT_INVALID,
				"address range '%s': must be an IPv4 or IPv6 address or CIDR such as 192.0.2.0/24",
				echo(cidr));
	memcpy(host, c.net.bytes, sizeof(host));
	for (unsigned i = 0; i < c.bits; i++)
		host[i / 8] &= (uint8_t) ~(0x80u >> (i % 8));
	if (memcmp(host, zero, sizeof(host)) != 0)
		return glt_fail(err, GLT_INVALID, "address range '%s': bits are set beyond the /%u prefix",
				echo(cidr), c.bits);
	return GLT_OK;
}

bool glt_cidr_match(const char *cidr, const char *address)
{
	struct cidr c;
	struct glt_address a;

	return cidr_parse(cidr, &c) && glt_address_parse(address, &a) && a.family == c.net.family &&
	       same_prefix(c.net.bytes, a.bytes, c.bits);
}

/* One [..] class at p: sets *end behind it, or to NULL if it does not close; then nothing matches. */
static bool class_match(const char *p, char c, const char **end)
{
	bool negate = p[1] == '!' || p[1] == '^', hit = false;
	const char *q = p + 1 + negate;

	for (bool first = true; *q && (first || *q != ']'); first = false) {
		if (q[1] == '-' && q[2] && q[2] != ']') {
			hit = hit || (c >= q[0] && c <= q[2]);
			q += 3;
		} else {
			hit = hit || *q == c;
			q++;
		}
	}
	*end = *q ? q + 1 : NULL;
	return *q == ']' && hit != negate && c != '/';
}

enum glt_status glt_glob_check(const char *glob, struct glt_err *err)
{
	size_t len = strlen(glob);

	if (len == 0 || len > GLT_NAME_MAX)
		return glt_fail(err, GLT_INVALID, "pattern '%s': must have 1 to %d bytes", echo(glob),
				GLT_NAME_MAX);
	for (size_t i = 0; i < len; i++)
		if (!alnum(glob[i]) && !strchr("._-/*?[]!^+@", glob[i]))
			return glt_fail(err, GLT_INVALID, "pattern '%s': '%c' may not stand in it", echo(glob),
					glob[i] > 0x20 && glob[i] < 0x7f ? glob[i] : '?');
	if (strstr(glob, "***"))
		return glt_fail(err, GLT_INVALID, "pattern '%s': at most two '*' in a row", glob);
	for (const char *p = glob; *p;) {
		const char *behind = p + 1;

		if (*p == '[')
			(void)class_match(p, 'a', &behind);
		if (!behind)
			return glt_fail(err, GLT_INVALID, "pattern '%s': '[' without its ']'", glob);
		p = behind;
	}
	return GLT_OK;
}

/* Does one character of text match the single-character item at *g? Moves *g behind it. */
static bool item_match(const char **g, char c)
{
	const char *p = *g;

	if (*p == '[')
		return class_match(p, c, g);
	*g = p + 1;
	return *p == '?' ? c != '/' : *p == c;
}

/* The pattern as a set of positions that are reached at once: time is pattern x text whatever the pattern, so
 * that nobody can write one that hangs a login. */
struct positions {
	bool at[GLT_NAME_MAX + 1];
	bool begins; /* a part of the text begins here */
};

static void reach(struct positions *set, const char *glob, size_t i)
{
	while (!set->at[i]) {
		set->at[i] = true;
		if (glob[i] != '*')
			return;
		if (glob[i + 1] == '*') {
			/* "**" and its '/' may stand for no folder at all, as in gitignore */
			if (glob[i + 2] == '/' && set->begins)
				reach(set, glob, i + 3);
			i += 2;
		} else {
			i++;
		}
	}
}

bool glt_glob_match(const char *glob, const char *text)
{
	struct positions now = {.begins = true}, next;
	const size_t len = strlen(glob);

	if (len > GLT_NAME_MAX)
		return false;
	reach(&now, glob, 0);
	for (; *text; text++) {
		memset(&next, 0, sizeof(next));
		next.begins = *text == '/';
		for (size_t i = 0; i < len; i++) {
			const char *behind = glob + i;

			if (!now.at[i])
				continue;
			if (glob[i] == '*') {
				if (glob[i + 1] == '*' || *text != '/')
					reach(&next, glob, i);
			} else if (item_match(&behind, *text)) {
				reach(&next, glob, (size_t)(behind - glob));
			}
		}
		now = next;
	}
	return now.at[len];
}
