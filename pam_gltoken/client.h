/* SPDX-License-Identifier: MIT */
/*
 * Ask gltoken-auth one question. libc only; safe in a threaded host, with any SIGCHLD disposition, with
 * thousands of descriptors open. The child gets a socketpair as its fds 0 and 1, /dev/null as 2, nothing
 * else, and an empty environment. Errno, signal mask and descriptors of the host are as before.
 */
#ifndef GLT_CLIENT_H
#define GLT_CLIENT_H

#include "wire.h"

#include <stdbool.h>

/* More than the helper allows itself. */
#ifndef GLT_CLIENT_TIMEOUT_MS
#define GLT_CLIENT_TIMEOUT_MS 25000
#endif
#ifndef GLT_SOCKET
#define GLT_SOCKET "/run/gltoken-auth.sock" /* asked first where it is there */
#endif

enum glt_outcome {
	GLT_ALLOW,
	GLT_DENY,   /* reply says why: reason=, text= */
	GLT_FAILED, /* no verdict: helper missing, not permitted, crashed, silent; why says so */
};

/* request as built with glt_message_add() (first "verb"); the empty line is added here. request is wiped.
 * reply is filled for ALLOW and DENY. why (size why_len) is a sentence for the log, "" otherwise. */
enum glt_outcome glt_client_ask(struct glt_message *request, struct glt_message *reply, char *why, size_t why_len);

#endif
