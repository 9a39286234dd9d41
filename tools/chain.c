/* SPDX-License-Identifier: MIT */
#include "chain.h"

#include "cli.h"
#include "event.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBLEMS_MAX 1000

struct walk {
	struct glt_chain *out;
	const struct glt_head *known;
	size_t n_known;
	struct glt_head before; /* of the event before out->head */
	bool linkable;          /* what the next event has of the last one can be compared with it */
	bool lost;              /* the hash of the last event cannot be known: one before it was changed */
	bool broken;            /* the last link was */
	uint64_t suspect;       /* 0, or the event before the first of a run of broken links */
};

static void __attribute__((format(printf, 2, 3))) problem(struct glt_chain *c, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	if (c->n >= PROBLEMS_MAX)
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	c->problem = glt_cli_alloc(c->problem, c->n + 1, sizeof(*c->problem));
	c->problem[c->n++] = text;
}

static void missing(struct glt_chain *c, uint64_t first, uint64_t last, const char *how)
{
	if (first == last)
		problem(c, "event %" PRIu64 " is missing: %s", first, how);
	else
		problem(c, "events %" PRIu64 " to %" PRIu64 " are missing: %s", first, last, how);
}

/*
 * Does what comes behind the last event have its hash? An event that was changed breaks the link behind it; one
 * whose own copy of the hash before it was changed breaks the one in front of it as well. So of a lone broken link
 * the event in front is the changed one, and in a run all but the first are for certain.
 */
static void check_link(struct walk *w, bool good)
{
	const uint64_t last = w->out->head.seq;

	if (good && w->suspect)
		problem(w->out, "event %" PRIu64 " was changed: the event behind it has another hash of it",
			w->suspect);
	if (good) {
		w->suspect = 0;
	} else if (w->broken) {
		problem(w->out, "event %" PRIu64 " was changed%s", last,
			w->suspect ? ", or it and the one before it" : "");
		w->suspect = 0;
	} else {
		w->suspect = last;
	}
	w->broken = !good;
}

/* Reports what the number and the hash of ev say; false where ev itself is not in its place. */
static bool check_place(struct walk *w, uint64_t seq, const Glt__Event *ev)
{
	const struct glt_head *last = &w->out->head;
	/* An event of an earlier version has the whole hash of the last one; where that is lost, nothing tells. */
	const bool linked = glt_head_precedes(last, ev) || (w->lost && ev->previous.len);

	if (ev->seq != seq) {
		problem(w->out, "event %" PRIu64 " stands in the place of event %" PRIu64 ": the order was changed",
			ev->seq, seq);
		return false;
	}
	if (seq != last->seq + 1) {
		if (linked && strcmp(ev->action, "store.restore") == 0)
			w->out->restores++;
		else
			missing(w->out, last->seq + 1, seq - 1, "removed");
		w->lost = w->lost || !linked;
		return true;
	}
	w->lost = w->lost || !linked;
	if (!w->linkable)
		return true;
	if (last->seq == 0 && !linked) {
		problem(w->out,
			"event 1 is not the first that there was: those before it were removed, or it was changed");
	} else if (!linked && glt_head_precedes(&w->before, ev)) {
		problem(w->out,
			"event %" PRIu64 " was made right behind event %" PRIu64 ": event %" PRIu64
			" was put in between, or the order was changed",
			seq, last->seq - 1, last->seq);
		w->suspect = 0;
		w->broken = false;
	} else {
		check_link(w, linked);
	}
	return true;
}

static void check_known(struct walk *w)
{
	const struct glt_head *last = &w->out->head;

	for (size_t i = 0; i < w->n_known && !w->lost; i++)
		if (w->known[i].seq == last->seq && memcmp(w->known[i].hash, last->hash, GLT_EVENT_HASH) != 0)
			problem(w->out,
				"event %" PRIu64
				" is not the one whose hash was given: it or one before it was changed, or the log was "
				"made anew",
				last->seq);
}

/* An event of an earlier version has a hash of its own bytes alone. */
static void advance(struct walk *w, const Glt__Event *ev, uint64_t seq, struct glt_slice bytes)
{
	w->before = w->out->head;
	glt_head_advance(&w->out->head, ev, bytes);
	w->out->head.seq = seq;
	w->lost = w->lost && ev->previous.len == 0;
}

static void drop(Glt__Event *ev)
{
	if (ev)
		glt__event__free_unpacked(ev, NULL);
}

static bool visit(void *arg, struct glt_slice key, struct glt_slice value)
{
	struct walk *w = arg;
	struct glt_head *last = &w->out->head;
	const uint64_t seq = key.len == GLT_KEY_U64 ? glt_get_u64(key.data) : 0;
	Glt__Event *ev = glt_event_read(value);

	if (seq == 0) {
		problem(w->out, "an event has no number");
		drop(ev);
		return true;
	}
	w->out->events++;
	if (!ev) {
		problem(w->out, "event %" PRIu64 " was changed: %s", seq,
			value.data ? "it cannot be read" : "it fails its checksum");
		if (seq != last->seq + 1)
			missing(w->out, last->seq + 1, seq - 1, "removed");
		w->linkable = false;
		w->lost = true;
		last->seq = seq;
	} else {
		w->linkable = check_place(w, seq, ev);
		w->lost = w->lost || !w->linkable;
		advance(w, ev, seq, value);
		check_known(w);
	}
	drop(ev);
	return true;
}

/* What is behind the last event. */
static void check_end(struct walk *w, const struct glt_head *head)
{
	const uint64_t last = w->out->head.seq;

	if (last < head->seq)
		missing(w->out, last + 1, head->seq, "the end was cut off");
	else if (last > head->seq)
		problem(w->out, "event %" PRIu64 " is behind the end of the log: it was put in", last);
	else if (w->linkable)
		check_link(w, head->link == w->out->head.link);
	if (w->suspect)
		problem(w->out, "event %" PRIu64 " was changed: what is behind it has another hash of it",
			w->suspect);
	if (w->out->n == 0 && memcmp(head->hash, w->out->head.hash, GLT_EVENT_HASH) != 0)
		problem(w->out,
			"the events do not lead to the hash that the store keeps of event %" PRIu64
			": one of them was changed, with what the next one has of it",
			head->seq);
	for (size_t i = 0; i < w->n_known; i++)
		if (w->known[i].seq > last && last >= head->seq)
			missing(w->out, last + 1, w->known[i].seq, "the end was cut off");
}

enum glt_status glt_chain_verify(struct glt_store *store, const struct glt_head *known, size_t n_known,
				 struct glt_chain *out, struct glt_err *err)
{
	struct walk w = {.out = out, .known = known, .n_known = n_known, .linkable = true};
	struct glt_head head = {0};
	struct glt_txn *txn;
	enum glt_status st = glt_txn_begin(store, false, &txn, err);

	*out = (struct glt_chain){.events = 0};
	if (st != GLT_OK)
		return st;
	st = glt_store_head(txn, &head, err);
	if (st == GLT_OK)
		st = glt_walk_all(txn, GLT_AUDIT, (struct glt_slice){NULL, 0}, visit, &w, err);
	glt_txn_end(txn);
	if (st == GLT_OK)
		check_end(&w, &head);
	else
		glt_chain_free(out);
	return st;
}

void glt_chain_free(struct glt_chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->problem[i]);
	free(c->problem);
	*c = (struct glt_chain){.events = 0};
}

/* ---- heads as text ---- */

void glt_hash_format(const uint8_t hash[GLT_EVENT_HASH], char out[GLT_HASH_HEX])
{
	(void)sodium_bin2hex(out, GLT_HASH_HEX, hash, GLT_EVENT_HASH);
}

bool glt_hash_parse(const char *hex, uint8_t out[GLT_EVENT_HASH])
{
	size_t len;

	return strlen(hex) == GLT_HASH_HEX - 1 &&
	       sodium_hex2bin(out, GLT_EVENT_HASH, hex, GLT_HASH_HEX - 1, NULL, &len, NULL) == 0 &&
	       len == GLT_EVENT_HASH;
}

enum glt_status glt_head_parse(const char *text, struct glt_head *out, struct glt_err *err)
{
	char *end;

	errno = 0;
	out->seq = strtoumax(text, &end, 10);
	if (*text < '0' || *text > '9' || errno || out->seq == 0 || *end != ':' ||
	    !glt_hash_parse(end + 1, out->hash))
		return glt_fail(
			err, GLT_INVALID,
			"head '%.128s': must be SEQ:HASH, as 'seq=' and 'head=' of a line event=audit in the log",
			text);
	return GLT_OK;
}
