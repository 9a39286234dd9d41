#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# user sync: who may not use their account any more is blocked, by the word of the real libpam.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

SERVICE=/etc/pam.d/gltoken-owner

setup() {
	e2e_host
	cp $SERVICE /srv/owner.kept
}

json() {
	jq -e "$1" "$T/out" >/dev/null || fail "not so: $1: $(outcome)"
}

# pam_debug gives any answer.
pam_says() {
	printf 'account required pam_debug.so acct=%s\n' "$1" >$SERVICE
}

state_of() { # USER
	gltoken user list --json | jq -r ".[] | select(.username == \"$1\") | [.state, .blocked_why] | join(\" \")"
}

test_disabled_and_back() {
	new_token --user alice --scope read_repository
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
	ok gltoken user sync
	says '0 blocked'
	usermod -e 1 alice
	ok git_ ls-remote git@host:demo/hello.git
	ok gltoken user sync --dry-run
	says 'alice +blocked'
	ok git_ ls-remote git@host:demo/hello.git
	ok gltoken user sync
	no git_ ls-remote git@host:demo/hello.git
	logged 'reason=owner_blocked'
	[ "$(state_of alice)" = 'blocked user sync: account expired or disabled' ] || fail "state: $(state_of alice)"
	ok gltoken user sync
	says '0 blocked'
	usermod -e '' alice
	ok gltoken user sync --json
	json 'any(.[]; .username == "alice" and .result == "unblocked")'
	ok git_ ls-remote git@host:demo/hello.git
	ok gltoken audit list --object alice --json
	json 'map(.action) | index("user.block") != null and index("user.unblock") != null'
}

# A locked password is no locked account, a password to be changed neither; inactivity after it expired is.
test_passwords_and_accounts() {
	new_token --user bob --scope read_repository
	passwd -l bob >/dev/null
	chage -d 0 bob
	ok gltoken user sync
	[[ $(state_of bob) != blocked* ]] || fail "blocked for a password"
	chage -d 2020-01-01 -M 10 -I 10 bob
	ok gltoken user sync
	[[ $(state_of bob) == blocked*password* ]] || fail "state: $(state_of bob)"
	chage -d "$(date +%F)" -M -1 -I -1 bob
	ok gltoken user sync
	[[ $(state_of bob) != blocked* ]] || fail "still blocked"
	chage -E 0 bob
	ok gltoken user sync
	[[ $(state_of bob) == blocked*expired* ]] || fail "state: $(state_of bob)"
	chage -E -1 bob
	ok gltoken user sync
}

test_a_persons_block_stays() {
	new_token --user carol --scope read_repository
	ok gltoken user block carol --reason 'on leave'
	ok gltoken user sync
	[ "$(state_of carol)" = 'blocked on leave' ] || fail "sync unblocked: $(state_of carol)"
	ok gltoken user unblock carol
	usermod -e 1 carol
	ok gltoken user sync
	ok gltoken user block carol --reason 'left us'
	usermod -e '' carol
	ok gltoken user sync
	[ "$(state_of carol)" = 'blocked left us' ] || fail "sync unblocked: $(state_of carol)"
	ok gltoken user unblock carol
}

test_verdicts() {
	local answer
	new_token --user dave --scope read_repository
	for answer in authinfo_unavail auth_err system_err service_err cred_insufficient user_unknown; do
		pam_says $answer
		rc 3 gltoken user sync
		[[ $(state_of dave) != blocked* ]] || fail "$answer blocked"
	done
	for answer in perm_denied acct_expired authtok_expired; do
		pam_says $answer
		ok gltoken user sync
		[[ $(state_of dave) == 'blocked user sync: '* ]] || fail "$answer did not block: $(state_of dave)"
		pam_says authinfo_unavail
		rc 3 gltoken user sync
		[[ $(state_of dave) == blocked* ]] || fail "a directory that is down unblocked"
		pam_says success
		ok gltoken user sync
		[[ $(state_of dave) != blocked* ]] || fail "still blocked"
	done
	echo 'account required pam_no_such_module.so' >$SERVICE
	rc 3 gltoken user sync
	[[ $(state_of dave) != blocked* ]] || fail "a missing module blocked"
	rm $SERVICE
	rc 3 gltoken user sync
	says 'no PAM service'
	[[ $(state_of dave) != blocked* ]] || fail "a missing service blocked"
	cp /srv/owner.kept $SERVICE
}

test_gone_and_virtual() {
	useradd -m -s /bin/bash fay
	gltoken user add zoe
	new_token --user fay --scope read_repository
	new_token --user zoe --scope read_repository
	userdel fay
	ok gltoken user sync
	[ "$(state_of fay)" = 'blocked user sync: account gone' ] || fail "state: $(state_of fay)"
	[[ $(state_of zoe) == active* ]] || fail "a user without an account was blocked"
	rc 2 gltoken user sync now
	rc 3 setpriv --reuid nobody --regid nogroup --clear-groups gltoken user sync
}

e2e_main "$@"
