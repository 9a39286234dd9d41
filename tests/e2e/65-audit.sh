#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The audit log: what stands in it, its chain, and the heads that syslog has.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth
STORE=/var/lib/gltoken/store

setup() {
	e2e_host
	new_token --user alice --scope api,self_rotate
	printf '%s' "$TOKEN" >"$E2E_DIR/api"
}

# One request to the helper, a line an argument.
ask() { # ok|run LINE...
	local how=$1 request
	shift
	request=$(printf '%s\n' "$@" '' && echo .)
	INPUT=${request%.} "$how" "$HELPER"
}

# The head that the newest line of the log has, as SEQ:HASH.
last_logged() {
	log_settles
	sed -nE 's/.*event=audit seq=([0-9]+) head=([0-9a-f]{64})$/\1:\2/p' "$SSHD_DIR/syslog" | tail -n 1
}

test_each_change_is_logged() {
	ok gltoken user block bob --reason 'gone fishing'
	logged 'gltoken.*event=audit seq=[0-9]+ head=[0-9a-f]{64}$'
	ok gltoken user unblock bob
	log_settles
	[ "$(log_since | grep -c event=audit)" = 2 ] || fail "not a line a change: $(log_since | grep event=audit)"
	ok gltoken audit verify --head "$(last_logged)"
	says "the last is $(last_logged)\$"
}

test_nothing_is_logged_where_nothing_changes() {
	ok gltoken list
	ok gltoken audit list
	no gltoken user unblock nobody-of-that-name
	quiet event=audit
}

test_a_change_by_a_session_is_logged() {
	ask ok verb=verify "secret=$(cat "$E2E_DIR/api")" account=git service=sshd
	quiet event=audit
	local ticket
	ticket=$(sed -n 's/^ticket=//p' "$T/out")
	ask ok verb=change "ticket=$ticket" action=mint name=by-session scopes=read_repository
	logged 'gltoken-auth.*event=audit seq='
	ok gltoken audit verify --head "$(last_logged)"
	ok gltoken audit list --actor alice --action 'token.*' --json
	[ "$(jq -r '.[-1].actor' "$T/out")" != root ] || fail "not alice's: $(outcome)"
}

# One use is a change of the record.
test_a_use_is_logged() {
	new_token --user alice --scope read_repository --max-uses 2
	log_settles
	LOG_FROM=$(stat -c %s "$SSHD_DIR/syslog")
	client keyboard-interactive "$TOKEN"
	ok ssh_ git@host
	logged 'gltoken-auth.*event=audit seq='
}

test_denials_are_not_stored() {
	local before
	before=$(gltoken audit list --json | jq '.[-1].seq')
	new_token --user alice --scope read_repository
	ok gltoken revoke "$ID"
	client keyboard-interactive "$TOKEN"
	no ssh_ git@host
	no ssh_ git@host
	[ "$(gltoken audit list --json | jq '.[-1].seq')" = $((before + 2)) ] || fail "a denial stands in the audit log"
}

count() { # WANT ARGUMENT...
	local want=$1
	shift
	ok gltoken audit list --json --limit 1000 "$@"
	[ "$(jq length "$T/out")" = "$want" ] || fail "not $want events: $(outcome)"
}

test_filters() {
	ID=$(gltoken issue --user erin --scope read_repository --name filtered --json | jq .id)
	ok gltoken edit "$ID" --pause
	ok gltoken edit "$ID" --resume
	ok gltoken user block erin --reason why
	count 3 --token "$ID"
	count 1 --token "$ID" --action token.pause
	count 2 --token "$ID" --action 'token.[pr]*'
	count 0 --token "$ID" --action token
	count 1 --action user.block --object erin
	count 0 --action user.block --object eri
	count 1 --action user.block --object 'eri?'
	count 3 --token "$ID" --actor root
	count 0 --token "$ID" --actor roo
	count 3 --token "$ID" --since 1h
	count 0 --token "$ID" --until 1h
	count 0 --token "$ID" --since 2099-01-01
	count 3 --token "$ID" --until 2099-01-01
	ok gltoken audit list --limit 1 --csv --noheadings
	[ "$(wc -l <"$T/out")" = 1 ] || fail "not one line: $(outcome)"
	rc 2 gltoken audit list --since yesterday
	rc 2 gltoken audit list --token alice/filtered
	rc 2 gltoken audit list --actor a --actor b
	count 3 --token "$ID" --since +1h
	local option
	for option in --actor --action --object --since --until --token --limit; do
		rc 2 gltoken audit list "$option" ''
		says "$option"
	done
	rc 2 gltoken audit list --since 1h --until 2h
	rc 2 gltoken audit export --until 2026-01-01 --since 2026-01-01
	says 'until is not after --since'
}

test_export() {
	ok gltoken audit export
	cp "$T/out" "$T/export"
	[ "$(jq -s 'map(.seq) == [range(1; length + 1)]' "$T/export")" = true ] || fail "not all, or not in order"
	[ "$(jq -s '[.[1:], .[:-1]] | transpose | all(.[0].previous == .[1].hash)' "$T/export")" = true ] ||
		fail "the hashes do not chain"
	[ "$(wc -l <"$T/export")" = "$(jq -s length "$T/export")" ] || fail "not one object a line"
	ok gltoken audit verify --head "$(jq -rs '.[-1] | "\(.seq):\(.hash)"' "$T/export")" \
		--head "$(jq -rs '.[2] | "\(.seq):\(.hash)"' "$T/export")"
	ok gltoken audit export --action member.set
	[ "$(jq -rs 'map(.action) | unique | join(",")' "$T/out")" = member.set ] || fail "the filter is not used: $(outcome)"
	if grep -q glpat "$T/export"; then fail "a secret stands in the log"; fi
}

test_head_that_does_not_fit() {
	local head
	head=$(last_logged)
	rc 1 gltoken audit verify --head "${head%:*}:$(printf '%064d' 1)"
	says "event ${head%:*} is not the one whose hash was given"
	rc 1 gltoken audit verify --head "$((${head%:*} + 1)):${head#*:}"
	says "event $((${head%:*} + 1)) is missing: the end was cut off"
	rc 1 gltoken audit verify --json --head "$((${head%:*} + 3)):${head#*:}"
	[ "$(jq -c '[.ok, .seq, (.problems | length)]' "$T/out")" = "[false,${head%:*},1]" ] || fail "not so: $(outcome)"
	rc 2 gltoken audit verify --head 17
	rc 2 gltoken audit verify --head "0:$(printf '%064d' 0)"
	rc 2 gltoken audit verify extra
}

# Going back to an older copy of the file, as who owns the store can: the log of the host has seen more.
test_the_file_of_yesterday() {
	cp -a "$STORE" "$T/yesterday"
	ok gltoken user block dave
	local head
	head=$(last_logged)
	cp -a "$STORE" "$T/today"
	rm -rf "$STORE"
	cp -a "$T/yesterday" "$STORE"
	ok gltoken audit verify
	rc 1 gltoken audit verify --head "$head"
	says "event ${head%:*} is missing: the end was cut off"
	rm -rf "$STORE"
	cp -a "$T/today" "$STORE"
	ok gltoken audit verify --head "$head"
}

test_only_root() {
	rc 3 as_dev gltoken audit verify
	rc 3 as_dev gltoken audit export
	[ ! -s "$T/out" ] || fail "it says something: $(outcome)"
}

e2e_main "$@"
