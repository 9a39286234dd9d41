#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A short run of tests/torture: kills, a full disk, damage, floods and changes at once, and nothing is lost.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/torture.sh
. "$E2E_LIB/torture.sh"

setup() {
	torture_host
}

test_smoke() {
	torture_run --seconds "${TORTURE_SECONDS-20}" ${TORTURE_SEED:+--seed "$TORTURE_SEED"} || fail "see above"
}

e2e_main "$@"
