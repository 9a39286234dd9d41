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
BASE=$E2E_DIR/base
HELPER=/usr/libexec/gltoken/gltoken-auth

# Built once for all tests of this file.
debs() {
	[ ! -d "$DEBS" ] || return 0
	rm -rf "$DEBS.tmp"
	if [ -n "${FRESH_SUITE-}" ]; then
		base
		LIMIT=580 ok fresh_debs "$BASE" "$TOP" "$DEBS.tmp"
	else
		packages_deb
		mkdir "$DEBS.tmp"
		DEB_BUILD_OPTIONS="nocheck parallel=2" LIMIT=500 ok "$TOP/tools/package-deb" "$DEBS.tmp"
	fi
	mv "$DEBS.tmp" "$DEBS"
}

test_build_and_lintian() {
	debs
	ls "$DEBS"/gltoken_*.deb "$DEBS"/libpam-gltoken_*.deb "$DEBS"/libnss-gltoken_*.deb || fail "a package is missing"
	[ -n "${FRESH_SUITE-}" ] || LIMIT=200 ok lintian --allow-root --fail-on error,warning "$DEBS"/*gltoken_*.deb
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

# What all tests begin with: a Debian with servers of its own, in $FRESH. Made once, as that takes a minute.
base() {
	[ ! -d "$BASE" ] || return 0
	LIMIT=300 ok fresh_debian "$BASE.new" ${FRESH_SUITE:+"$FRESH_SUITE"}
	LIMIT=300 ok in_fresh "$BASE.new" sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends \
		openssh-server procps nginx apache2 lighttpd lighttpd-mod-openssl fcgiwrap spawn-fcgi openssl'
	umount -R "$BASE.new/proc" "$BASE.new/dev"
	mv "$BASE.new" "$BASE"
}

begin() {
	debs
	base
	FRESH=$T/fresh
	fresh_copy "$BASE" "$FRESH"
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

# Units that start by themselves.
enabled() {
	find "$FRESH/etc" -path '*/systemd/*' \( -name '*git*' -o -name '*gltoken*' \) -printf '%f\n'
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
		mkdir -p /run/sshd
		sed "s/^Port .*/Port $port/" /usr/share/doc/gltoken/examples/sshd_config.sshd-git >/tmp/sshd_config
		if sshd -T -f /dev/null -o PAMServiceName=sshd-git >/dev/null 2>&1; then
			sed -i 's/^#PAMServiceName/PAMServiceName/' /tmp/sshd_config
		fi
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
	begin
	before=$(belongings)

	install_debs "$DEBS"
	[ "$(helper_mode)" = 'root:gltoken 4750' ] || fail "the helper is $(helper_mode)"
	[ "$(belongings)" = "$before" ] || fail "installing changed: $(diff <(echo "$before") <(belongings))"
	asked passwd group shadow
	[ -z "$(enabled)" ] || fail "installing has enabled $(enabled)"
	# As systemctl enable would.
	mkdir -p "$FRESH/etc/systemd/system/timers.target.wants"
	ln -s /lib/systemd/system/gltoken-backup.timer "$FRESH/etc/systemd/system/timers.target.wants/"
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
	[ "$(enabled)" = gltoken-backup.timer ] || fail "after the upgrade is enabled: $(enabled)"
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

# ---- the first day of somebody who has never seen gltoken ----

# In a network of their own, where every port is free.
host() {
	# shellcheck disable=SC2016 # for the shell in there
	nsenter "--net=/proc/$(cat "$T/net.pid")/ns/net" -- "$BASH" -c '. "$0/fresh-debian.sh"; in_fresh "$@"' \
		"$E2E_LIB" "$FRESH" "$@"
}

as_carl() { # COMMAND... of an account that is no user of the Git host: it has a token and nothing else
	host env -C /home/carl setpriv --reuid carl --regid carl --init-groups env -i HOME=/home/carl PATH=/usr/bin:/bin \
		GIT_TERMINAL_PROMPT=0 LC_ALL=C.UTF-8 "$@"
}

over_ssh() { # COMMAND...
	as_carl env SSH_ASKPASS=gltoken-askpass SSH_ASKPASS_REQUIRE=force GLTOKEN_TOKEN_FILE=/home/carl/token \
		GIT_SSH_COMMAND='ssh -o PubkeyAuthentication=no -o NumberOfPasswordPrompts=1' "$@"
}

carls_token() { # ARGUMENT OF ISSUE...
	ok host gltoken issue "$@"
	install -m 600 -o "$(host id -u carl)" "$T/out" "$FRESH/home/carl/token"
}

change() { # DIR
	date +%N >"$FRESH$1/file"
	as_carl git -C "$1" add file
	as_carl git -C "$1" -c user.name=Carl -c user.email=carl@example.org commit -qm change
}

another_net() { # PID
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

day_begins() {
	unshare --net sleep 600 &
	echo $! >"$T/net.pid"
	await another_net "$!"
	nsenter "--net=/proc/$!/ns/net" ip link set lo up
	echo '127.0.0.1 git.test' >>"$FRESH/etc/hosts"
	ok host openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=git.test -addext subjectAltName=DNS:git.test \
		-keyout /etc/ssl/git.key -out /etc/ssl/git.pem
	ok host useradd -m -s /bin/bash alice
	ok host useradd -m carl
}

day_ends() {
	kill "$(cat "$T/net.pid")"
	pkill -x 'nginx|apache2|lighttpd' || true
}

# All that setup and the packages could have touched, with owners and modes.
everything() {
	(cd "$FRESH" && find etc/pam.d etc/ssh etc/shells etc/nsswitch.conf etc/nginx etc/apache2 etc/lighttpd usr/sbin \
		-printf '%p %u:%g %m %l\n' -type f -exec sha256sum {} \; | sort)
}

ended() { # PROGRAMS, which have been told to
	! pgrep -x "$1"
}

# Nobody has to be who removes it: first setup's own, then the packages.
undone() {
	ok host gltoken setup --undo
	says 'as it was before'
	await ended 'sshd-git|fcgiwrap'
	[ ! -e "$FRESH/usr/sbin/sshd-git" ] || fail "sshd-git is still there"
	LIMIT=100 ok fresh apt-get purge -y -qq gltoken libpam-gltoken libnss-gltoken
	[ "$(everything)" = "$(cat "$T/before")" ] || fail "it left: $(everything | diff "$T/before" -)"
}

# With a web server, which runs (or starts) as COMMAND says.
first_day() { # SERVER COMMAND...
	begin
	day_begins
	everything >"$T/before"
	[ "$1" = lighttpd ] || ok host "${@:2}"
	install_debs "$DEBS"
	ok host gltoken setup --yes --web "$1" --server-name git.test --certificate /etc/ssl/git.pem --key /etc/ssl/git.key
	says '^Done'
	if [ "$1" = lighttpd ]; then
		says 'HTTPS was not tried: start it'
		ok host "${@:2}"
	else
		hides 'not tried'
	fi

	ok host gltoken repo create demo/hello
	ok host gltoken member set demo/hello alice maintainer
	carls_token --name laptop --user alice --scope write_repository
	ok as_carl sh -c 'umask 77 && mkdir .ssh && ssh-keyscan -p 2222 git.test 2>/dev/null >.ssh/known_hosts'
	ok over_ssh git clone -q ssh://git@git.test:2222/demo/hello.git /home/carl/ssh
	change /home/carl/ssh
	ok over_ssh git -C /home/carl/ssh push -q origin HEAD:main

	ok as_carl git config --global http.sslCAInfo /etc/ssl/git.pem
	ok as_carl git config --global credential.helper gltoken
	ok as_carl git config --global credential.https://git.test.useHttpPath true
	ok as_carl mkdir -p /home/carl/.config/gltoken
	printf '[gltoken "https://git.test/git"]\n\ttokenFile = /home/carl/token\n' >"$T/credentials"
	install -m 600 -o "$(host id -u carl)" "$T/credentials" "$FRESH/home/carl/.config/gltoken/credentials"
	ok as_carl git clone -q https://git.test/git/demo/hello.git /home/carl/https
	change /home/carl/https
	ok as_carl git -C /home/carl/https push -q origin HEAD:main
	ok over_ssh git -C /home/carl/ssh pull -q origin main
	cmp "$FRESH/home/carl/ssh/file" "$FRESH/home/carl/https/file"

	carls_token --name reader --user alice --scope read_repository
	change /home/carl/ssh
	no over_ssh git -C /home/carl/ssh push -q origin HEAD:main
	says 'not allowed to upload code'
	ok as_carl git -C /home/carl/https pull -q
	no as_carl git -C /home/carl/https push -q origin HEAD:main
	says 'not allowed to upload code|403'
	ok host gltoken revoke alice/reader
	no over_ssh git -C /home/carl/ssh ls-remote
	says 'Permission denied'
	no as_carl git -C /home/carl/https ls-remote
	says 'Authentication failed|401'

	rc 0 host gltoken doctor
	undone
	day_ends
}

test_first_day_with_nginx() {
	first_day nginx nginx
}

test_first_day_with_apache() {
	first_day apache apache2ctl start
}

test_first_day_with_lighttpd() {
	first_day lighttpd lighttpd -f /etc/lighttpd/lighttpd.conf
}

e2e_main "$@"
