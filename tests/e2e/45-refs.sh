#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Protected refs and the dispatcher of hooks, with real pushes.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	useradd -m mia
	gltoken member set demo mia maintainer
	gltoken protect demo/hello main --push maintainer --force maintainer
	gltoken protect demo/hello 'release/*' --push nobody
	gltoken protect demo/hello 'open/*' --push developer --delete developer
	gltoken protect demo/hello 'refs/tags/v*' --push maintainer
}

as_user() { # USER: a work tree whose pushes are that user's
	new_token --user "$1" --scope write_repository
	client password "$TOKEN"
	W=$T/w-$RANDOM
	work_tree "$W"
	git_ -C "$W" fetch -q origin
	git_ -C "$W" reset -q --hard origin/main
	commit "$W"
}

pushes() {
	ok git_ -C "$W" push origin "$@"
}

refused() { # REFSPEC..: each of them, by name
	no git_ -C "$W" push origin "$@"
	says 'remote: You are not allowed to push code to protected branches on this project\.'
	says 'hook declined'
}

own_hook() { # NAME [BODY]
	local f=/srv/git/demo/hello.git/hooks/$1
	printf '#!/bin/sh\n%s\n' "${2-}" >"$f"
	chmod 755 "$f"
	chown git:git "$f"
}

test_developer() {
	as_user alice
	refused HEAD:main
	logged "event=ref decision=deny reason=ref_protected .*ref=refs/heads/main .*token=$ID "
	pushes HEAD:feature
	logged "event=ref decision=allow ref=refs/heads/feature old=0{40} new=[0-9a-f]{40} repository=demo/hello token=$ID "
	commit "$W"
	git_ -C "$W" commit -q --amend -m other
	pushes -f HEAD:feature
	pushes :feature
	refused HEAD:refs/tags/v1
	pushes HEAD:refs/tags/x1
	refused HEAD:refs/notes/x
	refused HEAD:refs/replace/0123456789012345678901234567890123456789
	pushes HEAD:open/door
	refused -f HEAD~1:open/door
	pushes :open/door
}

test_protected_in_a_group_above() {
	gltoken protect demo 'locked/*' --push maintainer
	as_user alice
	refused HEAD:locked/door
	as_user mia
	pushes HEAD:locked/door
	gltoken protect demo 'locked/*' --remove
	as_user alice
	pushes -f HEAD:locked/door
}

# Whoever fetched the tag keeps the old one: moving it is as forced as it is for a branch.
test_moved_tag_is_forced() {
	gltoken protect demo/hello 'refs/tags/moved*' --push developer --force maintainer
	as_user alice
	pushes HEAD~1:refs/tags/moved1
	refused -f HEAD:refs/tags/moved1
	as_user mia
	pushes -f HEAD:refs/tags/moved1
	gltoken protect demo/hello 'refs/tags/moved*' --remove
}

test_one_refused_ref_leaves_the_others() {
	as_user alice
	no git_ -C "$W" push origin HEAD:main HEAD:side
	says 'HEAD -> side'
	ok server_git demo/hello rev-parse --verify refs/heads/side
	[ "$(server_git demo/hello rev-parse side)" = "$(git_ -C "$W" rev-parse HEAD)" ] || fail "side was not pushed"
	[ "$(server_git demo/hello rev-parse main)" != "$(git_ -C "$W" rev-parse HEAD)" ] || fail "main was pushed"
	commit "$W"
	no git_ -C "$W" push --atomic origin HEAD:main HEAD:side
	[ "$(server_git demo/hello rev-parse side)" != "$(git_ -C "$W" rev-parse HEAD)" ] || fail "atomic was not"
}

test_maintainer() {
	as_user mia
	pushes HEAD:main
	pushes HEAD:refs/tags/v2
	pushes HEAD:refs/notes/mia
	refused HEAD:release/1
	server_git demo/hello config receive.denyDeleteCurrent ignore
	refused :main
	git_ -C "$W" commit -q --amend -m other
	pushes -f HEAD:main
}

test_symref_counts_as_its_target() {
	server_git demo/hello symbolic-ref refs/heads/alias refs/heads/main
	server_git demo/hello symbolic-ref refs/heads/far refs/heads/alias
	as_user alice
	refused HEAD:alias
	refused HEAD:far
	server_git demo/hello symbolic-ref -d refs/heads/alias
	server_git demo/hello symbolic-ref -d refs/heads/far
}

# A push as a client of one's own may send it, of what the repository has already.
raw_push() { # OLD NEW REF
	{
		printf '%04x%s %s %s\0report-status' $((4 + 40 + 1 + 40 + 1 + ${#3} + 1 + 13)) "$1" "$2" "$3"
		printf 0000
		server_git demo/hello pack-objects --stdout -q </dev/null
	} >"$T/raw"
	ssh_ git@host "git-receive-pack 'demo/hello.git'" <"$T/raw" >"$T/out" 2>"$T/err" || true
}

# What git wrote before it had symbolic refs, and does with core.preferSymlinkRefs: a link whose text is a ref.
test_link_counts_as_its_target() {
	local heads=/srv/git/demo/hello.git/refs/heads alias main new
	as_user alice
	pushes HEAD:spare
	new=$(server_git demo/hello rev-parse spare)
	main=$(server_git demo/hello rev-parse main)
	ln -s refs/heads/main $heads/alias
	ln -s refs/heads/alias $heads/far
	for alias in alias far; do
		raw_push "$main" "$new" refs/heads/$alias
		grep -aq 'not allowed to push code to protected' "$T/err" || fail "$alias: $(tr -d '\0' <"$T/err")"
		[ "$(server_git demo/hello rev-parse main)" = "$main" ] || fail "main was moved by $alias"
	done
	rm $heads/alias $heads/far
	raw_push "$(printf '%040d' 0)" "$new" refs/heads/alias
	[ "$(server_git demo/hello rev-parse alias)" = "$new" ] || fail "no raw push at all: $(tr -d '\0' <"$T/err")"
}

# Where the kernel follows a link, another ref may be what is written.
test_links_elsewhere() {
	local heads=/srv/git/demo/hello.git/refs/heads main new ref
	as_user alice
	mkdir $heads/odd
	chown git: $heads/odd
	pushes HEAD:odd # an empty folder is no ref: git takes it away
	new=$(server_git demo/hello rev-parse odd)
	main=$(server_git demo/hello rev-parse main)
	ln -s . $heads/rel
	ln -s main $heads/same
	for ref in refs/heads/rel/main refs/heads/same; do
		raw_push "$main" "$new" $ref
		grep -aq 'This ref cannot be read' "$T/err" || fail "$ref: $(tr -d '\0' <"$T/err")"
		[ "$(server_git demo/hello rev-parse main)" = "$main" ] || fail "main was moved by $ref"
	done
	rm $heads/rel $heads/same
}

test_own_hooks_run_as_before() {
	local out=/tmp/hooks.out name
	for name in pre-receive update post-receive post-update; do
		# shellcheck disable=SC2016
		own_hook "$name" "{ echo \"$name \$# \$1\"; env; case $name in *-receive) cat ;; esac; } >>$out"
	done
	as_user alice
	pushes HEAD:hooked
	grep -q '^update 3 refs/heads/hooked' "$out" || fail "update: $(cat "$out")"
	grep -q '^post-update 1 refs/heads/hooked' "$out" || fail "post-update"
	[ "$(grep -Ec '^[0-9a-f]{40} [0-9a-f]{40} refs/heads/hooked' "$out")" = 2 ] || fail "pre- and post-receive read no list"
	grep -q '^GL_USERNAME=alice' "$out" || fail "no GL_USERNAME"
	grep -q "^GLTOKEN_ID=$ID" "$out" || fail "no GLTOKEN_ID"
	if grep -E '^(GLTOKEN_SESSION|GLTOKEN_HOOKS|GIT_CONFIG)' "$out"; then fail "it got what is ours"; fi
	own_hook update 'echo not today >&2; exit 3'
	no git_ -C "$W" push origin HEAD:late
	says 'remote: not today'
	rm -f /srv/git/demo/hello.git/hooks/*
	pushes HEAD:late
}

test_hooks_elsewhere() {
	mkdir -p /srv/hooks
	printf '#!/bin/sh\necho from elsewhere\n' >/srv/hooks/pre-receive
	chmod -R a+rx /srv/hooks
	git config --system core.hooksPath /srv/hooks
	as_user alice
	pushes HEAD:elsewhere
	says 'remote: from elsewhere'
	git config --system --unset core.hooksPath
}

test_configuration_cannot_switch_it_off() {
	as_user alice
	server_git demo/hello config core.hooksPath /dev/null
	refused HEAD:main
	server_git demo/hello config --unset core.hooksPath
	server_git demo/hello config receive.procReceiveRefs refs/heads
	no git_ -C "$W" push origin HEAD:main
	says 'proc-receive'
	[ "$(server_git demo/hello rev-parse main)" != "$(git_ -C "$W" rev-parse HEAD)" ] || fail "main was pushed"
	server_git demo/hello config --unset receive.procReceiveRefs
}

test_revoked_in_the_middle() {
	local push
	mkdir -m 777 "$T/at"
	own_hook pre-receive ": >$T/at/reached; until [ -e $T/at/go ]; do sleep 0.05; done"
	as_user alice
	git_ -C "$W" push origin HEAD:slow >"$T/slow" 2>&1 &
	push=$!
	await test -e "$T/at/reached"
	ok gltoken revoke "$ID"
	touch "$T/at/go"
	if wait "$push"; then fail "the push went through: $(cat "$T/slow")"; fi
	grep -q 'hook declined' "$T/slow" || fail "it failed otherwise: $(cat "$T/slow")"
	rm -f /srv/git/demo/hello.git/hooks/*
}

test_command_line() {
	rc 0 gltoken protect demo/hello --list --json
	[ "$(jq -c '[.[]|[.ref,.push_access_level,.force_access_level,.delete_access_level]]|sort' "$T/out")" = \
		'[["refs/heads/main",40,40,0],["refs/heads/open/*",30,0,30],["refs/heads/release/*",0,0,0],["refs/tags/v*",40,0,0]]' ] ||
		fail "list: $(cat "$T/out")"
	rc 2 gltoken protect demo/hello main
	rc 2 gltoken protect demo/hello main --push guest
	says 'nobody, developer or maintainer'
	rc 2 gltoken protect demo/hello 'bad name' --push developer
	rc 2 gltoken protect demo/hello main --force developer
	rc 1 gltoken protect demo/hello other --remove
	rc 0 gltoken protect demo/other x --push nobody
	rc 0 gltoken protect demo/other x --remove
}

e2e_main "$@"
