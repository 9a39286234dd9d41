#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is shipped for systems that are not Debian's, as far as Debian's tools can tell: the RPMs are built, linted, and in a
# Debian that has never seen gltoken installed, used, upgraded and erased; the SELinux module compiles, the AppArmor profile
# parses. No Fedora and no kernel that enforces them is here.
here=$(dirname "$0")
# shellcheck source=tests/e2e/92-packages.sh
. "$here/../e2e/92-packages.sh"
# shellcheck source=tests/lib/build.sh
. "$E2E_LIB/build.sh"

RPMS=$E2E_DIR/rpms
MULTIARCH=/usr/lib/$(gcc -print-multiarch)

has() { # PACKAGE...
	packages_apt_get install "$@" || { packages_apt_get update && packages_apt_get install "$@"; }
}

# Names of packages in the spec are Fedora's; folders are Debian's, so that its PAM finds the module.
rpm_build() { # TARBALL DIR [ARGUMENT OF rpmbuild]...
	rm -rf "$2.tmp" "$2"
	LIMIT=500 ok rpmbuild --nodeps --define "_topdir $2.tmp" --define "_libdir $MULTIARCH" \
		--define '_unitdir /usr/lib/systemd/system' "${@:3}" -tb "$1"
	mkdir "$2"
	mv "$2.tmp"/RPMS/*/*.rpm "$2"
	rm -rf "$2.tmp"
}

# Built once for all tests of this file.
rpms() {
	[ ! -d "$RPMS" ] || return 0
	LIMIT=300 ok has rpm rpmlint
	{
		build_prepare "$TOP" "$E2E_DIR"
		build_configure "$E2E_DIR" dist
		build_make "$E2E_DIR" dist dist
	} >"$T/log" 2>&1
	rpm_build "$E2E_DIR"/dist/gltoken-*.tar.xz "$RPMS"
}

# The same with a version and a default configuration that came later.
next_rpms() {
	local next=$T/next
	[ ! -d "$RPMS.next" ] || return 0
	rpms
	mkdir "$next"
	tar -xf "$E2E_DIR"/dist/gltoken-*.tar.xz -C "$next"
	echo '# a line of the next version' >>"$(echo "$next"/gltoken-*/conf/gltoken.conf.in)"
	sed -i 's/^Release:.*/Release: 2/' "$next"/gltoken-*/conf/rpm/gltoken.spec
	(cd "$next" && tar -cJf "$(basename "$E2E_DIR"/dist/gltoken-*.tar.xz)" gltoken-*/)
	rpm_build "$next"/gltoken-*.tar.xz "$RPMS.next" --define 'optflags -O0'
}

test_build_the_rpm() {
	rpms
}

test_build_the_next_one() {
	next_rpms
}

# Path, mode, owner and group of all files and links.
listed() {
	rpm -q --queryformat '[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME}\n]' -p "$RPMS"/*.rpm |
		grep -vE '^/usr/(lib/\.build-id|share/licenses)/| d' | sort
}

made() { # ROOT
	cp "$E2E_BUILD/conf/install-accounts" "$1/usr/libexec/gltoken/"
	chmod 755 "$1/usr/libexec/gltoken/install-accounts"
	mkdir -p "$1/usr/lib/systemd/system"
	cp "$1$SHIPPED"/*.{service,socket,timer} "$1/usr/lib/systemd/system"
	find "$1" ! -type d -printf '/%P %M %u %g\n' | sort
}

test_rpm_holds_what_is_installed() {
	rpms
	[ "$(cd "$RPMS" && echo *.rpm | sed 's/-[0-9][^ ]*//g')" = 'gltoken libnss_gltoken pam_gltoken' ] || fail "$(ls "$RPMS")"
	ok make -s -C "$E2E_BUILD" install "DESTDIR=$T/dest"
	made "$T/dest" >"$T/made"
	listed >"$T/listed"
	diff "$T/made" "$T/listed" || fail "the packages hold other files than make install makes"
	[ -z "$(cut -d' ' -f1 "$T/listed" | uniq -d)" ] || fail "two packages have one file"
	grep -q '^/usr/libexec/gltoken/gltoken-auth -rwsr-x--- root gltoken$' "$T/listed" || fail "the helper: $(cat "$T/listed")"
	LIMIT=200 ok rpmlint --rpmlintrc "$TOP/conf/rpm/gltoken.rpmlintrc" "$RPMS"/*.rpm
	says 'packages and .* checked'
	hides ': E: '
}

rpm_() { # ARGUMENT OF rpm...
	LIMIT=100 ok rpm --force-debian --root "$FRESH" --dbpath /var/lib/rpm "$@"
	hides 'warning|error|failed'
}

links() {
	find "$FRESH/etc/systemd" -name '*gltoken*'
}

left() {
	find "$FRESH/etc" "$FRESH/usr" ! -type d -name '*gltoken*' -printf '%f\n' | sort | tr '\n' ' '
}

test_rpm_install_upgrade_erase() {
	local before conf
	next_rpms
	base
	FRESH=$T/fresh
	fresh_copy "$BASE" "$FRESH"
	conf=$FRESH/etc/gltoken/gltoken.conf
	LIMIT=300 ok fresh apt-get install -y -qq --no-install-recommends git libargon2-1 libcdb1 libinih1 libjansson4 liblmdb0 \
		libprotobuf-c1 libsmartcols1 libsodium23 systemd
	before=$(belongings)

	rpm_ -i --nodeps "$RPMS"/*.rpm
	rpm_ -V --nodeps gltoken pam_gltoken libnss_gltoken
	[ "$(helper_mode)" = 'root:gltoken 4750' ] || fail "the helper is $(helper_mode)"
	[ "$(belongings)" = "$before" ] || fail "installing changed: $(diff <(echo "$before") <(belongings))"
	[ -z "$(links)" ] || fail "a unit is enabled: $(links)"
	ok fresh gltoken init
	ok fresh gltoken repo create demo/hello
	ok fresh useradd -m alice
	ok fresh gltoken member set demo alice developer
	ok fresh useradd -m client
	ok fresh gltoken issue --name laptop --user alice --scope write_repository
	install -m 600 -o "$(fresh id -u client)" "$T/out" "$FRESH/home/client/.token"
	trial_clone 24604
	ok fresh systemctl enable gltoken-backup.timer
	[ -n "$(links)" ] || fail "no unit is enabled"

	# Upgraded while configured: the administrator's file stays and the new one lies beside it, tokens go on working.
	echo '# a line of the administrator' >>"$conf"
	LIMIT=100 ok rpm --force-debian --root "$FRESH" --dbpath /var/lib/rpm -U --nodeps "$RPMS.next"/*.rpm
	says 'gltoken.conf created as .*gltoken.conf.rpmnew'
	grep -q '^# a line of the administrator$' "$conf" || fail "gltoken.conf was overwritten"
	grep -q '^# a line of the next version$' "$conf.rpmnew" || fail "no new default"
	[ "$(helper_mode)" = 'root:gltoken 4750' ] || fail "after the upgrade the helper is $(helper_mode)"
	[ -n "$(links)" ] || fail "the upgrade has disabled a unit"
	trial_clone 24605

	# Erased: what is the host's own is as it was, the store and the changed file are there; again, and all goes on.
	LIMIT=100 ok rpm --force-debian --root "$FRESH" --dbpath /var/lib/rpm -e --nodeps gltoken pam_gltoken libnss_gltoken
	[ "$(belongings)" = "$before" ] || fail "erasing left: $(diff <(echo "$before") <(belongings))"
	[ -z "$(links)" ] || fail "a link to no unit: $(links)"
	[ "$(left)" = 'gltoken.conf.rpmnew gltoken.conf.rpmsave ' ] || fail "left: $(left)"
	[ -f "$FRESH/var/lib/gltoken/store/store.mdb" ] || fail "the store went with the programs"
	rpm_ -i --nodeps "$RPMS.next"/*.rpm
	trial_clone 24606
}

test_selinux_module() {
	LIMIT=400 ok has selinux-policy-dev make
	cp "$TOP"/conf/selinux/* "$T"
	LIMIT=200 ok make -C "$T" -f /usr/share/selinux/devel/Makefile gltoken.pp
	hides '[Ww]arning|[Ee]rror'
	[ -s "$T/gltoken.pp" ] || fail "no module"
	# What the policy is about is installed there.
	sed -E 's/(\(.*)?[[:space:]].*//' "$T/gltoken.fc" | while read -r path; do
		[ -e "$path" ] || [ "${path#/run}" != "$path" ] || [ "${path#/var}" != "$path" ] || fail "no $path"
	done
}

test_apparmor_profile() {
	LIMIT=300 ok has apparmor
	ok apparmor_parser -Q -K "$SHIPPED/apparmor/gltoken-auth"
	# Not because it takes anything.
	sed 's/,$//' "$SHIPPED/apparmor/gltoken-auth" >"$T/wrong"
	no apparmor_parser -Q -K "$T/wrong"
	says 'syntax error'
}

e2e_main "$@"
