#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each way in which a token can be no good is denied with its own reason in the log and in `gltoken explain`,
# and with one and the same answer to the client.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	useradd -m -G gltoken,git -s "$(command -v gltoken-shell)" fay
	gltoken member set demo fay developer
}

GENERIC=''
# The login fails, the client learns nothing, the log has the reason.
login_denied() { # REASON [USER]
	local method answer secret user=${2-git}
	for method in password keyboard-interactive; do
		client "$method" "$TOKEN"
		no ssh_ "$user@host"
		answer=$(sed "s/$user@/U@/; s/($method)/(M)/" "$T/err")
		: "${GENERIC:=$answer}"
		[ "$answer" = "$GENERIC" ] || fail "another answer than '$GENERIC': $answer"
		[[ $answer == *'Permission denied'* ]] || fail "not sshd's answer: $answer"
		hides "$1|token|revoked|expired"
	done
	logged "event=login .*decision=deny .*reason=$1 "
	secret=${TOKEN: -14}
	if log_since | grep -F -- "${secret:-$TOKEN}"; then fail "the secret is in the log"; fi
}

git_denied() { # REASON OPERATION PROJECT TEXT
	client password "$TOKEN"
	if [ "$2" = pull ]; then
		no git_ ls-remote "git@host:$3.git"
	else
		[ -d "$T/c" ] || work_tree "$T/c"
		no git_ -C "$T/c" push "git@host:$3.git" HEAD:refs/heads/denied
	fi
	says "$4"
	logged "event=git .*decision=deny .*reason=$1 .*operation=$2 .*repository=$3 .*token=$ID "
	explained "$1" "$2" "$3"
}

explained() { # REASON OPERATION PROJECT
	rc 1 gltoken explain --id "$ID" --repo "$3" --op "$2"
	says "$1"
	INPUT=$TOKEN rc 1 gltoken explain --stdin --repo "$3" --op "$2"
	says "$1"
	hides "${TOKEN:(-14)}"
}

test_control() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	ok ssh_ git@host
	ok gltoken explain --id "$ID" --repo demo/hello --op push
	INPUT=$TOKEN ok gltoken explain --stdin --repo demo/hello --op push
}

test_revoked() {
	new_token --user alice --scope write_repository
	ok gltoken revoke "$ID" --reason 'laptop lost'
	login_denied revoked
	explained revoked pull demo/hello
	logged "token=$ID "
}

test_expired() {
	new_token --user alice --scope write_repository --expires 1h
	ok gltoken expire "$ID" --at now
	login_denied expired
	explained expired pull demo/hello
	logged "token=$ID "
}

test_expires_by_itself() {
	local at=$(($(date +%s) + 8))
	new_token --user alice --scope write_repository --expires "$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)"
	client password "$TOKEN"
	ok ssh_ git@host
	await_second "$at"
	login_denied expired
}

test_paused() {
	new_token --user alice --scope write_repository
	ok gltoken edit "$ID" --pause
	login_denied paused
	explained paused push demo/hello
	ok gltoken edit "$ID" --resume
	client password "$TOKEN"
	ok ssh_ git@host
}

test_used_up() {
	new_token --user alice --scope write_repository --max-uses 1
	client password "$TOKEN"
	ok ssh_ git@host
	login_denied used_up
	explained used_up push demo/hello
}

test_busy() {
	local i pids=()
	cp /etc/gltoken/gltoken.conf "$T/conf"
	printf '[hash]\nslots = 2\nwait = 1s\n[cache]\nenabled = no\n' >>/etc/gltoken/gltoken.conf
	new_token --user alice --scope write_repository
	for i in 0 1; do
		: >>"/run/gltoken/slot.$i"
		chown gltoken: "/run/gltoken/slot.$i"
		chmod 600 "/run/gltoken/slot.$i"
		flock -o "/run/gltoken/slot.$i" sleep 100 & # -o: the lock is flock's alone
		pids+=($!)
		while flock -n "/run/gltoken/slot.$i" true; do sleep 0.05; done
	done
	login_denied busy
	kill -KILL "${pids[@]}"
	cp "$T/conf" /etc/gltoken/gltoken.conf
	client password "$TOKEN"
	ok ssh_ git@host
}

test_not_yet_valid() {
	local at
	new_token --user alice --scope write_repository --not-before 2d
	login_denied not_yet_valid
	explained not_yet_valid pull demo/hello
	at=$(($(date +%s) + 12))
	new_token --user alice --scope write_repository --not-before "$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%SZ)"
	login_denied not_yet_valid
	await_second "$at"
	client password "$TOKEN"
	ok ssh_ git@host
}

test_wrong_account() {
	new_token --user alice --scope write_repository
	login_denied wrong_account fay
	new_token --project demo/hello --role developer --scope write_repository
	login_denied wrong_account fay
	new_token --user fay --scope write_repository
	client password "$TOKEN"
	ok ssh_ fay@host
	ok ssh_ git@host
}

test_unknown_token() {
	new_token --user alice --scope write_repository
	TOKEN=${TOKEN:0:6}zzzzzz${TOKEN: -14}
	login_denied unknown_token
}

test_wrong_secret() {
	local good
	new_token --user alice --scope write_repository
	good=$TOKEN
	# Of two other last letters, one at least differs in `quick` and one may not: both are wrong.
	for c in A B; do
		TOKEN=${good%?}$c
		if [ "$TOKEN" = "$good" ]; then TOKEN=${good%?}C; fi
		login_denied wrong_secret
	done
	TOKEN=$good
	client password "$TOKEN"
	ok ssh_ git@host
}

test_not_a_token() {
	for TOKEN in 'correct horse battery staple' 'glpat-' 'glpat-12345678901234567890x' 'GLPAT-12345678901234567890' \
		' glpat-12345678901234567890' "$(head -c 400 /dev/zero | tr '\0' x)"; do
		login_denied not_a_token
	done
}

test_empty_secret() {
	for method in password keyboard-interactive; do
		client "$method" ''
		no ssh_ git@host
		says 'Permission denied'
	done
}

test_unknown_account() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	no ssh_ nosuchuser@host
	says 'Permission denied'
	logged 'unknown to NSS|account unknown|nosuchuser'
}

test_root_is_not_opened() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	no ssh_ root@host
	says 'Permission denied'
}

test_wrong_project() {
	new_token --project demo/other --role developer --scope write_repository
	git_denied wrong_project pull demo/hello 'could not be found'
	git_denied wrong_project push demo/hello 'could not be found'
	new_token --group demo --role developer --scope write_repository
	git_denied wrong_project pull secret/vault 'could not be found'
}

test_not_a_member() {
	new_token --user carol --scope api
	git_denied not_a_member pull demo/hello 'could not be found'
	new_token --user dave --scope api
	git_denied not_a_member push demo/hello 'could not be found'
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/other.git
}

test_wrong_role() {
	new_token --user bob --scope write_repository
	git_denied role_too_low push demo/hello 'not allowed to push code to this project'
	new_token --project demo/hello --role guest --scope write_repository
	git_denied role_too_low pull demo/hello 'not allowed to download code from this project'
	new_token --project demo/hello --role reporter --scope write_repository
	git_denied role_too_low push demo/hello 'not allowed to push code to this project'
}

test_wrong_scope() {
	new_token --user alice --scope read_repository
	git_denied scope_missing push demo/hello 'not allowed to upload code'
	new_token --user alice --scope read_registry,read_user
	git_denied scope_missing pull demo/hello 'not allowed to download code'
	new_token --user alice --scope read_api
	git_denied scope_missing push demo/hello 'not allowed to upload code'
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
}

test_limited_to_other_repositories() {
	new_token --user alice --scope write_repository --only-repo 'demo/o*'
	git_denied repository_not_allowed pull demo/hello 'could not be found|not allowed'
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/other.git
}

test_wrong_address() {
	new_token --user alice --scope write_repository --allow-from 192.0.2.0/24,127.0.0.9/32
	login_denied address_not_allowed
	rc 1 gltoken explain --id "$ID" --repo demo/hello --op pull --from 127.0.0.1
	says address_not_allowed
	ok gltoken explain --id "$ID" --repo demo/hello --op pull --from 192.0.2.7
	client password "$TOKEN" 'BindAddress 127.0.0.9'
	ok ssh_ git@host
}

test_wrong_service() {
	new_token --user alice --scope write_repository --service http
	login_denied service_not_allowed
	new_token --user alice --scope write_repository --service sshd,http
	client password "$TOKEN"
	ok ssh_ git@host
}

# Scopes taken and given, members gone: it counts at the next request, whatever is remembered.
test_changes_count_at_once() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	work_tree "$T/c"
	ok git_ -C "$T/c" push origin HEAD:refs/heads/at-once
	ok gltoken scope "$ID" --set read_repository
	commit "$T/c"
	no git_ -C "$T/c" push origin HEAD:refs/heads/at-once
	ok gltoken scope "$ID" --add write_repository
	ok git_ -C "$T/c" push origin HEAD:refs/heads/at-once
	ok gltoken member remove demo alice
	no git_ ls-remote git@host:demo/hello.git
	says 'could not be found'
	ok gltoken member set demo alice developer
	ok git_ ls-remote git@host:demo/hello.git
	userdel alice
	no ssh_ git@host
	useradd -M -s /bin/bash alice
	ok gltoken revoke "$ID"
}

# Somebody who gets the name of an account that is gone does not get its tokens.
test_reused_account_name() {
	useradd -M -u 4001 -s /bin/bash gus
	ok gltoken member set demo gus developer
	new_token --user gus --scope write_repository
	client password "$TOKEN"
	ok ssh_ git@host
	userdel gus
	login_denied owner_gone
	useradd -M -u 4002 -s /bin/bash gus
	login_denied owner_gone
}

e2e_main "$@"
