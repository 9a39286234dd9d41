/* SPDX-License-Identifier: MIT */
#include "pam_args.h"

#include <security/pam_ext.h>
#include <string.h>
#include <syslog.h>

/* The value of "name=value", or NULL where arg is another argument. */
static const char *value_of(const char *arg, const char *name)
{
	size_t len = strlen(name);

	return strncmp(arg, name, len) == 0 && arg[len] == '=' ? arg + len + 1 : NULL;
}

static bool set_value(struct glt_pam_args *args, const char *arg)
{
	const struct {
		const char *name;
		const char **value;
	} known[] = {
		{"services", &args->services},
		{"service", &args->service},
		{"scope", &args->scope},
		{"prompt", &args->prompt},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		const char *value = value_of(arg, known[i].name);
		if (!value)
			continue;
		*known[i].value = value;
		return *value != '\0';
	}
	return false;
}

static bool set_flag(struct glt_pam_args *args, const char *arg)
{
	const struct {
		const char *name;
		bool *flag;
	} known[] = {
		{"nosession", &args->nosession},
		{"use_first_pass", &args->use_first_pass},
		{"try_first_pass", &args->try_first_pass},
		{"require_token", &args->require_token},
		{"debug", &args->debug},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcmp(arg, known[i].name) != 0)
			continue;
		*known[i].flag = true;
		return true;
	}
	return false;
}

bool glt_pam_args_parse(pam_handle_t *pamh, int argc, const char **argv, struct glt_pam_args *args)
{
	*args = (struct glt_pam_args){
		.services = "sshd,sshd-git,gltoken",
		.prompt = "Password (access token): ",
	};
	for (int i = 0; i < argc; i++) {
		if (set_flag(args, argv[i]) || set_value(args, argv[i]))
			continue;
		pam_syslog(pamh, LOG_ERR, "unknown or empty argument \"%s\": see pam_gltoken(8)", argv[i]);
		return false;
	}
	return true;
}

bool glt_pam_args_serve(const struct glt_pam_args *args, const char *service)
{
	size_t len = strlen(service);

	for (const char *p = args->services; len > 0; p++) {
		size_t n = strcspn(p, ",");
		if (n == len && memcmp(p, service, n) == 0)
			return true;
		p += n;
		if (!*p)
			break;
	}
	return false;
}

const char *glt_pam_args_label(const struct glt_pam_args *args, const char *service)
{
	if (args->service)
		return args->service;
	if (strcmp(service, "sshd-git") == 0)
		return "sshd";
	return service;
}
