/* SPDX-License-Identifier: MIT */
#ifndef GLT_GROW_H
#define GLT_GROW_H

#include <stdbool.h>
#include <stddef.h>

/* Room for one more than n elements of that size in an array of malloc() that has room for *room; *array may be
 * another then. False: no memory, and it is as it was. */
bool glt_grow(void **array, size_t *room, size_t n, size_t size);

#endif
