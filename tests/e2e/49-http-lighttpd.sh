#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Git over HTTPS through lighttpd.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
SERVER=lighttpd E2E_TESTS=$E2E_LIB/http-tests.sh
export SERVER
# shellcheck source=tests/lib/http-tests.sh
. "$E2E_TESTS"
e2e_main "$@"
