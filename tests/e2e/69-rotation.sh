#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rotation while the old token is in use, and what the old one is worth afterwards.
# shellcheck disable=SC2016 # awk
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth
CONF=/etc/gltoken/gltoken.conf

setup() {
	e2e_host
	e2e_tool same-quick
	gltoken member set demo/hello alice maintainer
}

config() { # LINE...
	printf '%s\n' "$@" >"$CONF"
	chmod 644 "$CONF"
}

# One request to the helper, a line an argument, as sshd does.
ask() { # LINE...
	INPUT=$(printf '%s\n' "$@" '' && echo .)
	if [ "${FAKE-}" ]; then
		clock "$FAKE"
		INPUT=${INPUT%.} run fake "$HELPER"
	else
		INPUT=${INPUT%.} run "$HELPER"
	fi
}

says_reason() { # REASON SECRET
	ask verb=verify "secret=$2" account=git service=sshd rhost=192.0.2.7
	grep -qx "reason=$1" "$T/out" || fail "the reason should be $1: $(outcome)"
}

events() { # ACTION ID
	gltoken audit list --action "$1" --token "$2" --json | jq length
}

# OLD is the secret and OLD_ID the id of a token that was rotated to ID.
rotated() { # OPTION...
	new_token --user alice --scope read_repository,self_rotate --expires 30d
	OLD=$TOKEN OLD_ID=$ID
	ID=$(gltoken rotate "$ID" --json "$@" 2>/dev/null | tee "$T/new" | jq .id)
	TOKEN=$(jq -r .token "$T/new")
}

# ---- under load ----

# Clone again and again, until $T/stop is there, with the secret that client() was given: a line "BEGIN END STATUS"
# each, in microseconds.
clones() { # NAME
	local at rc n=0
	until [ -e "$T/stop" ]; do
		at=${EPOCHREALTIME/./} rc=0 n=$((n + 1))
		git_ clone -q git@host:demo/hello "$T/$1.$n" >>"$T/$1.out" 2>&1 || rc=$?
		echo "$at ${EPOCHREALTIME/./} $rc" >>"$T/clones"
		rm -rf "${T:?}/$1.$n"
	done
}

await_clones() { # N
	for _ in {1..1200}; do
		if [ "$(wc -l <"$T/clones")" -ge "$1" ]; then return 0; fi
		sleep 0.05
	done
	touch "$T/stop"
	fail "no clones in a minute: $(cat "$T/clones" "$T"/*.out)"
}

under_load() { # OPTION...: two loops at once; BEFORE and AFTER are the moments around the rotation
	new_token --user alice --scope read_repository --expires 30d
	client password "$TOKEN"
	: >"$T/clones"
	clones one &
	local one=$!
	clones two &
	local two=$!
	await_clones 4
	BEFORE=${EPOCHREALTIME/./}
	ok gltoken rotate "$ID" "$@"
	AFTER=${EPOCHREALTIME/./}
	await_clones $(($(wc -l <"$T/clones") + 6)) # at most two of them had begun
	touch "$T/stop"
	wait "$one" "$two"
}

count() { # AWK-CONDITION
	awk -v before="$BEFORE" -v after="$AFTER" "$1 { n++ } END { print n + 0 }" "$T/clones"
}

test_with_an_overlap_nothing_fails() {
	under_load --overlap 1h
	[ "$(count '$3 != 0')" = 0 ] || fail "clones failed: $(cat "$T/clones" "$T"/*.out)"
	[ "$(count '$1 > after')" -ge 2 ] || fail "no clone began behind the rotation"
}

test_without_one_the_next_request_fails() {
	under_load
	[ "$(count '$2 < before && $3 != 0')" = 0 ] || fail "clones failed before: $(cat "$T/clones" "$T"/*.out)"
	[ "$(count '$2 < before')" -ge 2 ] || fail "no clone was whole before the rotation"
	[ "$(count '$1 > after && $3 == 0')" = 0 ] || fail "a clone behind the rotation was allowed: $(cat "$T/clones")"
	[ "$(count '$1 > after')" -ge 2 ] || fail "no clone began behind the rotation"
}

test_one_of_many_wins() {
	new_token --user alice --scope read_repository
	local i won=0
	for i in 1 2 3 4; do
		{ timeout 60 gltoken rotate "$ID" >"$T/r.$i" 2>"$T/e.$i" || true; } &
	done
	wait
	for i in 1 2 3 4; do
		if [ -s "$T/r.$i" ]; then
			won=$((won + 1))
		else
			grep -q 'Token already revoked' "$T/e.$i" || fail "$(cat "$T/e.$i")"
		fi
	done
	[ $won = 1 ] || fail "$won rotations won"
}

# ---- the old secret ----

test_reuse_is_told() {
	config
	rotated
	client password "$OLD"
	no ssh_ git@host
	logged "gltoken-auth.*event=reuse token=$OLD_ID next=$ID family=$OLD_ID owner=alice revoked=0 .*rhost=127.0.0.1"
	logged "event=login decision=deny reason=reused token=$OLD_ID"
	[ "$(events token.reuse "$OLD_ID")" = 1 ] || fail "no event"
	# The successor is left alone, and a flood makes no second event.
	says_reason ok "$TOKEN"
	for _ in 1 2 3; do says_reason revoked "$OLD"; done
	[ "$(events token.reuse "$OLD_ID")" = 1 ] || fail "an event each"
	FAKE=+61m says_reason reused "$OLD"
	FAKE=-1h says_reason reused "$OLD"
	ok gltoken audit verify
}

test_no_reuse() {
	config '[policy]' 'reuse = revoke-family'
	rotated --overlap 1h
	says_reason ok "$OLD"
	FAKE=+61m says_reason reused "$OLD"
	rotated
	local wrong
	wrong=${OLD:0:-1}x
	[ "$wrong" != "$OLD" ] || wrong=${OLD:0:-1}y
	says_reason revoked "$wrong"
	# who names it, or looks at it as the administrator, does not present it
	rc 1 gltoken rotate "$OLD_ID"
	says 'Token already revoked'
	rc 1 gltoken edit "$OLD_ID" --name x
	INPUT=$OLD run gltoken identify
	INPUT=$OLD run gltoken revoke --stdin
	INPUT=$OLD run gltoken explain --stdin --op pull --repo demo/hello
	[ "$(events token.reuse "$OLD_ID")" = 0 ] || fail "an event"
	says_reason ok "$TOKEN"
	# nor is a token that was only revoked one that was rotated
	new_token --user alice --scope read_repository
	gltoken revoke "$ID"
	says_reason revoked "$TOKEN"
	[ "$(events token.reuse "$ID")" = 0 ] || fail "an event"
}

test_reuse_revokes_the_family() {
	config '[policy]' 'reuse = revoke-family'
	rotated
	local middle=$ID last
	last=$(gltoken rotate "$ID" --overlap 2h 2>/dev/null)
	client password "$last"
	ok ssh_ git@host
	says_reason reused "$OLD"
	logged "event=reuse token=$OLD_ID next=$middle .*revoked=2 "
	no ssh_ git@host
	says_reason revoked "$last"
	ok gltoken show "$middle"
	says "reuse of token $OLD_ID"
	[ "$(events token.revoke "$((middle + 1))")" = 1 ] || fail "no event of the revocation"
	# all is dead: nothing more happens
	says_reason revoked "$OLD"
	[ "$(events token.reuse "$OLD_ID")" = 1 ] || fail "an event each"
}

test_stricter_within_the_hour() {
	config
	rotated
	says_reason reused "$OLD"
	config '[policy]' 'reuse = revoke-family'
	says_reason reused "$OLD"
	says_reason revoked "$TOKEN"
}

test_over_http() {
	config '[policy]' 'reuse = revoke-family'
	rotated
	ask verb=verify "secret=$OLD" service=http rhost=192.0.2.7 operation=pull repository=demo/hello
	grep -qx reason=reused "$T/out" || fail "$(outcome)"
	logged 'event=reuse .*revoked=1 service=http rhost=192.0.2.7'
	says_reason revoked "$TOKEN"
}

# Sixteen bits tell most wrong secrets from the right one. The others are hashed, and wrong all the same.
test_a_wrong_secret_with_the_right_bits() {
	config '[policy]' 'reuse = revoke-family'
	rotated
	local wrong
	wrong=$(setpriv --reuid gltoken --regid gltoken --clear-groups "$E2E_DIR/same-quick" /var/lib/gltoken/store glpat- <<<"$OLD")
	[ "${wrong:0:12}" = "${OLD:0:12}" ] || fail "another selector: $wrong"
	says_reason revoked "$wrong"
	[ "$(events token.reuse "$OLD_ID")" = 0 ] || fail "an event"
	says_reason ok "$TOKEN"
	says_reason reused "$OLD"
}

# A dead token's wrong secrets must not be a way to keep the host busy.
test_wrong_secrets_cost_no_hash() {
	config '[hash]' 'memory = 262144' 'time = 4'
	rotated
	config
	local from=$SECONDS i
	for i in a b c d e f g h i j; do
		if [ "$i" != "${OLD: -1}" ]; then says_reason revoked "${OLD:0:-1}$i"; fi
	done
	[ $((SECONDS - from)) -lt 8 ] || fail "ten wrong secrets took $((SECONDS - from)) s"
}

# A session that asks to rotate what was rotated long ago: always the whole family, whatever the policy says.
test_rotating_the_rotated() {
	config
	new_token --user alice --scope self_rotate,read_repository
	ask verb=verify "secret=$TOKEN" account=git service=sshd rhost=192.0.2.7
	local ticket old=$ID
	ticket=$(sed -n 's/^ticket=//p' "$T/out")
	TOKEN=$(gltoken rotate "$ID" 2>/dev/null)
	# of two at once one is late, no thief
	ask verb=change "ticket=$ticket" action=rotate target=self
	grep -qx reason=revoked "$T/out" || fail "$(outcome)"
	says_reason ok "$TOKEN"
	[ "$(events token.reuse "$old")" = 0 ] || fail "an event"
	FAKE=+2m ask verb=change "ticket=$ticket" action=rotate target=self
	grep -qx reason=reused "$T/out" || fail "$(outcome)"
	says_reason revoked "$TOKEN"
	logged "event=reuse token=$old .*revoked=1 service=sshd rhost=192.0.2.7"
}

e2e_main "$@"
