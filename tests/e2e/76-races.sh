#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Of many at once for the last use of a token, or for its successor, one wins. tests/races is for 10,000 times.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	# The hash is not what is raced for.
	printf '[hash]\nmemory = 8192\ntime = 1\nslots = 8\n' >/etc/gltoken/gltoken.conf
}

test_one_winner() {
	perl "$E2E_LIB/races.pl" --uses "${RACES_USES-40}" --rotations "${RACES_ROTATIONS-25}" || fail "see above"
	ok gltoken check
	ok gltoken audit verify
}

e2e_main "$@"
