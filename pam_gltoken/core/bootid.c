/* SPDX-License-Identifier: MIT */
#include "bootid.h"

#include <fcntl.h>
#include <unistd.h>

bool glt_bootid(char out[GLT_BOOTID_MAX])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, out, GLT_BOOTID_MAX - 1);

	if (fd >= 0)
		(void)close(fd);
	if (n < 32)
		return false;
	out[n] = '\0';
	return true;
}
