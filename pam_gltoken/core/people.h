/* SPDX-License-Identifier: MIT */
/* Users, memberships, namespaces, protected refs and public keys in the store. Loaded records: *_free. */
#ifndef GLT_PEOPLE_H
#define GLT_PEOPLE_H

#include "account.h"
#include "store.h"

/* ---- users ---- */
enum glt_status glt_user_load(struct glt_txn *txn, const char *name, Glt__User **out, struct glt_err *err);
void glt_user_store(struct glt_change *c, Glt__User *u);
void glt_user_drop(struct glt_change *c, const char *name);
void glt_user_free(Glt__User *u);

/* ---- memberships ---- */
void glt_member_store(struct glt_change *c, Glt__Member *m);
void glt_member_drop(struct glt_change *c, const char *path, const char *principal);
enum glt_status glt_member_load(struct glt_txn *txn, const char *path, const char *principal, Glt__Member **out,
				struct glt_err *err);
void glt_member_free(Glt__Member *m);

/* One membership that reaches a project, from it or from a group above it. */
struct glt_grant {
	int role;
	char path[GLT_PATH_MAX + 1];
	char principal[GLT_NAME_MAX + 1];
};
#define GLT_GRANTS_MAX 128
/* The memberships on path and above it that may be user's: user's own and those of @groups. More than max is
 * GLT_REFUSED. */
enum glt_status glt_grants(struct glt_txn *txn, const char *path, const char *user, struct glt_grant *out,
			   size_t max, size_t *n, struct glt_err *err);

/* ---- namespaces ---- */
enum glt_status glt_namespace_load(struct glt_txn *txn, const char *path, Glt__Namespace **out,
				   struct glt_err *err);
void glt_namespace_store(struct glt_change *c, Glt__Namespace *n);
void glt_namespace_free(Glt__Namespace *n);
/* The number of a project or group, made in the change where it has none. */
enum glt_status glt_namespace_number(struct glt_txn *txn, struct glt_change *c, const char *path, uint64_t *out,
				     struct glt_err *err);

/* ---- protected refs ---- */
void glt_protection_store(struct glt_change *c, Glt__Protection *p);
void glt_protection_drop(struct glt_change *c, const char *path, const char *ref_glob);
enum glt_status glt_protection_load(struct glt_txn *txn, const char *path, const char *ref_glob,
				    Glt__Protection **out, struct glt_err *err);
void glt_protection_free(Glt__Protection *p);

/* ---- public keys ---- */
#define GLT_FINGERPRINT_LEN 32
/* Split "ssh-ed25519 AAAA... comment" (options are refused). blob is malloc'd, the caller frees it. */
enum glt_status glt_pubkey_parse(const char *line, char type[64], uint8_t **blob, size_t *blob_len,
				 char comment[GLT_NAME_MAX + 1], struct glt_err *err);
void glt_pubkey_fingerprint(const uint8_t *blob, size_t len, uint8_t out[GLT_FINGERPRINT_LEN]);
/* "SHA256:..." as ssh-keygen -l prints it; out holds 64 bytes. */
void glt_pubkey_fingerprint_text(const uint8_t fp[GLT_FINGERPRINT_LEN], char out[64]);
/* The line again, "type base64"; malloc'd. */
char *glt_pubkey_format(const Glt__Key *k);
enum glt_status glt_key_by_fingerprint(struct glt_txn *txn, const uint8_t fp[GLT_FINGERPRINT_LEN], Glt__Key **out,
				       struct glt_err *err);
enum glt_status glt_key_load(struct glt_txn *txn, uint64_t id, Glt__Key **out, struct glt_err *err);
/* Under what keys_of has it: its user, or "/" and its project. */
#define GLT_KEY_HOLDER_MAX (GLT_NAME_MAX + 2)
struct glt_slice glt_key_holder(const Glt__Key *k, char buf[GLT_KEY_HOLDER_MAX]);
void glt_key_store(struct glt_change *c, Glt__Key *k);
void glt_key_drop(struct glt_change *c, const Glt__Key *k);
void glt_key_free(Glt__Key *k);

#endif
