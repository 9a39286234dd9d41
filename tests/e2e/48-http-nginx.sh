#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Git over HTTPS through nginx.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
SERVER=nginx E2E_TESTS=$E2E_LIB/http-tests.sh
export SERVER
# shellcheck source=tests/lib/http-tests.sh
. "$E2E_TESTS"
e2e_main "$@"
