#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Which repository a path opens: the one that was decided on, or none.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	gltoken member set fork alice developer
	gltoken repo create --no-protect fork/hello
	server_git fork/hello fetch -q /srv/fixture main:main
}

as_alice() {
	new_token --user alice --scope write_repository
	client password "$TOKEN"
}

refused() { # PATH [TEXT]
	no git_ ls-remote "git@host:$1"
	says "${2:-could not be found}"
	hides 'refs/heads'
}

test_control() {
	as_alice
	ok git_ ls-remote git@host:fork/hello.git
	ok git_ ls-remote git@host:/fork/hello.git
	ok git_ ls-remote git@host:fork/hello
}

# A fork that borrows objects from a repository lends its reader that repository's private commits.
test_alternates_into_an_unreadable_repository() {
	local info=/srv/git/fork/hello.git/objects/info secret
	as_alice
	secret=$(server_git secret/vault rev-parse main)
	for line in /srv/git/secret/vault.git/objects ../../../secret/vault.git/objects; do
		echo "$line" >"$info/alternates"
		chown git: "$info/alternates"
		refused fork/hello.git .
		logged "event=git .*decision=deny .*repository=fork/hello"
		INPUT=0000 no ssh_ git@host "git-receive-pack 'fork/hello.git'"
		hides "$secret"
	done
	rm "$info/alternates"
	ok git_ ls-remote git@host:fork/hello.git
}

test_alternates_through_a_third_repository() {
	local info=/srv/git/fork/hello.git/objects/info via=/srv/git/demo/other.git/objects/info
	as_alice
	echo /srv/git/demo/other.git/objects >"$info/alternates"
	ok git_ ls-remote git@host:fork/hello.git
	echo /srv/git/secret/vault.git/objects >"$via/alternates"
	refused fork/hello.git .
	rm "$info/alternates" "$via/alternates"
}

test_alternates_out_of_the_root() {
	as_alice
	git clone -q --bare /srv/fixture /srv/elsewhere.git
	echo /srv/elsewhere.git/objects >/srv/git/fork/hello.git/objects/info/alternates
	refused fork/hello.git .
	rm /srv/git/fork/hello.git/objects/info/alternates
}

test_symlinks_are_not_followed() {
	as_alice
	ln -s ../secret/vault.git /srv/git/fork/link.git
	refused fork/link.git
	ln -s secret /srv/git/demo-link
	refused demo-link/vault.git
	ln -s /srv/git/secret/vault.git /srv/git/fork/abs.git
	refused fork/abs.git
}

test_paths_that_lead_elsewhere() {
	local p
	as_alice
	# shellcheck disable=SC2088 # nothing is to expand it
	for p in '../git/fork/hello.git' 'fork/../secret/vault.git' '/srv/git/fork/hello.git' '~git/fork/hello.git' '~/x' \
		'fork//hello.git' './fork/hello.git' 'fork/hello.git/objects' 'fork/hello/.git' '-fork/hello' \
		$'fork/hel\tlo' '.' '' '/' "$(printf 'a/%.0s' {1..400})x"; do
		INPUT=0000 no ssh_ git@host "git-upload-pack '$p'"
		hides 'refs/heads'
	done
}

test_x_beside_x_git() {
	as_alice
	cp -a /srv/git/fork/hello.git /srv/git/fork/hello
	refused fork/hello.git .
	refused fork/hello .
	rm -r /srv/git/fork/hello
	ok git_ ls-remote git@host:fork/hello.git
}

test_only_bare_repositories() {
	as_alice
	git clone -q /srv/fixture /srv/git/fork/work.git
	chown -R git: /srv/git/fork/work.git
	refused fork/work.git
	mkdir /srv/git/fork/gitfile.git
	echo 'gitdir: /srv/git/secret/vault.git' >/srv/git/fork/gitfile.git/.git
	chown -R git: /srv/git/fork/gitfile.git
	refused fork/gitfile.git
	# A bare one, but git looks for .git and commondir first.
	cp -a /srv/git/fork/hello.git /srv/git/fork/both.git
	ok git_ ls-remote git@host:fork/both.git
	cp /srv/git/fork/gitfile.git/.git /srv/git/fork/both.git/.git
	refused fork/both.git .
	rm /srv/git/fork/both.git/.git
	echo /srv/git/secret/vault.git >/srv/git/fork/both.git/commondir
	refused fork/both.git .
}

# The repository's own hooks run, and read what GitLab's and gitolite's hooks read.
test_hooks_read_who_pushes() {
	local hook=/srv/git/fork/hello.git/hooks/post-receive
	as_alice
	install -m 755 /dev/null "$hook"
	printf '#!/bin/sh\nenv >/tmp/hook.env\n' >"$hook"
	work_tree "$T/c"
	ok git_ -C "$T/c" push git@host:fork/hello.git HEAD:refs/heads/hooked
	for want in 'GL_USERNAME=alice' 'GL_PROJECT_PATH=fork/hello' 'GL_PROTOCOL=ssh' 'GL_USER=alice' 'GL_REPO=fork/hello' \
		"GLTOKEN_ID=$ID" 'GLTOKEN_ROLE=developer' 'GLTOKEN_SCOPES=write_repository'; do
		grep -qx -- "$want" /tmp/hook.env || fail "the hook lacks $want: $(cat /tmp/hook.env)"
	done
	if grep -E '^(SSH_|LD_|BASH_ENV)' /tmp/hook.env; then fail "the client's environment reached the hook"; fi
	if grep -F "${TOKEN:(-14)}" /tmp/hook.env; then fail "the secret reached the hook"; fi
	rm "$hook"
}

test_repositories_of_another_owner() {
	as_alice
	cp -a /srv/git/fork/hello.git /srv/git/fork/theirs.git
	chown -R root: /srv/git/fork/theirs.git
	chmod -R a+rX /srv/git/fork/theirs.git
	ok git_ ls-remote git@host:fork/theirs.git
}

e2e_main "$@"
