#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tests of HTTPS again, with gltoken-auth behind its socket and the helper out of reach.
here=$(dirname "$0")
export E2E_SOCKET=yes
# shellcheck source=tests/e2e/48-http-nginx.sh
. "$here/48-http-nginx.sh"
e2e_main "$@"
