#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# [policy] mode = observe: people with keys pass, and what would have stopped them is on record.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	gltoken protect demo/hello main --push maintainer
	mode observe
}

mode() {
	printf '[policy]\nmode = %s\n' "$1" >/etc/gltoken/gltoken.conf
}

json() {
	jq -e "$1" "$T/out" >/dev/null || fail "not so: $1: $(outcome)"
}

key_of() { # USER
	local key
	key=$(new_key)
	INPUT=$(cat "$key.pub") ok gltoken key add "$1"
	client publickey "$key"
}

listed() { # JQ
	ok gltoken audit list --would-deny --json
	json "$1"
}

test_keys_pass_and_are_counted() {
	key_of bob
	work_tree "$T/w"
	ok git_ -C "$T/w" push origin HEAD:refs/heads/of-bob
	logged 'event=git decision=allow .*would_deny=role_too_low'
	logged 'event=ref decision=allow .*would_deny=role_too_low .*ref=refs/heads/of-bob'
	ok git_ ls-remote git@host:secret/vault.git
	ok git_ ls-remote git@host:secret/vault.git
	listed 'any(.[]; .username == "bob" and .path == "secret/vault" and .operation == "pull" and
		.reason == "not_a_member" and .count == 2)'
	listed 'any(.[]; .username == "bob" and .ref == "refs/heads/of-bob" and .reason == "role_too_low")'
	key_of alice
	ok git_ -C "$T/w" push origin HEAD:main
	logged 'event=ref decision=allow .*would_deny=ref_protected .*refs/heads/main'
	listed 'any(.[]; .username == "alice" and .ref == "refs/heads/main" and .reason == "ref_protected")'
	# What is allowed anyhow is not listed.
	ok git_ ls-remote git@host:demo/hello.git
	listed 'all(.[]; .username != "alice" or .reason == "ref_protected")'
	rc 2 gltoken audit list --would-deny --actor bob
	ok gltoken audit list --would-deny --limit 1 --json
	json 'length == 1'
}

test_explain_says_so() {
	ok gltoken explain --user bob --op push --repo demo/hello --json
	json '.allow and .would_deny == "role_too_low"'
	ok gltoken explain --user bob --op push --repo demo/hello
	says 'enforce would deny'
	ok gltoken explain --user bob --op pull --repo demo/hello --json
	json '.allow and .would_deny == null'
}

test_the_rest_is_enforced() {
	local key
	new_token --user bob --scope write_repository
	client password "$TOKEN"
	work_tree "$T/w"
	no git_ -C "$T/w" push origin HEAD:refs/heads/by-token
	no git_ ls-remote git@host:secret/vault.git
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	no git_ -C "$T/w" push origin HEAD:main
	key=$(new_key)
	ok gltoken key add --project demo/hello "$key.pub"
	client publickey "$key"
	no git_ -C "$T/w" push origin HEAD:refs/heads/by-deploy-key
	no git_ ls-remote git@host:secret/vault.git
	client publickey "$(new_key)"
	no git_ ls-remote git@host:demo/hello.git
	key_of carol
	ok git_ ls-remote git@host:demo/hello.git
	no ssh_ git@host project_access_token demo/hello x api maintainer
	ok gltoken user block carol
	no git_ ls-remote git@host:demo/hello.git
	ok gltoken user unblock carol
	ok git_ ls-remote git@host:demo/hello.git
	mode enforce
	no git_ ls-remote git@host:demo/hello.git
	mode observe
}

# The file never grows, whoever asks for whatever; a damaged entry is none.
test_bounded() {
	local file=/var/lib/gltoken/store/observed size
	key_of dave
	# shellcheck disable=SC2016 # for the other shell
	as_dev bash -c 'for i in 1 2 3 4 5; do git ls-remote git@host:no/such-$i.git; done' >/dev/null 2>&1 || true
	listed '[.[] | select(.path | startswith("no/such"))] | length == 5'
	[ "$(stat -c '%U %a' $file)" = 'gltoken 600' ] || fail "owner or mode"
	size=$(stat -c %s $file)
	[ "$size" -le $((4096 * 1024)) ] || fail "$size bytes"
	printf 'x%.0s' {1..200} | dd of=$file bs=1 seek=$((size - 100)) conv=notrunc status=none
	listed '[.[] | select(.path | startswith("no/such"))] | length < 6'
	gltoken check
}

e2e_main "$@"
