#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Beside Unix passwords in one PAM stack, and gltoken-askpass in front of ssh.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/witness.sh
. "$E2E_LIB/witness.sh"

setup() {
	e2e_host
	echo 'alice:correct horse battery' | chpasswd
	witness_start
	witness_stack sshd-git-mixed
	printf '%s\n' 'KbdInteractiveAuthentication yes' 'PasswordAuthentication yes' >"$E2E_DIR/stock"
	SSHD_PAM=sshd sshd_start mixed "$E2E_DIR/stock"
}
SSHD=mixed

test_the_stack_is_the_documented_one() {
	grep -q '^auth *\[success=done user_unknown=ignore default=die\] *pam_gltoken.so' /etc/pam.d/sshd ||
		fail "another control line: $(cat /etc/pam.d/sshd)"
}

test_local_password() {
	both local_password
}
local_password() {
	client "$1" 'correct horse battery'
	ok ssh_ alice@host id -un
	says '^alice$'
	grep -q 'correct horse battery' /tmp/witnessed || fail "the password was not passed on"
}

test_wrong_local_password() {
	both wrong_local_password
}
wrong_local_password() {
	client "$1" 'incorrect horse'
	no ssh_ alice@host id
	says 'Permission denied'
}

test_token() {
	both token_works
}
token_works() {
	new_token --user alice --scope write_repository
	client "$1" "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
	unseen
	no ssh_ alice@host id
	unseen
}

# A refused token ends there, whatever a module behind would say: even if it is the Unix password.
test_refused_token() {
	both refused_token
}
refused_token() {
	local secret=glpat-abcdefghijklmnopqrst
	echo "alice:$secret" | chpasswd
	client "$1" "$secret"
	no ssh_ alice@host id
	says 'Permission denied'
	unseen
	logged 'decision=deny .*reason=unknown_token'
	new_token --user alice --scope write_repository
	ok gltoken revoke "$ID"
	client "$1" "$TOKEN"
	no ssh_ git@host
	unseen
	echo 'alice:correct horse battery' | chpasswd
}

test_prompt() {
	new_token --user alice --scope write_repository
	client keyboard-interactive "$TOKEN"
	ok ssh_ git@host
	grep -q 'Password (access token): ' "$T/secret.asked" || fail "asked: $(cat "$T/secret.asked")"
	[ "$(wc -l <"$T/secret.asked")" = 1 ] || fail "asked more than once: $(cat "$T/secret.asked")"
}

test_blocked_login_of_the_account_phase() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	ok ssh_ git@host
	echo 'no logins now' >/etc/nologin
	no ssh_ git@host
	rm /etc/nologin
	ok ssh_ git@host
}

# ---- gltoken-askpass ----

askpass() { # COMMAND... with the token in a file of mode 0600 and ssh asking three times
	as_dev env SSH_ASKPASS="$(command -v gltoken-askpass)" GLTOKEN_TOKEN_FILE="$T/token" "$@"
}

askpass_client() {
	new_token --user alice --scope write_repository
	client keyboard-interactive x 'NumberOfPasswordPrompts 3'
	sed -i '/^NumberOfPasswordPrompts 1/d' "$T/ssh_config"
	install -m 600 -o dev -g dev /dev/null "$T/token"
	echo "$TOKEN" >"$T/token"
}

test_askpass() {
	askpass_client
	ok askpass git ls-remote git@host:demo/hello.git
	says refs/heads/main
}

test_askpass_costs_one_attempt() {
	askpass_client
	ok gltoken revoke "$ID"
	LIMIT=20 no askpass git ls-remote git@host:demo/hello.git
	says 'Permission denied'
	log_settles
	[ "$(log_since | grep -cE 'event=login .*reason=revoked')" = 1 ] || fail "attempts: $(log_since)"
}

test_askpass_checks_the_mode() {
	askpass_client
	chmod 644 "$T/token"
	no askpass gltoken-askpass 'Password: '
	hides "${TOKEN:(-14)}"
	says 'nobody else may read'
	chmod 600 "$T/token"
	ok askpass gltoken-askpass 'Password: '
	[ "$(cat "$T/out")" = "$TOKEN" ] || fail "another answer: $(outcome)"
}

test_askpass_credentials_directory() {
	askpass_client
	install -d -m 500 -o dev -g dev "$T/credentials"
	install -m 400 -o dev -g dev "$T/token" "$T/credentials/gltoken-token"
	ok as_dev env CREDENTIALS_DIRECTORY="$T/credentials" gltoken-askpass 'Password: '
	[ "$(cat "$T/out")" = "$TOKEN" ] || fail "another answer: $(outcome)"
}

e2e_main "$@"
