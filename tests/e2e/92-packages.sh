#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Debian packages: built from the checkout, clean for lintian, and in a Debian that has never seen gltoken
# installed, used, upgraded, removed and purged.
E2E_LIMIT=600
export E2E_LIMIT
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/packages.sh
. "$E2E_LIB/packages.sh"
# shellcheck source=tests/lib/fresh-debian.sh
. "$E2E_LIB/fresh-debian.sh"

TOP=$(cd "$E2E_LIB/../.." && pwd)
DEBS=$E2E_DIR/debs
FRESH=$E2E_DIR/fresh
HELPER=/usr/libexec/gltoken/gltoken-auth

# Built once for all tests of this file.
debs() {
	[ ! -d "$DEBS" ] || return 0
	packages_deb
	mkdir "$DEBS.tmp"
	DEB_BUILD_OPTIONS="nocheck parallel=2" LIMIT=500 ok "$TOP/tools/package-deb" "$DEBS.tmp"
	mv "$DEBS.tmp" "$DEBS"
}

test_build_and_lintian() {
	debs
	ls "$DEBS"/gltoken_*.deb "$DEBS"/libpam-gltoken_*.deb "$DEBS"/libnss-gltoken_*.deb || fail "a package is missing"
	LIMIT=200 ok lintian --allow-root --fail-on error,warning "$DEBS"/*gltoken_*.deb
}

test_package_deb_usage() {
	rc 2 "$TOP/tools/package-deb" "$T/no-such-folder"
	says 'no-such-folder: not a folder'
	rc 2 "$TOP/tools/package-deb" --wrong
	says '^usage: tools/package-deb'
}

fresh() {
	in_fresh "$FRESH" "$@"
}

# What is the host's own, and must come out of it all byte for byte; but for our word in nsswitch.conf, which comes and
# goes with libnss-gltoken.
belongings() {
	(cd "$FRESH" && find etc/pam.d etc/ssh etc/shells -type f ! -name sshd-git ! -name gltoken-owner -print0 | sort -z |
		xargs -0 sha256sum && sed 's/ gltoken$//' etc/nsswitch.conf | sha256sum)
}

asked() { # DATABASE...
	[ "$(sed -n 's/:.* gltoken$//p' "$FRESH/etc/nsswitch.conf" | tr '\n' ' ')" = "${*:+$* }" ] ||
		fail "nsswitch.conf: $(cat "$FRESH/etc/nsswitch.conf")"
}

helper_mode() {
	fresh stat -c '%U:%G %a' "$HELPER"
}

# The same packages with a higher version.
newer_debs() { # DIR
	local deb tree
	mkdir "$1"
	for deb in "$DEBS"/*gltoken_*.deb; do
		tree=$T/tree
		dpkg-deb -R "$deb" "$tree"
		sed -i 's/^Version: .*/&+1/; s/(= \([^)]*\))/(= \1+1)/' "$tree/DEBIAN/control"
		dpkg-deb --root-owner-group -b "$tree" "$1" >/dev/null
		rm -rf "$tree"
	done
}

install_debs() { # DIR
	rm -rf "$FRESH/debs"
	cp -R "$1" "$FRESH/debs"
	# shellcheck disable=SC2016 # for the shell in there
	LIMIT=300 ok fresh sh -c 'apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold \
		/debs/*gltoken_*.deb "$@" >/tmp/apt.log 2>&1 || { tail -n 30 /tmp/apt.log; exit 1; }' - "${@:2}"
}

# A token of alice's clones over an sshd of the fresh system, as its README says to set it up.
trial_clone() { # PORT
	cat >"$FRESH/trial" <<-'END'
		set -eu
		port=$1
		ln -sf sshd /usr/sbin/sshd-git
		sed "s/^Port .*/Port $port/" /usr/share/doc/gltoken/examples/sshd_config.sshd-git >/tmp/sshd_config
		mkdir -p /run/sshd
		/usr/sbin/sshd-git -f /tmp/sshd_config
		id client >/dev/null 2>&1 || useradd -m client
		rm -rf /home/client/hello
		su client -c '
			export SSH_ASKPASS=/usr/bin/gltoken-askpass SSH_ASKPASS_REQUIRE=force GLTOKEN_TOKEN_FILE=$HOME/.token
			export GIT_SSH_COMMAND="ssh -p $0 -o PubkeyAuthentication=no -o StrictHostKeyChecking=accept-new"
			timeout 60 git clone -q git@127.0.0.1:demo/hello.git ~/hello' "$port"
	END
	LIMIT=100 ok fresh sh /trial "$1"
	says 'appear to have cloned an empty repository'
	fresh pkill -x sshd-git || true
}

test_install_upgrade_remove_purge() {
	local before
	debs
	LIMIT=300 ok fresh_debian "$FRESH"
	LIMIT=300 ok fresh sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends openssh-server procps'
	before=$(belongings)

	install_debs "$DEBS"
	[ "$(helper_mode)" = 'root:gltoken 4750' ] || fail "the helper is $(helper_mode)"
	[ "$(belongings)" = "$before" ] || fail "installing changed: $(diff <(echo "$before") <(belongings))"
	asked passwd group shadow
	ok fresh gltoken init
	ok fresh gltoken user add nina
	ok fresh getent passwd nina
	ok fresh gltoken repo create demo/hello
	ok fresh useradd -m alice
	ok fresh gltoken member set demo alice developer
	ok fresh useradd -m client
	ok fresh gltoken issue --name laptop --user alice --scope write_repository
	install -m 600 -o "$(fresh id -u client)" "$T/out" "$FRESH/home/client/.token"
	trial_clone 24601

	# Upgraded while configured: a changed file stays, the helper keeps its mode, tokens go on working.
	echo '# a line of the administrator' >>"$FRESH/etc/gltoken/gltoken.conf"
	newer_debs "$T/newer"
	install_debs "$T/newer"
	ok grep -q '^# a line of the administrator$' "$FRESH/etc/gltoken/gltoken.conf"
	[ "$(helper_mode)" = 'root:gltoken 4750' ] || fail "after the upgrade the helper is $(helper_mode)"
	trial_clone 24602

	# Removed: nothing of the host's own has changed, the store is still there; installed again, all goes on.
	LIMIT=100 ok fresh apt-get remove -y -qq gltoken libpam-gltoken libnss-gltoken
	asked
	[ "$(belongings)" = "$before" ] || fail "removing left: $(diff <(echo "$before") <(belongings))"
	[ ! -e "$FRESH$HELPER" ] || fail "the helper is still there"
	[ -f "$FRESH/var/lib/gltoken/store/store.mdb" ] || fail "the store went with the programs"
	install_debs "$T/newer"
	trial_clone 24603

	LIMIT=100 ok fresh apt-get purge -y -qq gltoken libpam-gltoken libnss-gltoken
	asked
	[ "$(belongings)" = "$before" ] || fail "purging left: $(diff <(echo "$before") <(belongings))"
	[ -d "$FRESH/srv/git/demo/hello.git" ] || fail "a repository went with the packages"
	run fresh dpkg-statoverride --list
	hides gltoken
	ok fresh find /etc /lib /opt /run /srv /usr /var -path '/var/log/*' -prune -o -path '/var/cache/*' -prune -o \
		-name '*gltoken*' -print
	hides gltoken
}

e2e_main "$@"
