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
	[ "$kinds" = 'git login ref ' ] || fail "it is in $kinds: $(lines)"
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
	lines >"$T/lines"
	[ "$(grep -vc '^{' "$T/lines")" = 0 ] || fail "not all are JSON: $(grep -v '^{' "$T/lines")"
	[ "$(jq -r .event "$T/lines" | sort -u | tr '\n' ' ')" = 'audit backup git login ref ' ] ||
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
