# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# The torture test inside a private root, in a file that has sourced e2e.sh.

# A host whose store is on a small disk.
torture_host() {
	e2e_host
	cc -std=c11 -D_GNU_SOURCE -Wall -o "$E2E_DIR/pam-login" "$E2E_LIB/pam-login.c" -lpam
	local u
	for u in alice bob carol dave erin; do gltoken member remove demo "$u" || true; done >/dev/null 2>&1
	gltoken user add lookup
	printf '[policy]\nretention_days = 0\n' >/etc/gltoken/gltoken.conf # so that reap has something to do
	cp -a /var/lib/gltoken "$E2E_DIR/state"
	mount -t tmpfs -o size=48m,mode=755 torture /var/lib/gltoken
	cp -a "$E2E_DIR/state/." /var/lib/gltoken/
	# A store with nothing in it, as another host has it.
	mv /var/lib/gltoken/store "$E2E_DIR/state.store"
	gltoken init >/dev/null
	mv /var/lib/gltoken/store /root/torture.empty
	mv "$E2E_DIR/state.store" /var/lib/gltoken/store
	gltoken publish
}

torture_run() { # ARGUMENT OF torture.pl...
	perl "$E2E_LIB/torture.pl" --pam-login "$E2E_DIR/pam-login" "$@"
}
