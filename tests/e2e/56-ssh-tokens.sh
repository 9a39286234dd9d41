#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tokens made, listed, rotated and revoked over SSH by those whose they are.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

CONF=/etc/gltoken/gltoken.conf

setup() {
	e2e_host
	useradd -m -s /bin/bash mia
	useradd -m -s /bin/bash olaf
	useradd -m -G gltoken,git -s "$(command -v gltoken-shell)" fay
	gltoken member set demo mia maintainer
	gltoken member set demo olaf owner
	gltoken member set demo fay developer
	mkdir -p /etc/ssh/keys
	sshd_start open "$SHIPPED/sshd_config.sshd-git" "AuthorizedKeysFile /etc/ssh/keys/%u"
}

# ---- who asks ----

by_token() { # USER SCOPES [ARGUMENT]...
	new_token --user "$1" --scope "${@:2}"
	client password "$TOKEN"
}

by_key() { # USER
	local key
	key=$(new_key)
	INPUT=$(cat "$key.pub") ok gltoken key add "$1"
	client publickey "$key"
}

# ---- what is answered ----

boxed() { # MESSAGE COMMAND...
	local want line='remote: ========================================================================'
	want=$(printf 'remote: \n%s\nremote: \nremote: %s\nremote: \n%s\nremote: ' "$line" "$1" "$line")
	shift
	rc 1 ssh_ git@host "$@"
	[ ! -s "$T/out" ] || fail "something on standard output: $(outcome)"
	[ "$(cat "$T/err")" = "$want" ] || fail "should say, in its box: $want; but: $(outcome)"
}

# The three lines, exactly; $NEW is the token.
minted() { # SCOPES DATE COMMAND...
	local scopes=$1 date=$2
	shift 2
	ok ssh_ "${AS:-git}@host" "$@"
	NEW=$(sed -n '1s/^Token:   //p' "$T/out")
	[[ $NEW =~ ^glpat-[0-9A-Za-z]{20}$ ]] || fail "no token: $(outcome)"
	[ "$(sed 1d "$T/out")" = "Scopes:  $scopes
Expires: $date" ] || fail "should be $scopes until $date: $(outcome)"
	[ ! -s "$T/err" ] || fail "something on standard error: $(outcome)"
}

in_days() {
	date -u -d "+$1 days" +%F
}

id_of() { # NAME of a token of alice
	gltoken show "alice/$1" --json | jq -r .id
}

# ---- personal ----

test_first_token_by_key() {
	by_key alice
	minted read_repository,write_repository "$(in_days 30)" personal_access_token first read_repository,write_repository
	client password "$NEW"
	ok git_ clone -q git@host:demo/hello.git "$T/hello"
	commit "$T/hello"
	ok git_ -C "$T/hello" push -q origin HEAD:first
	logged 'gltoken-shell.* event=token decision=allow reason=ok operation=mint token=[0-9]+ actor="alice by public key" account=git service=sshd rhost=127.0.0.1'
	quiet "$NEW"
}

# sshd let her in by a module or a file that is not ours: on her own account that is who she is.
test_first_token_on_ones_own_account() {
	local key
	key=$(new_key)
	cp "$key.pub" /etc/ssh/keys/fay
	SSHD=open client publickey "$key"
	AS=fay minted write_repository "$(in_days 30)" personal_access_token own write_repository
	rm /etc/ssh/keys/fay
	client password "$NEW"
	ok ssh_ git@host whoami
	says '^User: +fay$'
	says '^Name: +own$'
}

test_by_a_token_with_api() {
	by_token alice api
	minted read_api,read_repository "$(in_days 8)" personal_access_token week read_repository,read_api 7
	client password "$NEW"
	ok git_ ls-remote git@host:demo/hello.git
	boxed 'no scope of the token allows this: scope api is needed' personal_access_token more read_api
}

test_ends_with_the_token_that_made_it() {
	by_token alice api --expires 5d
	ok ssh_ git@host personal_access_token short read_repository 300
	says "^Expires: $(in_days 5)"
	says '^It ends with the token of this login, sooner than was asked for.$'
	ok ssh_ git@host personal_access_token sooner read_repository 2
	says "^Expires: $(in_days 3)"
	hides sooner
}

test_never_more_than_the_session_has() {
	by_token alice api
	boxed "no scope of the token allows this: the session's own token does not have sudo" \
		personal_access_token x sudo,read_api
	by_key alice
	boxed 'no scope of the token allows this: only an administrator issues sudo,admin_mode' \
		personal_access_token x admin_mode,read_api,sudo
	minted api "$(in_days 30)" personal_access_token with-api api
}

test_usage() {
	local usage='Usage: personal_access_token <name> <scope1[,scope2,...]> [ttl_days]' word
	by_key bob
	boxed "$usage" personal_access_token
	boxed "$usage" personal_access_token name
	boxed "$usage" personal_access_token name api 1 more
	for word in x -1 0x10 1.5 99999999999999999999 1000000; do
		boxed "Invalid value for days_ttl: '$word'" personal_access_token name api "$word"
	done
	rc 1 ssh_ git@host personal_access_token name api,no_such
	says "^remote: Invalid scope: 'no_such'. Valid scopes are: \[api,.*\]$"
	rc 1 ssh_ git@host personal_access_token name "''"
	says "^remote: Invalid scope: ''"
	boxed 'the command ends within a quote' "personal_access_token 'name api"
	boxed 'Usage: project_access_token <path> <name> <scope1[,scope2,...]> <role> [ttl_days]' project_access_token
	boxed 'Usage: group_access_token <path> <name> <scope1[,scope2,...]> <role> [ttl_days]' group_access_token a b c
	rc 1 ssh_ git@host project_access_token ../demo name read_repository reporter
	says "^remote: path '../demo'"
	boxed 'Usage: tokens show <id|self>' tokens show
	boxed 'Usage: tokens [list|show|rotate|revoke]' tokens destroy
	ok gltoken list --user bob --json
	hides '"id"'
	rc 1 ssh_ git@host personal_access_tokens name api
	says '^Disallowed command$'
}

# What a shell would expand is sent and comes back as it is.
# shellcheck disable=SC2016
test_names_with_blanks() {
	by_key alice
	minted read_api "$(in_days 30)" "personal_access_token 'my laptop' read_api"
	minted read_api "$(in_days 30)" 'personal_access_token "the \"big\" one; rm -rf / #" read_api'
	minted read_api "$(in_days 30)" 'personal_access_token $HOME\ *`id` read_api'
	ok ssh_ git@host tokens
	says ' my laptop$'
	says ' the "big" one; rm -rf / #$'
	says ' \$HOME \*`id`$'
	boxed "alice has an active token 'my laptop' already: id $(id_of 'my laptop')" \
		"personal_access_token 'my laptop' read_api"
}

test_policy_is_said() {
	by_key alice
	printf '[policy]\nmax_lifetime = 10d\ndefault_lifetime = 5d\n' >"$CONF"
	rc 1 ssh_ git@host personal_access_token long read_api 30
	says 'max_lifetime = 10d'
	rc 1 ssh_ git@host personal_access_token long read_api
	says 'max_lifetime = 10d'
	minted read_api "$(in_days 10)" personal_access_token nine read_api 9
	: >"$CONF"
}

test_nobody_and_robots() {
	local key
	key=$(new_key)
	cp "$key.pub" /etc/ssh/keys/git
	SSHD=open client publickey "$key"
	boxed 'You did not log in with an access token or with a public key that is known here.' \
		personal_access_token x read_api
	rm /etc/ssh/keys/git
	new_token --project demo/hello --role maintainer --scope api
	client password "$TOKEN"
	rc 1 ssh_ git@host personal_access_token x read_api
	says 'a project token changes no token but itself'
	rc 1 ssh_ git@host project_access_token demo/hello x read_api guest
	says 'a project token sees no token but itself'
	rc 1 ssh_ git@host group_access_token demo x read_api guest
	says 'a project token changes no token but itself'
}

# A ticket of a connection that stays open grows old; younger ones are not taken for it.
test_stale_ticket() {
	by_key alice
	cat "$T/ssh_config" >"$T/fresh"
	printf '%s\n' 'ControlMaster auto' "ControlPath $T/mux" 'ControlPersist 60' | cat - "$T/fresh" >"$T/ssh_config"
	minted read_api "$(in_days 30)" personal_access_token young read_api
	printf '[git]\nsession_lifetime = 1s\n' >"$CONF"
	sleep 2.1
	boxed 'Your session is not valid any more. Please log in again.' personal_access_token old read_api
	boxed 'Your session is not valid any more. Please log in again.' tokens
	logged 'event=token decision=deny reason=bad_ticket operation=mint'
	: >"$CONF"
	minted read_api "$(in_days 30)" personal_access_token again read_api
	ssh_ -O exit git@host || fail 'no connection was kept open'
}

# ---- projects and groups ----

test_project_token() {
	by_key mia
	minted write_repository "$(in_days 31)" project_access_token demo/hello deployer write_repository developer 30
	client password "$NEW"
	ok git_ clone -q git@host:demo/hello.git "$T/hello"
	commit "$T/hello"
	ok git_ -C "$T/hello" push -q origin HEAD:by-bot
	no git_ ls-remote git@host:demo/other.git
	ok gltoken show demo/hello/deployer --json
	says '"type": *"project"'
	says 'mia by public key'
}

test_group_token() {
	by_token mia api
	minted read_repository "$(in_days 30)" group_access_token demo nightly read_repository reporter
	client password "$NEW"
	ok git_ ls-remote git@host:demo/hello.git
	ok git_ ls-remote git@host:demo/other.git
	no git_ ls-remote git@host:secret/vault.git
}

test_never_above_ones_role() {
	by_key mia
	rc 1 ssh_ git@host project_access_token demo/hello x api owner
	says 'role maintainer may not give role owner'
	minted api "$(in_days 30)" project_access_token demo/hello same api maintainer
	rc 1 ssh_ git@host project_access_token demo/hello x api king
	says "unknown role 'king'"
	rc 1 ssh_ git@host project_access_token demo/hello x sudo developer
	says "Invalid scope: 'sudo'"
	by_key olaf
	minted api "$(in_days 30)" project_access_token demo/hello owners api owner
	by_key alice
	rc 1 ssh_ git@host project_access_token demo/hello x read_repository guest
	says 'role developer may not manage the tokens of demo/hello'
	rc 1 ssh_ git@host group_access_token demo x read_repository guest
	says 'role developer may not manage'
	ok gltoken list --project demo/hello --json
	hides '"name": *"x"'
}

test_where_one_is_no_member() {
	local none="The project you were looking for could not be found or you don't have permission to view it."
	by_key mia
	boxed "$none" project_access_token secret/vault x api developer
	boxed "$none" project_access_token secret/nothing x api developer
	boxed "$none" project_access_token demo/nothing x api developer
	logged 'decision=deny reason=repository_absent operation=mint target=demo/nothing'
	boxed "$none" group_access_token secret x api developer
	boxed "$none" tokens list secret/vault
	# a maintainer of one project is nobody above it
	gltoken member set demo/other dave maintainer
	by_key dave
	boxed "$none" group_access_token demo x api developer
	minted api "$(in_days 30)" project_access_token demo/other daves api developer
	gltoken member set demo/other dave developer
}

test_restrictions_are_handed_on() {
	by_token mia api --only-repo demo/hello --allow-from 127.0.0.0/8 --service sshd --expires 5d
	ok ssh_ git@host project_access_token demo/hello bounded read_repository reporter 300
	says "^Expires: $(in_days 5)"
	ok gltoken show demo/hello/bounded --json
	[ "$(jq -c '[.only_repo, .allow_from, .services]' "$T/out")" = '[["demo/hello"],["127.0.0.0/8"],["sshd"]]' ] ||
		fail "restrictions are not handed on: $(outcome)"
	no ssh_ git@host project_access_token demo/other x read_repository reporter
	no ssh_ git@host group_access_token demo x read_repository reporter
	by_token mia api,write_repository
	rc 1 ssh_ git@host project_access_token demo/hello x write_registry developer
	says "own token does not have write_registry"
}

# ---- looking, rotating, revoking ----

test_list_and_show() {
	local id
	by_token alice read_api --description 'of the list'
	id=$ID
	new_token --user bob --scope read_api
	new_token --user alice --scope read_api
	gltoken revoke "$ID"
	ok ssh_ git@host tokens
	says '^ID +TYPE +STATE +EXPIRES +ROLE +SCOPES +NAME$'
	says "^$id +personal +active +20[-0-9T:]+Z +- +read_api +t-"
	hides "^$((id + 1)) |^$ID |glpat"
	ok ssh_ git@host tokens show self
	says "^Id: +$id$"
	says '^Description: +of the list$'
	says '^Created by: +root'
	hides 'glpat|[$]argon'
	ok ssh_ git@host tokens show "$ID"
	says '^State: +revoked$'
	rc 1 ssh_ git@host tokens show $((id + 1))
	says "token $((id + 1)) is not one of yours"
	rc 1 ssh_ git@host tokens show 999999
	says 'token 999999 is not one of yours'
	by_token alice read_repository
	ok ssh_ git@host tokens show self
	rc 1 ssh_ git@host tokens
	says 'scope api or read_api is needed'
}

# More than one page, with dead ones between.
test_long_list() {
	local n
	for n in {1..80}; do
		echo "long-$n"
	done | while read -r n; do
		gltoken issue --user bob --name "$n" --scope read_api >/dev/null 2>&1 || exit 1
	done
	gltoken list --user bob --json --limit 1000 >"$T/before"
	for n in long-{2..70}; do gltoken revoke "bob/$n" >/dev/null 2>&1; done
	by_key bob
	ok ssh_ git@host tokens
	[ "$(grep -o 'long-[0-9]*$' "$T/out" | tr '\n' ' ')" = "long-1 $(printf 'long-%d ' {71..80})" ] ||
		fail "not the list: $(outcome)"
	for n in long-{81..100}; do
		gltoken issue --user bob --name "$n" --scope read_api >/dev/null 2>&1
	done
	ok ssh_ git@host tokens
	[ "$(grep -c 'long-' "$T/out")" = 31 ] || fail "not all of them: $(outcome)"
	[ "$(grep -c '^ID' "$T/out")" = 1 ] || fail "one heading is enough: $(outcome)"
}

test_rotate_and_revoke() {
	local old
	by_token alice read_repository,self_rotate
	old=$TOKEN
	ok ssh_ git@host tokens rotate self
	NEW=$(sed -n 's/^Token:   //p' "$T/out")
	no git_ ls-remote git@host:demo/hello.git
	client password "$NEW"
	ok git_ ls-remote git@host:demo/hello.git
	[ "$NEW" != "$old" ] || fail 'it is the old one'
	ok ssh_ git@host "tokens revoke self 'laptop lost'"
	says '^Revoked token [0-9]+\.$'
	no git_ ls-remote git@host:demo/hello.git
	logged 'reason=revoked .*laptop'
	new_token --user alice --scope write_repository
	old=$ID
	by_key alice
	minted write_repository "$(in_days 3)" tokens rotate "$old" 2
	rc 1 ssh_ git@host tokens rotate "$old"
	says 'Token already revoked'
	boxed "a token is named by its id, or by self in a token's session" tokens revoke self
	new_token --user bob --scope write_repository
	rc 1 ssh_ git@host tokens rotate "$ID"
	says "token $ID is not one of yours"
	rc 1 ssh_ git@host tokens revoke "$ID"
	says "token $ID is not one of yours"
	says 'remote: '
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
}

# The answer may be lost on the way: what was never used can be had anew.
test_rotate_with_an_overlap() {
	local old lost
	by_token alice read_repository,self_rotate
	old=$TOKEN
	boxed 'Usage: tokens rotate <id|self> [ttl_days] [--overlap <span>]' tokens rotate self --overlap
	rc 1 ssh_ git@host tokens rotate self --overlap soon
	says "overlap 'soon'"
	minted read_repository,self_rotate "$(in_days 6)" tokens rotate self 5 --overlap 1h
	lost=$NEW
	ok git_ ls-remote git@host:demo/hello.git
	minted read_repository,self_rotate "$(in_days 6)" tokens rotate self 5 --overlap 3d
	[ "$NEW" != "$lost" ] || fail 'the same again'
	[ "$(gltoken show "$ID" --json | jq -r '(.overlap_end | fromdate) - now < 3601')" = true ] || fail 'a longer overlap'
	client password "$lost"
	no git_ ls-remote git@host:demo/hello.git
	logged 'reason=revoked .*never used, and rotated again'
	client password "$NEW"
	ok git_ ls-remote git@host:demo/hello.git
	client password "$old"
	ok git_ ls-remote git@host:demo/hello.git
	boxed 'Token already rotated, and the new one is with somebody' tokens rotate self --overlap 1h
	ok gltoken check
	ok gltoken audit verify
	rc 1 gltoken rotate "$ID"
	client password "$NEW"
	ok ssh_ git@host tokens rotate self
	no git_ ls-remote git@host:demo/hello.git
	by_token alice self_rotate
	ok gltoken rotate "$ID" --overlap 1h
	boxed 'Token already rotated, and the new one is with somebody' tokens rotate self
}

# Its own life, not that of the token which asks, unless that one is shorter.
test_rotated_by_another_token() {
	local old left
	new_token --user alice --scope read_repository --expires 10d
	old=$ID
	by_token alice api --expires 80d
	ok ssh_ git@host tokens rotate "$old"
	left=$(gltoken list --user alice --json | jq -r ".[] | select(.previous == $old) | (.expires_at | fromdate) - now")
	((${left%.*} > 9 * 86400 && ${left%.*} <= 10 * 86400)) || fail "it has $left seconds: $(outcome)"
	new_token --user alice --scope read_repository --expires 10d
	old=$ID
	by_token alice api --expires 2d
	ok ssh_ git@host tokens rotate "$old"
	says "^Expires: $(in_days 2)T"
}

test_maintainer_and_the_projects_tokens() {
	local bot owners
	new_token --project demo/hello --role developer --scope read_repository
	bot=$ID
	new_token --project demo/hello --role owner --scope read_repository
	owners=$ID
	by_key alice
	rc 1 ssh_ git@host tokens list demo/hello
	says 'role developer may not manage'
	rc 1 ssh_ git@host tokens revoke "$bot"
	says 'not one of yours'
	by_key mia
	ok ssh_ git@host tokens list demo/hello
	says "^$bot +project +active .* developer +read_repository"
	rc 1 ssh_ git@host tokens rotate "$owners"
	says 'may not give role owner'
	rc 1 ssh_ git@host tokens revoke "$owners"
	ok ssh_ git@host tokens rotate "$bot"
	client password "$(sed -n 's/^Token:   //p' "$T/out")"
	ok git_ ls-remote git@host:demo/hello.git
	ok ssh_ git@host tokens show self
	says '^Rotated from: +[0-9]+$'
	bot=$(sed -nE 's/^Id: +//p' "$T/out")
	by_key mia
	ok ssh_ git@host tokens revoke "$bot"
	ok gltoken show "$bot" --json
	says '"revoked": *true'
}

test_whoami_and_help() {
	by_token alice read_api
	ok ssh_ git@host whoami
	says '^User: +alice$'
	says "^Id: +$ID$"
	says '^From: +127.0.0.1$'
	ok gltoken user block alice
	no ssh_ git@host whoami
	ok gltoken user unblock alice
	ok ssh_ git@host help
	says '^  personal_access_token <name> <scope1\[,scope2,...\]> \[ttl_days\]$'
	says '^  tokens rotate <id\|self> \[ttl_days\] \[--overlap <span>\]$'
	by_key bob
	ok ssh_ git@host whoami
	says '^Session by: +key$'
}

e2e_main "$@"
