#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Argon2's parameters: found for a machine by gltoken tune, and brought into old records at a good verification.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth
CONF=/etc/gltoken/gltoken.conf

setup() {
	e2e_host
}

verify() { # SECRET [LINE]...
	INPUT=$(printf '%s\n' verb=verify "secret=$1" account=git service=sshd rhost=192.0.2.1 "${@:2}" '' && echo .)
	INPUT=${INPUT%.} run "$HELPER"
}

allowed() {
	verify "$TOKEN"
	grep -qx verdict=allow "$T/out" || fail "should be allowed: $(outcome)"
}

hash_config() { # [LINE]...
	sed -i '/^\[hash\]$/,/^$/d' "$CONF"
	if [ $# -gt 0 ]; then printf '\n[hash]\n%s\n\n' "$(printf '%s\n' "$@")" >>"$CONF"; fi
}

rehashed() { # how often the audit log says so
	gltoken audit list --token "$ID" --action token.rehash --json | jq length
}

expect_rehashes() { # N
	[ "$(rehashed)" = "$1" ] || fail "token $ID should have been hashed anew $1 times: $(rehashed)"
}

test_new_parameters_reach_old_tokens() {
	hash_config 'memory = 8192' 'time = 1'
	new_token --user alice --scope read_repository
	allowed
	expect_rehashes 0
	hash_config 'memory = 9216' 'time = 2'
	allowed # from the cache: no hash, so none anew
	expect_rehashes 0
	rm -f /run/gltoken/cache
	verify "${TOKEN%?}$([[ $TOKEN = *a ]] && echo b || echo a)"
	grep -qx verdict=deny "$T/out" || fail "a wrong secret: $(outcome)"
	expect_rehashes 0
	allowed
	expect_rehashes 1
	# the new record verifies, is cached as such, and is left alone from now on
	INPUT=$(printf '%s\n' verb=verify "secret=$TOKEN" account=git service=sshd rhost=192.0.2.1 '' && echo .)
	INPUT=${INPUT%.} run strace -f -e trace=mmap -o "$T/trace" "$HELPER"
	grep -qx verdict=allow "$T/out" || fail "should be allowed: $(outcome)"
	if grep -q "mmap(NULL, $((9216 * 1024))," "$T/trace"; then fail "it is not cached"; fi
	rm -f /run/gltoken/cache
	allowed
	expect_rehashes 1
	ok gltoken check
	hash_config
}

test_denied_is_left_alone() {
	hash_config 'memory = 8192' 'time = 1'
	new_token --user alice --scope read_repository --allow-from 198.51.100.0/24
	hash_config
	verify "$TOKEN"
	grep -qx reason=address_not_allowed "$T/out" || fail "$(outcome)"
	expect_rehashes 0
	ok gltoken revoke "$ID"
	verify "$TOKEN"
	grep -qx reason=revoked "$T/out" || fail "$(outcome)"
	expect_rehashes 0
}

# A store that cannot be written: the login is good all the same, and the ticket too.
test_failed_write_fails_no_login() {
	hash_config 'memory = 8192' 'time = 1'
	new_token --user alice --scope read_repository
	hash_config
	chmod 400 /var/lib/gltoken/store/store.mdb
	allowed
	grep -q ^ticket= "$T/out" || fail "no ticket: $(outcome)"
	chmod 600 /var/lib/gltoken/store/store.mdb
	expect_rehashes 0
	rm -f /run/gltoken/cache
	allowed
	expect_rehashes 1
}

test_bounds() {
	local line
	for line in 'memory = 8191' 'memory = 1048577' 'time = 0' 'time = 17' 'slots = 0' 'slots = 1025'; do
		hash_config "$line"
		rc 1 gltoken config check
		says "${line%% *}"
	done
	hash_config
	ok gltoken config check
}

test_tune() {
	ok gltoken tune --target 30ms
	says '^memory = [0-9]+$'
	says '^time = 2$'
	cp "$CONF" "$T/conf"
	{ grep -v '^\[hash\]' "$T/conf" && cat "$T/out"; } >"$T/tuned"
	ok gltoken config check "$T/tuned"
	ok gltoken tune --target 40ms --time 1 --json
	[ "$(jq '.memory >= 8192 and .time == 1 and .milliseconds > 0 and .slots >= 2' "$T/out")" = true ] || fail "$(outcome)"
	# more time, more memory
	local small
	ok gltoken tune --target 10ms --time 1 --json
	small=$(jq .memory "$T/out")
	ok gltoken tune --target 80ms --time 1 --json
	[ "$(jq .memory "$T/out")" -gt "$small" ] || fail "no more memory for 80 ms than for 10: $(outcome)"
	rc 2 gltoken tune --target 25
	rc 2 gltoken tune --target 4ms
	rc 2 gltoken tune --target 1001ms
	rc 2 gltoken tune --time 17
}

e2e_main "$@"
