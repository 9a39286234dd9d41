#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is shipped for systems that are not Debian's, as far as Debian's tools can tell: whether the RPM is built and rpmlint finds
# no error, the SELinux module compiles, the AppArmor profile parses. No Fedora and no kernel that enforces them is here.
E2E_LIMIT=600
export E2E_LIMIT
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/packages.sh
. "$E2E_LIB/packages.sh"
# shellcheck source=tests/lib/build.sh
. "$E2E_LIB/build.sh"

TOP=$(cd "$E2E_LIB/../.." && pwd)

has() { # PACKAGE...
	packages_apt_get install "$@" || { packages_apt_get update && packages_apt_get install "$@"; }
}

test_rpm() {
	local rpms
	LIMIT=300 ok has rpm rpmlint
	{
		build_prepare "$TOP" "$T"
		build_configure "$T" dist
		build_make "$T" dist dist
	} >"$T/log" 2>&1
	# Its names of packages are Fedora's.
	LIMIT=500 ok rpmbuild --nodeps --define "_topdir $T/rpm" --define '_unitdir /usr/lib/systemd/system' -tb "$T"/dist/gltoken-*.tar.xz
	rpms=("$T"/rpm/RPMS/*/*.rpm)
	[ "${#rpms[@]}" -ge 3 ] || fail "packages: ${rpms[*]}"
	run rpmlint "${rpms[@]}"
	hides ': E: '
}

test_selinux_module() {
	LIMIT=400 ok has selinux-policy-dev make
	cp "$TOP"/conf/selinux/* "$T"
	LIMIT=200 ok make -C "$T" -f /usr/share/selinux/devel/Makefile gltoken.pp
	[ -s "$T/gltoken.pp" ] || fail "no module"
}

test_apparmor_profile() {
	LIMIT=300 ok has apparmor
	ok apparmor_parser -Q -K "$SHIPPED/apparmor/gltoken-auth"
}

e2e_main "$@"
