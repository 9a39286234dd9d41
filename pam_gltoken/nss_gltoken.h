/* SPDX-License-Identifier: MIT */
/* What glibc calls by name, as the nss section of its manual has it. */
#ifndef GLT_NSS_GLTOKEN_H
#define GLT_NSS_GLTOKEN_H

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>

#define GLT_NSS_EXPORT __attribute__((visibility("default"))) enum nss_status

GLT_NSS_EXPORT _nss_gltoken_getpwnam_r(const char *name, struct passwd *out, char *buf, size_t size, int *errnop);
GLT_NSS_EXPORT _nss_gltoken_getpwuid_r(uid_t uid, struct passwd *out, char *buf, size_t size, int *errnop);
GLT_NSS_EXPORT _nss_gltoken_setpwent(int stay);
GLT_NSS_EXPORT _nss_gltoken_endpwent(void);
GLT_NSS_EXPORT _nss_gltoken_getpwent_r(struct passwd *out, char *buf, size_t size, int *errnop);

/* Root only: *errnop is EACCES for others. */
GLT_NSS_EXPORT _nss_gltoken_getspnam_r(const char *name, struct spwd *out, char *buf, size_t size, int *errnop);
GLT_NSS_EXPORT _nss_gltoken_setspent(int stay);
GLT_NSS_EXPORT _nss_gltoken_endspent(void);
GLT_NSS_EXPORT _nss_gltoken_getspent_r(struct spwd *out, char *buf, size_t size, int *errnop);

GLT_NSS_EXPORT _nss_gltoken_getgrnam_r(const char *name, struct group *out, char *buf, size_t size, int *errnop);
GLT_NSS_EXPORT _nss_gltoken_getgrgid_r(gid_t gid, struct group *out, char *buf, size_t size, int *errnop);
GLT_NSS_EXPORT _nss_gltoken_setgrent(int stay);
GLT_NSS_EXPORT _nss_gltoken_endgrent(void);
GLT_NSS_EXPORT _nss_gltoken_getgrent_r(struct group *out, char *buf, size_t size, int *errnop);
/* *groupsp, of *size elements, is realloc'd; all of the user's groups are added behind *start, or none. */
GLT_NSS_EXPORT _nss_gltoken_initgroups_dyn(const char *user, gid_t group, long *start, long *size, gid_t **groupsp,
					   long limit, int *errnop);

#endif
