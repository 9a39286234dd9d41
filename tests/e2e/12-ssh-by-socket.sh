#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tests of SSH again, with gltoken-auth behind its socket and the helper out of reach.
here=$(dirname "$0")
export E2E_SOCKET=yes
# shellcheck source=tests/e2e/10-ssh.sh
. "$here/10-ssh.sh"
E2E_TESTS=$here/10-ssh.sh
e2e_main "$@"
