#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A host as gltoken setup leaves it: doctor names each misconfiguration, that one alone and once, and what it says
# mends it. A row of the table is the finding, what makes it, and how it is mended:
#   command    the command that the finding has is run
#   line FILE  what the finding has are lines of sshd_config, and go to the beginning of FILE
#   otherwise  what the finding says in words, done here
# shellcheck disable=SC2016 # what is in the table is expanded by the shell that runs it
E2E_LIMIT=600
export E2E_LIMIT
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

CONF=/etc/gltoken/gltoken.conf
OWN=/etc/ssh/sshd_config.sshd-git
STACK=/etc/pam.d/sshd-git
STORE=/var/lib/gltoken/store
export CONF OWN STACK STORE HELPER=/usr/libexec/gltoken/gltoken-auth

setup() {
	syslog_start "$E2E_DEVLOG"
	useradd -m -s /bin/bash alice
	e2e_tool hold-readers
	local port nss=(--nss)
	port=$(free_port 23000)
	compgen -G '/usr/lib*/*/libnss_gltoken.so.2' >/dev/null || nss=()
	gltoken setup --yes --ssh own --port "$port" --web no ${nss[@]+"${nss[@]}"}
	mkdir -p "$SSHD_DIR/sshd-git"
	echo "$port" >"$SSHD_DIR/sshd-git/port"
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >"$SSHD_DIR/sshd-git/known_hosts"
	gltoken repo create demo/hello
	gltoken member set demo alice developer
	gltoken issue --name laptop --user alice --scope write_repository >/dev/null
}

# The clock of what is run, where a seed is of time.
at() { # CMD...
	timeout 60 ${AT:+faketime -f "$AT"} "$@"
}

examine() {
	run at gltoken doctor --json
	GOT=$(jq -r '[.findings[].id] | join(" ")' "$T/out")
}

seed() { # FINDING SEED MEND
	local command
	SEEDS=$((SEEDS + 1))
	# In a shell of its own: what a seed leaves, it leaves on the host.
	at bash -euc "$2" >"$T/seed" 2>&1 || fail "seed $SEEDS of $1: $(cat "$T/seed")"
	examine
	[ "$GOT" = "$1" ] || fail "seed $SEEDS: doctor finds '$GOT', not '$1' alone: $(outcome)"
	jq -e '.findings[0] | (.what | length) > 4 and (.why | length) > 4 and (.command | length) > 4' "$T/out" >/dev/null ||
		fail "seed $SEEDS: something is not said: $(outcome)"
	command=$(jq -r '.findings[0].command' "$T/out")
	case $3 in
	command) ;;
	line\ *) command="printf '%s\n' '${command//, /\' \'}' | cat - ${3#line } >$T/lines && cp $T/lines ${3#line }" ;;
	*) command=$3 ;;
	esac
	# Where there is no systemd, what was to be enabled there is not: what counts is whether it is mended.
	at bash -uc "$command" >"$T/mend" 2>&1 </dev/null || grep -q 'systemctl' <<<"$command" ||
		fail "seed $SEEDS of $1: '$command' fails: $(cat "$T/mend")"
	examine
	[ -z "$GOT" ] || fail "seed $SEEDS of $1: '$command' leaves '$GOT': $(cat "$T/mend") $(outcome)"
	echo "seed $SEEDS: $1, mended by: $command"
}

clone_works() {
	new_token --user alice --scope read_repository
	client password "$TOKEN"
	ok git_ clone -q git@host:demo/hello.git "$T/clone"
	gltoken revoke "$ID" 2>/dev/null
}

files() {
	# What a file may do, whose it is, where it stands.
	seed helper_mode 'chmod 2755 $HELPER' command
	seed helper_mode 'chown git $HELPER; chmod 4750 $HELPER' command
	seed helper_nosuid 'mount --bind ${HELPER%/*} ${HELPER%/*}; mount -o remount,bind,nosuid ${HELPER%/*}' \
		'mount -o remount,bind,suid ${HELPER%/*} && umount ${HELPER%/*}'
	seed store_mode 'chmod 640 $STORE/key' command
	seed store_mode 'chown root $STORE/store.mdb' command
	seed state_writable 'chmod 777 /var/lib/gltoken' command
	seed program_writable 'chmod g+w /usr/bin/gltoken-shell' command
	seed program_writable 'chown git /usr/libexec/gltoken/gltoken-hook' command
	seed config_unreadable 'chmod 600 $CONF' command
	seed config_invalid 'printf "[policy]\nmode\n" >>$CONF' 'EDITOR="sed -i /^mode/d" gltoken config edit'
	seed config_invalid 'chmod 666 $CONF' command
	seed config_invalid 'mkdir -m 777 ${CONF%/*}/conf.d; chmod 777 ${CONF%/*}/conf.d' command
	rmdir "${CONF%/*}/conf.d"
	cp -a "$CONF" "$T/conf"
	seed policy_observe 'printf "[policy]\nmode = observe\n" >>$CONF' 'sed -i "s/^mode = observe/mode = enforce/" $CONF'
	seed http_insecure 'printf "[http]\ninsecure = yes\n" >>$CONF' 'sed -i "s/^insecure = yes/insecure = no/" $CONF'
	seed notify_command 'printf "[notify]\ncommand = /nonexistent\n" >>$CONF' 'sed -i "s,^command = .*,command = /bin/true," $CONF'
	cp -a "$T/conf" "$CONF"
}

accounts() {
	seed account_shell 'usermod --shell /bin/bash git' command
	seed account_group 'gpasswd --delete git gltoken' command
	seed account_home 'chown git "$(getent passwd git | cut -d: -f6)"' command
	seed account_home 'chmod 777 "$(getent passwd git | cut -d: -f6)"' command
	seed member_shell 'usermod -aG gltoken alice' command
	seed repo_owner 'chown root /srv/git/demo/hello.git' command
	seed repo_not_served 'mkdir /srv/git/demo/hello' 'rmdir /srv/git/demo/hello'
}

pam() {
	# What the words say, with sed: G puts what H has kept behind the last line.
	seed pam_order 'sed -i "1i auth requisite pam_unix.so" $STACK' \
		'sed -i "/^auth .*pam_unix.so/d" $STACK'
	seed pam_shared_stack 'sed -i "1i auth sufficient pam_gltoken.so" /etc/pam.d/common-auth' \
		'sed -i /pam_gltoken.so/d /etc/pam.d/common-auth'
	seed pam_control 'sed -i -E "s/^(account +)required( +pam_gltoken)/\1sufficient\2/" $STACK' \
		'sed -i -E "s/^(account +)sufficient( +pam_gltoken)/\1required\2/" $STACK'
	seed pam_unlisted 'printf "%s required pam_gltoken.so\n" auth account session >/etc/pam.d/webmail' 'rm /etc/pam.d/webmail'
	seed pam_service 'sed -i "/^session.*pam_gltoken/d" $STACK' command
	seed pam_service 'sed -i "/^account.*pam_gltoken/d" $STACK' command
	seed pam_session_last 'echo "session optional pam_env.so" >>$STACK' 'sed -i "/^session.*pam_gltoken/{H;d}; \$G" $STACK'
	seed pam_delay 'printf "%s\n" "auth required pam_gltoken.so nosession" "auth optional pam_faildelay.so delay=3000000" \
		"account required pam_gltoken.so" >/etc/pam.d/gltoken' 'sed -i /faildelay/d /etc/pam.d/gltoken; rm /etc/pam.d/gltoken'
}

sshd_() {
	local put='put() { printf "%s\n" "$@" | cat - $OWN >$OWN.new; mv $OWN.new $OWN; }; '
	seed sshd_accept_env "$put put 'AcceptEnv LANG GLTOKEN_*'" 'sed -i /GLTOKEN_/d $OWN'
	seed sshd_user_environment "$put put 'PermitUserEnvironment yes'" "line $OWN"
	# sftp and scp are sshd's own then.
	seed sshd_force_command "$put put 'ForceCommand internal-sftp'" "line $OWN"
	seed sshd_forwarding "$put put 'DisableForwarding no' 'AllowTcpForwarding yes' 'PermitTunnel yes'" "line $OWN"
	seed sshd_forwarding "$put put 'AllowAgentForwarding yes'" "line $OWN"
	seed sshd_tty "$put put 'PermitTTY yes'" "line $OWN"
	seed sshd_password "$put put 'PasswordAuthentication no' 'KbdInteractiveAuthentication no'" "line $OWN"
	seed sshd_keys "$put put 'AuthorizedKeysFile .ssh/authorized_keys'" "line $OWN"
	seed sshd_config 'echo NoSuchOption yes >>$OWN' 'sed -i /NoSuchOption/d $OWN'
	seed sshd_service_name 'rm /usr/sbin/sshd-git' command
}

# OpenSSH 9.8 and later know them; where this sshd does not, what it prints has them added.
penalties() {
	local knows=yes
	sshd -T -f "$OWN" -o PerSourcePenalties=yes >/dev/null 2>&1 || knows=no
	if [ $knows = yes ]; then
		seed sshd_penalties 'printf "PerSourcePenalties authfail:5s\n" | cat - $OWN >$OWN.new; mv $OWN.new $OWN' \
			'echo "PerSourcePenaltyExemptList 192.0.2.0/24" | cat - $OWN >$OWN.new; mv $OWN.new $OWN'
		return
	fi
	cat >"$T/sshd" <<-'END'
		#!/bin/sh
		case " $* " in *' -T '*sshd-git*) cat /run/penalties 2>/dev/null ;; esac
		exec /usr/sbin/sshd.real "$@"
	END
	chmod 755 "$T/sshd"
	mv /usr/sbin/sshd /usr/sbin/sshd.real
	cp "$T/sshd" /usr/sbin/sshd
	seed sshd_penalties 'echo "persourcepenalties authfail:5 noauth:1" >/run/penalties' \
		'echo "persourcepenaltyexemptlist 192.0.2.0/24" >>/run/penalties'
	rm /run/penalties
	mv /usr/sbin/sshd.real /usr/sbin/sshd
}

host() {
	seed unit_no_new_privs 'mkdir -p /etc/systemd/system/sshd-git.service.d
		cp /usr/share/doc/gltoken/examples/sshd-git.service /etc/systemd/system/
		printf "[Service]\nNoNewPrivileges=yes\n" >/etc/systemd/system/sshd-git.service.d/x.conf' \
		'sed -i /NoNewPrivileges/d /etc/systemd/system/sshd-git.service.d/x.conf'
	seed authn_socache 'mkdir -p /etc/apache2/conf-enabled; echo AuthnCacheProvideFor pam >/etc/apache2/conf-enabled/zz.conf' \
		'sed -i /AuthnCacheProvideFor/d /etc/apache2/conf-enabled/zz.conf'
	if grep -q gltoken /etc/nsswitch.conf; then
		seed nss_order 'sed -i "s/^passwd:.*/passwd: gltoken files/" /etc/nsswitch.conf' \
			'sed -i "s/^passwd:.*/passwd: files gltoken/" /etc/nsswitch.conf'
		seed nss_lines 'sed -i "s/^group:.*/group: files/" /etc/nsswitch.conf' command
	fi
	seed nscd_groups 'mkdir -p /run/nscd; setsid perl -MIO::Socket::UNIX -e "my \$s = IO::Socket::UNIX->new(Local => q(/run/nscd/socket), Listen => 5);
		open(my \$f, q(>), q(/run/nscd/pid)); print \$f \$\$; close \$f; while (my \$c = \$s->accept) { close \$c }" </dev/null >/dev/null 2>&1 &
		for i in $(seq 400); do [ ! -s /run/nscd/pid ] || break; sleep 0.05; done' \
		'echo "enable-cache group no" >/etc/nscd.conf'
	kill "$(cat /run/nscd/pid)"
	rm -r /etc/nscd.conf /run/nscd
}

store() {
	seed disk_space 'mkdir /run/small; mount -t tmpfs -o size=2m,mode=755 small /run/small; cp -a $STORE /run/small/store
		printf "[store]\ndir = /run/small\n" >>$CONF' 'mount -o remount,size=128m /run/small'
	umount -l /run/small
	cp -a "$T/conf" "$CONF"
	# Processes that hang and keep their places.
	seed store_readers 'install -m 755 $E2E_DIR/hold-readers /usr/local/bin/
		setpriv --reuid gltoken --regid gltoken --clear-groups hold-readers $STORE/store.mdb 800 >/run/holder &
		for i in $(seq 400); do [ ! -s /run/holder ] || break; sleep 0.05; done' \
		'fuser "$STORE/store.mdb" | grep -w "$(cat /run/holder)" && kill "$(cat /run/holder)" &&
		for i in $(seq 400); do fuser -s "$STORE/store.mdb" || break; sleep 0.05; done'
	seed policy_violations 'printf "[policy]\nmax_lifetime = 30d\ndefault_lifetime = 30d\n" >>$CONF' \
		'gltoken policy check --json >/run/broken; for id in $(jq ".[].id" /run/broken); do gltoken expire $id --at +20d; done'
	cp -a "$T/conf" "$CONF"
}

time_() {
	local back="rm -rf $STORE /var/backups/gltoken; cp -a $T/store $STORE"
	cp -a "$STORE" "$T/store"
	AT=+3d seed backup_old true command
	bash -c "$back"
	AT=+15d seed tokens_expiring 'gltoken backup' \
		'for id in $(gltoken list --expires-within 7d --json | jq ".[].id"); do gltoken expire $id --at +20d; done'
	bash -c "$back"
	seed clock_behind 'faketime -f +2d gltoken user block alice' "$back"
}

test_each_seed_is_named_alone_and_mended() {
	SEEDS=0
	examine
	[ -z "$GOT" ] || fail "a host that was just set up: $(outcome)"
	files
	accounts
	pam
	sshd_
	penalties
	host
	store
	time_
	clone_works
	[ "$SEEDS" -ge 45 ] || fail "only $SEEDS seeds"
}

# Of processes that have ended, nobody has to be told: their places are free.
test_dead_readers() {
	setpriv --reuid gltoken --regid gltoken --clear-groups "$E2E_DIR/hold-readers" "$STORE/store.mdb" 800 dead >"$T/holder" &
	await test -s "$T/holder"
	examine
	[[ $GOT != *store_readers* ]] || fail "of dead readers: $(outcome)"
	kill "$(cat "$T/holder")"
}

e2e_main "$@"
