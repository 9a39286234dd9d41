#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Debian packages again, built and used in Debian 13, with its newer compiler and libraries; and what OpenSSH has
# since 9.8: PAMServiceName in the main sshd, and penalties.
here=$(dirname "$0")
export FRESH_SUITE=trixie
# shellcheck source=tests/e2e/92-packages.sh
. "$here/../e2e/92-packages.sh"

by_password() { # PASSWORD COMMAND...
	printf '#!/bin/sh\necho "%s"\n' "$1" >"$FRESH/home/carl/askpass"
	chmod 755 "$FRESH/home/carl/askpass"
	as_carl env SSH_ASKPASS=/home/carl/askpass SSH_ASKPASS_REQUIRE=force ssh -o PubkeyAuthentication=no \
		-o NumberOfPasswordPrompts=1 "${@:2}"
}

# Tokens on port 22, and not a byte of PAM's sshd is changed for it.
test_main_sshd_by_service_name() {
	begin
	day_begins
	everything >"$T/before"
	echo 'alice:correct horse battery' | host chpasswd
	install_debs "$DEBS"
	ok host gltoken setup --yes --ssh main
	says '^Done'
	hides 'pam.d'
	cmp "$BASE/etc/pam.d/sshd" "$FRESH/etc/pam.d/sshd"
	ok host sshd -T -C user=git,host=x,addr=192.0.2.1
	says '^pamservicename sshd-git$'
	ok host sshd -T -C user=alice,host=x,addr=192.0.2.1
	says '^pamservicename sshd$'
	echo 'PerSourcePenaltyExemptList 192.0.2.0/24' >"$FRESH/etc/ssh/sshd_config.d/50-ci.conf"
	ok host /usr/sbin/sshd

	ok host gltoken repo create demo/hello
	ok host gltoken member set demo/hello alice maintainer
	carls_token --name laptop --user alice --scope write_repository
	ok as_carl sh -c 'umask 77 && mkdir .ssh && ssh-keyscan git.test 2>/dev/null >.ssh/known_hosts'
	ok over_ssh git clone -q git@git.test:demo/hello.git /home/carl/ssh
	change /home/carl/ssh
	ok over_ssh git -C /home/carl/ssh push -q origin HEAD:main
	ok by_password 'correct horse battery' alice@git.test echo a shell
	says '^a shell$'
	no by_password 'correct horse battery' git@git.test echo a shell
	says 'Permission denied'
	ok as_carl ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519
	ok host gltoken key add alice /home/carl/.ssh/id_ed25519.pub
	ok as_carl git -C /home/carl/ssh pull -q origin main
	rc 0 host gltoken doctor

	# A refused token is a failed authentication: after some of these, whoever is behind that address is shut out.
	ok admitted
	for _ in 1 2 3 4 5 6; do
		no by_password glpat-abcdefghijklmnopqrst git@git.test
	done
	no admitted
	sed -i 's/ .*/ 127.0.0.0\/8/' "$FRESH/etc/ssh/sshd_config.d/50-ci.conf"
	ok host pkill -HUP -o -x sshd
	await admitted
	ok over_ssh git -C /home/carl/ssh pull -q origin main

	ok host pkill -o -x sshd
	rm "$FRESH/etc/ssh/sshd_config.d/50-ci.conf"
	undone
	day_ends
}

admitted() {
	as_carl ssh-keyscan git.test 2>/dev/null | grep -q ssh-
}

# An sshd of its own that Debian 12 had: its link names no service any more.
test_configuration_of_before() {
	begin
	day_begins
	install_debs "$DEBS"
	ok host gltoken setup --yes
	ok host gltoken doctor
	sed -i 's/^PAMServiceName/#&/' "$FRESH/etc/ssh/sshd_config.sshd-git"
	rc 1 host gltoken doctor
	says 'PAMServiceName, which is sshd'
	says 'mend: .*PAMServiceName sshd-git|PAMServiceName sshd-git'
	ok host gltoken setup --yes
	ok host gltoken doctor
	day_ends
}

E2E_TESTS="$here/../e2e/92-packages.sh $here/trixie.sh"
e2e_main "$@"
