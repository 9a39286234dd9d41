/* SPDX-License-Identifier: MIT */
/*
 * An event's bytes, and their place in the chain.
 *
 * Most of what stands in a log of a million events is the same few words. A phrase is written as one byte below 0x20,
 * which no text has; a library's dictionary would be part of the format as this list is, and needs more code.
 */
#include "event.h"

#include <endian.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Part of the format: append only, at most to 31. Where two fit, the longer one must stand first. */
static const char *const phrases[] = {
	"name='",           "' owner=",       " scopes=",     "read_repository",
	"write_repository", " expires=never", " expires=",    " state=live",
	" state=revoked",   " state=paused",  " path=",       " role=",
	" description='",   " not_before=",   " allow_from=", " only_repo=",
	" services=",       " uses=",         " next=",       "token.issue",
	"token.import",     "token.revoke",   "token.",       "root(",
	"project_",         "group_",         "_bot_",        "gitlab+deploy-token-",
};
#define PHRASES (sizeof(phrases) / sizeof(phrases[0]))
#define TEXTS 6

_Static_assert(PHRASES < 0x20, "a phrase is one byte below 0x20");

static void texts_of(Glt__Event *ev, char **out[TEXTS])
{
	char **all[TEXTS] = {&ev->actor, &ev->action, &ev->object, &ev->before, &ev->after, &ev->reason};

	memcpy(out, all, sizeof(all));
}

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20)
			return false;
	return true;
}

static size_t phrase_at(const char *s)
{
	size_t i = 0;

	while (i < PHRASES && (*s != *phrases[i] || strncmp(s, phrases[i], strlen(phrases[i])) != 0))
		i++;
	return i;
}

/* out has room for s. */
static void shorten(const char *s, char *out)
{
	while (*s) {
		const size_t i = phrase_at(s);

		if (i < PHRASES) {
			*out++ = (char)(i + 1);
			s += strlen(phrases[i]);
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* NULL: that byte stands for none. */
static const char *phrase_of(unsigned char c)
{
	return c >= 1 && c <= PHRASES ? phrases[c - 1] : NULL;
}

/* NULL: no memory, or a phrase that is not known. */
static char *expand(const char *s)
{
	size_t room = 1;
	char *text, *p;

	for (const char *q = s; *q; q++) {
		const char *phrase = phrase_of((unsigned char)*q);

		if (!phrase && (unsigned char)*q < 0x20)
			return NULL;
		room += phrase ? strlen(phrase) : 1;
	}
	text = p = malloc(room);
	for (; text && *s; s++) {
		const char *phrase = phrase_of((unsigned char)*s);

		if (phrase)
			p = stpcpy(p, phrase);
		else
			*p++ = *s;
	}
	if (text)
		*p = '\0';
	return text;
}

Glt__Event *glt_event_read(struct glt_slice bytes)
{
	Glt__Event *ev = bytes.data ? glt__event__unpack(NULL, bytes.len, bytes.data) : NULL;
	char **text[TEXTS];

	if (!ev || ev->phrases == 0)
		return ev;
	texts_of(ev, text);
	for (size_t i = 0; ev->phrases == 1 && i < TEXTS; i++) {
		char *plain = **text[i] ? expand(*text[i]) : *text[i];

		if (!plain) {
			ev->phrases = 0;
		} else if (plain != *text[i]) {
			free(*text[i]);
			*text[i] = plain;
		}
	}
	if (ev->phrases == 1)
		return ev;
	glt__event__free_unpacked(ev, NULL); /* of a later version, or damaged */
	return NULL;
}

static uint8_t *pack(const Glt__Event *ev, size_t *len)
{
	uint8_t *bytes = malloc(*len = glt__event__get_packed_size(ev));

	if (bytes)
		(void)glt__event__pack(ev, bytes);
	return bytes;
}

uint8_t *glt_event_write(Glt__Event *ev, size_t *len)
{
	Glt__Event shorter = *ev;
	char **text[TEXTS], *room, *p;
	size_t size = 0;
	uint8_t *bytes;

	texts_of(&shorter, text);
	for (size_t i = 0; i < TEXTS; i++) {
		size += strlen(*text[i]) + 1;
		if (!is_plain(*text[i]))
			shorter.phrases = ev->phrases = 0;
	}
	if (ev->phrases == 0)
		return pack(ev, len);
	p = room = malloc(size);
	if (!room)
		return NULL;
	for (size_t i = 0; i < TEXTS; i++) {
		shorten(*text[i], p);
		*text[i] = p;
		p += strlen(p) + 1;
	}
	bytes = pack(&shorter, len);
	free(room);
	return bytes;
}

/* ---- the chain ---- */

bool glt_head_precedes(const struct glt_head *head, const Glt__Event *ev)
{
	if (ev->previous.len == 0)
		return ev->link == head->link;
	return ev->previous.len == GLT_EVENT_HASH && memcmp(ev->previous.data, head->hash, GLT_EVENT_HASH) == 0;
}

void glt_head_advance(struct glt_head *head, const Glt__Event *ev, struct glt_slice bytes)
{
	uint8_t own[GLT_EVENT_HASH];
	crypto_generichash_state state;

	(void)crypto_generichash(own, sizeof(own), bytes.data, bytes.len, NULL, 0);
	memcpy(&head->link, own, sizeof(head->link));
	head->link = le32toh(head->link);
	head->seq = ev->seq;
	if (ev->previous.len) {
		memcpy(head->hash, own, sizeof(own));
		return;
	}
	(void)crypto_generichash_init(&state, NULL, 0, GLT_EVENT_HASH);
	(void)crypto_generichash_update(&state, head->hash, sizeof(head->hash));
	(void)crypto_generichash_update(&state, bytes.data, bytes.len);
	(void)crypto_generichash_final(&state, head->hash, GLT_EVENT_HASH);
}
