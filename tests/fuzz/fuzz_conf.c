/* SPDX-License-Identifier: MIT */
/* A configuration file: refused with a message, or every value is within its rule. */
#include "conf.h"

#include "text.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct glt_conf conf;
	struct glt_err err = {.text = ""};
	char path[64];
	int fd = memfd_create("conf", MFD_CLOEXEC);

	if (fd < 0 || fchmod(fd, 0600) != 0 || write(fd, data, size) != (ssize_t)size)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (glt_conf_load(path, &conf, &err) == GLT_OK) {
		assert(conf.dir[0] == '/' && conf.run_dir[0] == '/' && conf.repo_root[0] == '/');
		assert(glt_hash_params_valid(&conf.hash));
		assert(conf.prefix[0] && conf.deploy_prefix[0]);
		assert(conf.uid_min <= conf.uid_max && conf.session_lifetime > 0);
	} else {
		assert(err.text[0]);
	}
	(void)close(fd);
	return 0;
}
