/* SPDX-License-Identifier: MIT */
/*
 * spawn compare ROUNDS REQUEST PROGRAM...      each once a round, REQUEST as its standard input
 * spawn flood N PARALLEL TOKEN PROGRAM         N requests with wrong secrets on TOKEN's selector; with junk, if TOKEN is
 *                                              "junk"
 * spawn burst FOLDER PROGRAM                   one for each file of FOLDER, all at once: how many were allowed, and
 *                                              the most memory that they had together
 * spawn beside ROUNDS REQUEST TOKEN PROGRAM    good requests alone, then beside four floods of wrong secrets
 */
#include "measure.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* in: a file, or -1 and then a descriptor */
static pid_t start(const char *program, const char *file, int in)
{
	char *const argv[] = {strdup(program), NULL}, *const envp[] = {NULL};
	posix_spawn_file_actions_t fa;
	pid_t pid;

	(void)posix_spawn_file_actions_init(&fa);
	if (file)
		(void)posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, file, O_RDONLY, 0);
	else
		(void)posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	(void)posix_spawn_file_actions_addopen(&fa, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, program, &fa, NULL, argv, envp) != 0)
		die(program);
	(void)posix_spawn_file_actions_destroy(&fa);
	free(argv[0]);
	return pid;
}

static bool ended_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int compare(size_t rounds, const char *request, char **program, size_t ways)
{
	double *times = calloc(rounds * ways + 1, sizeof(*times));

	for (size_t i = 0; i < rounds + 5; i++)
		for (size_t w = 0; w < ways; w++) {
			double from = measure_now_us();

			if (!ended_well(start(program[w], request, -1)))
				die("a program failed");
			if (i >= 5) /* the first ones warm up */
				times[(i - 5) * ways + w] = measure_now_us() - from;
		}
	measure_print(times, rounds, (const char *const *)program, ways);
	free(times);
	return 0;
}

/* A request whose secret differs each time. */
static pid_t start_wrong(const char *program, const char *token, size_t n)
{
	char text[256], made[64];
	int ends[2];
	size_t len;

	if (strcmp(token, "junk") == 0)
		(void)snprintf(made, sizeof(made), "glpat-%06zu%014zu", n % 1000000, n * 7919);
	else
		(void)snprintf(made, sizeof(made), "%.*s%014zu", (int)strlen(token) - 14, token, n * 7919);
	len = (size_t)snprintf(text, sizeof(text),
			       "verb=verify\nsecret=%s\naccount=git\nservice=sshd\nrhost=192.0.2.7\n\n", made);
	if (pipe2(ends, O_CLOEXEC) != 0 || write(ends[1], text, len) != (ssize_t)len)
		die("pipe");
	(void)close(ends[1]);
	pid_t pid = start(program, NULL, ends[0]);
	(void)close(ends[0]);
	return pid;
}

static int flood(size_t n, size_t parallel, const char *token, const char *program)
{
	size_t good = 0, running = 0, first = (size_t)getpid() * 1000003; /* other secrets in each run */
	int status;

	for (size_t i = 0; i < n; i++) {
		if (running++ >= parallel)
			good += wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
		(void)start_wrong(program, token, first + i);
	}
	while (wait(&status) > 0)
		good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	printf("{\"requests\": %zu, \"allowed\": %zu}\n", n, good);
	return 0;
}

/* Proportional memory of the processes, in KiB. */
static long memory_of(const pid_t *pid, size_t n)
{
	long sum = 0;

	for (size_t i = 0; i < n; i++) {
		char path[64], line[128];
		long kib;
		FILE *f;

		(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid[i]);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "Pss: %ld kB", &kib) == 1)
				sum += kib;
		if (f)
			(void)fclose(f);
	}
	return sum;
}

static int burst(const char *folder, const char *program)
{
	pid_t pid[1024];
	size_t n = 0, allowed = 0, left;
	long most = 0;
	DIR *d = opendir(folder);

	if (!d)
		die(folder);
	for (struct dirent *e; (e = readdir(d)) && n < 1024;) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (e->d_name[0] != '.')
			pid[n++] = start(program, path, -1);
	}
	(void)closedir(d);
	for (left = n; left > 0;) {
		long now = memory_of(pid, n);
		int status;

		most = now > most ? now : most;
		for (pid_t p; left > 0 && (p = waitpid(-1, &status, WNOHANG)) > 0; left--)
			allowed += WIFEXITED(status) && WEXITSTATUS(status) == 0;
		(void)usleep(2000);
	}
	printf("{\"requests\": %zu, \"allowed\": %zu, \"peak_kib\": %ld}\n", n, allowed, most);
	return 0;
}

static double p99(size_t rounds, const char *request, const char *program)
{
	double *times = calloc(rounds, sizeof(*times)), q;

	for (size_t i = 0; i < rounds; i++) {
		double from = measure_now_us();

		if (!ended_well(start(program, request, -1)))
			die("a good request failed");
		times[i] = measure_now_us() - from;
	}
	q = measure_quantile(times, rounds, 0.99);
	free(times);
	return q;
}

static int beside(size_t rounds, const char *request, const char *token, const char *program)
{
	double quiet = p99(rounds, request, program), loud;
	pid_t flooder[4];

	for (int i = 0; i < 4; i++) {
		flooder[i] = fork();
		if (flooder[i] == 0)
			for (size_t n = (size_t)getpid() * 1000003;; n++)
				(void)ended_well(start_wrong(program, token, n));
	}
	loud = p99(rounds, request, program);
	for (int i = 0; i < 4; i++) {
		(void)kill(flooder[i], SIGKILL);
		(void)waitpid(flooder[i], NULL, 0);
	}
	printf("{\"quiet_p99_us\": %.0f, \"loud_p99_us\": %.0f, \"ratio\": %.2f}\n", quiet, loud, loud / quiet);
	return 0;
}

int main(int argc, char **argv)
{
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	if (argc > 4 && strcmp(argv[1], "compare") == 0)
		return compare(n, argv[3], argv + 4, (size_t)argc - 4);
	if (argc == 6 && strcmp(argv[1], "flood") == 0)
		return flood(n, strtoul(argv[3], NULL, 10), argv[4], argv[5]);
	if (argc == 4 && strcmp(argv[1], "burst") == 0)
		return burst(argv[2], argv[3]);
	if (argc == 6 && strcmp(argv[1], "beside") == 0)
		return beside(n, argv[3], argv[4], argv[5]);
	fputs("usage: see the source\n", stderr);
	return 2;
}
