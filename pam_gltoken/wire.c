/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void glt_message_init(struct glt_message *m)
{
	m->len = 0;
	m->n = 0;
	m->bad = false;
}

static bool key_ok(const char *key, size_t len)
{
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((key[i] < 'a' || key[i] > 'z') && key[i] != '_')
			return false;
	return true;
}

static bool value_ok(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			return false;
	return true;
}

/* May key be added to the lines that stand in a message under construction? */
static bool admits(const struct glt_message *m, const char *key, size_t key_len)
{
	const char *line = m->text, *end = m->text + m->len;

	for (int lines = 0; lines < GLT_WIRE_KEYS; lines++) {
		if (line == end)
			return true;
		if ((size_t)(end - line) > key_len && memcmp(line, key, key_len) == 0 && line[key_len] == '=')
			return false;
		line = memchr(line, '\n', (size_t)(end - line));
		if (!line++)
			return false;
	}
	return false;
}

/* A message that broke a rule must not be sent by accident: it is emptied as well as marked. */
static void spoil(struct glt_message *m)
{
	glt_message_wipe(m);
	m->bad = true;
}

void glt_message_add(struct glt_message *m, const char *key, const char *value)
{
	if (m->bad || !value)
		return;

	size_t key_len = strlen(key), value_len = strlen(value), room = sizeof m->text - m->len;
	if (!key_ok(key, key_len) || !value_ok(value, value_len) || !admits(m, key, key_len) || key_len > room ||
	    value_len > room || key_len + value_len + 2 > room) {
		spoil(m);
		return;
	}
	char *p = m->text + m->len;
	memcpy(p, key, key_len);
	p[key_len] = '=';
	memcpy(p + key_len + 1, value, value_len);
	p[key_len + 1 + value_len] = '\n';
	m->len += key_len + value_len + 2;
}

void glt_message_addf(struct glt_message *m, const char *key, const char *fmt, ...)
{
	char value[1024];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(value, sizeof value, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof value)
		spoil(m);
	else
		glt_message_add(m, key, value);
	explicit_bzero(value, sizeof value);
}

/* Cut m->text[0..len), which must be whole lines, into pairs. */
static bool cut(struct glt_message *m, size_t len)
{
	char *line = m->text, *end = m->text + len;

	m->n = 0;
	while (line < end) {
		char *eol = memchr(line, '\n', (size_t)(end - line));
		char *eq = eol ? memchr(line, '=', (size_t)(eol - line)) : NULL;
		if (!eq || m->n == GLT_WIRE_KEYS || !key_ok(line, (size_t)(eq - line)) ||
		    !value_ok(eq + 1, (size_t)(eol - eq - 1)))
			return false;
		*eq = *eol = '\0';
		if (glt_message_get(m, line))
			return false;
		m->key[m->n] = line;
		m->value[m->n++] = eq + 1;
		line = eol + 1;
	}
	return m->n > 0;
}

bool glt_message_parse_request(struct glt_message *m)
{
	bool ok = !m->bad && m->len >= 2 && m->len <= GLT_WIRE_REQUEST_MAX && m->text[m->len - 1] == '\n' &&
		  cut(m, m->len - 1);

	m->bad = !ok;
	if (!ok)
		m->n = 0;
	return ok;
}

bool glt_message_parse_reply(struct glt_message *m, bool *allow)
{
	*allow = false;

	bool ok = !m->bad && m->len <= GLT_WIRE_REPLY_MAX && cut(m, m->len) &&
		  strcmp(m->key[m->n - 1], "verdict") == 0;
	if (ok) {
		const char *verdict = m->value[m->n - 1];
		*allow = strcmp(verdict, "allow") == 0;
		ok = *allow || strcmp(verdict, "deny") == 0;
	}
	m->bad = !ok;
	if (!ok)
		m->n = 0;
	return ok;
}

const char *glt_message_get(const struct glt_message *m, const char *key)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->key[i], key) == 0)
			return m->value[i];
	return NULL;
}

void glt_message_wipe(struct glt_message *m)
{
	explicit_bzero(m, sizeof *m);
}
