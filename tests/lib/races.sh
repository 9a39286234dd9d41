# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The races inside a private root, in a file that has sourced e2e.sh.

# The hash is not what is raced for.
races_host() { # KIB
	e2e_host
	printf '[hash]\nmemory = %s\ntime = 1\nslots = 8\n' "$1" >/etc/gltoken/gltoken.conf
	cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -O2 -o "$E2E_DIR/at-once" "$E2E_LIB/at-once.c"
}

races_run() { # ARGUMENT OF races.pl...
	perl "$E2E_LIB/races.pl" --at-once "$E2E_DIR/at-once" "$@" && gltoken check && gltoken audit verify
}
