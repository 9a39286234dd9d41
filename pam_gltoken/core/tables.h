/* SPDX-License-Identifier: MIT */
/* The tables of the store, and what keys and values are made of. */
#ifndef GLT_TABLES_H
#define GLT_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number is part of the format: checksums cover it. */
enum glt_table {
	GLT_TOKENS,      /* id -> Token */
	GLT_BY_SELECTOR, /* selector -> id */
	GLT_BY_OWNER,    /* owner -> id, many */
	GLT_BY_PATH,     /* path -> id, many */
	GLT_BY_EXPIRY,   /* expires_at -> id, many */
	GLT_BY_FAMILY,   /* family -> id of each but the first, whose id it is, many (schema 1: of each) */
	GLT_NAMESPACES,  /* path -> Namespace */
	GLT_MEMBERS,     /* path NUL principal -> Member */
	GLT_USERS,       /* name -> User */
	GLT_KEYS,        /* SHA-256 of the blob -> Key */
	GLT_KEY_IDS,     /* id -> SHA-256 of the blob */
	GLT_KEYS_OF,     /* user -> id, many */
	GLT_PROTECTIONS, /* path NUL ref glob -> Protection */
	GLT_AUDIT,       /* seq -> Event */
	GLT_META,        /* name -> u64 or bytes */
	GLT_BY_KIND,     /* type, flags, scopes -> id, many; see kinds.h */
	GLT_TABLES,
};

const char *glt_table_name(enum glt_table table);
bool glt_table_is_many(enum glt_table table);

struct glt_slice {
	const void *data;
	size_t len;
};

#define GLT_KEY_U64 8
#define GLT_KEY_TEXT_MAX 512 /* LMDB's keys have at most 511 bytes */
/* Big-endian, so that LMDB's order is numeric order. */
void glt_put_u64(uint8_t out[GLT_KEY_U64], uint64_t v);
uint64_t glt_get_u64(const void *in);
struct glt_slice glt_slice_str(const char *s);

#endif
