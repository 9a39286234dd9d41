#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What happens around a token's end: listed before it, and removed long after it.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

CONF=/etc/gltoken/gltoken.conf

setup() {
	e2e_host
}

# The clock of gltoken alone, so many days ahead.
later() { # DAYS ARG...
	local days=$1
	shift
	timeout 30 faketime -f "+${days}d" gltoken "$@"
}

# Configuration lines, one section: LINE...
configure() { # SECTION LINE...
	local section=$1
	shift
	printf '%s\n' "[$section]" "$@" >"$CONF"
}

ids() {
	jq -c '[.[].id]' "$T/out"
}

test_list_expires_within() {
	local near far
	new_token --user erin --scope read_repository --expires 3d
	near=$ID
	new_token --user erin --scope read_repository --expires 40d
	far=$ID
	ok gltoken list --expires-within 7d --json
	[ "$(ids)" = "[$near]" ] || fail "not the near one: $(outcome)"
	ok gltoken list --expires-within 60d --json --user erin
	[ "$(ids)" = "[$near,$far]" ] || fail "not both: $(outcome)"
	ok gltoken revoke "$near"
	ok gltoken list --expires-within 7d --json
	[ "$(ids)" = '[]' ] || fail "a revoked one: $(outcome)"
	rc 2 gltoken list --expires-within soon
	says "'soon'"
	ok gltoken revoke "$far"
}

test_reap() {
	ok later 40 reap
	local dead live robot events
	new_token --user dave --scope read_repository --expires 2d
	dead=$ID
	new_token --user dave --scope read_repository --expires 100d
	live=$ID
	new_token --deploy demo/hello --scope read_repository --expires 2d
	robot=$(gltoken show "$ID" --json | jq -r .user)
	events=$(gltoken audit list --json | jq '.[-1].seq')
	ok gltoken reap
	says '^0 tokens removed'
	ok later 31 reap --dry-run
	says '^0 tokens to remove'
	ok later 33 reap --dry-run
	says "Would remove token $dead \(personal token 't-.*' of dave\): expired since"
	[ "$(gltoken audit list --json | jq '.[-1].seq')" = "$events" ] || fail "a dry run changed something"
	ok later 33 reap
	says "Removed token $ID \(deploy token .* of demo/hello\): expired since .*, and with it ${robot/+/.}\."
	says '1 accounts of bots'
	rc 1 gltoken show "$dead"
	ok gltoken show "$live"
	ok gltoken check
	ok gltoken audit verify
	ok gltoken audit list --token "$dead" --action token.reap --json
	[ "$(jq -r '.[0] | [.object, .after, (.reason | startswith("expired since "))] | tostring' "$T/out")" = '["dave",null,true]' ] ||
		fail "not so: $(outcome)"
	# Whoever presents it is told what everybody with a wrong secret is told.
	client keyboard-interactive "$TOKEN"
	no ssh_ git@host
	logged "event=login decision=deny reason=unknown_token"
}

test_reap_json() {
	ok later 40 reap
	new_token --user bob --scope read_repository --expires 50d
	ok gltoken revoke "$ID" --reason over
	ok later 31 reap --json
	[ "$(jq -c '[.[] | [.id, .state, (.died_at | length)]]' "$T/out")" = "[[$ID,\"revoked\",20]]" ] || fail "not so: $(outcome)"
	ok later 31 reap --json
	[ "$(ids)" = '[]' ] || fail "again: $(outcome)"
}

test_retention() {
	ok later 40 reap
	new_token --user bob --scope read_repository --expires 50d
	ok gltoken revoke "$ID"
	configure policy 'retention_days = 0'
	ok later 400 reap
	says 'Nothing is removed: \[policy\] retention_days = 0'
	configure policy 'retention_days = 100'
	ok later 99 reap
	says '^0 tokens removed'
	ok later 101 reap
	says "Removed token $ID "
	configure policy 'retention_days = 30d'
	rc 3 gltoken reap
	says "retention_days: '30d' must be a number"
	rm "$CONF"
	rc 2 gltoken reap 7
	rc 3 as_dev gltoken reap
}

# A backup from before: what was removed since does not come back to life.
test_restore_after_reap() {
	new_token --user bob --scope read_repository --expires 2d
	ok gltoken backup "$T/b"
	ok later 40 reap
	gltoken audit export >"$T/audit"
	ok gltoken restore "$T/b" --force --replay-audit "$T/audit"
	says "$ID +bob/.* revoked +removed after the backup, for it was dead"
	ok gltoken show "$ID" --json
	[ "$(jq -r '.state' "$T/out")" = revoked ] || fail "it is back: $(outcome)"
	says 'revoked_why": "expired since'
}

e2e_main "$@"
