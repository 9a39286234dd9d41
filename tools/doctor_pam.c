/* SPDX-License-Identifier: MIT */
/* PAM services with pam_gltoken in them: where it stands, with which control, and before what. */
#include "doctor.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "/etc/pam.d"
#define MODULE "pam_gltoken.so"
#define LINES_MAX 200

enum type { AUTH, ACCOUNT, SESSION, PASSWORD, OTHER };

struct line {
	enum type type;
	bool include;        /* module is a stack then */
	const char *control; /* without its brackets */
	const char *module;  /* last part of the path */
	const char *args;
};

struct stack {
	const char *name;
	char *text; /* what the lines point into */
	struct line line[LINES_MAX];
	size_t n;
};

static enum type type_of(const char *word)
{
	static const char *const names[] = {"auth", "account", "session", "password"};

	word += *word == '-';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(word, names[i]) == 0)
			return (enum type)i;
	return OTHER;
}

static char *word(char **rest)
{
	char *start, *p = *rest + strspn(*rest, " \t");

	if (*p == '[') {
		start = ++p;
		p += strcspn(p, "]");
	} else {
		start = p;
		p += strcspn(p, " \t");
	}
	if (*p)
		*p++ = '\0';
	*rest = p;
	return start;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void parse_line(struct stack *s, char *text)
{
	struct line *l = &s->line[s->n];
	char *first = word(&text);

	if (strcasecmp(first, "@include") == 0) { /* Debian's: all of its types */
		*l = (struct line){OTHER, true, "include", word(&text), ""};
		s->n++;
		return;
	}
	l->type = type_of(first);
	if (l->type == OTHER)
		return;
	l->control = word(&text);
	l->include = strcmp(l->control, "include") == 0 || strcmp(l->control, "substack") == 0;
	l->module = last_part(word(&text));
	l->args = text;
	s->n++;
}

static bool load(struct stack *s, const char *name)
{
	char path[400], *rest, *line;

	(void)snprintf(path, sizeof(path), FOLDER "/%s", name);
	*s = (struct stack){.name = name, .text = glt_doctor_read(path)};
	rest = s->text;
	while (s->text && s->n < LINES_MAX && (line = glt_doctor_line(&rest)))
		parse_line(s, line);
	return s->text != NULL;
}

static const struct line *ours(const struct stack *s, enum type type)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->line[i].type == type && strcmp(s->line[i].module, MODULE) == 0)
			return &s->line[i];
	return NULL;
}

static bool has_any(const struct stack *s)
{
	return ours(s, AUTH) || ours(s, ACCOUNT) || ours(s, SESSION) || ours(s, PASSWORD);
}

static bool has_argument(const struct line *l, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = l->args; (p = strstr(p, name)); p += len)
		if ((p == l->args || isspace((unsigned char)p[-1])) &&
		    (p[len] == '\0' || isspace((unsigned char)p[len])))
			return true;
	return false;
}

bool glt_doctor_pam_serves(const char *service)
{
	struct stack s;
	bool serves = load(&s, service) && ours(&s, AUTH);

	free(s.text);
	return serves;
}

/* ---- one stack ---- */

/* What is asked, and may refuse, before anybody has said who they are. */
static bool may_come_first(const char *module)
{
	static const char *const fine[] = {"pam_env.so",      "pam_nologin.so",   "pam_faildelay.so",
					   "pam_sepermit.so", "pam_access.so",    "pam_shells.so",
					   "pam_listfile.so", "pam_warn.so",      "pam_succeed_if.so",
					   "pam_time.so",     "pam_localuser.so", "pam_debug.so",
					   "pam_selinux.so"};

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (strcmp(module, fine[i]) == 0)
			return true;
	return false;
}

/* Debian's @include says it in its name only. */
static bool includes_auth(const struct line *l)
{
	return l->include && (l->type == AUTH || (l->type == OTHER && strstr(l->module, "auth")));
}

static void order(struct glt_doctor *d, const struct stack *s)
{
	const struct line *our = ours(s, AUTH);

	for (const struct line *l = s->line; our && l < our; l++) {
		if (l->type != AUTH && !(l->include && l->type == OTHER))
			continue;
		if (l->include ? includes_auth(l) : !may_come_first(l->module)) {
			glt_doctor_find(d, GLT_D_pam_order,
					"move the auth line of " MODULE " before all others in its file",
					FOLDER "/%s: %s stands before " MODULE, s->name, l->module);
			return;
		}
	}
}

/* "success=1", "default=2": a jump. */
static bool jumps(const char *control)
{
	for (const char *p = control; (p = strchr(p, '=')); p++)
		if (isdigit((unsigned char)p[1]))
			return true;
	return false;
}

static bool refuses_behind(const struct stack *s, const struct line *our)
{
	for (const struct line *l = our + 1; l < s->line + s->n; l++)
		if ((l->type == AUTH && strcmp(l->module, "pam_deny.so") == 0) || includes_auth(l))
			return true;
	return false;
}

static bool control_is_right(const struct stack *s, const struct line *l)
{
	if (strcmp(l->control, "required") == 0 || strcmp(l->control, "requisite") == 0)
		return true;
	if (strchr(l->control, '='))
		return !jumps(l->control) &&
		       (strstr(l->control, "default=die") || strstr(l->control, "default=bad"));
	return l->type == AUTH && strcmp(l->control, "sufficient") == 0 && refuses_behind(s, l);
}

static void control(struct glt_doctor *d, const struct stack *s)
{
	static const char *const names[] = {"auth", "account", "session"};

	for (int type = AUTH; type <= SESSION; type++) {
		const struct line *l = ours(s, (enum type)type);

		if (l && !control_is_right(s, l))
			glt_doctor_find(
				d, GLT_D_pam_control,
				type == AUTH
					? "write it as: auth [success=done user_unknown=ignore default=die] " MODULE
					: "write required",
				FOLDER "/%s: the control of the %s line of " MODULE " is %s", s->name, names[type],
				l->control);
	}
}

/* Where an auth line has to stand depends on the others; a session line is the last one. */
static void complete(struct glt_doctor *d, const struct stack *s)
{
	const struct line *auth = ours(s, AUTH), *account = ours(s, ACCOUNT);
	const bool web = auth && has_argument(auth, "nosession");
	char command[400] = "see pam_gltoken(8) and the examples";

	if (auth && account && (web || ours(s, SESSION)))
		return;
	if (auth && account)
		(void)snprintf(command, sizeof(command), "echo 'session required " MODULE "' >>" FOLDER "/%s",
			       s->name);
	else if (auth)
		(void)snprintf(command, sizeof(command), "sed -i '1i account required " MODULE "' " FOLDER "/%s",
			       s->name);
	glt_doctor_find(d, GLT_D_pam_service, command, FOLDER "/%s has no %s line of " MODULE, s->name,
			!auth      ? "auth"
			: !account ? "account"
				   : "session");
}

static void session_last(struct glt_doctor *d, const struct stack *s)
{
	const struct line *our = ours(s, SESSION);

	for (const struct line *l = our ? our + 1 : s->line + s->n; l < s->line + s->n; l++)
		if (l->type == SESSION ||
		    (l->type == OTHER && l->include && strncmp(l->module, "common-s", 8) == 0)) {
			glt_doctor_find(d, GLT_D_pam_session_last, "move the session line of " MODULE " to the end",
					FOLDER "/%s: %s stands behind the session line of " MODULE, s->name,
					l->module);
			return;
		}
}

static bool serves_name(const char *services, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = services; *p && !isspace((unsigned char)*p);) {
		size_t n = strcspn(p, ", \t");

		if (n == len && strncmp(p, name, n) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

static void listed(struct glt_doctor *d, const struct stack *s)
{
	const struct line *our = ours(s, AUTH);
	const char *services = our ? strstr(our->args, "services=") : NULL;

	if (our && !serves_name(services ? services + 9 : "sshd,sshd-git,gltoken", s->name))
		glt_doctor_find(d, GLT_D_pam_unlisted,
				"add services=NAME to each of its lines, or take the module out",
				FOLDER "/%s has " MODULE ", which is told to serve %s", s->name,
				services ? services + 9 : "sshd, sshd-git and gltoken");
}

static void web_delay(struct glt_doctor *d, const struct stack *s)
{
	const struct line *our = ours(s, AUTH);

	if (!our || !has_argument(our, "nosession"))
		return;
	for (size_t i = 0; i < s->n; i++) {
		const struct line *l = &s->line[i];

		if (l->type == AUTH && (strcmp(l->module, "pam_faildelay.so") == 0 ||
					(strcmp(l->module, "pam_unix.so") == 0 && !has_argument(l, "nodelay"))))
			glt_doctor_find(d, GLT_D_pam_delay, "take it out, or give pam_unix.so the argument nodelay",
					FOLDER "/%s, a service of a web server, has %s", s->name, l->module);
	}
}

/* ---- all of them ---- */

static bool is_shared(const char *name)
{
	static const char *const stacks[] = {"system-auth",         "password-auth", "fingerprint-auth",
					     "smartcard-auth",      "postlogin",     "system-login",
					     "system-remote-login", "other"};

	if (strncmp(name, "common-", 7) == 0)
		return true;
	for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
		if (strcmp(name, stacks[i]) == 0)
			return true;
	return false;
}

static void one_stack(struct glt_doctor *d, const char *name)
{
	struct stack s;

	if (load(&s, name) && has_any(&s)) {
		if (is_shared(name)) {
			glt_doctor_find(d, GLT_D_pam_shared_stack,
					"take it out there, and put it into PAM service sshd-git or sshd",
					FOLDER "/%s has " MODULE, name);
		} else {
			complete(d, &s);
			order(d, &s);
			control(d, &s);
			session_last(d, &s);
			listed(d, &s);
			web_delay(d, &s);
		}
	}
	free(s.text);
}

/* Left by editors and packages; libpam is asked for none of these. */
static int is_service(const struct dirent *e)
{
	return e->d_name[0] != '.' && !strchr(e->d_name, '~') && !strchr(e->d_name, '.');
}

static void stacks(struct glt_doctor *d)
{
	struct dirent **v = NULL;
	int n = scandir(FOLDER, &v, is_service, alphasort);

	for (int i = 0; i < n; i++) {
		one_stack(d, v[i]->d_name);
		free(v[i]);
	}
	free(v);
}

glt_doctor_check *const glt_doctor_pam[] = {stacks, NULL};
