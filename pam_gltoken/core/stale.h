/* SPDX-License-Identifier: MIT */
/*
 * Helpers that somebody froze while they held one of LMDB's locks. Nobody but root can signal a gltoken-auth, but the
 * owner of a delegated cgroup can freeze the one that he started; LMDB's mutexes wait without bound, and a frozen
 * process does not see its own alarm. Only SIGKILL frees such a lock.
 */
#ifndef GLT_STALE_H
#define GLT_STALE_H

#define GLT_STALE_NAME "gltoken-auth" /* which the helper gives itself: by it, it is known */

/* From watch to rest, whenever this process has waited for 2 s: kill each gltoken-auth of our uid that is frozen, or
 * over 30 s old, which its alarm would never let it become. Not for threads; takes SIGRTMIN. */
void glt_stale_watch(void);
void glt_stale_rest(void);

#endif
