#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The administrator's program, beside tokens: members, users, keys, repositories, who did it, what the host has.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/cli.sh
. "$E2E_LIB/cli.sh"

test_members() {
	unchanged rc 1 gltoken member set demo mallory developer
	unchanged rc 1 gltoken member set demo @nosuch developer
	unchanged rc 1 gltoken member set demo @gltoken developer
	says 'own group'
	unchanged rc 1 gltoken member set demo @gl_own developer
	unchanged rc 2 gltoken member set demo bob boss
	unchanged rc 2 gltoken member set 'demo//x' bob developer
	unchanged rc 2 gltoken member set demo bob
	ok gltoken member set demo/hello bob reporter
	ok gltoken member set demo/hello bob 40
	unchanged ok gltoken member set demo/hello bob maintainer
	says 'Unchanged'
	ok gltoken member set demo @devs guest
	ok gltoken member list demo/hello --json
	json 'map({(.principal): [.role, .from, .inherited]}) | add == {"@devs": ["guest", "demo", true],
		"alice": ["developer", "demo", true], "bob": ["maintainer", "demo/hello", false]}'
	ok gltoken member remove demo/hello bob
	unchanged rc 1 gltoken member remove demo/hello bob
	ok gltoken member remove demo @devs
}

test_users() {
	ok gltoken user add zoe --display 'Zoë Virtual'
	unchanged rc 1 gltoken user add zoe
	unchanged rc 2 gltoken user add 'no blanks'
	unchanged rc 1 gltoken user add project_7_bot_0000
	unchanged rc 1 gltoken user add root
	unchanged rc 1 gltoken user add git
	says "'git' is the account of the repositories"
	unchanged rc 1 gltoken user remove nobody-at-all
	says 'nothing was removed'
	hides 'user add'
	ok gltoken user list --json
	json 'any(.[]; .username == "zoe" and .name == "Zoë Virtual" and (.system_account | not) and .state == "active")'
	ok gltoken member set demo zoe developer
	new_token --user zoe --scope api
	ok gltoken explain --id "$ID" --repo demo/hello --op push
	ok gltoken user block zoe --reason 'on leave'
	rc 1 gltoken explain --id "$ID" --repo demo/hello --op push
	says 'owner_blocked'
	unchanged rc 1 gltoken issue --name x --user zoe --scope api
	unchanged ok gltoken user block zoe
	ok gltoken user unblock zoe
	ok gltoken explain --id "$ID" --repo demo/hello --op push
	unchanged rc 1 gltoken user remove zoe
	says 'revoke --user zoe'
	ok gltoken revoke --user zoe
	ok gltoken user remove zoe
	unchanged rc 1 gltoken user remove zoe
	ok gltoken member list demo --json
	json 'all(.[]; .principal != "zoe")'
	# Nobody inherits the name and with it what was once granted to it.
	unchanged rc 1 gltoken user add zoe
	# An account that was never registered can be blocked as well.
	ok gltoken user block carol
	new_token --user bob --scope api
	unchanged rc 1 gltoken issue --name x --user carol --scope api
	ok gltoken user unblock carol
	unchanged rc 1 gltoken user block mallory
}

# What a change came to, for whoever scripts it.
test_changes_as_json() {
	local key
	ok gltoken member set demo/hello bob reporter --json
	json '. == {path: "demo/hello", principal: "bob", access_level: 20, role: "reporter", changed: true}'
	ok gltoken member set demo/hello bob 20 --json
	json '.changed == false'
	ok gltoken member remove demo/hello bob --json
	json '. == {path: "demo/hello", principal: "bob", changed: true}'
	ok gltoken user add yan --json
	json '. == {username: "yan", name: null, state: "active", system_account: false, changed: true}'
	ok gltoken user block yan --json
	json '. == {username: "yan", state: "blocked", changed: true}'
	ok gltoken user unblock yan --json
	json '. == {username: "yan", state: "active", changed: true}'
	key=$(new_key)
	ok gltoken key add yan "$key.pub"
	ok gltoken key list yan --json
	key=$(jq -r '.[0].id' "$T/out")
	ok gltoken key remove "$key" --json
	json ".id == $key and .user == \"yan\" and .path == null and .changed"
	ok gltoken user remove yan --json
	json '. == {username: "yan", keys: 0, memberships: 0, changed: true}'
	ok gltoken protect demo/hello topic --push maintainer --json
	json '. == {path: "demo/hello", ref: "refs/heads/topic", push_access_level: 40, force_access_level: 0,
		delete_access_level: 0, changed: true}'
	ok gltoken protect demo/hello topic --push developer --json
	ok gltoken audit list --limit 1 --json
	json '.[0] | .before == "push=40 force=0 delete=0" and .after == "push=30 force=0 delete=0"'
	ok gltoken protect demo/hello topic --remove --json
	json '. == {path: "demo/hello", ref: "refs/heads/topic", changed: true}'
	ok gltoken audit list --limit 1 --json
	json '.[0] | .before == "push=30 force=0 delete=0" and .after == null'
}

# A group is a place for one, and those in it have it.
test_protect_a_group() {
	ok gltoken protect demo shared --push maintainer
	hides 'note'
	ok gltoken protect nowhere shared --push maintainer
	says 'note: there is no repository nowhere'
	ok gltoken protect demo/hello --list --json
	json 'any(.[]; .path == "demo" and .ref == "refs/heads/shared")'
	json 'all(.[]; .path != "nowhere")'
	ok gltoken protect demo shared --remove
	ok gltoken protect nowhere shared --remove
}

# It must not look as if something were protected.
test_protect_what_cannot_be() {
	local ref
	for ref in a..b 'a b' a~1 a^ a:b .a a/.b a/ a. a//b 'a@{1}'; do
		unchanged rc 2 gltoken protect demo/hello "$ref" --push maintainer
		says 'no ref has such a name'
	done
}

# Who was never registered is not blocked; root can be neither.
test_unblock_an_account() {
	unchanged ok gltoken user unblock daemon
	says 'Unchanged: user daemon is not blocked'
	unchanged rc 1 gltoken user block root
	says 'uid 0'
	unchanged rc 1 gltoken user unblock mallory
	says "no user 'mallory'"
}

test_keys() {
	local key fp
	key=$(new_key)
	fp=$(ssh-keygen -lf "$key.pub" | cut -d ' ' -f 2)
	ok gltoken key add bob "$key.pub"
	unchanged rc 1 gltoken key add alice "$key.pub"
	says "of bob"
	INPUT=$(cat "$key") unchanged rc 2 gltoken key add bob
	says 'PRIVATE'
	INPUT='command="x" '$(cat "$key.pub") unchanged rc 2 gltoken key add bob
	INPUT=$(cat "$(new_key).pub")$'\nssh-ed25519 AAAA\n' unchanged rc 2 gltoken key add bob
	says 'line 2'
	unchanged rc 1 gltoken key add mallory "$(new_key).pub"
	unchanged rc 1 gltoken key add bob /no/such/file
	rc 1 gltoken key list bbo
	says "unknown user 'bbo'"
	ok gltoken key list bob --json
	json ".[0].fingerprint_sha256 == \"$fp\" and .[0].user == \"bob\" and .[0].title == \"dev@client\""
	unchanged rc 1 gltoken key remove 999999
	unchanged rc 2 gltoken key remove SHA256:short
	ok gltoken key remove "$fp"
	ok gltoken key list bob --json
	json '. == []'
	ok gltoken check
}

test_repo_create() {
	local place
	ok gltoken repo create new/sub/thing --default-branch trunk
	[ "$(stat -c '%U:%G %a' /srv/git/new/sub/thing.git)" = 'git:git 750' ] || fail "owner or mode"
	[ "$(cat /srv/git/new/sub/thing.git/HEAD)" = 'ref: refs/heads/trunk' ] || fail "branch"
	ok server_git new/sub/thing rev-parse --is-bare-repository
	ok gltoken repo list --json
	json 'any(.[]; .path == "new/sub/thing" and .default_branch == "trunk" and .ok and .id > 0)'
	unchanged rc 1 gltoken repo create new/sub/thing
	unchanged rc 1 gltoken repo create new/sub
	unchanged rc 1 gltoken repo create new/sub/thing/inner
	unchanged rc 2 gltoken repo create ../outside
	unchanged rc 2 gltoken repo create /srv/git/new/other
	says 'as it stands below'
	ok gltoken explain --user alice --repo /demo/hello.git --op pull --account git --from 127.0.0.1
	unchanged rc 2 gltoken repo create 'a b'
	unchanged rc 2 gltoken repo create x --default-branch -x
	ln -s /tmp /srv/git/new/link
	unchanged rc 1 gltoken repo create new/link/x
	says 'symbolic link'
	[ ! -e /tmp/x.git ] || fail "made through a symbolic link"
	for place in new/first second; do
		mkdir -p "/srv/git/$place"
		unchanged rc 1 gltoken repo create "$place"
	done
	rmdir /srv/git/new/first /srv/git/second
	rm /srv/git/new/link
}

# git fails, or the store cannot take the entry: nothing stays behind.
test_repo_create_that_fails() {
	local git
	git=$(command -v git)
	left() {
		find /srv/git -name 'half*' | grep . && fail "something was left behind"
		return 0
	}
	mv "$git" "$git.real"
	unchanged rc 3 gltoken repo create half/a/b
	says 'cannot run git'
	left
	printf '#!/bin/sh\nmkdir objects\n: >objects/file\nexit 3\n' >"$git"
	chmod 755 "$git"
	unchanged rc 3 gltoken repo create half/a/b
	says 'git init failed'
	left
	unchanged rc 3 gltoken repo create half
	left
	# The store goes away between the first look and the entry.
	printf '#!/bin/sh\n: >/tmp/git-runs\nwhile [ -e /tmp/git-runs ]; do sleep 0.05; done\nexec %s.real "$@"\n' "$git" >"$git"
	chmod 1777 /tmp
	(
		until [ -e /tmp/git-runs ]; do sleep 0.05; done
		mv "$STORE" "$STORE.away"
		rm /tmp/git-runs
	) &
	rc 3 gltoken repo create half/a/b
	wait
	mv "$STORE.away" "$STORE"
	says 'gltoken init'
	left
	mv "$git.real" "$git"
	ok gltoken repo create half/a/b
}

# The account may not write in repo_root itself: root makes the first folder, the account the rest.
test_repo_root_of_root() {
	local git
	mv /srv/git /srv/git.kept
	install -d -m 755 /srv/git
	ok gltoken repo create grp/one
	ok gltoken repo create single
	[ "$(stat -c %U /srv/git /srv/git/grp /srv/git/grp/one.git /srv/git/single.git/HEAD | tr '\n' ' ')" = 'root git git git ' ] ||
		fail "owners: $(ls -lR /srv/git)"
	ok server_git single rev-parse --is-bare-repository
	ln -s /tmp /srv/git/out
	no gltoken repo create out/x
	git=$(command -v git)
	mv "$git" "$git.real"
	no gltoken repo create half
	no gltoken repo create half/x
	mv "$git.real" "$git"
	[[ ! -e /srv/git/half && ! -e /srv/git/half.git ]] || fail "something was left behind: $(ls /srv/git)"
	rm -r /srv/git
	mv /srv/git.kept /srv/git
}

test_not_permitted() {
	no setpriv --reuid nobody --regid nogroup --clear-groups gltoken list
	rc 3 setpriv --reuid nobody --regid nogroup --clear-groups gltoken list
	says 'sudo gltoken list'
	rc 3 setpriv --reuid nobody --regid nogroup --clear-groups gltoken issue --name x --user alice --scope api
	rc 3 setpriv --reuid nobody --regid nogroup --clear-groups gltoken repo create x
	ok setpriv --reuid nobody --regid nogroup --clear-groups gltoken list --help
	ok setpriv --reuid gltoken --regid gltoken --clear-groups gltoken list
	# A folder that gltoken cannot enter is no hindrance.
	mkdir -m 700 "$T/own"
	ok bash -c "cd '$T/own' && gltoken list"
}

test_actor() {
	ok env SUDO_USER=alice gltoken issue --name by-alice --user alice --scope api --json
	json '.created_by == "root(alice)"'
	# From another than root it is nobody's word.
	ok setpriv --reuid gltoken --regid gltoken --clear-groups env SUDO_USER=bob gltoken issue --name by-gltoken \
		--user alice --scope api --json
	json '.created_by == "gltoken"'
	ok gltoken audit list --limit 2 --json
	json '[.[].actor] == ["root(alice)", "gltoken"] and .[1].action == "token.issue" and (.[1].seq | type) == "number"'
}

test_configuration() {
	local conf=/etc/gltoken/gltoken.conf valid=/var/lib/gltoken/gltoken.conf.valid keep
	keep=$(cat "$conf")
	ok gltoken config check
	rm "$valid" # what then is in force is another test's
	printf '[policy]\nmax_lifetimes = 3d\n' >"$conf"
	rc 1 gltoken config check
	says 'line 2.*max_lifetimes'
	rc 3 gltoken list
	says 'max_lifetimes'
	rc 3 gltoken issue --name x --user alice --scope api
	printf '[git]\nshared_accounts = nosuch\n' >"$conf"
	rc 1 gltoken config check
	says 'nosuch'
	printf '[token]\nprefix = acme-glpat-\n' >"$conf"
	ok gltoken issue --name prefixed --user alice --scope api
	[[ $(cat "$T/out") =~ ^acme-glpat-[0-9A-Za-z]{20}$ ]] || fail "prefix: $(outcome)"
	INPUT=$(cat "$T/out") ok gltoken identify
	rm "$valid"
	chmod 666 "$conf"
	rc 3 gltoken list
	chmod 644 "$conf"
	printf '%s\n' "$keep" >"$conf"
}

test_check_names_the_damage() {
	ok gltoken check --json
	json '.ok and .problems == [] and .entries.tokens == .entries.by_selector'
	new_token --user alice --scope api --description 'damage-goes-here'
	cp -a "$STORE" "$STORE.kept"
	# Every copy of the text, for LMDB keeps old pages.
	perl -0777 -pi -e 's/damage-goes-here/damage-goes-HERE/g' "$STORE/store.mdb"
	rc 1 gltoken check
	says "tokens: $ID fails its checksum"
	rc 1 gltoken check --json
	json "(.ok | not) and (.problems | index(\"tokens: $ID fails its checksum\")) != null"
	# The others are still listed, and the loss is told.
	rc 3 gltoken list --json
	json "length > 0 and all(.[]; .id != $ID)"
	says 'damaged'
	rc 3 gltoken show "$ID"
	rm -r "$STORE"
	mv "$STORE.kept" "$STORE"
	ok gltoken check
}

test_init_writes_over_nothing() {
	local before conf=/etc/gltoken/gltoken.conf
	before=$(sha256sum "$STORE/key" "$STORE/store.mdb")
	rc 1 gltoken init
	rc 1 gltoken init --json
	ok gltoken init --if-absent
	ok gltoken init --if-absent --json
	[ "$(jq -c '[.store, .files, .changed, .next[0]]' "$T/out")" = "[\"$STORE\",[],false,\"gltoken setup\"]" ] ||
		fail "$(outcome)"
	cp -a "$conf" "$T/conf"
	printf '[store]\ndir = /var/lib/another\n' >"$conf"
	ok gltoken init --json
	[ "$(jq -c '[.files, .changed]' "$T/out")" = '[["/var/lib/another/store/store.mdb","/var/lib/another/store/key"],true]' ] ||
		fail "$(outcome)"
	cp -a "$T/conf" "$conf"
	rm -r /var/lib/another
	chmod 755 "$STORE"
	rc 1 gltoken init
	chmod 700 "$STORE"
	mv "$STORE/store.mdb" "$STORE/store.away"
	rc 1 gltoken init
	mv "$STORE/store.away" "$STORE/store.mdb"
	[ "$(sha256sum "$STORE/key" "$STORE/store.mdb")" = "$before" ] || fail "init changed a store that was there"
	ok gltoken check
}

test_completion() {
	local file=/usr/share/bash-completion/completions/gltoken
	completes() { # EXPECTED WORD...
		# shellcheck disable=SC2016 # for the other shell
		ok bash -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _gltoken; echo "${COMPREPLY[*]}"' x "$file" "${@:2}"
		[ "$(cat "$T/out")" = "$1" ] || fail "completion of '${*:2}': $(outcome)"
	}
	completes issue gltoken iss
	completes --scope gltoken issue --sco
	completes api,read_repository gltoken issue --scope api,read_rep
	completes developer gltoken issue --role = dev
	completes 'set remove list import-unix --help' gltoken member ''
	completes maintainer gltoken member set demo alice main
	# Every option that --help names is known, and every command.
	local cmd o
	for cmd in issue list rotate revoke edit scope expire explain init check protect; do
		# shellcheck disable=SC2016
		for o in $(gltoken "$cmd" --help | grep -oE '^ +--[a-z-]+' | tr -d ' '); do
			ok bash -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _gltoken; echo "${COMPREPLY[*]}"' x "$file" \
				gltoken "$cmd" "$o"
			[[ " $(cat "$T/out") " == *" $o "* ]] || fail "$cmd $o is not completed: $(outcome)"
		done
	done
	for cmd in $(gltoken --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
		# shellcheck disable=SC2016
		ok bash -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=1; _gltoken; printf "%s\n" "${COMPREPLY[@]}"' x "$file" gltoken "$cmd"
		grep -qx "$cmd" "$T/out" || fail "$cmd is not completed: $(outcome)"
	done
}

e2e_main "$@"
