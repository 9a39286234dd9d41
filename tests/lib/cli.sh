# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The host and the checks of the tests of the administrator's program.

# shellcheck disable=SC2034 # for the tests
STORE=/var/lib/gltoken/store

setup() {
	local u
	syslog_start "$E2E_DEVLOG"
	for u in alice bob carol; do useradd -m -s /bin/bash "$u"; done
	groupadd devs
	groupadd gl_own
	gltoken init
	gltoken repo create demo/hello
	gltoken member set demo alice developer
}

# The number of events tells whether anything was written at all.
events() {
	gltoken audit list --limit 100000 --json | jq length
}

unchanged() { # CHECK...
	local before
	before=$(events)
	"$@"
	[ "$(events)" = "$before" ] || fail "something was written by: $LAST"
}

json() { # FILTER: true for the last output
	jq -e "$1" "$T/out" >/dev/null || fail "should satisfy '$1': $(outcome)"
}

silent_stdout() {
	[ ! -s "$T/out" ] || fail "should print nothing on stdout: $(outcome)"
}
