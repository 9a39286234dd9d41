#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# gltoken-auth behind its socket: for services without privilege, with the peer as the caller.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth
SOCKET=/run/gltoken-auth.sock

setup() {
	e2e_host
	setsid "$HELPER" --listen >/dev/null 2>"$E2E_DIR/listen.err" </dev/null &
	await_socket "$SOCKET"
}

await_socket() { # PATH
	await test -S "$1"
}

# The Git shell of account git with a ticket, as sshd starts it, but unable to raise privilege.
without_privilege() { # TICKET
	INPUT=0000 run setpriv --no-new-privs --reuid git --regid git --init-groups env -i GLTOKEN_SESSION="$1" PATH="$PATH" \
		HOME=/ gltoken-shell -c "git-upload-pack 'demo/hello'"
}

ticket() {
	printf '%s\n' verb=verify "secret=$TOKEN" account=git service=sshd rhost=192.0.2.1 '' | timeout 30 "$HELPER" |
		sed -n 's/^ticket=//p'
}

test_whole_way_through_the_socket() {
	local method
	# neither sshd nor the shell can run the helper now
	chmod 0 "$HELPER"
	new_token --user alice --scope write_repository
	for method in password keyboard-interactive; do
		client "$method" "$TOKEN"
		ok git_ clone -q git@host:demo/hello.git "$T/$method"
		commit "$T/$method"
		ok git_ -C "$T/$method" push -q origin "HEAD:by-$method"
	done
	ok gltoken revoke "$ID"
	no git_ ls-remote git@host:demo/hello.git
	logged "event=login decision=deny reason=revoked token=$ID "
	chmod 4750 "$HELPER"
}

test_no_new_privileges() {
	new_token --user alice --scope read_repository
	local t
	t=$(ticket)
	without_privilege "$t"
	grep -aq refs/heads "$T/out" || fail "the socket should serve it: $(outcome)"
	mv "$SOCKET" "$SOCKET.away"
	without_privilege "$t"
	[ "$RC" != 0 ] || fail "should be refused: $(outcome)"
	logged 'NoNewPrivileges or nosuid'
	mv "$SOCKET.away" "$SOCKET"
}

test_peer_is_the_caller() {
	new_token --user alice --scope read_repository
	local t
	t=$(ticket)
	[ -n "$t" ] || fail "no ticket"
	# dev is nobody here: may not connect at all
	no setpriv --reuid dev --regid dev --init-groups socat -u /dev/null "UNIX-CONNECT:$SOCKET"
	# alice may ask, but git's session is not hers, and what she says of address and account is not believed
	ask_as() {
		INPUT=$(printf '%s\n' "${@:2}" '' && echo .)
		INPUT=${INPUT%.} run setpriv --reuid "$1" --regid "$1" --groups "$(getent group gltoken | cut -d: -f3)" \
			socat -t 20 - "UNIX-CONNECT:$SOCKET"
	}
	ask_as alice verb=authorize "ticket=$t" operation=login account=git
	grep -qx reason=bad_ticket "$T/out" || fail "should be refused: $(outcome)"
	ask_as alice verb=verify "secret=$TOKEN" account=alice service=sshd rhost=192.0.2.1
	hides '^ticket='
	ask_as git verb=authorize "ticket=$t" operation=login
	grep -qx verdict=allow "$T/out" || fail "git may: $(outcome)"
}

held() { # N
	[ "$(pgrep -c -u gltoken -x gltoken-auth)" -gt "$1" ]
}

none_held() {
	! held 19
}

# Who connects and says nothing neither keeps root's questions out nor stays for long.
test_silent_peers() {
	local from
	new_token --user alice --scope read_repository
	# shellcheck disable=SC2016 # perl's own
	setpriv --reuid git --regid git --init-groups perl -MIO::Socket::UNIX -e '
		push @all, IO::Socket::UNIX->new(Peer => $ARGV[0]) for 1 .. 300;
		print "open\n"; close STDOUT; sleep 60' "$SOCKET" >"$T/flood" &
	local flood=$!
	await held 200
	from=$SECONDS
	INPUT=$(printf '%s\n' verb=verify "secret=$TOKEN" account=git service=sshd rhost=192.0.2.1 '' && echo .)
	INPUT=${INPUT%.} run socat -t 20 - "UNIX-CONNECT:$SOCKET"
	grep -qx verdict=allow "$T/out" || fail "root finds no place: $(outcome)"
	[ $((SECONDS - from)) -lt 3 ] || fail "root waited $((SECONDS - from)) s"
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
	[ $((SECONDS - from)) -lt 10 ] || fail "it took $((SECONDS - from)) s"
	await none_held
	kill "$flood"
}

test_arguments_are_roots() {
	local a
	for a in --listen --peer --help x; do
		rc 2 setpriv --reuid git --regid git --init-groups "$HELPER" "$a"
	done
	rc 2 "$HELPER" --nonsense
	# stdin that is no socket
	rc 2 "$HELPER" --peer
}

test_dead_and_foreign_sockets() {
	new_token --user alice --scope read_repository
	client password "$TOKEN"
	mv "$SOCKET" "$SOCKET.away"
	# nobody listens
	socat "UNIX-LISTEN:$SOCKET" /dev/null &
	await_socket "$SOCKET"
	kill -KILL $!
	[ -S "$SOCKET" ] || fail "no dead socket"
	ok git_ ls-remote git@host:demo/hello.git
	rm "$SOCKET"
	# somebody else listens, and would say yes
	setpriv --reuid dev --regid dev --init-groups socat "UNIX-LISTEN:$T/liar,fork,mode=666" \
		'SYSTEM:printf "reason=ok\nverdict=allow\n"' &
	local liar=$!
	await_socket "$T/liar"
	mv "$T/liar" "$SOCKET"
	client password "${TOKEN%?????}00000"
	no git_ ls-remote git@host:demo/hello.git
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
	kill "$liar"
	rm -f "$SOCKET"
	# one that ends at once, as a service that cannot start
	socat "UNIX-LISTEN:$SOCKET,fork" EXEC:/bin/true &
	liar=$!
	await_socket "$SOCKET"
	ok git_ ls-remote git@host:demo/hello.git
	# and when both fail the log names both
	chmod 0 "$HELPER"
	no git_ ls-remote git@host:demo/hello.git
	logged 'gltoken-auth.*gltoken-auth.sock: no answer'
	chmod 4750 "$HELPER"
	kill "$liar"
	rm -f "$SOCKET"
	mv "$SOCKET.away" "$SOCKET"
}

e2e_main "$@"
