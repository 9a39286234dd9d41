/* SPDX-License-Identifier: MIT */
/*
 * AuthorizedKeysCommand of sshd:  gltoken-keys %u %t %k
 *
 * Prints the key that is offered, with "restrict", if the store knows it and it may open the account. It decides
 * only whether sshd goes on with that key; who that is, the PAM module finds out again from the key that was used.
 */
#include "client.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

static bool type_valid(const char *type)
{
	size_t n = strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789-@.");
	return n && n <= 64 && !type[n];
}

static bool base64_valid(const char *key)
{
	size_t n = strspn(key, BASE64), pad = strspn(key + n, "=");
	return n >= 16 && pad <= 2 && (n + pad) % 4 == 0 && !key[n + pad];
}

static int ask(const char *account, const char *type, const char *key)
{
	struct glt_message request, reply;
	char why[512];
	glt_message_init(&request);
	glt_message_add(&request, "verb", "key");
	glt_message_add(&request, "account", account);
	glt_message_addf(&request, "key", "%s %s", type, key);

	enum glt_outcome outcome = glt_client_ask(&request, &reply, why, sizeof(why));
	if (outcome == GLT_FAILED) {
		fprintf(stderr, "gltoken-keys: %s\n", why);
		syslog(LOG_AUTHPRIV | LOG_ERR, "gltoken-keys: %s", why);
		return 1;
	}
	/* On a person's own account the helper allows without a known key, since the account says who it is. sshd has
	 * not checked any key yet: to print an unknown one here would let everybody in. */
	const char *kind = glt_message_get(&reply, "type");
	if (outcome != GLT_ALLOW || !kind || strcmp(kind, "key"))
		return 0;
	return printf("restrict %s %s\n", type, key) < 0 || fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct glt_err err;
	if (argc != 4) {
		fputs("usage: gltoken-keys ACCOUNT KEYTYPE KEY\n"
		      "sshd_config: AuthorizedKeysCommand " GLT_LIBEXECDIR "/gltoken-keys %u %t %k\n",
		      stderr);
		return 2;
	}
	if (glt_account_name_check(argv[1], &err) != GLT_OK) {
		fprintf(stderr, "gltoken-keys: %s\n", err.text);
		return 2;
	}
	if (!type_valid(argv[2]) || !base64_valid(argv[3])) {
		fputs("gltoken-keys: the second and third argument must be the type and the base64 of a public key\n",
		      stderr);
		return 2;
	}
	return ask(argv[1], argv[2], argv[3]);
}
