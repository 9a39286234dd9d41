/* SPDX-License-Identifier: MIT */
/*
 * The two files that libnss_gltoken reads, and the reader. Every process of the machine loads this: libc only, no
 * memory from the heap, no static state, one descriptor at a time and none left open, pread and never mmap.
 *
 * The limits are root's word: whose uid bots have, which numbers and names may never be given. The snapshot is a cdb
 * file (D. J. Bernstein's constant database) of uid gltoken's, whatever stands in it is held against the limits.
 * The cdb is read by a reader of our own, since tinycdb's maps the file or moves the descriptor's offset, and trusts
 * the offsets in it.
 */
#ifndef GLT_NSS_SNAP_H
#define GLT_NSS_SNAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef GLT_NSS_DIR
#define GLT_NSS_DIR GLT_LOCALSTATEDIR "/lib/gltoken"
#endif
#define GLT_NSS_LIMITS GLT_NSS_DIR "/nss.limits"
#define GLT_NSS_PUBLIC GLT_NSS_DIR "/public"
#define GLT_NSS_SNAPSHOT GLT_NSS_PUBLIC "/nss.cdb"

#define GLT_NSS_NAME_MAX 64
#define GLT_NSS_GECOS_MAX 255
#define GLT_NSS_SYSTEM 1000u  /* numbers below are the system's */
#define GLT_NSS_NOBODY 65534u /* to 65535: nobody, and (uid_t)-1 in 16 bits */
#define GLT_NSS_LIVES INT64_MAX

/* ---- on disk, in this machine's own byte order ---- */

#define GLT_NSS_LIMITS_MAGIC 0x316d696c746c67ULL
struct glt_nss_limits {
	uint64_t magic, sum; /* sum: over all that follows, up to the end of names */
	uint32_t owner;      /* uid gltoken: the snapshot is its, or root's */
	uint32_t range;      /* 0: accounts have uid, else a number each */
	uint32_t uid, gid;   /* of the account that the repositories belong to */
	uint32_t ask_gid;    /* group gltoken */
	uint32_t first, last;
	uint32_t groups;
	uint32_t names_len;
	char home[252];
	char names[3776]; /* of the system's accounts, each ended by NUL */
};
#define GLT_NSS_LIMITS_HEAD offsetof(struct glt_nss_limits, names)

#define GLT_NSS_META_MAGIC 0x31736e746c67ULL
struct glt_nss_meta { /* value of the first record */
	uint64_t magic, generation;
	uint64_t size; /* of the whole file */
	uint64_t head_sum, file_sum;
	uint32_t data_end, users_end, groups_end;
	uint32_t users, groups, pad;
	uint64_t sum;
};

/* What follows each key in the file: cdb's own hash puts names and numbers that differ in a digit or two so close
 * together that a look-up among a million walks over hundreds. */
#define GLT_NSS_SPREAD 8u
uint64_t glt_nss_spread(char table, const void *key, size_t len);

/* The index of indexes comes first in a cdb; behind it the meta record's two lengths and its key. */
#define GLT_NSS_HEAD 2048u
#define GLT_NSS_META 'm'
#define GLT_NSS_META_AT (GLT_NSS_HEAD + 8 + 1)
#define GLT_NSS_FIRST (GLT_NSS_META_AT + (uint32_t)sizeof(struct glt_nss_meta))

/* Values. Each begins with a sum over its key and all that follows. Users and groups stand sorted behind the meta
 * record, so that it can be read through. */
enum glt_nss_table {
	GLT_NSS_USER = 'p',   /* name -> struct glt_nss_user, gecos */
	GLT_NSS_GROUP = 'g',  /* name -> struct glt_nss_group, members, each ended by NUL */
	GLT_NSS_BY_UID = 'u', /* 4 bytes -> sum, name */
	GLT_NSS_BY_GID = 'G', /* 4 bytes -> sum, name */
	GLT_NSS_MEMBER = 'i', /* user -> sum, gids */
};
struct glt_nss_user {
	uint64_t sum;
	int64_t until; /* the account lives until then; 0: blocked or dead */
	uint32_t uid;  /* where limits.range */
	uint32_t gecos_len;
};
struct glt_nss_group {
	uint64_t sum;
	uint32_t gid, n, len, pad; /* len: bytes of n members */
};

/* Not against forgers: against damage. Each step is a permutation, so that one wrong bit always shows. */
uint64_t glt_nss_sum(uint64_t seed, const void *data, size_t len);
/* What stands at the beginning of a value of len bytes; key is table and key. */
uint64_t glt_nss_value_sum(const void *key, size_t key_len, const void *value, size_t len);

/* ---- reading; every function returns 0 or an errno: ENOENT is "no such entry", EIO "damaged or foreign" ---- */

struct glt_nss_snap {
	int fd;
	struct glt_nss_limits limits;
	struct glt_nss_meta meta;
	uint8_t head[GLT_NSS_FIRST];
};

#define GLT_NSS_NEAR 440
struct glt_nss_entry { /* where a value stands in the file */
	uint32_t pos, next, key_len, len;
	uint32_t near_len;
	uint8_t near[GLT_NSS_NEAR];     /* its first bytes, which came with the key */
	char key[GLT_NSS_NAME_MAX + 2]; /* table, then the key, ended by NUL */
};

int glt_nss_limits_read(struct glt_nss_limits *out);
/* With 0, and only then, to be closed. */
int glt_nss_open(struct glt_nss_snap *s);
void glt_nss_close(struct glt_nss_snap *s);
int glt_nss_find(const struct glt_nss_snap *s, char table, const void *key, size_t len, struct glt_nss_entry *out);
/* The entry at pos (GLT_NSS_FIRST is the first), for reading through; ENOENT at end. */
int glt_nss_at(const struct glt_nss_snap *s, uint32_t pos, uint32_t end, struct glt_nss_entry *out);
/* Bytes of a value. */
int glt_nss_read(const struct glt_nss_snap *s, const struct glt_nss_entry *e, uint32_t from, void *out,
		 uint32_t len);
/* The sum of a value is right. */
int glt_nss_check(const struct glt_nss_snap *s, const struct glt_nss_entry *e);

/* A name that may stand here, in its form, and not one of the system's. */
bool glt_nss_name_fits(const struct glt_nss_limits *limits, const char *name);
bool glt_nss_number_fits(const struct glt_nss_limits *limits, uint32_t number);

#endif
