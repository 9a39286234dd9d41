/* SPDX-License-Identifier: MIT */
/*
 * at-once: start programs together, race after race, for who can start them no faster. On standard input for each race
 * a line with their number, then for each program a line "ARGUMENTS BYTES EARLY DELAY", so many arguments, each ended by
 * a zero byte, and so many bytes for its standard input. All wait behind one gate. EARLY is 1 for a program that is
 * started before and finds its input when the gate opens; DELAY in microseconds is for the others, from then on. On
 * standard output for each of them in turn a line "STATUS BYTES" and what it printed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROGRAMS = 8, ARGUMENTS = 8, INPUT = 4096, OUTPUT = 65536 };

struct program {
	char *argv[ARGUMENTS + 1];
	char input[INPUT];
	size_t n_input;
	int early;
	unsigned delay;
	pid_t pid;
	int to, from;
};

static char output[OUTPUT];

static void nap(unsigned us)
{
	const struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

	(void)nanosleep(&t, NULL);
}

static void read_program(struct program *p)
{
	size_t n;

	if (scanf("%zu %zu %d %u", &n, &p->n_input, &p->early, &p->delay) != 4 || n < 1 || n > ARGUMENTS ||
	    p->n_input > INPUT || getchar() != '\n')
		abort();
	for (size_t i = 0; i <= n; i++)
		p->argv[i] = NULL;
	for (size_t i = 0; i < n; i++) {
		size_t size = 0;
		if (getdelim(&p->argv[i], &size, '\0', stdin) < 1)
			abort();
	}
	if (fread(p->input, 1, p->n_input, stdin) != p->n_input)
		abort();
}

static void start(struct program *p, const int gate[2])
{
	int in[2], out[2];
	char byte;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || (p->pid = fork()) < 0)
		abort();
	if (p->pid == 0) {
		(void)close(gate[1]);
		if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0 || dup2(out[1], 2) < 0)
			_exit(126);
		if (!p->early && read(gate[0], &byte, 1) == 0 && p->delay)
			nap(p->delay);
		(void)signal(SIGPIPE, SIG_DFL);
		execvp(p->argv[0], p->argv);
		_exit(127);
	}
	(void)close(in[0]);
	(void)close(out[1]);
	p->to = in[1];
	p->from = out[0];
}

/* One that did not read all of it says so by what it prints. */
static void feed(struct program *p)
{
	if (write(p->to, p->input, p->n_input) < 0)
		perror("at-once: write");
	(void)close(p->to);
}

static void finish(struct program *p)
{
	size_t len = 0;
	ssize_t n;
	int status;

	while (len < OUTPUT && (n = read(p->from, output + len, OUTPUT - len)) > 0)
		len += (size_t)n;
	(void)close(p->from);
	if (waitpid(p->pid, &status, 0) != p->pid)
		abort();
	printf("%d %zu\n", status, len);
	fwrite(output, 1, len, stdout);
	for (size_t i = 0; p->argv[i]; i++)
		free(p->argv[i]);
}

static void race(struct program *all, size_t n)
{
	int gate[2], early = 0;

	if (pipe2(gate, O_CLOEXEC) != 0)
		abort();
	for (size_t i = 0; i < n; i++) {
		read_program(&all[i]);
		start(&all[i], gate);
		early += all[i].early;
	}
	(void)close(gate[0]);
	for (size_t i = 0; i < n; i++)
		if (!all[i].early)
			feed(&all[i]);
	if (early)
		nap(1000); /* most have come to where they read; the others come later, as in life */
	(void)close(gate[1]);
	for (size_t i = 0; i < n; i++)
		if (all[i].early)
			feed(&all[i]);
	for (size_t i = 0; i < n; i++)
		finish(&all[i]);
	(void)fflush(stdout);
}

int main(void)
{
	static struct program all[PROGRAMS];
	size_t n;

	(void)signal(SIGPIPE, SIG_IGN);
	while (scanf("%zu", &n) == 1) {
		if (n < 1 || n > PROGRAMS || getchar() != '\n')
			return 2;
		race(all, n);
	}
	return 0;
}
