#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whole logins in 64 threads of one process: the real libpam, module, helper and store. tests/pam/test_threads has the
# module with a helper that can be held.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	printf '[hash]\nmemory = 8192\ntime = 1\n' >/etc/gltoken/gltoken.conf
	cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -O1 -g -o "$E2E_DIR/pam-threads" "$E2E_LIB/pam-threads.c" -lpam
	cat >/etc/pam.d/threads <<-'END'
		auth     required  pam_gltoken.so services=threads
		account  required  pam_gltoken.so services=threads
		session  required  pam_gltoken.so services=threads
	END
}

# What is presented, the code of authenticate (0 success, 7 refused, 10 no token) and the token's number.
presented() {
	local i
	for i in 1 2 3; do
		new_token --user alice --scope write_repository
		echo "$TOKEN 0 $ID"
	done
	echo "${TOKEN%???}000 7 $ID"
	new_token --user bob --scope read_repository
	echo "$TOKEN 0 $ID"
	new_token --user alice --scope write_repository
	timeout 30 gltoken expire "$ID" --at now >&2
	echo "$TOKEN 7 $ID"
	new_token --user alice --scope write_repository
	timeout 30 gltoken revoke "$ID" >&2
	echo "$TOKEN 7 $ID"
	new_token --user alice --scope write_repository --allow-from 198.51.100.0/24
	echo "$TOKEN 7 $ID"
	echo 'password 10 -'
	echo 'glpat-AAAAAAAAAAAAAAAAAAAA 7 -'
}

test_64_threads() {
	presented >"$T/presented"
	INPUT=$(cat "$T/presented") LIMIT=120 ok "$E2E_DIR/pam-threads" threads git 64
	says '^640 logins, 0 wrong, 0 descriptors left, no child left$'
	log_settles
	[ "$(log_since | grep -c 'event=login decision=allow')" = 256 ] || fail "not one line for each that came in"
	[ "$(log_since | grep -c 'event=login decision=deny')" = 384 ] || fail "not one line for each that was refused"
	ok gltoken check
}

e2e_main "$@"
