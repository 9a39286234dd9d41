#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The log: one session id from login to ref, and [log] format = json.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

CONF=/etc/gltoken/gltoken.conf

setup() {
	e2e_host
}

# Clone and push, so that every kind of line is written.
work() {
	new_token --user alice --scope write_repository
	client keyboard-interactive "$TOKEN"
	local tree=$T/w.$RANDOM
	work_tree "$tree"
	ok git_ -C "$tree" push -q origin "HEAD:refs/heads/b-$RANDOM$RANDOM"
	logged 'event.*ref.*decision.*allow'
}

# The lines of gltoken's programs since the test began, without what syslog puts before them.
lines() {
	log_since | grep -oE '(\{"event":|event=).*$'
}

test_one_session() {
	work
	local session kinds
	session=$(lines | sed -nE 's/^event=login decision=allow.* session=([0-9a-f]{12})$/\1/p' | tail -n 1)
	[ -n "$session" ] || fail "the login has none: $(lines)"
	kinds=$(lines | grep -F "session=$session" | sed -E 's/^event=([a-z]+) .*/\1/' | sort -u | tr '\n' ' ')
	[ "$kinds" = 'git login ref transfer ' ] || fail "it is in $kinds: $(lines)"
	# Another login is another session, and nobody can tell the ticket from it.
	work
	[ "$(lines | sed -nE 's/^event=login decision=allow.* session=([0-9a-f]{12})$/\1/p' | sort -u | wc -l)" = 2 ] ||
		fail "two logins share one: $(lines)"
}

test_session_of_a_key() {
	local key session
	key=$(new_key)
	ok gltoken key add alice "$key.pub"
	client publickey "$key"
	ok ssh_ git@host
	logged 'event=git .*session='
	session=$(lines | sed -nE 's/^event=session decision=allow.* session=([0-9a-f]{12})$/\1/p')
	[ -n "$session" ] || fail "the session has none: $(lines)"
	lines | grep -qE "^event=git .*operation=login.* session=$session\$" || fail "the shell has another: $(lines)"
}

# So many of the lines in FILE count for fail2ban.
banned() { # N FILE
	command -v fail2ban-regex >/dev/null || return 0
	cp -r "$SHIPPED/fail2ban/." /etc/fail2ban/
	sed 's/^/Nov 24 13:00:00 host gltoken[7]: /' "$2" >"$T/auth.log"
	ok fail2ban-regex "$T/auth.log" /etc/fail2ban/filter.d/gltoken.conf
	says "^Lines: [0-9]+ lines, 0 ignored, $1 matched,"
}

# A value cannot look like a line of another format.
test_no_line_in_a_line() {
	printf '[log]\nformat = json\n' >"$CONF"
	new_token --user alice --scope write_repository
	client keyboard-interactive "$TOKEN"
	no ssh_ git@host 'x event=login decision=deny reason=wrong_secret rhost=192.0.2.99 '
	logged disallowed_command
	rm "$CONF"
	no ssh_ git@host 'x {"event":"login","decision":"deny","reason":"wrong_secret","rhost":"192.0.2.99"}'
	lines | grep disallowed_command >"$T/lines"
	[ "$(wc -l <"$T/lines")" = 2 ] || fail "$(cat "$T/lines")"
	banned 0 "$T/lines"
}

# Of a pull the very bytes of the pack that the client has; of a push those of the pack that the host has.
transferred() { # OPERATION PACK
	local size
	size=$(stat -c %s "$2") || fail "no pack: $2"
	logged "event=transfer operation=$1 bytes=$size complete=yes( wants=[0-9]+ refs=(\"[^\"]*\"|\S+))? repository=demo/hello token=$ID owner=alice via=ssh rhost=127.0.0.1 session=[0-9a-f]{12}\$"
}

test_bytes() {
	new_token --user alice --scope write_repository
	client keyboard-interactive "$TOKEN"
	ok git_ clone -q --bare git@host:demo/hello "$T/c"
	transferred pull "$T"/c/objects/pack/*.pack
	[ "$(lines | grep -c event=transfer)" = 1 ] || fail "$(lines)"
	ok git_ -C "$T/c" fetch -q origin # nothing is sent
	ok git_ ls-remote git@host:demo/hello
	[ "$(lines | grep -c event=transfer)" = 1 ] || fail "a line without a transfer: $(lines)"
	runuser -u git -- git config -f /srv/git/demo/hello.git/config receive.unpackLimit 1
	touch -d '1 minute ago' /srv/git/demo/hello.git/objects/pack/*.pack
	touch "$T/mark"
	git_ init -q "$T/new"
	commit "$T/new"
	ok git_ -C "$T/new" push -q git@host:demo/hello "HEAD:refs/heads/new-$RANDOM"
	transferred push "$(find /srv/git/demo/hello.git/objects/pack -name '*.pack' -newer "$T/mark")"
	runuser -u git -- git config -f /srv/git/demo/hello.git/config --unset receive.unpackLimit
}

# The names that have what was asked for at their tip, wherever git keeps them, and no others.
test_refs_of_a_fetch() {
	local bare=/srv/git/demo/hello.git
	new_token --user alice --scope write_repository
	client keyboard-interactive "$TOKEN"
	work_tree "$T/w"
	ok git_ -C "$T/w" push -q origin HEAD:refs/heads/packed HEAD:refs/heads/both HEAD:refs/tags/v1
	server_git demo/hello pack-refs --all
	grep -q refs/heads/both $bare/packed-refs || fail "nothing is packed"
	commit "$T/w"
	ok git_ -C "$T/w" push -q origin HEAD:refs/heads/both HEAD:refs/heads/loose/one
	git_ init -q "$T/c"
	ok git_ -C "$T/c" fetch -q git@host:demo/hello refs/heads/packed
	logged 'event=transfer operation=pull .* wants=1 refs="refs/heads/packed refs/tags/v1" repository=demo/hello'
	ok git_ -C "$T/c" fetch -q git@host:demo/hello refs/heads/loose/one
	logged 'event=transfer operation=pull .* wants=1 refs="refs/heads/(both refs/heads/loose/one|loose/one refs/heads/both)" repo'
	ok git_ clone -q --no-local git@host:demo/hello "$T/all"
	logged 'event=transfer operation=pull .* wants=[2-9][0-9]* refs="refs/[^"]*refs/heads/packed[^"]*" repository=demo/hello'
	ok git_ clone -q --depth 1 -b packed git@host:demo/hello "$T/shallow"
	ok git_ -C "$T/shallow" fetch -q --unshallow origin
	ok git_ -C "$T/shallow" fsck
	server_git demo/hello update-ref -d refs/heads/both
	server_git demo/hello update-ref -d refs/heads/loose/one
	server_git demo/hello update-ref -d refs/heads/packed
	server_git demo/hello update-ref -d refs/tags/v1
}

# What the administrator has put there is run all the same.
test_pack_hook_of_the_host() {
	# shellcheck disable=SC2016 # the hook's own
	printf '#!/bin/sh\necho "$#" >>"$HOME/seen"\nexec "$@"\n' >/usr/local/bin/pack-hook
	chmod 755 /usr/local/bin/pack-hook
	local home i
	home=$(getent passwd git | cut -d: -f6)
	install -m 666 /dev/null "$home/seen"
	git config --system uploadpack.packObjectsHook '/usr/local/bin/pack-hook'
	new_token --user alice --scope write_repository
	client keyboard-interactive "$TOKEN"
	ok git_ clone -q --bare git@host:demo/hello "$T/c"
	transferred pull "$T"/c/objects/pack/*.pack
	[ -s "$home/seen" ] || fail "the host's own hook was not run"
	git config --system uploadpack.packObjectsHook /nonexistent/hook
	no git_ clone -q --bare git@host:demo/hello "$T/d"
	logged 'event=transfer operation=pull bytes=0 complete=no'
	# one that is too long to be looked through is git's to read
	sed -i 's,/nonexistent/hook,/usr/local/bin/pack-hook,' /etc/gitconfig
	: >"$home/seen"
	for ((i = 0; i < 400; i++)); do echo "# $(printf '%060d' "$i")"; done >>/etc/gitconfig
	ok git_ clone -q --bare git@host:demo/hello "$T/e"
	[ -s "$home/seen" ] || fail "the host's own hook was not run"
	sed -i '/^# 0/d' /etc/gitconfig
	git config --system --unset uploadpack.packObjectsHook
	rm "$home/seen"
}

test_json() {
	printf '[log]\nformat = json\n' >"$CONF"
	work
	client keyboard-interactive "${TOKEN%????}AAAA"
	no ssh_ git@host
	logged 'wrong_secret'
	client keyboard-interactive "$TOKEN"
	no ssh_ git@host 'rm "-rf" \ /'
	logged disallowed_command
	ok gltoken revoke "$ID"
	ok gltoken backup "$T/b"
	mv "$CONF" "$T/conf" # what counts now is not valid; the copy is, and it says json
	printf '[log]\nformat = xml\n' >"$CONF"
	no ssh_ git@host
	logged '"event":"config"'
	mv "$T/conf" "$CONF"
	lines >"$T/lines"
	[ "$(grep -vc '^{' "$T/lines")" = 0 ] || fail "not all are JSON: $(grep -v '^{' "$T/lines")"
	[ "$(jq -r .event "$T/lines" | sort -u | tr '\n' ' ')" = 'audit backup config git login ref transfer ' ] ||
		fail "other events: $(cat "$T/lines")"
	[ "$(jq -rs '[.[] | select(.event == "git" and .operation == "push")][0] | [.decision, .reason, .repository, .owner,
		.account, .service, .rhost] | join(" ")' "$T/lines")" = 'allow ok demo/hello alice git sshd 127.0.0.1' ] ||
		fail "$(cat "$T/lines")"
	[ "$(jq -rs '[.[] | select(.event == "ref")] | map(.session) | unique | length' "$T/lines")" = 1 ] ||
		fail "$(cat "$T/lines")"
	[ "$(jq -rs '[.[] | select(.reason == "disallowed_command")][0].command' "$T/lines")" = 'rm \x22-rf\x22 \x5c /' ] ||
		fail "$(cat "$T/lines")"
	banned 1 "$T/lines"
	ok gltoken audit verify --head "$(jq -rs '[.[] | select(.event == "audit")][-1] | .seq + ":" + .head' "$T/lines")"
	rm "$CONF"
}

e2e_main "$@"
