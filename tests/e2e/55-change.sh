#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The helper's verb change: a session makes, rotates and revokes tokens, never beyond its own rights.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

HELPER=/usr/libexec/gltoken/gltoken-auth

setup() {
	e2e_host
	new_token --user alice --scope api,self_rotate
	printf '%s' "$TOKEN" >"$E2E_DIR/api"
}

ask() { # LINE...
	INPUT=$(printf '%s\n' "$@" '' && echo .)
	INPUT=${INPUT%.} run timeout 30 "$HELPER"
}

allows() {
	ask "$@"
	if [ "$RC" != 0 ] || ! grep -qx verdict=allow "$T/out"; then fail "should be allowed: $(outcome)"; fi
}

denies() { # REASON LINE...
	local reason=$1
	shift
	ask "$@"
	if [ "$RC" = 0 ] || ! grep -qx "reason=$reason" "$T/out"; then fail "should be denied as $reason: $(outcome)"; fi
	hides '^token='
}

field() {
	sed -n "s/^$1=//p" "$T/out"
}

session_of() { # SECRET
	allows verb=verify "secret=$1" account=git service=sshd rhost=192.0.2.1
	TICKET=$(field ticket)
}

change() {
	allows verb=change "ticket=$TICKET" "$@"
}

refuses() { # REASON LINE...
	local reason=$1
	shift
	denies "$reason" verb=change "ticket=$TICKET" "$@"
}

test_mint() {
	session_of "$(cat "$E2E_DIR/api")"
	change action=mint name=laptop scopes=write_repository expires=10d
	session_of "$(field token)"
	allows verb=authorize "ticket=$TICKET" operation=push repository=demo/hello
	denies not_a_member verb=authorize "ticket=$TICKET" operation=pull repository=secret/vault
	# and what it made makes nothing further
	refuses scope_missing action=mint name=more scopes=read_repository
}

test_mint_never_more_than_the_session_has() {
	session_of "$(cat "$E2E_DIR/api")"
	refuses scope_missing action=mint name=root scopes=sudo
	refuses bad_request action=mint name=odd scopes=no_such_scope
	refuses bad_request action=mint name= scopes=read_repository
	new_token --user alice --scope api --expires 5d --only-repo 'demo/h*' --allow-from 192.0.2.0/24 --service sshd
	session_of "$TOKEN"
	change action=mint name=bounded scopes=read_repository expires=300d
	local id
	id=$(field id)
	ok gltoken show "$id" --json
	[ "$(jq -c '[.only_repo, .allow_from, .services]' "$T/out")" = '[["demo/h*"],["192.0.2.0/24"],["sshd"]]' ] ||
		fail "restrictions are not handed on: $(outcome)"
	[ "$(jq -r .expires_at "$T/out")" = "$(gltoken show "$ID" --json | jq -r .expires_at)" ] ||
		fail "it outlives the token that made it: $(outcome)"
}

test_rotate_self() {
	new_token --user alice --scope read_repository,self_rotate
	session_of "$TOKEN"
	change action=rotate target=self
	local fresh
	fresh=$(field token)
	denies reused verb=verify "secret=$TOKEN" account=git
	refuses revoked action=rotate target=self
	session_of "$fresh"
	allows verb=authorize "ticket=$TICKET" operation=pull repository=demo/hello
}

test_rotate_gains_nothing() {
	local wide narrow
	new_token --user alice --scope api,sudo --expires 300d
	wide=$ID
	new_token --user alice --scope read_repository --expires 300d
	narrow=$ID
	new_token --user alice --scope api --expires 5d
	local maker=$ID
	session_of "$TOKEN"
	refuses scope_missing action=rotate "target=$wide"
	change action=rotate "target=$narrow"
	narrow=$(field id)
	[ "$(gltoken show "$narrow" --json | jq -r .expires_at)" = "$(gltoken show "$maker" --json | jq -r .expires_at)" ] ||
		fail "it outlives the token that rotated it"
	new_token --user alice --scope api --only-repo demo/hello
	session_of "$TOKEN"
	refuses not_yours action=rotate "target=$narrow"
	change action=rotate target=self
}

test_use_limit_does_not_renew_itself() {
	new_token --user alice --scope self_rotate,read_repository --max-uses 1
	session_of "$TOKEN"
	refuses not_yours action=rotate target=self
	denies used_up verb=verify "secret=$TOKEN" account=git service=sshd rhost=192.0.2.1
	# an administrator may
	ok gltoken rotate "$ID"
}

test_the_last_use_is_taken_once() {
	local i pids=()
	new_token --user alice --scope read_repository --max-uses 1
	printf '%s\n' verb=verify "secret=$TOKEN" account=git service=sshd rhost=192.0.2.1 '' >"$T/request"
	for i in {1..16}; do
		timeout 60 "$HELPER" <"$T/request" >"$T/race.$i" &
		pids+=($!)
	done
	wait "${pids[@]}" || true
	[ "$(cat "$T"/race.* | grep -c verdict=allow)" = 1 ] || fail "not one winner: $(grep -H . "$T"/race.*)"
	[ "$(cat "$T"/race.* | grep -cE 'reason=(used_up|busy)')" = 15 ] || fail "other reasons: $(grep -H reason "$T"/race.*)"
}

test_bot_rotates_only_itself() {
	local other
	new_token --user alice --scope read_repository
	other=$ID
	new_token --project demo/hello --role developer --scope api
	session_of "$TOKEN"
	refuses not_yours action=rotate "target=$other"
	refuses not_yours action=revoke "target=$other"
	refuses not_yours action=mint name=x scopes=read_repository
	change action=rotate target=self
}

test_scope_is_needed() {
	new_token --user alice --scope read_repository
	session_of "$TOKEN"
	refuses scope_missing action=rotate target=self
	refuses scope_missing action=mint name=x scopes=read_repository
	change action=revoke target=self
	refuses revoked action=revoke target=self
}

test_somebody_elses() {
	local bobs
	new_token --user bob --scope read_repository
	bobs=$ID
	session_of "$(cat "$E2E_DIR/api")"
	refuses not_yours action=revoke "target=$bobs"
	refuses not_yours action=revoke target=999999
	refuses bad_request action=revoke target=bob/x
	refuses bad_request action=revoke
	refuses bad_request action=destroy target=self
	ok gltoken show "$bobs" --json
	says '"active": *true'
}

test_no_ticket_no_change() {
	denies no_session verb=change action=mint name=x scopes=api
	denies bad_ticket verb=change ticket=v1.t.1.git.sshd.local.1.00000000000000000000000000000000 action=revoke target=1
	session_of "$(cat "$E2E_DIR/api")"
	INPUT=$(printf '%s\n' verb=change "ticket=$TICKET" action=revoke target=self '' && echo .)
	INPUT=${INPUT%.} run setpriv --reuid alice --regid alice --groups "$(getent group gltoken | cut -d: -f3)" "$HELPER"
	grep -qx reason=bad_ticket "$T/out" || fail "alice may not use the session of git: $(outcome)"
}

test_arguments_that_break_the_rules() {
	local line
	session_of "$(cat "$E2E_DIR/api")"
	for line in expires=soon expires=2020-02-30 type=robot scopes=no_such_scope scopes= role=king; do
		refuses bad_request action=mint name=odd scopes=read_repository "${line%%=*}=${line#*=}"
	done
	refuses bad_request action=mint name=odd scopes=read_repository type=project
	refuses bad_request action=mint name=odd scopes=read_repository type=project path=demo role=king
	refuses bad_request action=mint name=odd scopes=read_repository type=project path=../x role=developer
	refuses bad_request action=rotate target=self overlap=long
	refuses bad_request action=rotate target=self expires=soon
	for line in after= after=x after=-1 after=1x after=99999999999999999999999; do
		refuses bad_request action=list "$line"
	done
	for line in operation=fly operation=pull 'operation=login repository=demo/hello' \
		'operation=push repository=demo/hello ref=refs/heads/x change=twist' 'operation=pull repository=../etc'; do
		# shellcheck disable=SC2086 # lines
		denies bad_request verb=authorize "ticket=$TICKET" $line
	done
	denies bad_request verb=verify "secret=$(cat "$E2E_DIR/api")" account=git scope=no_such_scope
	denies bad_request verb=verify "secret=$(cat "$E2E_DIR/api")" account=git operation=pull
	denies bad_request verb=verify "secret=$(cat "$E2E_DIR/api")" account=git operation=fly repository=demo/hello
	denies bad_request verb=verify "secret=$(cat "$E2E_DIR/api")" account=git operation=pull repository=../etc
	denies bad_request verb=verify account=git
}

# More tokens than a page has, and one with all that can be shown.
test_list_and_show() {
	local i first
	new_token --user carol --scope api
	session_of "$TOKEN"
	for i in {1..40}; do change action=mint "name=n$i" scopes=read_api; done
	change action=list
	[ "$(grep -c ^row_ "$T/out")" = 16 ] || fail "not a page: $(outcome)"
	first=$(field next)
	change action=list "after=$first"
	change action=list "after=$(field next)"
	[ "$(grep -c ^row_ "$T/out")" = 9 ] || fail "the third page has 41 - 32: $(outcome)"
	hides '^next='
	new_token --user carol --scope api --max-uses 5 --only-repo "$(seq -s, -f 'demo/a-rather-long-name-of-a-repository-%g' 40)" \
		--not-before "$(date -u -d '+1 day' +%F)" --description 'all of it'
	first=$ID
	change action=show "target=$first"
	says '^uses=5 of 5 left$'
	says '^state=not_yet_valid$'
	says '^only_repo=.*, \.\.\.$'
	says '^description=all of it$'
	new_token --user carol --scope api
	ok gltoken rotate "$ID" --overlap 1h
	change action=show "target=$ID"
	says "^next=$(gltoken show "$ID" --json | jq .next)\$"
}

# What bore the session is not there any more.
test_session_of_what_is_gone() {
	local key id
	key=$(new_key)
	INPUT=$(cat "$key.pub") ok gltoken key add alice --json
	id=$(jq '.[0].id // .id' "$T/out")
	allows verb=key account=git service=sshd "key=$(cut -d' ' -f1,2 "$key.pub")"
	TICKET=$(field ticket)
	allows verb=authorize "ticket=$TICKET" operation=pull repository=demo/hello
	ok gltoken key remove "$id"
	denies unknown_key verb=authorize "ticket=$TICKET" operation=pull repository=demo/hello
	denies unknown_key verb=key account=git service=sshd key=none
	new_token --user alice --scope api
	session_of "$TOKEN"
	ok gltoken revoke "$ID"
	ok faketime -f +40d gltoken reap
	rc 1 gltoken show "$ID"
	denies revoked verb=authorize "ticket=$TICKET" operation=pull repository=demo/hello
}

# [http] username = owner: gltoken-http hands on what it was given.
test_user_name_of_another() {
	local secret
	new_token --user alice --scope api
	secret=$TOKEN
	mkdir -p /etc/gltoken/conf.d
	echo $'[http]\nusername = owner' >/etc/gltoken/conf.d/owner.conf
	denies wrong_account verb=verify "secret=$secret" username=bob operation=pull repository=demo/hello service=http
	denies wrong_account verb=verify "secret=$secret" operation=pull repository=demo/hello service=http
	allows verb=verify "secret=$secret" username=alice operation=pull repository=demo/hello service=http
	rm /etc/gltoken/conf.d/owner.conf
	allows verb=verify "secret=$secret" username=bob operation=pull repository=demo/hello service=http
}

e2e_main "$@"
