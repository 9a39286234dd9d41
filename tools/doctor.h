/* SPDX-License-Identifier: MIT */
/*
 * gltoken doctor: is this host set up right? A check is one function that looks at one thing and tells what it finds;
 * what each finding means and why it matters stands in one table, and in gltoken-doctor(8).
 *
 * The checks run as root, without the store, for some of them start other programs. What is asked of the store is
 * asked by a child that is uid gltoken, which hands its findings over.
 */
#ifndef GLT_DOCTOR_H
#define GLT_DOCTOR_H

#include "cli.h"
#include "run.h"

/* Errors: no token works, or somebody gets more than they should. Warnings: it will hurt one day. Notes do not count
 * for the exit status. */
enum glt_severity { GLT_NOTE, GLT_WARNING, GLT_ERROR };

/* Identifier, severity, may --fix run the command, and why it matters. */
#define GLT_FINDINGS(X)                                                                                              \
	X(config_invalid, GLT_ERROR, false,                                                                          \
	  "what is changed in it does not count until it is put right; with nothing in force no token works")        \
	X(config_unreadable, GLT_ERROR, true,                                                                        \
	  "gltoken-shell and gltoken-http read it as the accounts that run them")                                    \
	X(policy_observe, GLT_NOTE, false,                                                                           \
	  "with [policy] mode = observe a refusal is only logged for key sessions")                                  \
	X(helper_missing, GLT_ERROR, false, "nothing else opens the store for a login: every token is refused")      \
	X(helper_mode, GLT_ERROR, true,                                                                              \
	  "it must be setuid root and for group gltoken alone: else it cannot read the store, or everybody may ask") \
	X(helper_nosuid, GLT_ERROR, false, "on a file system mounted nosuid the helper has no privilege")            \
	X(program_writable, GLT_ERROR, true, "whoever can write it becomes root, or git, at the next login")         \
	X(module_missing, GLT_ERROR, false, "PAM services that name pam_gltoken.so refuse everybody")                \
	X(store_missing, GLT_ERROR, false, "without a store every token is refused")                                 \
	X(store_mode, GLT_ERROR, true, "the store holds hashes and the host's key, and only gltoken may open it")    \
	X(state_writable, GLT_ERROR, true,                                                                           \
	  "whoever can write the folder above the store can put another in its place")                               \
	X(store_unusable, GLT_ERROR, false, "every token is refused while the store cannot be read")                 \
	X(store_schema, GLT_NOTE, false,                                                                             \
	  "the release before can still be put back, but what this one does better does not count")                  \
	X(store_readers, GLT_WARNING, false, "when all places for readers are taken, logins are refused")            \
	X(store_held, GLT_WARNING, false,                                                                            \
	  "what it sees cannot be used again: the store's file grows with each change")                              \
	X(disk_space, GLT_WARNING, false, "on a full disk nothing can be issued, rotated or audited")                \
	X(clock_behind, GLT_ERROR, false, "what has expired works again while the clock is behind")                  \
	X(account_missing, GLT_ERROR, false, "nobody can log in as it")                                              \
	X(account_shell, GLT_ERROR, false, "a token opens only accounts whose login shell is gltoken-shell")         \
	X(account_group, GLT_ERROR, false,                                                                           \
	  "only members of group gltoken may ask gltoken-auth, and sshd lets only them in")                          \
	X(account_home, GLT_ERROR, true,                                                                             \
	  "a session could leave .ssh/environment, .ssh/rc or .gitconfig there, which later sessions obey")          \
	X(member_shell, GLT_WARNING, false, "sshd's drop-in takes the shell away from everybody in group gltoken")   \
	X(pam_service, GLT_ERROR, false, "tokens are not asked for, or a session does not know whose it is")         \
	X(pam_shared_stack, GLT_ERROR, false,                                                                        \
	  "through a stack that other services include, a token is asked for, and believed, where no Git is")        \
	X(pam_order, GLT_ERROR, false,                                                                               \
	  "a module before pam_gltoken is shown the token, may count it as a failure and lock the account")          \
	X(pam_control, GLT_ERROR, false,                                                                             \
	  "with this control a refused token can go on to be accepted, or setcred fails")                            \
	X(pam_session_last, GLT_WARNING, false, "a module behind it can set GLTOKEN_SESSION again")                  \
	X(pam_unlisted, GLT_ERROR, false, "the module refuses services that its argument services= does not name")   \
	X(pam_delay, GLT_WARNING, false, "a web server that waits for PAM's delay stops serving everybody")          \
	X(sshd_none, GLT_WARNING, false, "no sshd asks for tokens")                                                  \
	X(sshd_config, GLT_ERROR, false, "sshd does not start again, or not as it is thought to")                    \
	X(sshd_service_name, GLT_ERROR, false,                                                                       \
	  "sshd asks another PAM service: since OpenSSH 9.8 an option names it, before the program's name did")      \
	X(sshd_use_pam, GLT_ERROR, false, "without PAM no token is asked for, and key sessions are nobody's")        \
	X(sshd_password, GLT_ERROR, false, "a token is given as the password")                                       \
	X(sshd_accept_env, GLT_ERROR, false,                                                                         \
	  "a client could send GLTOKEN_SESSION, which is to come from PAM alone")                                    \
	X(sshd_user_environment, GLT_ERROR, false,                                                                   \
	  "files of the account could set GLTOKEN_SESSION and LD_PRELOAD")                                           \
	X(sshd_force_command, GLT_ERROR, false,                                                                      \
	  "sshd would serve sftp and scp itself, without asking what the token may do")                              \
	X(sshd_forwarding, GLT_ERROR, false, "a Git token would open tunnels into the network behind the host")      \
	X(sshd_tty, GLT_WARNING, false, "Git needs neither a terminal nor ~/.ssh/rc, which runs before the shell")   \
	X(sshd_keys, GLT_WARNING, false,                                                                             \
	  "keys in files are known to sshd and not to the store: their sessions may do nothing")                     \
	X(sshd_penalties, GLT_NOTE, false,                                                                           \
	  "some wrong tokens of one CI job shut out all behind its address for a while")                             \
	X(unit_no_new_privs, GLT_ERROR, false,                                                                       \
	  "under NoNewPrivileges gltoken-auth gets no privilege, and every operation is denied")                     \
	X(nss_module, GLT_ERROR, false, "nsswitch.conf names a module that is not there")                            \
	X(nss_order, GLT_ERROR, false, "accounts of the system must come before those of tokens")                    \
	X(nss_lines, GLT_WARNING, false,                                                                             \
	  "bots and users without an account are accounts to some programs and not to others")                       \
	X(nss_range, GLT_ERROR, false,                                                                               \
	  "accounts are published by the rules from before, and a number could be two accounts'")                    \
	X(nscd_groups, GLT_WARNING, false,                                                                           \
	  "nscd keeps groups for an hour: who was taken out of one keeps the role so long")                          \
	X(authn_socache, GLT_WARNING, false,                                                                         \
	  "mod_authn_socache goes on accepting a revoked token, and refuses a user's second one")                    \
	X(http_insecure, GLT_WARNING, false,                                                                         \
	  "tokens are taken over plain HTTP, where everybody on the way can read them")                              \
	X(repo_root, GLT_ERROR, false, "there are the repositories")                                                 \
	X(repo_owner, GLT_ERROR, false, "git refuses repositories of another owner, or cannot write into them")      \
	X(repo_not_served, GLT_WARNING, false, "it is not served as it is")                                          \
	X(git_program, GLT_ERROR, false, "what it is to serve is refused while it cannot be run")                    \
	X(gitolite_root, GLT_ERROR, false,                                                                           \
	  "gitolite opens other repositories than those that are looked at, and links out of them go unseen")        \
	X(policy_violations, GLT_WARNING, false, "tokens from before are more than the policy allows now")           \
	X(tokens_expiring, GLT_NOTE, false, "what uses them will be refused then")                                   \
	X(reap_overdue, GLT_WARNING, false, "dead tokens are kept for ever, so gltoken reap does not run")           \
	X(notify_command, GLT_WARNING, false, "nobody is told that a token expires")                                 \
	X(backup_old, GLT_WARNING, false, "what was changed since is lost with the disk")

enum glt_finding_id {
#define GLT_X(id, severity, fix, why) GLT_D_##id,
	GLT_FINDINGS(GLT_X)
#undef GLT_X
		GLT_FINDING_IDS,
};

struct glt_finding {
	enum glt_finding_id id;
	char *what;
	char *command; /* that mends it, or what to do; "" where there is none */
};

struct glt_doctor {
	struct glt_cli *cli;
	struct glt_finding *v;
	size_t n;
	int64_t backup_at; /* when the newest backup was made, which the store's child may not see */
};

const char *glt_finding_name(enum glt_finding_id id);
enum glt_severity glt_finding_severity(enum glt_finding_id id);
const char *glt_finding_why(enum glt_finding_id id);
/* May --fix run its command? */
bool glt_finding_mendable(enum glt_finding_id id);

/* Tell of it. command is copied; quote what is not ours in it with glt_doctor_quote(). */
void glt_doctor_find(struct glt_doctor *d, enum glt_finding_id id, const char *command, const char *what, ...)
	__attribute__((format(printf, 4, 5)));
/* The text for a shell; static, until the next but three. */
const char *glt_doctor_quote(const char *text);
void glt_doctor_clear(struct glt_doctor *d);

/* A small text file, NUL-terminated and malloc'd, links followed; NULL: there is none or it is not regular. */
char *glt_doctor_read(const char *path);
/* The next line of *rest without comment and blanks around it, in place; NULL at the end. Empty lines are left out. */
char *glt_doctor_line(char **rest);

typedef void glt_doctor_check(struct glt_doctor *d);

/* Ended by NULL. The first needs no configuration; the others run only where it could be read. */
extern glt_doctor_check *const glt_doctor_files[],
	*const glt_doctor_accounts[], *const glt_doctor_pam[], *const glt_doctor_sshd[],
								       *const glt_doctor_host[],
									       *const glt_doctor_repos[],
										       *const glt_doctor_beside[];
void glt_doctor_config(struct glt_doctor *d);
/* In a child of its own, with all that is asked of the store. */
void glt_doctor_store(struct glt_doctor *d);

/* Does PAM service name have the module in its auth stack? */
bool glt_doctor_pam_serves(const char *service);

/* ---- output ---- */
void glt_doctor_print(const struct glt_doctor *d);
bool glt_doctor_print_json(const struct glt_doctor *d);
/* One line and performance data; the exit status of a plugin. */
int glt_doctor_print_nagios(const struct glt_doctor *d);
/* Warnings and errors. */
size_t glt_doctor_count(const struct glt_doctor *d, enum glt_severity severity);

#endif
