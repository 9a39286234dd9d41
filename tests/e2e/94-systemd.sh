#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The units under systemd itself: what their sandboxes leave is enough, and what they are for is done.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/systemd.sh
. "$E2E_LIB/systemd.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth
CONF=/etc/gltoken/gltoken.conf

setup() {
	e2e_host
	mkdir -p /var/backups
	systemd_units
	systemd_start
}

# It is started, ends well, and says so.
runs() { # UNIT
	ok systemctl_ start "gltoken-$1.service"
	[ "$(systemctl_ show -P Result "gltoken-$1.service")" = success ] || fail "$1: $(systemctl_ status "gltoken-$1.service")"
}

test_backup() {
	runs backup
	ok ls /var/backups/gltoken
	says '^gltoken-[0-9TZ]+\.backup$'
	[ "$(stat -c '%U %a' /var/backups/gltoken/*.backup)" = 'root 600' ] || fail "$(ls -l /var/backups/gltoken)"
}

test_reap() {
	new_token --user alice --scope read_repository --expires 1d
	printf '[policy]\nretention_days = 1\n' >"$CONF"
	ok timeout 30 faketime -f +5d gltoken reap --dry-run
	says "Would remove token $ID"
	runs reap
	ok gltoken show "$ID" # it lives
	rm "$CONF"
}

test_notify() {
	printf '[notify]\ncommand = /usr/local/bin/tell\n' >"$CONF"
	printf '#!/bin/sh\ncat >>/run/told\ngrep NoNewPrivs /proc/self/status >>/run/told\n' >/usr/local/bin/tell
	chmod 755 /usr/local/bin/tell
	install -m 666 /dev/null /run/told
	ok timeout 30 faketime -f -10d gltoken issue --user alice --name soon --scope read_repository --expires 12d
	runs notify
	grep -q soon /run/told || fail "nobody was told: $(cat /run/told)"
	grep -q 'NoNewPrivs:.0' /run/told || fail "the command could not become setuid: $(cat /run/told)"
	rm "$CONF"
}

test_sync() {
	new_token --user alice --scope read_repository
	runs sync
	ok gltoken show "$ID"
	usermod -e 1 alice
	runs sync
	ok gltoken user list --json
	[ "$(jq -r '.[] | select(.username == "alice" or .name == "alice") | .state' "$T/out")" = blocked ] || fail "$(outcome)"
	usermod -e '' alice
	runs sync
	ok gltoken user list --json
	[ "$(jq -r '.[] | select(.username == "alice" or .name == "alice") | .state' "$T/out")" = active ] || fail "$(outcome)"
}

test_timers() {
	local u
	for u in backup reap notify sync; do
		ok systemctl_ start "gltoken-$u.timer"
		[ "$(systemctl_ is-active "gltoken-$u.timer")" = active ] || fail "$u: $(systemctl_ status "gltoken-$u.timer")"
		[[ "$(systemctl_ show -P NextElapseUSecRealtime "gltoken-$u.timer")" == *20[2-9][0-9]* ]] ||
			fail "$u is not due: $(systemctl_ show "gltoken-$u.timer")"
		ok systemctl_ stop "gltoken-$u.timer"
	done
}

# Login, session, push and a denial with the helper out of reach: each request is a gltoken-auth@.service.
test_auth_socket() {
	ok systemctl_ start gltoken-auth.socket
	[ "$(stat -c '%U %G %a' /run/gltoken-auth.sock)" = 'root gltoken 660' ] || fail "$(ls -l /run/gltoken-auth.sock)"
	chmod 500 "$HELPER" # systemd may start it, and no account that asks
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	rm -rf /run/gltoken # the first one makes it
	ok git_ clone -q git@host:demo/hello.git "$T/w"
	[ "$(stat -c '%U %a' /run/gltoken)" = 'gltoken 700' ] || fail "$(ls -ld /run/gltoken)"
	commit "$T/w"
	ok git_ -C "$T/w" push -q origin HEAD:by-systemd
	ok gltoken revoke "$ID"
	no git_ ls-remote git@host:demo/hello.git
	logged "event=login decision=deny reason=revoked token=$ID "
	[ "$(systemctl_ show -P NAccepted gltoken-auth.socket)" -ge 6 ] || fail "it did not serve them"
	chmod 4750 "$HELPER"
	ok systemctl_ stop gltoken-auth.socket
	systemctl_ list-units --failed --no-legend >"$T/failed" || true
	[ ! -s "$T/failed" ] || fail "failed: $(cat "$T/failed")"
}

# One process that forks for each question, in the place of the socket unit.
test_auth_service() {
	ok systemctl_ start gltoken-auth.socket
	ok systemctl_ start gltoken-auth.service
	[ "$(systemctl_ is-active gltoken-auth.socket || true)" = inactive ] || fail "both serve one socket"
	await test -S /run/gltoken-auth.sock
	[ "$(stat -c '%U %G %a' /run/gltoken-auth.sock)" = 'root gltoken 660' ] || fail "$(ls -l /run/gltoken-auth.sock)"
	chmod 500 "$HELPER"
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	rm -rf /run/gltoken "$T/w"
	ok git_ clone -q git@host:demo/hello.git "$T/w"
	[ "$(stat -c '%U %a' /run/gltoken)" = 'gltoken 700' ] || fail "$(ls -ld /run/gltoken)"
	commit "$T/w"
	ok git_ -C "$T/w" push -q origin HEAD:by-service
	ok gltoken revoke "$ID"
	no git_ ls-remote git@host:demo/hello.git
	logged "event=login decision=deny reason=revoked token=$ID "
	chmod 4750 "$HELPER"
	ok systemctl_ stop gltoken-auth.service
	[ ! -e /run/gltoken-auth.sock ] || fail "it left its socket behind"
	systemctl_ list-units --failed --no-legend >"$T/failed" || true
	[ ! -s "$T/failed" ] || fail "failed: $(cat "$T/failed")"
}

# FastCGI's records, as a web server sends them.
ask_fcgi() { # NAME=VALUE...
	perl -e '
		my ($sock, @env) = @ARGV;
		use IO::Socket::UNIX;
		sub rec { my ($type, $body) = @_; pack("CCnnCC", 1, $type, 1, length $body, 0, 0) . $body }
		my $params = join "", map { my ($n, $v) = split /=/, $_, 2; pack("CNa*a*", length $n, 0x80000000 | length $v, $n, $v) } @env;
		my $s = IO::Socket::UNIX->new($sock) or die "connect: $!";
		print $s rec(1, pack("nCx5", 1, 0)), rec(4, $params), rec(4, ""), rec(5, "");
		local $/; my $in = <$s>;
		while (length $in >= 8) {
			my (undef, $type, undef, $len, $pad) = unpack "CCnnC", $in;
			print substr($in, 8, $len) if $type == 6;
			$in = substr $in, 8 + $len + $pad;
		}' "$@"
}

test_http_unit() {
	command -v /usr/sbin/fcgiwrap >/dev/null || fail "fcgiwrap is not installed"
	ok systemctl_ start gltoken-http.socket
	[ "$(stat -c '%U %G %a' /run/gltoken-http.sock)" = 'root www-data 660' ] || fail "$(ls -l /run/gltoken-http.sock)"
	new_token --user alice --scope read_repository
	local basic
	basic=$(printf 'x:%s' "$TOKEN" | base64 -w0)
	LIMIT=30 run ask_fcgi /run/gltoken-http.sock GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET SERVER_PROTOCOL=HTTP/1.1 \
		PATH_INFO=/demo/hello.git/info/refs QUERY_STRING=service=git-upload-pack REMOTE_ADDR=192.0.2.9 HTTPS=on \
		SCRIPT_FILENAME=/usr/libexec/gltoken/gltoken-http HTTP_AUTHORIZATION="Basic $basic"
	grep -aq 'refs/heads/main' "$T/out" || fail "no refs: $(outcome)"
	logged "event=git decision=allow .*repository=demo/hello token=$ID .*rhost=192.0.2.9"
	ok systemctl_ stop gltoken-http.socket gltoken-http.service
}

# What setup touches, and what systemd is to start at boot.
host() {
	find /etc/systemd/system /etc/ssh /etc/pam.d /etc/nginx /usr/sbin \( -type f -o -type l \) -printf '%p %u:%g %m %T@ %l\n' | sort
}

test_setup_where_systemd_runs() {
	local before port other unit
	rm -f "$SYSTEMD_UNITS"/sshd-git.service "$SYSTEMD_UNITS"/gltoken-http.*
	systemctl_ daemon-reload
	echo '127.0.0.1 git.test' >>/etc/hosts
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=git.test -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
	ok systemctl_ start nginx
	before=$(host)
	port=$(free_port 21000)
	LIMIT=180 ok under_systemd gltoken setup --yes --ssh own --port "$port" --web nginx --server-name git.test \
		--certificate "$T/cert.pem" --key "$T/key.pem"
	hides 'no systemd here'
	for unit in sshd-git.service gltoken-http.socket; do
		[ "$(systemctl_ is-enabled "$unit") $(systemctl_ is-active "$unit")" = 'enabled active' ] ||
			fail "$unit: $(systemctl_ status "$unit")"
	done
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	sed -i -e "1i Port $port" -e '1i StrictHostKeyChecking no' -e '1i UserKnownHostsFile /dev/null' "$T/ssh_config"
	ok git_ clone -q git@host:demo/hello.git "$T/by-ssh"
	printf '[http]\n\tsslVerify = false\n[credential]\n\thelper = "!f() { echo username=x; echo password=%s; }; f"\n' \
		"$TOKEN" >"$T/gitconfig"
	chown dev: "$T/gitconfig"
	ok git_ -c include.path="$T/gitconfig" clone -q https://git.test/git/demo/hello.git "$T/by-https"
	commit "$T/by-https"
	ok git_ -C "$T/by-https" -c include.path="$T/gitconfig" push -q origin HEAD:by-https
	# Again, with another port: a unit that runs is started anew.
	other=$(free_port 23000)
	sed -i "s/^Port $port\$/Port $other/" "$T/ssh_config"
	LIMIT=180 ok under_systemd gltoken setup --yes --ssh own --port "$other" --web no
	says 'restart sshd-git'
	ok git_ ls-remote git@host:demo/hello.git
	LIMIT=180 ok under_systemd gltoken setup --undo
	says 'as it was before'
	[ "$(host)" = "$before" ] || fail "the host is not as it was: $(diff <(echo "$before") <(host))"
	for unit in sshd-git.service gltoken-http.socket; do
		[ "$(systemctl_ is-active "$unit")" != active ] || fail "$unit runs"
	done
	[ "$(systemctl_ is-active nginx)" = active ] || fail "nginx does not run"
	ok systemctl_ stop nginx
}

main_pid() {
	systemctl_ show -P MainPID ssh.service
}

knocks() { # METHOD SECRET COMMAND...
	client "$1" "$2" "Port $PORT" 'StrictHostKeyChecking no' "UserKnownHostsFile $T/known"
	"${@:3}"
}

# The sshd by which the host is administered: it is reloaded, and a session that is open there goes on.
test_setup_of_the_main_sshd() {
	local before pid session
	PORT=$(free_port 21000)
	printf 'Port %s\nListenAddress 127.0.0.1\n' "$PORT" >/etc/ssh/sshd_config.d/50-port.conf
	: >"$T/known"
	chown dev: "$T/known"
	echo 'alice:unix password' | chpasswd
	ok systemctl_ start ssh.service
	before=$(host; sha256sum /etc/pam.d/* /etc/ssh/sshd_config.d/*)
	pid=$(main_pid)
	LIMIT=170 knocks password 'unix password' ssh_ alice@host 'until [ -e /tmp/e2e/go-on ]; do sleep 0.1; done; echo still here' \
		>"$T/session" 2>&1 &
	session=$!
	await pgrep -u alice -f go-on

	LIMIT=180 rc 1 under_systemd gltoken setup --yes --ssh main
	LIMIT=180 ok under_systemd gltoken setup --yes --ssh main --pam-sshd
	says 'reload sshd'
	[ "$(main_pid)" = "$pid" ] || fail "sshd was started anew"
	new_token --user alice --scope write_repository
	ok knocks password "$TOKEN" git_ clone -q git@host:demo/hello.git "$T/copy"
	commit "$T/copy"
	ok git_ -C "$T/copy" push -q origin HEAD:by-the-main-sshd
	no ssh_ alice@host 'echo a shell'
	no knocks keyboard-interactive "$TOKEN" ssh_ git@host 'echo a shell'
	hides '^a shell'
	ok knocks password 'unix password' ssh_ alice@host 'echo a shell'
	says '^a shell$'

	LIMIT=180 ok under_systemd gltoken setup --undo
	says 'as it was before'
	[ "$(host; sha256sum /etc/pam.d/* /etc/ssh/sshd_config.d/*)" = "$before" ] || fail "the host is not as it was: $(host)"
	[ "$(main_pid) $(systemctl_ is-active ssh.service)" = "$pid active" ] || fail "$(systemctl_ status ssh.service)"
	no knocks password "$TOKEN" git_ ls-remote git@host:demo/hello.git
	ok knocks password 'unix password' ssh_ alice@host 'echo a shell'
	touch /tmp/e2e/go-on
	wait "$session" || fail "the session was ended: $(cat "$T/session")"
	grep -q '^still here$' "$T/session" || fail "the session was ended: $(cat "$T/session")"
	ok systemctl_ stop ssh.service
	rm /etc/ssh/sshd_config.d/50-port.conf
}

e2e_main "$@"
