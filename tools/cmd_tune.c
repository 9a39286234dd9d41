/* SPDX-License-Identifier: MIT */
/* How large may Argon2's memory be on this machine? What a login waits for, no more. */
#include "cmds.h"

#include "hash.h"
#include "rundir.h"
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char help[] = "Usage: gltoken tune [--target TIME] [--time PASSES]\n"
			   "\n"
			   "Measure Argon2 on this machine and print the lines of gltoken.conf with which a hash\n"
			   "takes that long. It runs once a token in [cache] ttl, and never for a wrong one.\n"
			   "\n"
			   "      --target TIME        5ms to 1000ms (25ms)\n"
			   "      --time PASSES        passes over the memory (2)\n" GLT_HELP_JSON GLT_HELP_HELP;

enum { OPT_TARGET = GLT_OPT_OWN, OPT_TIME };

static const struct option options[] = {
	{"target", required_argument, NULL, OPT_TARGET},
	{"time", required_argument, NULL, OPT_TIME},
	GLT_OPTIONS_JSON,
	GLT_OPTIONS_END,
};

#define RUNS 5
#define STEP 1024u /* KiB */

static int by_size(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

static int64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Median microseconds of a hash, each in memory of its own as in a helper; -1: it cannot be done. */
static int64_t measure(uint32_t memory, uint32_t time, struct glt_err *err)
{
	static const uint8_t salt[GLT_SALT_LEN] = "gltoken tune";
	const struct glt_hash_params p = {memory, time};
	int64_t took[RUNS];
	uint8_t tag[GLT_TAG_LEN];

	for (int i = 0; i < RUNS; i++) {
		int64_t from = now_us();

		if (glt_hash(&p, "fourteen bytes", 14, salt, tag, err) != GLT_OK)
			return -1;
		took[i] = now_us() - from;
	}
	qsort(took, RUNS, sizeof(took[0]), by_size);
	return took[RUNS / 2];
}

struct tuned {
	uint32_t memory, time;
	int64_t us;
};

/* Time grows with memory, so the largest that fits is found by halving; a step is 1 MiB. */
static enum glt_status search(int64_t target, struct tuned *best, struct glt_err *err)
{
	uint32_t low = GLT_HASH_M_MIN / STEP, high = 512; /* beyond half a GiB a login is a load of its own */

	best->memory = GLT_HASH_M_MIN;
	best->us = measure(best->memory, best->time, err);
	if (best->us > 0 && 2 * low * target / best->us < high) /* it grows by more than in proportion */
		high = (uint32_t)(2 * low * target / best->us);
	while (best->us >= 0 && low < high) {
		uint32_t middle = (low + high + 1) / 2;
		int64_t us = measure(middle * STEP, best->time, err);

		if (us < 0) {
			best->us = us;
		} else if (us <= target) {
			low = middle;
			best->memory = middle * STEP;
			best->us = us;
		} else {
			high = middle - 1;
		}
	}
	return best->us < 0 ? err->status : GLT_OK;
}

static bool print(struct glt_cli *cli, const struct tuned *t, int64_t target)
{
	struct glt_conf conf = cli->conf;
	unsigned slots;

	conf.hash.memory = t->memory;
	slots = glt_slot_count(&conf);
	if (cli->format == GLT_FORMAT_JSON) {
		json_t *o = json_object();

		(void)json_object_set_new(o, "memory", json_integer(t->memory));
		(void)json_object_set_new(o, "time", json_integer(t->time));
		(void)json_object_set_new(o, "milliseconds", json_real((double)t->us / 1000));
		(void)json_object_set_new(o, "slots", json_integer(slots));
		return glt_json_print(o);
	}
	printf("[hash]\nmemory = %" PRIu32 "\ntime = %" PRIu32 "\n", t->memory, t->time);
	glt_cli_say("A hash takes %.1f ms here; %u at once take %u MiB.", (double)t->us / 1000, slots,
		    slots * (t->memory / 1024));
	if (t->us > target)
		glt_cli_say("That is over the target: less memory than this is refused.");
	return true;
}

static int64_t target_of(const struct glt_cli *cli, const char *text)
{
	size_t n = strspn(text, "0123456789");
	char digits[8] = "";

	if (n == 0 || n >= sizeof(digits) || strcmp(text + n, "ms") != 0)
		glt_cli_usage(cli, "--target '%.64s': must be from 5ms to 1000ms", text);
	memcpy(digits, text, n);
	return (int64_t)glt_cli_number(cli, "--target in milliseconds", digits, 5, 1000) * 1000;
}

int glt_cmd_tune(struct glt_cli *cli, int argc, char **argv)
{
	const char *target_text = NULL, *time_text = NULL;
	struct tuned t = {.time = 2};
	int64_t target = 25000;
	struct glt_err err;
	int c, rc;

	while ((c = glt_cli_option(cli, argc, argv, options, help)) != -1)
		glt_cli_once(cli, c == OPT_TARGET ? &target_text : &time_text,
			     c == OPT_TARGET ? "--target" : "--time");
	glt_cli_operands(cli, argc, argv, 0, 0, "");
	if (target_text)
		target = target_of(cli, target_text);
	if (time_text)
		t.time = (uint32_t)glt_cli_number(cli, "--time", time_text, GLT_HASH_T_MIN, GLT_HASH_T_MAX);
	rc = glt_cli_config(cli);
	if (rc != GLT_EXIT_OK)
		return rc;
	if (search(target, &t, &err) != GLT_OK)
		return glt_cli_fail(cli, &err);
	return print(cli, &t, target) ? GLT_EXIT_OK : GLT_EXIT_UNAVAILABLE;
}
