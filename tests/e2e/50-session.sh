#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Session tickets: what the client, the user's files or another session bring gives nothing.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	useradd -m -G gltoken,git -s "$(command -v gltoken-shell)" fay
	gltoken member set demo fay developer
	# As wrong as a configuration can be: all that a client or a user sends comes in.
	mkdir -p "/etc/ssh/keys"
	sshd_start open "$SHIPPED/sshd_config.sshd-git" 'AcceptEnv GLTOKEN_*' 'PermitUserEnvironment yes' \
		"AuthorizedKeysFile /etc/ssh/keys/%u"
}

# A ticket of alice on the account git (or of another token or account), as sshd's PAM module would get it.
ticket_of() { # SECRET [ACCOUNT]
	printf '%s\n' verb=verify "secret=$1" "account=${2-git}" service=sshd rhost=192.0.2.1 '' |
		timeout 30 "$HELPER" | sed -n 's/^ticket=//p'
}
HELPER=/usr/libexec/gltoken/gltoken-auth

# The Git shell with a ticket in its environment, as sshd starts it.
shell_with() { # TICKET [ACCOUNT] [PROJECT]
	local user=${2-git}
	INPUT=0000 run setpriv --reuid "$user" --regid "$user" --init-groups env -i GLTOKEN_SESSION="$1" PATH="$PATH" \
		HOME=/ gltoken-shell -c "git-upload-pack '${3-demo/hello}'"
}

opens() {
	shell_with "$@"
	if [ "$RC" != 0 ] || ! grep -aq refs/heads "$T/out"; then fail "should open: $(outcome)"; fi
}

opens_nothing() {
	# An alteration that alters nothing would be found here.
	[ "${2-}" ] || [ "$1" != "${UNALTERED-}" ] || fail "the ticket is the good one"
	shell_with "$@"
	[ "$RC" != 0 ] || fail "should open nothing: $(outcome)"
	hides refs/heads
}

alices_ticket() {
	new_token --user alice --scope write_repository
	TICKET=$(ticket_of "$TOKEN")
	[ -n "$TICKET" ] || fail "no ticket for alice"
}

test_control() {
	alices_ticket
	opens "$TICKET"
	opens_nothing "$TICKET" git secret/vault
	says 'could not be found'
}

test_altered() {
	local i t
	alices_ticket
	UNALTERED=$TICKET
	opens_nothing ''
	opens_nothing none
	opens_nothing "${TICKET}x"
	opens_nothing "${TICKET%?}"
	opens_nothing "$TICKET.$TICKET"
	opens_nothing "${TICKET/v1/v2}"
	opens_nothing "${TICKET/.t./.k.}"
	opens_nothing "${TICKET/.t./.a.}"
	opens_nothing "${TICKET/.git./.fay.}"
	opens_nothing "${TICKET/192%2E0%2E2%2E1/192%2E0%2E2%2E2}"
	opens_nothing "${TICKET/.$ID./.$((ID + 1)).}"
	for ((i = 0; i < ${#TICKET}; i += 7)); do
		case ${TICKET:i:1} in
		A | a | 1) t=${TICKET:0:i}b${TICKET:i+1} ;;
		*) t=${TICKET:0:i}1${TICKET:i+1} ;;
		esac
		opens_nothing "$t"
	done
	opens "$TICKET"
}

test_of_another_account() {
	local fays
	alices_ticket
	opens_nothing "$TICKET" fay
	logged 'reason=bad_ticket'
	new_token --user fay --scope write_repository
	fays=$(ticket_of "$TOKEN" fay)
	opens "$fays" fay
	opens_nothing "$fays" git
	# One who may not even ask.
	opens_nothing "$TICKET" dev
}

test_of_another_boot() {
	alices_ticket
	echo 01234567-89ab-4cde-8f01-23456789abcd >"$T/boot_id"
	chmod 644 "$T/boot_id"
	opens "$TICKET"
	mount --bind "$T/boot_id" /proc/sys/kernel/random/boot_id
	opens_nothing "$TICKET"
	opens "$(ticket_of "$TOKEN")"
	umount /proc/sys/kernel/random/boot_id
	opens "$TICKET"
}

test_of_a_revoked_token() {
	alices_ticket
	opens "$TICKET"
	ok gltoken revoke "$ID"
	opens_nothing "$TICKET"
	says 'revoked'
	logged "event=git .*decision=deny .*reason=revoked .*token=$ID"
}

test_of_an_expired_token() {
	alices_ticket
	ok gltoken expire "$ID" --at now
	opens_nothing "$TICKET"
	says 'expired'
}

test_older_than_a_session_lives() {
	local conf=/etc/gltoken/gltoken.conf
	alices_ticket
	cp "$conf" "$T/conf"
	printf '[git]\nsession_lifetime = 1s\n' >"$conf"
	sleep 2.1
	opens_nothing "$TICKET"
	cp "$T/conf" "$conf"
	opens "$TICKET"
}

# Only root and the account of gltoken-http are given one.
test_not_minted_for_a_user() {
	new_token --user alice --scope write_repository
	printf '%s\n' verb=verify "secret=$TOKEN" account=git service=sshd '' >"$T/request"
	chmod 644 "$T/request"
	ok setpriv --reuid fay --regid fay --init-groups sh -c "exec $HELPER <$T/request"
	says 'reason='
	hides '^ticket='
	ok sh -c "exec $HELPER <$T/request"
	says '^ticket='
}

# ---- through sshd ----

bad_tickets() {
	local old
	alices_ticket
	echo "$TICKET"
	new_token --user fay --scope write_repository
	ticket_of "$TOKEN" fay
	new_token --user alice --scope write_repository
	old=$(ticket_of "$TOKEN")
	gltoken revoke "$ID" >&2
	echo "$old"
	echo v1.t.1.git.sshd.local.1.0000000000000000
	echo none
}

# carol is a member of nothing. With whatever she sends, that is what she stays.
carol_stays_carol() { # METHOD SECRET TICKET
	SSHD=open client "$1" "$2" "SetEnv GLTOKEN_SESSION=$3"
	ok ssh_ git@host
	says carol
	hides 'alice|fay'
	no git_ ls-remote git@host:demo/hello.git
	says 'could not be found'
	hides 'refs/heads'
}

test_sent_by_the_client() {
	local t key
	key=$(new_key)
	INPUT=$(cat "$key.pub") ok gltoken key add carol
	mapfile -t tickets < <(bad_tickets)
	[ ${#tickets[@]} = 5 ] || fail "not all tickets were made"
	# The variable does arrive where PAM does not set it: or this would test nothing.
	opens "${tickets[0]}"
	new_token --user carol --scope api
	for t in "${tickets[@]}"; do
		carol_stays_carol password "$TOKEN" "$t"
		carol_stays_carol keyboard-interactive "$TOKEN" "$t"
		carol_stays_carol publickey "$key" "$t"
	done
}

test_in_the_users_files() {
	local key home
	key=$(new_key)
	home=$(getent passwd git | cut -d: -f6)
	INPUT=$(cat "$key.pub") ok gltoken key add carol
	alices_ticket
	mkdir -p "$home/.ssh"
	echo "GLTOKEN_SESSION=$TICKET" >"$home/.ssh/environment"
	new_token --user carol --scope api
	carol_stays_carol password "$TOKEN" x
	carol_stays_carol keyboard-interactive "$TOKEN" x
	carol_stays_carol publickey "$key" x
	rm -r "$home/.ssh"
}

# A key that sshd knows and the store does not: it opens the account, and there is nobody behind it.
test_in_authorized_keys() {
	local key
	key=$(new_key)
	alices_ticket
	echo "environment=\"GLTOKEN_SESSION=$TICKET\" $(cat "$key.pub")" >"/etc/ssh/keys/git"
	SSHD=open client publickey "$key" "SetEnv GLTOKEN_SESSION=$TICKET"
	no git_ ls-remote git@host:demo/hello.git
	hides 'refs/heads'
	says 'did not log in with an access token'
	echo "command=\"gltoken-shell --user alice\" $(cat "$key.pub")" >"/etc/ssh/keys/git"
	no git_ ls-remote git@host:demo/hello.git
	hides 'refs/heads'
	no ssh_ git@host "gltoken-shell --user alice"
	hides alice
	rm "/etc/ssh/keys/git"
}

# On a person's own account the person's own identity stands, not what the key's line says.
test_in_a_persons_authorized_keys() {
	local key
	key=$(new_key)
	new_token --user erin --scope write_repository
	TICKET=$(ticket_of "$TOKEN")
	opens "$TICKET" git secret/vault
	echo "environment=\"GLTOKEN_SESSION=$TICKET\" $(cat "$key.pub")" >"/etc/ssh/keys/fay"
	echo "GLTOKEN_SESSION=$TICKET" >/tmp/environment
	install -d -o fay -g fay /home/fay/.ssh
	install -o fay -g fay /tmp/environment /home/fay/.ssh/environment
	SSHD=open client publickey "$key" "SetEnv GLTOKEN_SESSION=$TICKET"
	ok ssh_ fay@host
	says fay
	hides erin
	no git_ ls-remote fay@host:secret/vault.git
	hides 'refs/heads'
	ok git_ ls-remote fay@host:demo/hello.git
	rm -r "/etc/ssh/keys/fay" /home/fay/.ssh
}

test_name_on_the_command_line() {
	local cmd
	new_token --user carol --scope api
	client password "$TOKEN"
	for cmd in 'gltoken-shell --user alice' 'gltoken-shell alice' "gltoken-shell -c \"git-upload-pack 'demo/hello'\"" \
		"/usr/bin/gltoken-shell -c \"git-upload-pack 'demo/hello'\"" \
		"GLTOKEN_SESSION=x git-upload-pack 'demo/hello'"; do
		INPUT=0000 run ssh_ git@host "$cmd"
		hides 'alice|refs/heads'
	done
}

# The ticket reads the record afresh: a session that is open already is not a way around a revocation.
test_revoked_during_a_session() {
	new_token --user alice --scope write_repository
	client password "$TOKEN" 'ControlMaster auto' "ControlPath $T/mux" 'ControlPersist 60'
	ok git_ ls-remote git@host:demo/hello.git
	ok ssh_ -O check git@host
	ok gltoken revoke "$ID"
	no git_ ls-remote git@host:demo/hello.git
	says 'revoked'
	hides 'refs/heads'
	ok ssh_ -O exit git@host
}

# Between authenticate and acct_mgmt: PAM revokes the token right after the module said yes.
test_revoked_between_the_phases() {
	local pam=/etc/pam.d/sshd-git method
	cp "$pam" "$T/pam"
	sed "/^auth .*pam_gltoken/a auth optional pam_exec.so quiet type=auth $T/between" "$T/pam" >"$pam"
	for method in password keyboard-interactive; do
		new_token --user alice --scope write_repository
		printf '#!/bin/sh\nexec /usr/bin/gltoken revoke %s\n' "$ID" >"$T/between"
		chmod 755 "$T/between"
		client "$method" "$TOKEN"
		no ssh_ git@host
		says 'Permission denied|Connection closed|Authentication failed'
		logged "event=login .*decision=allow .*token=$ID"
		logged "event=account .*decision=deny .*reason=revoked .*token=$ID"
	done
	cp "$T/pam" "$pam"
}

# What sshd starts, started wrongly, or where it cannot ask.
test_programs_of_sshd() {
	local keys=/usr/libexec/gltoken/gltoken-keys key=AAAAC3NzaC1lZDI1NTE5AAAAIEFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB
	ok gltoken-shell --help
	says '^usage: gltoken-shell'
	ok gltoken-shell --version
	rc 2 gltoken-shell --other
	rc 2 gltoken-shell -c
	rc 2 $keys git
	says 'AuthorizedKeysCommand'
	rc 2 $keys 'no account' ssh-ed25519 $key
	rc 2 $keys git 'ssh ed25519' $key
	rc 2 $keys git ssh-ed25519 short
	rc 2 $keys git ssh-ed25519 "$key"$'\nssh-ed25519'
	ok $keys git ssh-ed25519 $key
	[ ! -s "$T/out" ] || fail "an unknown key opens something: $(outcome)"
	run setpriv --reuid nobody --regid nogroup --clear-groups $keys git ssh-ed25519 $key
	[ "$RC" = 1 ] || fail "nobody may not ask: $(outcome)"
	[ ! -s "$T/out" ] || fail "who may not ask opens something: $(outcome)"
	cp -a /etc/gltoken "$T/etc"
	mv /var/lib/gltoken/gltoken.conf.valid "$T/valid"
	echo '[nonsense]' >/etc/gltoken/gltoken.conf
	run setpriv --reuid git --regid git --init-groups gltoken-shell -c "git-upload-pack 'demo/hello'"
	cp -a "$T/etc/." /etc/gltoken/
	mv "$T/valid" /var/lib/gltoken/gltoken.conf.valid
	[ "$RC" != 0 ] || fail "it serves without a configuration: $(outcome)"
	says 'emporarily unavailable'
	logged 'gltoken-shell.*reason=config_error'
}

e2e_main "$@"
