#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Of many at once for the last use of a token, or for its successor, one wins. tests/races is for 10,000 times.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/races.sh
. "$E2E_LIB/races.sh"

setup() {
	races_host 8192
}

test_one_winner() {
	races_run --uses 40 --rotations 25 || fail "see above"
}

e2e_main "$@"
