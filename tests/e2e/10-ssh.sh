#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The main job over SSH: log in, clone, fetch, push, archive; in each login method and git protocol.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
}

# Everything that a developer of demo does.
main_job() { # METHOD SECRET PROTOCOL
	local branch=work-$1-$3 c=$T/clone-$3
	client "$1" "$2"
	ok as_dev env GIT_TRACE_PACKET=1 git -c "protocol.version=$3" clone git@host:demo/hello.git "$c"
	case $3 in
	2) says 'clone< version 2' ;;
	0) hides 'clone< version 2' ;;
	esac
	[ -f "$c/README" ] || fail "the clone is empty"
	logged "event=git .*decision=allow .*operation=pull .*repository=demo/hello"
	commit "$c"
	ok git_ -C "$c" -c "protocol.version=$3" push origin "HEAD:refs/heads/$branch"
	logged "event=git .*decision=allow .*operation=push .*repository=demo/hello"
	[ "$(server_git demo/hello rev-parse "refs/heads/$branch")" = "$(git_ -C "$c" rev-parse HEAD)" ] ||
		fail "the push did not arrive"
	ok git_ -C "$c" -c "protocol.version=$3" fetch origin
	ok git_ -c "protocol.version=$3" archive --remote=git@host:demo/hello.git -o "$T/$3.tar" "$branch"
	ok tar -tf "$T/$3.tar"
	says README
}

test_password() {
	new_token --user alice --scope write_repository
	main_job password "$TOKEN" 2
	logged "event=login .*decision=allow .*token=$ID .*owner=alice .*account=git .*service=sshd .*rhost=127.0.0.1"
	main_job password "$TOKEN" 0
}

test_keyboard_interactive() {
	new_token --user alice --scope write_repository
	main_job keyboard-interactive "$TOKEN" 2
	logged "event=login .*decision=allow .*token=$ID .*owner=alice .*account=git .*service=sshd .*rhost=127.0.0.1"
	main_job keyboard-interactive "$TOKEN" 0
}

test_publickey() {
	local key
	key=$(new_key)
	INPUT=$(cat "$key.pub") ok gltoken key add alice
	main_job publickey "$key" 2
	main_job publickey "$key" 0
}

test_publickey_of_each_type() {
	local type key
	for type in rsa ecdsa ed25519; do
		key=$(KEY_TYPE=$type new_key)
		INPUT=$(cat "$key.pub") ok gltoken key add bob
		client publickey "$key"
		ok git_ ls-remote git@host:demo/hello.git
		says refs/heads/main
	done
}

test_unknown_and_removed_keys_open_nothing() {
	local key other id
	key=$(new_key)
	other=$(new_key)
	INPUT=$(cat "$key.pub") ok gltoken key add alice
	client publickey "$other"
	no ssh_ git@host
	says 'Permission denied'
	client publickey "$key"
	ok ssh_ git@host
	says alice
	ok gltoken key list alice --json
	id=$(jq -r '[.. | .id? // empty] | max' "$T/out")
	ok gltoken key remove "$id"
	no ssh_ git@host
	says 'Permission denied'
}

test_a_key_has_its_owners_rights() {
	local key
	key=$(new_key)
	INPUT=$(cat "$key.pub") ok gltoken key add bob
	client publickey "$key"
	work_tree "$T/c"
	ok git_ -C "$T/c" fetch origin
	no git_ -C "$T/c" push origin HEAD:refs/heads/by-key
	says 'not allowed to push'
	no git_ ls-remote git@host:secret/vault.git
	says 'could not be found'
}

# A deploy key is nobody's: one project, and what is protected stays protected.
test_deploy_keys() {
	local read write id
	read=$(new_key) write=$(new_key)
	ok gltoken key add --project demo/hello "$read.pub"
	rc 1 gltoken key add alice "$read.pub"
	says 'of demo/hello'
	ok gltoken key add --project demo/hello --write "$write.pub" --json
	jq -e '.[0].can_push and .[0].path == "demo/hello" and .[0].id > 0' "$T/out" >/dev/null || fail "add: $(outcome)"
	rc 2 gltoken key add --write alice "$write.pub"
	rc 2 gltoken key add --project ../x "$write.pub"
	ok gltoken key list --project demo/hello --json
	jq -e 'map(.can_push) == [false, true] and all(.[]; .user == null and .path == "demo/hello")' "$T/out" >/dev/null ||
		fail "list: $(outcome)"
	id=$(jq '.[1].id' "$T/out")
	client publickey "$read"
	work_tree "$T/c"
	ok git_ -C "$T/c" fetch origin
	no git_ -C "$T/c" push origin HEAD:refs/heads/by-reader
	says 'not allowed to push'
	no git_ ls-remote git@host:demo/other.git
	says 'could not be found'
	no ssh_ git@host personal_access_token x api
	no ssh_ alice@host
	client publickey "$write"
	ok git_ -C "$T/c" push origin HEAD:refs/heads/by-writer
	logged "event=ref decision=allow .*refs/heads/by-writer .*key=$id "
	ok gltoken protect demo/hello 'kept/*' --push maintainer
	no git_ -C "$T/c" push origin HEAD:refs/heads/kept/x
	says 'protected branches'
	no git_ ls-remote git@host:demo/other.git
	ok gltoken explain --key "$id" --op push --repo demo/hello
	rc 1 gltoken explain --key "$id" --op pull --repo demo/other
	says 'wrong_project'
	ok gltoken repo move demo/hello demo/hullo
	ok git_ ls-remote git@host:demo/hullo.git
	no git_ ls-remote git@host:demo/hello.git
	ok gltoken repo move demo/hullo demo/hello
	ok gltoken check
	ok gltoken key remove "$id"
	no git_ ls-remote git@host:demo/hello.git
	ok gltoken protect demo/hello 'kept/*' --remove
	ok gltoken check
}

# On an account of a person's own, the account is the identity; sshd's own authorized_keys opens it.
test_key_of_a_persons_own_account() {
	local key
	useradd -m -G gltoken,git -s "$(command -v gltoken-shell)" fay
	gltoken member set demo fay developer
	key=$(new_key)
	install -d -m 755 "/etc/ssh/keys"
	cp "$key.pub" "/etc/ssh/keys/fay"
	sshd_start own "$SHIPPED/sshd_config.sshd-git" "AuthorizedKeysFile /etc/ssh/keys/%u"
	SSHD=own client publickey "$key"
	ok ssh_ fay@host
	says fay
	ok git_ ls-remote fay@host:demo/hello.git
	no git_ ls-remote fay@host:secret/vault.git
	says 'could not be found'
	# The account is no reason for gltoken-keys to let in whatever key is offered.
	SSHD=own client publickey "$(new_key)"
	no ssh_ fay@host
	says 'Permission denied'
}

test_both_spellings_of_the_commands() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	INPUT=0000 ok ssh_ git@host "git-upload-pack 'demo/hello.git'"
	INPUT=0000 ok ssh_ git@host "git upload-pack '/demo/hello.git'"
	INPUT=0000 ok ssh_ git@host "git upload-pack demo/hello"
	INPUT=0000 ok ssh_ git@host "git-receive-pack 'demo/hello'"
}

test_welcome() {
	new_token --user alice --scope read_repository
	client keyboard-interactive "$TOKEN"
	ok ssh_ git@host
	says alice
	says "t-$$-"
}

test_warns_of_the_coming_end() {
	new_token --user alice --scope read_repository --expires 3d
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
	says 'expires'
	new_token --user alice --scope read_repository --expires 30d
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/hello.git
	hides 'expires'
}

test_read_token_clones_but_cannot_push() {
	new_token --user alice --scope read_repository
	for method in password keyboard-interactive; do
		client "$method" "$TOKEN"
		ok git_ clone git@host:demo/hello.git "$T/$method"
		commit "$T/$method"
		no git_ -C "$T/$method" push origin HEAD:refs/heads/read-only
		says 'remote: ={72}'
		says 'not allowed to (upload|push) code'
	done
	logged "event=git .*decision=deny .*reason=scope_missing .*operation=push .*token=$ID"
	no server_git demo/hello rev-parse --verify -q refs/heads/read-only
}

test_tokens_of_every_type() {
	local type
	for type in '--project demo/hello --role developer' '--group demo --role developer' '--deploy demo/hello'; do
		# shellcheck disable=SC2086 # options
		new_token $type --scope write_repository
		client password "$TOKEN"
		ok git_ clone git@host:demo/hello.git "$T/c"
		commit "$T/c"
		ok git_ -C "$T/c" push origin "HEAD:refs/heads/type-$ID"
		no git_ ls-remote git@host:secret/vault.git
		says 'could not be found'
		rm -rf "$T/c"
	done
}

test_push_of_200_mb() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	work_tree "$T/c"
	head -c 200M /dev/urandom >"$T/c/big"
	commit "$T/c"
	LIMIT=150 ok git_ -C "$T/c" push origin HEAD:refs/heads/big
	[ "$(server_git demo/hello cat-file -s big:big)" = 209715200 ] || fail "what arrived has another size"
	server_git demo/hello update-ref -d refs/heads/big
}

# What may not be seen does not exist: the same words for both.
test_hidden_and_absent_look_the_same() {
	local hidden
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	no git_ ls-remote git@host:secret/vault.git
	hidden=$(sed 's,secret/vault,X,g' "$T/err")
	no git_ ls-remote git@host:secret/nothing.git
	[ "$(sed 's,secret/nothing,X,g' "$T/err")" = "$hidden" ] || fail "the answers differ: $hidden, $(outcome)"
	says 'could not be found'
}

test_other_commands_are_disallowed() {
	local cmd
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	# shellcheck disable=SC2016 # nothing is to expand it
	for cmd in sh 'bash -i' 'git-upload-pack' 'git-upload-pack --strict demo/hello' 'git upload-archive' 'git gc' \
		"git-upload-pack 'demo/hello' extra" 'gltoken list' "git-upload-pack 'demo/hello'; id" \
		'git-upload-pack $(id)' '/usr/bin/git-upload-pack demo/hello'; do
		rc 1 ssh_ git@host "$cmd"
		hides 'uid='
	done
	rc 1 ssh_ git@host 'cat /etc/passwd'
	says 'Disallowed command'
	rc 1 ssh_ git@host 'git-lfs-authenticate demo/hello download'
	says LFS
}

test_client_environment_does_not_reach_git() {
	new_token --user alice --scope write_repository
	sshd_start env "$SHIPPED/sshd_config.sshd-git" 'AcceptEnv *'
	SSHD='env' client password "$TOKEN" \
		"SetEnv GIT_TRACE=$T/trace GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.sshCommand BASH_ENV=$T/rc LD_PRELOAD=$T/x.so"
	chmod 777 "$T"
	ok git_ ls-remote git@host:demo/hello.git
	[ ! -e "$T/trace" ] || fail "GIT_TRACE of the client reached git on the server"
	# What sshd starts is out of our hands, what that starts is not.
	[ "$(grep -c LD_PRELOAD "$T/err")" = 1 ] || fail "LD_PRELOAD of the client reached git: $(outcome)"
}

e2e_main "$@"
