/* SPDX-License-Identifier: MIT */
#include "grow.h"

#include <stdlib.h>

bool glt_grow(void **array, size_t *room, size_t n, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *p;

	if (n < *room)
		return true;
	p = realloc(*array, more * size);
	if (!p)
		return false;
	*array = p;
	*room = more;
	return true;
}
