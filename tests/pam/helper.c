/* SPDX-License-Identifier: MIT */
/*
 * Stands where gltoken-auth would: a separate program at the end of the real transport that answers, or fails to
 * answer, as its request tells it. The order is the value of the first of do=, secret=, ticket=, the second word
 * of key=, or account=. What was asked is left in the file ./asked, if there is one.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static char request[16384];

static void say(const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = send(STDOUT_FILENO, text, len, MSG_NOSIGNAL);
		if (n < 0)
			_exit(3);
		text += n;
		len -= (size_t)n;
	}
}

static void pad(char byte, size_t n)
{
	char block[4096];

	memset(block, byte, sizeof block);
	for (; n >= sizeof block; n -= sizeof block)
		if (send(STDOUT_FILENO, block, sizeof block, MSG_NOSIGNAL) != (ssize_t)sizeof block)
			_exit(3);
	if (send(STDOUT_FILENO, block, n, MSG_NOSIGNAL) != (ssize_t)n)
		_exit(3);
}

/* All of the request, but still unread, so that leaving it unread can be one of the answers. */
static void peek_request(void)
{
	for (int i = 0; i < 20000; i++) {
		ssize_t n = recv(STDIN_FILENO, request, sizeof request - 1, MSG_PEEK | MSG_DONTWAIT);
		if (n >= 2 && request[n - 1] == '\n' && request[n - 2] == '\n')
			return;
		if (n == 0)
			_exit(4);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	_exit(4);
}

static char *value(const char *key)
{
	size_t len = strlen(key);

	for (const char *line = request; line && *line; line = strchr(line, '\n') + 1)
		if (strncmp(line, key, len) == 0 && line[len] == '=')
			return strndup(line + len + 1, strcspn(line + len + 1, "\n"));
	return NULL;
}

static const char *order(void)
{
	static const char *const keys[] = {"do", "secret", "ticket", "key", "account"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char *v = value(keys[i]);
		if (!v)
			continue;
		if (strcmp(keys[i], "key") != 0)
			return v;
		const char *blank = strchr(v, ' ');
		return blank ? blank + 1 : "";
	}
	return "";
}

static void record(void)
{
	int fd = open("asked", O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, request, strlen(request)) < 0)
		_exit(5);
	close(fd);
}

/* What the child found at its start. */
static void report(int argc, char **argv)
{
	char line[256], target[64] = "";
	FILE *status = fopen("/proc/self/status", "re");
	DIR *fds = opendir("/proc/self/fd");
	int vars = 0, high = 0;

	if (!status || !fds || readlink("/proc/self/fd/2", target, sizeof target - 1) < 0)
		_exit(6);
	while (environ[vars])
		vars++;
	for (struct dirent *d; (d = readdir(fds));)
		if (atoi(d->d_name) > 2 && atoi(d->d_name) != dirfd(fds) && atoi(d->d_name) != fileno(status))
			high++;
	snprintf(line, sizeof line, "argc=%d\nname=%s\nvars=%d\nhigh=%d\nerr=%s\n", argc, argv[0], vars, high,
		 target);
	say(line);
	while (fgets(line, sizeof line, status)) {
		if (strncmp(line, "SigBlk:\t", 8) == 0)
			say("blocked=");
		else if (strncmp(line, "SigIgn:\t", 8) == 0)
			say("ignored=");
		else
			continue;
		say(line + 8);
	}
	say("verdict=allow\n");
	fclose(status);
	closedir(fds);
}

static bool misbehave(const char *how)
{
	static const struct {
		const char *how, *text;
	} texts[] = {
		{"nothing", ""},
		{"half-line", "reason=ok\nverdict=all"},
		{"no-newline", "reason=ok\nverdict=allow"},
		{"no-verdict", "reason=ok\ntext=fine\n"},
		{"after-line", "verdict=allow\nreason=ok\n"},
		{"after-byte", "verdict=allow\n\n"},
		{"twice", "verdict=allow\nverdict=allow\n"},
		{"deny-allow", "verdict=deny\nverdict=allow\n"},
		{"unknown-verdict", "verdict=perhaps\n"},
		{"verdict-prefix", "verdict=allowed\n"},
		{"upper-key", "Verdict=allow\n"},
		{"no-equals", "reason\nverdict=allow\n"},
		{"empty-key", "=x\nverdict=allow\n"},
		{"repeated-key", "id=1\nid=2\nverdict=allow\n"},
		{"control", "text=a\tb\nverdict=allow\n"},
		{"carriage", "verdict=allow\r\n"},
		{"prose", "Segmentation fault\n"},
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (strcmp(how, texts[i].how) != 0)
			continue;
		say(texts[i].text);
		return true;
	}
	return false;
}

/* length bytes of a well-formed answer */
static void exact(size_t length)
{
	static const char head[] = "text=", tail[] = "\nverdict=allow\n";

	say(head);
	pad('a', length - strlen(head) - strlen(tail));
	say(tail);
}

static bool lag_or_die(const char *how)
{
	if (strcmp(how, "hang") == 0) {
		sleep(8);
	} else if (strcmp(how, "drip") == 0) {
		for (int i = 0; i < 80; i++) {
			say("x");
			nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		}
	} else if (strcmp(how, "linger") == 0 || strcmp(how, "stay") == 0) {
		say("reason=ok\nverdict=allow\n");
		shutdown(STDOUT_FILENO, SHUT_RDWR);
		nanosleep(&(struct timespec){.tv_sec = *how == 's' ? 8 : 0, .tv_nsec = 300000000}, NULL);
	} else if (strcmp(how, "killed-after") == 0) {
		say("reason=ok\nverdict=allow\n");
		raise(SIGKILL);
	} else if (strcmp(how, "killed-before") == 0) {
		raise(SIGKILL);
	} else {
		return false;
	}
	return true;
}

static void answer(const char *how)
{
	char line[1024];
	char *account = value("account");

	say("id=7\nowner=alice\n");
	if (account) {
		snprintf(line, sizeof line, "account=%s\n", account);
		say(line);
	}
	if (strncmp(how, "deny:", 5) == 0) {
		snprintf(line, sizeof line, "reason=%s\ntext=the helper was told to say so\nverdict=deny\n",
			 how + 5);
	} else if (strncmp(how, "allow:", 6) == 0) {
		snprintf(line, sizeof line, "reason=ok\nticket=%s\nverdict=allow\n", how + 6);
	} else if (strcmp(how, "allow") == 0) {
		snprintf(line, sizeof line, "reason=ok\nverdict=allow\n");
	} else {
		snprintf(line, sizeof line, "reason=not_a_token\nverdict=deny\n");
	}
	say(line);
}

/* hold:ORDER: obeyed when the file ./go is there. */
static const char *held(const char *how)
{
	if (strncmp(how, "hold:", 5) != 0)
		return how;
	while (access("go", F_OK) != 0)
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	return how + 5;
}

int main(int argc, char **argv)
{
	alarm(60); /* outlives no test, whatever that does */
	peek_request();
	record();
	const char *how = held(order());
	if (strcmp(how, "early") == 0) {
		say("reason=no_privilege\nverdict=deny\n");
		return 1;
	}
	if (recv(STDIN_FILENO, request, sizeof request - 1, 0) < 0)
		return 4;
	if (strcmp(how, "report") == 0)
		report(argc, argv);
	else if (strcmp(how, "megabyte") == 0)
		pad('a', 1 << 20);
	else if (strncmp(how, "length:", 7) == 0)
		exact((size_t)atoi(how + 7));
	else if (!misbehave(how) && !lag_or_die(how))
		answer(how);
	_exit(0); /* what was not freed is nobody's leak */
}
