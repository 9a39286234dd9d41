#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Who opens the store first is killed while it sets up LMDB's lock file, and another waits to open it: what that one
# is told is done stays done, and so does what was done before.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

STORE=/var/lib/gltoken/store

setup() {
	syslog_start "$E2E_DEVLOG"
	useradd alice
	gltoken init
}

# Two preads of the file are our own checks; the third is LMDB's, with the lock file half set up.
stalled_reader() {
	exec strace -qq -o "$T/trace" -P "$STORE/store.mdb" -e trace=pread64 -e inject=pread64:delay_enter=3000000:when=3 \
		gltoken list >/dev/null 2>&1
}

test_nothing_is_lost() {
	local round reader writer
	for round in 1 2 3 4; do
		new_token --user alice --scope api
		stalled_reader &
		for _ in {1..1000}; do
			reader=$(pgrep -x gltoken || true)
			if [ -s "$T/trace" ] && [ "$(grep -c pread64 "$T/trace")" -ge 3 ] && [ -n "$reader" ]; then break; fi
			sleep 0.02
		done
		[ "$(wc -w <<<"$reader")" = 1 ] || fail "no reader, or several: $reader"
		timeout 20 gltoken issue --name "later-$round" --user alice --scope api >"$T/issued" 2>&1 &
		writer=$!
		sleep 0.3
		kill -9 "$reader" || true # it may be through by now
		wait "$writer" || fail "the other one was refused: $(cat "$T/issued")"
		ok gltoken show "$ID"
		ok gltoken show "alice/later-$round"
	done
	ok gltoken check
	ok gltoken audit verify
}

e2e_main "$@"
