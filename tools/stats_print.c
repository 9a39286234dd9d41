/* SPDX-License-Identifier: MIT */
#include "stats.h"

#include "decide.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>

static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)v);
}

static json_t *holder(const struct glt_holder *h)
{
	return h->reader.pid ? json_pack("{s:I, s:s, s:b, s:I, s:I}", "pid", (json_int_t)h->reader.pid, "command",
					 h->command, "stopped", h->stopped, "changes",
					 (json_int_t)h->reader.changes, "bytes", (json_int_t)h->reader.held_bytes)
			     : json_null();
}

bool glt_stats_json(const struct glt_stats *s)
{
	json_t *o = json_object(), *entries = json_object(), *answers = json_object(), *tokens = json_object();

	for (int t = 0; t < GLT_TABLES; t++)
		(void)json_object_set_new(entries, glt_table_name((enum glt_table)t), number(s->store.entries[t]));
	for (int r = 0; r < GLT_REASON_COUNT; r++)
		if (s->count[r])
			(void)json_object_set_new(answers, glt_reason_name((enum glt_reason)r),
						  number(s->count[r]));
	for (int i = 0; i < GLT_STATES; i++)
		(void)json_object_set_new(tokens, glt_state_names[i], number(s->state[i]));
	(void)json_object_set_new(tokens, "expiring_within_7d", number(s->expiring_7d));
	(void)json_object_set_new(tokens, "expiring_within_30d", number(s->expiring_30d));
	(void)json_object_set_new(tokens, "damaged", number(s->damaged));
	(void)json_object_set_new(o, "tokens", s->tokens_read ? tokens : json_null());
	if (!s->tokens_read)
		json_decref(tokens);
	(void)json_object_set_new(o, "entries", entries);
	(void)json_object_set_new(o, "schema", number(s->schema));
	(void)json_object_set_new(o, "file_bytes", number(s->store.file_bytes));
	(void)json_object_set_new(o, "used_bytes", number(s->store.used_bytes));
	(void)json_object_set_new(o, "free_bytes", number(s->store.free_bytes));
	(void)json_object_set_new(o, "map_bytes", number(s->store.map_size));
	(void)json_object_set_new(o, "readers", number(s->store.readers));
	(void)json_object_set_new(o, "held_by", holder(&s->holder));
	(void)json_object_set_new(o, "newest_backup_at", glt_json_time(s->backup_at));
	(void)json_object_set_new(o, "answers", answers);
	(void)json_object_set_new(o, "hashes", number(s->count[GLT_COUNT_HASHED]));
	(void)json_object_set_new(o, "cache_hits", number(s->count[GLT_COUNT_CACHED]));
	(void)json_object_set_new(o, "slots", number(s->slots));
	(void)json_object_set_new(o, "slots_busy", number(s->slots_busy));
	return glt_json_print(o);
}

static void line(const char *what, const char *which, uint64_t v)
{
	printf("%s%s%-*s %12" PRIu64 "\n", what, which, 28 - (int)snprintf(NULL, 0, "%s%s", what, which), "", v);
}

void glt_stats_text(const struct glt_stats *s)
{
	char when[GLT_LOCAL_TEXT];

	glt_when_local(s->backup_at, false, when);
	for (int i = 0; s->tokens_read && i < GLT_STATES; i++)
		line("tokens ", glt_state_names[i], s->state[i]);
	if (s->tokens_read) {
		line("  expiring within ", "7d", s->expiring_7d);
		line("  expiring within ", "30d", s->expiring_30d);
	}
	if (s->damaged)
		line("tokens ", "damaged", s->damaged);
	for (int t = 0; t < GLT_TABLES; t++)
		if (s->store.entries[t])
			line("entries ", glt_table_name((enum glt_table)t), s->store.entries[t]);
	line("schema", "", s->schema);
	line("bytes of the ", "file", s->store.file_bytes);
	line("bytes ", "used", s->store.used_bytes);
	line("  of them ", "free", s->store.free_bytes);
	line("bytes of the ", "map", s->store.map_size);
	line("readers", "", s->store.readers);
	if (s->holder.reader.pid) {
		printf("%-28s %12" PRId64 " %s%s\n", "  held up in process", s->holder.reader.pid,
		       s->holder.command, s->holder.stopped ? " (stopped)" : "");
		line("  changes ", "since then", s->holder.reader.changes);
		line("  bytes ", "that it holds", s->holder.reader.held_bytes);
	}
	line("slots", "", s->slots);
	line("slots ", "busy", s->slots_busy);
	if (s->backup_at)
		printf("%-28s %12s\n", "newest backup", when);
	line("hashes ", "since boot", s->count[GLT_COUNT_HASHED]);
	line("cache hits ", "since boot", s->count[GLT_COUNT_CACHED]);
	for (int r = 0; r < GLT_REASON_COUNT; r++)
		if (s->count[r])
			line("answers ", glt_reason_name((enum glt_reason)r), s->count[r]);
}

/* ---- Prometheus' text format: each metric's help and type before its values ---- */

static void metric(const char *name, const char *type, const char *about)
{
	printf("# HELP gltoken_%s %s\n# TYPE gltoken_%s %s\n", name, about, name, type);
}

static void single(const char *name, const char *type, const char *about, uint64_t v)
{
	metric(name, type, about);
	printf("gltoken_%s %" PRIu64 "\n", name, v);
}

static void print_tokens(const struct glt_stats *s)
{
	metric("tokens", "gauge", "Tokens in the store by state.");
	for (int i = 0; i < GLT_STATES; i++)
		printf("gltoken_tokens{state=\"%s\"} %" PRIu64 "\n", glt_state_names[i], s->state[i]);
	metric("tokens_expiring", "gauge", "Active tokens that expire within so many days.");
	printf("gltoken_tokens_expiring{days=\"7\"} %" PRIu64 "\ngltoken_tokens_expiring{days=\"30\"} %" PRIu64
	       "\n",
	       s->expiring_7d, s->expiring_30d);
	single("tokens_damaged", "gauge", "Records that cannot be read.", s->damaged);
}

void glt_stats_prometheus(const struct glt_stats *s)
{
	if (s->tokens_read)
		print_tokens(s);
	metric("store_entries", "gauge", "Entries of each table.");
	for (int t = 0; t < GLT_TABLES; t++)
		printf("gltoken_store_entries{table=\"%s\"} %" PRIu64 "\n", glt_table_name((enum glt_table)t),
		       s->store.entries[t]);
	single("store_schema", "gauge", "Schema of the store, see gltoken migrate.", s->schema);
	single("store_file_bytes", "gauge", "Size of the store's file.", s->store.file_bytes);
	single("store_used_bytes", "gauge", "Bytes of the pages that were ever used.", s->store.used_bytes);
	single("store_free_bytes", "gauge", "Bytes of used pages that are free again.", s->store.free_bytes);
	single("store_map_bytes", "gauge", "Size of the map; it grows by itself.", s->store.map_size);
	single("store_readers", "gauge", "Processes that have the store open for reading.", s->store.readers);
	single("store_held_bytes", "gauge", "Bytes that a process holds which does not end its transaction.",
	       s->holder.reader.held_bytes);
	if (s->backup_at) /* absent where there is none, so that absent() tells of it */
		single("backup_timestamp_seconds", "gauge", "When the newest backup in [backup] dir was made.",
		       (uint64_t)s->backup_at);
	single("hash_slots", "gauge", "Hashes that may run at once.", s->slots);
	single("hash_slots_busy", "gauge", "Hashes that run now.", s->slots_busy);
	single("hashes_total", "counter", "Argon2 computations for requests since boot.",
	       s->count[GLT_COUNT_HASHED]);
	single("cache_hits_total", "counter", "Requests whose hash the cache stood for since boot.",
	       s->count[GLT_COUNT_CACHED]);
	metric("answers_total", "counter", "Answers of gltoken-auth by reason since boot; all but ok are denials.");
	for (int r = 0; r < GLT_REASON_COUNT; r++)
		printf("gltoken_answers_total{reason=\"%s\"} %" PRIu64 "\n", glt_reason_name((enum glt_reason)r),
		       s->count[r]);
}
