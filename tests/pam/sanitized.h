/* SPDX-License-Identifier: MIT */
/* SANITIZED: built with a sanitizer that has an allocator of its own. */
#ifndef GLT_TEST_SANITIZED_H
#define GLT_TEST_SANITIZED_H

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#endif
