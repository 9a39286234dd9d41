/* SPDX-License-Identifier: MIT */
/* hash ROUNDS: our verification in process against libargon2 as it comes, in turn, each in a process of its own. */
#include "hash.h"
#include "measure.h"

#include <argon2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct glt_hash_params usual = {19456, 2};
static const char secret[] = "xWvUtSrQpOnM5k";
static const uint8_t salt[GLT_SALT_LEN] = "0123456789abcde";

static void raw(uint8_t tag[GLT_TAG_LEN])
{
	if (argon2id_hash_raw(usual.time, usual.memory, 1, secret, strlen(secret), salt, sizeof(salt), tag,
			      GLT_TAG_LEN) != ARGON2_OK)
		abort();
}

static void ours(const uint8_t tag[GLT_TAG_LEN])
{
	struct glt_err err;
	bool match;

	if (glt_hash_verify(&usual, secret, strlen(secret), salt, tag, &match, &err) != GLT_OK || !match)
		abort();
}

/* One hash, as a helper makes it: the first of its process. kept: the second, in memory that is there. */
static double measure(int way, uint8_t tag[GLT_TAG_LEN])
{
	double took = 0;
	int ends[2];
	pid_t pid;

	if (pipe(ends) != 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		if (way == 2) {
			glt_hash_keep(true);
			ours(tag);
		}
		double from = measure_now_us();
		if (way == 0)
			raw(tag);
		else
			ours(tag);
		took = measure_now_us() - from;
		_exit(write(ends[1], &took, sizeof(took)) != sizeof(took));
	}
	if (read(ends[0], &took, sizeof(took)) != sizeof(took))
		abort();
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)waitpid(pid, NULL, 0);
	return took;
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"raw", "ours", "kept"};
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	double *times = calloc(rounds * 3 + 1, sizeof(*times));
	uint8_t tag[GLT_TAG_LEN];

	if (!rounds || !times)
		return 2;
	raw(tag);
	for (size_t i = 0; i < rounds; i++)
		for (int w = 0; w < 3; w++)
			times[i * 3 + (size_t)w] = measure(w, tag);
	measure_print(times, rounds, names, 3);
	free(times);
	return 0;
}
