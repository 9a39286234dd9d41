#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gltoken doctor: green on a host as the README leaves it, and each misconfiguration is named, and nothing else.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

CONF=/etc/gltoken/gltoken.conf
OWN=/etc/ssh/sshd_config.sshd-git
HELPER=/usr/libexec/gltoken/gltoken-auth
STORE=/var/lib/gltoken/store

setup() {
	syslog_start "$E2E_DEVLOG"
	useradd -m -s /bin/bash alice
	mkdir -p /run/sshd
	ssh-keygen -q -A
	gltoken init
	cp "$SHIPPED/sshd_config.sshd-git" "$OWN"
	ln -s sshd /usr/sbin/sshd-git
	gltoken repo create demo/hello
	gltoken member set demo alice developer
	gltoken issue --name laptop --user alice --scope write_repository >/dev/null
	cp -a "$CONF" "$E2E_DIR/conf"
	cp -a /etc/pam.d "$E2E_DIR/pam.d"
}

# The findings are these and no others, each of them once or more.
finds() { # ID...
	run gltoken doctor --json
	local got want=''
	got=$(jq -r '[.findings[].id] | unique | join(" ")' "$T/out")
	if [ $# -gt 0 ]; then want=$(printf '%s\n' "$@" | sort | tr '\n' ' '); fi
	[ "$got" = "${want% }" ] || fail "it finds '$got', not '$want': $(outcome)"
	case $(jq -r '.errors + .warnings' "$T/out") in
	0) [ "$RC" = 0 ] || fail "status $RC: $(outcome)" ;;
	*) [ "$RC" = 1 ] || fail "status $RC: $(outcome)" ;;
	esac
	# What it is, why it matters, what mends it.
	[ "$(jq '[.findings[] | select((.what | length) < 5 or (.why | length) < 5)] | length' "$T/out")" = 0 ] ||
		fail "something is not said: $(outcome)"
}

# The command that is shown for ID mends it.
mends() { # ID
	local command
	gltoken doctor --json >"$T/before" || true
	command=$(jq -r --arg id "$1" 'first(.findings[] | select(.id == $id)) | .command' "$T/before")
	ok sh -c "$command"
	finds
}

test_green() {
	finds
	ok gltoken doctor
	says '^0 errors, 0 warnings, 0 notes$'
	ok gltoken doctor --nagios
	says '^GLTOKEN OK - 0 errors, 0 warnings \| errors=0;;1 warnings=0;1$'
}

# ---- configuration, files ----

test_config() {
	echo '[token' >>"$CONF"
	finds config_invalid
	run gltoken doctor
	says 'in force is what was validated on 20'
	mv /var/lib/gltoken/gltoken.conf.valid "$T/valid"
	finds config_invalid
	run gltoken doctor
	says 'and nothing is in force'
	mv "$T/valid" /var/lib/gltoken/gltoken.conf.valid
	cp -a "$E2E_DIR/conf" "$CONF"
	chmod 600 "$CONF"
	finds config_unreadable
	mends config_unreadable
	mkdir -p "${CONF%/*}/conf.d"
	echo '[git' >"${CONF%/*}/conf.d/x.conf"
	finds config_invalid
	echo '[git]' >"${CONF%/*}/conf.d/x.conf"
	chmod 600 "${CONF%/*}/conf.d/x.conf"
	finds config_unreadable
	rm "${CONF%/*}/conf.d/x.conf"
	printf '[policy]\nmode = observe\n' >"$CONF"
	finds policy_observe
	printf '[http]\ninsecure = yes\n' >"$CONF"
	finds http_insecure
	cp -a "$E2E_DIR/conf" "$CONF"
	finds
}

test_helper_mode() {
	local mode
	for mode in 0750 2755 4755 6750 4770; do
		chmod "$mode" "$HELPER"
		finds helper_mode
	done
	mends helper_mode
	chgrp git "$HELPER"
	finds helper_mode
	mends helper_mode
	mv "$HELPER" "$HELPER.away"
	finds helper_missing
	mv "$HELPER.away" "$HELPER"
	finds
}

test_helper_nosuid() {
	local dir=${HELPER%/*}
	mount --bind "$dir" "$dir"
	mount -o remount,bind,nosuid "$dir"
	finds helper_nosuid
	umount "$dir"
	finds
}

test_programs() {
	chmod g+w /usr/bin/gltoken-shell
	finds program_writable
	mends program_writable
	chown git /usr/libexec/gltoken/gltoken-hook
	finds program_writable
	mends program_writable
	local module
	module=$(find /usr/lib /lib64 -name pam_gltoken.so -print -quit)
	mv "$module" "$module.away"
	finds module_missing
	mv "$module.away" "$module"
	finds
}

test_store_files() {
	chmod 640 "$STORE/key"
	finds store_mode
	mends store_mode
	chmod 755 "$STORE"
	finds store_mode
	mends store_mode
	chown root "$STORE/store.mdb"
	finds store_mode
	mends store_mode
	chmod 777 /var/lib/gltoken
	finds state_writable
	mends state_writable
	mv "$STORE" "$STORE.away"
	finds store_missing
	mv "$STORE.away" "$STORE"
	cp -a "$STORE/store.mdb" "$T/mdb"
	dd if=/dev/zero of="$STORE/store.mdb" bs=4096 count=2 conv=notrunc status=none
	finds store_unusable
	cp -a "$T/mdb" "$STORE/store.mdb"
	finds
}

# Nothing that a reader sees can be used again while it is stopped. A copy reads for as long as it writes.
test_a_reader_that_is_stopped() {
	local i
	setsid strace -f -qq -o "$T/trace" -e trace=write -e inject=write:signal=SIGSTOP:when=1 \
		gltoken backup "$T/copy" >/dev/null 2>&1 &
	TRACER=$!
	await grep -q 'stopped by SIGSTOP' "$T/trace"
	STOPPED=$(sed -n 's/^\([0-9]*\) .*stopped by SIGSTOP.*/\1/p;T;q' "$T/trace")
	STOPPED=$(sed -n 's/^Tgid:\t//p' "/proc/$STOPPED/status") # it was a thread
	PARENT=$(sed -n 's/^PPid:\t//p' "/proc/$STOPPED/status")
	trap 'kill -KILL "$TRACER" "$PARENT" "$STOPPED" 2>/dev/null || true' EXIT
	finds
	for ((i = 0; i < 5; i++)); do ok gltoken issue --name "n$i" --user alice --scope write_repository; done
	finds store_held
	run gltoken doctor
	says "process $STOPPED \(gltoken\), which is stopped, holds [1-9][0-9]* KiB of the store since 5 changes"
	ok gltoken stats --quick
	says "^  held up in process +$STOPPED gltoken \(stopped\)\$"
	says '^  changes since then +5$'
	says '^  bytes that it holds +[1-9][0-9]+$'
	ok gltoken stats --quick --json
	[ "$(jq -c '.held_by | [.pid, .command, .stopped, .changes, .bytes > 4096]' "$T/out")" = "[$STOPPED,\"gltoken\",true,5,true]" ] ||
		fail "$(outcome)"
	ok gltoken stats --quick --prometheus
	says '^gltoken_store_held_bytes [1-9]'
	mends store_held
	ok gltoken stats --quick --json
	[ "$(jq .held_by "$T/out")" = null ] || fail "$(outcome)"
	ok gltoken stats --quick
	hides 'held up'
	ok gltoken stats --quick --prometheus
	says '^gltoken_store_held_bytes 0$'
}

test_disk() {
	mkdir "$T/small"
	mount -t tmpfs -o size=2m,mode=755 small "$T/small"
	cp -a "$STORE" "$T/small/store"
	printf '[store]\ndir = %s\n' "$T/small" >"$CONF"
	finds disk_space
	umount "$T/small"
	cp -a "$E2E_DIR/conf" "$CONF"
	finds
}

# ---- accounts ----

test_accounts() {
	usermod --shell /bin/bash git
	finds account_shell
	mends account_shell
	gpasswd --delete git gltoken >/dev/null
	finds account_group
	mends account_group
	chown git "$(getent passwd git | cut -d: -f6)"
	finds account_home
	mends account_home
	usermod -aG gltoken alice
	finds member_shell
	mends member_shell
	printf '[git]\nshared_accounts = git,forge\n' >"$CONF"
	finds account_missing
	cp -a "$E2E_DIR/conf" "$CONF"
	finds
}

# ---- PAM ----

pam_back() {
	rm -rf /etc/pam.d
	cp -a "$E2E_DIR/pam.d" /etc/pam.d
	finds
}

test_pam_service() {
	rm /etc/pam.d/sshd-git
	finds pam_service
	pam_back
	local type
	for type in auth account session; do
		sed -i "/^$type.*pam_gltoken/d" /etc/pam.d/sshd-git
		finds pam_service
		pam_back
	done
}

test_pam_where_it_should_not_be() {
	sed -i '1i auth sufficient pam_gltoken.so' /etc/pam.d/common-auth
	finds pam_shared_stack
	pam_back
	printf '%s required pam_gltoken.so\n' auth account session >/etc/pam.d/webmail
	finds pam_unlisted
	printf '%s required pam_gltoken.so services=webmail\n' auth account session >/etc/pam.d/webmail
	finds
	pam_back
}

test_pam_order() {
	local line
	for line in '@include common-auth' 'auth sufficient pam_unix.so' 'auth substack password-auth'; do
		sed -i "1i $line" /etc/pam.d/sshd-git
		finds pam_order
		pam_back
	done
	sed -i '1i auth required pam_nologin.so' /etc/pam.d/sshd-git
	finds
	pam_back
}

test_pam_control() {
	local control
	for control in optional sufficient '[success=1 default=ignore]' '[success=done default=ignore]'; do
		sed -i "s/^auth .*pam_gltoken.so/auth $control pam_gltoken.so/" /etc/pam.d/sshd-git
		finds pam_control
		pam_back
	done
	sed -i 's/^account .*pam_gltoken.so/account sufficient pam_gltoken.so/' /etc/pam.d/sshd-git
	finds pam_control
	pam_back
	echo 'session optional pam_env.so' >>/etc/pam.d/sshd-git
	finds pam_session_last
	pam_back
}

# The three stacks that are shipped or documented are right, and so is the main sshd with them.
test_pam_beside_passwords() {
	cp "$SHIPPED/sshd-git-mixed" /etc/pam.d/sshd
	cp "$SHIPPED/00-gltoken.conf" /etc/ssh/sshd_config.d/
	finds
	rm "$OWN"
	finds
	rm /etc/ssh/sshd_config.d/00-gltoken.conf
	run gltoken doctor --json
	says sshd_force_command
	cp "$SHIPPED/sshd_config.sshd-git" "$OWN"
	pam_back
}

test_pam_delay() {
	printf '%s\n' 'auth required pam_gltoken.so nosession' 'auth optional pam_faildelay.so delay=3000000' \
		'account required pam_gltoken.so' >/etc/pam.d/gltoken
	finds pam_delay
	sed -i '/faildelay/d' /etc/pam.d/gltoken
	finds
	pam_back
}

# ---- sshd ----

with_sshd() { # ID LINE...
	local id=$1
	shift
	printf '%s\n' "$@" | cat - "$SHIPPED/sshd_config.sshd-git" >"$OWN"
	finds "$id"
	cp "$SHIPPED/sshd_config.sshd-git" "$OWN"
}

test_sshd() {
	with_sshd sshd_config 'NoSuchOption yes'
	with_sshd sshd_use_pam 'UsePAM no'
	with_sshd sshd_password 'PasswordAuthentication no' 'KbdInteractiveAuthentication no'
	with_sshd sshd_accept_env 'AcceptEnv LANG GLTOKEN_*'
	with_sshd sshd_accept_env 'AcceptEnv *'
	with_sshd sshd_user_environment 'PermitUserEnvironment yes'
	with_sshd sshd_user_environment 'PermitUserEnvironment GLTOKEN_*'
	with_sshd sshd_force_command 'ForceCommand internal-sftp'
	with_sshd sshd_force_command 'ForceCommand none'
	with_sshd sshd_forwarding 'DisableForwarding no' 'AllowTcpForwarding yes'
	with_sshd sshd_forwarding 'AllowAgentForwarding yes'
	with_sshd sshd_tty 'PermitTTY yes'
	with_sshd sshd_tty 'PermitUserRC yes'
	with_sshd sshd_keys 'AuthorizedKeysFile .ssh/authorized_keys'
	with_sshd sshd_keys 'AuthorizedKeysCommand none'
	finds
}

# A rival that sorts before and wins.
test_sshd_match() {
	printf 'Match User git\n\tForceCommand none\n\tPermitTTY yes\n' >>"$OWN"
	sed -i '/^ForceCommand\|^PermitTTY/d' "$OWN"
	finds sshd_force_command sshd_tty
	cp "$SHIPPED/sshd_config.sshd-git" "$OWN"
	rm /usr/sbin/sshd-git
	finds sshd_service_name
	mends sshd_service_name
	rm "$OWN"
	finds sshd_none
	cp "$SHIPPED/sshd_config.sshd-git" "$OWN"
	finds
}

# ---- the host ----

test_units() {
	mkdir -p /etc/systemd/system/ssh.service.d
	printf '[Service]\nNoNewPrivileges=yes\n' >/etc/systemd/system/ssh.service.d/x.conf
	printf '[Service]\nExecStart=/usr/sbin/sshd -D\n' >/etc/systemd/system/ssh.service
	finds unit_no_new_privs
	# Through the socket nobody has to raise privilege, if somebody listens there.
	"$HELPER" --listen >/dev/null 2>&1 </dev/null &
	local helper=$!
	await test -S /run/gltoken-auth.sock
	finds
	kill "$helper"
	wait "$helper" || true
	[ -S /run/gltoken-auth.sock ] || fail "the socket is gone, and what is tested with it"
	finds unit_no_new_privs
	rm -r /run/gltoken-auth.sock /etc/systemd/system/ssh.service.d /etc/systemd/system/ssh.service
	cp "$SHIPPED"/*.service "$SHIPPED"/*.timer /etc/systemd/system/
	finds
	# Not said by name, but implied for who is not root.
	sed -i 's/^ProtectHome=yes/PrivateDevices=yes/' /etc/systemd/system/gltoken-http.service
	finds unit_no_new_privs
	rm /etc/systemd/system/gltoken-* /etc/systemd/system/sshd-git.service
	finds
}

nsswitch_lines() {
	local edit
	# shellcheck disable=SC2016 # for sed
	for edit in 's/^group:.*/group: files/' '/^shadow:/d' '$ainitgroups: files' \
		's/^group:.*/group: files [NOTFOUND=return] gltoken/' \
		's/^group:.*/group: files [TRYAGAIN=continue !unavail=return] systemd gltoken/'; do
		sed -i -E 's/^(passwd|group|shadow):.*/\1: files gltoken/; /^initgroups:/d' /etc/nsswitch.conf
		grep -q ^shadow: /etc/nsswitch.conf || echo 'shadow: files gltoken' >>/etc/nsswitch.conf
		finds
		sed -i "$edit" /etc/nsswitch.conf
		finds nss_lines
	done
	sed -i -E 's/^(group):.*/\1: files [!NOTFOUND=return NOTFOUND=continue] gltoken/; s/^initgroups:.*/& gltoken/' /etc/nsswitch.conf
	finds
	sed -i -E 's/^((passwd|group|shadow):.*) gltoken/\1/; /^initgroups:/d' /etc/nsswitch.conf
	finds
	printf '[nss]\nuids = range\n' >>$CONF
	finds nss_lines
	groupadd -g 70001 between
	finds nss_lines nss_range
	groupdel between
	cp "$E2E_DIR/conf" $CONF
}

test_name_service() {
	cp /etc/nsswitch.conf "$T/nsswitch.conf"
	local module
	module=$(find /usr/lib /lib64 -name libnss_gltoken.so.2 -print -quit)
	sed -i -E 's/^(passwd|group|shadow):.*/\1: files gltoken/' /etc/nsswitch.conf
	if [ -z "$module" ]; then
		finds nss_module
		sed -i 's/^passwd:.*/passwd: gltoken files/' /etc/nsswitch.conf
		finds nss_module nss_order
	else
		finds
		mv "$module" "$module.away"
		finds nss_module
		mv "$module.away" "$module"
		sed -i 's/^passwd:.*/passwd: gltoken files/' /etc/nsswitch.conf
		finds nss_order
		nsswitch_lines
	fi
	cp "$T/nsswitch.conf" /etc/nsswitch.conf
	mkdir -p /run/nscd
	perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Local => "/run/nscd/socket", Listen => 5);
		while (my $c = $s->accept) { close $c }' &
	await test -S /run/nscd/socket
	finds nscd_groups
	echo 'enable-cache group no' >/etc/nscd.conf
	finds
	kill %1
	rm -r /etc/nscd.conf /run/nscd
}

test_apache() {
	mkdir -p /etc/apache2/conf-enabled
	printf 'AuthnCacheProvideFor pam\n' >/etc/apache2/conf-enabled/zz-cache.conf
	finds authn_socache
	rm /etc/apache2/conf-enabled/zz-cache.conf
	finds
}

test_repositories() {
	chown root /srv/git/demo/hello.git
	finds repo_owner
	mends repo_owner
	mv /srv/git/demo/hello.git/HEAD "$T/HEAD"
	run gltoken doctor --json
	says repo_not_served
	mv "$T/HEAD" /srv/git/demo/hello.git/HEAD
	printf '[git]\nrepo_root = /srv/elsewhere\n' >"$CONF"
	finds repo_root
	mends repo_root
	cp -a "$E2E_DIR/conf" "$CONF"
	finds
}

# ---- the store ----

# The clock of doctor alone, so many days ahead.
at_day() { # DAYS ID...
	local days=$1
	shift
	run timeout 60 faketime -f "+${days}d" gltoken doctor --json
	local got
	got=$(jq -r '[.findings[].id] | unique | join(" ")' "$T/out")
	[ "$got" = "$*" ] || fail "it finds '$got', not '$*': $(outcome)"
}

test_backups() {
	at_day 1
	at_day 3 backup_old
	ok timeout 30 faketime -f +3d gltoken backup
	at_day 3
	at_day 4
	at_day 6 backup_old
	rm -r /var/backups/gltoken
}

test_tokens() {
	local id
	cp -a "$STORE" "$T/store"
	id=$(gltoken issue --user alice --name dying --scope read_repository --expires 20d --json | jq .id)
	ok timeout 30 faketime -f +15d gltoken backup
	at_day 15 tokens_expiring
	[ "$RC" = 0 ] || fail "a note makes it fail: $(outcome)"
	ok timeout 30 faketime -f +56d gltoken backup
	at_day 56
	ok timeout 30 faketime -f +58d gltoken backup
	at_day 58 reap_overdue
	ok timeout 30 faketime -f +58d gltoken reap
	at_day 58
	rm -r /var/backups/gltoken "$STORE"
	cp -a "$T/store" "$STORE"
	printf '[policy]\nmax_lifetime = 30d\ndefault_lifetime = 30d\n' >"$CONF"
	finds policy_violations
	cp -a "$E2E_DIR/conf" "$CONF"
	finds
}

test_notify() {
	printf '[notify]\ncommand = /nonexistent/mail\n' >"$CONF"
	finds notify_command
	printf '[notify]\ncommand = /bin/true\nuser = nosuch\n' >"$CONF"
	finds notify_command
	printf '[notify]\ncommand = /bin/true\n' >"$CONF"
	finds
	cp -a "$E2E_DIR/conf" "$CONF"
}

test_clock() {
	cp -a "$STORE" "$T/store"
	ok timeout 30 faketime -f +2d gltoken user block alice
	finds clock_behind
	rm -r "$STORE"
	cp -a "$T/store" "$STORE"
	finds
}

# ---- forms ----

test_text_and_nagios() {
	chmod 0755 "$HELPER"
	rc 1 gltoken doctor
	says '^error: helper_mode$'
	says "^  what  $HELPER has owner 0, group [0-9]+ and mode 0755"
	says '^  why   it must be setuid root'
	says "^  mend  chown root:gltoken $HELPER && chmod 4750 $HELPER$"
	says '^1 errors, 0 warnings, 0 notes$'
	rc 2 gltoken doctor --nagios
	says '^GLTOKEN CRITICAL - 1 errors, 0 warnings: helper_mode \|'
	printf '[http]\ninsecure = yes\n' >"$CONF"
	chmod 4750 "$HELPER"
	rc 1 gltoken doctor --nagios
	says '^GLTOKEN WARNING - 0 errors, 1 warnings: http_insecure \|'
	cp -a "$E2E_DIR/conf" "$CONF"
}

# Only gltoken's own files; what a person should decide is left alone.
test_fix() {
	chmod 0755 "$HELPER"
	chmod 777 /var/lib/gltoken
	chmod 644 "$STORE/key"
	usermod --shell /bin/bash git
	rc 1 gltoken doctor --fix
	says "^# chown root:gltoken $HELPER && chmod 4750 $HELPER$"
	says '^1 errors'
	finds account_shell
	usermod --shell /usr/bin/gltoken-shell git
	finds
	ok gltoken doctor --fix
	hides '^#'
	# It is a check of the mode only that asks for the store to be left alone.
	[ "$(stat -c '%a %U' "$STORE/key")" = '600 gltoken' ] || fail "$(stat -c '%a %U' "$STORE/key")"
}

test_usage() {
	rc 2 gltoken doctor --json --nagios
	rc 2 gltoken doctor all
	rc 3 as_dev gltoken doctor
	says 'only root'
	ok gltoken doctor --help
}

e2e_main "$@"
