/* SPDX-License-Identifier: MIT */
/* The cache of verified tokens: whatever its file holds, nothing hits but what was put there for this very record. */
#include "rundir.h"

#include "tmprun.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRY 32
#define PLACES 65536

static uint8_t store_key[32] = "a key of thirty-two random byte";

static Glt__Token *token(uint64_t id)
{
	static Glt__Token t;

	glt__token__init(&t);
	t.id = id;
	t.generation = 7;
	t.state = GLT__STATE__LIVE;
	return &t;
}

static struct glt_cache_key key_of(Glt__Token *t)
{
	return (struct glt_cache_key){.store_key = store_key,
				      .epoch = "epoch",
				      .token = t,
				      .secret = "xWvUtSrQpOnM5k",
				      .secret_len = 14};
}

static int open_file(const struct glt_conf *conf)
{
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/cache", conf->run_dir);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	return fd;
}

static void what_was_put(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_cache_key k = key_of(token(3));

	assert_false(glt_cache_hit(conf, &k));
	glt_cache_put(conf, &k);
	assert_true(glt_cache_hit(conf, &k));
	assert_true(glt_cache_hit(conf, &k));
}

static void nothing_else(void **state)
{
	struct glt_conf *conf = *state;
	Glt__Token *t = token(3);
	struct glt_cache_key k = key_of(t), other = k;
	uint8_t other_key[32] = "another";

	glt_cache_put(conf, &k);
	other.secret = "xWvUtSrQpOnM5l";
	assert_false(glt_cache_hit(conf, &other));
	other = k;
	other.secret_len = 13;
	assert_false(glt_cache_hit(conf, &other));
	other = k;
	other.epoch[0] ^= 1;
	assert_false(glt_cache_hit(conf, &other));
	other = k;
	other.store_key = other_key;
	assert_false(glt_cache_hit(conf, &other));
	t->generation++;
	assert_false(glt_cache_hit(conf, &k));
	t->generation--;
	t->scopes = 1;
	assert_false(glt_cache_hit(conf, &k));
	t->scopes = 0;
	t->id += PLACES; /* the same place */
	assert_false(glt_cache_hit(conf, &k));
	t->id -= PLACES;
	assert_true(glt_cache_hit(conf, &k));
}

static void last_one_has_the_place(void **state)
{
	struct glt_conf *conf = *state;
	Glt__Token *t = token(3);
	struct glt_cache_key k = key_of(t);
	struct stat sb;
	int fd;

	glt_cache_put(conf, &k);
	t->id += PLACES;
	glt_cache_put(conf, &k);
	assert_true(glt_cache_hit(conf, &k));
	t->id -= PLACES;
	assert_false(glt_cache_hit(conf, &k));
	/* whatever the number, the file stays small */
	t->id = UINT64_MAX;
	glt_cache_put(conf, &k);
	assert_true(glt_cache_hit(conf, &k));
	fd = open_file(conf);
	assert_int_equal(fstat(fd, &sb), 0);
	assert_true(sb.st_size <= PLACES * ENTRY);
	assert_int_equal(sb.st_mode & 0777, 0600);
	close(fd);
}

static void every_bit_counts(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_cache_key k = key_of(token(0));
	uint8_t entry[ENTRY];
	int fd;

	glt_cache_put(conf, &k);
	fd = open_file(conf);
	assert_int_equal(pread(fd, entry, ENTRY, 0), ENTRY);
	for (int bit = 0; bit < 8 * ENTRY; bit++) {
		entry[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(pwrite(fd, entry, ENTRY, 0), ENTRY);
		if (glt_cache_hit(conf, &k))
			fail_msg("bit %d does not count", bit);
		entry[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(pwrite(fd, entry, ENTRY, 0), ENTRY);
	assert_true(glt_cache_hit(conf, &k));
	for (off_t size = ENTRY - 1; size >= 0; size--) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_false(glt_cache_hit(conf, &k));
	}
	close(fd);
}

static void time_to_live(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_cache_key k = key_of(token(1));

	conf->cache_ttl = 300;
	glt_cache_put(conf, &k);
	conf->cache_ttl = 299; /* lowered: what was given longer counts no more */
	assert_false(glt_cache_hit(conf, &k));
	conf->cache_ttl = 3;
	glt_cache_put(conf, &k);
	assert_true(glt_cache_hit(conf, &k));
	usleep(4100000);
	assert_false(glt_cache_hit(conf, &k));
}

static void switched_off(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_cache_key k = key_of(token(1));

	glt_cache_put(conf, &k);
	conf->cache_enabled = false;
	assert_false(glt_cache_hit(conf, &k));
	conf->cache_enabled = true;
	conf->cache_ttl = 0;
	assert_false(glt_cache_hit(conf, &k));
	tmprun_remove(conf, "cache");
	glt_cache_put(conf, &k);
	assert_true(tmprun_missing(conf, "cache"));
}

static void foreign_files(void **state)
{
	struct glt_conf *conf = *state;
	struct glt_cache_key k = key_of(token(1));
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/cache", conf->run_dir);
	glt_cache_put(conf, &k);
	assert_int_equal(chmod(path, 0640), 0);
	assert_false(glt_cache_hit(conf, &k));
	assert_int_equal(chmod(path, 0600), 0);
	assert_true(glt_cache_hit(conf, &k));
	tmprun_remove(conf, "cache");
	assert_int_equal(mkfifo(path, 0600), 0); /* would keep an open waiting */
	assert_false(glt_cache_hit(conf, &k));
	glt_cache_put(conf, &k);
	tmprun_remove(conf, "cache");
	assert_int_equal(symlink("elsewhere", path), 0);
	glt_cache_put(conf, &k);
	assert_false(glt_cache_hit(conf, &k));
	assert_true(tmprun_missing(conf, "elsewhere"));
	tmprun_remove(conf, "cache");
	strcpy(conf->run_dir, "/nonexistent/gltoken");
	glt_cache_put(conf, &k);
	assert_false(glt_cache_hit(conf, &k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_run(what_was_put),     with_run(nothing_else), with_run(last_one_has_the_place),
		with_run(every_bit_counts), with_run(time_to_live), with_run(switched_off),
		with_run(foreign_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
