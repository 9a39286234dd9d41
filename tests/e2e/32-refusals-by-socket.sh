#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The refusals again, with gltoken-auth behind its socket and the helper out of reach.
here=$(dirname "$0")
export E2E_SOCKET=yes
# shellcheck source=tests/e2e/30-refusals.sh
. "$here/30-refusals.sh"
E2E_TESTS=$here/30-refusals.sh
e2e_main "$@"
