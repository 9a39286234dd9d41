# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# One command in a private root in which the checkout is built and installed.

INSTALLED_LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/packages.sh
. "$INSTALLED_LIB/packages.sh"
# shellcheck source=tests/lib/build.sh
. "$INSTALLED_LIB/build.sh"

# $INSTALLED_CONFIGURE has arguments of configure. The build is at $E2E_BUILD, as it is for tests/run.
installed() { # CHECKOUT COMMAND [ARGUMENT]...
	local top=$1 work
	shift
	[ "$(id -u)" = 0 ] || { echo "this needs root, for accounts and mounts of its own: run it with sudo" >&2; return 2; }
	packages_install tests
	work=$(mktemp -d /tmp/gltoken-installed.XXXXXX)
	chmod 755 "$work"
	# shellcheck disable=SC2064 # this one
	trap "rm -rf '$work'" EXIT
	{
		build_prepare "$top" "$work"
		# shellcheck disable=SC2086 # words
		build_configure "$work" gcc ${INSTALLED_CONFIGURE-}
		build_make "$work" gcc all
		cc -std=c11 -D_GNU_SOURCE -O2 -o "$work/devlog" "$INSTALLED_LIB/devlog.c"
	} >"$work/log" 2>&1 || { tail -n 40 "$work/log"; return 1; }
	# shellcheck disable=SC2016 # for the inner shell
	"$INSTALLED_LIB/private-root.sh" --write "$work" --read "$top" -- \
		env E2E_DEVLOG="$work/devlog" E2E_BUILD="$work/gcc" bash -c '
			make -s -C "$E2E_BUILD" install >/tmp/install.log 2>&1 || { cat /tmp/install.log; exit 1; }
			"$@"' - "$@"
}
