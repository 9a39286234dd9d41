/* SPDX-License-Identifier: MIT */
#include "rundir.h"

#include "bootid.h"
#include "seckey.h"
#include "when.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRIES 65536u

/* One place in the file, chosen by the token's number; whoever comes last has it. A torn write fails the MAC. */
struct entry {
	uint8_t until[8]; /* CLOCK_BOOTTIME seconds */
	uint8_t mac[24];
};

static bool mac_of(const struct glt_cache_key *k, const uint8_t until[8], uint8_t mac[24])
{
	size_t len = glt__token__get_packed_size(k->token);
	uint8_t *record = malloc(len), key[GLT_SECKEY_LEN];
	crypto_generichash_state st;
	char boot[GLT_BOOTID_MAX];

	if (!record || !glt_bootid(boot)) {
		free(record);
		return false;
	}
	(void)glt__token__pack(k->token, record);
	glt_seckey_derive(k->store_key, GLT_FOR_CACHE, key);
	(void)crypto_generichash_init(&st, key, sizeof(key), 24);
	(void)crypto_generichash_update(&st, (const uint8_t *)"1", 1);
	(void)crypto_generichash_update(&st, k->epoch, sizeof(k->epoch));
	(void)crypto_generichash_update(&st, (const uint8_t *)boot, strlen(boot) + 1);
	(void)crypto_generichash_update(&st, until, 8);
	(void)crypto_generichash_update(&st, (const uint8_t *)k->secret, k->secret_len);
	(void)crypto_generichash_update(&st, record, len);
	(void)crypto_generichash_final(&st, mac, 24);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(&st, sizeof(st));
	free(record);
	return true;
}

static off_t place(const struct glt_cache_key *k)
{
	return (off_t)(k->token->id % ENTRIES * sizeof(struct entry));
}

static int open_cache(const struct glt_conf *conf, int flags)
{
	char path[300];
	struct stat sb;
	int fd;

	if (!conf->cache_enabled || conf->cache_ttl <= 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/cache", conf->run_dir);
	fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd >= 0 &&
	    (fstat(fd, &sb) != 0 || !S_ISREG(sb.st_mode) || sb.st_uid != geteuid() || (sb.st_mode & 077))) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

bool glt_cache_hit(const struct glt_conf *conf, const struct glt_cache_key *k)
{
	int fd = open_cache(conf, O_RDONLY);
	struct entry e;
	uint8_t mac[24];
	int64_t now = glt_boottime(), until;
	bool whole;

	if (fd < 0)
		return false;
	whole = pread(fd, &e, sizeof(e), place(k)) == (ssize_t)sizeof(e);
	(void)close(fd);
	if (!whole)
		return false;
	until = (int64_t)glt_get_u64(e.until);
	/* A ttl that was lowered counts at once. */
	if (until <= now || until > now + conf->cache_ttl)
		return false;
	return mac_of(k, e.until, mac) && sodium_memcmp(mac, e.mac, sizeof(mac)) == 0;
}

void glt_cache_put(const struct glt_conf *conf, const struct glt_cache_key *k)
{
	struct entry e;
	int fd = open_cache(conf, O_WRONLY | O_CREAT);

	if (fd < 0)
		return;
	glt_put_u64(e.until, (uint64_t)(glt_boottime() + conf->cache_ttl));
	if (mac_of(k, e.until, e.mac) && pwrite(fd, &e, sizeof(e), place(k)) != (ssize_t)sizeof(e))
		(void)!ftruncate(fd, 0); /* a full /run: the next one may find room */
	(void)close(fd);
}
