#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Other times: the clock of gltoken and of the helper that a real sshd asks is set to them.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	clock +0
	E2E_SOCKET=yes E2E_CLOCK=yes e2e_host
}

issue() { # OPTION...: as new_token, at the time of the clock
	fake gltoken issue --json --name "t-$RANDOM$RANDOM" --scope read_repository "$@" >"$T/json" ||
		fail "gltoken issue $*"
	TOKEN=$(jq -r .token "$T/json") ID=$(jq -r .id "$T/json")
}

is() { # FIELD VALUE: of what was issued last
	[ "$(jq -r "$1" "$T/json")" = "$2" ] || fail "$1 is not $2: $(jq 'del(.token)' "$T/json")"
}

# May the token log in and clone at that time?
works() { # WHEN
	clock "$1"
	client password "$TOKEN"
	ok git_ clone -q git@host:demo/hello "$T/c"
	rm -rf "$T/c"
}

fails() { # WHEN REASON
	clock "$1"
	client password "$TOKEN"
	LOG_FROM=$(stat -c %s "$SSHD_DIR/syslog")
	no ssh_ git@host
	logged "decision=deny reason=$2 token=$ID"
}

test_a_date_is_midnight_utc_on_it() {
	clock '2026-12-30 12:00:00'
	local zone
	for zone in UTC Pacific/Auckland America/Los_Angeles; do
		TZ=$zone issue --user alice --expires 2026-12-31
		is .expires_at 2026-12-31T00:00:00Z
		is .created_at "$(jq -r .created_at "$T/json" | grep -x '2026-12-30T12:00:0[0-9]Z')"
	done
	works '2026-12-30 23:59:30'
	fails '2026-12-31 00:00:00' expired
	# over midnight itself, with nothing done in between
	issue --user alice --expires 2027-01-02
	works '2027-01-01 23:59:50'
	for _ in {1..200}; do
		if [ "$(fake date +%d)" = 02 ]; then break; fi
		sleep 0.05
	done
	LOG_FROM=$(stat -c %s "$SSHD_DIR/syslog")
	no ssh_ git@host
	logged "reason=expired token=$ID"
	rc 2 fake gltoken issue --user alice --name today --scope api --expires 2027-01-02
	says 'lies in the past'
}

# Times are kept and compared without it; people are shown UTC then.
test_without_local_time() {
	ok gltoken issue --user alice --name nowhen --scope read_repository --expires 2d
	TZ='' ok gltoken list
	cp "$T/out" "$T/with"
	if [ -e /etc/localtime ] || [ -L /etc/localtime ]; then mv /etc/localtime "$T/localtime"; fi
	run env -u TZ gltoken list
	[ "$RC" = 0 ] || fail "$(outcome)"
	cmp -s "$T/out" "$T/with" || fail "other times: $(diff "$T/out" "$T/with")"
	new_token --user alice --scope read_repository
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello
	if [ -e "$T/localtime" ] || [ -L "$T/localtime" ]; then mv "$T/localtime" /etc/localtime; fi
}

test_leap_day() {
	clock '2028-01-30 12:00:00'
	issue --user alice --expires 30d
	is .expires_at "$(jq -r .expires_at "$T/json" | grep -x '2028-02-29T12:00:0[0-9]Z')"
	issue --user alice --expires 2028-02-29
	is .expires_at 2028-02-29T00:00:00Z
	works '2028-02-28 23:59:30'
	fails '2028-02-29 00:00:00' expired
	issue --user alice --not-before 2028-03-01 --expires 365d
	fails '2028-02-29 23:59:30' not_yet_valid
	works '2028-03-01 00:00:00'
	works '2029-02-27 23:59:30'
	fails '2029-02-28 00:00:30' expired
	clock '2027-02-01 12:00:00'
	rc 2 fake gltoken issue --user alice --name none --scope api --expires 2027-02-29
	says "--expires '2027-02-29': must be a date"
}

test_2038() {
	clock '2038-01-01 00:00:00'
	issue --user alice --expires 30d
	works '2038-01-19 03:14:00'
	works '2038-01-19 03:14:08'
	ok fake gltoken show "$ID" --json
	jq -r '.last_used_at, .expires_at' "$T/out" >"$T/times"
	grep -q '^2038-01-19T03:1' "$T/times" || fail "the use: $(cat "$T/times")"
	grep -q '^2038-01-31T00:00' "$T/times" || fail "the end: $(cat "$T/times")"
	works '2038-01-30 23:59:30'
	fails '2038-01-31 00:00:30' expired
	clock '2038-02-01 00:00:00'
	issue --user alice --expires 2038-03-01
	ok fake gltoken rotate "$ID" --overlap 1h --keep-lifetime --json
	[ "$(jq -r .created_at "$T/out" | cut -c1-13)" = 2038-02-01T00 ] || fail "$(outcome)"
	works '2038-02-01 00:59:00'
	fails '2038-02-01 01:01:00' reused
	ok fake gltoken audit list --since 2038-01-19 --json
	[ "$(jq -r '.[-1].at' "$T/out" | cut -c1-10)" = 2038-02-01 ] || fail "$(outcome)"
	ok fake gltoken check
}

# No leap year.
test_2100() {
	clock '2100-02-28 12:00:00'
	rc 2 fake gltoken issue --user alice --name none --scope api --expires 2100-02-29
	issue --user alice --expires 1d
	is .expires_at "$(jq -r .expires_at "$T/json" | grep -x '2100-03-01T12:00:0[0-9]Z')"
	issue --user alice --expires 2100-03-01
	works '2100-02-28 23:59:30'
	fails '2100-03-01 00:00:00' expired
	clock '2106-02-07 06:28:00' # 32 bits without a sign are full 16 s later
	issue --user alice --expires 1h
	works '2106-02-07 06:28:30'
	fails '2106-02-07 07:28:30' expired
	clock '2100-03-01 00:00:00'
	ok fake gltoken list --expires-within 365d
	ok fake gltoken check
	ok fake gltoken audit verify
}

# What was issued goes on working, what was to come is still to come, and what was ended stays so.
test_a_clock_set_back() {
	clock +0
	issue --user alice --expires 30d
	works -1d
	works -400d
	issue --user alice --expires 30d --not-before "$(date -u -d '-399 days' +%F)"
	fails -400d not_yet_valid
	clock +0
	issue --user alice --expires 30d
	works +0
	fake gltoken revoke "$ID"
	fails -1d revoked # though its secret was verified a moment ago
	issue --user alice
	works +0
	fake gltoken user block alice
	fails -1d owner_blocked
	fake gltoken user unblock alice
	works -1d
	ok fake gltoken audit verify
	# One that expired is good again while the clock says so: there is no other.
	clock '2027-06-01 00:00:00'
	issue --user alice --expires 1h
	fails '2027-06-01 02:00:00' expired
	works '2027-06-01 00:30:00'
}

# A session lives by the time since boot, which nobody sets.
test_a_clock_that_jumps_in_a_session() {
	clock +0
	issue --user alice --expires 300d
	local ticket jump
	ask() {
		INPUT=$(printf '%s\n' "$@" '' && echo .)
		INPUT=${INPUT%.} run fake socat -t 20 - UNIX-CONNECT:/run/gltoken-auth.sock
	}
	ask verb=verify "secret=$TOKEN" account=git service=sshd rhost=127.0.0.1
	ticket=$(sed -n 's/^ticket=//p' "$T/out")
	for jump in +299d -299d -20000d; do
		clock $jump
		ask verb=authorize "ticket=$ticket" operation=pull repository=demo/hello
		grep -qx verdict=allow "$T/out" || fail "after $jump: $(outcome)"
	done
	clock +301d
	ask verb=authorize "ticket=$ticket" operation=pull repository=demo/hello
	grep -qx reason=expired "$T/out" || fail "$(outcome)"
}

e2e_main "$@"
