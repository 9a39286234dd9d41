#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Repositories are moved, removed, taken over and checked, with all that belongs to them.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

setup() {
	e2e_host
	useradd -m mia
	gltoken member set demo mia maintainer
}

json() {
	jq -e "$1" "$T/out" >/dev/null || fail "not so: $1: $(outcome)"
}

fill() { # PROJECT
	gltoken repo create "$1"
	server_git "$1" fetch -q /srv/fixture main:main
}

test_default_branch_is_protected() {
	fill fresh/one
	gltoken member set fresh alice developer
	gltoken member set fresh mia maintainer
	ok gltoken protect fresh/one --list --json
	json '. == [{path: "fresh/one", ref: "refs/heads/main", push_access_level: 40, force_access_level: 0,
		delete_access_level: 0}]'
	work_tree "$T/w"
	new_token --user alice --scope write_repository
	client password "$TOKEN"
	no git_ -C "$T/w" push git@host:fresh/one.git HEAD:main
	says 'protected branches'
	ok git_ -C "$T/w" push git@host:fresh/one.git HEAD:topic
	new_token --user mia --scope write_repository
	client password "$TOKEN"
	ok git_ -C "$T/w" push git@host:fresh/one.git HEAD:main
	no git_ -C "$T/w" push git@host:fresh/one.git :main
	ok gltoken repo create fresh/open --no-protect --default-branch trunk --json
	json '.path == "fresh/open" and .default_branch == "trunk" and (.protected | not) and .id > 0'
	ok gltoken protect fresh/open --list --json
	json '. == []'
}

test_move() {
	local id token
	fill old/place
	gltoken member set old/place alice developer
	gltoken member set old/place bob reporter
	new_token --project old/place --role maintainer --scope write_repository
	id=$ID token=$TOKEN
	ok gltoken repo move old/place new/deep/place
	says 'with 1 tokens, 2 memberships, 1 protections'
	[ ! -e /srv/git/old/place.git ] || fail "the folder is still there"
	[ "$(stat -c %U /srv/git/new/deep /srv/git/new/deep/place.git | sort -u)" = git ] || fail "owners"
	ok gltoken show "$id" --json
	json '.path == "new/deep/place"'
	client password "$token"
	ok git_ ls-remote git@host:new/deep/place.git
	no git_ ls-remote git@host:old/place.git
	ok gltoken member list new/deep/place --json
	json 'map(.principal) | sort == ["alice", "bob"]'
	ok gltoken protect new/deep/place --list --json
	json 'map(.ref) == ["refs/heads/main"]'
	ok gltoken protect old/place --list --json
	json '. == []'
	ok gltoken check
	ok gltoken audit verify
	ok gltoken repo move new/deep/place new/flat --json
	json '.path == "new/flat" and .before == "new/deep/place" and .live_tokens == 1 and .memberships == 2'
	rc 1 gltoken repo move no/such new/x
	rc 1 gltoken repo move demo/hello demo/other
	rc 2 gltoken repo move demo/hello demo/hello
	rc 2 gltoken repo move demo/hello demo/hello/in
	rc 2 gltoken repo move demo/hello ../out
	rc 3 setpriv --reuid nobody --regid nogroup --clear-groups gltoken repo move demo/hello demo/x
	# Something of the new name is in the store: somebody would inherit it.
	gltoken member set taken/name bob owner
	rc 1 gltoken repo move demo/other taken/name
	says '1 memberships'
	[ -d /srv/git/demo/other.git ] || fail "it was moved all the same"
	ok gltoken member remove taken/name bob
}

test_move_of_a_group() {
	fill many/one
	rc 1 gltoken repo move many more
	says 'many is a group: move each of its repositories, as many/PROJECT to more/PROJECT'
	[ -d /srv/git/many/one.git ] || fail 'it was moved'
	rc 1 gltoken repo move none more
	says 'none: no such repository'
}

killed_at() { # SYSCALL FROM TO: move, and be killed where a process of it calls that
	timeout 20 strace -f -qq -o "$T/strace" -e "trace=$1" -e "inject=$1:signal=KILL:when=1" \
		gltoken repo move "$2" "$3" >/dev/null 2>&1 || true
	grep -q 'killed by SIGKILL' "$T/strace" || fail "nothing was killed at $1"
}

# Killed before and after the rename: the same command ends it, and nobody else gets in meanwhile.
test_move_interrupted() {
	local call
	for call in renameat2 fsync; do
		fill "cut/a-$call"
		gltoken member set "cut/a-$call" bob developer
		new_token --project "cut/a-$call" --role developer --scope read_repository
		killed_at "$call" "cut/a-$call" "cut/b-$call"
		ok gltoken check
		rc 1 gltoken repo create "cut/a-$call"
		rc 1 gltoken repo create "cut/b-$call"
		rc 1 gltoken repo check cut
		says 'unfinished'
		ok gltoken protect "cut/b-$call" --list --json
		json 'map(.ref) == ["refs/heads/main"]'
		if [ "$call" = fsync ]; then [ -d "/srv/git/cut/b-$call.git" ] || fail "it should be renamed"; fi
		rc 1 gltoken repo move "cut/a-$call" cut/elsewhere
		ok gltoken repo move "cut/a-$call" "cut/b-$call"
		ok gltoken show "$ID" --json
		json ".path == \"cut/b-$call\""
		[ -d "/srv/git/cut/b-$call.git" ] || fail "$call: no folder"
		ok gltoken member list "cut/b-$call" --json
		json 'map(.principal) == ["bob"]'
		ok gltoken member list "cut/a-$call" --json
		json '. == []'
		ok gltoken repo check cut
		fill "cut/a-$call"
		ok gltoken repo remove "cut/a-$call" --yes
	done
	# The child that writes the store dies: nothing has happened.
	fill cut/c
	killed_at fdatasync cut/c cut/d
	ok gltoken repo check cut
	[ -d /srv/git/cut/c.git ] || fail "it was moved"
}

test_move_that_fails() {
	fill stay/put
	chattr +i /srv/git/stay/put.git 2>/dev/null || mount --bind /srv/git/stay/put.git /srv/git/stay/put.git
	rc 3 gltoken repo move stay/put stay/gone
	says 'cannot rename'
	chattr -i /srv/git/stay/put.git 2>/dev/null || umount /srv/git/stay/put.git
	ok gltoken protect stay/gone --list --json
	json '. == []'
	ok gltoken protect stay/put --list --json
	json 'length == 1'
	ok gltoken repo check stay
	ok gltoken repo move stay/put stay/gone
}

test_remove() {
	local token
	fill gone/one
	gltoken member set gone/one bob developer
	new_token --project gone/one --role developer --scope read_repository
	token=$TOKEN
	rc 2 gltoken repo remove gone/one
	says 'yes'
	ok gltoken repo remove gone/one --dry-run
	says '1 live tokens, 1 memberships, 1 protections'
	[ -d /srv/git/gone/one.git ] || fail "a dry run removed it"
	ok gltoken repo remove gone/one --yes
	[ ! -e /srv/git/gone/one.git ] || fail "still there"
	[ "$(stat -c '%U %a' /srv/git/.removed)" = 'root 700' ] || fail "not put aside for root alone"
	ok cat /srv/git/.removed/*/gone/one.git/HEAD
	ok gltoken show "$ID" --json
	json '.revoked and .revoked_why == "repository removed"'
	rc 1 gltoken repo remove gone/one --yes
	fill gone/one
	client password "$token"
	no git_ ls-remote git@host:gone/one.git
	ok gltoken member list gone/one --json
	json '. == []'
	ok gltoken repo remove gone/one --yes --delete --json
	json '.removed and .files == null and .protections == 1'
	[ "$(find /srv/git/.removed -name one.git | wc -l)" = 1 ] || fail "the files were not deleted"
	rc 1 gltoken repo remove demo --yes
	says 'group'
	# What only the store has goes as well.
	gltoken member set never/made bob developer
	rc 1 gltoken repo check never
	says 'no_repository'
	ok gltoken repo remove never/made --yes
	ok gltoken check
	# Where git owns repo_root it could have made the place itself.
	mv /srv/git/.removed /srv/removed.kept
	install -d -o git -m 755 /srv/git/.removed
	fill gone/two
	rc 3 gltoken repo remove gone/two --yes
	[ -d /srv/git/gone/two.git ] || fail "moved into a folder of git's"
	rmdir /srv/git/.removed
	mv /srv/removed.kept /srv/git/.removed
	rc 1 gltoken repo create gone/two
	says 'already'
	ok gltoken repo remove gone/two --yes
}

# A restore does what was done since: a new repository of that name inherits nothing from the backup.
test_replayed() {
	local live gone
	fill back/live
	fill back/gone
	gltoken member set back/live bob developer
	gltoken member set back/gone bob developer
	new_token --project back/live --role developer --scope read_repository
	live=$ID
	new_token --project back/gone --role developer --scope read_repository
	gone=$ID
	ok gltoken backup /root/before
	ok gltoken repo move back/live back/moved
	ok gltoken repo remove back/gone --yes
	gltoken audit export >/root/audit
	ok gltoken restore /root/before --replay-audit /root/audit --force
	hides 'repo\.|token\.move'
	ok gltoken show "$live" --json
	json '.path == "back/moved" and .active'
	ok gltoken show "$gone" --json
	json '.revoked'
	ok gltoken member list back/moved --json
	json 'map(.principal) == ["bob"]'
	ok gltoken member list back/gone --json
	json '. == []'
	ok gltoken repo check back
	ok gltoken check
}

test_adopt() {
	local r=/srv/git/old/stuff.git
	mkdir -p /srv/git/old
	git init -q --bare --shared=group "$r"
	chown -R bob:games "$r"
	chmod g+w "$r/HEAD"
	: >/srv/of-dave
	chown dave: /srv/of-dave
	ln /srv/of-dave "$r/stolen"
	ln -s /etc/shadow "$r/link"
	mkfifo "$r/pipe"
	rc 1 gltoken repo adopt old/stuff --json
	json '.[0].problems | map(.problem) | sort == ["hard_link", "mode", "owner", "setgid", "shared", "special"]'
	[ "$(stat -c %U "$r")" = bob ] || fail "a dry run changed it"
	rc 1 gltoken repo check old
	rc 1 gltoken repo adopt old/stuff --fix --protect HEAD
	says 'hard_link'
	[ "$(stat -c '%U:%G %a' "$r" "$r/HEAD" | tr '\n' ' ')" = 'git:git 750 git:git 644 ' ] ||
		fail "owner or mode: $(ls -l "$r")"
	[ "$(stat -c %U:%G /srv/git/old)" = git:git ] || fail "nobody can make a project beside it"
	[ "$(stat -c %U /srv/of-dave /etc/shadow | tr '\n' ' ')" = 'dave root ' ] || fail "it gave away somebody's file"
	no git config --file "$r/config" core.sharedRepository
	rm "$r/stolen" "$r/pipe"
	ok gltoken repo adopt old --fix
	ok gltoken repo check old/stuff
	ok gltoken protect old/stuff --list --json
	json 'length == 1 and .[0].push_access_level == 40'
	ok gltoken repo list --json
	json 'any(.[]; .path == "old/stuff" and .id > 0)'
	rc 1 gltoken repo adopt no/such
	rc 2 gltoken repo adopt --protect 'a b' old
	rc 3 setpriv --reuid nobody --regid nogroup --clear-groups gltoken repo check
	echo /nowhere/objects >"$r/objects/info/alternates"
	chown git: "$r/objects/info/alternates"
	chmod 640 "$r/objects/info/alternates"
	git config --file "$r/config" receive.procReceiveRefs refs/for
	rc 1 gltoken repo check old/stuff
	says alternates
	says proc_receive
	rm -r /srv/git/old
}

test_import_unix() {
	local r
	groupadd team
	groupadd readers
	for r in writers readers world closed ours; do
		git init -q --bare "/srv/git/unix/$r.git"
	done
	chown -R bob:team /srv/git/unix/writers.git
	chmod 2770 /srv/git/unix/writers.git /srv/git/unix/writers.git/objects
	chown -R root:readers /srv/git/unix/readers.git
	chmod 750 /srv/git/unix/readers.git
	chown -R root:root /srv/git/unix/world.git
	chmod 755 /srv/git/unix/world.git
	chown -R git:git /srv/git/unix/ours.git
	chmod 700 /srv/git/unix/ours.git
	mkdir -m 700 /srv/git/unix/shut
	mv /srv/git/unix/closed.git /srv/git/unix/shut
	chown -R :readers /srv/git/unix/shut/closed.git
	chmod 755 /srv/git/unix/shut/closed.git
	ok gltoken member import-unix unix --dry-run --json
	json 'map([.path, .principal, .role, .result]) == [["unix/readers", "@readers", "reporter", "new"],
		["unix/world", "everybody", null, "not granted"], ["unix/writers", "bob", "owner", "new"],
		["unix/writers", "@team", "developer", "new"]]'
	ok gltoken member list unix/writers --json
	json '. == []'
	ok gltoken member set unix/writers bob reporter
	ok gltoken member import-unix unix
	says '2 memberships made, 1 not granted'
	ok gltoken member list unix/writers --json
	json 'map({(.principal): .role}) | add == {"@team": "developer", "bob": "reporter"}'
	ok gltoken member import-unix unix
	says '0 memberships made'
	rc 2 gltoken member import-unix ../x
	rc 1 gltoken member import-unix none
	says 'no repository none or below it'
	rc 2 gltoken member import-unix a b
	rc 3 setpriv --reuid nobody --regid nogroup --clear-groups gltoken member import-unix
	rm -r /srv/git/unix
}

e2e_main "$@"
