#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# [git] backend = gitolite: a real gitolite3 behind the check. Access is token AND gitolite.conf.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/http-tests.sh
. "$E2E_LIB/http-tests.sh"
# shellcheck source=tests/lib/packages.sh
. "$E2E_LIB/packages.sh"

HOSTING=/var/lib/gltoken/home

# As gltoken.conf(5) says: the account's home stays root's, and what gitolite writes is below it.
gitolite_setup() {
	packages_beside gitolite3
	install -d -o git -g git -m 0750 $HOSTING/.gitolite $HOSTING/.gitolite/logs
	ln -s /srv/git $HOSTING/repositories
	sed -e "s/'ssh-authkeys',/# 'ssh-authkeys',/; s,%RC = (,&\n    GITWEB_PROJECTS_LIST => '$HOSTING/.gitolite/projects.list'\,," \
		<(as_git gitolite print-default-rc) >$HOSTING/.gitolite.rc
	as_git gitolite setup -a alice
	printf '[git]\nbackend = gitolite\n' >>/etc/gltoken/gltoken.conf
	gltoken config check
}

as_git() {
	setpriv --reuid git --regid git --init-groups env -i HOME=$HOSTING USER=git LOGNAME=git PATH="$PATH" timeout 60 "$@"
}

# The administrator's way, over SSH with a token: what gitolite.conf says from now on, standard input.
gitolite_conf() { # <FILE
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	rm -rf "$T/admin"
	ok git_ clone -q git@host:gitolite-admin "$T/admin"
	cat >"$T/admin/conf/gitolite.conf"
	commit "$T/admin"
	ok git_ -C "$T/admin" push origin HEAD
	hides FATAL
}

setup() {
	e2e_host
	T=$E2E_DIR/setup
	install -d -o dev -g dev "$T"
	gltoken user add vera
	gitolite_setup
	gitolite_conf <<-'END'
		repo gitolite-admin
		    RW+ = alice
		repo demo/hello
		    RW+ = alice
		    R   = bob vera
		    -   master = @all
		    RW topic/ = erin
		repo demo/other
		    R = alice
		repo wild/[a-z]+
		    C   = alice bob
		    RW+ = CREATOR
	END
	web_start nginx
}

# The store knows no membership of vera, and gitolite.conf lets her read: that counts.
test_gitolite_decides_about_people() {
	new_token --user vera --scope write_repository
	client password "$TOKEN"
	ok git_ clone -q git@host:demo/hello.git "$T/c"
	commit "$T/c"
	no git_ -C "$T/c" push origin HEAD:refs/heads/vera
	says 'W any demo/hello vera DENIED by fallthru'
	logged "event=git .*decision=allow .*operation=push .*repository=demo/hello .*owner=vera"
	# alice is developer of group demo in the store; in gitolite.conf she may only read demo/other.
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	ok git_ ls-remote git@host:demo/other
	work_tree "$T/w"
	no git_ -C "$T/w" push git@host:demo/other HEAD:refs/heads/x
	says 'W any demo/other alice DENIED'
	# and secret/vault is no repository of gitolite's at all
	no git_ ls-remote git@host:secret/vault
	says 'DENIED by fallthru'
}

test_a_token_for_reading_never_pushes() {
	new_token --user alice --scope read_repository
	client password "$TOKEN"
	work_tree "$T/c"
	ok git_ -C "$T/c" fetch origin
	no git_ -C "$T/c" push origin HEAD:refs/heads/by-reader
	says 'not allowed to upload code\.'
	hides DENIED
	no server_git demo/hello rev-parse -q --verify refs/heads/by-reader
	https_tree_fails
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	ok git_ -C "$T/c" push -q origin HEAD:refs/heads/by-writer
	ok server_git demo/hello rev-parse -q --verify refs/heads/by-writer
	logged "event=ref decision=allow .*ref=refs/heads/by-writer .*repository=demo/hello .*owner=alice"
}

https_tree_fails() {
	https_git clone -q "$(web_url)/demo/hello.git" "$T/h" || fail "cannot clone over HTTPS"
	commit "$T/h"
	no https_git -C "$T/h" push origin HEAD:refs/heads/by-reader
	says 'not allowed to upload code|403'
	# a push that calls itself something else, and a fetch that calls itself a push
	basic
	status 404 '/demo/hello.git/git-upload-pack?service=git-receive-pack' -K "$T/curlrc" -d x
	status 403 '/demo/hello.git/git-receive-pack' -K "$T/curlrc" -d x
}

test_over_https() {
	new_token --user alice --scope write_repository
	https_tree "$T/c"
	ok https_git -C "$T/c" push -q origin HEAD:refs/heads/by-https
	ok server_git demo/hello rev-parse -q --verify refs/heads/by-https
	logged "event=ref decision=allow .*ref=refs/heads/by-https .*owner=alice"
	no https_git -C "$T/c" push "$(web_url)/demo/other.git" HEAD:refs/heads/x
	says 'W any demo/other alice DENIED'
	new_token --user bob --scope write_repository
	ok https_git ls-remote "$(web_url)/demo/hello.git"
	no https_git -C "$T/c" push origin HEAD:refs/heads/by-bob
	says 'W any demo/hello bob DENIED'
	no https_git ls-remote "$(web_url)/secret/vault.git"
	says 'DENIED by fallthru'
}

test_refs_are_gitolites() {
	new_token --user erin --scope write_repository
	client password "$TOKEN"
	git_ clone -q -b main /srv/fixture "$T/c"
	commit "$T/c"
	no git_ -C "$T/c" push git@host:demo/hello HEAD:refs/heads/other
	says 'refs/heads/other demo/hello erin DENIED'
	no server_git demo/hello rev-parse -q --verify refs/heads/other
}

test_what_the_token_is_limited_to_counts() {
	new_token --user alice --scope write_repository --only-repo 'demo/other'
	client password "$TOKEN"
	no git_ ls-remote git@host:demo/hello
	hides DENIED
	ok git_ ls-remote git@host:demo/other
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	ok gltoken revoke "$ID"
	no git_ ls-remote git@host:demo/hello
	# gitolite would cut the last: to it that is demo/hello, at trace level 3
	new_token --user alice --scope write_repository --only-repo 'demo/*3'
	client password "$TOKEN"
	no ssh_ git@host "git-upload-pack 'demo/hello.git3'"
	hides 'HEAD'
}

# A project's token is its bot, which gitolite.conf must know; its role is the token's own limit.
test_bots() {
	local bot
	new_token --project demo/hello --role reporter --scope write_repository
	bot=$(gltoken show "$ID" --json | jq -r .user)
	client password "$TOKEN"
	no git_ ls-remote git@host:demo/hello
	says "R any demo/hello $bot DENIED"
	{
		as_git cat $HOSTING/.gitolite/conf/gitolite.conf
		printf 'repo demo/hello demo/other\n    RW+ = %s\n' "$bot"
	} >"$T/conf"
	local token=$TOKEN
	gitolite_conf <"$T/conf"
	client password "$token"
	ok git_ ls-remote git@host:demo/hello
	no git_ ls-remote git@host:demo/other
	hides DENIED
	work_tree "$T/c"
	no git_ -C "$T/c" push origin HEAD:refs/heads/by-bot
	says 'not allowed to push code'
}

test_wild_repositories() {
	new_token --user bob --scope read_repository
	client password "$TOKEN"
	ok git_ ls-remote git@host:wild/born
	[ -f /srv/git/wild/born.git/HEAD ] || fail "gitolite made no wild/born"
	ok https_git ls-remote "$(web_url)/wild/alike.git"
	[ -f /srv/git/wild/alike.git/HEAD ] || fail "gitolite made no wild/alike"
	new_token --user bob --scope write_repository
	client password "$TOKEN"
	ok gltoken user block bob
	no git_ ls-remote git@host:wild/other
	[ ! -e /srv/git/wild/other.git ] || fail "made for one who is blocked"
	ok gltoken user unblock bob
}

test_keys_and_deploy_keys() {
	local key deploy id
	key=$(new_key) deploy=$(new_key)
	INPUT=$(cat "$key.pub") ok gltoken key add alice
	client publickey "$key"
	ok git_ ls-remote git@host:demo/hello
	no git_ ls-remote git@host:secret/vault
	says 'alice DENIED'
	ok gltoken key add --project demo/hello "$deploy.pub" --json
	id=$(jq -r '.[0].id' "$T/out")
	client publickey "$deploy"
	no git_ ls-remote git@host:demo/hello
	says "R any demo/hello gltoken\+key-$id DENIED"
}

# Nothing that a client sends says who it is, and gitolite's own commands have no operation that a token could allow.
test_no_identity_from_the_client() {
	new_token --user bob --scope write_repository
	client password "$TOKEN" 'SetEnv GL_USER=alice' 'SetEnv GL_BYPASS_ACCESS_CHECKS=1' 'SetEnv G3T_USER=1'
	git_ clone -q -b main /srv/fixture "$T/c"
	no git_ -C "$T/c" push git@host:demo/hello HEAD:refs/heads/x
	says 'bob DENIED'
	local c
	for c in info 'perms wild/born + WRITERS carol' '/usr/share/gitolite3/gitolite-shell alice'; do
		no ssh_ git@host "$c"
		says 'Disallowed command'
	done
}

test_explain_says_that_gitolite_decides_too() {
	new_token --user vera --scope read_repository
	ok gltoken explain --id "$ID" --repo demo/hello --op pull
	says 'gitolite.conf'
	rc 1 gltoken explain --id "$ID" --repo demo/hello --op push
	says scope_missing
}

# What gitolite would take for an option or a role of its own is no name for it.
test_names_that_gitolite_does_not_take() {
	ok gltoken user add _vera
	ok gltoken member set demo _vera reporter
	new_token --user _vera --scope read_repository
	client password "$TOKEN"
	no git_ ls-remote git@host:demo/hello
	logged 'reason=gitolite_user .*gitolite takes no such user name'
	basic
	status 503 "/demo/hello.git$PULL" -K "$T/curlrc"
}

test_without_gitolite_nothing_is_served() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	mkdir -p /etc/gltoken/conf.d
	printf '[git]\nbackend = gitolite\ngitolite_shell = /nowhere/gitolite-shell\n' >/etc/gltoken/conf.d/z.conf
	no git_ ls-remote git@host:demo/hello
	says 'temporarily unavailable'
	logged 'reason=no_git .*cannot run /nowhere/gitolite-shell'
	basic
	status 503 "/demo/hello.git$PULL" -K "$T/curlrc"
	rm /etc/gltoken/conf.d/z.conf
	ok git_ ls-remote git@host:demo/hello
}

test_doctor_and_config_check() {
	gltoken doctor --json >"$T/before" || true
	[ "$(jq '[.findings[] | select(.id == "git_program" or .id == "gitolite_root")] | length' "$T/before")" = 0 ] ||
		fail "$(cat "$T/before")"
	doctor_finds git_program 'gitolite_shell: /nowhere: No such file' \
		'gitolite_shell = /nowhere'
	rc 1 gltoken config check
	says '\[git\] gitolite_shell /nowhere: No such file'
	install -m 644 /dev/null /opt/gitolite-shell
	doctor_finds git_program 'gitolite_shell: /opt/gitolite-shell: Permission denied' \
		'gitolite_shell = /opt/gitolite-shell'
	install -m 777 /dev/null /opt/gitolite-shell
	doctor_finds program_writable '/opt/gitolite-shell' 'gitolite_shell = /opt/gitolite-shell'
	rm /etc/gltoken/conf.d/z.conf
	ok gltoken config check
	mv $HOSTING/repositories $HOSTING/away
	run gltoken doctor --json
	jq -e '.findings[] | select(.id == "gitolite_root") | .command == "ln -s /srv/git '$HOSTING'/repositories"' "$T/out" ||
		fail "$(outcome)"
	mv $HOSTING/away $HOSTING/repositories
}

doctor_finds() { # ID TEXT LINE
	mkdir -p /etc/gltoken/conf.d
	printf '[git]\n%s\n' "$3" >/etc/gltoken/conf.d/z.conf
	run gltoken doctor --json
	[ "$RC" = 1 ] || fail "doctor is content: $(outcome)"
	jq -e --arg id "$1" --arg text "$2" 'any(.findings[]; .id == $id and (.what | contains($text)))' "$T/out" >/dev/null ||
		fail "does not find $1 with $2: $(outcome)"
}

e2e_main "$@"
