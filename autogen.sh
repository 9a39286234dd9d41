#!/bin/sh
# SPDX-License-Identifier: MIT
# Make ./configure. Needs autoconf and automake, and pkg-config for its macros.
set -eu
cd "$(dirname "$0")"

for tool in autoreconf:autoconf aclocal:automake pkg-config:pkg-config; do
	command -v "${tool%%:*}" >/dev/null || {
		echo "autogen.sh: ${tool%%:*} is missing: install ${tool#*:}" \
			"(Debian: apt install autoconf automake pkg-config;" \
			"Fedora: dnf install autoconf automake pkgconf-pkg-config)" >&2
		exit 1
	}
done

mkdir -p build-aux
autoreconf --install --warnings=all,no-obsolete
