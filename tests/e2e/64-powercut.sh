#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The power is cut at each write to the store, and what was not synced by then is lost, page by page: every change that
# was acknowledged is there, none is there by half.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
}

# The store after a cut, with so many tokens acknowledged: sound, each of them there, and one more at most.
look() { # TOKENS BEFORE, ACKNOWLEDGED
	local n
	rm -f /var/lib/gltoken/store/store.mdb-lock
	chown gltoken: /var/lib/gltoken/store/store.mdb
	if ! { gltoken check && gltoken audit verify; } >"$T/check" 2>&1; then
		cat "$T/check"
		return 1
	fi
	n=$(gltoken list --state all --json | jq length)
	[ "$n" = $(($1 + $2)) ] || [ "$n" = $(($1 + $2 + 1)) ] || { echo "$n tokens, and $2 were acknowledged"; return 1; }
}
export -f look

test_power_cuts() {
	local store=/var/lib/gltoken/store/store.mdb i
	for i in 1 2 3 4 5; do new_token --user alice --scope api; done
	cp "$store" "$T/before"
	cp -a /var/lib/gltoken/store "$T/store"
	# One change a program, as an administrator makes them. What each prints is the acknowledgement.
	for i in 1 2 3 4 5 6; do
		strace -f -xx -s 10000000 -o "$T/trace.$i" -e trace=openat,close,lseek,write,pwrite64,writev,fsync,fdatasync \
			gltoken issue --name "cut-$i" --user alice --scope read_repository --description "$(printf '%0150d' "$i")" >/dev/null
	done
	cat "$T"/trace.* >"$T/trace"
	grep -c fdatasync "$T/trace" >/dev/null || fail "the store is never synced"
	export T
	# shellcheck disable=SC2016 # for the inner shell
	LIMIT=150 ok perl "$E2E_LIB/powercut.pl" "$T/before" "$T/trace" "$store" bash -c 'look 5 "$1"' -
	cat "$T/out"
	rm -rf /var/lib/gltoken/store
	cp -a "$T/store" /var/lib/gltoken/store
	ok gltoken check
}

e2e_main "$@"
