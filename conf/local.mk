# SPDX-License-Identifier: MIT

# ---- files that hold paths: FILE is made of conf/FILE.in ----

CONF_MADE = \
	conf/apache/gltoken.conf \
	conf/apparmor/gltoken-auth \
	conf/cron.d/gltoken \
	conf/gltoken.conf \
	conf/install-accounts \
	conf/lighttpd/gltoken.conf \
	conf/nginx/gltoken.conf \
	conf/pam.d/gltoken-owner \
	conf/pam.d/sshd-git \
	conf/pam.d/sshd-git-mfa \
	conf/pam.d/sshd-git-mixed \
	conf/sshd/sshd_config.d/00-gltoken.conf \
	conf/sshd/sshd_config.sshd-git \
	conf/systemd/gltoken-auth.service \
	conf/systemd/gltoken-auth@.service \
	conf/systemd/gltoken-backup.service \
	conf/systemd/gltoken-http.service \
	conf/systemd/gltoken-notify.service \
	conf/systemd/gltoken-reap.service \
	conf/systemd/gltoken-sync.service \
	conf/systemd/sshd-git.service \
	conf/sysusers.d/gltoken.conf \
	conf/tmpfiles.d/gltoken.conf \
	tools/gltoken-setup
EXTRA_DIST += $(CONF_MADE:=.in)
CLEANFILES += $(CONF_MADE)
noinst_DATA += $(CONF_MADE)

# A new --prefix must reach them as well.
$(CONF_MADE): %: %.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) \
		-e 's,[@]bindir[@],$(bindir),g' \
		-e 's,[@]examplesdir[@],$(examplesdir),g' \
		-e 's,[@]glibexecdir[@],$(glibexecdir),g' \
		-e 's,[@]sysconfdir[@],$(sysconfdir),g' \
		-e 's,[@]localstatedir[@],$(localstatedir),g' \
		-e 's,[@]PAM_AUTH[@],$(PAM_AUTH),' \
		-e 's,[@]PAM_ACCOUNT[@],$(PAM_ACCOUNT),' \
		-e 's,[@]PAM_PASSWORD[@],$(PAM_PASSWORD),' \
		-e 's,[@]PAM_SESSION[@],$(PAM_SESSION),' \
		$< >$@.tmp && mv $@.tmp $@

dist_doc_DATA = README.md
examplesdir = $(docdir)/examples
examples_DATA = \
	conf/gltoken.conf \
	conf/pam.d/gltoken-owner \
	conf/pam.d/sshd-git \
	conf/pam.d/sshd-git-mfa \
	conf/pam.d/sshd-git-mixed \
	conf/sshd/sshd_config.d/00-gltoken.conf \
	conf/sshd/sshd_config.sshd-git \
	conf/systemd/gltoken-auth.service \
	conf/systemd/gltoken-auth@.service \
	conf/systemd/gltoken-backup.service \
	conf/systemd/gltoken-http.service \
	conf/systemd/gltoken-notify.service \
	conf/systemd/gltoken-reap.service \
	conf/systemd/gltoken-sync.service \
	conf/systemd/sshd-git.service
dist_examples_DATA = \
	conf/systemd/gltoken-auth.socket \
	conf/systemd/gltoken-backup.timer \
	conf/systemd/gltoken-http.socket \
	conf/systemd/gltoken-notify.timer \
	conf/systemd/gltoken-reap.timer \
	conf/systemd/gltoken-sync.timer
apparmorexamplesdir = $(examplesdir)/apparmor
apparmorexamples_DATA = conf/apparmor/gltoken-auth
# Files of one name for several servers.
cronexamplesdir = $(examplesdir)/cron.d
cronexamples_DATA = conf/cron.d/gltoken
apacheexamplesdir = $(examplesdir)/apache
apacheexamples_DATA = conf/apache/gltoken.conf
nginxexamplesdir = $(examplesdir)/nginx
nginxexamples_DATA = conf/nginx/gltoken.conf
lighttpdexamplesdir = $(examplesdir)/lighttpd
lighttpdexamples_DATA = conf/lighttpd/gltoken.conf
filterexamplesdir = $(examplesdir)/fail2ban/filter.d
dist_filterexamples_DATA = conf/fail2ban/filter.d/gltoken.conf
jailexamplesdir = $(examplesdir)/fail2ban/jail.d
dist_jailexamples_DATA = conf/fail2ban/jail.d/gltoken.conf
sysusers_DATA = conf/sysusers.d/gltoken.conf
tmpfiles_DATA = conf/tmpfiles.d/gltoken.conf

# ---- Debian packages: tools/package-deb ----

EXTRA_DIST += conf/debian

# ---- RPM, SELinux: sources for those who have these; AppArmor: an example ----

EXTRA_DIST += conf/rpm conf/screenshots conf/selinux

# ---- manual ----

MANUAL = \
	git-credential-gltoken.1 \
	gltoken-askpass.1 \
	gltoken-auth.8 \
	gltoken-doctor.8 \
	gltoken-http.8 \
	gltoken-keys.8 \
	gltoken-notify-mail.8 \
	gltoken-shell.1 \
	gltoken.1 \
	gltoken.7 \
	gltoken.conf.5 \
	libnss_gltoken.8 \
	pam_gltoken.8
nodist_man_MANS = $(MANUAL:%=man/%)
CLEANFILES += $(nodist_man_MANS)
EXTRA_DIST += $(MANUAL:%=conf/man/%.scd)
$(nodist_man_MANS): man/%: conf/man/%.scd
	$(AM_V_GEN)$(MKDIR_P) man && $(SCDOC) <$< >$@.tmp && mv $@.tmp $@

# ---- completion, under the name that each shell looks for ----

bashcompletion_DATA = conf/completions/gltoken
zshcompletion_DATA = conf/completions/_gltoken
dist_fishcompletion_DATA = conf/gltoken.fish
CLEANFILES += conf/completions/gltoken conf/completions/_gltoken
EXTRA_DIST += conf/gltoken.bash-completion conf/gltoken.zsh-completion
conf/completions/gltoken: conf/gltoken.bash-completion
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@
conf/completions/_gltoken: conf/gltoken.zsh-completion
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $< $@

# ---- what an administrator may have changed: never overwritten, removed only if it is as it came ----

CONF_KEPT = \
	conf/gltoken.conf:$(sysconfdir)/gltoken/gltoken.conf \
	conf/pam.d/gltoken-owner:$(sysconfdir)/pam.d/gltoken-owner \
	conf/pam.d/sshd-git:$(sysconfdir)/pam.d/sshd-git

install-data-hook:
	@for pair in $(CONF_KEPT); do \
		from=$${pair%%:*} to="$(DESTDIR)$${pair#*:}"; \
		if test -e "$$to" || test -h "$$to"; then \
			cmp -s "$$from" "$$to" || echo "gltoken: $$to is kept as it is; see $(examplesdir)"; \
		else \
			$(MKDIR_P) "$${to%/*}" && $(INSTALL_DATA) "$$from" "$$to" || exit 1; \
		fi; \
	done

uninstall-hook:
	@for pair in $(CONF_KEPT); do \
		from=$${pair%%:*} to="$(DESTDIR)$${pair#*:}"; \
		if cmp -s "$$from" "$$to"; then rm -f "$$to"; fi; \
	done
	@for hook in $(HOOKS); do rm -f "$(DESTDIR)$(glibexecdir)/hooks/$$hook"; done
	@for dir in $(glibexecdir)/hooks $(glibexecdir) $(cronexamplesdir) $(apparmorexamplesdir) $(apacheexamplesdir) $(nginxexamplesdir) \
		$(lighttpdexamplesdir) $(filterexamplesdir) $(jailexamplesdir) $(examplesdir)/fail2ban $(examplesdir) $(docdir) $(sysconfdir)/gltoken; do \
		rmdir "$(DESTDIR)$$dir" 2>/dev/null || :; \
	done

# ---- accounts, folders and the helper's mode ----

# Every hook that a push can run, and what counts a fetch; gltoken-hook sees from its name which one it is.
HOOKS = pack-objects pre-receive update post-receive post-update proc-receive reference-transaction push-to-checkout

# The helper gets its privilege last, and only together with the group that bounds who may run it.
install-exec-hook: $(CONF_MADE)
if ENABLE_ACCOUNTS
	@if test -z "$(DESTDIR)" && test "$$(id -u)" = 0; then \
		sh conf/install-accounts conf/sysusers.d/gltoken.conf; \
	fi
endif
	@$(MKDIR_P) "$(DESTDIR)$(glibexecdir)/hooks" && for hook in $(HOOKS); do \
		ln -sf ../gltoken-hook "$(DESTDIR)$(glibexecdir)/hooks/$$hook" || exit 1; \
	done
# What a process may not read it may not look into either, from its very first instruction: credentials stand in the
# environment of this one.
	@chmod 711 "$(DESTDIR)$(glibexecdir)/gltoken-http"
	@helper="$(DESTDIR)$(glibexecdir)/gltoken-auth"; \
	if test "$$(id -u)" = 0 && getent group gltoken >/dev/null; then \
		chown root:gltoken "$$helper" && chmod 4750 "$$helper"; \
	else \
		echo "gltoken: warning: not root, or no group gltoken: $$helper has no privilege yet, and no token works"; \
		echo "gltoken: warning: make the group, then: chown root:gltoken $$helper && chmod 4750 $$helper"; \
	fi
