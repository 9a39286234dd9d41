/* SPDX-License-Identifier: MIT */
/* sshd as it effectively is for an account that tokens open: what sshd -T says, not what a file seems to say. */
#include "doctor.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN_CONFIG "/etc/ssh/sshd_config.sshd-git"
#define OWN_SSHD "/usr/sbin/sshd-git"
#define SSHD "/usr/sbin/sshd"

struct sshd {
	struct glt_doctor *d;
	const char *name; /* for messages */
	char *text;       /* what sshd -T printed, a line each */
};

/* The value of a key, to the end of its line in out; "" where it has none. */
static const char *value(const struct sshd *s, const char *key, char out[1024])
{
	size_t len = strlen(key);

	out[0] = '\0';
	for (const char *p = s->text; p && *p; p = strchr(p, '\n'), p += p != NULL)
		if (strncmp(p, key, len) == 0 && p[len] == ' ') {
			size_t n = strcspn(p + len + 1, "\n");

			n = n < 1023 ? n : 1023;
			memcpy(out, p + len + 1, n);
			out[n] = '\0';
			break;
		}
	return out;
}

static bool is(const struct sshd *s, const char *key, const char *want)
{
	char out[1024];

	return strcmp(value(s, key, out), want) == 0;
}

static void password(const struct sshd *s)
{
	if (!is(s, "usepam", "yes"))
		glt_doctor_find(s->d, GLT_D_sshd_use_pam, "UsePAM yes", "%s: UsePAM is not yes", s->name);
	if (!is(s, "passwordauthentication", "yes") && !is(s, "kbdinteractiveauthentication", "yes"))
		glt_doctor_find(s->d, GLT_D_sshd_password, "PasswordAuthentication yes",
				"%s: neither PasswordAuthentication nor KbdInteractiveAuthentication is yes",
				s->name);
}

static void environment(const struct sshd *s)
{
	const char *const key = "acceptenv ";
	char out[1024];

	for (const char *p = s->text; p && *p; p = strchr(p, '\n'), p += p != NULL) {
		size_t n;

		if (strncmp(p, key, strlen(key)) != 0)
			continue;
		n = strcspn(p + strlen(key), "\n");
		(void)snprintf(out, sizeof(out), "%.*s", (int)n, p + strlen(key));
		if (fnmatch(out, "GLTOKEN_SESSION", 0) == 0)
			glt_doctor_find(s->d, GLT_D_sshd_accept_env, "AcceptEnv GIT_PROTOCOL",
					"%s: AcceptEnv %s lets GLTOKEN_SESSION through", s->name, out);
	}
	if (!is(s, "permituserenvironment", "no"))
		glt_doctor_find(s->d, GLT_D_sshd_user_environment, "PermitUserEnvironment no",
				"%s: PermitUserEnvironment is %s", s->name, value(s, "permituserenvironment", out));
}

static void command(const struct sshd *s)
{
	char out[1024];

	if (!is(s, "forcecommand", GLT_SHELL_PATH))
		glt_doctor_find(s->d, GLT_D_sshd_force_command, "ForceCommand " GLT_SHELL_PATH,
				"%s: ForceCommand is %s", s->name, value(s, "forcecommand", out));
	if (!is(s, "permittty", "no") || !is(s, "permituserrc", "no"))
		glt_doctor_find(s->d, GLT_D_sshd_tty, "PermitTTY no, PermitUserRC no",
				"%s: PermitTTY or PermitUserRC is not no", s->name);
}

static void forwarding(const struct sshd *s)
{
	static const struct {
		const char *key, *mend;
	} kinds[] = {{"allowtcpforwarding", "AllowTcpForwarding no"},
		     {"allowstreamlocalforwarding", "AllowStreamLocalForwarding no"},
		     {"permittunnel", "PermitTunnel no"},
		     {"allowagentforwarding", "AllowAgentForwarding no"},
		     {"x11forwarding", "X11Forwarding no"}};
	const bool disabled = is(s, "disableforwarding", "yes");
	char mend[256] = "DisableForwarding yes";
	const char *open = NULL;

	/* Until OpenSSH 10.0, DisableForwarding leaves out the last two. */
	for (size_t i = disabled ? 3 : 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!is(s, kinds[i].key, "no")) {
			size_t len = strlen(mend);

			open = open ? open : kinds[i].key;
			(void)snprintf(mend + len, sizeof(mend) - len, ", %s", kinds[i].mend);
		}
	if (open)
		glt_doctor_find(s->d, GLT_D_sshd_forwarding, mend, "%s: %s is not no", s->name, open);
}

static void keys(const struct sshd *s)
{
	char out[1024];

	if (is(s, "pubkeyauthentication", "no"))
		return;
	if (!is(s, "authorizedkeysfile", "none"))
		glt_doctor_find(s->d, GLT_D_sshd_keys, "AuthorizedKeysFile none", "%s: AuthorizedKeysFile is %s",
				s->name, value(s, "authorizedkeysfile", out));
	else if (!strstr(value(s, "authorizedkeyscommand", out), "/gltoken-keys "))
		glt_doctor_find(s->d, GLT_D_sshd_keys,
				"AuthorizedKeysCommand " GLT_LIBEXECDIR "/gltoken-keys %u %t %k",
				"%s: AuthorizedKeysCommand is %s", s->name, out);
}

/* Only sshd 9.8 and later have them. */
static void penalties(const struct sshd *s)
{
	char out[1024], exempt[1024];

	(void)value(s, "persourcepenalties", out);
	(void)value(s, "persourcepenaltyexemptlist", exempt);
	if (*out && strcmp(out, "no") != 0 && (!*exempt || strcmp(exempt, "none") == 0))
		glt_doctor_find(s->d, GLT_D_sshd_penalties, "PerSourcePenaltyExemptList with the addresses of CI",
				"%s: PerSourcePenalties %s, and nobody is exempt", s->name, out);
}

static void inspect(const struct sshd *s)
{
	password(s);
	environment(s);
	command(s);
	forwarding(s);
	keys(s);
	penalties(s);
}

/* Exit status of sshd -T; its output in out. */
static int effective(const struct glt_doctor *d, const char *program, const char *config, char *out, size_t size)
{
	const char *user = d->cli->conf.shared_accounts[0];
	char spec[200], *argv[] = {NULL, (char[]){"-T"}, (char[]){"-C"}, spec, (char[]){"-f"}, NULL, NULL};
	union {
		const char *in;
		char *out;
	} path = {program}, file = {config};
	const struct glt_run run = {.argv = argv, .out = out, .out_size = size, .merge = true, .timeout = 10};

	argv[0] = path.out;
	argv[5] = file.out;
	if (!config)
		argv[4] = NULL;
	(void)snprintf(spec, sizeof(spec), "user=%s,host=host.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22",
		       user);
	return glt_run(&run);
}

#define OUTPUT_MAX 65536

static bool ask(struct sshd *s, const char *program, const char *config, const char *again)
{
	int status;

	s->text = glt_cli_alloc(NULL, OUTPUT_MAX, 1);
	status = effective(s->d, program, config, s->text, OUTPUT_MAX);
	if (status == 0)
		return true;
	s->text[strcspn(s->text, "\r\n")] = '\0';
	/* Its service makes that folder, and where a socket starts it, only while somebody is logged in. */
	if (strcmp(s->text, "Missing privilege separation directory: /run/sshd") == 0)
		again = "mkdir -m 755 /run/sshd";
	glt_doctor_find(s->d, GLT_D_sshd_config, again, "%s: %s -T: %s", s->name, program,
			status == GLT_RUN_TIMEOUT ? "takes over 10 seconds" : s->text);
	return false;
}

/* The sshd of the host: is it ours to look at? */
static bool main_sshd(struct glt_doctor *d)
{
	struct sshd s = {.d = d, .name = "sshd"};
	bool serves = false;
	char service[1024];

	if (access(SSHD, X_OK) == 0 && ask(&s, SSHD, NULL, "sshd -t")) {
		if (!*value(&s, "pamservicename", service))
			(void)snprintf(service, sizeof(service), "sshd");
		serves = !strchr(service, '/') && glt_doctor_pam_serves(service);
		if (serves)
			inspect(&s);
	}
	free(s.text);
	return serves;
}

/* What names the service of the sshd of its own: an option, or before there was one the link. */
static void service_name(const struct sshd *s)
{
	char name[1024];

	if (!*value(s, "pamservicename", name)) {
		if (access(OWN_SSHD, X_OK) != 0)
			glt_doctor_find(s->d, GLT_D_sshd_service_name, "ln -s sshd " OWN_SSHD,
					OWN_SSHD " is not there");
	} else if (strcmp(name, "sshd-git") != 0) {
		glt_doctor_find(s->d, GLT_D_sshd_service_name, "PAMServiceName sshd-git",
				"%s: this sshd takes its PAM service from PAMServiceName, which is %s", s->name,
				name);
	}
}

static bool own_sshd(struct glt_doctor *d)
{
	struct sshd s = {.d = d, .name = "sshd_config.sshd-git"};

	if (access(OWN_CONFIG, F_OK) != 0 || access(SSHD, X_OK) != 0)
		return false;
	if (ask(&s, SSHD, OWN_CONFIG, "sshd -t -f " OWN_CONFIG)) {
		service_name(&s);
		if (!glt_doctor_pam_serves("sshd-git"))
			glt_doctor_find(d, GLT_D_pam_service, "copy sshd-git from the examples to /etc/pam.d/",
					"/etc/pam.d/sshd-git does not ask for tokens");
		inspect(&s);
	}
	free(s.text);
	return true;
}

static void sshds(struct glt_doctor *d)
{
	bool served = main_sshd(d);

	served |= own_sshd(d);
	if (!served && access("/run/gltoken-http.sock", F_OK) != 0)
		glt_doctor_find(d, GLT_D_sshd_none, "gltoken setup",
				"neither has " OWN_CONFIG
				" been made, nor has the PAM service of sshd pam_gltoken.so");
}

glt_doctor_check *const glt_doctor_sshd[] = {sshds, NULL};
