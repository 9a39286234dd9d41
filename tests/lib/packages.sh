# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What must be installed: to build gltoken, to try it with a real sshd, to test it. One list for
# tools/quickstart and tests/run.

packages_apt=(
	gcc make autoconf automake libtool pkg-config
	libpam0g-dev liblmdb-dev libargon2-dev libsodium-dev libinih-dev libsmartcols-dev libjansson-dev libcdb-dev
	libprotobuf-c-dev protobuf-c-compiler protobuf-compiler scdoc
	git openssh-client
)
packages_dnf=(
	gcc make autoconf automake libtool pkgconf-pkg-config
	pam-devel lmdb-devel libargon2-devel libsodium-devel inih-devel libsmartcols-devel jansson-devel tinycdb-devel
	protobuf-c-devel protobuf-c-compiler protobuf-compiler scdoc
	git openssh-clients util-linux shadow-utils
)
# Tests run on Debian and Ubuntu.
packages_test=(
	libcmocka-dev libpam-wrapper libpamtest0-dev perl
	clang clang-tidy cppcheck shellcheck
	openssh-server strace gdb valgrind procps iproute2 jq socat faketime sudo
	fonts-dejavu-core fish zsh lmdb-utils gnuplot-nox
)

# Install what is missing, and say nothing where nothing is.
packages_install() { # quickstart | tests
	local want missing=() p
	if command -v apt-get >/dev/null; then
		want=("${packages_apt[@]}")
		if [ "$1" = tests ]; then want+=("${packages_test[@]}"); fi
		# Ubuntu's is a snap, which starts in no private root; tests that need it are left out there.
		if [ "$1" = tests ] && ! grep -qx 'ID=ubuntu' /etc/os-release; then want+=(chromium); fi
		for p in "${want[@]}"; do
			[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
		done
		if [ ${#missing[@]} -eq 0 ]; then return 0; fi
		echo "installing ${missing[*]}"
		# A fresh machine has no package lists, an old one may have stale lists: then, and only then, fetch them.
		packages_apt_get install "${missing[@]}" || {
			packages_apt_get update && packages_apt_get install "${missing[@]}"
		}
	elif command -v dnf >/dev/null; then
		if [ "$1" = tests ]; then
			echo "the tests run on Debian and Ubuntu only; tools/quickstart runs here too" >&2
			return 1
		fi
		for p in "${packages_dnf[@]}"; do
			rpm -q --quiet --whatprovides "$p" || missing+=("$p")
		done
		if [ ${#missing[@]} -eq 0 ]; then return 0; fi
		echo "installing ${missing[*]}"
		timeout 600 dnf -y -q install "${missing[@]}"
	else
		echo "neither apt-get nor dnf here; install by hand: ${packages_apt[*]}" >&2
		return 1
	fi
}

# Web servers, in a private root only: a package would start them on the host.
packages_web() {
	local p missing=()
	for p in apache2 nginx-light lighttpd lighttpd-mod-openssl fcgiwrap spawn-fcgi fail2ban libapache2-mod-authnz-pam \
		libnginx-mod-http-auth-pam curl openssl; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
	done
	if [ ${#missing[@]} -eq 0 ]; then return 0; fi
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	packages_apt_get install "${missing[@]}" || {
		packages_apt_get update && packages_apt_get install "${missing[@]}"
	}
}

# A directory and one-time codes, in a private root only: they change PAM and nsswitch.conf.
packages_pam() {
	local want=(slapd ldap-utils nslcd libnss-ldapd libpam-ldapd libpam-oath oathtool)
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	packages_apt_get install "${want[@]}" || {
		packages_apt_get update && packages_apt_get install "${want[@]}"
	}
}

# What gltoken works beside, in a private root only: git-lfs changes /etc/gitconfig, gitolite3 makes an account.
packages_beside() { # PACKAGE...
	packages_apt_get install "$@" || {
		packages_apt_get update && packages_apt_get install "$@"
	}
}

# What tools/package-deb and the test of its packages need.
packages_deb() {
	packages_apt_get install build-essential debhelper debootstrap dh-nss fakeroot lintian || {
		packages_apt_get update &&
			packages_apt_get install build-essential debhelper debootstrap dh-nss fakeroot lintian
	}
}

# For a private root: on a host, the package would start a server.
packages_sshd() {
	echo "installing openssh-server, in the private root only"
	if command -v apt-get >/dev/null; then
		packages_apt_get install openssh-server || {
			packages_apt_get update && packages_apt_get install openssh-server
		}
	else
		timeout 600 dnf -y -q install openssh-server
	fi
}

packages_apt_get() {
	DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -y -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 \
		--no-install-recommends "$@" >/dev/null
}
